// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Debian's kernels in the cache: image with its modules, headers that work from where they are, source of md.
struct KernelStore {
    let packages: PackageCache
    let catalog: KernelCatalog
    let progress: BuildProgressHandler

    /// Raised when the layout of an entry changes.
    private static let layout = 2

    /// A kernel as apt knows it now.
    struct Resolved {
        var release: String
        var image: AptPackage
        var headersMeta: AptPackage

        /// Names the kernel's entry in the cache.
        var identity: String { "\(release)_\(image.version)_\(KernelStore.layout)" }
    }

    func prepare(_ name: String) async throws -> KernelArtifacts {
        let entry = try catalog.entry(name)
        let found = try await resolve(entry)
        let place = try await packages.cache.entry("kernels", found.identity, progress: progress) { draft in
            try await fill(
                draft, entry: entry, image: found.image, headersMeta: found.headersMeta, release: found.release)
        }
        return Self.artifacts(in: place, release: found.release, identity: found.identity)
    }

    /// The newest kernel of the entry's name that is packaged.
    func resolve(_ entry: KernelCatalog.Entry) async throws -> Resolved {
        let metas = try await packages.candidates([entry.image, entry.headers])
        let image = try await newest(of: metas[0], prefix: "linux-image-", name: entry.name)
        return Resolved(
            release: String(image.name.dropFirst("linux-image-".count)), image: image, headersMeta: metas[1])
    }

    /// The package that a meta package stands for.
    private func newest(of meta: AptPackage, prefix: String, name: String) async throws -> AptPackage {
        // With the dot: 6.1 is not the beginning of 6.12.
        let wanted = meta.dependencies.first { $0.name.hasPrefix(prefix + name + ".") }
        guard let wanted else { throw KernelBuildError.packageUnknown(prefix + name, listsPresent: true) }
        return try await resolve(wanted)
    }

    private func resolve(_ dependency: AptPackage.Dependency) async throws -> AptPackage {
        if let version = dependency.exactVersion {
            return try await packages.version(version, of: dependency.name)
        }
        return try await packages.candidates([dependency.name])[0]
    }

    private static func artifacts(in place: String, release: String, identity: String) -> KernelArtifacts {
        KernelArtifacts(
            release: release, identity: identity, vmlinuz: "\(place)/image/boot/vmlinuz-\(release)",
            systemMap: "\(place)/image/boot/System.map-\(release)", config: "\(place)/image/boot/config-\(release)",
            modulesTree: "\(place)/image/lib/modules/\(release)",
            headers: "\(place)/headers/usr/src/linux-headers-\(release)", source: "\(place)/md",
            scripts: "\(place)/scripts")
    }

    private func fill(
        _ draft: String, entry: KernelCatalog.Entry, image: AptPackage, headersMeta: AptPackage, release: String
    ) async throws {
        let files = FileManager.default
        for folder in ["image", "headers"] {
            try files.createDirectory(atPath: "\(draft)/\(folder)", withIntermediateDirectories: true)
        }
        try await packages.unpack(image, into: "\(draft)/image")
        try await Tool.depmod.run(["-b", "\(draft)/image", release])

        let headers = try await newest(of: headersMeta, prefix: "linux-headers-", name: entry.name)
        var used = [image, headers]
        try await packages.unpack(headers, into: "\(draft)/headers")
        for part in headers.dependencies where ["linux-headers-", "linux-kbuild-"].contains(where: part.name.hasPrefix)
        {
            let package = try await resolve(part)
            try await packages.unpack(package, into: "\(draft)/headers")
            used.append(package)
        }
        try Self.loosenHeaders("\(draft)/headers/usr/src/linux-headers-\(release)")

        let source = try await packages.version(image.version, of: entry.source)
        used.append(source)
        try await extractSource(source, into: draft, scratch: "\(draft)/source")
        let config = try String(contentsOfFile: "\(draft)/image/boot/config-\(release)", encoding: .utf8)
        let missing = KernelTree.missingOptions(in: config)
        guard missing.isEmpty else {
            throw KernelBuildError.kernelTree(path: "kernel \(entry.name)", .missingOptions(missing))
        }
        used.forEach(packages.dropArchive)
    }

    /// The Makefile of Debian's headers includes /usr/src/linux-headers-…-common/Makefile. Its scripts and tools are
    /// already relative links, so with a relative include the tree works wherever it is unpacked.
    private static func loosenHeaders(_ folder: String) throws {
        let path = folder + "/Makefile"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let loose = text.replacing("include /usr/src/", with: "include $(dir $(lastword $(MAKEFILE_LIST)))../")
        try loose.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// `md`, which is drivers/md without its subfolders, and `scripts` with checkpatch.pl and what it reads: out of the
    /// tar archive inside the source package.
    private func extractSource(_ package: AptPackage, into folder: String, scratch: String) async throws {
        let files = FileManager.default
        try await packages.unpack(package, into: scratch)
        defer { try? files.removeItem(atPath: scratch) }
        let archives = try files.contentsOfDirectory(atPath: scratch + "/usr/src")
        guard let archive = archives.first(where: { $0.contains(".tar.") }) else {
            throw KernelBuildError.packageDamaged(package.name, reason: "it has no tar archive in usr/src")
        }
        try await Tool.tar.run([
            "-xf", "\(scratch)/usr/src/\(archive)", "-C", folder, "--strip-components=1", "--no-wildcards-match-slash",
            "--wildcards", "*/drivers/md/*.[ch]", "*/drivers/md/Makefile",
            "*/scripts/checkpatch.pl", "*/scripts/spelling.txt", "*/scripts/const_structs.checkpatch",
        ])
        try files.moveItem(atPath: folder + "/drivers/md", toPath: folder + "/md")
        try files.removeItem(atPath: folder + "/drivers")
    }
}
