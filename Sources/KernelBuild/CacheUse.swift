// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What the cache holds, and what of it can go.
public struct CacheUse: Sendable, Equatable {
    /// One folder of the cache: "kernels".
    public struct Kind: Sendable, Equatable {
        public var name: String
        public var entries: Int
        public var bytes: Int
    }

    public var kinds: [Kind]

    public init(kinds: [Kind]) { self.kinds = kinds }

    public var bytes: Int { kinds.reduce(0) { $0 + $1.bytes } }

    /// What is no use to measure or never to be removed: locks are held by name.
    private static let hidden: Set<String> = ["locks"]

    public static func of(_ cache: CacheFolder) -> CacheUse {
        CacheUse(
            kinds: names(in: cache.path).map { name in
                let folder = "\(cache.path)/\(name)"
                return Kind(name: name, entries: entries(of: folder).count, bytes: bytes(of: folder))
            })
    }

    /// Removes entries that were made and last used more than `age` seconds before `now`, and drafts of that age that
    /// somebody left who was killed. All of them can be made again.
    ///
    /// - Parameter kinds: names of folders; empty for all.
    /// - Returns: what was removed, by kind.
    public static func prune(
        _ cache: CacheFolder, kinds: [String] = [], olderThan age: TimeInterval, now: Date = Date()
    ) -> CacheUse {
        var removed: [Kind] = []
        for name in names(in: cache.path) where kinds.isEmpty || kinds.contains(name) {
            var kind = Kind(name: name, entries: 0, bytes: 0)
            for entry in entries(of: "\(cache.path)/\(name)", drafts: true) {
                guard now.timeIntervalSince(lastUse(of: entry)) > age else { continue }
                let bytes = bytes(of: entry)
                guard (try? FileManager.default.removeItem(atPath: entry)) != nil else { continue }
                kind.entries += 1
                kind.bytes += bytes
            }
            removed.append(kind)
        }
        return CacheUse(kinds: removed)
    }

    /// The folders that can be named.
    public static func kinds(of cache: CacheFolder) -> [String] { names(in: cache.path) }

    private static func names(in path: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { !hidden.contains($0) && !$0.hasPrefix(".") }.sorted()
    }

    /// `drafts`: with those that are being made, or were left.
    private static func entries(of folder: String, drafts: Bool = false) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { drafts || !$0.hasPrefix(".") }.sorted().map { "\(folder)/\($0)" }
    }

    /// The latest time of an entry and of what lies directly in it: kbuild's folders are written to inside.
    private static func lastUse(of entry: String) -> Date {
        let files = FileManager.default
        let inside = ((try? files.contentsOfDirectory(atPath: entry)) ?? []).map { "\(entry)/\($0)" }
        return ([entry] + inside).compactMap {
            (try? files.attributesOfItem(atPath: $0))?[.modificationDate] as? Date
        }.max() ?? .distantPast
    }

    /// What a file or folder takes on disk; a file with several names counts once.
    static func bytes(of path: String) -> Int {
        var seen: Set<UInt> = []
        var sum = 0
        func add(_ path: String) {
            var facts = stat()
            guard lstat(path, &facts) == 0 else { return }
            if facts.st_nlink > 1, facts.st_mode & S_IFMT != S_IFDIR, !seen.insert(facts.st_ino).inserted { return }
            sum += Int(facts.st_blocks) * 512
        }
        add(path)
        guard let all = FileManager.default.enumerator(atPath: path) else { return sum }
        while let name = all.nextObject() as? String { add("\(path)/\(name)") }
        return sum
    }
}
