// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule
import Testing

@testable import VirtualCluster

/// A small module as gcc makes it, with code, data and gcov's counters.
@Suite struct KernelSymbolsTests {
    private static let source = """
        __attribute__((section(".modinfo"), used)) static const char info[] =
            "name=small\\0license=GPL\\0vermagic=6.1.0-test SMP mod_unload ";
        __attribute__((section(".gnu.linkonce.this_module"), used)) static int this_module[16];
        int all_mddevs;
        __attribute__((noinline)) int lock_comm(int a) { return a + all_mddevs; }
        __attribute__((noinline)) int unlock_comm(int a) { return lock_comm(a) + 2; }
        """

    private func module() throws -> KernelModuleFile {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.source.write(to: folder.appending(path: "small.c"), atomically: true, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/gcc-12")
        compiler.currentDirectoryURL = folder
        compiler.arguments = [
            "-c", "-O2", "-fno-pic", "-fprofile-arcs", "-ftest-coverage", "small.c", "-o", "small.ko",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return try KernelModuleFile(path: folder.appending(path: "small.ko").path)
    }

    @Test func namesOfCodeAreForTracesAndThoseOfDataForMemory() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)")
        try Data("ffffffff81000000 T _text\n".utf8).write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        var symbols = try KernelSymbols(kernel: folder)
        // Data below code, as where a module's init code was: a return address would get its name.
        let sections: [String: UInt64] = [".text": 0xffff_ffff_c000_2000, ".bss": 0xffff_ffff_c000_1fff]
        symbols.add(module: "small", file: try module(), sections: sections)
        #expect(symbols.modules["all_mddevs"] != nil && symbols.modules["lock_comm"] != nil)
        #expect(symbols.text.contains(" t lock_comm\t[small]\n") && !symbols.text.contains("all_mddevs"))
    }

    @Test func theCountersMemoryIsTheBeginningOfTheirSection() throws {
        let file = try module()
        let memory = try #require(CounterMemory.of(module: "small", file: file, sections: [".bss": 0x1000]).first)
        let last = try #require(file.symbols.filter { $0.name.hasPrefix("__gcov0.") }.map { $0.offset + $0.size }.max())
        #expect(memory.address == 0x1000 && memory.length == last && memory.section == ".bss" && last > 0)
        #expect(CounterMemory.of(module: "small", file: file, sections: [:]).isEmpty)
    }
}
