// SPDX-License-Identifier: GPL-2.0
import CElf

/// What of a module is executed or read by what is executed, in a form in which two builds can be compared.
///
/// Left out is what says where the code was written: debug information, the line numbers of WARN (__bug_table) and of
/// pr_debug (__dyndbg), the build id, versions and module description. Two equal digests mean the same code and data.
public struct CodeDigest: Sendable, Equatable {
    /// Section -> its bytes and what is relocated in them.
    private var sections: [String: [UInt8]] = [:]

    /// - Throws: the `ModuleError` cases about files and ELF.
    public init(path: String) throws(ModuleError) {
        let image = try ElfImage(ModuleBytes.read(path), path: path)
        let table = try image.symbolTable()
        for section in image.sections where Self.isCompared(section) {
            var content = image.bytes(of: section)
            for relocation in image.relocations(of: section) {
                var target = "?"
                if table.indices.contains(relocation.symbol) {
                    let entry = table[relocation.symbol]
                    let isSection = Int32(entry.type) == STT_SECTION
                    let place = image.sections.indices.contains(entry.section) ? image.sections[entry.section].name : ""
                    target = isSection ? place : "\(entry.name) \(place) \(entry.value)"
                }
                content += "\n\(relocation.offset) \(relocation.type) \(target) \(relocation.addend)".utf8
            }
            content += "\n\(section.size)".utf8
            sections[section.name, default: []] += content
        }
    }

    private static func isCompared(_ section: ElfImage.Section) -> Bool {
        let left = [".note", "__bug_table", "__dyndbg", ".modinfo", "__versions", ".gnu.linkonce", ".BTF"]
        return UInt64(section.flags) & UInt64(SHF_ALLOC) != 0 && !left.contains { section.name.hasPrefix($0) }
    }

    /// The sections that are not the same.
    public func differences(from other: CodeDigest) -> [String] {
        Set(sections.keys).union(other.sections.keys).filter { sections[$0] != other.sections[$0] }.sorted()
    }
}
