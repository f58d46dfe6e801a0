// SPDX-License-Identifier: GPL-2.0
import Foundation
import NearNames

/// A deliberately changed md: a semantic patch of kernel-tests/variants, applied with Coccinelle.
struct Variant {
    let name: String
    let path: String
    let text: String

    /// The names of all variants, sorted.
    static func names(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".cocci") && !$0.hasPrefix(".") }
            .map { String($0.dropLast(".cocci".count)) }.sorted()
    }

    static func find(_ name: String, in files: ProjectFiles) throws -> Variant {
        let known = names(in: files.variants)
        guard known.contains(name) else {
            throw KernelBuildError.unknownVariant(name, near: NameSuggestions.of(name, among: known), known: known)
        }
        let path = "\(files.variants)/\(name).cocci"
        return Variant(name: name, path: path, text: try files.text(path))
    }

    /// The files that the variant says it changes, in its comment `// Changes: md.c md.h`. A semantic patch that
    /// matches only in part would make a kernel that is broken in another way than its name says.
    var changes: [String] {
        for line in text.split(separator: "\n") where line.hasPrefix("// Changes:") {
            return line.split(separator: " ").dropFirst(2).map(String.init)
        }
        return []
    }

    /// Changes the files in `source`. Every file that the variant names must come out different.
    func apply(to source: String, kernel: String) async throws {
        guard !changes.isEmpty else {
            throw KernelBuildError.projectFile(path: path, reason: "it has no comment that says: Changes: FILE...")
        }
        for file in changes {
            let place = "\(source)/\(file)"
            guard let before = FileManager.default.contents(atPath: place) else {
                throw KernelBuildError.variantFailed(name, reason: "kernel \(kernel) has no \(file)")
            }
            let said = try await Tool.spatch.output([
                "--very-quiet", "--no-show-diff", "--in-place", "--sp-file", path, place,
            ])
            guard said.succeeded, !said.errors.contains("parse error") else {
                let reason = (said.errors + said.text).split(separator: "\n").prefix(4).joined(separator: " ")
                throw KernelBuildError.variantFailed(name, reason: reason)
            }
            if FileManager.default.contents(atPath: place) == before {
                throw KernelBuildError.variantChangesNothing(name, file: file, kernel: kernel)
            }
        }
    }
}
