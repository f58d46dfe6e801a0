// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A kernel tree that the user has configured and built, looked at and never written to except by kbuild's own
/// `modules_install`, which puts the modules into the cache.
struct KernelTree {
    let path: String

    /// What must be a module so that it can be replaced, and what md-cluster stands on.
    private static let options = ["BLK_DEV_MD", "MD_RAID1", "MD_RAID10", "MD_CLUSTER"]

    /// Says what is missing, the first thing first.
    func check() throws {
        guard has("Kbuild"), has("scripts/Makefile.build"), has("drivers/md/md-cluster.c") else {
            throw fault(.notAKernelTree)
        }
        guard let config = try? String(contentsOfFile: path + "/.config", encoding: .utf8) else {
            throw fault(.notConfigured)
        }
        let missing = Self.missingOptions(in: config)
        guard missing.isEmpty else { throw fault(.missingOptions(missing)) }
        for product in ["include/config/kernel.release", "Module.symvers", "System.map", "arch/x86/boot/bzImage"]
        where !has(product) {
            throw fault(.notBuilt(missing: product))
        }
    }

    /// The options that are not as md's modules need them, as lines for .config.
    static func missingOptions(in config: String) -> [String] {
        let lines = Set(config.split(separator: "\n").map(String.init))
        var missing = options.map { "CONFIG_\($0)=m" }.filter { !lines.contains($0) }
        if !lines.contains("CONFIG_DLM=m"), !lines.contains("CONFIG_DLM=y") { missing.append("CONFIG_DLM=m") }
        return missing
    }

    /// The kernel with its modules installed into the cache.
    func prepare(cache: CacheFolder, progress: @escaping BuildProgressHandler) async throws -> KernelArtifacts {
        try check()
        let release = try String(contentsOfFile: path + "/include/config/kernel.release", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let sums = try await Checksum.of(
            files: [".config", "Module.symvers", "arch/x86/boot/bzImage"].map { "\(path)/\($0)" })
        let sum = try await Checksum.of(text: path + "\n" + sums.joined(separator: "\n"))
        let identity = "tree-\(sum.prefix(16))"
        let place = try await cache.entry("kernels", identity, progress: progress) { draft in
            progress(.unpacking("modules of \(path)"))
            try await Tool.make.run([
                "-C", path, "INSTALL_MOD_PATH=\(draft)", "INSTALL_MOD_STRIP=1", "modules_install",
            ])
        }
        return KernelArtifacts(
            release: release, identity: identity, vmlinuz: "\(path)/arch/x86/boot/bzImage",
            systemMap: "\(path)/System.map", config: "\(path)/.config", modulesTree: "\(place)/lib/modules/\(release)",
            headers: path, source: "\(path)/drivers/md", scripts: "\(path)/scripts")
    }

    private func has(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/\(file)")
    }

    private func fault(_ fault: KernelTreeFault) -> KernelBuildError {
        .kernelTree(path: path, fault)
    }
}
