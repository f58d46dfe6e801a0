// SPDX-License-Identifier: GPL-2.0

/// A line of a tool that reads source and runs nothing.
public struct StaticFinding: Codable, Sendable, Hashable {
    public enum Tool: String, Codable, Sendable, CaseIterable {
        case checkpatch
        /// gcc with W=1.
        case compiler = "W=1"
        case sparse
        /// The rules of kernel-tests/static.
        case coccinelle
    }

    public var tool: Tool
    /// "md-cluster.c"; for checkpatch the patch's name.
    public var file: String
    /// In the patched file; for checkpatch in the patch.
    public var line: Int
    public var text: String

    public init(_ tool: Tool, file: String, line: Int, text: String) {
        (self.tool, self.file, self.line, self.text) = (tool, file, line, text)
    }

    /// What is in `patched` and not in `baseline`, wherever the lines have moved to: a text that comes twice where it
    /// came once is new once.
    public static func new(_ patched: [StaticFinding], baseline: [StaticFinding]) -> [StaticFinding] {
        struct Kind: Hashable {
            var tool: Tool
            var file: String
            var text: String
        }
        var known: [Kind: Int] = [:]
        for finding in baseline {
            known[Kind(tool: finding.tool, file: finding.file, text: finding.text), default: 0] += 1
        }
        return patched.filter { finding in
            let kind = Kind(tool: finding.tool, file: finding.file, text: finding.text)
            guard let count = known[kind], count > 0 else { return true }
            known[kind] = count - 1
            return false
        }
    }

    /// Lines as gcc, sparse and `checkpatch.pl --terse` print them: `FOLDER/md.c:12:3: warning: text`.
    ///
    /// - Parameter tool: whose output it is; where both compiled, a text that names its `[-Woption]` is gcc's.
    static func read(_ output: String, tool: Tool) -> [StaticFinding] {
        output.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, let number = Int(parts[1]), number > 0 else { return nil }
            var text = parts[2].drop { $0 == " " }
            // gcc and sparse say the column too.
            if let colon = text.firstIndex(of: ":"), Int(text[..<colon]) != nil {
                text = text[text.index(after: colon)...].drop { $0 == " " }
            }
            let isMessage = ["warning:", "error:", "WARNING:", "ERROR:", "CHECK:"].contains { text.hasPrefix($0) }
            guard isMessage else { return nil }
            let file = parts[0].split(separator: "/").last.map(String.init) ?? String(parts[0])
            let isCompilers = text.hasSuffix("]") && text.contains("[-W")
            let said = tool == .sparse && isCompilers ? .compiler : tool
            return StaticFinding(said, file: file, line: number, text: String(text))
        }
    }

    /// The lines that a semantic patch in context mode marks: spatch prints them as a difference, with `-` before each.
    static func read(difference: String, file: String, rule: String) -> [StaticFinding] {
        var findings: [StaticFinding] = []
        var (line, function) = (0, "")
        for text in difference.split(separator: "\n", omittingEmptySubsequences: false) {
            if text.hasPrefix("@@ -") {
                line = Int(text.dropFirst(4).prefix { $0.isNumber }) ?? 0
                // "@@ -715,7 +715,6 @@ static int lock_comm(struct md_cluster_i"
                let head = text.dropFirst(4).split(separator: "(", omittingEmptySubsequences: false)[0]
                function = head.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.last.map { "\($0): " } ?? ""
            } else if text.hasPrefix("---") || text.hasPrefix("+++") || text.hasPrefix("diff ") || line == 0 {
                continue
            } else if text.hasPrefix("-") {
                let code = text.dropFirst().filter { !$0.isNewline }.split(whereSeparator: \.isWhitespace)
                findings.append(
                    StaticFinding(
                        .coccinelle, file: file, line: line, text: "\(rule): \(function)\(code.joined(separator: " "))")
                )
                line += 1
            } else if !text.hasPrefix("+") {
                line += 1
            }
        }
        return findings
    }
}
