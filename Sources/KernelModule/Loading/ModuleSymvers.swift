// SPDX-License-Identifier: GPL-2.0

/// Module.symvers: what a kernel and the modules built with it export, as `modpost` writes it.
///
/// A line is "0xCRC<tab>symbol<tab>module<tab>export type<tab>namespace"; the module is "vmlinux" or a path without
/// suffix ("drivers/md/md-mod").
public struct ModuleSymvers: Sendable {
    public struct Export: Sendable, Equatable {
        public var symbol: ExportedSymbol
        /// "vmlinux", or the module's name as in /proc/modules.
        public var module: String
        public init(symbol: ExportedSymbol, module: String) {
            (self.symbol, self.module) = (symbol, module)
        }
    }

    public private(set) var exports: [String: Export]

    /// Reads the file. Throws the errors about files, and `badSymvers` with the first line that is none.
    public init(path: String) throws(ModuleError) {
        try self.init(text: ModuleBytes.readFile(path), path: path)
    }

    init(text: [UInt8], path: String) throws(ModuleError) {
        exports = [:]
        exports.reserveCapacity(text.count / 60)
        var number = 0
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty { continue }
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count >= 4, let digits = fields[0].dropping(prefix: "0x"), !fields[1].isEmpty,
                let crc = UInt32(digits, radix: 16), fields[3].hasPrefix("EXPORT_SYMBOL")
            else { throw .badSymvers(path: path, line: number) }
            let module = moduleName(fields[2].split(separator: "/").last ?? "")
            let symbol = ExportedSymbol(
                name: fields[1], gplOnly: fields[3].hasSuffix("_GPL"),
                // modpost writes 0 for a symbol that genksyms made no CRC of: assembly without a prototype.
                crc: crc == 0 ? nil : crc, namespace: fields.count > 4 && !fields[4].isEmpty ? fields[4] : nil)
            exports[symbol.name] = Export(symbol: symbol, module: module)
        }
    }

    /// Puts other modules in the place of those of the same name: what they do not export any more is gone.
    public func replacing(_ modules: [KernelModuleFile]) -> ModuleSymvers {
        var result = self
        let names = Set(modules.map(\.name))
        result.exports = exports.filter { !names.contains($0.value.module) }
        for module in modules {
            for symbol in module.exportedSymbols {
                result.exports[symbol.name] = Export(symbol: symbol, module: module.name)
            }
        }
        return result
    }
}
