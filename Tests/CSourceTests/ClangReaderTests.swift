// SPDX-License-Identifier: GPL-2.0
import CSource
import Foundation
import Testing

@Suite struct ClangReaderTests {
    /// What the toolchain's clang says of a text.
    private func read(_ text: String) throws -> CUnit {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-c-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "test.c")
        try text.write(to: file, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["clang", "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let dump = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try ClangReader.unit(dump: dump, source: Data(text.utf8), file: "test.c")
    }

    @Test func statementsHaveTheirOwnLines() throws {
        let unit = try read("int f(int x)\n{\n\tif (x &&\n\t    x > 2)\n\t\treturn 1;\n\treturn 0;\n}\n")
        let function = try #require(unit.function(named: "f"))
        #expect(function.lines == 1...7)
        #expect(function.body.map(\.lines) == [3...4, 6...6])
        guard case .branch(let condition, let then, let other) = function.body[0].kind else {
            return #expect(Bool(false))
        }
        #expect("\(condition)" == "x && (x > 2)")
        #expect(then.map(\.lines) == [5...5])
        #expect(other.isEmpty)
    }

    @Test func aFieldOfAnUnnamedStructHasBothNames() throws {
        let unit = try read("struct s { struct { int n; } i; };\nint f(struct s *p) { return p->i.n; }\n")
        guard case .returns(let value?) = unit.functions[0].body[0].kind else { return #expect(Bool(false)) }
        #expect(
            value
                == .member(.variable("p", type: "struct s *"), field: "i.n", record: "s", type: "int"))
    }

    @Test func enumeratorsCountOnAndLabelsKeepTheirNames() throws {
        let unit = try read("enum e { A = 3, B };\nint f(void) { goto out; out: return B; }\n")
        #expect(unit.functions[0].body.first?.kind == .jump(label: "out"))
        #expect(unit.functions[0].body.last?.kind == .returns(.enumerator("B", value: 4)))
    }

    @Test func twoLocalsOfOneNameAreTwo() throws {
        let unit = try read("int f(int x) { int y = 1; { int y = x; x = y; } return y; }\n")
        let text = "\(unit.functions[0].body)"
        #expect(text.contains("y~2"))
    }

    @Test func aTableSaysWhichFunctionAFieldHas() throws {
        let unit = try read(
            "struct ops { int (*join)(void); };\nstatic int j(void) { return 0; }\nstruct ops o = { .join = j };\nint n = 3;\n"
        )
        #expect(unit.tables == ["ops.join": "j"])
        #expect(unit.variables == ["n": "int n = 3"])
    }

    @Test func garbageIsNoTree() {
        for text in ["", "{", "[]", "{\"kind\": \"FunctionDecl\"}", "{\"kind\": 3}", "\u{0}\u{1}"] {
            #expect(throws: CSourceError.self) {
                try ClangReader.unit(dump: Data(text.utf8), source: Data(), file: "test.c")
            }
        }
    }

    @Test func offsetsBeyondTheSourceAreNoCrash() throws {
        let dump = #"""
            {"kind": "TranslationUnitDecl", "inner": [{"kind": "FunctionDecl", "name": "f", "loc": {"offset": 900,
            "file": "test.c"}, "range": {"begin": {"offset": 900}, "end": {"offset": 5}}, "inner":
            [{"kind": "CompoundStmt", "inner": [{}, {"kind": "GotoStmt"}, {"kind": "IfStmt"}, {"kind": "NewStmt"}]}]}]}
            """#
        let unit = try ClangReader.unit(dump: Data(dump.utf8), source: Data("x".utf8), file: "test.c")
        #expect(unit.functions.first?.body.count == 3)
    }

    @Test func functionsAreFoundByTheirBraces() {
        let text =
            "static int a(int x,\n\t     int y)\n{\n\tif (x) {\n\t}\n}\n\n/* b() */\nvoid c(void)\n{\n}\nint d;\n"
        let found = FunctionText.functions(in: text)
        #expect(Set(found.keys) == ["a", "c"])
        #expect(found["a"]?.hasPrefix("static int a(int x,") == true)
        #expect(FunctionText.functions(in: "}\n{\n").isEmpty)
        #expect(FunctionText.functions(in: "").isEmpty)
    }
}
