// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule
import Testing

@testable import LineCoverage

/// A small module as gcc compiles it, its counters made up as a node's memory would have them.
@Suite struct GcovTests {
    private static let source = """
        __attribute__((section(".modinfo"), used)) static const char info[] =
            "name=small\\0license=GPL\\0vermagic=6.1.0-test SMP mod_unload ";
        __attribute__((section(".gnu.linkonce.this_module"), used)) static int this_module[16];
        int lock_token(int mode)
        {
        	if (mode > 2)
        		return 1;
        	return 2;
        }
        """

    private struct Built {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)").path
        var module: String { folder + "/small.ko" }
        var notes: String { folder }

        init() throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try GcovTests.source.write(toFile: folder + "/small.c", atomically: true, encoding: .utf8)
            let compiler = Process()
            compiler.executableURL = URL(filePath: "/usr/bin/gcc-12")
            compiler.currentDirectoryURL = URL(filePath: folder)
            compiler.arguments = [
                "-O2", "-fprofile-arcs", "-ftest-coverage", "-fno-pic", "-c", folder + "/small.c", "-o", "small.o",
            ]
            try compiler.run()
            compiler.waitUntilExit()
            try #require(compiler.terminationStatus == 0)
            try FileManager.default.moveItem(atPath: folder + "/small.o", toPath: module)
        }

        /// .bss with these numbers as the counters of the function.
        func dump(_ counts: [UInt64]) throws -> Gcov.Dump {
            let symbol = try #require(
                try KernelModuleFile(path: module).symbols.first { $0.name == "__gcov0.lock_token" })
            #expect(symbol.sourceFile == "small.c" && Int(symbol.size) == counts.count * 8)
            var bytes = [UInt8](repeating: 0, count: Int(symbol.offset))
            for count in counts { bytes += (0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } }
            return Gcov.Dump(module: "small", section: try #require(symbol.section), bytes: bytes)
        }

        func remove() { try? FileManager.default.removeItem(atPath: folder) }
    }

    @Test func countersOfMemoryBecomeLines() async throws {
        let built = try Built()
        defer { built.remove() }
        let gcov = Gcov(notes: built.notes, modules: ["small": built.module])
        let counts = try await gcov.counts([built.dump([7, 4])])
        let file = try #require(counts.files["drivers/md/small.c"])
        let function = try #require(file.functions["lock_token"])
        #expect(function.line == 4 && function.end == 9)
        // The compiler decides which way has a counter of its own: the sum is what it is, and no line is lost.
        #expect(file.lines[6] == function.count && function.count > 0)
        #expect((file.branches[6] ?? []).count == 2)
        #expect((file.branches[6] ?? []).reduce(0, +) == function.count)
        // Twice the run, twice the counts.
        var twice = counts
        twice.add(counts)
        #expect(twice.files["drivers/md/small.c"]?.lines[6] == function.count * 2)
    }

    @Test func nothingIsMadeUpForAModuleThatIsNotKnown() async throws {
        let gcov = Gcov(notes: "/nowhere", modules: [:])
        #expect(try await gcov.counts([.init(module: "md-mod", section: ".bss", bytes: [1, 2])]) == LineCounts())
    }

    @Test func countersThatAreCutOffAreLeftOut() async throws {
        let built = try Built()
        defer { built.remove() }
        let whole = try built.dump([7, 4])
        let cut = Gcov.Dump(module: "small", section: whole.section, bytes: whole.bytes.dropLast(9))
        let counts = try await Gcov(notes: built.notes, modules: ["small": built.module]).counts([cut])
        #expect(counts.files.isEmpty)
    }

    @Test func damagedNotesAreNamed() throws {
        let built = try Built()
        defer { built.remove() }
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: built.folder + "/small.gcno")))
        let whole = try CompilerNotes(bytes, file: "small.gcno")
        #expect(whole.functions.map(\.name) == ["lock_token"])
        for length in 0..<bytes.count {
            // Cut anywhere it is an error, or it has fewer functions: never others.
            if let notes = try? CompilerNotes(Array(bytes[..<length]), file: "x") {
                #expect(notes.functions.isEmpty || notes.functions == whole.functions)
            }
        }
        #expect(throws: LineCoverageError.damaged(file: "x", what: "it does not begin as a .gcno file does")) {
            try CompilerNotes([UInt8]("no notes at all, but text".utf8), file: "x")
        }
        var old = bytes
        old.replaceSubrange(4..<8, with: "*03A".utf8)
        #expect(throws: LineCoverageError.compiler(file: "x", version: "A30*")) { try CompilerNotes(old, file: "x") }
    }

    @Test func aReportThatIsNoReportIsNamed() {
        #expect(throws: LineCoverageError.self) { try GcovReport(json: Data("{\"files\": 3}".utf8)) }
    }
}
