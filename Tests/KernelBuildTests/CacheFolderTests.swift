// SPDX-License-Identifier: GPL-2.0
import Foundation
import Glibc
import Testing

@testable import KernelBuild

@Suite struct CacheFolderTests {
    private struct Interruption: Error {}

    /// A cache in a folder of its own, removed afterwards.
    private func withCache(_ body: (CacheFolder) async throws -> Void) async throws {
        let cache = CacheFolder(path: NSTemporaryDirectory() + "mdlab-cache-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: cache.path) }
        try await body(cache)
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    @Test func anEntryIsMadeOnce() async throws {
        try await withCache { cache in
            for _ in 0..<2 {
                let place = try await cache.entry("kind", "key") { draft in
                    #expect(!FileManager.default.fileExists(atPath: "\(cache.path)/kind/key"))
                    try write("content", to: draft)
                }
                #expect(place == "\(cache.path)/kind/key")
            }
            #expect(try String(contentsOfFile: "\(cache.path)/kind/key", encoding: .utf8) == "content")
        }
    }

    @Test func whatFailedLeavesNothing() async throws {
        try await withCache { cache in
            await #expect(throws: Interruption.self) {
                _ = try await cache.entry("kind", "key") { draft in
                    try write("half", to: draft)
                    throw Interruption()
                }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path + "/kind").isEmpty)
            _ = try await cache.entry("kind", "key") { try write("whole", to: $0) }
            #expect(try String(contentsOfFile: "\(cache.path)/kind/key", encoding: .utf8) == "whole")
        }
    }

    /// A killed process leaves its draft, and the lock file without a lock.
    @Test func theDraftOfAKilledProcessIsNotTakenForTheEntry() async throws {
        try await withCache { cache in
            try cache.makeReady()
            try FileManager.default.createDirectory(
                atPath: cache.path + "/kind/.key.draft-1/deep", withIntermediateDirectories: true)
            try write("half", to: cache.path + "/kind/.key.draft-1/deep/file")
            try write("", to: cache.path + "/locks/kind-key")
            _ = try await cache.entry("kind", "key") { draft in
                #expect(!FileManager.default.fileExists(atPath: draft))
                try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path + "/kind") == ["key"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path + "/kind/key").isEmpty)
        }
    }

    @Test func whatWasUsedLongestAgoIsPruned() async throws {
        try await withCache { cache in
            var places: [String] = []
            for (age, key) in [(30.0, "a"), (20, "b"), (10, "c")] {
                let place = try await cache.entry("kind", key) {
                    try "x".write(toFile: $0, atomically: false, encoding: .utf8)
                }
                let date = Date(timeIntervalSinceNow: -age)
                try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: place)
                places.append(place)
            }
            cache.touch(places[0])
            cache.prune("kind", keeping: 2)
            #expect(places.map { FileManager.default.fileExists(atPath: $0) } == [true, false, true])
            cache.prune("nothing", keeping: 0)
        }
    }

    @Test func twoAtATimeMakeOneEntry() async throws {
        try await withCache { cache in
            let places = try await withThrowingTaskGroup(of: (String, Bool).self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let made = Flag()
                        let place = try await cache.entry("kind", "key") { draft in
                            made.raise()
                            try await Task.sleep(for: .milliseconds(50))
                            try "x".write(toFile: draft, atomically: false, encoding: .utf8)
                        }
                        return (place, made.isRaised)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(places.map(\.0)).count == 1)
            #expect(places.count(where: \.1) == 1)
        }
    }

    @Test func aHeldLockIsWaitedForAndSaid() async throws {
        try await withCache { cache in
            try cache.makeReady()
            let descriptor = open(cache.path + "/locks/kind-key", O_RDWR | O_CREAT, 0o644)
            #expect(flock(descriptor, LOCK_EX) == 0)
            let told = Flag()
            async let place = cache.entry(
                "kind", "key",
                progress: { step in
                    if step == .waitingForLock("kind-key") {
                        told.raise()
                        close(descriptor)
                    }
                }, fill: { try "x".write(toFile: $0, atomically: false, encoding: .utf8) })
            let made = try await place
            #expect(made.hasSuffix("/kind/key"))
            #expect(told.isRaised)
        }
    }

    @Test func cancellingEndsTheWait() async throws {
        try await withCache { cache in
            try cache.makeReady()
            let descriptor = open(cache.path + "/locks/kind-key", O_RDWR | O_CREAT, 0o644)
            #expect(flock(descriptor, LOCK_EX) == 0)
            defer { close(descriptor) }
            let waiting = Task { try await cache.entry("kind", "key") { _ in } }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        }
    }

    @Test func aPlaceThatCannotBeWrittenIsNamed() async {
        let cache = CacheFolder(path: "/proc/mdlab-cache")
        #expect(throws: KernelBuildError.cacheNotWritable(path: "/proc/mdlab-cache", reason: "cannot be made")) {
            try cache.makeReady()
        }
        #expect(throws: KernelBuildError.cachePathUnusable("/tmp/my cache")) {
            try CacheFolder(path: "/tmp/my cache").makeReady()
        }
    }

    /// Less than the least room there can be counts as full: the failure is said to be the disk's.
    @Test func aFailureOnAFullDiskIsTheDisks() async throws {
        try await withCache { cache in
            let full = CacheFolder(path: cache.path, freeBytes: { 1000 })
            await #expect(throws: KernelBuildError.diskFull(path: cache.path, freeBytes: 1000)) {
                _ = try await full.entry("kind", "key") { draft in
                    try write("half", to: draft)
                    throw Interruption()
                }
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: cache.path + "/kind")
            #expect(left.isEmpty)
        }
    }

    @Test(arguments: [
        (["MDLAB_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"], "/a/b"), (["XDG_CACHE_HOME": "/x"], "/x/mdlab"),
        (["MDLAB_CACHE": "", "XDG_CACHE_HOME": "relative"], NSHomeDirectory() + "/.cache/mdlab"),
    ])
    func thePlaceFollowsTheEnvironment(environment: [String: String], path: String) {
        #expect(CacheFolder.standard(environment: environment).path == path)
    }
}

/// Something that happened in another task.
final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var raised = false

    func raise() { lock.withLock { raised = true } }
    var isRaised: Bool { lock.withLock { raised } }
}
