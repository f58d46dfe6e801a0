// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

@testable import mdlab

@Suite struct CounterexampleTextTests {
    /// A deadlock of several threads, the table of which is wider than a terminal.
    private static let example: (machine: Machine, run: Counterexample)? = {
        guard
            let program = try? MDCluster.program(
                variant: "naive-sync", nodes: 2, workload: Workload("fail", nodes: 2)),
            let machine = try? Machine(program), let run = Search(machine).run().counterexample
        else { return nil }
        return (machine, run)
    }()

    @Test(arguments: [20, 40, 60, 80, 120, 200])
    func noLineIsWiderThanTheTerminal(columns: Int) throws {
        let (machine, run) = try #require(Self.example)
        let lines = CounterexampleText(machine, run, isWide: false, columns: columns).lines
        for line in lines { #expect(line.count <= columns, "\(line)") }
        let words = lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
        if columns >= 80 { #expect(words.contains("dlm_lock(ack, EX)") && words.contains("in a circle")) }
    }

    @Test func stepsOfOneThreadAreOneEntry() throws {
        let (machine, run) = try #require(Self.example)
        let entries = machine.folded(run)
        #expect(entries.count == run.actorSwitches + 1)
        #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.thread != $1.thread })
        // No step is left out of the count.
        #expect(entries.first?.numbers.lowerBound == 1 && entries.last?.numbers.upperBound == run.steps.count)
        for (entry, next) in zip(entries, entries.dropFirst()) {
            #expect(entry.numbers.upperBound + 1 == next.numbers.lowerBound)
        }
        for entry in entries {
            #expect(!entry.texts.isEmpty && entry.texts.count + entry.hidden == entry.numbers.count)
        }
    }

    @Test func wideHasEveryStep() throws {
        let (machine, run) = try #require(Self.example)
        let lines = CounterexampleText(machine, run, isWide: true, columns: 80).lines
        #expect(lines.count > run.steps.count + 2 && lines.contains { $0.count > 80 })
    }

    @Test func longWordsAreCutAndBlanksKept() {
        #expect(
            CounterexampleText.folded("  a " + String(repeating: "x", count: 30), columns: 12, indent: 2).allSatisfy {
                $0.count <= 12
            })
        #expect(CounterexampleText.folded("", columns: 10, indent: 2) == [""])
        #expect(CounterexampleText.folded("  one two", columns: 40, indent: 4) == ["  one two"])
    }
}
