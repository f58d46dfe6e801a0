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
        let fates = Dictionary(
            stock.statements.map { ("\($0.function):\($0.lines.lowerBound)", $0.fate) },
            uniquingKeysWith: { one, _ in one })
        for mutant in SourceMutants.all(of: stock.unit) {
            let word = word(of: mutant, stock: stock, fates: fates, reasons: reasons)
            if word.isReasoned { used.insert(mutant.name) }
            if word.isOpen { open += 1 }
            counts[word.text, default: 0] += 1
            if all || word.isOpen { print("\(word.text): \(mutant.name) (line \(mutant.line))") }
        }
        print(counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        let stale = Set(reasons.keys).subtracting(used).sorted()
        for name in stale { print("a reason for what is noticed, or not made: \(name)") }
        if open > 0 || !stale.isEmpty { throw ExitCode(Exit.fail) }
    }

    private struct Word {
        var text: String
        /// Nothing says why it is not noticed.
        var isOpen = false
        /// A reason of the file says it.
        var isReasoned = false
    }

    private func word(
        of mutant: SourceMutants.Mutant, stock: Extraction, fates: [String: Fate], reasons: [String: String]
    ) -> Word {
        let lines = [mutant.line] + (mutant.otherLine.map { [$0] } ?? [])
        let touched = lines.compactMap { fates["\(mutant.function):\($0)"] }
        // Of a patch the changed lines say so.
        if touched.contains(where: \.isUnknown) { return Word(text: "not decided") }
        let changed = stock.changed(mutant.unit, function: mutant.function)
        switch SourceComparison(was: stock, now: changed).verdict {
        case .changes: return Word(text: "changes")
        case .notDecided: return Word(text: "not decided")
        case .same:
            for case .harmless(let reason) in touched { return Word(text: "the same: left out (\(reason))") }
            if let reason = reasons[mutant.name] { return Word(text: "the same: \(reason)", isReasoned: true) }
            return Word(text: "the same, without a reason", isOpen: true)
        }
    }
}
