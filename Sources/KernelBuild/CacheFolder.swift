// SPDX-License-Identifier: GPL-2.0
import Foundation
import Glibc

/// The folder where downloads and builds are kept between runs.
///
/// An entry is a folder or a file that appears by rename when it is complete, so that whoever is killed while making
/// one, or runs out of disk, leaves nothing that another would take for the real thing. A lock file per entry keeps two
/// runs from making the same one at a time; the kernel drops the lock when its holder dies.
public struct CacheFolder: Sendable {
    public let path: String
    private let measureFreeBytes: (@Sendable () -> Int?)?

    public init(path: String) {
        self.path = path
        measureFreeBytes = nil
    }

    /// For tests: a cache whose disk has this much room.
    init(path: String, freeBytes: @escaping @Sendable () -> Int?) {
        self.path = path
        measureFreeBytes = freeBytes
    }

    /// $MDLAB_CACHE, else $XDG_CACHE_HOME/mdlab, else ~/.cache/mdlab.
    public static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> CacheFolder {
        if let own = environment["MDLAB_CACHE"], !own.isEmpty {
            return CacheFolder(path: URL(filePath: own).standardizedFileURL.path)
        }
        if let base = environment["XDG_CACHE_HOME"], base.hasPrefix("/") {
            return CacheFolder(path: base + "/mdlab")
        }
        return CacheFolder(path: NSHomeDirectory() + "/.cache/mdlab")
    }

    /// Bytes that this user may still write to the cache's disk; nil when the folder cannot be looked at.
    public var freeBytes: Int? {
        if let measureFreeBytes { return measureFreeBytes() }
        var facts = statvfs()
        var place = path
        while place != "/" && access(place, F_OK) != 0 {
            place = URL(filePath: place).deletingLastPathComponent().path
        }
        guard statvfs(place, &facts) == 0 else { return nil }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }

    /// Makes the folder and proves that it can be written.
    public func makeReady() throws {
        if path.contains(where: { $0.isWhitespace || $0 == ":" }) { throw KernelBuildError.cachePathUnusable(path) }
        do {
            try FileManager.default.createDirectory(atPath: path + "/locks", withIntermediateDirectories: true)
        } catch {
            throw KernelBuildError.cacheNotWritable(path: path, reason: "cannot be made")
        }
        guard access(path + "/locks", W_OK) == 0, access(path, W_OK) == 0 else {
            throw KernelBuildError.cacheNotWritable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// The path of the entry `kind/key`, made by `fill` if it is not there. `fill` gets a path that does not exist yet
    /// and puts a file or a folder there.
    public func entry(
        _ kind: String, _ key: String, progress: BuildProgressHandler = { _ in },
        fill: (String) async throws -> Void
    ) async throws -> String {
        let place = "\(path)/\(kind)/\(key)"
        if access(place, F_OK) == 0 { return place }
        try makeReady()
        let lock = try await CacheLock.take("\(path)/locks/\(kind)-\(key)", progress: progress)
        defer { lock.release() }
        if access(place, F_OK) == 0 { return place }
        let files = FileManager.default
        try files.createDirectory(atPath: "\(path)/\(kind)", withIntermediateDirectories: true)
        // A name of its own: a program that a killed mdlab had started may still be writing to the last draft.
        for name in try files.contentsOfDirectory(atPath: "\(path)/\(kind)") where name.hasPrefix(".\(key).draft") {
            try? files.removeItem(atPath: "\(path)/\(kind)/\(name)")
        }
        let draft = "\(path)/\(kind)/.\(key).draft-\(UInt32.random(in: 0...UInt32.max))"
        do {
            try await fill(draft)
            guard rename(draft, place) == 0 else {
                throw KernelBuildError.cacheNotWritable(path: place, reason: String(cString: strerror(errno)))
            }
        } catch {
            let free = freeBytes
            try? files.removeItem(atPath: draft)
            if let free, free < Self.fullBelow || Self.saysDiskFull(error) {
                throw KernelBuildError.diskFull(path: path, freeBytes: free)
            }
            throw error
        }
        return place
    }

    /// Removes the entries of a kind that were used longest ago, until `count` are left. For entries that are large and
    /// quickly made anew. Whoever has opened the files of one goes on with them.
    public func prune(_ kind: String, keeping count: Int) {
        let folder = "\(path)/\(kind)"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }
        let dated = names.map { name -> (date: Date, path: String) in
            let facts = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return ((facts?[.modificationDate] as? Date) ?? .distantPast, "\(folder)/\(name)")
        }
        for entry in dated.sorted(by: { $0.date > $1.date }).dropFirst(count) {
            try? FileManager.default.removeItem(atPath: entry.path)
        }
    }

    /// Notes that an entry is used now: see `prune`.
    public func touch(_ place: String) {
        try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: place)
    }

    /// A program that met the full disk may have removed its file by the time the room is measured.
    private static func saysDiskFull(_ error: any Error) -> Bool {
        let said =
            switch error {
            case KernelBuildError.toolFailed(_, _, let tail): tail
            case KernelBuildError.downloadFailed(_, let reason): reason
            case KernelBuildError.compileFailed(_, let log): log
            case let error as CocoaError where error.code == .fileWriteOutOfSpace: String(cString: strerror(ENOSPC))
            default: ""
            }
        return said.contains(String(cString: strerror(ENOSPC)))
    }

    /// Less room than this after a failure means that the failure was the full disk: no step writes less at a time.
    static let fullBelow = 4 << 20

}

/// An advisory lock on a file of the cache; see flock(2).
final class CacheLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Waits until the lock is ours. Cancelling the task ends the wait.
    static func take(_ path: String, progress: BuildProgressHandler) async throws -> CacheLock {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw KernelBuildError.cacheNotWritable(path: path, reason: String(cString: strerror(errno)))
        }
        let lock = CacheLock(descriptor: descriptor)
        var told = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let reason = String(cString: strerror(errno))
                lock.release()
                throw KernelBuildError.cacheNotWritable(path: path, reason: reason)
            }
            if !told { progress(.waitingForLock(URL(filePath: path).lastPathComponent)) }
            told = true
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                lock.release()
                throw error
            }
        }
        return lock
    }

    func release() {
        close(descriptor)
    }
}
