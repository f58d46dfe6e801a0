// SPDX-License-Identifier: GPL-2.0
import CElf

extension ElfImage {
    /// An entry of .symtab.
    struct Entry {
        var name: String
        var binding: UInt8
        var type: UInt8
        /// The section's index, or SHN_UNDEF, SHN_ABS, SHN_COMMON.
        var section: Int
        var value: UInt64
        var size: UInt64
    }

    struct Relocation {
        var offset: UInt64
        var type: UInt32
        /// Index into `symbolTable()`.
        var symbol: Int
        var addend: Int64
    }

    /// All entries of .symtab, in the file's order, so that relocations can be resolved. Empty without a .symtab.
    func symbolTable() throws(ModuleError) -> [Entry] {
        guard let table = sections.first(where: { $0.type == UInt32(SHT_SYMTAB) }) else { return [] }
        guard sections.indices.contains(table.link) else {
            throw .malformed(path: path, what: "the symbol table has no strings")
        }
        let bytes = bytes(of: table)
        let strings = self.bytes(of: sections[table.link])
        let size = MemoryLayout<Elf64_Sym>.size
        var entries: [Entry] = []
        entries.reserveCapacity(bytes.count / size)
        for offset in stride(from: 0, through: bytes.count - size, by: size) {
            guard let name = strings.cString(at: Int(bytes.value(at: offset, as: UInt32.self)!)) else {
                throw .malformed(path: path, what: "symbol \(offset / size) has no name")
            }
            let info = bytes[offset + 4]
            entries.append(
                Entry(
                    name: name, binding: info >> 4, type: info & 0xf,
                    section: Int(bytes.value(at: offset + 6, as: UInt16.self)!),
                    value: bytes.value(at: offset + 8)!, size: bytes.value(at: offset + 16)!))
        }
        return entries
    }

    /// The RELA relocations that apply to a section: x86-64 has no others.
    func relocations(of section: Section) -> [Relocation] {
        sections.filter { $0.type == UInt32(SHT_RELA) && $0.info == section.index }.flatMap { table in
            let bytes = bytes(of: table)
            let size = MemoryLayout<Elf64_Rela>.size
            return stride(from: 0, through: bytes.count - size, by: size).map { offset in
                let info = bytes.value(at: offset + 8, as: UInt64.self)!
                return Relocation(
                    offset: bytes.value(at: offset)!, type: UInt32(truncatingIfNeeded: info), symbol: Int(info >> 32),
                    addend: bytes.value(at: offset + 16)!)
            }
        }
    }
}
