// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild
import ModelExtraction

struct ModelDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "What a patch changes of what other threads and nodes can notice of md-cluster.",
        discussion: """
            Both versions of the source are taken apart into what each entry point does; a rename, a helper, another \
            type or another kind of loop changes nothing. Exit code: 0 the same, 1 something changes, 125 not decided.

              mdlab model diff fix.patch
              mdlab model diff --variant async
              mdlab model diff --kernel 6.1 --kernel 6.12
            """)

    @ArgumentParser.Argument(help: "Patches, applied in this order.")
    var patches: [String] = []
    @Option(help: "A deliberately changed md-cluster of kernel-tests/variants.")
    var variant: String?
    @Option(help: "Kernel of Debian; two of them are compared with one another.")
    var kernel: [String] = []
    @Option(help: ArgumentHelp("A kernel tree that you have built, instead of --kernel.", valueName: "tree"))
    var linux: String?
    @Flag(help: "Print every changed statement and what became of it.")
    var statements = false

    func validate() throws {
        let isPair = kernel.count == 2
        if kernel.count > 2 { throw ValidationError("--kernel: give one, or two to compare with one another.") }
        if linux != nil, !kernel.isEmpty {
            throw ValidationError("--kernel and --linux exclude each other: give one of them.")
        }
        if isPair == (variant != nil || !patches.isEmpty) {
            throw ValidationError("give a patch, --variant, or --kernel twice: there is nothing else to compare.")
        }
    }

    func run() async throws {
        let builder = try KernelBuilder(cache: .standard(), progress: ProgressLine().handler)
        let model = try SourceModel(builder)
        let choices: [KernelChoice] =
            linux.map { [.tree(URL(filePath: $0).standardizedFileURL.path)] }
            ?? (kernel.isEmpty ? [builder.catalog.default] : kernel).map { .packaged($0) }
        let was = try await builder.sources(BuildRequest(kernel: choices[0]))
        let now = try await builder.sources(
            BuildRequest(kernel: choices[choices.count - 1], patches: patches, variant: variant))
        let difference = try await model.compare(was, now, all: choices.count == 1)
        print(SourceWording.report(difference, statements: statements))
        switch difference.verdict {
        case .same: return
        case .changes: throw ExitCode(Exit.fail)
        case .notDecided: throw ExitCode(Exit.untestable)
        }
    }
}
