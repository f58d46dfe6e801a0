// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelModule

@Suite struct ModuleSymversTests {
    private func parse(_ text: String) throws -> ModuleSymvers {
        try ModuleSymvers(text: Array(text.utf8), path: "Module.symvers")
    }

    @Test func readsTheFourAndFiveColumns() throws {
        let symvers = try parse(
            "0x4c9d28b0\tphys_base\tvmlinux\tEXPORT_SYMBOL\t\n"
                + "0xd0a2cf96\tmd_reload_sb\tdrivers/md/md-mod\tEXPORT_SYMBOL_GPL\tMD\n"
                + "0x00000000\tasm_one\tvmlinux\tEXPORT_SYMBOL")
        #expect(symvers.exports.count == 3)
        #expect(
            symvers.exports["md_reload_sb"]
                == .init(
                    symbol: ExportedSymbol(name: "md_reload_sb", gplOnly: true, crc: 0xd0a2_cf96, namespace: "MD"),
                    module: "md_mod"))
        #expect(symvers.exports["asm_one"]?.symbol.crc == nil)
        #expect(try parse("").exports.isEmpty)
    }

    @Test(arguments: [
        "garbage", "0x1\ta\tvmlinux", "1\ta\tvmlinux\tEXPORT_SYMBOL", "0xzz\ta\tvmlinux\tEXPORT_SYMBOL",
        "0x1\t\tvmlinux\tEXPORT_SYMBOL", "0x100000000\ta\tvmlinux\tEXPORT_SYMBOL", "0x1\ta\tvmlinux\tIMPORT",
        "\u{0}\u{1}\u{fffd}", String(repeating: "x", count: 3_000_000),
    ])
    func namesTheLineThatIsNone(_ line: String) {
        #expect(throws: ModuleError.badSymvers(path: "Module.symvers", line: 2)) {
            try parse("0x1\tgood\tvmlinux\tEXPORT_SYMBOL\n" + line + "\n")
        }
    }

    @Test func replacedModuleLosesWhatItNoLongerExports() throws {
        let symvers = try parse("0x1\told\tdrivers/md/md-mod\tEXPORT_SYMBOL\n0x2\tprintk\tvmlinux\tEXPORT_SYMBOL\n")
        let replaced = symvers.replacing([try MadeModule(name: "md_mod", exports: [.init(name: "new", crc: 5)]).read()])
        #expect(replaced.exports.keys.sorted() == ["new", "printk"])
        #expect(replaced.exports["new"]?.symbol.crc == 5)
    }
}

/// Every reason for which a kernel refuses a module, and a module that it takes.
@Suite struct LoadCheckTests {
    private static let vermagic = "6.1.0-1 SMP preempt mod_unload modversions"

    private func problems(
        _ made: MadeModule, vermagic: String = Self.vermagic, symvers: String = "", siblings: [MadeModule] = []
    ) throws -> [LoadProblem] {
        let base = "0x7\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\n0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\n"
        return LoadCheck.problems(
            module: try made.read(), vermagic: vermagic,
            symvers: try ModuleSymvers(text: Array((base + symvers).utf8), path: "Module.symvers"),
            siblings: try siblings.map { try $0.read() })
    }

    @Test func takesAGoodModule() throws {
        let made = MadeModule(needs: ["printk": 1, "module_layout": 7], needsWeakly: ["not_there"])
        #expect(try problems(made) == [])
    }

    @Test func versionMagic() throws {
        let old = MadeModule(vermagic: "5.10.0 SMP mod_unload modversions ", needs: ["printk": 1])
        #expect(
            try problems(old) == [
                .vermagic(module: "SMP mod_unload modversions", kernel: "SMP preempt mod_unload modversions")
            ])
        // With CRCs, another release alone is no reason.
        #expect(try problems(MadeModule(vermagic: "5.10.0 SMP preempt mod_unload modversions ")) == [])
        // Without CRCs it is.
        let plain = MadeModule(vermagic: "5.10.0 SMP preempt mod_unload ", versions: false)
        #expect(
            try problems(plain, vermagic: "6.1.0 SMP preempt mod_unload")
                == [.vermagic(module: "5.10.0 SMP preempt mod_unload", kernel: "6.1.0 SMP preempt mod_unload")])
        #expect(try problems(plain, vermagic: "5.10.0 SMP preempt mod_unload ") == [])
        #expect(try problems(MadeModule(vermagic: nil)) == [.noVermagic])
    }

    @Test func unknownSymbol() throws {
        #expect(try problems(MadeModule(needs: ["dlm_lock": 3])) == [.missingSymbol(symbol: "dlm_lock")])
        let dlm = MadeModule(name: "dlm", exports: [.init(name: "dlm_lock", crc: 3)])
        #expect(try problems(MadeModule(needs: ["dlm_lock": 3]), siblings: [dlm]) == [])
    }

    @Test func otherTypes() throws {
        #expect(
            try problems(MadeModule(needs: ["printk": 2]))
                == [.crc(symbol: "printk", exportedBy: "vmlinux", module: 2, kernel: 1)])
        // A sibling's CRC counts, not that of the kernel's module of the same name.
        let symvers = "0x9\tmd_reload_sb\tdrivers/md/md-mod\tEXPORT_SYMBOL\n"
        let patched = MadeModule(name: "md_mod", exports: [.init(name: "md_reload_sb", crc: 4)])
        let user = MadeModule(needs: ["md_reload_sb": 9])
        #expect(try problems(user, symvers: symvers) == [])
        #expect(
            try problems(user, symvers: symvers, siblings: [patched])
                == [.crc(symbol: "md_reload_sb", exportedBy: "md_mod", module: 9, kernel: 4)])
    }

    @Test func otherStructModule() throws {
        var made = MadeModule()
        made.versions = false
        made.add = { elf in
            let entry = bytes(UInt64(8)) + Array("module_layout".utf8) + [UInt8](repeating: 0, count: 43)
            elf.add(.init(name: "__versions", contents: entry))
        }
        #expect(
            try problems(made) == [.crc(symbol: "module_layout", exportedBy: "vmlinux", module: 8, kernel: 7)])
    }

    @Test func licenseAndNamespace() throws {
        let symvers = "0x3\tsecret\tvmlinux\tEXPORT_SYMBOL_GPL\n0x4\tinner\tvmlinux\tEXPORT_SYMBOL\tCXL\n"
        var closed = MadeModule(license: "Proprietary", needs: ["secret": 3])
        #expect(try problems(closed, symvers: symvers) == [.gplOnly(symbol: "secret", license: "Proprietary")])
        closed.license = nil
        #expect(try problems(closed, symvers: symvers) == [.gplOnly(symbol: "secret", license: "unspecified")])
        closed.license = "Dual BSD/GPL"
        #expect(try problems(closed, symvers: symvers) == [])
        var user = MadeModule(needs: ["inner": 4])
        #expect(try problems(user, symvers: symvers) == [.namespace(symbol: "inner", namespace: "CXL")])
        user.extraInfo = ["import_ns=CXL"]
        #expect(try problems(user, symvers: symvers) == [])
    }

    @Test func duplicateExport() throws {
        let made = MadeModule(exports: [.init(name: "printk", crc: 1)])
        #expect(try problems(made) == [.duplicateExport(symbol: "printk", owner: "vmlinux")])
        // What the kernel's own module of that name exports is not in the way.
        let symvers = "0x1\tmine\tdrivers/made\tEXPORT_SYMBOL\n"
        #expect(try problems(MadeModule(exports: [.init(name: "mine", crc: 1)]), symvers: symvers) == [])
    }
}
