// SPDX-License-Identifier: GPL-2.0

/// Why a kernel would refuse a module, or what the check could not tell.
public enum LoadProblem: Sendable, Hashable, Codable {
    /// "disagrees about version magic": both as they are compared, without the release where CRCs are compared.
    case vermagic(module: String, kernel: String)
    case noVermagic
    /// "Unknown symbol": neither the kernel nor the modules given export it.
    case missingSymbol(symbol: String)
    /// "disagrees about version of symbol": its type is another one than the module was built against. For
    /// `module_layout` it is that of struct module and what lies in it: the module is for another configuration.
    case crc(symbol: String, exportedBy: String, module: UInt32, kernel: UInt32)
    /// EXPORT_SYMBOL_GPL, used by a module whose license the kernel does not count as one.
    case gplOnly(symbol: String, license: String)
    /// The symbol's namespace is not among the module's MODULE_IMPORT_NS.
    case namespace(symbol: String, namespace: String)
    /// A symbol that this module and another both export: "exports duplicate symbol".
    case duplicateExport(symbol: String, owner: String)
}

/// Whether a module would load on a kernel, as kernel/module/main.c decides it.
public enum LoadCheck {
    /// What stands in the way; empty when the kernel would take it.
    ///
    /// - Parameters:
    ///   - vermagic: the kernel's, for example that of one of its own modules (`KernelReference.vermagic`).
    ///   - symvers: the kernel's Module.symvers.
    ///   - siblings: modules that will be loaded before, in the place of the kernel's own of the same names.
    public static func problems(
        module: KernelModuleFile, vermagic: String, symvers: ModuleSymvers, siblings: [KernelModuleFile] = []
    ) -> [LoadProblem] {
        problems(module: module, vermagic: vermagic, available: symvers.replacing(siblings))
    }

    /// The same against symbols that have been put together before, for checking many modules.
    public static func problems(module: KernelModuleFile, vermagic: String, available: ModuleSymvers) -> [LoadProblem] {
        vermagicProblems(module, kernel: vermagic) + layoutProblems(module, available)
            + symbolProblems(module, available)
            + module.exportedSymbols.compactMap { symbol in
                guard let other = available.exports[symbol.name], other.module != module.name else { return nil }
                return .duplicateExport(symbol: symbol.name, owner: other.module)
            }
    }

    /// `same_magic`: where the module has CRCs, the release is left out of the comparison.
    static func vermagicProblems(_ module: KernelModuleFile, kernel: String) -> [LoadProblem] {
        if module.vermagic.isEmpty { return [.noVermagic] }
        func compared(_ vermagic: String) -> String {
            let text = vermagic.trimmingBlanks()
            guard module.hasVersions else { return text }
            return text.firstIndex(of: " ").map { String(text[text.index(after: $0)...]) } ?? ""
        }
        let (own, other) = (compared(module.vermagic), compared(kernel))
        return own == other ? [] : [.vermagic(module: own, kernel: other)]
    }

    /// `check_modstruct_version`.
    private static func layoutProblems(_ module: KernelModuleFile, _ available: ModuleSymvers) -> [LoadProblem] {
        guard let own = module.layoutCRC, let export = available.exports["module_layout"], let crc = export.symbol.crc,
            own != crc
        else { return [] }
        return [.crc(symbol: "module_layout", exportedBy: export.module, module: own, kernel: crc)]
    }

    /// `license_is_gpl_compatible` of include/linux/license.h.
    private static let gplLicenses: Set<String> = [
        "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
    ]

    /// `resolve_symbol`, for every symbol of `simplify_symbols`.
    private static func symbolProblems(_ module: KernelModuleFile, _ available: ModuleSymvers) -> [LoadProblem] {
        let license = module.modinfo["license"]?.first ?? "unspecified"
        let imported = Set(module.modinfo["import_ns"] ?? [])
        var problems: [LoadProblem] = []
        for symbol in module.undefinedSymbols where symbol.name != "_GLOBAL_OFFSET_TABLE_" {
            guard let export = available.exports[symbol.name] else {
                if !symbol.isWeak { problems.append(.missingSymbol(symbol: symbol.name)) }
                continue
            }
            if export.symbol.gplOnly, !gplLicenses.contains(license) {
                problems.append(.gplOnly(symbol: symbol.name, license: license))
            }
            // `check_version` lets a symbol pass that __versions does not list.
            if let own = symbol.crc, let crc = export.symbol.crc, own != crc {
                problems.append(.crc(symbol: symbol.name, exportedBy: export.module, module: own, kernel: crc))
            }
            if let namespace = export.symbol.namespace, !imported.contains(namespace) {
                problems.append(.namespace(symbol: symbol.name, namespace: namespace))
            }
        }
        return problems
    }
}
