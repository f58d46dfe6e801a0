// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The compiler that builds modules for a kernel: the kernel's own where it is installed, else the gcc nearest to it.
public struct KernelCompiler: Sendable, Equatable {
    /// "gcc-12"
    public var name: String
    /// What the kernel was compiled with: "gcc-14".
    public var kernels: String
    /// For make; empty for the kernel's own compiler.
    var makeArguments: [String]

    public var isKernels: Bool { name == kernels }

    /// Features that the kernel's configuration found in its own compiler, each with the flag that kbuild uses then. A
    /// compiler that does not know the flag gets what kbuild uses without the feature.
    private static let features = [
        (option: "CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT", flag: "-fmin-function-alignment=16")
    ]

    /// - Parameter config: the kernel's configuration.
    /// - Returns: nil where the configuration names no version of gcc, as that of a tree that was built with `gcc`:
    ///   kbuild then uses what the tree's own Makefile says.
    static func choose(config: String) async throws -> KernelCompiler? {
        guard let version = version(config: config) else { return nil }
        let kernels = "gcc-\(version)"
        if try await exists(kernels) { return KernelCompiler(name: kernels, kernels: kernels, makeArguments: []) }
        // Below first: what a kernel asks of its compiler, an older one may lack, but a newer one warns of more.
        for other in (9..<version).reversed() + Array(version + 1..<version + 8) where try await exists("gcc-\(other)")
        {
            return try await instead(of: kernels, use: "gcc-\(other)", config: config)
        }
        return try await instead(of: kernels, use: "gcc", config: config)
    }

    private static func instead(of kernels: String, use name: String, config: String) async throws -> KernelCompiler {
        var arguments = ["CC=\(name)"]
        for feature in features where config.contains("\n\(feature.option)=y\n") {
            let said = try await Tool(name: name, package: kernels).output(
                [feature.flag, "-fsyntax-only", "-x", "c", "/dev/null"])
            if !said.succeeded { arguments.append("\(feature.option)=") }
        }
        return KernelCompiler(name: name, kernels: kernels, makeArguments: arguments)
    }

    private static func exists(_ name: String) async throws -> Bool {
        do {
            return try await Tool(name: name, package: name).output(["--version"]).succeeded
        } catch KernelBuildError.missingTool {
            return false
        }
    }

    /// 14 of CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0".
    static func version(config: String) -> Int? {
        guard let line = config.split(separator: "\n").first(where: { $0.hasPrefix("CONFIG_CC_VERSION_TEXT=\"") }),
            let program = line.split(separator: "\"", maxSplits: 1).last?.split(separator: " ").first,
            let found = program.range(of: "gcc-")
        else { return nil }
        return Int(program[found.upperBound...]).flatMap { (4..<100).contains($0) ? $0 : nil }
    }
}

extension KernelArtifacts {
    /// What compiles modules for this kernel; nil for what kbuild itself chooses.
    public func compiler() async throws -> KernelCompiler? {
        try await KernelCompiler.choose(config: (try? String(contentsOfFile: config, encoding: .utf8)) ?? "")
    }

    /// The start of every call of kbuild for a folder of modules.
    func kbuild(_ folder: String) async throws -> [String] {
        // Debian's newer headers have what BTF of modules is made from. Nobody here reads it, and it takes pahole.
        ["-C", headers, "M=\(folder)", "CONFIG_DEBUG_INFO_BTF_MODULES="] + (try await compiler()?.makeArguments ?? [])
    }
}
