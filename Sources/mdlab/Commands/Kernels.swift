// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import Reporting

struct Kernels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the kernels that --kernel takes: what there is now, what is in the cache, and sizes.",
        discussion: """
            NAME and the first two numbers of RELEASE can be given to --kernel. Kernels of other suites of Debian are found \
            through package lists of mdlab's own, which are fetched once a day; the machine's own sources are not changed.
            """)

    @Flag(help: "Only look into the cache; ask for nothing.") var offline = false

    func run() async throws {
        let terminal = ProgressLine()
        let list = try await KernelList.gather(cache: .standard(), offline: offline, progress: terminal.handler)
        terminal.clear()
        print(KernelListText.text(list), terminator: "")
    }
}

/// `mdlab kernels` on a terminal.
enum KernelListText {
    static func text(_ list: KernelList) -> String {
        var rows = [["NAME", "RELEASE", "FROM", "STATE"]]
        for kernel in list.kernels {
            let name = kernel.name + (kernel.isDefault ? " (default)" : "")
            rows.append([name, kernel.release ?? "-", kernel.suite ?? "the machine's apt", state(kernel)])
        }
        for cached in list.others {
            rows.append([cached.name ?? "-", cached.release, "the cache", "older, \(SizeText.text(cached.bytes))"])
        }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let padded = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            return (padded + [row[3]]).joined(separator: "  ") + "\n"
        }.joined()
    }

    private static func state(_ kernel: KernelList.Kernel) -> String {
        switch kernel.state {
        case .cached(let bytes): "in the cache, \(SizeText.text(bytes))"
        case .available(let bytes): "to be had, downloads \(SizeText.text(bytes))"
        case .notAsked: "not in the cache"
        case .unknown(let error): error.line
        }
    }
}

/// Sizes as people say them.
enum SizeText {
    static func text(_ bytes: Int) -> String {
        switch bytes {
        case ..<1_000_000: "\((bytes + 999) / 1000) kB"
        case ..<10_000_000_000: "\((bytes + 500_000) / 1_000_000) MB"
        default: "\((bytes + 500_000_000) / 1_000_000_000) GB"
        }
    }
}
