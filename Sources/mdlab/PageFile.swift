// SPDX-License-Identifier: GPL-2.0
import Foundation
import HTMLReport
import KernelTrace
import ProtocolTrace
import Reporting
import RunRecord
import Scenarios
import Validation

/// Writes report.html from folders of runs and of validations.
struct PageFile {
    /// A page shows so many runs of a validation in full: those with a fault first.
    private static let shown = 4
    /// Bytes of a patch beyond which the page would be no page any more: the rest is in changes.diff.
    private static let patchLimit = 4 << 20

    /// Whether runs that no validation has compared are compared with the reference model.
    var compares = true

    /// - Returns: the document that was written.
    @discardableResult
    func write(_ folders: [String], to file: URL) throws -> ReportDocument {
        let report = try document(folders)
        let page = try ReportPage.html(report)
        do { try Data(page.utf8).write(to: file, options: .atomic) } catch {
            throw VerdictFile.Failure.unwritable(path: file.path, reason: (error as NSError).localizedDescription)
        }
        return report
    }

    /// The first validation is what the page is about; without one it is the runs.
    func document(_ folders: [String]) throws -> ReportDocument {
        var validation: (report: ValidationReport, folder: String)?
        var runs: [ReportedRun] = []
        let rules = try ScenarioFiles.locate().rules
        func add(_ folder: String, _ outcome: RunOutcome?) throws {
            var run = try ReportedRun(
                folder, id: "run\(runs.count + 1)", rules: rules, outcome: outcome, compares: compares)
            let same = runs.count { $0.verdict.scenario == run.verdict.scenario }
            if same > 0 { run.run.name += ", run \(same + 1)" }
            runs.append(run)
        }
        for folder in folders {
            let file = URL(filePath: folder).appending(path: ValidationFile.name)
            if FileManager.default.fileExists(atPath: file.path) {
                let read = try ValidationFile.read(file)
                if validation == nil { validation = (read, folder) }
                for outcome in Self.runs(of: read) { if let record = outcome.record { try add(record, outcome) } }
            } else {
                try add(folder, nil)
            }
        }
        guard let validation else { return Self.document(of: runs, compares: compares) }
        let ids = Dictionary(runs.map { ($0.folder, $0.run.id) }) { first, _ in first }
        var report = ReportDocument(validation.report, runs: ids)
        report.runs = runs.map(\.run)
        report.counterexamples = runs.compactMap(\.counterexample)
        report.patch = Self.patch(of: validation.report, in: validation.folder, runs.map(\.recording))
        report.detectorsOff = Self.detectorsOff(runs)
        if report.advice.isEmpty { report.advice = Self.advice(runs) }
        return report
    }

    private static func advice(_ runs: [ReportedRun]) -> [String] {
        ReportWording.advice(runs.map { (folder: $0.folder, verdict: $0.verdict, comparison: $0.run.comparison) })
    }

    private static func document(of runs: [ReportedRun], compares: Bool) -> ReportDocument {
        let words = runs.map(\.verdict.word)
        let worst = words.min() ?? .miss
        var report: ReportDocument
        if let only = runs.first, runs.count == 1 {
            report = ReportDocument(title: only.run.name, word: worst.rawValue, sentence: only.verdict.reason)
            report.facts = only.run.facts
            report.runs = [only.run]
            report.runs[0].facts = []
        } else {
            report = ReportDocument(
                title: "\(runs.count) runs", word: worst.rawValue, sentence: ReportWording.sentence(words))
            report.reasons = runs.filter { $0.verdict.word == worst && worst != .pass }.prefix(6).map {
                "\($0.run.name): \($0.verdict.reason)"
            }
            report.stages = runs.map {
                ReportDocument.Stage($0.run.name, word: $0.verdict.word.rawValue, text: $0.verdict.reason)
            }
            report.runs = runs.map(\.run)
        }
        report.counterexamples = runs.compactMap(\.counterexample)
        report.advice = advice(runs)
        report.patch = patch(of: runs.map(\.recording))
        report.notCovered = ReportWording.gaps(
            runs.map(\.recording), runs.map(\.verdict), hasPatch: report.patch != nil, compares: compares)
        report.detectorsOff = detectorsOff(runs)
        return report
    }

