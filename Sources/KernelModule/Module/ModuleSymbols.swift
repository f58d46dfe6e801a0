// SPDX-License-Identifier: GPL-2.0
import CElf

/// A function or an object that a module defines.
public struct Symbol: Sendable, Hashable {
    public var name: String
    /// ".text", ".bss", ...; nil for an absolute symbol.
    public var section: String?
    /// The offset in its section.
    public var offset: UInt64
    public var size: UInt64
    public var isFunction: Bool
    /// The file that a local symbol was compiled from ("md-bitmap.c"); nil for others. Static functions of two files
    /// may have one name.
    public var sourceFile: String?
    public init(
        name: String, section: String?, offset: UInt64, size: UInt64, isFunction: Bool, sourceFile: String? = nil
    ) {
        (self.name, self.section, self.offset, self.size, self.isFunction) = (name, section, offset, size, isFunction)
        self.sourceFile = sourceFile
    }
}

/// A symbol that the kernel or another module has to export.
public struct UndefinedSymbol: Sendable, Hashable, Codable {
    public var name: String
    /// A weak reference may stay unresolved.
    public var isWeak: Bool
    /// From __versions: what genksyms made of its type where this module was built. nil without CONFIG_MODVERSIONS.
    public var crc: UInt32?
    public init(name: String, isWeak: Bool, crc: UInt32?) {
        (self.name, self.isWeak, self.crc) = (name, isWeak, crc)
    }
}

/// A symbol that is exported to modules.
public struct ExportedSymbol: Sendable, Hashable, Codable {
    public var name: String
    /// EXPORT_SYMBOL_GPL.
    public var gplOnly: Bool
    public var crc: UInt32?
    /// EXPORT_SYMBOL_NS: a user has to declare MODULE_IMPORT_NS of it.
    public var namespace: String?
    public init(name: String, gplOnly: Bool, crc: UInt32?, namespace: String? = nil) {
        (self.name, self.gplOnly, self.crc, self.namespace) = (name, gplOnly, crc, namespace)
    }
}

extension KernelModuleFile {
    /// Where the symbols of a loaded module are: its kallsyms, for a kernel that hides them or a node that hangs.
    ///
    /// - Parameter sections: the base addresses of the sections that are in memory, as /sys/module/NAME/sections/*
    ///   has them (`add_sect_attrs` of kernel/module/sysfs.c).
    /// - Returns: by address. Symbols of other sections and of .init sections, which the kernel frees after loading,
    ///   are left out.
    public func symbolAddresses(sections: [String: UInt64]) -> [(name: String, address: UInt64)] {
        symbols.compactMap { symbol in
            guard let section = symbol.section, !section.hasPrefix(".init"), let base = sections[section] else {
                return nil
            }
            return (symbol.name, base &+ symbol.offset)
        }.sorted { ($0.address, $0.name) < ($1.address, $1.name) }
    }

    static func symbols(_ image: ElfImage, _ table: [ElfImage.Entry]) -> [Symbol] {
        var file: String?
        return table.compactMap { entry in
            let types = [STT_NOTYPE, STT_OBJECT, STT_FUNC]
            // Local symbols follow the STT_FILE entry of their object (System V ABI, "Symbol Table").
            if Int32(entry.type) == STT_FILE { file = entry.name }
            guard !entry.name.isEmpty, entry.section != SHN_UNDEF, types.contains(Int32(entry.type)) else { return nil }
            let isReserved = entry.section >= SHN_LORESERVE
            guard isReserved || image.sections.indices.contains(entry.section) else { return nil }
            return Symbol(
                name: entry.name, section: isReserved ? nil : image.sections[entry.section].name, offset: entry.value,
                size: entry.size, isFunction: Int32(entry.type) == STT_FUNC,
                sourceFile: Int32(entry.binding) == STB_LOCAL ? file : nil)
        }
    }

    static func undefinedSymbols(_ table: [ElfImage.Entry], versions: [String: UInt32]) -> [UndefinedSymbol] {
        table.filter { $0.section == SHN_UNDEF && !$0.name.isEmpty }
            .map { UndefinedSymbol(name: $0.name, isWeak: Int32($0.binding) == STB_WEAK, crc: versions[$0.name]) }
            .sorted { $0.name < $1.name }
    }

    /// `struct modversion_info`: an unsigned long of CRC, then the name in 56 bytes. nil without the section.
    static func versions(_ image: ElfImage) -> [String: UInt32]? {
        guard let section = image.section("__versions") else { return nil }
        let bytes = image.bytes(of: section)
        var result: [String: UInt32] = [:]
        for offset in stride(from: 0, through: bytes.count - 64, by: 64) {
            let name = bytes[(offset + 8)..<(offset + 64)].prefix { $0 != 0 }
            result[String(decoding: name, as: UTF8.self)] = bytes.value(at: offset)
        }
        return result
    }

    /// Follows the symbols that EXPORT_SYMBOL makes: `__ksymtab_NAME` lies in __ksymtab or __ksymtab_gpl,
    /// `__kstrtabns_NAME` is its namespace, and `__crc_NAME` is the CRC in __kcrctab, or, until Linux commit
    /// 7b4537199a4a ("kbuild: link symbol CRCs at final link, removing CONFIG_MODULE_REL_CRCS") (v5.19), may be
    /// an absolute symbol with the CRC as its value.
    static func exportedSymbols(_ image: ElfImage, _ table: [ElfImage.Entry]) -> [ExportedSymbol] {
        var exports: [String: ExportedSymbol] = [:]
        var contents: [Int: [UInt8]] = [:]
        func bytes(_ index: Int) -> [UInt8] {
            guard image.sections.indices.contains(index) else { return [] }
            if contents[index] == nil { contents[index] = image.bytes(of: image.sections[index]) }
            return contents[index]!
        }
        for entry in table {
            guard let name = entry.name.dropping(prefix: "__ksymtab_"), image.sections.indices.contains(entry.section),
                image.sections[entry.section].name.hasPrefix("__ksymtab")
                    || image.sections[entry.section].name.hasPrefix("___ksymtab")
            else { continue }
            let gplOnly = image.sections[entry.section].name.contains("ksymtab_gpl")
            exports[name] = ExportedSymbol(name: name, gplOnly: gplOnly, crc: nil)
        }
        for entry in table where entry.section != SHN_UNDEF {
            if let name = entry.name.dropping(prefix: "__crc_"), exports[name] != nil {
                exports[name]!.crc =
                    entry.section == SHN_ABS
                    ? UInt32(truncatingIfNeeded: entry.value)
                    : Int(exactly: entry.value).flatMap { bytes(entry.section).value(at: $0) }
            } else if let name = entry.name.dropping(prefix: "__kstrtabns_"), exports[name] != nil {
                let namespace = Int(exactly: entry.value).flatMap { bytes(entry.section).cString(at: $0) }
                exports[name]!.namespace = namespace?.isEmpty == false ? namespace : nil
            }
        }
        return exports.values.sorted { $0.name < $1.name }
    }
}

extension String {
    /// What is left behind `prefix`; nil when it does not start so, or nothing is left.
    func dropping(prefix: String) -> String? {
        hasPrefix(prefix) && count > prefix.count ? String(dropFirst(prefix.count)) : nil
    }
}
