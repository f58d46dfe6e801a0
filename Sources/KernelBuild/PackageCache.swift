// SPDX-License-Identifier: GPL-2.0
import Foundation
import Glibc

/// Debian packages fetched and unpacked as an ordinary user: nothing is installed, no maintainer script runs.
///
///     let packages = PackageCache(cache: .standard())
///     let sysroot = try await packages.sysroot(packages: ["busybox-static", "mdadm"])   // …/bin/busybox, …/sbin/mdadm
public struct PackageCache: Sendable {
    public let cache: CacheFolder
    let progress: BuildProgressHandler
    /// Where apt's lists are; nil for the machine's own.
    private let state: AptState?

    public init(cache: CacheFolder, progress: @escaping BuildProgressHandler = { _ in }) {
        (self.cache, self.progress, state) = (cache, progress, nil)
    }

    /// Packages of a suite that the machine's own apt need not know.
    init(of suite: KernelCatalog.Suite, cache: CacheFolder, progress: @escaping BuildProgressHandler) {
        (self.cache, self.progress) = (cache, progress)
        state = AptState(suite: suite, cache: cache, progress: progress)
    }

    private var aptEnvironment: [String: String] { state?.environment ?? [:] }
    private var hasLists: Bool { state?.listsPresent ?? Self.listsPresent }

    /// Sees to it that a suite's lists are there. Throws `suiteUnreachable`.
    func prepare() async throws { try await state?.prepare() }

    /// A folder into which the named packages are unpacked, at apt's candidate versions. Dependencies are not followed:
    /// the list says what is wanted. Keyed by the versions, so an upgrade in apt's lists makes a new folder.
    public func sysroot(packages names: [String]) async throws -> String {
        let packages = try await candidates(names)
        let key = try await Checksum.of(text: packages.map(\.identity).joined(separator: "\n"))
        return try await cache.entry("sysroots", String(key.prefix(16)), progress: progress) { draft in
            try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
            for package in packages { try await unpack(package, into: draft) }
        }
    }

    /// The names in a list file: one a line, `#` starts a comment.
    public static func names(inList text: String) -> [String] {
        text.split(whereSeparator: \.isNewline)
            .map { $0.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
    }

    /// apt's candidates for the names, in their order.
    func candidates(_ names: [String]) async throws -> [AptPackage] {
        let known = try await show(["--no-all-versions", "show"] + names)
        return try names.map { name in
            guard let found = known.first(where: { $0.name == name }) else {
                throw KernelBuildError.packageUnknown(name, listsPresent: hasLists)
            }
            return found
        }
    }

    func version(_ version: String, of name: String) async throws -> AptPackage {
        let known = try await show(["show", "\(name)=\(version)"])
        guard let found = known.first(where: { $0.name == name && $0.version == version }) else {
            throw KernelBuildError.packageUnknown("\(name)=\(version)", listsPresent: hasLists)
        }
        return found
    }

    /// What apt-cache says. It reads all lists anew at each call, which takes a second, so its answers are kept until
    /// the lists change.
    private func show(_ arguments: [String]) async throws -> [AptPackage] {
        guard let lists = listsState else {
            return AptPackage.parse(try await Tool.aptCache.output(arguments, environment: aptEnvironment).text)
        }
        let key = try await Checksum.of(text: ([lists] + arguments).joined(separator: "\n"))
        let place = try await cache.entry("apt", String(key.prefix(20)), progress: progress) { draft in
            let said = try await Tool.aptCache.output(arguments, environment: aptEnvironment)
            try said.text.write(toFile: draft, atomically: false, encoding: .utf8)
        }
        return AptPackage.parse(try String(contentsOfFile: place, encoding: .utf8))
    }

    /// Names, sizes and times of all that apt's answers depend on; nil when there are no lists.
    private var listsState: String? {
        guard hasLists else { return nil }
        let files = FileManager.default
        var paths = state == nil ? ["/var/lib/dpkg/status", "/etc/apt/preferences"] : []
        for folder in state.map({ [$0.folder + "/lists"] }) ?? ["/var/lib/apt/lists", "/etc/apt/preferences.d"] {
            paths += ((try? files.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
        }
        return paths.compactMap { path in
            guard let facts = try? files.attributesOfItem(atPath: path), let time = facts[.modificationDate] as? Date
            else { return nil }
            return "\(path) \(facts[.size] ?? 0) \(time.timeIntervalSince1970)"
        }.joined(separator: "\n")
    }

    /// Whether apt has any package list; without one it knows nothing at all.
    public static var listsPresent: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/var/lib/apt/lists")) ?? []
        return names.contains { $0.contains("_Packages") }
    }

    func unpack(_ package: AptPackage, into folder: String) async throws {
        let file = try await archive(package)
        progress(.unpacking(package.name))
        try await Tool.dpkgDeb.run(["-x", file, folder])
    }

    /// The package's file, downloaded if need be and verified when it is.
    func archive(_ package: AptPackage) async throws -> String {
        try await cache.entry("debs", package.identity + ".deb", progress: progress) { draft in
            progress(.downloading(package: package.name, bytes: package.size))
            let folder = draft + ".d"
            let files = FileManager.default
            try? files.removeItem(atPath: folder)
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? files.removeItem(atPath: folder) }
            // As root apt would switch to a user that cannot write here.
            let asWhoever = geteuid() == 0 ? ["-o", "APT::Sandbox::User=root"] : []
            let said = try await Tool.apt.output(
                asWhoever + ["--quiet", "download", "\(package.name)=\(package.version)"], in: folder,
                environment: aptEnvironment)
            let found = try files.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".deb") }
            guard said.succeeded, let name = found.first, found.count == 1 else {
                let reason = said.errors.split(separator: "\n").first { $0.hasPrefix("E:") } ?? "no file came"
                throw KernelBuildError.downloadFailed(package: package.name, reason: String(reason))
            }
            let size = try files.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int
            guard size == package.size else {
                throw KernelBuildError.packageDamaged(
                    package.name, reason: "\(size ?? 0) bytes instead of \(package.size)")
            }
            guard try await Checksum.of(files: ["\(folder)/\(name)"]) == [package.sha256] else {
                throw KernelBuildError.packageDamaged(package.name, reason: "its SHA-256 is another")
            }
            try files.moveItem(atPath: "\(folder)/\(name)", toPath: draft)
        }
    }

    /// Once unpacked into an entry of the cache, an archive is only weight.
    func dropArchive(_ package: AptPackage) {
        try? FileManager.default.removeItem(atPath: "\(cache.path)/debs/\(package.identity).deb")
    }
}
