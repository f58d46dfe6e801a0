// SPDX-License-Identifier: GPL-2.0

/// A .BTF section: the types of a kernel or of a module, as Documentation/bpf/btf.rst has them.
///
/// A module's BTF is split: type numbers and string offsets go on where those of the kernel's own end, so it can only
/// be read together with that.
struct BTF {
    struct Member {
        var name: String
        var type: Int
        /// Bits from the start of the structure.
        var bitOffset: Int
    }

    /// `btf_kind` of include/uapi/linux/btf.h, as far as layouts need it.
    enum Kind: UInt32 {
        case int = 1
        case pointer, array, structure, union, enumeration, forward, typedef, volatile, const, restrict, function
        case functionPrototype, variable, dataSection, float, declarationTag, typeTag, enumeration64
    }

    private struct Part {
        var bytes: [UInt8]
        /// Where each type starts in `bytes`.
        var types: [Int] = []
        var firstType: Int
        var strings: Range<Int>
        var firstString: Int
    }

    private var parts: [Part] = []

    /// Reads the kernel's own section and, behind it, a module's. Throws `badDebugInfo`.
    init(kernel: [UInt8], module: [UInt8]? = nil, path: String) throws(ModuleError) {
        try append(kernel, path: path)
        if let module { try append(module, path: path) }
    }

    private mutating func append(_ bytes: [UInt8], path: String) throws(ModuleError) {
        guard let magic: UInt16 = bytes.value(at: 0), magic == 0xeb9f, let header: UInt32 = bytes.value(at: 4),
            let typeOffset: UInt32 = bytes.value(at: 8), let typeSize: UInt32 = bytes.value(at: 12),
            let stringOffset: UInt32 = bytes.value(at: 16), let stringSize: UInt32 = bytes.value(at: 20)
        else { throw .badDebugInfo(path: path, reason: "no BTF header") }
        let start = Int(header) + Int(typeOffset)
        let end = start + Int(typeSize)
        let strings = Int(header) + Int(stringOffset)
        guard end <= bytes.count, strings + Int(stringSize) <= bytes.count else {
            throw .badDebugInfo(path: path, reason: "BTF ends too early")
        }
        var part = Part(
            bytes: bytes, firstType: parts.last.map { $0.firstType + $0.types.count } ?? 1,
            strings: strings..<strings + Int(stringSize),
            firstString: parts.last.map { $0.firstString + $0.strings.count } ?? 0)
        var offset = start
        while offset < end {
            guard let info: UInt32 = bytes.value(at: offset + 4), let kind = Kind(rawValue: info >> 24 & 0x1f) else {
                throw .badDebugInfo(path: path, reason: "unknown BTF kind")
            }
            part.types.append(offset)
            offset += 12 + Self.extraBytes(kind, count: Int(info & 0xffff))
        }
        parts.append(part)
    }

    /// What stands behind the twelve bytes that all types have.
    private static func extraBytes(_ kind: Kind, count: Int) -> Int {
        switch kind {
        case .int, .variable, .declarationTag: 4
        case .array: 12
        case .structure, .union, .dataSection, .enumeration64: 12 * count
        case .enumeration, .functionPrototype: 8 * count
        default: 0
        }
    }

    // MARK: - Types by number

    private func find(_ type: Int) -> (part: Part, offset: Int)? {
        for part in parts where type >= part.firstType && type - part.firstType < part.types.count {
            return (part, part.types[type - part.firstType])
        }
        return nil
    }

    private func string(_ offset: UInt32) -> String {
        for part in parts {
            let position = Int(offset) - part.firstString
            if position >= 0, position < part.strings.count {
                return part.bytes.cString(at: part.strings.lowerBound + position) ?? ""
            }
        }
        return ""
    }

    /// nil for void and for a number that no type has.
    func kind(_ type: Int) -> Kind? {
        find(type).flatMap { part, offset in
            part.bytes.value(at: offset + 4, as: UInt32.self).flatMap { Kind(rawValue: $0 >> 24 & 0x1f) }
        }
    }

    func name(_ type: Int) -> String {
        find(type).flatMap { part, offset in part.bytes.value(at: offset).map(string) } ?? ""
    }

    /// The size of a type that has one, or the type that it refers to.
    func sizeOrType(_ type: Int) -> Int {
        find(type).flatMap { part, offset in
            part.bytes.value(at: offset + 8, as: UInt32.self).map(Int.init)
        } ?? 0
    }

    /// The element type of an array, and how many there are.
    func array(_ type: Int) -> (element: Int, count: Int)? {
        guard let (part, offset) = find(type), let element: UInt32 = part.bytes.value(at: offset + 12),
            let count: UInt32 = part.bytes.value(at: offset + 20)
        else { return nil }
        return (Int(element), Int(count))
    }

    func members(_ type: Int) -> [Member] {
        guard let (part, offset) = find(type), let info: UInt32 = part.bytes.value(at: offset + 4) else { return [] }
        let hasBitFields = info >> 31 == 1
        return (0..<Int(info & 0xffff)).compactMap { index in
            let place = offset + 12 + 12 * index
            guard let name: UInt32 = part.bytes.value(at: place), let type: UInt32 = part.bytes.value(at: place + 4),
                let bits: UInt32 = part.bytes.value(at: place + 8)
            else { return nil }
            return Member(
                name: string(name), type: Int(type), bitOffset: Int(hasBitFields ? bits & 0xff_ffff : bits))
        }
    }

    /// The structure or union of each name, the module's before the kernel's.
    func structures(named names: Set<String>) -> [String: Int] {
        var found: [String: Int] = [:]
        for part in parts.reversed() {
            for (index, offset) in part.types.enumerated() {
                guard let info: UInt32 = part.bytes.value(at: offset + 4),
                    let kind = Kind(rawValue: info >> 24 & 0x1f), kind == .structure || kind == .union
                else { continue }
                let name = name(part.firstType + index)
                if names.contains(name), found[name] == nil { found[name] = part.firstType + index }
            }
        }
        return found
    }
}
