// SPDX-License-Identifier: GPL-2.0
import CElf

/// Which functions of a module the compiler inlined: those cannot be traced by name where they were inlined.
///
///     let inlined = try InlinedFunctions(path: "md-cluster.ko")
///     inlined.units[0].functions["lock_token"]   // into: ["lock_comm", "metadata_update_start"], everywhere: true
public struct InlinedFunctions: Sendable, Codable, Equatable {
    public struct Function: Sendable, Codable, Equatable {
        /// The functions whose code has a copy, sorted.
        public var into: [String]
        /// No symbol of that name is left, so no tracer can see it at all.
        public var everywhere: Bool
    }

    /// A compile unit: one .c file.
    public struct Unit: Sendable, Codable, Equatable {
        /// DW_AT_name: the path of the .c file as the compiler was given it.
        public var name: String
        /// Only functions that this .c file itself defines, not those of headers.
        public var functions: [String: Function]
    }

    public var units: [Unit]

    /// Reads a module with debug information. Throws as `StructLayouts` does.
    public init(path: String) throws(ModuleError) {
        try self.init(bytes: ModuleBytes.read(path), path: path)
    }

    /// The same from bytes that are already here.
    init(bytes: [UInt8], path: String) throws(ModuleError) {
        let debug = try DebugInformation(bytes, path: path)
        let table = try debug.image.symbolTable()
        let functions = table.filter { Int32($0.type) == STT_FUNC && $0.section != SHN_UNDEF }
        // "f.constprop.0" and "f.isra.0" are f, changed: a tracer can still see it under that name.
        let symbols = Set(functions.map { String($0.name.prefix { $0 != "." }) })
        units = try withExtendedLifetime(debug) { () throws(ModuleError) in
            try debug.units().map { unit in
                var reader = InlineReader(unit: Entry(unit))
                reader.read()
                let functions = reader.into.filter { !$0.value.isEmpty }.map { name, procedures in
                    (name, Function(into: procedures.sorted(), everywhere: !symbols.contains(name)))
                }
                return Unit(name: reader.unit.name ?? "", functions: Dictionary(uniqueKeysWithValues: functions))
            }
        }
    }

    /// Whether no copy of the function can be traced, in any unit.
    public func isInlinedEverywhere(_ function: String) -> Bool {
        units.contains { $0.functions[function]?.everywhere == true }
    }
}

private struct InlineReader {
    let unit: Entry
    /// By inlined function, the functions that have a copy.
    private(set) var into: [String: Set<String>] = [:]

    init(unit: Entry) { self.unit = unit }

    mutating func read() {
        let file = unit.name.map(Self.lastComponent)
        var procedures: [Entry] = []
        unit.forEachChild { if $0.tag == DW_TAG_subprogram { procedures.append($0) } }
        // A function that was inlined anywhere has an abstract entry, with DW_AT_inline of its own.
        for procedure in procedures where procedure.has(DW_AT_inline) {
            if let name = procedure.name, procedure.declarationFile.map(Self.lastComponent) == file { into[name] = [] }
        }
        for procedure in procedures where !procedure.has(DW_AT_inline) {
            guard let name = procedure.name else { continue }
            collect(procedure, in: name, depth: 0)
            // Where only the cold part was split off ("f.part.0"), f holds itself.
            into[name]?.remove(name)
        }
    }

    private static func lastComponent(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }

    /// The compiler nests inlined copies some dozen deep; a damaged file may nest for ever.
    private static let depthLimit = 256

    /// Inlined copies lie below the procedure, among its lexical blocks and other inlined copies.
    private mutating func collect(_ entry: Entry, in procedure: String, depth: Int) {
        guard depth < Self.depthLimit else { return }
        var children: [Entry] = []
        entry.forEachChild { child in
            if child.tag == DW_TAG_inlined_subroutine || child.tag == DW_TAG_lexical_block { children.append(child) }
        }
        for child in children {
            if child.tag == DW_TAG_inlined_subroutine, let name = child.name { into[name]?.insert(procedure) }
            collect(child, in: procedure, depth: depth + 1)
        }
    }
}
