// SPDX-License-Identifier: GPL-2.0
import Foundation
import GuestImage
import KernelBuild
import KernelModule
import VirtualCluster

/// Puts the rooms together: from a build request to a configuration that a cluster can boot.
struct Laboratory {
    var builder: KernelBuilder

    init(progress: @escaping BuildProgressHandler) throws {
        builder = try KernelBuilder(cache: .standard(), progress: progress)
    }

    /// Builds what is missing, and says what a cluster of `nodes` nodes for the request is made of.
    func configuration(for request: BuildRequest, nodes: Int) async throws -> ClusterConfiguration {
        let kernel = try await builder.prepare(request.kernel)
        let built = try await builder.build(request)
        let packages = PackageCache.names(inList: try String(contentsOfFile: builder.files.guestPackages, encoding: .utf8))
        let root = try await builder.packages.sysroot(packages: packages)
        let agent = builder.files.root + "/.build-agent/release/mdlab-agent"

        let listFile = builder.files.root + "/vm/guest.files"
        let list = try GuestFileList(parsing: String(contentsOfFile: listFile, encoding: .utf8), file: "vm/guest.files")
        let boot = try Self.bootModules(list.modules, tree: kernel.modulesTree)
        let image = try NodeImage(
            agent: agent, list: list, root: root,
            bootModules: boot.map { ($0.name, Array(try Data(contentsOf: URL(filePath: $0.path)))) }, nodes: nodes
        ).build()
        let initramfs = try await builder.cache.entry("images", Self.fingerprint(image)) { draft in
            try Data(image).write(to: URL(filePath: draft))
        }

        let order = ["md-mod", "raid1", "raid10", "md-cluster"]
        var configuration = ClusterConfiguration(
            kernel: kernel.vmlinuz, kernelRelease: kernel.release,
            kernelSymbols: URL(filePath: "\(builder.cache.path)/kallsyms/\(kernel.identity)"), initramfs: initramfs,
            modules: try order.compactMap { name in
                try built.modules[name].map {
                    .init(name: name, path: $0, stock: false, buildID: try KernelModuleFile(path: $0).buildID ?? "")
                }
            })
        configuration.nodes = nodes
        configuration.bootModules = Dictionary(boot.map { ($0.name, $0.path) }) { first, _ in first }
        if let debug = built.debug["md-cluster"] {
            let layouts = try StructLayouts(path: debug)
            var offsets: [String: UInt64] = [:]
            for name in KernelLayout.needed {
                let parts = name.split(separator: ".", maxSplits: 1)
                offsets[name] = UInt64(try layouts.offset(of: String(parts[1]), in: String(parts[0])))
            }
            configuration.layout = KernelLayout(offsets: offsets)
        }
        return configuration
    }

    private static func bootModules(_ wanted: [String], tree: String) throws -> [(name: String, path: String)] {
        var files: [String: (path: String, needs: [String])] = [:]
        func name(_ path: Substring) -> String {
            String(path.split(separator: "/").last ?? "").split(separator: ".")[0].replacingOccurrences(of: "-", with: "_")
        }
        for line in try String(contentsOfFile: tree + "/modules.dep", encoding: .utf8).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            files[name(parts[0])] = (tree + "/" + parts[0], parts[1].split(separator: " ").map { name($0) })
        }
        var order: [(name: String, path: String)] = []
        for module in wanted {
            guard let file = files[module] else { continue }
            for need in file.needs.reversed() + [module] where !order.contains(where: { $0.name == need }) {
                order.append((need, files[need]?.path ?? ""))
            }
        }
        return order
    }

    /// FNV-1a over the bytes: names a cache entry, proves nothing.
    private static func fingerprint(_ bytes: [UInt8]) -> String {
        String(bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}
