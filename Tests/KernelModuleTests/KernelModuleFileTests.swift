// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelModule

@Suite struct KernelModuleFileTests {
    @Test func readsModinfo() throws {
        let made = MadeModule(
            name: "md_cluster", depends: ["md-mod", "dlm"], extraInfo: ["author=A", "author=B=C", "broken", ""])
        let module = try made.read()
        #expect(module.name == "md_cluster")
        #expect(module.vermagic == "6.1.0-1 SMP preempt mod_unload modversions")
        #expect(module.depends == ["md-mod", "dlm"])
        #expect(module.modinfo["author"] == ["A", "B=C"])
        #expect(module.modinfo["license"] == ["GPL"])
        #expect(module.modinfo["broken"] == nil)
        #expect(!module.isSigned && !module.hasDebugInfo && module.buildID == nil)
    }

    @Test func takesTheNameFromThePathWithoutOne() throws {
        var elf = ElfWriter()
        elf.add(.init(name: ".modinfo", contents: Array("license=GPL\0".utf8)))
        elf.add(.init(name: ".gnu.linkonce.this_module"))
        let module = try KernelModuleFile(bytes: elf.build(), path: "/x/old-style.ko")
        #expect(module.name == "old_style")
        #expect(module.depends == [] && module.vermagic == "" && !module.hasVersions)
    }

    @Test func readsTheBuildID() throws {
        var made = MadeModule()
        made.add = { elf in
            let note: [UInt8] =
                bytes(UInt32(4)) + bytes(UInt32(3)) + bytes(UInt32(3)) + Array("GNU\0".utf8) + [0x0a, 0xff, 0x10, 0]
            elf.add(.init(name: ".note.gnu.build-id", type: 7, contents: note))
        }
        #expect(try made.read().buildID == "0aff10")
        // A size that lies gives none.
        made.add = { elf in
            let note: [UInt8] = bytes(UInt32(4)) + bytes(UInt32(300)) + bytes(UInt32(3)) + Array("GNU\0".utf8) + [1, 2]
            elf.add(.init(name: ".note.gnu.build-id", type: 7, contents: note))
        }
        #expect(try made.read().buildID == nil)
    }

    @Test func seesAnAppendedSignature() throws {
        let signed = MadeModule().bytes + [1, 2, 3] + Array("~Module signature appended~\n".utf8)
        #expect(try KernelModuleFile(bytes: signed, path: "x.ko").isSigned)
    }

    @Test func readsWhatItNeedsWithItsCRCs() throws {
        let module = try MadeModule(needs: ["dlm_lock": 0x1234_5678, "module_layout": 7], needsWeakly: ["maybe"]).read()
        #expect(
            module.undefinedSymbols == [
                UndefinedSymbol(name: "dlm_lock", isWeak: false, crc: 0x1234_5678),
                UndefinedSymbol(name: "maybe", isWeak: true, crc: nil),
                UndefinedSymbol(name: "module_layout", isWeak: false, crc: 7),
            ])
        #expect(module.layoutCRC == 7)
        let without = try MadeModule(needs: ["dlm_lock": 1], versions: false).read()
        #expect(without.undefinedSymbols.map(\.crc) == [nil] && !without.hasVersions)
    }

    @Test func readsExports() throws {
        let module = try MadeModule(exports: [
            .init(name: "b", crc: 0xffff_fffe, gplOnly: true), .init(name: "a", crc: 1, namespace: "MD"),
            .init(name: "c"),
        ]).read()
        #expect(
            module.exportedSymbols == [
                ExportedSymbol(name: "a", gplOnly: false, crc: 1, namespace: "MD"),
                ExportedSymbol(name: "b", gplOnly: true, crc: 0xffff_fffe),
                ExportedSymbol(name: "c", gplOnly: false, crc: nil),
            ])
    }

    @Test func readsAbsoluteCRCsOfOlderKernels() throws {
        var made = MadeModule(exports: [.init(name: "a")])
        made.add = { $0.addSymbol("__crc_a", section: ElfWriter.absolute, value: 0xd0a2_cf96) }
        #expect(try made.read().exportedSymbols.first?.crc == 0xd0a2_cf96)
    }

    @Test func listsWhatFtraceCanHook() throws {
        var made = MadeModule(functions: ["recv_daemon", "ack_bast"])
        made.add = { elf in
            // Not in __mcount_loc.
            elf.addSymbol("notrace_one", section: 3, value: 64, size: 8, type: ElfWriter.function)
            // An alias, as module_init makes one.
            elf.addSymbol("init_module", section: 3, value: 32, size: 32, type: ElfWriter.function)
        }
        #expect(try made.read().traceableFunctions == ["ack_bast", "init_module", "recv_daemon"])
    }

    @Test func countsFentryCallsWithoutATable() throws {
        var made = MadeModule()
        made.add = { elf in
            let text = elf.add(.init(name: ".text", flags: 6, contents: [UInt8](repeating: 0x90, count: 64)))
            elf.addSymbol("traced", section: text, value: 0, size: 32, type: ElfWriter.function)
            elf.addSymbol("plain", section: text, value: 32, size: 32, type: ElfWriter.function)
            let fentry = elf.addSymbol("__fentry__", section: 0)
            elf.addRelocations([.init(offset: 1, type: 4, symbol: fentry, addend: -4)], for: text)
        }
        #expect(try made.read().traceableFunctions == ["traced"])
    }

    @Test func placesSymbolsOfALoadedModule() throws {
        var made = MadeModule(functions: ["f", "g"])
        made.add = { elf in
            let bss = elf.add(.init(name: ".bss", type: 8, flags: 3, size: 16))
            elf.addSymbol("counter", section: bss, value: 8, size: 8, type: ElfWriter.object)
            let initText = elf.add(.init(name: ".init.text", flags: 6, contents: [0xc3]))
            elf.addSymbol("starter", section: initText, size: 1, type: ElfWriter.function)
            elf.addSymbol("fixed", section: ElfWriter.absolute, value: 99)
        }
        let module = try made.read()
        let places = module.symbolAddresses(sections: [".text": 0x1000, ".bss": 0x400, ".init.text": 0x9000])
        #expect(places.map(\.name) == ["counter", "f", "g"])
        #expect(places.map(\.address) == [0x408, 0x1000, 0x1020])
        #expect(module.symbols.first { $0.name == "fixed" }?.section == nil)
        // Addresses of the top of memory must not overflow.
        #expect(module.symbolAddresses(sections: [".text": .max]).count == 2)
    }

    @Test func readsWhatGccMakes() throws {
        let folder = try TemporaryFolder()
        let source = """
            __attribute__((section(".modinfo"), used)) static const char info[] = "license=GPL";
            __attribute__((section(".gnu.linkonce.this_module"), used)) static int this_module[16];
            extern int elsewhere(int);
            int traced(int x) { return elsewhere(x) + 1; }
            __attribute__((no_instrument_function)) int hidden(int x) { return x; }
            """
        for flags in [["-pg", "-mfentry", "-mrecord-mcount"], ["-pg", "-mfentry"]] {
            let object = try folder.compile(source, flags: flags + ["-O1", "-fno-pic", "-fcf-protection=none"])
            let module = try KernelModuleFile(path: object)
            #expect(module.traceableFunctions == ["traced"], "\(flags)")
            #expect(module.undefinedSymbols.map(\.name) == ["__fentry__", "elsewhere"])
            #expect(module.symbols.first { $0.name == "hidden" }?.isFunction == true)
        }
    }
}
