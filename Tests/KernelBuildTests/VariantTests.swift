// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

/// The md sources of kernels that are in this machine's cache; kernel files are never part of the project.
private let cachedSources: [String] = {
    let home = CacheFolder.standard().path + "/kernels"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
    return names.filter { $0.hasPrefix("6.1.") }.map { "\(home)/\($0)/md" }
        .filter { FileManager.default.fileExists(atPath: $0 + "/md-cluster.c") }.sorted()
}()

private let hasSpatch =
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .contains { FileManager.default.isExecutableFile(atPath: "\($0)/spatch") }

private let project = ProjectFiles(
    root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path)

@Suite(.enabled(if: hasSpatch, "spatch is not installed"))
struct VariantTests {
    /// Copies files into a folder of its own, removed afterwards.
    private func inFolder(_ texts: [String: String], _ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "mdlab-variant-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in texts {
            try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        }
        try await body(folder)
    }

    private func variant(_ text: String) -> (String) throws -> Variant {
        { folder in
            let path = folder + "/v.cocci"
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            return Variant(name: "v", path: path, text: text)
        }
    }

    @Test func changesTheFilesItNames() async throws {
        try await inFolder(["md.c": "int f(void)\n{\n\treturn one();\n}\n"]) { folder in
            let variant = try variant("// Changes: md.c\n@@\n@@\n-one()\n+two()\n")(folder)
            try await variant.apply(to: folder, kernel: "k")
            let text = try String(contentsOfFile: folder + "/md.c", encoding: .utf8)
            #expect(text == "int f(void)\n{\n\treturn two();\n}\n")
        }
    }

    @Test func oneThatChangesNothingIsAnError() async throws {
        try await inFolder(["md.c": "int f(void)\n{\n\treturn 1;\n}\n", "md.h": "int one(void);\n"]) { folder in
            let variant = try variant("// Changes: md.c md.h\n@@\n@@\n-one()\n+two()\n")(folder)
            await #expect(throws: KernelBuildError.variantChangesNothing("v", file: "md.c", kernel: "k")) {
                try await variant.apply(to: folder, kernel: "k")
            }
        }
    }

    @Test func oneThatCannotBeReadIsAnError() async throws {
        try await inFolder(["md.c": "int x;\n"]) { folder in
            let broken = try variant("// Changes: md.c\n@@\nno semantic patch\n")(folder)
            let error = await #expect(throws: KernelBuildError.self) { try await broken.apply(to: folder, kernel: "k") }
            guard case .variantFailed("v", _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let silent = try variant("@@\n@@\n-one()\n+two()\n")(folder)
            await #expect(throws: KernelBuildError.self) { try await silent.apply(to: folder, kernel: "k") }
        }
    }

    @Test(
        .enabled(if: !cachedSources.isEmpty, "no kernel 6.1 in the cache: mdlab build fetches it"),
        arguments: Variant.names(in: project.variants))
    func appliesToTheKernel(name: String) async throws {
        let source = try #require(cachedSources.last)
        let variant = try Variant.find(name, in: project)
        var texts: [String: String] = [:]
        for file in variant.changes { texts[file] = try String(contentsOfFile: "\(source)/\(file)", encoding: .utf8) }
        try await inFolder(texts) { folder in
            try await variant.apply(to: folder, kernel: "6.1")
            guard name == "async" else { return }
            let cluster = try String(contentsOfFile: folder + "/md-cluster.c", encoding: .utf8)
            #expect(!cluster.contains("md_reload_sb(mddev, mddev->good_device_nr)"))
            let md = try String(contentsOfFile: folder + "/md.c", encoding: .utf8)
            #expect(md.contains("md_reload_sb(mddev, mddev->good_device_nr)"))
            #expect(md.contains("|| test_bit(MD_RELOAD_SB, &mddev->flags)"))
        }
    }
}
