// SPDX-License-Identifier: GPL-2.0
import CElf

/// The DWARF of a module, opened with libdw.
///
/// A .ko is a relocatable file: names and references in its debug sections are right only after relocation, which
/// libdw leaves to its caller. Types, names and inlining need the plain relocations against sections and symbols of
/// the file itself, so these are done here in the memory image; addresses stay offsets in their sections.
final class DebugInformation {
    let image: ElfImage
    private let dwarf: OpaquePointer

    /// Throws `noDebugInfo`, `badDebugInfo`, or what `ElfImage` throws.
    init(_ bytes: [UInt8], path: String) throws(ModuleError) {
        image = try ElfImage(bytes, path: path)
        guard image.section(".debug_info") != nil else { throw .noDebugInfo(path: path) }
        try Self.relocate(image)
        guard let dwarf = dwarf_begin_elf(image.elf, DWARF_C_READ, nil) else {
            throw .badDebugInfo(
                path: path, reason: dwarf_errmsg(-1).map { String(cString: $0) } ?? "libdw cannot read it")
        }
        self.dwarf = dwarf
    }

    deinit { dwarf_end(dwarf) }

    private static func relocate(_ image: ElfImage) throws(ModuleError) {
        let table = try image.symbolTable()
        for section in image.sections where section.name.hasPrefix(".debug_") {
            for relocation in image.relocations(of: section) where table.indices.contains(relocation.symbol) {
                guard let offset = Int(exactly: relocation.offset) else { continue }
                let value = table[relocation.symbol].value &+ UInt64(bitPattern: relocation.addend)
                switch Int(relocation.type) {
                case Int(R_X86_64_64): image.patch(section, at: offset, with: value, width: 8)
                case Int(R_X86_64_32), Int(R_X86_64_32S): image.patch(section, at: offset, with: value, width: 4)
                default: continue
                }
            }
        }
    }

    /// The top entry of each compile unit, in the file's order.
    func units() throws(ModuleError) -> [Dwarf_Die] {
        var units: [Dwarf_Die] = []
        var unit: OpaquePointer?
        while true {
            var die = Dwarf_Die()
            var version: UInt16 = 0
            var type: UInt8 = 0
            let result = dwarf_get_units(dwarf, unit, &unit, &version, &type, &die, nil)
            if result == 1 { return units }
            guard result == 0 else {
                throw .badDebugInfo(path: image.path, reason: dwarf_errmsg(-1).map { String(cString: $0) } ?? "unknown")
            }
            // Skeleton and type units have no procedures, and kbuild makes none.
            if die.addr != nil { units.append(die) }
        }
    }
}

/// An entry of the DWARF tree. Valid as long as its `DebugInformation`.
struct Entry {
    private(set) var die: Dwarf_Die

    init(_ die: Dwarf_Die) { self.die = die }

    var tag: Int {
        var die = die
        return Int(dwarf_tag(&die))
    }

    /// DW_AT_name, through abstract origin and specification too.
    var name: String? {
        guard var attribute = integrated(DW_AT_name), let text = dwarf_formstring(&attribute) else { return nil }
        return String(cString: text)
    }

    /// A constant attribute: DW_AT_byte_size, DW_AT_data_member_location, DW_AT_inline.
    func constant(_ attribute: Int) -> UInt64? {
        guard var value = integrated(attribute) else { return nil }
        var result: Dwarf_Word = 0
        return dwarf_formudata(&value, &result) == 0 ? result : nil
    }

    func has(_ attribute: Int) -> Bool {
        var die = die
        return dwarf_hasattr(&die, UInt32(attribute)) == 1
    }

    /// The entry that a reference attribute points to: DW_AT_type, DW_AT_abstract_origin.
    func reference(_ attribute: Int) -> Entry? {
        guard var value = integrated(attribute) else { return nil }
        var target = Dwarf_Die()
        return dwarf_formref_die(&value, &target) != nil ? Entry(target) : nil
    }

    /// DW_AT_decl_file as a path.
    var declarationFile: String? {
        var die = die
        return dwarf_decl_file(&die).map { String(cString: $0) }
    }

    /// Where the entry is in .debug_info: its identity.
    var offset: UInt64 {
        var die = die
        return dwarf_dieoffset(&die)
    }

    /// Calls `body` for each child, in order.
    func forEachChild(_ body: (Entry) -> Void) {
        var parent = die
        var child = Dwarf_Die()
        guard dwarf_child(&parent, &child) == 0 else { return }
        while true {
            body(Entry(child))
            var next = Dwarf_Die()
            guard dwarf_siblingof(&child, &next) == 0 else { return }
            child = next
        }
    }

    private func integrated(_ name: Int) -> Dwarf_Attribute? {
        var die = die
        var attribute = Dwarf_Attribute()
        return dwarf_attr_integrate(&die, UInt32(name), &attribute) != nil ? attribute : nil
    }
}
