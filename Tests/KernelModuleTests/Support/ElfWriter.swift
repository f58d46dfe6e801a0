// SPDX-License-Identifier: GPL-2.0

/// Writes small x86-64 relocatable ELF files, so that no test needs a module that a kernel build made.
struct ElfWriter {
    struct Section {
        var name: String
        var type: UInt32 = 1  // SHT_PROGBITS
        var flags: UInt64 = 2  // SHF_ALLOC
        var contents: [UInt8] = []
        /// For sections without contents (.bss).
        var size: Int?
        var link: UInt32 = 0
        var info: UInt32 = 0
        var entrySize: UInt64 = 0
    }

    struct Relocation {
        var offset: UInt64
        var type: UInt32 = 1  // R_X86_64_64
        var symbol: Int
        var addend: Int64 = 0
    }

    var machine: UInt16 = 62
    var type: UInt16 = 1
    /// Index 0 of the file is the null section: the first one here is 1.
    private(set) var sections: [Section] = []
    private var symbols: [UInt8] = []
    private var strings: [UInt8] = [0]
    private(set) var symbolCount = 0

    static let function: UInt8 = 2
    static let object: UInt8 = 1
    static let sectionSymbol: UInt8 = 3
    static let absolute: UInt16 = 0xfff1

    init() {
        addSymbol("", section: 0)
    }

    /// Returns the section's index.
    @discardableResult
    mutating func add(_ section: Section) -> UInt16 {
        sections.append(section)
        return UInt16(sections.count)
    }

    mutating func append(_ bytes: [UInt8], to section: UInt16) {
        sections[Int(section) - 1].contents += bytes
    }

    /// Returns the symbol's index. Section 0 is undefined.
    @discardableResult
    mutating func addSymbol(
        _ name: String, section: UInt16, value: UInt64 = 0, size: UInt64 = 0, type: UInt8 = 0, weak: Bool = false
    ) -> Int {
        symbols += bytes(UInt32(name.isEmpty ? 0 : strings.count)) + [(weak ? 2 : 1) << 4 | type, 0]
        symbols += bytes(section) + bytes(value) + bytes(size)
        if !name.isEmpty { strings += Array(name.utf8) + [0] }
        symbolCount += 1
        return symbolCount - 1
    }

    mutating func addRelocations(_ relocations: [Relocation], for section: UInt16) {
        let contents = relocations.flatMap {
            bytes($0.offset) + bytes(UInt64($0.symbol) << 32 | UInt64($0.type)) + bytes($0.addend)
        }
        // The link to the symbol table is not read: there is only one.
        add(
            Section(
                name: ".rela" + sections[Int(section) - 1].name, type: 4, flags: 0, contents: contents,
                info: UInt32(section), entrySize: 24))
    }

    /// Header, contents, section headers last, as a linker lays them out.
    func build() -> [UInt8] {
        var all = sections
        all.append(
            Section(name: ".symtab", type: 2, flags: 0, contents: symbols, link: UInt32(all.count + 2), entrySize: 24))
        all.append(Section(name: ".strtab", type: 3, flags: 0, contents: strings))
        var names: [UInt8] = [0]
        var nameOffsets: [UInt32] = []
        for name in all.map(\.name) + [".shstrtab"] {
            nameOffsets.append(UInt32(names.count))
            names += Array(name.utf8) + [0]
        }
        all.append(Section(name: ".shstrtab", type: 3, flags: 0, contents: names))
        var body: [UInt8] = []
        var headers = [UInt8](repeating: 0, count: 64)
        for (section, name) in zip(all, nameOffsets) {
            while body.count % 16 != 0 { body.append(0) }
            let size = UInt64(section.size ?? section.contents.count)
            headers += bytes(name) + bytes(section.type) + bytes(section.flags) + bytes(UInt64(0))
            headers += bytes(UInt64(64 + body.count)) + bytes(size) + bytes(section.link) + bytes(section.info)
            headers += bytes(UInt64(16)) + bytes(section.entrySize)
            body += section.contents
        }
        while body.count % 16 != 0 { body.append(0) }
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        header += bytes(type) + bytes(machine) + bytes(UInt32(1)) + bytes(UInt64(0)) + bytes(UInt64(0))
        header += bytes(UInt64(64 + body.count)) + bytes(UInt32(0)) + bytes(UInt16(64)) + bytes(UInt16(0))
        header += bytes(UInt16(0)) + bytes(UInt16(64)) + bytes(UInt16(all.count + 1)) + bytes(UInt16(all.count))
        return header + body + headers
    }
}

/// Little-endian bytes of a value.
func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
