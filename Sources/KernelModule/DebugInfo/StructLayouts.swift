// SPDX-License-Identifier: GPL-2.0
import CElf
import NearNames

/// Where the members of kernel structures lie, from a module's DWARF.
///
///     let layouts = try StructLayouts(path: "md-cluster.ko")
///     try layouts.offset(of: "state", in: "md_cluster_info")
///     try layouts.offset(of: "reconfig_mutex.owner", in: "mddev")
///
/// A value that can be written beside a build and read again without libdw. Holds the structures asked for and
/// those that lie inside them; what they only point to has to be asked for by name.
public struct StructLayouts: Sendable, Codable, Equatable {
    public struct Member: Sendable, Codable, Equatable {
        public var name: String
        /// Bytes from the start of the structure. A bit field has the offset of its storage.
        public var offset: Int
        /// Bytes; 0 where DWARF does not say (a flexible array).
        public var size: Int
        /// The key in `structs` of the structure that this member is, not points to; nil for all others.
        public var type: String?
    }

    public struct Layout: Sendable, Codable, Equatable {
        public var size: Int
        /// In the source's order; those of anonymous structs and unions stand among them, as C has it.
        public var members: [Member]
    }

    /// By tag ("mddev") or, for a struct without one, by typedef ("atomic64_t").
    public var structs: [String: Layout]
    /// The build id of the module that they were read from.
    public var buildID: String?

    /// What a snapshot of a node's arrays needs; all of it is in the DWARF of md-cluster.ko.
    public static let clusterStructs = [
        "md_cluster_info", "dlm_lock_resource", "mddev", "md_rdev", "md_thread", "gendisk", "mutex", "list_head",
        "task_struct",
    ]

    /// Reads the structures named, from a module with debug information. Throws what `KernelModuleFile` throws,
    /// `noDebugInfo` and `badDebugInfo`; a structure that the module's source does not define is left out.
    /// About 0.1 s for md-cluster.ko.
    public init(path: String, structs wanted: [String] = Self.clusterStructs) throws(ModuleError) {
        try self.init(bytes: ModuleBytes.read(path), path: path, structs: wanted)
    }

    /// The same from bytes that are already here.
    init(bytes: [UInt8], path: String, structs wanted: [String]) throws(ModuleError) {
        let debug = try DebugInformation(bytes, path: path)
        self = try withExtendedLifetime(debug) { () throws(ModuleError) in
            var reader = LayoutReader(wanted: wanted)
            for unit in try debug.units() where !reader.missing.isEmpty { reader.read(unit: Entry(unit)) }
            return StructLayouts(structs: reader.structs, buildID: KernelModuleFile.buildID(debug.image))
        }
    }

    init(structs: [String: Layout], buildID: String?) {
        (self.structs, self.buildID) = (structs, buildID)
    }

    /// The member at a path of member names ("reconfig_mutex.owner"), its offset counted from the outermost
    /// structure. Throws `noSuchStruct` or `noSuchMember`.
    public func member(_ path: String, in name: String) throws(ModuleError) -> Member {
        guard var layout = structs[name] else {
            throw .noSuchStruct(name, near: NameSuggestions.of(name, among: structs.keys))
        }
        var typeName = name
        var offset = 0
        let steps = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        for (index, step) in steps.enumerated() {
            guard let member = layout.members.first(where: { $0.name == step }) else {
                throw .noSuchMember(
                    step, of: typeName, near: NameSuggestions.of(step, among: layout.members.map(\.name)))
            }
            // A damaged file may have sent it anywhere.
            offset &+= member.offset
            if index == steps.count - 1 {
                return Member(name: path, offset: offset, size: member.size, type: member.type)
            }
            guard let type = member.type, let next = structs[type] else {
                throw .noSuchMember(steps[index + 1], of: "\(typeName).\(step), which is no struct", near: [])
            }
            (layout, typeName) = (next, type)
        }
        throw .noSuchMember(path, of: name, near: [])
    }

    /// The offset in bytes of a member, as `offsetof` has it.
    public func offset(of path: String, in name: String) throws(ModuleError) -> Int {
        try member(path, in: name).offset
    }
}

