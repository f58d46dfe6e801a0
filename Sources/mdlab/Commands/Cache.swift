// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import Reporting

struct Cache: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the cache holds, and remove what was not used for some time.",
        subcommands: [Show.self, Prune.self], defaultSubcommand: Show.self)

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what the cache holds and how large it is.")

        func run() throws {
            let cache = CacheFolder.standard()
            print(cache.path)
            print(CacheText.table(CacheUse.of(cache)), terminator: "")
        }
    }

    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove what was not used for some days. All of it can be made or downloaded again.",
            discussion:
                "A KIND is a line of mdlab cache: kernels, modules, clusters and so on. Without one all are meant.")

        @Argument(help: "Kinds.") var kinds: [String] = []
        @Option(help: "What was used within so many days stays.") var days = 14

        func validate() throws {
            guard (0...3650).contains(days) else { throw ValidationError("--days \(days): give 0 to 3650.") }
            let known = CacheUse.kinds(of: .standard())
            if let wrong = kinds.first(where: { !known.contains($0) }) {
                throw ValidationError("the cache has no \(wrong); it has \(known.joined(separator: ", ")).")
            }
        }

        func run() throws {
            let removed = CacheUse.prune(.standard(), kinds: kinds, olderThan: Double(days) * 86400)
            let some = removed.kinds.filter { $0.entries > 0 }
            guard !some.isEmpty else { return print("nothing is older than \(days) days") }
            print("removed:")
            print(CacheText.table(CacheUse(kinds: some)), terminator: "")
        }
    }
}

/// `mdlab cache` on a terminal.
enum CacheText {
    private static let purposes = [
        "kernels": "kernels with their headers and md's source", "modules": "md's modules that were built",
        "trees": "what kbuild works in", "clusters": "saved clusters, which runs start from",
        "images": "the initramfs of nodes", "debs": "packages of the nodes", "sysroots": "the same, unpacked",
        "suites": "package lists of other suites of Debian", "apt": "answers of apt",
        "baselines": "runs of unpatched kernels", "kallsyms": "addresses of kernels' symbols",
    ]

    static func table(_ use: CacheUse) -> String {
        let rows =
            use.kinds.map { kind in
                [kind.name, SizeText.text(kind.bytes), "\(kind.entries)", purposes[kind.name] ?? ""]
            } + [["all", SizeText.text(use.bytes), "", ""]]
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let name = row[0].padding(toLength: widths[0], withPad: " ", startingAt: 0)
            let numbers = (1...2).map { String(repeating: " ", count: widths[$0] - row[$0].count) + row[$0] }
            return "  \(name)  \(numbers.joined(separator: "  "))  \(row[3])".trimmingTrailingSpace + "\n"
        }.joined()
    }
}

extension String {
    fileprivate var trimmingTrailingSpace: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
