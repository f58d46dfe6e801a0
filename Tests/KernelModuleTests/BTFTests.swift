// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelModule

/// Writes a .BTF section by hand: type after type, with strings of their own.
private struct BTFWriter {
    /// Where strings and types of the kernel's part end, for a module's.
    var firstString: UInt32 = 0
    private(set) var types: [UInt8] = []
    private(set) var strings: [UInt8] = [0]

    mutating func string(_ text: String) -> UInt32 {
        if text.isEmpty { return 0 }
        strings += Array(text.utf8) + [0]
        return firstString + UInt32(strings.count - text.utf8.count - 1)
    }

    mutating func add(
        _ name: String, kind: UInt32, count: Int = 0, flag: Bool = false, size: UInt32, tail: [UInt32] = []
    ) {
        let info = kind << 24 | UInt32(count) | (flag ? 1 << 31 : 0)
        types += bytes(string(name)) + bytes(info) + bytes(size) + tail.flatMap { bytes($0) }
    }

    /// Members as (name, type, offset in bits).
    mutating func addStruct(_ name: String, size: UInt32, flag: Bool = false, _ members: [(String, UInt32, UInt32)]) {
        let tail = members.flatMap { [string($0.0), $0.1, $0.2] }
        add(name, kind: 4, count: members.count, flag: flag, size: size, tail: tail)
    }

    var section: [UInt8] {
        bytes(UInt16(0xeb9f)) + [1, 0] + bytes(UInt32(24)) + bytes(UInt32(0)) + bytes(UInt32(types.count))
            + bytes(UInt32(types.count)) + bytes(UInt32(strings.count)) + types + strings
    }
}

@Suite struct BTFTests {
    /// 1 long, 2 atomic (a typedef of the unnamed struct 3), 4 mutex, 5 an array of 3 longs, 6 a pointer.
    private var kernel: BTFWriter {
        var btf = BTFWriter()
        btf.add("long", kind: 1, size: 8, tail: [64])
        btf.add("atomic64_t", kind: 8, size: 3)
        btf.addStruct("", size: 8, [("counter", 1, 0)])
        btf.addStruct("mutex", size: 16, [("owner", 2, 0), ("wait", 1, 64)])
        btf.add("", kind: 3, size: 0, tail: [1, 1, 3])
        btf.add("", kind: 2, size: 4)
        return btf
    }

    /// 7 const mutex, 8 an unnamed struct, 9 md_cluster_info.
    private var module: BTFWriter {
        let kernel = kernel
        var btf = BTFWriter(firstString: UInt32(kernel.strings.count))
        btf.add("", kind: 10, size: 4)
        btf.addStruct("", size: 16, [("left", 1, 0), ("right", 1, 64)])
        btf.addStruct(
            "md_cluster_info", size: 96, flag: true,
            [
                ("recv_mutex", 7, 0), ("", 8, 128), ("names", 5, 256), ("next", 6, 448), ("bit", 1, 1 << 24 | 515),
                ("state", 1, 576),
            ])
        return btf
    }

    private func layouts(_ kernel: [UInt8], _ module: [UInt8]?) throws -> StructLayouts {
        let btf = try BTF(kernel: kernel, module: module, path: "x")
        return StructLayouts(btf: btf, structs: ["md_cluster_info", "mutex"], buildID: nil)
    }

    @Test func readsAModulesPartOnTopOfTheKernels() throws {
        let layouts = try layouts(kernel.section, module.section)
        func member(_ path: String) throws -> StructLayouts.Member { try layouts.member(path, in: "md_cluster_info") }
        #expect(try member("state").offset == 72 && layouts.structs["md_cluster_info"]?.size == 96)
        #expect(try member("recv_mutex.owner.counter").offset == 0)
        #expect(try member("recv_mutex.wait").offset == 8)
        #expect(try member("recv_mutex.owner").type == "atomic64_t")
        #expect(try member("right").offset == 24)
        #expect(try member("names").size == 24)
        #expect(try member("next").size == 8 && member("next").type == nil)
        #expect(try member("bit").offset == 64)
    }

    @Test func readsAFileAgainstAKernelImage() throws {
        let folder = try TemporaryFolder()
        var made = MadeModule(name: "md_cluster")
        let section = module.section
        made.add = { $0.add(.init(name: ".BTF", flags: 0, contents: section)) }
        let file = try folder.write("md-cluster.ko", made.bytes)
        var image = ElfWriter()
        image.type = 2
        image.add(.init(name: ".BTF", contents: kernel.section))
        let vmlinux = try folder.write("vmlinux", image.build())
        #expect(try StructLayouts(path: file, kernelImage: vmlinux).offset(of: "state", in: "md_cluster_info") == 72)

        // The same kernel in a bzImage: one sector of set-up code, the payload 16 bytes behind it.
        var boot = [UInt8](repeating: 0, count: 1024 + 16)
        boot[0x1f1] = 1
        boot.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        boot.replaceSubrange(0x248..<0x24c, with: bytes(UInt32(16)))
        boot.replaceSubrange(0x24c..<0x250, with: bytes(UInt32(image.build().count)))
        let vmlinuz = try folder.write("vmlinuz", boot + image.build())
        #expect(try StructLayouts(path: file, kernelImage: vmlinuz).offset(of: "state", in: "md_cluster_info") == 72)

        let cut = try folder.write("cut", boot + image.build().dropLast())
        #expect(throws: ModuleError.truncated(path: cut, missing: "the compressed kernel")) {
            try StructLayouts(path: file, kernelImage: cut)
        }
        #expect(throws: ModuleError.notAKernel(path: file)) {
            try StructLayouts(path: file, kernelImage: file)
        }
        let bare = try folder.write("bare.ko", MadeModule().bytes)
        #expect(throws: ModuleError.noDebugInfo(path: bare)) { try StructLayouts(path: bare, kernelImage: vmlinux) }
    }

    @Test func damageIsSurvived() throws {
        let (kernel, module) = (kernel.section, module.section)
        var refused = 0
        for length in 0..<module.count {
            #expect(throws: ModuleError.self) { try layouts(kernel, Array(module.prefix(length))) }
        }
        for position in module.indices {
            for value in [UInt8(0), 0xff, module[position] ^ 1, module[position] ^ 4] {
                var damaged = module
                damaged[position] = value
                if (try? layouts(kernel, damaged)) == nil { refused += 1 }
                if (try? layouts(damaged, nil)) == nil { refused += 1 }
            }
        }
        #expect(refused > 50)
    }

    @Test func structInsideItselfEnds() throws {
        var btf = BTFWriter()
        btf.addStruct("mutex", size: 8, [("", 1, 0), ("self", 1, 0), ("loop", 2, 0)])
        btf.add("loop", kind: 8, size: 2)
        let layouts = try layouts(btf.section, nil)
        #expect(layouts.structs["mutex"]?.size == 8)
    }
}
