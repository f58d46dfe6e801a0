// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule

extension KernelBuilder {
    /// The distribution's own modules of these names ("md-cluster"), decompressed, in the cache: neither patched nor
    /// built here, and without debug information. Throws what `ModuleOrder` and `ModuleBytes` throw.
    public func stockModules(_ names: [String], of kernel: KernelArtifacts) async throws -> BuiltModules {
        var files: [String: String] = [:]
        for path in try ModuleOrder.order(modules: names, directory: kernel.modulesTree) {
            let name = String(URL(filePath: path).lastPathComponent.prefix { $0 != "." }).replacing("_", with: "-")
            if names.contains(name) { files[name] = path }
        }
        let place = try await cache.entry("modules", "stock-\(kernel.identity)", progress: progress) { draft in
            try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
            for (name, path) in files {
                try Data(try ModuleBytes.read(path)).write(to: URL(filePath: "\(draft)/\(name).ko"))
            }
        }
        return BuiltModules(
            directory: place,
            modules: Dictionary(uniqueKeysWithValues: files.keys.map { ($0, "\(place)/\($0).ko") }), debug: [:],
            release: kernel.release, source: "the distribution's own")
    }
}
