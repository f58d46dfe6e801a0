// SPDX-License-Identifier: GPL-2.0
import Foundation

@testable import KernelModule

/// A module with what a test is about, and nothing else. Built like kbuild builds one, by `ElfWriter`.
struct MadeModule {
    struct Export {
        var name: String
        var crc: UInt32? = nil
        var gplOnly = false
        var namespace: String? = nil
    }

    var name = "made"
    var vermagic: String? = "6.1.0-1 SMP preempt mod_unload modversions "
    var license: String? = "GPL"
    var depends: [String] = []
    var extraInfo: [String] = []
    /// Symbols it needs, with the CRCs of __versions.
    var needs: [String: UInt32] = [:]
    var needsWeakly: [String] = []
    /// Whether it has __versions.
    var versions = true
    var exports: [Export] = []
    /// Traceable functions of 32 bytes each, in .text; `add` puts more of anything into the file.
    var functions: [String] = []
    var add: (inout ElfWriter) -> Void = { _ in }

    var bytes: [UInt8] {
        var elf = ElfWriter()
        var info = ["name=\(name)", "depends=\(depends.joined(separator: ","))"] + extraInfo
        if let vermagic { info.append("vermagic=\(vermagic)") }
        if let license { info.append("license=\(license)") }
        elf.add(.init(name: ".modinfo", contents: info.flatMap { Array($0.utf8) + [0] }))
        elf.add(.init(name: ".gnu.linkonce.this_module", contents: [UInt8](repeating: 0, count: 64)))
        addFunctions(to: &elf)
        for symbol in needs.keys.sorted() { elf.addSymbol(symbol, section: 0) }
        for symbol in needsWeakly { elf.addSymbol(symbol, section: 0, weak: true) }
        if versions {
            let table = needs.sorted { $0.key < $1.key }.flatMap { name, crc in
                KernelModuleTests.bytes(UInt64(crc)) + Array(name.utf8)
                    + [UInt8](repeating: 0, count: 56 - name.utf8.count)
            }
            elf.add(.init(name: "__versions", contents: table))
        }
        addExports(to: &elf)
        add(&elf)
        return elf.build()
    }

    private func addFunctions(to elf: inout ElfWriter) {
        if functions.isEmpty { return }
        let text = elf.add(
            .init(name: ".text", flags: 6, contents: [UInt8](repeating: 0x90, count: 32 * functions.count)))
        let section = elf.addSymbol("", section: text, type: ElfWriter.sectionSymbol)
        let locations = elf.add(
            .init(name: "__mcount_loc", contents: [UInt8](repeating: 0, count: 8 * functions.count)))
        for (index, function) in functions.enumerated() {
            elf.addSymbol(function, section: text, value: UInt64(index * 32), size: 32, type: ElfWriter.function)
        }
        // Behind endbr64, as with CONFIG_X86_KERNEL_IBT.
        elf.addRelocations(
            functions.indices.map { .init(offset: UInt64($0 * 8), symbol: section, addend: Int64($0 * 32 + 4)) },
            for: locations)
    }

    private func addExports(to elf: inout ElfWriter) {
        if exports.isEmpty { return }
        let plain = elf.add(.init(name: "__ksymtab"))
        let gpl = elf.add(.init(name: "__ksymtab_gpl"))
        let crcs = elf.add(.init(name: "__kcrctab"))
        let strings = elf.add(.init(name: "__ksymtab_strings"))
        var (crcBytes, stringBytes): ([UInt8], [UInt8]) = ([], [])
        for export in exports {
            // Names and namespaces stand in one table; depmod reads names from here.
            stringBytes += Array(export.name.utf8) + [0]
            elf.addSymbol("__kstrtabns_" + export.name, section: strings, value: UInt64(stringBytes.count))
            stringBytes += Array((export.namespace ?? "").utf8) + [0]
            elf.addSymbol("__ksymtab_" + export.name, section: export.gplOnly ? gpl : plain)
            if let crc = export.crc {
                elf.addSymbol("__crc_" + export.name, section: crcs, value: UInt64(crcBytes.count))
                crcBytes += KernelModuleTests.bytes(crc)
            }
        }
        elf.append(crcBytes, to: crcs)
        elf.append(stringBytes, to: strings)
    }

    func read() throws -> KernelModuleFile { try KernelModuleFile(bytes: bytes, path: name + ".ko") }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/mdlab-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ contents: [UInt8]) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(contents).write(to: URL(fileURLWithPath: file))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    /// Compiles a C file with gcc, which building modules needs anyway. Returns the object's path.
    func compile(_ source: String, name: String = "unit.c", flags: [String]) throws -> String {
        let file = try write(name, source)
        let object = path + "/" + name + ".o"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gcc", "-c", "-ffreestanding", "-o", object] + flags + [file]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CompilerFailed(status: process.terminationStatus) }
        return object
    }

    struct CompilerFailed: Error { var status: Int32 }
}
