// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Debian's kernels in the cache, by the names of vm/kernels.json or by a version ("7.3").
struct KernelStore {
    let cache: CacheFolder
    let catalog: KernelCatalog
    let progress: BuildProgressHandler

    /// Raised when the layout of an entry changes.
    private static let layout = 2

    /// A kernel as apt knows it now.
    struct Resolved {
        var entry: KernelCatalog.Entry
        var release: String
        var image: AptPackage
        var headersMeta: AptPackage

        /// Names the kernel's entry in the cache.
        var identity: String { "\(release)_\(image.version)_\(KernelStore.layout)" }
        /// Of the image as it was packaged: it tells which of two builds of one release this is.
        var version: String { image.version }
    }

    func packages(of entry: KernelCatalog.Entry) -> PackageCache {
        guard let suite = catalog.suites.first(where: { $0.name == entry.suite }) else {
            return PackageCache(cache: cache, progress: progress)
        }
        return PackageCache(of: suite, cache: cache, progress: progress)
    }

    /// The kernel, fetched into the cache if need be. One of a suite that cannot be reached is taken from the cache.
    func prepare(_ name: String) async throws -> KernelArtifacts {
        do {
            return try await fetch(try await find(name))
        } catch let error as KernelBuildError {
            guard case .suiteUnreachable(let suite, let reason) = error,
                let cached = CachedKernel.all(in: cache).filter({ $0.answers(to: name) }).max(by: CachedKernel.isOlder)
            else { throw error }
            progress(.oldLists(suite: suite, reason: reason))
            return Self.artifacts(in: cached.place, release: cached.release, identity: cached.identity)
        }
    }

    private func fetch(_ found: Resolved) async throws -> KernelArtifacts {
        let place = try await cache.entry("kernels", found.identity, progress: progress) { draft in
            try await KernelUnpacking(kernel: found, packages: packages(of: found.entry), draft: draft).fill()
        }
        cache.touch(place)
        return Self.artifacts(in: place, release: found.release, identity: found.identity)
    }

    /// The kernel that a name stands for: that of an entry of the catalog, or the newest one of a version.
    ///
    /// Throws `suiteUnreachable` when the answer depends on a suite that cannot be reached.
    func find(_ name: String) async throws -> Resolved {
        if let entry = catalog.kernels.first(where: { $0.name == name }) { return try await resolve(entry) }
        guard let version = KernelVersion(name) else { throw catalog.unknown(name, releases: []) }
        var found: [Resolved] = []
        var unreachable: KernelBuildError?
        for entry in catalog.kernels {
            do {
                found.append(try await resolve(entry))
            } catch let error as KernelBuildError {
                if case .suiteUnreachable = error { unreachable = unreachable ?? error }
            }
        }
        let fitting = found.filter { KernelVersion($0.release)?.isOne(of: version) == true }
        guard let newest = fitting.max(by: { Self.isOlder($0.release, $1.release) }) else {
            throw unreachable ?? catalog.unknown(name, releases: found.map(\.release))
        }
        return newest
    }

    static func isOlder(_ left: String, _ right: String) -> Bool {
        guard let left = KernelVersion(left), let right = KernelVersion(right) else { return false }
        return left < right
    }

    /// The newest kernel of the entry's name that is packaged.
    func resolve(_ entry: KernelCatalog.Entry) async throws -> Resolved {
        let packages = packages(of: entry)
        try await packages.prepare()
        let metas = try await packages.candidates([entry.image, entry.headers])
        let image = try await packages.newest(of: metas[0], prefix: "linux-image-", entry: entry)
        return Resolved(
            entry: entry, release: String(image.name.dropFirst("linux-image-".count)), image: image,
            headersMeta: metas[1])
    }

    static func artifacts(in place: String, release: String, identity: String) -> KernelArtifacts {
        let modules = "\(place)/image/lib/modules/\(release)"
        // Newer packages have all of a kernel in the folder of its modules.
        let isTogether = FileManager.default.fileExists(atPath: modules + "/vmlinuz")
        func file(_ name: String) -> String {
            isTogether ? "\(modules)/\(name)" : "\(place)/image/boot/\(name)-\(release)"
        }
        return KernelArtifacts(
            release: release, identity: identity, vmlinuz: file("vmlinuz"), systemMap: file("System.map"),
            config: file("config"), modulesTree: modules,
            headers: "\(place)/headers/usr/src/linux-headers-\(release)", source: "\(place)/md",
            scripts: "\(place)/scripts")
    }
}

extension PackageCache {
    /// The package that a meta package stands for.
    func newest(of meta: AptPackage, prefix: String, entry: KernelCatalog.Entry) async throws -> AptPackage {
        // With the dot: 6.1 is not the beginning of 6.12.
        let name = entry.suite == nil ? prefix + entry.name + "." : prefix
        let wanted = meta.dependencies.first { dependency in
            dependency.name.hasPrefix(name) && dependency.name.dropFirst(prefix.count).first?.isNumber == true
        }
        guard let wanted else { throw KernelBuildError.packageUnknown(name, listsPresent: true) }
        return try await resolve(wanted)
    }

    func resolve(_ dependency: AptPackage.Dependency) async throws -> AptPackage {
        if let exact = dependency.exactVersion { return try await version(exact, of: dependency.name) }
        return try await candidates([dependency.name])[0]
    }
}
