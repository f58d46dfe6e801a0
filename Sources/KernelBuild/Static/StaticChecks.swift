// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Runs the tools that read the source of a patch. Compares nothing: the same on the unpatched source is the baseline.
public struct StaticChecks: Sendable {
    let builder: KernelBuilder
    let kernel: KernelArtifacts

    public init(_ builder: KernelBuilder, kernel: KernelArtifacts) { (self.builder, self.kernel) = (builder, kernel) }

    /// What could not be run, and why.
    public struct Left: Sendable, Equatable {
        public var tool: StaticFinding.Tool
        public var reason: String
    }

    public struct Result: Sendable, Equatable {
        public var findings: [StaticFinding] = []
        public var left: [Left] = []
    }

    /// checkpatch.pl of the kernel's own source, on patch files as they are sent.
    ///
    /// - Parameter plain: of these nobody has written a message yet, so none is asked for.
    public func checkpatch(_ patches: [String], plain: Set<String> = []) async throws -> Result {
        let script = kernel.scripts + "/checkpatch.pl"
        guard FileManager.default.fileExists(atPath: script) else {
            return Result(left: [.init(tool: .checkpatch, reason: "this kernel's source has no scripts/checkpatch.pl")])
        }
        var result = Result()
        for patch in patches {
            // Not a git tree: no search for commits that a message names.
            let message =
                plain.contains(patch)
                ? ["--no-signoff", "--ignore", "COMMIT_MESSAGE,DIFF_IN_COMMIT_MSG,NOT_UNIFIED_DIFF"] : []
            let said = try await Tool.perl.output([script, "--no-tree", "--terse", "--no-summary"] + message + [patch])
            result.findings += StaticFinding.read(said.text, tool: .checkpatch)
        }
        return result
    }

    /// gcc with W=1, sparse, and the rules of kernel-tests/static on the files of drivers/md.
    ///
    /// - Parameters:
    ///   - changes: the difference from the kernel's own source; nil for that source itself.
    ///   - names: the files to look at ("md-cluster.c"). A header stands for all files that are built.
    public func sources(changes: String?, names: [String]) async throws -> Result {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appending(path: "mdlab-static-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: folder) }
        try files.copyItem(atPath: kernel.source, toPath: folder)
        if let changes { try await Tool.patch.run(["-p3", "-s", "-d", folder, "-i", changes]) }
        let makefile = try String(contentsOfFile: folder + "/Makefile", encoding: .utf8)
        let kbuild = try Kbuild.text(fromMakefile: makefile, path: folder + "/Makefile")
        try kbuild.write(toFile: folder + "/Kbuild", atomically: false, encoding: .utf8)
        let all = BuildTree.sourceFiles.filter { name in
            name.hasSuffix(".c") && name != "raid1-10.c" && files.fileExists(atPath: "\(folder)/\(name)")
        }
        let looked = names.contains { $0.hasSuffix(".h") || $0 == "raid1-10.c" } ? all : all.intersection(names)

        var result = try await compiled(looked.sorted(), in: folder)
        let rules = try await coccinelle(looked.sorted(), in: folder)
        result.findings += rules.findings
        result.left += rules.left
        return result
    }

    private func compiled(_ names: [String], in folder: String) async throws -> Result {
        var result = Result()
        var arguments = try await kernel.kbuild(folder) + ["W=1"]
        do {
            _ = try await Tool.sparse.output(["--version"])
            arguments += ["C=2", "CHECK=sparse"]
        } catch KernelBuildError.missingTool {
            result.left.append(.init(tool: .sparse, reason: "it is not installed: apt-get install sparse"))
        }
        for name in names {
            let object = name.dropLast(2) + ".o"
            let said = try await Tool.make.output(arguments + ["\(object)"])
            guard said.succeeded else {
                let tail = (said.text + said.errors).split(separator: "\n").last.map(String.init) ?? ""
                result.left.append(.init(tool: .compiler, reason: "\(name) does not compile with W=1: \(tail)"))
                continue
            }
            result.findings += StaticFinding.read(said.text + "\n" + said.errors, tool: .sparse)
        }
        // A header's line is printed once for each file that has it.
        result.findings = result.findings.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        return result
    }

    private func coccinelle(_ names: [String], in folder: String) async throws -> Result {
        var result = Result()
        let rules = "\(builder.files.root)/kernel-tests/static"
        let all = (try? FileManager.default.contentsOfDirectory(atPath: rules)) ?? []
        for rule in all.sorted() where rule.hasSuffix(".cocci") {
            for name in names {
                let said = try await Tool.spatch.output(
                    ["--very-quiet", "--sp-file", "\(rules)/\(rule)", "\(folder)/\(name)"])
                guard said.succeeded else {
                    result.left.append(.init(tool: .coccinelle, reason: "\(rule): \(said.errors.suffix(200))"))
                    continue
                }
                result.findings += StaticFinding.read(
                    difference: said.text, file: name, rule: String(rule.dropLast(".cocci".count)))
            }
        }
        return result
    }
}
