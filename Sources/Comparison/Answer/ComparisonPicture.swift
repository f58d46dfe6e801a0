// SPDX-License-Identifier: GPL-2.0

/// The last events before the record leaves the model (or ends), a lane for each node, as SVG: what fits in grey, what
/// does not in red.
public enum ComparisonPicture {
    static let shown = 14

    public static func svg(_ comparison: ModelComparison) -> String {
        let lane = 420
        let row = 22
        let nodes = comparison.words.nodes
        let height = (shown + 8) * row
        var text =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(nodes.count * lane + 20)\" height=\"\(height)\" "
            + "font-family=\"monospace\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        func put(_ line: String, _ x: Int, _ y: Int, _ color: String) {
            text += "<text x=\"\(x)\" y=\"\(y)\" fill=\"\(color)\">\(escaped(line))</text>\n"
        }
        var mismatch: Mismatch?
        if case .doesNotConform(let found) = comparison.answer { mismatch = found }
        for (number, node) in nodes.enumerated() {
            let x = 10 + number * lane
            let matched = mismatch?.nodes[number].matched ?? node.events.count
            put("\(node.id): \(matched) of \(node.events.count) events conform", x, row, "black")
            text += "<line x1=\"\(x)\" y1=\"30\" x2=\"\(x + lane - 20)\" y2=\"30\" stroke=\"black\"/>\n"
            var y = 30 + row
            for place in max(0, matched - shown)..<matched {
                put("\(comparison.words.labels[Int(node.events[place].label)])", x, y, "#666")
                y += row
            }
            guard let mismatch, let next = mismatch.nodes[number].next else { continue }
            put("\(next.comm)-\(next.pid): \(next.label)", x, y, number == mismatch.first ? "#c00" : "#b60")
            for refusal in mismatch.nodes[number].refusals.prefix(1) {
                y += row
                put(
                    "model: "
                        + (refusal.waitsFor ?? refusal.instead.prefix(2).map(\.description).joined(separator: " or ")),
                    x, y, "#06c")
                y += row
                put("in " + refusal.stack.prefix(2).joined(separator: " <- "), x, y, "#06c")
            }
        }
        return text + "</svg>\n"
    }

    private static func escaped(_ text: String) -> String {
        String(
            text.flatMap { character -> String in
                switch character {
                case "<": "&lt;"
                case ">": "&gt;"
                case "&": "&amp;"
                default: String(character)
                }
            })
    }
}
