// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelModule

/// Orders over small trees of made modules, indexed by the real depmod.
@Suite struct ModuleOrderTests {
    /// lib/modules/6.1.0-test with configfs <- dlm, md-mod <- md-cluster (needs dlm too), raid1 (needs md-mod),
    /// crc32c with a softdep after ext, and a built-in virtio.
    private final class Tree {
        let folder: TemporaryFolder
        let directory: String

        init() throws {
            folder = try TemporaryFolder()
            directory = folder.path + "/lib/modules/6.1.0-test"
            try add(
                "fs/configfs/configfs.ko", MadeModule(name: "configfs", exports: [.init(name: "config_item", crc: 1)]))
            try add(
                "fs/dlm/dlm.ko",
                MadeModule(name: "dlm", needs: ["config_item": 1], exports: [.init(name: "dlm_lock", crc: 1)]))
            try add("drivers/md/md-mod.ko", MadeModule(name: "md_mod", exports: [.init(name: "md_run", crc: 1)]))
            try add("drivers/md/md-cluster.ko", MadeModule(name: "md_cluster", needs: ["dlm_lock": 1, "md_run": 1]))
            try add(
                "drivers/md/raid1.ko", MadeModule(name: "raid1", extraInfo: ["alias=md-level-1"], needs: ["md_run": 1]))
            try add("crypto/crc32c.ko", MadeModule(name: "crc32c"))
            try add("fs/late.ko", MadeModule(name: "late"))
            try add("fs/ext.ko", MadeModule(name: "ext", extraInfo: ["softdep=pre: crc32c nowhere post: late"]))
            try folder.write("lib/modules/6.1.0-test/modules.builtin", "kernel/drivers/virtio/virtio.ko\n")
            try folder.write("lib/modules/6.1.0-test/modules.order", "kernel/drivers/md/md-mod.ko\n")
        }

        func add(_ path: String, _ module: MadeModule) throws {
            try folder.write("lib/modules/6.1.0-test/kernel/" + path, module.bytes)
        }

        func order(_ modules: String..., replacements: [String: String] = [:]) throws -> [String] {
            try ModuleOrder.order(modules: modules, directory: directory, replacements: replacements)
                .map { ($0 as NSString).lastPathComponent }
        }
    }

    @Test func whatIsNeededComesFirst() throws {
        let tree = try Tree()
        let order = try tree.order("md-cluster", "raid1", "md_cluster")
        try #require(order.sorted() == ["configfs.ko", "dlm.ko", "md-cluster.ko", "md-mod.ko", "raid1.ko"])
        let place = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        #expect(place["configfs.ko"]! < place["dlm.ko"]! && place["dlm.ko"]! < place["md-cluster.ko"]!)
        #expect(place["md-mod.ko"]! < place["md-cluster.ko"]! && order.last == "raid1.ko")
    }

    @Test func pathsAreThoseOfTheTreeAndNothingIsLeftInIt() throws {
        let tree = try Tree()
        let paths = try ModuleOrder.order(modules: ["md-mod"], directory: tree.directory)
        #expect(paths == [try ModuleIndex.resolve(tree.directory) + "/kernel/drivers/md/md-mod.ko"])
        #expect(!ModuleIndex.exists(in: tree.directory))
        try ModuleIndex.write(in: tree.directory)
        #expect(ModuleIndex.exists(in: tree.directory))
        #expect(try ModuleOrder.order(modules: ["md-mod"], directory: tree.directory) == paths)
    }

