// SPDX-License-Identifier: GPL-2.0

/// Checks a text against the rules of KTAP version 1, as strictly as a consumer could.
enum KTAPValidator {
    private static let directives: Set<String> = ["SKIP", "XFAIL", "TODO", "TIMEOUT", "ERROR"]

    static func mistakes(in text: String) -> [String] {
        var validator = Validator(lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        validator.block(indent: 0)
        return validator.mistakes
    }

    private struct Validator {
        let lines: [String]
        var position = 0
        var mistakes: [String] = []

        mutating func complain(_ text: String) { mistakes.append("line \(position + 1): \(text)") }

        private func depth(_ line: String) -> Int { line.prefix { $0 == " " }.count }

        /// A version line, a plan, results; answers whether all results were ok.
        @discardableResult
        mutating func block(indent: Int) -> Bool {
            let margin = String(repeating: " ", count: indent)
            guard position < lines.count, lines[position] == margin + "KTAP version 1" else {
                complain("no version line")
                return false
            }
            position += 1
            guard position < lines.count, lines[position].hasPrefix(margin + "1.."),
                let plan = Int(lines[position].dropFirst(indent + 3))
            else {
                complain("no plan")
                return false
            }
            position += 1
            var results = 0
            var allOK = true
            var subtestsOK = true
            while position < lines.count {
                let line = lines[position]
                if line.isEmpty && position == lines.count - 1 { break }
                if depth(line) < indent { break }
                if depth(line) == indent + 2, line.dropFirst(indent + 2).hasPrefix("KTAP") {
                    subtestsOK = block(indent: indent + 2)
                    continue
                }
                let body = String(line.dropFirst(indent))
                if body.hasPrefix("#") {
                    position += 1
                    continue
                }
                results += 1
                let ok = body.hasPrefix("ok ")
                if !ok && !body.hasPrefix("not ok ") { complain("not a result: \(body)") }
                let rest = body.dropFirst(ok ? 3 : 7)
                if Int(rest.prefix { $0.isNumber }) != results {
                    complain("number \(rest.prefix(4)) is not \(results)")
                }
                if let hash = rest.firstIndex(of: "#") {
                    let word = rest[hash...].dropFirst(2).prefix { $0.isLetter }
                    if !KTAPValidator.directives.contains(String(word)) { complain("unknown directive \(word)") }
                }
                if ok && !subtestsOK { complain("ok, but a subtest is not") }
                allOK = allOK && ok
                subtestsOK = true
                position += 1
            }
            if results != plan { complain("\(results) results, \(plan) planned") }
            return allOK
        }
    }
}
