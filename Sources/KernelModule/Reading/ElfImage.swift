// SPDX-License-Identifier: GPL-2.0
import CElf

/// An x86-64 ELF file in memory, its section headers read by libelf.
///
/// libelf reads the headers; every byte of a section is handed out through `bytes(of:)`, which has checked that the
/// file is long enough, so nothing behind this type can read past the end of a damaged file.
final class ElfImage {
    struct Section {
        var index: Int
        var name: String
        var type: UInt32
        var flags: UInt64
        var offset: Int
        var size: Int
        var link: Int
        var info: Int
        var entrySize: Int
    }

    let path: String
    let sections: [Section]
    let elf: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer
    private var indexOfName: [String: Int] = [:]

    /// Throws `notELF`, `foreign...`, `notRelocatable`, `truncated` or `malformed`.
    /// `types` are the ELF types to take: modules are ET_REL.
    init(_ contents: [UInt8], path: String, types: Set<Int32> = [ET_REL]) throws(ModuleError) {
        self.path = path
        try Self.checkHeader(contents, path: path, types: types)
        buffer = .allocate(byteCount: contents.count, alignment: 16)
        buffer.copyBytes(from: contents)
        _ = elf_version(UInt32(EV_CURRENT))
        let base = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
        guard let elf = elf_memory(base, buffer.count) else {
            buffer.deallocate()
            throw .malformed(path: path, what: Self.lastError())
        }
        self.elf = elf
        do throws(ModuleError) {
            sections = try Self.readSections(elf, fileSize: contents.count, path: path)
        } catch {
            elf_end(elf)
            buffer.deallocate()
            throw error
        }
        for section in sections where indexOfName[section.name] == nil { indexOfName[section.name] = section.index }
    }

    deinit {
        elf_end(elf)
        buffer.deallocate()
    }

    /// The first section of that name: what the kernel's `find_sec` takes.
    func section(_ name: String) -> Section? { indexOfName[name].map { sections[$0] } }

    /// The section's contents; empty for .bss and its like.
    func bytes(of section: Section) -> [UInt8] {
        section.type == UInt32(SHT_NOBITS) ? [] : Array(buffer[section.offset..<section.offset + section.size])
    }

    /// Overwrites part of a section in memory: how debug sections get relocated. Out of range writes are dropped.
    func patch(_ section: Section, at offset: Int, with value: UInt64, width: Int) {
        guard section.type != UInt32(SHT_NOBITS), offset >= 0, offset <= section.size - width else { return }
        withUnsafeBytes(of: value.littleEndian) { bytes in
            for i in 0..<width { buffer[section.offset + offset + i] = bytes[i] }
        }
    }

    static func lastError() -> String {
        elf_errmsg(-1).map { String(cString: $0) } ?? "libelf cannot read it"
    }

    // MARK: - Headers

    private static let headerSize = 64

    /// What must hold before libelf sees the file; each gets its own error, because each is another mistake.
    private static func checkHeader(_ contents: [UInt8], path: String, types: Set<Int32>) throws(ModuleError) {
        guard contents.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw .notELF(path: path) }
        guard contents.count >= 6 else { throw .truncated(path: path, missing: "the ELF header") }
        if contents[4] == 1 { throw .foreignClass(path: path, bits: 32) }
        guard contents[4] == 2 else { throw .malformed(path: path, what: "ELF class \(contents[4])") }
        if contents[5] == 2 { throw .bigEndian(path: path) }
        guard contents[5] == 1 else { throw .malformed(path: path, what: "ELF data encoding \(contents[5])") }
        guard contents.count >= headerSize else { throw .truncated(path: path, missing: "the ELF header") }
        let type = Int32(contents[16]) | Int32(contents[17]) << 8
        let machine = Int32(contents[18]) | Int32(contents[19]) << 8
        if machine != EM_X86_64 { throw .foreignMachine(path: path, machine: machineName(machine)) }
        if !types.contains(type) { throw .notRelocatable(path: path, type: typeName(type)) }
    }

    private static func machineName(_ number: Int32) -> String {
        let names: [Int32: String] = [
            EM_386: "i386", EM_ARM: "arm", EM_AARCH64: "arm64", EM_RISCV: "riscv", EM_PPC64: "ppc64",
            EM_S390: "s390", EM_LOONGARCH: "loongarch", EM_MIPS: "mips",
        ]
        return names[number] ?? "machine \(number)"
    }

    private static func typeName(_ number: Int32) -> String {
        switch number {
        case ET_REL: "an object file"
        case ET_EXEC: "an executable"
        case ET_DYN: "a shared library or an executable"
        case ET_CORE: "a core dump"
        default: "ELF type \(number)"
        }
    }

    private static func readSections(_ elf: OpaquePointer, fileSize: Int, path: String) throws(ModuleError) -> [Section]
    {
        var header = GElf_Ehdr()
        guard gelf_getehdr(elf, &header) != nil else { throw .malformed(path: path, what: lastError()) }
        if header.e_shoff == 0 { throw .malformed(path: path, what: "no section headers") }
        guard header.e_shoff < UInt64(fileSize) else { throw .truncated(path: path, missing: "the section headers") }
        guard Int(header.e_shentsize) == MemoryLayout<Elf64_Shdr>.size else {
            throw .malformed(path: path, what: "section headers of \(header.e_shentsize) bytes")
        }
        var count = 0
        var names = 0
        // libelf takes the count of an image with a short section table as an error of its own.
        guard elf_getshdrnum(elf, &count) == 0, count > 0,
            count <= (fileSize - Int(header.e_shoff)) / MemoryLayout<Elf64_Shdr>.size
        else { throw .truncated(path: path, missing: "the section headers") }
        guard elf_getshdrstrndx(elf, &names) == 0, names < count else {
            throw .malformed(path: path, what: "no section names")
        }
        var sections: [Section] = []
        sections.reserveCapacity(count)
        for index in 0..<count {
            var section = GElf_Shdr()
            guard let pointer = elf_getscn(elf, index), gelf_getshdr(pointer, &section) != nil else {
                throw .malformed(path: path, what: "section \(index): \(lastError())")
            }
            let inFile = section.sh_type != UInt32(SHT_NOBITS) && section.sh_type != UInt32(SHT_NULL)
            if inFile {
                let end = section.sh_offset.addingReportingOverflow(section.sh_size)
                if end.overflow || end.partialValue > UInt64(fileSize) {
                    throw .truncated(path: path, missing: "the whole of section \(index)")
                }
            }
            sections.append(
                Section(
                    index: index, name: "", type: section.sh_type, flags: section.sh_flags,
                    offset: inFile ? Int(section.sh_offset) : 0,
                    size: inFile ? Int(section.sh_size) : Int(min(section.sh_size, UInt64(Int32.max))),
                    link: Int(section.sh_link), info: Int(section.sh_info),
                    entrySize: Int(min(section.sh_entsize, UInt64(Int32.max)))))
            if section.sh_type == UInt32(SHT_NULL) { sections[index].size = 0 }
        }
        for index in 1..<max(1, count) {
            var section = GElf_Shdr()
            _ = gelf_getshdr(elf_getscn(elf, index), &section)
            // Bounds-checked by libelf: nil for an offset outside the table, or a name without its zero.
            guard let name = elf_strptr(elf, names, Int(section.sh_name)) else {
                throw .malformed(path: path, what: "section \(index) has no name")
            }
            sections[index].name = String(cString: name)
        }
        return sections
    }
}
