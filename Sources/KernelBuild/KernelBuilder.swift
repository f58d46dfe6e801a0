// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule

/// Gets kernels and builds md's modules for them, out of the kernel tree, in the cache.
///
///     let builder = try KernelBuilder(cache: .standard()) { print($0) }
///     let kernel = try await builder.prepare(.packaged("6.1"))
///     let built = try await builder.build(BuildRequest(kernel: .packaged("6.1"), variant: "async"))
public struct KernelBuilder: Sendable {
    public let cache: CacheFolder
    public let files: ProjectFiles
    public let catalog: KernelCatalog
    let progress: BuildProgressHandler

    /// Raised when the same input would give other modules than before.
    static let recipe = 1

    public init(
        cache: CacheFolder, files: ProjectFiles? = nil, progress: @escaping BuildProgressHandler = { _ in }
    ) throws {
        self.cache = cache
        self.files = try files ?? .locate()
        self.catalog = try KernelCatalog(files: self.files)
        self.progress = progress
    }

    public var packages: PackageCache { PackageCache(cache: cache, progress: progress) }

    /// The folder with the programs and libraries of the nodes: the packages of vm/guest-packages, unpacked. Absolute
    /// symbolic links in it are meant from its root.
    public func guestSysroot() async throws -> String {
        try await packages.sysroot(packages: PackageCache.names(inList: files.text(files.guestPackages)))
    }

    /// The kernel, fetched into the cache if need be.
    public func prepare(_ kernel: KernelChoice) async throws -> KernelArtifacts {
        switch kernel {
        case .packaged(let name):
            try await KernelStore(cache: cache, catalog: catalog, progress: progress).prepare(name)
        case .tree(let path):
            try await KernelTree(path: path).prepare(cache: cache, progress: progress)
        }
    }

    /// The modules for the request: from the cache when the same input was built before.
    public func build(_ request: BuildRequest) async throws -> BuiltModules {
        let variant = try request.variant.map { try Variant.find($0, in: files) }
        let patches = try request.patches.map { try PatchSource(path: $0) }
        let instrumentation = try Instrumentation(for: request, in: files)
        let kernel = try await prepare(request.kernel)
        let compiler = try await kernel.compiler()
        let key = try await key(
            for: kernel, compiler: compiler, patches: patches, variant: variant, instrumentation: instrumentation)
        var made = false
        let place = try await cache.entry("modules", key, progress: progress) { draft in
            made = true
            if let compiler, !compiler.isKernels {
                progress(.otherCompiler(used: compiler.name, kernels: compiler.kernels))
            }
            let staged = draft + "/source"
            let reports = try await change(kernel, patches: patches, variant: variant, at: staged)
            try await recordChanges(from: kernel, to: staged, in: draft)

            let tree = try await BuildTree.open(
                for: kernel, instrumentation: instrumentation, cache: cache, progress: progress)
            defer { tree.close() }
            try tree.update(from: staged)
            try FileManager.default.removeItem(atPath: staged)
            try await tree.make(progress: progress)
            var built = try await tree.collect(into: draft, finalPlace: "\(cache.path)/modules/\(key)")
            built.key = key
            built.patches = reports
            try write(built, to: draft)
            try verify(built, in: draft, for: kernel)
        }
        progress(made ? .finished(place) : .upToDate(place))
        var built = try JSONDecoder().decode(
            BuiltModules.self, from: Data(contentsOf: URL(filePath: place + "/build.json"))
        ).relocated(to: place)
        // The same patch may have had another name when it was built.
        built.source = request.sourceDescription
        if let compiler, !compiler.isKernels {
            built.otherCompiler = "\(compiler.name); the kernel's is \(compiler.kernels)"
        }
        return built
    }

    /// A copy of the kernel's drivers/md, changed by the patches in their order and then by the variant.
    func change(
        _ kernel: KernelArtifacts, patches: [PatchSource], variant: Variant?, at folder: String
    ) async throws -> [PatchReport] {
        try stage(kernel, at: folder)
        var series = PatchSeries(source: folder, built: BuildTree.sourceFiles)
        for patch in patches {
            progress(.applyingPatch(patch.name))
            try series.add(patch)
        }
        try series.write()
        if let variant {
            progress(.applyingVariant(variant.name))
            try await variant.apply(to: folder, kernel: kernel.release)
        }
        return series.reports
    }

    /// All that decides what comes out.
    private func key(
        for kernel: KernelArtifacts, compiler: KernelCompiler?, patches: [PatchSource], variant: Variant?,
        instrumentation: Instrumentation
    ) async throws -> String {
        let names = try sourceNames(kernel)
        let sums = try await Checksum.of(files: names.map { "\(kernel.source)/\($0)" })
        var input = "recipe \(Self.recipe)\nkernel \(kernel.identity)\n"
        for (name, sum) in zip(names, sums) { input += "\(name) \(sum)\n" }
        for patch in patches {
            input += "patch \(Data(patch.bytes).base64EncodedString())\n"
        }
        if let compiler, !compiler.isKernels { input += "compiler \(compiler.name)\n" }
        if let variant { input += "variant \(variant.name)\n\(variant.text)\n" }
        if !instrumentation.modules.isEmpty { input += "instrument\n\(instrumentation.text)\n" }
        return String(try await Checksum.of(text: input).prefix(20))
    }

    /// The source files of drivers/md, without its subfolders and without what a build left there.
    private func sourceNames(_ kernel: KernelArtifacts) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: kernel.source).filter { name in
            name == "Makefile" || name.hasSuffix(".h") || (name.hasSuffix(".c") && !name.hasSuffix(".mod.c"))
        }.sorted()
    }

    /// A copy of the source to be changed.
    private func stage(_ kernel: KernelArtifacts, at folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in try sourceNames(kernel) {
            try FileManager.default.copyItem(atPath: "\(kernel.source)/\(name)", toPath: "\(folder)/\(name)")
        }
    }

    private func write(_ built: BuiltModules, to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(built).write(to: URL(filePath: folder + "/build.json"))
    }

    /// changes.diff: what is built, against the kernel's own source.
    private func recordChanges(from kernel: KernelArtifacts, to staged: String, in folder: String) async throws {
        let names = Set(try sourceNames(kernel) + FileManager.default.contentsOfDirectory(atPath: staged)).sorted()
        var text = ""
        for name in names {
            let stock = "\(kernel.source)/\(name)", built = "\(staged)/\(name)"
            if FileManager.default.contentsEqual(atPath: stock, andPath: built) { continue }
            text += try await Tool.diff.output([
                "-uN", "--label=a/drivers/md/\(name)", "--label=b/drivers/md/\(name)", stock, built,
            ]).text
        }
        try text.write(toFile: folder + "/changes.diff", atomically: false, encoding: .utf8)
    }

    /// Refuses modules that this kernel would not load: decided as load_module does, before a node finds out.
    func verify(_ built: BuiltModules, in folder: String, for kernel: KernelArtifacts) throws {
        let modules = try built.modules.sorted { $0.key < $1.key }.map { name, path in
            try KernelModuleFile(path: folder + "/" + URL(filePath: path).lastPathComponent)
        }
        let reference = try KernelReference(directory: kernel.headers)
        let available = try reference.symvers().replacing(modules)
        for module in modules {
            let problems = LoadCheck.problems(module: module, vermagic: reference.vermagic, available: available)
            guard problems.isEmpty else { throw KernelBuildError.wouldNotLoad(module: module.name, problems) }
        }
    }
}
