// SPDX-License-Identifier: GPL-2.0
import Foundation
@testable import MDClusterModel
import ModelChecker
import ProcedureModel
import Testing

/// The table of docs/model.md: what breaks each of the invariants.
@Suite struct RuleTableTests {
    struct Line {
        var rule: String
        var workload: String
        /// The name of a fault, or words if it is none.
        var fault: String
    }

    static let lines: [Line] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../docs/model.md")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, cells[0].hasPrefix("I"), cells[1].hasPrefix("`") else { return nil }
            return Line(
                rule: cells[0], workload: cells[1].trimmingCharacters(in: ["`"]),
                fault: cells[2].trimmingCharacters(in: ["`"]))
        }
    }()

    @Test func thereIsALineForEachInvariant() {
        #expect(Self.lines.map(\.rule) == (1...12).map { "I\($0)" })
    }

    @Test(arguments: 0..<12) func theFaultBreaksTheRule(number: Int) throws {
        let line = try #require(Self.lines.count == 12 ? Self.lines[number] : nil)
        let workload = try Workload(line.workload, nodes: 2)
        var program = try MDCluster.program(variant: "v5.11", nodes: 2, workload: workload)
        if line.rule == "I1" {
            program.held += [0, 1].map { .init(lock: Name.token, node: $0, mode: .ex) }
        } else {
            program = try #require(program.mutants().first { $0.name == line.fault }).program
        }
        switch Search(try Machine(program)).run().verdict {
        case .fails(.deadlock): #expect(line.rule == "I9")
        case .fails(.invariant(let rule)): #expect(rule.hasPrefix("\(line.rule):"))
        case let other: Issue.record("\(line.fault): \(other)")
        }
    }
}
