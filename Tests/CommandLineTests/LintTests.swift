// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

/// scripts/lint on a small house that breaks every rule, and on one that keeps them.
@Suite struct LintTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts/lint").path

    private func lint(_ files: [String: String]) throws -> (status: Int32, lines: [String]) {
        let root = FileManager.default.temporaryDirectory.appending(path: "lint-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [Self.script, root.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said.split(separator: "\n").map(String.init).sorted())
    }

    private static let package = """
        [{"name": "Low", "path": "Sources/Low", "knows": [], "type": "regular"},
         {"name": "High", "path": "Sources/High", "knows": ["Low"], "type": "regular"}]
        """
    private static let table = "| `Low` | things. Pure | - |\n| `High` | more | Low |\n"

    @Test func aHouseThatKeepsTheRulesIsQuiet() throws {
        let body = (1...60).map { "    print(\"{ \\(\($0)) func x() {\")\n" }.joined()
        let result = try lint([
            "package.json": Self.package, "ARCHITECTURE.md": Self.table, "Package.swift": "",
            "Sources/Low/a.swift": "func a() {\n\(body)}\n", "Sources/High/b.swift": "import Low\nstruct B {}\n",
            "README.md": "A short sentence. `code`\n\n    \(String(repeating: "word ", count: 40))\n",
        ])
        #expect(result.lines == [])
        #expect(result.status == 0)
    }

    @Test func everyRuleIsNoticed() throws {
        let body = (1...80).map { "    let x\($0) = 1\n" }.joined()
        let result = try lint([
            "package.json": Self.package.replacing("\"knows\": [\"Low\"]", with: "\"knows\": []"),
            "ARCHITECTURE.md": "| `High` | more | Low |\n| `Low` | things. Pure | - |\n| `Gone` | x | - |\n",
            "Package.swift": "",
            "Sources/Low/a.swift": "func long(a: Int) {\n\(body)}\n",
            "Sources/Low/b.swift":
                "struct High {}\nlet f = FileManager.default\n// \(String(repeating: "x", count: 130))\n",
            "Sources/High/c.swift": "import Low\n",
            "README.md": "\(String(repeating: "word ", count: 26))\nends.\n",
        ])
        #expect(result.status == 1)
        for part in [
            "ARCHITECTURE.md:1: High knows -", "ARCHITECTURE.md:3: there is no target Gone",
            "README.md:1: a sentence of 27 words",
            "Sources/High/c.swift:1: High imports Low, which Package.swift does not say",
            "Sources/Low/a.swift:1: long has 82 lines",
            "Sources/Low/b.swift:1: the type High hides the module of its name",
            "Sources/Low/b.swift:2: FileManager in Low, which is pure", "Sources/Low/b.swift:3: 133 columns",
        ] {
            #expect(result.lines.contains { $0.hasPrefix(part) }, "\(part): \(result.lines)")
        }
        #expect(result.lines.count == 8, "\(result.lines)")
    }

    @Test func aTargetThatIsNotUsedIsNamed() throws {
        let result = try lint([
            "package.json": Self.package, "ARCHITECTURE.md": "| `High` | more | Low |\n", "Package.swift": "",
            "Sources/Low/a.swift": "", "Sources/High/b.swift": "struct B {}\n",
        ])
        #expect(
            result.lines == ["ARCHITECTURE.md:1: the table lacks Low", "Package.swift:1: High does not import Low"])
    }
}
