// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelModule

@Suite struct CodeDigestTests {
    private func digest(_ body: String, in folder: TemporaryFolder) throws -> CodeDigest {
        try CodeDigest(path: folder.compile(body, flags: ["-g", "-O2", "-fno-pic"]))
    }

    private static let code = "extern int dlm_lock(int); int f(int a) { return dlm_lock(a) + 1; }\n"

    @Test func commentsNamesAndPlacesAreNoDifference() throws {
        let folder = try TemporaryFolder()
        let first = try digest(Self.code, in: folder)
        let moved =
            "/* a comment */\n\n\n" + Self.code.replacing("int a)", with: "int mode)").replacing("(a)", with: "(mode)")
        #expect(try digest(moved, in: folder).differences(from: first).isEmpty)
    }

    @Test(arguments: [
        (code.replacing("+ 1", with: "+ 2"), ".text"), (code.replacing("dlm_lock", with: "dlm_unlock"), ".text"),
        (code + "int table[2] = { 1, 2 };\n", ".data"), (code + "const char *word = \"token\";\n", ".data"),
    ])
    func otherCodeOrDataIs(source: String, section: String) throws {
        let folder = try TemporaryFolder()
        let first = try digest(Self.code, in: folder)
        #expect(try digest(source, in: folder).differences(from: first).contains { $0.hasPrefix(section) })
    }

    @Test func aFileThatIsNoModuleIsRefused() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ModuleError.self) { try CodeDigest(path: folder.write("x.ko", "no ELF")) }
    }
}
