// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import ModelChecker
import ProcedureModel
import Testing

@Suite struct WaitGraphTests {
    /// Two threads that take two mutexes in opposite order, and a third that is not part of it.
    private func deadlock() throws -> (Machine, Counterexample) {
        let machine = try Machine(
            program([
                [mutex_lock("a"), mutex_lock("b")], [mutex_lock("b"), mutex_lock("a")], [wait(.v("x") == 0)],
            ]))
        return (machine, try #require(Search(machine).run().counterexample))
    }

    @Test func theCircleIsNamed() throws {
        let (machine, run) = try deadlock()
        let circle = WaitEdge.cycle(in: machine.waits(atEndOf: run))
        #expect(circle.map(\.reason) == [.mutex("b"), .mutex("a")])
        #expect(machine.situation(atEndOf: run).contains("  node1 t1 waits for b, held by node1 t2"))
    }

    @Test func aChainIsNoCircle() {
        let chain = [
            WaitEdge(waiter: 0, holder: 1, reason: .mutex("x")), WaitEdge(waiter: 1, holder: 2, reason: .mutex("y")),
        ]
        #expect(WaitEdge.cycle(in: chain).isEmpty)
        #expect(
            WaitEdge.cycle(in: chain + [WaitEdge(waiter: 2, holder: 1, reason: .mutex("z"))]).map(\.reason) == [
                .mutex("y"), .mutex("z"),
            ])
    }

    @Test func whoHoldsALockIsWhoTookIt() throws {
        let body: [Statement] = [
            .convert("lock", .ex, noQueue: false, result: nil), wait(!.converting("lock")), wait(.v("x") == 1),
        ]
        let machine = try Machine(program(nodes: 2, [body]))
        let run = try #require(Search(machine).run().counterexample)
        let edges = machine.waits(atEndOf: run)
        #expect(edges.count == 1)
        #expect(edges.first?.reason == .lock("lock", .ex, held: .ex))
        #expect(edges.first?.reason.description == "lock EX (held in EX)")
        #expect(edges.first.map { $0.holder != $0.waiter } == true)
    }

    @Test func aLostWakeUpIsSaid() throws {
        let machine = try Machine(program([[wait_event("q", .v("x") == 1)], [assign("x", 1)]]))
        let run = try #require(Search(machine).run().counterexample)
        #expect(machine.situation(atEndOf: run).contains("t1 sleeps though what it waits for is true: nobody woke it"))
    }
}

@Suite struct CounterexampleFormTests {
    private func example() throws -> (Machine, Counterexample) {
        let machine = try Machine(program(nodes: 2, [[assign("x", 1), wait(.v("y") == 1)]]))
        return (machine, try #require(Search(machine).run().counterexample))
    }

    @Test func theTableHasAColumnForEachThread() throws {
        let (machine, run) = try example()
        let lines = machine.table(of: run).split(separator: "\n")
        #expect(lines[0].contains("node1 t1") && lines[0].contains("node2 t1"))
        #expect(lines.count == run.steps.count + 2)
    }

    @Test func theDocumentSurvivesJSON() throws {
        let (machine, run) = try example()
        let document = machine.document(of: run, variant: "v", workload: "w", verdict: "deadlock")
        let data = try JSONEncoder().encode(document)
        #expect(try JSONDecoder().decode(RunDocument.self, from: data) == document)
        #expect(document.states.count == run.states.count)
        #expect(document.states[0].step == nil)
        #expect(document.states[1].step?.thread == "t1")
        #expect(document.states.last?.values["node1.x"] == "1")
        #expect(document.vars.contains("node2.lock"))
        #expect(throws: (any Error).self) {
            try JSONDecoder().decode(RunDocument.self, from: Data("{\"vars\": []}".utf8))
        }
    }

    @Test func theDrawingIsWellFormed() throws {
        let (machine, run) = try example()
        let svg = SwimLanes(machine, run).svg
        #expect(svg.hasPrefix("<svg "))
        let parser = XMLCheck()
        #expect(parser.isWellFormed(svg))
        #expect(!parser.isWellFormed(String(svg.dropLast(8))))
    }
}

/// Counts tags: every one that is opened is closed.
private struct XMLCheck {
    func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        for piece in text.split(separator: "<").map({ $0.prefix { $0 != ">" } }) {
            if piece.hasPrefix("/") {
                guard open.popLast() == piece.dropFirst() else { return false }
            } else if !piece.hasSuffix("/"), let name = piece.split(separator: " ").first {
                open.append(name)
            }
        }
        return open.isEmpty
    }
}

@Suite struct MutationTests {
    @Test func everyStepIsDroppedAndNeighboursAreSwapped() {
        let mutants = program([
            [
                assign("x", 1),
                when_(.v("y") == 0) {
                    wake_up("q"); mutex_lock("a")
                },
            ]
        ]).mutants()
        #expect(
            Set(mutants.map(\.change)) == [
                "drop: x = 1", "always: if (y == 0)", "drop: wake_up(q)", "swap: wake_up(q) with mutex_lock(a)",
                "drop: mutex_lock(a)",
            ])
    }

    @Test func aMutantThatMattersIsNoticed() throws {
        let original = program([[wait_event("q", .v("x") == 1)], [assign("x", 1), wake_up("q")]])
        #expect(try verdict(original) == .holds)
        let fates = try original.mutants().filter { $0.procedure == "body2" }.map {
            ($0.change, try verdict($0.program))
        }
        #expect(fates.count == 3)
        for (change, fate) in fates { #expect(fate == .fails(.deadlock), "\(change)") }
    }
}

@Suite struct PromelaTests {
    @Test func aSmallProgramIsWrittenOut() throws {
        let machine = try Machine(program([[assign("x", 1), mutex_lock("a"), mutex_unlock("a")]]))
        let text = PromelaExport(machine).text
        #expect(text.contains("unsigned n1_x : 3;"))
        #expect(text.contains("active proctype n1_t1()"))
        #expect(text.contains(":: d_step { (n1_t1_at == 1) -> n1_x = 1; n1_t1_at = 2 }"))
        #expect(text.contains("(n1_t1_at == 2 && n1_a == 0) -> n1_a = 1"))
        #expect(text.filter { $0 == "{" }.count == text.filter { $0 == "}" }.count)
    }
}
