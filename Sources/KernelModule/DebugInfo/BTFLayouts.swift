// SPDX-License-Identifier: GPL-2.0

extension StructLayouts {
    /// Reads the structures from a module's BTF, which Debian's own modules have instead of DWARF.
    ///
    /// - Parameters:
    ///   - path: the module. Throws `noDebugInfo` when it has no BTF.
    ///   - kernelImage: the kernel it was built with: vmlinuz, or a vmlinux with a .BTF section. Throws what
    ///     `KernelImage` throws. Decompressing a vmlinuz takes about a second.
    public init(
        path: String, kernelImage: String, structs wanted: [String] = Self.clusterStructs
    ) throws(ModuleError) {
        let module = try ElfImage(ModuleBytes.read(path), path: path)
        guard let section = module.section(".BTF") else { throw .noDebugInfo(path: path) }
        let btf = try BTF(
            kernel: KernelImage.btf(path: kernelImage), module: module.bytes(of: section), path: path)
        self.init(btf: btf, structs: wanted, buildID: KernelModuleFile.buildID(module))
    }

    init(btf: BTF, structs wanted: [String], buildID: String?) {
        var reader = BTFLayoutReader(btf: btf)
        for (name, type) in btf.structures(named: Set(wanted)) { reader.add(type, as: name, depth: 0) }
        self.init(structs: reader.structs, buildID: buildID)
    }
}

/// Collects layouts, as `LayoutReader` does from DWARF: the same keys, anonymous members in line.
private struct BTFLayoutReader {
    let btf: BTF
    private(set) var structs: [String: StructLayouts.Layout] = [:]

    init(btf: BTF) { self.btf = btf }

    /// C nests by value only so deep; a damaged file may nest for ever.
    private static let depthLimit = 32

    mutating func add(_ type: Int, as name: String, depth: Int) {
        guard structs[name] == nil, depth < Self.depthLimit else { return }
        structs[name] = StructLayouts.Layout(size: btf.sizeOrType(type), members: [])
        structs[name]!.members = members(of: type, at: 0, depth: depth)
    }

    private mutating func members(of type: Int, at base: Int, depth: Int) -> [StructLayouts.Member] {
        guard depth < Self.depthLimit else { return [] }
        var result: [StructLayouts.Member] = []
        for member in btf.members(type) {
            let (target, key) = resolve(member.type)
            let offset = base + member.bitOffset / 8
            if !member.name.isEmpty {
                if let key { add(target, as: key, depth: depth + 1) }
                result.append(
                    StructLayouts.Member(name: member.name, offset: offset, size: size(of: target, depth: 0), type: key)
                )
            } else if key != nil {
                result += members(of: target, at: offset, depth: depth + 1)
            }
        }
        return result
    }

    /// What a type is behind typedefs and qualifiers, and its key if it is a structure.
    private func resolve(_ type: Int) -> (type: Int, key: String?) {
        var current = type
        var alias: String?
        for _ in 0..<Self.depthLimit {
            switch btf.kind(current) {
            case .typedef:
                alias = btf.name(current)
                current = btf.sizeOrType(current)
            case .const, .volatile, .restrict, .typeTag: current = btf.sizeOrType(current)
            case .structure, .union:
                let name = btf.name(current)
                return (current, name.isEmpty ? alias ?? "anonymous@\(current)" : name)
            default: return (current, nil)
            }
        }
        return (current, nil)
    }

    private func size(of type: Int, depth: Int) -> Int {
        switch btf.kind(type) {
        case .pointer: return MemoryLayout<UInt64>.size
        case .array:
            guard depth < Self.depthLimit, let array = btf.array(type) else { return 0 }
            let element = size(of: resolve(array.element).type, depth: depth + 1)
            return element.multipliedReportingOverflow(by: array.count).partialValue
        case .int, .structure, .union, .enumeration, .float, .enumeration64: return btf.sizeOrType(type)
        default: return 0
        }
    }
}
