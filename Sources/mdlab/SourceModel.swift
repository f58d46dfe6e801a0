// SPDX-License-Identifier: GPL-2.0
import CSource
import Foundation
import KernelBuild
import ModelExtraction

/// The model that is taken out of a kernel's own C.
struct SourceModel {
    let builder: KernelBuilder
    let meaning: Meaning

    /// The file whose functions are the protocol.
    static let file = "md-cluster.c"

    init(_ builder: KernelBuilder) throws {
        self.builder = builder
        let text = try String(contentsOfFile: builder.files.meaning, encoding: .utf8)
        meaning = try Meaning(yaml: text)
    }

    /// kernel-tests/model/unnoticed: a reason in a line of its own, then the mistakes that it is for, indented.
    static func reasons(_ files: ProjectFiles) throws -> [String: String] {
        var reasons: [String: String] = [:]
        var reason = ""
        for line in try String(contentsOfFile: files.unnoticed, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("\t") { reasons[String(line.dropFirst())] = reason } else { reason = String(line) }
        }
        return reasons
    }

    /// All functions of md-cluster.c as they are after the request's patches.
    func extraction(_ sources: ChangedSources) async throws -> Extraction {
        let tree = try await builder.clangTree(of: Self.file, in: sources)
        let unit = try ClangReader.unit(dump: tree.dump, source: tree.source, file: Self.file)
        let extraction = Extraction(unit, meaning: meaning)
        extraction.followAll()
        return extraction
    }

    /// What changed between two sources: md-cluster.c as a whole, and of other files the functions that changed.
    ///
    /// - Parameter all: whether other files than md-cluster.c count; two kernels differ in all of them.
    func compare(_ was: ChangedSources, _ now: ChangedSources, all: Bool) async throws -> SourceComparison {
        var whole = SourceComparison()
        let names = all ? try changedFiles(was, now) : [Self.file]
        for name in names {
            if name == Self.file {
                whole.add(SourceComparison(was: try await extraction(was), now: try await extraction(now)), file: "")
            } else if name.hasSuffix(".c") {
                whole.add(try await functions(of: name, was, now), file: name)
            } else {
                whole.declarations.append(name)
            }
        }
        return whole
    }

    private func changedFiles(_ was: ChangedSources, _ now: ChangedSources) throws -> [String] {
        let files = FileManager.default
        let names = Set(try files.contentsOfDirectory(atPath: was.folder)).union(
            try files.contentsOfDirectory(atPath: now.folder))
        return names.filter { name in
            (name.hasSuffix(".c") || name.hasSuffix(".h"))
                && !files.contentsEqual(atPath: "\(was.folder)/\(name)", andPath: "\(now.folder)/\(name)")
        }.sorted()
    }

    /// The functions of a file that are not the same text in both.
    private func functions(
        of file: String, _ was: ChangedSources, _ now: ChangedSources
    ) async throws -> SourceComparison {
        func text(_ sources: ChangedSources) -> String {
            (try? String(contentsOfFile: "\(sources.folder)/\(file)", encoding: .utf8)) ?? ""
        }
        let (old, new) = (FunctionText.functions(in: text(was)), FunctionText.functions(in: text(now)))
        let changed = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
        func extraction(_ sources: ChangedSources) async throws -> Extraction {
            let tree = try await builder.clangTree(of: file, in: sources, functions: changed)
            let unit = try ClangReader.unit(dump: tree.dump, source: tree.source, file: file)
            let extraction = Extraction(unit, meaning: meaning)
            extraction.follow(changed)
            return extraction
        }
        return SourceComparison(was: try await extraction(was), now: try await extraction(now))
    }
}
