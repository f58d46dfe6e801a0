// SPDX-License-Identifier: GPL-2.0
import Foundation
import HTMLReport
import KernelBuild
import ProtocolTrace
import Reporting
import RunRecord
import Scenarios
import Validation

/// Writes report.html.
enum PageFile {
    /// A page shows so many runs of a validation in full: those with a fault first.
    private static let shown = 4

    static func write(_ folders: [String], to file: URL) throws {
        var validation: ValidationReport?
        var runs: [String] = []
        for folder in folders {
            let report = URL(filePath: folder).appending(path: ValidationFile.name)
            if FileManager.default.fileExists(atPath: report.path) {
                let read = try ValidationFile.read(report)
                validation = read
                runs += Self.runs(of: read)
            } else {
                runs.append(folder)
            }
        }
        let rules = try ScenarioFiles.locate().rules
        let records = try runs.map { folder in
            let record = try RecordedRun(RunLayout(root: URL(filePath: folder)))
            return (recording: record.recording, verdict: record.verdict(rules: rules))
        }
        let templates = URL(filePath: try ProjectFiles.locate().root).appending(path: "report")
        let page = HTMLPage(records: records, validation: validation, version: MDLab.version)
        let text = try page.text(templates: templates)
        do { try Data(text.utf8).write(to: file) } catch {
            throw VerdictFile.Failure.unwritable(path: file.path, reason: (error as NSError).localizedDescription)
        }
    }

    /// The records that are worth a look: faulty ones with the patch, then one that is good.
    private static func runs(of report: ValidationReport) -> [String] {
        let there = report.runs.filter { run in
            run.record.map { FileManager.default.fileExists(atPath: $0) } ?? false
        }
        let ordered = there.filter(\.isFaulty) + there.filter { !$0.isFaulty }
        return ordered.prefix(shown).compactMap(\.record)
    }
}

/// validation.json in the folder of a validation.
enum ValidationFile {
    static let name = "validation.json"

    static func write(_ report: ValidationReport, to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let file = folder.appending(path: name)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try encoder.encode(report).write(to: file)
        } catch {
            throw VerdictFile.Failure.unwritable(path: file.path, reason: (error as NSError).localizedDescription)
        }
    }

    /// mail.txt: what is fit to be pasted below the `---` of a mail.
    static func write(mail: String, to folder: URL) throws {
        try Data(mail.utf8).write(to: folder.appending(path: "mail.txt"))
    }

    static func read(_ file: URL) throws -> ValidationReport {
        do { return try JSONDecoder().decode(ValidationReport.self, from: Data(contentsOf: file)) } catch {
            throw VerdictFile.Failure.unreadable(path: file.path, reason: "it is not a validation.json of this mdlab")
        }
    }
}
