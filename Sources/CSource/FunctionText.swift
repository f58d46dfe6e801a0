// SPDX-License-Identifier: GPL-2.0

/// The functions of a C file as text, found by the kernel's coding style: their braces are in the first column.
public enum FunctionText {
    /// - Returns: by name, the text from the line with the name to the closing brace.
    public static func functions(in source: String) -> [String: String] {
        var found: [String: String] = [:]
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        var begin: Int?
        for (number, line) in lines.enumerated() {
            if line.hasPrefix("{") { begin = number }
            guard line.hasPrefix("}"), let first = begin else { continue }
            begin = nil
            // The head may take several lines, up to one that ends something else.
            var head = first - 1
            while head > 0, !lines[head - 1].isEmpty, !"};/#".contains(lines[head - 1].last ?? "}"),
                !lines[head - 1].hasPrefix("#"), !lines[head - 1].hasPrefix(" *")
            {
                head -= 1
            }
            let text = lines[max(0, head)...number].joined(separator: "\n")
            if let match = text.firstMatch(of: /(\w+)\s*\(/) { found[String(match.1)] = text }
        }
        return found
    }

    /// What is not in a function.
    public static func rest(of source: String) -> String {
        var rest = source
        for text in functions(in: source).values { rest = rest.replacing(text, with: "") }
        return rest
    }
}
