// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelModule

@Suite struct ModuleReportTests {
    /// A small md-cluster with debug information, as gcc makes it.
    private static let source = """
        __attribute__((section(".modinfo"), used)) static const char info[] =
            "name=md_cluster\\0license=GPL\\0vermagic=6.1.0-test SMP mod_unload ";
        __attribute__((section(".gnu.linkonce.this_module"), used)) static int this_module[16];
        struct md_cluster_info { void *ls; long other[3]; unsigned long state; };
        extern int dlm_lock(struct md_cluster_info *c);
        static inline __attribute__((always_inline)) int lock_token(struct md_cluster_info *c) { return dlm_lock(c); }
        __attribute__((noinline)) int lock_comm(struct md_cluster_info *c) { return lock_token(c) + 1; }
        __attribute__((no_instrument_function)) int hidden(int x) { return x; }
        """

    private func module(in folder: TemporaryFolder) throws -> KernelModuleFile {
        let flags = ["-g", "-O2", "-pg", "-mfentry", "-mrecord-mcount", "-fno-pic", "-fcf-protection=none"]
        return try KernelModuleFile(path: folder.compile(Self.source, flags: flags))
    }

    private func tree(in folder: TemporaryFolder, headers: Bool) throws -> KernelReference {
        let directory = "lib/modules/6.1.0-test"
        try folder.write(directory + "/modules.builtin", "kernel/fs/dlm/dlm.ko\n")
        try folder.write(directory + "/modules.order", "kernel/x.ko\n")
        try folder.write(directory + "/kernel/x.ko", MadeModule(vermagic: "6.1.0-test SMP mod_unload ").bytes)
        if headers {
            try folder.write(directory + "/build/Module.symvers", "0x1\t__fentry__\tvmlinux\tEXPORT_SYMBOL\n")
        }
        return try KernelReference(directory: folder.path + "/" + directory)
    }

    @Test func saysAllOfAModule() throws {
        let folder = try TemporaryFolder()
        let report = try #require(try ModuleReport.reports(of: [module(in: folder)]).first)
        #expect(report.name == "md_cluster" && report.kernel == nil)
        #expect(report.traceableFunctions == ["lock_comm"])
        #expect(report.untraceableFunctions == ["hidden"])
        #expect(report.inlinedFunctions == ["lock_token": .init(into: ["lock_comm"], everywhere: true)])
        #expect(report.clusterStateOffset == 32)
    }

    @Test func comparesWithAKernel() throws {
        let folder = try TemporaryFolder()
        let module = try module(in: folder)
        let fit = try #require(
            try ModuleReport.reports(of: [module], kernel: tree(in: folder, headers: true)).first?.kernel)
        #expect(fit.release == "6.1.0-test")
        #expect(fit.missingSymbols == ["dlm_lock"])
        #expect(fit.problems == [.missingSymbol(symbol: "dlm_lock")])
        #expect(fit.loadOrder == [module.path])
        var made = MadeModule(name: "dlm", vermagic: "6.1.0-test SMP mod_unload ", exports: [.init(name: "dlm_lock")])
        made.versions = false
        let dlm = try KernelModuleFile(path: folder.write("dlm.ko", made.bytes))
        let both = try ModuleReport.reports(of: [dlm, module], kernel: tree(in: folder, headers: true))
        #expect(both.map { $0.kernel?.missingSymbols } == [[], []])
        #expect(both.last?.kernel?.loadOrder == [module.path])
    }

    @Test func doesNotClaimWhatItCannotCompare() throws {
        let folder = try TemporaryFolder()
        let fit = try #require(
            try ModuleReport.reports(of: [module(in: folder)], kernel: tree(in: folder, headers: false)).first?.kernel)
        #expect(fit.missingSymbols == nil && fit.problems == [])
    }

    @Test func isWrittenAsJSON() throws {
        let folder = try TemporaryFolder()
        let report = try #require(
            try ModuleReport.reports(of: [module(in: folder)], kernel: tree(in: folder, headers: true)).first)
        let data = try JSONEncoder().encode(report)
        let back = try JSONDecoder().decode(ModuleReport.self, from: data)
        #expect(back.kernel?.problems == report.kernel?.problems)
        #expect(back.clusterStateOffset == 32)
    }
}
