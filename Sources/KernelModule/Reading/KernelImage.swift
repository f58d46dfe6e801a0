// SPDX-License-Identifier: GPL-2.0
import CElf

/// A kernel image on disk: a vmlinux, or a vmlinuz that has one inside.
enum KernelImage {
    /// The .BTF section of the kernel. Throws `noDebugInfo` for a kernel without one, `notAKernel`, `compressedBy` for
    /// a vmlinuz whose compression this tool has no library for.
    static func btf(path: String) throws(ModuleError) -> [UInt8] {
        let file = try ModuleBytes.read(path)
        let contents = try payload(file, path: path).map { payload throws(ModuleError) in
            try Decompression.decompress(payload, path: path, limit: ModuleBytes.limit)
        }
        let elf: ElfImage
        do {
            elf = try ElfImage(contents ?? file, path: path, types: [ET_EXEC, ET_DYN])
        } catch .notRelocatable {
            throw .notAKernel(path: path)
        }
        guard let section = elf.section(".BTF") else { throw .noDebugInfo(path: path) }
        return elf.bytes(of: section)
    }

    /// The compressed kernel inside a bzImage, by the boot protocol's header (Documentation/arch/x86/boot.rst):
    /// "HdrS" at 0x202, its sectors of set-up code at 0x1f1, payload_offset and payload_length at 0x248 and 0x24c,
    /// counted from the end of the set-up code. nil for a file that is no bzImage.
    private static func payload(_ bytes: [UInt8], path: String) throws(ModuleError) -> [UInt8]? {
        guard bytes.value(at: 0x202, as: UInt32.self) == 0x5372_6448 else { return nil }
        guard let sectors: UInt8 = bytes.value(at: 0x1f1), let offset: UInt32 = bytes.value(at: 0x248),
            let length: UInt32 = bytes.value(at: 0x24c)
        else { throw .truncated(path: path, missing: "the boot header") }
        // 0 means 4, for the loaders of 1993.
        let start = (Int(sectors == 0 ? 4 : sectors) + 1) * 512 + Int(offset)
        guard start + Int(length) <= bytes.count else { throw .truncated(path: path, missing: "the compressed kernel") }
        return Array(bytes[start..<start + Int(length)])
    }
}
