// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A packaged kernel that lies in the cache, known without apt.
public struct CachedKernel: Sendable, Equatable {
    /// As `uname -r` says it.
    public var release: String
    /// The name of its folder.
    public var identity: String
    public var place: String
    /// The entry of vm/kernels.json that it was fetched for; nil for what an older mdlab fetched.
    public var name: String?

    private static let file = "kernel.json"

    private struct Facts: Codable {
        var name: String
        var version: String
    }

    static func write(_ kernel: KernelStore.Resolved, to folder: String) throws {
        try JSONEncoder().encode(Facts(name: kernel.entry.name, version: kernel.version))
            .write(to: URL(filePath: "\(folder)/\(file)"))
    }

    /// What is there. Whatever is not the folder of a kernel is left out.
    public static func all(in cache: CacheFolder) -> [CachedKernel] {
        let folder = cache.path + "/kernels"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { identity in
            let parts = identity.split(separator: "_")
            guard !identity.hasPrefix("."), parts.count == 3, KernelVersion(String(parts[0])) != nil else { return nil }
            let place = "\(folder)/\(identity)"
            let facts = (try? Data(contentsOf: URL(filePath: "\(place)/\(file)"))).flatMap {
                try? JSONDecoder().decode(Facts.self, from: $0)
            }
            return CachedKernel(release: String(parts[0]), identity: identity, place: place, name: facts?.name)
        }
    }

    /// Whether `--kernel name` may mean this one.
    func answers(to name: String) -> Bool {
        if self.name == name { return true }
        guard let wanted = KernelVersion(name), let own = KernelVersion(release) else { return false }
        return own.isOne(of: wanted)
    }

    static func isOlder(_ left: CachedKernel, _ right: CachedKernel) -> Bool {
        KernelStore.isOlder(left.release, right.release)
    }
}