/// Walks the DWARF of one module and collects layouts.
private struct LayoutReader {
    var structs: [String: StructLayouts.Layout] = [:]
    /// What was asked for and has not come yet.
    private(set) var missing: Set<String>

    init(wanted: [String]) { missing = Set(wanted) }

    /// Structures stand at the top of a unit, behind declarations of the same name.
    mutating func read(unit: Entry) {
        var found: [Entry] = []
        unit.forEachChild { entry in
            guard isAggregate(entry), !entry.has(DW_AT_declaration), let name = entry.name else { return }
            if missing.contains(name) { found.append(entry) }
        }
        for entry in found where missing.remove(entry.name!) != nil { add(entry, as: entry.name!, depth: 0) }
    }

    private func isAggregate(_ entry: Entry) -> Bool {
        entry.tag == DW_TAG_structure_type || entry.tag == DW_TAG_union_type
    }

    /// C nests by value only so deep; a damaged file may nest for ever.
    private static let depthLimit = 32

    private mutating func add(_ entry: Entry, as name: String, depth: Int) {
        guard structs[name] == nil, depth < Self.depthLimit else { return }
        // Entered before its members, so that a (damaged) structure inside itself ends here.
        structs[name] = StructLayouts.Layout(size: Int(clamping: entry.constant(DW_AT_byte_size) ?? 0), members: [])
        structs[name]!.members = members(of: entry, at: 0, depth: depth)
    }

    private mutating func members(of entry: Entry, at base: Int, depth: Int) -> [StructLayouts.Member] {
        guard depth < Self.depthLimit else { return [] }
        var children: [Entry] = []
        entry.forEachChild { child in
            if child.tag == DW_TAG_member { children.append(child) }
        }
        var result: [StructLayouts.Member] = []
        for child in children {
            let bits = child.constant(DW_AT_data_bit_offset).map { Int(clamping: $0 / 8) }
            let own = child.constant(DW_AT_data_member_location).map { Int(clamping: $0) } ?? bits ?? 0
            let (offset, overflow) = base.addingReportingOverflow(own)
            guard !overflow, let type = resolve(child.reference(DW_AT_type)) else { continue }
            if let name = child.name {
                if let key = type.key { add(type.entry, as: key, depth: depth + 1) }
                let size = Int(clamping: type.entry.constant(DW_AT_byte_size) ?? size(of: type.entry))
                result.append(StructLayouts.Member(name: name, offset: offset, size: size, type: type.key))
            } else if isAggregate(type.entry) {
                result += members(of: type.entry, at: offset, depth: depth + 1)
            }
        }
        return result
    }

    /// What a type is behind typedefs and qualifiers, and its key if it is a structure.
    private func resolve(_ type: Entry?) -> (entry: Entry, key: String?)? {
        guard var entry = type else { return nil }
        var alias: String?
        for _ in 0..<Self.depthLimit {
            switch entry.tag {
            case DW_TAG_typedef: alias = entry.name ?? alias
            case DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type: break
            default:
                // A structure with neither tag nor typedef gets a key of its own from where it is.
                let key = isAggregate(entry) ? entry.name ?? alias ?? "anonymous@\(entry.offset)" : nil
                return (entry, key)
            }
            guard let next = entry.reference(DW_AT_type) else { return nil }
            entry = next
        }
        return nil
    }

    /// Arrays have no DW_AT_byte_size: count times element.
    private func size(of entry: Entry) -> UInt64 {
        guard entry.tag == DW_TAG_array_type, let element = resolve(entry.reference(DW_AT_type))?.entry else {
            return 0
        }
        guard var total = element.constant(DW_AT_byte_size) else { return 0 }
        entry.forEachChild { range in
            guard range.tag == DW_TAG_subrange_type else { return }
            let count = range.constant(DW_AT_count) ?? range.constant(DW_AT_upper_bound).map { $0 &+ 1 } ?? 0
            total = total.multipliedReportingOverflow(by: count).partialValue
        }
        return total
    }
}
