// SPDX-License-Identifier: GPL-2.0

/// All that can be said about a module, alone and against a kernel: what `mdlab inspect` prints.
public struct ModuleReport: Sendable, Codable {
    /// The module against a kernel.
    public struct Fit: Sendable, Codable {
        public var release: String
        public var vermagic: String
        /// What the module needs and nobody exports.
        public var missingSymbols: [String]
        /// Everything that would make the kernel refuse it, the missing symbols included.
        public var problems: [LoadProblem]
        /// Files in load order, the module last; nil when only the kernel's headers are at hand.
        public var loadOrder: [String]?
    }

    public var path: String
    public var name: String
    public var buildID: String?
    public var vermagic: String
    public var modinfo: [String: [String]]
    public var depends: [String]
    public var isSigned: Bool
    public var hasDebugInfo: Bool
    public var neededSymbols: [UndefinedSymbol]
    public var exportedSymbols: [ExportedSymbol]
    public var traceableFunctions: [String]
    /// Functions that are there but that ftrace cannot hook (notrace, assembly).
    public var untraceableFunctions: [String]
    /// By name, the functions that were inlined; nil without debug information.
    public var inlinedFunctions: [String: InlinedFunctions.Function]?
    /// `offsetof(struct md_cluster_info, state)`; nil without debug information or in another module.
    public var clusterStateOffset: Int?
    public var kernel: Fit?

    /// - Parameters:
    ///   - module: the module, read from a file.
    ///   - kernel: what to compare it with. Throws `noSymvers` when it has no headers.
    ///   - siblings: modules that are loaded in the place of the kernel's own.
    public init(
        of module: KernelModuleFile, kernel: KernelReference? = nil, siblings: [KernelModuleFile] = []
    ) throws(ModuleError) {
        path = module.path
        name = module.name
        buildID = module.buildID
        vermagic = module.vermagic
        modinfo = module.modinfo
        depends = module.depends
        isSigned = module.isSigned
        hasDebugInfo = module.hasDebugInfo
        neededSymbols = module.undefinedSymbols
        exportedSymbols = module.exportedSymbols
        traceableFunctions = module.traceableFunctions
        let traceable = Set(module.traceableFunctions)
        // ".cold" and "__pfx_" are parts of functions, not functions that anybody calls.
        untraceableFunctions = module.symbols.filter {
            $0.isFunction && !traceable.contains($0.name) && !$0.name.contains(".cold") && !$0.name.hasPrefix("__pfx_")
        }.map(\.name).sorted()
        if module.hasDebugInfo {
            let units = try InlinedFunctions(path: module.path).units
            inlinedFunctions = units.reduce(into: [:]) { $0.merge($1.functions) { first, _ in first } }
            let layouts = try StructLayouts(path: module.path, structs: ["md_cluster_info"])
            clusterStateOffset = try? layouts.offset(of: "state", in: "md_cluster_info")
        }
        if let kernel {
            self.kernel = try Self.fit(module, kernel, siblings: siblings.filter { $0.name != module.name })
        }
    }

    private static func fit(
        _ module: KernelModuleFile, _ kernel: KernelReference, siblings: [KernelModuleFile]
    ) throws(ModuleError) -> Fit {
        let symvers = try kernel.symvers()
        let problems = LoadCheck.problems(module: module, vermagic: kernel.vermagic, symvers: symvers, siblings: siblings)
        let files = Dictionary((siblings + [module]).map { ($0.name, $0.path) }, uniquingKeysWith: { $1 })
        var order: [String]?
        if let directory = kernel.modules {
            order = try ModuleOrder.order(modules: [module.name], directory: directory, replacements: files)
        }
        return Fit(
            release: kernel.release, vermagic: kernel.vermagic,
            missingSymbols: problems.compactMap { if case .missingSymbol(let symbol) = $0 { symbol } else { nil } },
            problems: problems, loadOrder: order)
    }
}
