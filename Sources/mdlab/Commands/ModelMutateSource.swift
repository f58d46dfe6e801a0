// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import CSource
import Foundation
import KernelBuild
import ModelExtraction

struct ModelMutateSourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutate-source",
        abstract: "Make every small mistake in md-cluster.c, one at a time, and list those that diff calls the same.",
        discussion: """
            A mistake that diff calls the same must be in kernel-tests/model/unnoticed with a reason. \
            Exit code: 0 if each is, 1 if one is not, or a reason is for a mistake that is noticed.
            """)

    @Option(help: "Kernel of Debian by a name or version of mdlab kernels.")
    var kernel: String?
    @Flag(help: "List the mistakes that were noticed, too.")
    var all = false

    func run() async throws {
        let builder = try KernelBuilder(cache: .standard(), progress: ProgressLine().handler)
        let model = try SourceModel(builder)
        let request = BuildRequest(kernel: .packaged(kernel ?? builder.catalog.default))
        let stock = try await model.extraction(try await builder.sources(request))
        let reasons = try SourceModel.reasons(builder.files)
        var counts: [String: Int] = [:]
        var used: Set<String> = []
        var open = 0
        let unreached = Set(stock.statements.filter(\.fate.isUnknown).map { "\($0.function):\($0.lines.lowerBound)" })
        for mutant in SourceMutants.all(of: stock.unit) {
            // Of a patch the changed lines say so.
            guard !unreached.contains("\(mutant.function):\(mutant.line)") else {
                counts["not decided", default: 0] += 1
                continue
            }
            let changed = stock.changed(mutant.unit, function: mutant.function)
            let word: String
            switch SourceComparison(was: stock, now: changed).verdict {
            case .changes: word = "changes"
            case .notDecided: word = "not decided"
            case .same:
                used.insert(mutant.name)
                word = reasons[mutant.name].map { "the same (\($0))" } ?? "the same, without a reason"
                if reasons[mutant.name] == nil { open += 1 }
            }
            counts[word, default: 0] += 1
            if all || word == "the same, without a reason" { print("\(word): \(mutant.name) (line \(mutant.line))") }
        }
        print(counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        let stale = Set(reasons.keys).subtracting(used).sorted()
        for name in stale { print("a reason for what is noticed, or not made: \(name)") }
        if open > 0 || !stale.isEmpty { throw ExitCode(Exit.fail) }
    }
}
