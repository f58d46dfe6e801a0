// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule

/// The kallsyms of a node, made on the host: reading /proc/kallsyms in an emulated guest takes seconds, so it is done
/// once for a kernel (with nokaslr its symbols are always in the same place), and the modules are added from their
/// files.
struct KernelSymbols: Sendable {
    /// "ffffffff81000000 T _text" lines, in no order; modules' lines end in "\t[module]".
    private(set) var text: String
    /// The addresses of the modules' symbols.
    private(set) var modules: [String: UInt64] = [:]

    /// The kernel's own symbols: a file with lines of /proc/kallsyms.
    init(kernel file: URL) throws {
        text = try String(contentsOf: file, encoding: .utf8)
    }

    /// Those of a node that is restored with its modules: their text is in its trace already.
    init(modules: [String: UInt64]) {
        text = ""
        self.modules = modules
    }

    /// Adds a module whose sections lie at the given addresses (/sys/module/NAME/sections).
    mutating func add(module name: String, file: KernelModuleFile, sections: [String: UInt64]) {
        var lines = ""
        for symbol in file.symbols {
            guard let section = symbol.section, let base = sections[section] else { continue }
            modules[symbol.name] = base + symbol.offset
            // An address in a trace is one of code. Data may lie where init code was, and be the nearest name below.
            guard symbol.isFunction else { continue }
            lines += String(base + symbol.offset, radix: 16) + " t " + symbol.name + "\t[" + name + "]\n"
        }
        text += lines
    }
}
