// SPDX-License-Identifier: GPL-2.0
import Foundation

/// gcov's counters of a node as the record keeps them: the memory of a module's section from its beginning, one file a
/// module and section. The module's symbol table says which counter lies where.
public struct CounterDump: Sendable, Hashable {
    public var module: String
    public var section: String
    public var file: URL

    /// `__gcov0.FUNCTION` is the object with the arc counters of a function.
    public static let symbolPrefix = "__gcov0."

    /// What a node left.
    public static func all(in node: NodeLayout) -> [CounterDump] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: node.counters.path)) ?? []
        return names.sorted().compactMap { name in
            guard let dot = name.firstIndex(of: ".") else { return nil }
            return CounterDump(
                module: String(name[..<dot]), section: String(name[dot...]),
                file: node.counters.appending(path: name))
        }
    }
}

extension NodeLayout {
    public var counters: URL { root.appending(path: "counters") }

    /// "counters/md-mod.bss".
    public func counters(module: String, section: String) -> URL { counters.appending(path: module + section) }
}
