// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// A run drawn as swim lanes: a column for each thread that takes part, time downwards, and at the end who waits for
/// whom.
public struct SwimLanes {
    private let machine: Machine
    private let run: Counterexample
    private let column = 250
    private let row = 20
    private let top = 70

    public init(_ machine: Machine, _ run: Counterexample) {
        self.machine = machine
        self.run = run
    }

    /// A complete SVG document.
    public var svg: String {
        let edges = machine.waits(atEndOf: run)
        let actors = Set(run.steps.map(machine.actor(ofStep:)) + edges.flatMap { [$0.waiter, $0.holder] }).sorted()
        let lane = Dictionary(uniqueKeysWithValues: actors.enumerated().map { ($0.element, $0.offset) })
        func x(_ thread: Int) -> Int { (lane[thread] ?? 0) * column + column / 2 + 40 }
        let bottom = top + run.steps.count * row + 30
        let height = bottom + 30 + edges.count * 18 + 20
        let width = max(1, actors.count) * column + 80
        var out = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" font-family=\"monospace\" font-size=\"11\">",
            "<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#c00\"/></marker></defs>",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        for thread in actors {
            let color = Self.colors[machine.threads[thread].node % Self.colors.count]
            out.append(
                "<rect x=\"\(x(thread) - 115)\" y=\"20\" width=\"230\" height=\"26\" fill=\"\(color)\" rx=\"4\"/>")
            out.append(text(machine.name(ofThread: thread), x: x(thread), y: 37, anchor: "middle", weight: "bold"))
            out.append("<line x1=\"\(x(thread))\" y1=\"46\" x2=\"\(x(thread))\" y2=\"\(bottom)\" stroke=\"#bbb\"/>")
        }
        var before: (x: Int, y: Int)?
        for (number, step) in run.steps.enumerated() {
            let thread = machine.actor(ofStep: step)
            let (x, y) = (x(thread), top + number * row)
            if let before, before.x != x {
                out.append(
                    "<line x1=\"\(before.x)\" y1=\"\(before.y)\" x2=\"\(x)\" y2=\"\(y)\" stroke=\"#88a\" stroke-dasharray=\"3,3\"/>"
                )
            }
            before = (x, y)
            let place = machine.place(ofStep: step)
            let label = place.text.count > 38 ? place.text.prefix(37) + "…" : place.text[...]
            out.append("<g><title>\(escape(([place.text] + place.stack).joined(separator: " ← ")))</title>")
            out.append(
                "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"3\"/>\(text(String(label), x: x + 7, y: y + 4, anchor: "start", weight: "normal"))</g>"
            )
        }
        for edge in edges {
            let (from, to) = (x(edge.waiter), x(edge.holder))
            out.append(
                "<path d=\"M\(from),\(bottom) Q\((from + to) / 2),\(bottom + 24) \(to),\(bottom)\" fill=\"none\" stroke=\"#c00\" marker-end=\"url(#tip)\"/>"
            )
        }
        for (number, edge) in edges.enumerated() {
            out.append(
                text(machine.sentence(edge), x: 40, y: bottom + 42 + number * 18, anchor: "start", weight: "normal"))
        }
        return (out + ["</svg>", ""]).joined(separator: "\n")
    }

    private static let colors = ["#cfe2ff", "#ffe5cc", "#d9f2d9", "#f2d9f2"]

    private func text(_ text: String, x: Int, y: Int, anchor: String, weight: String) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\" font-weight=\"\(weight)\">\(escape(text))</text>"
    }

    private func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
