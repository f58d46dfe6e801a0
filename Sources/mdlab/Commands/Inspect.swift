// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelModule

/// `mdlab inspect FILE.ko...`
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a kernel module is, whether a kernel would load it, and what of it can be traced.",
        discussion: """
            Modules given together are taken as loaded together, in the place of the kernel's own: give md-mod.ko \
            along with an md-cluster.ko that was built against it. Exits with 1 when the kernel would refuse one.
            """)

    @Argument(help: "Module files: .ko, .ko.xz or .ko.gz.")
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "The kernel to compare with: lib/modules/RELEASE, its headers, or a directory with both.", valueName: "dir")
    )
    var kernelDir: String?

    @Flag(help: "Print a JSON array with one object for each file.")
    var json = false

    func run() throws {
        let modules = try files.map { try KernelModuleFile(path: $0) }
        let kernel = try kernelDir.map { try KernelReference(directory: $0) }
        let reports = try ModuleReport.reports(of: modules, kernel: kernel)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(reports), as: UTF8.self))
        } else {
            print(reports.map(\.text).joined(separator: "\n\n"))
        }
        if reports.contains(where: { $0.kernel?.problems.isEmpty == false }) { throw ExitCode(Exit.fail) }
    }
}
