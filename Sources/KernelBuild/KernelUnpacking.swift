// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Makes the cache's entry of a packaged kernel:
///
///     image     the packages with the kernel and its modules
///     headers   the packages that modules are built with
///     host      libraries that the programs in the headers need, for kernels of another suite
///     md        drivers/md, without its subfolders
///     scripts   checkpatch.pl and what it reads
struct KernelUnpacking {
    let kernel: KernelStore.Resolved
    let packages: PackageCache
    let draft: String

    private var release: String { kernel.release }
    private var files: FileManager { .default }

    func fill() async throws {
        var used = try await unpackImage(imagePackages())
        used += try await unpackHeaders(headerPackages())
        used.append(try await unpackSource(source()))
        let artifacts = KernelStore.artifacts(in: draft, release: release, identity: kernel.identity)
        let missing = KernelTree.missingOptions(in: try String(contentsOfFile: artifacts.config, encoding: .utf8))
        guard missing.isEmpty else {
            throw KernelBuildError.kernelTree(path: "kernel \(kernel.entry.name)", .missingOptions(missing))
        }
        try CachedKernel.write(kernel, to: draft)
        used.forEach(packages.dropArchive)
    }

    /// What `fill` would download, in bytes: without the libraries of the programs in the headers, which are small.
    func downloadBytes() async throws -> Int {
        let all = try await imagePackages() + headerPackages() + [source()]
        return all.reduce(0) { $0 + $1.size }
    }

    private func imagePackages() async throws -> [AptPackage] {
        var used = [kernel.image]
        // Newer kernels are split; the image only asks for the parts.
        for part in kernel.image.dependencies where part.name.hasSuffix("-" + release) {
            used.append(try await packages.resolve(part))
        }
        return used
    }

    private func headerPackages() async throws -> [AptPackage] {
        let headers = try await packages.newest(of: kernel.headersMeta, prefix: "linux-headers-", entry: kernel.entry)
        var used = [headers]
        for part in headers.dependencies
        where ["linux-headers-", "linux-kbuild-"].contains(where: part.name.hasPrefix) {
            used.append(try await packages.resolve(part))
        }
        return used
    }

    private func unpackImage(_ used: [AptPackage]) async throws -> [AptPackage] {
        try files.createDirectory(atPath: "\(draft)/image", withIntermediateDirectories: true)
        for package in used { try await packages.unpack(package, into: "\(draft)/image") }
        // Their packages know no /lib any more; depmod here knows nothing else.
        if !files.fileExists(atPath: "\(draft)/image/lib") {
            try files.createSymbolicLink(atPath: "\(draft)/image/lib", withDestinationPath: "usr/lib")
        }
        try await Tool.depmod.run(["-b", "\(draft)/image", release])
        return used
    }

    private func unpackHeaders(_ used: [AptPackage]) async throws -> [AptPackage] {
        try files.createDirectory(atPath: "\(draft)/headers", withIntermediateDirectories: true)
        for package in used { try await packages.unpack(package, into: "\(draft)/headers") }
        try Self.loosenHeaders("\(draft)/headers/usr/src/linux-headers-\(release)")
        if kernel.entry.suite != nil, let kbuild = used.first(where: { $0.name.hasPrefix("linux-kbuild-") }) {
            let host = HostPrograms(entry: draft)
            for library in try await libraries(of: kbuild) {
                try await packages.unpack(library, into: "\(draft)/\(HostPrograms.folder)")
            }
            try host.wrap(in: "headers/usr/lib/\(kbuild.name)")
        }
        return used
    }

    /// What the programs of the package are linked with, and what these libraries need in turn.
    private func libraries(of package: AptPackage) async throws -> [AptPackage] {
        var found: [AptPackage] = []
        var wanted = [package]
        while !wanted.isEmpty {
            let names = Set(wanted.flatMap(\.dependencies).map(\.name))
                .filter { $0.hasPrefix("lib") || $0.hasPrefix("zlib") }.subtracting(found.map(\.name))
            wanted = names.isEmpty ? [] : try await packages.candidates(names.sorted())
            found += wanted
        }
        return found
    }

    /// The Makefile of Debian's headers has paths below /usr/src. Its scripts and tools are already relative links, so
    /// with these made relative too the tree works wherever it is unpacked. kbuild is always started in it.
    private static func loosenHeaders(_ folder: String) throws {
        let path = folder + "/Makefile"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try loosened(text).write(toFile: path, atomically: true, encoding: .utf8)
    }

    static func loosened(_ makefile: String) -> String {
        makefile.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("KBUILD_OUTPUT=/usr/src/")
                ? "KBUILD_OUTPUT := $(CURDIR)"
                : line.replacing("include /usr/src/", with: "include $(dir $(lastword $(MAKEFILE_LIST)))../")
        }.joined(separator: "\n")
    }

    /// Out of the tar archive inside the source package.
    private func unpackSource(_ package: AptPackage) async throws -> AptPackage {
        let scratch = "\(draft)/source"
        try await packages.unpack(package, into: scratch)
        defer { try? files.removeItem(atPath: scratch) }
        let archives = try files.contentsOfDirectory(atPath: scratch + "/usr/src")
        guard let archive = archives.first(where: { $0.contains(".tar.") }) else {
            throw KernelBuildError.packageDamaged(package.name, reason: "it has no tar archive in usr/src")
        }
        try await Tool.tar.run([
            "-xf", "\(scratch)/usr/src/\(archive)", "-C", draft, "--strip-components=1", "--no-wildcards-match-slash",
            "--wildcards", "*/drivers/md/*.[ch]", "*/drivers/md/Makefile",
            "*/scripts/checkpatch.pl", "*/scripts/spelling.txt", "*/scripts/const_structs.checkpatch",
        ])
        try files.moveItem(atPath: draft + "/drivers/md", toPath: draft + "/md")
        try files.removeItem(atPath: draft + "/drivers")
        return package
    }

    /// The source package of the image's version, behind a meta package if the catalog names one.
    private func source() async throws -> AptPackage {
        let named = try await packages.version(kernel.image.version, of: kernel.entry.source)
        guard let behind = named.dependencies.first(where: { $0.name.hasPrefix("linux-source-") }) else { return named }
        return try await packages.resolve(behind)
    }
}