    @Test func leftoversOfKilledProcessesGo() throws {
        let tree = try Tree()
        // Above the kernel's largest pid: nobody's.
        let dead = NSTemporaryDirectory() + "/mdlab-modules-4194305-test/lib"
        let alive = NSTemporaryDirectory() + "/mdlab-modules-\(getpid())-test/lib"
        for path in [dead, alive] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: (alive as NSString).deletingLastPathComponent) }
        _ = try tree.order("dlm")
        #expect(!FileManager.default.fileExists(atPath: dead))
        #expect(FileManager.default.fileExists(atPath: alive))
    }

    @Test func aliasesSoftdepsAndBuiltIns() throws {
        let tree = try Tree()
        #expect(try tree.order("md-level-1") == ["md-mod.ko", "raid1.ko"])
        #expect(try tree.order("ext") == ["crc32c.ko", "ext.ko", "late.ko"])
        #expect(try tree.order("virtio") == [])
        #expect(ModuleOrder.builtIn(directory: tree.directory) == ["virtio"])
    }

    @Test func replacementsBringTheirOwnNeeds() throws {
        let tree = try Tree()
        let gate = try tree.folder.write("out/gate.ko", MadeModule(name: "gate").bytes)
        let patched = try tree.folder.write(
            "out/md-cluster-patched.ko",
            MadeModule(name: "md_cluster", depends: ["md-mod", "dlm", "gate", "virtio"]).bytes)
        let order = try tree.order("md-cluster", replacements: ["md-cluster": patched, "gate": gate])
        #expect(order == ["md-mod.ko", "configfs.ko", "dlm.ko", "gate.ko", "md-cluster-patched.ko"])
        #expect(throws: ModuleError.unknownModule("gate", near: ["late"])) {
            try tree.order("md-cluster", replacements: ["md_cluster": patched])
        }
    }

    @Test func unknownNamesNameNearOnes() throws {
        let tree = try Tree()
        #expect(throws: ModuleError.unknownModule("md-clutser", near: ["md_cluster"])) { try tree.order("md-clutser") }
        #expect(throws: ModuleError.unknownModule("virtoi", near: ["virtio"])) { try tree.order("virtoi") }
    }

    @Test func circlesAreNamed() throws {
        let tree = try Tree()
        let one = try tree.folder.write("out/one.ko", MadeModule(name: "one", depends: ["two"]).bytes)
        let two = try tree.folder.write("out/two.ko", MadeModule(name: "two", depends: ["one"]).bytes)
        #expect(throws: ModuleError.dependencyCycle(["one", "two", "one"])) {
            try tree.order("one", replacements: ["one": one, "two": two])
        }
    }

    @Test func directoriesThatAreNone() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path, folder.path + "/nowhere", "/dev/null"] {
            #expect(throws: ModuleError.noModuleTree(path: path)) {
                try ModuleOrder.order(modules: ["md-mod"], directory: path)
            }
        }
    }

    @Test func softdepsOfAModuleItself() {
        let soft = SoftDependencies(["pre: a b post: c", "post: d", "", "nonsense"])
        #expect(soft.before == ["a", "b", "nonsense"] && soft.after == ["c", "d"])
    }
}

@Suite struct KernelReferenceTests {
    private func headers(_ folder: TemporaryFolder, at path: String, options: String) throws {
        try folder.write(path + "/Module.symvers", "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\n")
        try folder.write(path + "/include/generated/utsrelease.h", "#define UTS_RELEASE \"6.1.0-test\"\n")
        try folder.write(path + "/include/config/auto.conf", options)
    }

    private func modules(_ folder: TemporaryFolder, release: String = "6.1.0-test") throws {
        let path = "lib/modules/" + release
        try folder.write(path + "/modules.builtin", "")
        try folder.write(path + "/modules.order", "kernel/absent.ko\nkernel/x.ko\n")
        try folder.write(path + "/kernel/x.ko", MadeModule(vermagic: "6.1.0-test SMP mod_unload ").bytes)
    }

    @Test func vermagicComesFromTheConfiguration() throws {
        let folder = try TemporaryFolder()
        let all = "CONFIG_SMP=y\nCONFIG_PREEMPT_BUILD=y\nCONFIG_MODULE_UNLOAD=y\nCONFIG_MODVERSIONS=y\n"
        try headers(folder, at: "h", options: all)
        let reference = try KernelReference(directory: folder.path + "/h")
        #expect(reference.vermagic == "6.1.0-test SMP preempt mod_unload modversions")
        #expect(reference.release == "6.1.0-test" && reference.modules == nil)
        #expect(try reference.symvers().exports.count == 1)
        try headers(folder, at: "rt", options: "CONFIG_PREEMPT_RT=y\n# CONFIG_SMP is not set\n")
        #expect(try KernelReference(directory: folder.path + "/rt").vermagic == "6.1.0-test preempt_rt")
    }

    @Test func modulesAloneDoWithoutSymvers() throws {
        let folder = try TemporaryFolder()
        try modules(folder)
        let reference = try KernelReference(directory: folder.path + "/lib/modules/6.1.0-test")
        #expect(reference.vermagic == "6.1.0-test SMP mod_unload")
        #expect(throws: ModuleError.self) { try reference.symvers() }
    }

    @Test func oneLeadsToTheOther() throws {
        let folder = try TemporaryFolder()
        try modules(folder)
        try headers(folder, at: "usr/src/linux-headers-6.1.0-test", options: "CONFIG_SMP=y\n")
        for start in ["", "/lib/modules/6.1.0-test", "/usr/src/linux-headers-6.1.0-test"] {
            let reference = try KernelReference(directory: folder.path + start)
            #expect(reference.modules?.hasSuffix("/lib/modules/6.1.0-test") == true, "\(start)")
            #expect(reference.headers?.hasSuffix("/usr/src/linux-headers-6.1.0-test") == true, "\(start)")
            #expect(reference.headers?.contains("..") == false)
        }
    }

    @Test func twoKernelsAreNotOne() throws {
        let folder = try TemporaryFolder()
        try modules(folder)
        try modules(folder, release: "6.12.0")
        #expect(throws: ModuleError.noModuleTree(path: folder.path)) { try KernelReference(directory: folder.path) }
        #expect(throws: ModuleError.noModuleTree(path: "/nowhere")) { try KernelReference(directory: "/nowhere") }
    }
}