    private static func detectorsOff(_ runs: [ReportedRun]) -> [ReportDocument.Detector] {
        let all = runs.flatMap(\.verdict.detectorsOff).reduce(into: [:]) { $0[$1.key] = $1.value }
        return all.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }
    }

    /// The runs that are worth a look: faulty ones with the patch, then those that are good.
    private static func runs(of report: ValidationReport) -> [RunOutcome] {
        let there = report.runs.filter { run in
            run.record.map { FileManager.default.fileExists(atPath: $0) } ?? false
        }
        return Array((there.filter(\.isFaulty) + there.filter { !$0.isFaulty }).prefix(shown))
    }

    // MARK: - The patch

    private static func patch(
        of validation: ValidationReport, in folder: String, _ recordings: [Recording]
    ) -> ReportPatch? {
        var patch = self.patch(of: recordings)
        if patch == nil {
            // Nothing ran. One patch is its own difference from the kernel's source.
            let name = URL(filePath: folder).appending(path: "patches")
            let files = (try? FileManager.default.contentsOfDirectory(at: name, includingPropertiesForKeys: nil)) ?? []
            if files.count == 1, let text = text(files[0]) { patch = ReportPatch(diff: text) }
        }
        if patch?.files.isEmpty ?? true {
            return validation.changed.isEmpty ? nil : ReportPatch(changed: validation.changed)
        }
        patch?.subject = validation.patches.joined(separator: "; ")
        patch?.mark(validation.changed)
        for finding in validation.stages.compactMap(\.findings).joined() {
            let text = ReportPatch.Finding(finding.tool, finding.text)
            if finding.isInPatch {
                guard let line = line(finding.line, of: finding.file, in: folder) else { continue }
                patch?.add(text, addedLine: line)
            } else {
                patch?.add(text, file: finding.file, line: finding.line)
            }
        }
        return patch
    }

    /// The text of an added line of a patch in the folder of a validation.
    private static func line(_ number: Int, of name: String, in folder: String) -> String? {
        let file = URL(filePath: folder).appending(path: "patches/\(URL(filePath: name).lastPathComponent)")
        let lines = text(file)?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        guard lines.indices.contains(number - 1), lines[number - 1].hasPrefix("+") else { return nil }
        return String(lines[number - 1].dropFirst())
    }

    /// What was built, where all runs are of the same.
    private static func patch(of recordings: [Recording]) -> ReportPatch? {
        let texts = recordings.map { text($0.layout.changes) }
        guard let text = texts.first ?? nil, !text.isEmpty, texts.allSatisfy({ $0 == text }) else { return nil }
        let names = Set(recordings.flatMap(\.description.patches)).sorted()
        let variants = Set(recordings.compactMap(\.description.variant)).sorted()
        var patch = ReportPatch(diff: text, subject: (names + variants.map { "variant \($0)" }).joined(separator: ", "))
        for file in patch.files.indices {
            for hunk in patch.files[file].hunks.indices {
                guard let function = patch.files[file].hunks[hunk].function else { continue }
                patch.files[file].hunks[hunk].note = ReportWording.calls(
                    of: function, calls: calls(of: function, in: recordings))
            }
        }
        return patch.files.isEmpty ? nil : patch
    }

    private static func text(_ file: URL) -> String? {
        guard let bytes = try? FileBytes.read(file), bytes.count <= patchLimit else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// How often a function was called by the traces; nil when no trace can show it.
    private static func calls(of function: String, in recordings: [Recording]) -> Int? {
        let names: Set<String> = [function, "\(function)__ret"]
        let isProbed = recordings.contains { $0.nodes.contains { !$0.probes.isDisjoint(with: names) } }
        var (entries, functions) = (0, 0)
        for event in recordings.flatMap(\.nodes).lazy.compactMap(\.trace).joined() {
            switch event.body {
            case .entry(function, _): entries += 1
            case .function(function, _): functions += 1
            default: continue
            }
        }
        let calls = max(entries, functions)
        return calls > 0 || isProbed ? calls : nil
    }
}

/// validation.json in the folder of a validation.
enum ValidationFile {
    static let name = "validation.json"

    /// validation.json, and the same for other programs: results.ktap, junit.xml, static.sarif; mail.txt is fit to be
    /// pasted below the `---` of a mail.
    static func write(_ report: ValidationReport, to folder: URL) throws {
        let tests = ValidationText.tests(report)
        let files = [
            (name, try text(report)), ("results.ktap", TestTree.ktap(tests)), ("junit.xml", TestTree.junit(tests)),
            ("static.sarif", try SARIF.text(ValidationText.sourceFindings(report))),
            ("mail.txt", ValidationText.mail(report)),
        ]
        for (name, text) in files {
            let file = folder.appending(path: name)
            do {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            } catch {
                throw VerdictFile.Failure.unwritable(path: file.path, reason: (error as NSError).localizedDescription)
            }
        }
    }

    static func text(_ report: ValidationReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }

    static func read(_ file: URL) throws -> ValidationReport {
        do { return try JSONDecoder().decode(ValidationReport.self, from: Data(contentsOf: file)) } catch {
            throw VerdictFile.Failure.unreadable(path: file.path, reason: "it is not a validation.json of this mdlab")
        }
    }
}
