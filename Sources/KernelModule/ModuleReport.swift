// SPDX-License-Identifier: GPL-2.0

/// All that can be said about a module, alone and against a kernel: what `mdlab inspect` prints.
public struct ModuleReport: Sendable, Codable {
    /// The module against a kernel.
    public struct Fit: Sendable, Codable {
        public var release: String
        public var vermagic: String
        /// What the module needs and nobody exports; nil when only the kernel's modules are at hand, not its headers.
        public var missingSymbols: [String]?
        /// Everything that would make the kernel refuse it, the missing symbols included. Without the headers only
        /// the version magic was compared.
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
    /// `offsetof(struct md_cluster_info, state)`, from DWARF, or from BTF when the kernel's image is at hand; nil
    /// without both or in another module.
    public var clusterStateOffset: Int?
    public var kernel: Fit?

    /// Reports on modules that are loaded together, in the place of the kernel's own of the same names.
    ///
    /// The kernel's tables are read once for all: 0.1 s, and some seconds for a module directory without modules.dep.
    public static func reports(
        of modules: [KernelModuleFile], kernel: KernelReference? = nil
    ) throws(ModuleError) -> [ModuleReport] {
        var reports: [ModuleReport] = []
        for module in modules { reports.append(try ModuleReport(of: module, kernelImage: kernel?.image)) }
        guard let kernel else { return reports }
        let available = kernel.headers == nil ? nil : try kernel.symvers().replacing(modules)
        for (index, module) in modules.enumerated() {
            reports[index].kernel = fit(module, kernel, available)
        }
        guard let directory = kernel.modules else { return reports }
        let files = Dictionary(modules.map { ($0.name, $0.path) }, uniquingKeysWith: { $1 })
        let orders = try ModuleIndex.with(directory) { indexed throws(ModuleError) in
            try modules.map { module throws(ModuleError) in
                try ModuleOrder.order(
                    modules: [module.name], indexed: indexed, directory: directory, replacements: files)
            }
        }
        for (index, order) in orders.enumerated() { reports[index].kernel?.loadOrder = order }
        return reports
    }

    /// The module alone; the kernel's image is for its BTF.
    private init(of module: KernelModuleFile, kernelImage: String?) throws(ModuleError) {
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
        } else if name == "md_cluster", let image = kernelImage {
            // What keeps BTF from being read is no fault of the module.
            let layouts = try? StructLayouts(path: module.path, kernelImage: image, structs: ["md_cluster_info"])
            clusterStateOffset = try? layouts?.offset(of: "state", in: "md_cluster_info")
        }
    }

    private static func fit(
        _ module: KernelModuleFile, _ kernel: KernelReference, _ available: ModuleSymvers?
    ) -> Fit {
        let problems =
            available.map { LoadCheck.problems(module: module, vermagic: kernel.vermagic, available: $0) }
            ?? LoadCheck.vermagicProblems(module, kernel: kernel.vermagic)
        let missing = problems.compactMap { if case .missingSymbol(let symbol) = $0 { symbol } else { nil } }
        return Fit(
            release: kernel.release, vermagic: kernel.vermagic, missingSymbols: available == nil ? nil : missing,
            problems: problems, loadOrder: nil)
    }
}
