// SPDX-License-Identifier: GPL-2.0
import Foundation

/// All kernels that can be named: what apt knows now, and what lies in the cache.
public struct KernelList: Sendable {
    public enum State: Sendable, Equatable {
        case cached(bytes: Int)
        /// What would be downloaded.
        case available(bytes: Int)
        /// Nobody was asked, and the cache has none.
        case notAsked
        case unknown(KernelBuildError)
    }

    public struct Kernel: Sendable, Equatable {
        public var name: String
        public var isDefault: Bool
        /// nil when it cannot be told.
        public var release: String?
        public var suite: String?
        public var state: State
    }

    public struct Cached: Sendable, Equatable {
        public var name: String?
        public var release: String
        public var bytes: Int
    }

    public var kernels: [Kernel] = []
    /// Kernels in the cache that no name stands for any more.
    public var others: [Cached] = []

    /// - Parameter offline: looks into the cache only.
    /// - Throws: what `ProjectFiles` and `KernelCatalog` throw. What cannot be found out is in the list.
    public static func gather(
        cache: CacheFolder, files: ProjectFiles? = nil, offline: Bool = false,
        progress: @escaping BuildProgressHandler = { _ in }
    ) async throws -> KernelList {
        let catalog = try KernelCatalog(files: files ?? .locate())
        let store = KernelStore(cache: cache, catalog: catalog, progress: progress)
        var rest = CachedKernel.all(in: cache)
        var list = KernelList()
        for entry in catalog.kernels {
            var kernel = Kernel(
                name: entry.name, isDefault: entry.name == catalog.default, suite: entry.suite, state: .notAsked)
            if offline {
                if let cached = rest.filter({ $0.answers(to: entry.name) }).max(by: CachedKernel.isOlder) {
                    rest.removeAll { $0 == cached }
                    (kernel.release, kernel.state) = (cached.release, .cached(bytes: CacheUse.bytes(of: cached.place)))
                }
            } else {
                do {
                    let found = try await store.resolve(entry)
                    kernel.release = found.release
                    if let cached = rest.first(where: { $0.identity == found.identity }) {
                        rest.removeAll { $0 == cached }
                        kernel.state = .cached(bytes: CacheUse.bytes(of: cached.place))
                    } else {
                        let packages = store.packages(of: entry)
                        kernel.state = .available(
                            bytes: try await KernelUnpacking(kernel: found, packages: packages, draft: "")
                                .downloadBytes())
                    }
                } catch let error as KernelBuildError {
                    kernel.state = .unknown(error)
                }
            }
            list.kernels.append(kernel)
        }
        list.others = rest.map { Cached(name: $0.name, release: $0.release, bytes: CacheUse.bytes(of: $0.place)) }
        return list
    }
}
