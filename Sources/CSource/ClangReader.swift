// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Why a dump cannot be read.
public enum CSourceError: Error, Equatable, Sendable {
    /// It is not JSON of clang's; the reason is the decoder's.
    case notADump(reason: String)
}

/// Reads what clang says of a C file into a tree.
public struct ClangReader {
    private let source: [UInt8]
    /// Offsets of line ends.
    private let ends: [Int]
    private var enumerators: [String: Int] = [:]
    /// By clang's number of a declaration: its name, made unique in its function.
    private var names: [String: String] = [:]
    private var used: Set<String> = []
    /// By clang's number of a label, its name.
    private(set) var labels: [String: String] = [:]

    /// - Parameters:
    ///   - dump: the output of `clang -Xclang -ast-dump=json` for one file.
    ///   - source: the file.
    ///   - file: its name, "md-cluster.c". What comes from another file is left out.
    public static func unit(dump: Data, source: Data, file: String) throws(CSourceError) -> CUnit {
        let root: ClangNode
        do {
            root = try JSONDecoder().decode(ClangNode.self, from: dump)
        } catch {
            throw .notADump(reason: "\(error)")
        }
        guard root.kind == "TranslationUnitDecl" else { throw .notADump(reason: "no TranslationUnitDecl") }
        var reader = ClangReader(source: [UInt8](source))
        let unit = reader.unit(root, file)
        return unit
    }

    private init(source: [UInt8]) {
        self.source = source
        ends = source.indices.filter { source[$0] == UInt8(ascii: "\n") }
    }

    private mutating func unit(_ root: ClangNode, _ name: String) -> CUnit {
        var functions: [CFunction] = []
        var tables: [String: String] = [:]
        var variables: [String: String] = [:]
        var file = ""
        for declaration in root.children {
            if let named = declaration.loc?.files.last { file = named }
            if file == name || file.hasSuffix("/" + name) { read(declaration, &functions, &tables, &variables) }
            for named in Self.files(of: declaration) { file = named }
        }
        return CUnit(functions: functions, tables: tables, variables: variables, text: lines())
    }

    private mutating func read(
        _ declaration: ClangNode, _ functions: inout [CFunction], _ tables: inout [String: String],
        _ variables: inout [String: String]
    ) {
        switch declaration.kind {
        case "EnumDecl": addEnumerators(declaration)
        case "VarDecl":
            let table = table(declaration)
            tables.merge(table) { _, new in new }
            // What macros such as MODULE_LICENSE make has names with two underscores.
            if table.isEmpty, let name = declaration.name, !name.hasPrefix("__") {
                variables[name] = text(of: declaration)
            }
        case "FunctionDecl":
            if let function = function(declaration) { functions.append(function) }
        default: break
        }
    }

    /// The files that are named in the node, in the order of printing.
    private static func files(of node: ClangNode) -> [String] {
        var found = (node.loc?.files ?? []) + (node.range?.begin.files ?? []) + (node.range?.end.files ?? [])
        for child in node.children { found += files(of: child) }
        return found
    }

    private func lines() -> [String] {
        var begin = 0
        var lines: [String] = []
        for end in ends + [source.count] where begin <= end {
            lines.append(String(decoding: source[begin..<end], as: UTF8.self))
            begin = end + 1
        }
        return lines
    }

    /// The line of a byte, from 1.
    private func line(of offset: Int) -> Int {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low + 1
    }

    func lines(of node: ClangNode?) -> ClosedRange<Int> {
        guard let begin = node?.range?.begin.place else { return 0...0 }
        let first = line(of: begin)
        return first...max(first, node?.range?.end.place.map { line(of: $0) } ?? first)
    }

    private mutating func addEnumerators(_ declaration: ClangNode) {
        var next = 0
        for item in declaration.children where item.kind == "EnumConstantDecl" {
            if case .text(let text)? = item.children.first?.value, let value = Int(text) { next = value }
            if let name = item.name { enumerators[name] = next }
            next += 1
        }
    }

    /// The dump has a table's functions without the names of the fields; those are read from the text.
    private func table(_ declaration: ClangNode) -> [String: String] {
        guard let record = Self.record(declaration.type) else { return [:] }
        let text = text(of: declaration)
        var table: [String: String] = [:]
        for match in text.matches(of: /\.(\w+)\s*=\s*&?(\w+)/) { table["\(record).\(match.1)"] = String(match.2) }
        return table
    }

    private func text(of node: ClangNode) -> String {
        guard let begin = node.range?.begin.place, let end = node.range?.end.place, begin <= end, end < source.count
        else { return "" }
        return String(decoding: source[begin...end], as: UTF8.self)
    }

    private mutating func function(_ declaration: ClangNode) -> CFunction? {
        guard let name = declaration.name,
            let body = declaration.children.first(where: { $0.kind == "CompoundStmt" })
        else { return nil }
        names = [:]
        used = []
        var parameters: [CFunction.Parameter] = []
        for parameter in declaration.children where parameter.kind == "ParmVarDecl" {
            parameters.append(.init(name: declare(parameter), type: parameter.type?.qualType ?? ""))
        }
        let whole = declaration.type?.qualType ?? ""
        let returns = whole.firstIndex(of: "(").map { whole[..<$0].trimmingCharacters(in: .whitespaces) } ?? whole
        labels = Self.labels(in: body)
        let statements = block(body)
        return CFunction(
            name: name, parameters: parameters, returns: returns, body: statements, lines: lines(of: declaration))
    }

    private static func labels(in node: ClangNode) -> [String: String] {
        var found: [String: String] = [:]
        if node.kind == "LabelStmt", let id = node.declId { found[id] = node.name }
        for child in node.children { found.merge(labels(in: child)) { old, _ in old } }
        return found
    }

    mutating func declare(_ node: ClangNode) -> String {
        let plain = node.name ?? "_"
        var name = plain
        var number = 2
        while used.contains(name) {
            name = "\(plain)~\(number)"
            number += 1
        }
        used.insert(name)
        if let id = node.id { names[id] = name }
        return name
    }

    func name(of reference: ClangNode.Reference) -> String { names[reference.id] ?? reference.name ?? "_" }

    func value(ofEnumerator name: String) -> Int? { enumerators[name] }

    /// The struct that a type or a pointer to it names.
    static func record(_ type: ClangNode.CType?) -> String? {
        guard let text = type?.desugaredQualType ?? type?.qualType else { return nil }
        return text.firstMatch(of: /(?:struct|union) (\w+)/).map { String($0.1) }
    }

    static func isUnnamed(_ type: ClangNode.CType?) -> Bool {
        let text = type?.desugaredQualType ?? type?.qualType ?? ""
        return text.contains("(unnamed") || text.contains("(anonymous")
    }
}
