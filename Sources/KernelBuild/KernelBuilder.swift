// SPDX-License-Identifier: GPL-2.0
import Foundation

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

    /// The kernel, fetched into the cache if need be.
    public func prepare(_ kernel: KernelChoice) async throws -> KernelArtifacts {
        switch kernel {
        case .packaged(let name):
            try await KernelStore(packages: packages, catalog: catalog, progress: progress).prepare(name)
        case .tree(let path):
            throw KernelBuildError.kernelTree(path: path, .notAKernelTree)
        }
    }

    /// The modules for the request: from the cache when the same input was built before.
    public func build(_ request: BuildRequest) async throws -> BuiltModules {
        let variant = try request.variant.map { try Variant.find($0, in: files) }
        let kernel = try await prepare(request.kernel)
        let key = try await key(for: kernel, variant: variant)
        var made = false
        let place = try await cache.entry("modules", key, progress: progress) { draft in
            made = true
            let staged = draft + "/source"
            try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: kernel.source, toPath: staged)
            if let variant {
                progress(.applyingVariant(variant.name))
                try await variant.apply(to: staged, kernel: kernel.release)
            }
            try await recordChanges(from: kernel.source, to: staged, in: draft)

            let tree = try await BuildTree.open(for: kernel, cache: cache, progress: progress)
            defer { tree.close() }
            try tree.update(from: staged)
            try FileManager.default.removeItem(atPath: staged)
            try await tree.make(progress: progress)
            let built = try await tree.collect(
                into: draft, finalPlace: "\(cache.path)/modules/\(key)", source: request.sourceDescription, key: key)
            try await verify(built, in: draft, for: kernel)
        }
        progress(made ? .finished(place) : .upToDate(place))
        return try JSONDecoder().decode(
            BuiltModules.self, from: Data(contentsOf: URL(filePath: place + "/build.json")))
    }

    /// All that decides what comes out.
    private func key(for kernel: KernelArtifacts, variant: Variant?) async throws -> String {
        var input = "recipe \(Self.recipe)\nkernel \(kernel.identity)\n"
        if let variant { input += "variant \(variant.name)\n\(variant.text)\n" }
        return String(try await Checksum.of(text: input).prefix(20))
    }

    private func recordChanges(from stock: String, to staged: String, in folder: String) async throws {
        let difference = try await Tool.diff.output(["-urN", stock, staged])
        let text = difference.text.replacing(staged, with: "b/drivers/md").replacing(stock, with: "a/drivers/md")
        try text.write(toFile: folder + "/changes.diff", atomically: false, encoding: .utf8)
    }

    /// Refuses modules that this kernel would not load.
    func verify(_ built: BuiltModules, in folder: String, for kernel: KernelArtifacts) async throws {
        for (name, path) in built.modules.sorted(by: { $0.key < $1.key }) {
            let file = folder + "/" + URL(filePath: path).lastPathComponent
            let vermagic = try await Tool.modinfo.run(["-F", "vermagic", file])
            guard vermagic.split(separator: " ").first.map(String.init) == kernel.release else {
                throw KernelBuildError.vermagic(module: name, found: vermagic, expected: kernel.release)
            }
        }
    }
}
