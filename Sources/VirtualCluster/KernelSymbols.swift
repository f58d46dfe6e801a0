// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The kallsyms of a node, made on the host: reading /proc/kallsyms in an emulated guest takes seconds.
struct KernelSymbols: Sendable {
    /// "ffffffff81000000 T _text" lines, in no order; modules' lines end in "\t[module]".
    private(set) var text: String
    /// The addresses of the modules' symbols.
    private(set) var modules: [String: UInt64] = [:]

    /// The kernel's own symbols, from System.map: with nokaslr they are where it says.
    init(systemMap: String) throws {
        text = try String(contentsOfFile: systemMap, encoding: .utf8)
    }

    mutating func add(module name: String, symbols: [(name: String, address: UInt64)]) {
        for symbol in symbols {
            text += String(symbol.address, radix: 16) + " t " + symbol.name + "\t[" + name + "]\n"
            modules[symbol.name] = symbol.address
        }
    }
}
