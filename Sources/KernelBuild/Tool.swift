// SPDX-License-Identifier: GPL-2.0
import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Other programs this room needs, and how they are called: always by a list of arguments, never through a shell,
/// with a C locale, no standard input unless given, and a limit to what is kept of their output.
struct Tool {
    struct Output {
        var status: TerminationStatus
        var text: String
        var errors: String
        var succeeded: Bool { status.isSuccess }
    }

    let name: String
    /// The Debian package to install when the program is missing.
    let package: String

    static let apt = Tool(name: "apt-get", package: "apt")
    static let aptCache = Tool(name: "apt-cache", package: "apt")
    static let aptConfig = Tool(name: "apt-config", package: "apt")
    static let dpkgQuery = Tool(name: "dpkg-query", package: "dpkg")
    static let dpkgDeb = Tool(name: "dpkg-deb", package: "dpkg")
    static let tar = Tool(name: "tar", package: "tar")
    static let make = Tool(name: "make", package: "make")
    static let depmod = Tool(name: "depmod", package: "kmod")
    static let modinfo = Tool(name: "modinfo", package: "kmod")
    static let objcopy = Tool(name: "objcopy", package: "binutils")
    static let sha256sum = Tool(name: "sha256sum", package: "coreutils")
    static let diff = Tool(name: "diff", package: "diffutils")
    static let patch = Tool(name: "patch", package: "patch")
    static let perl = Tool(name: "perl", package: "perl")
    static let sparse = Tool(name: "sparse", package: "sparse")
    /// The Swift toolchain has one.
    static let clang = Tool(name: "clang", package: "clang")
    static let spatch = Tool(name: "spatch", package: "coccinelle")

    static let outputLimit = 64 << 20

    /// depmod and modinfo live in folders that a user's PATH often lacks. What a make above us left for its own
    /// children would change a build of ours.
    private static func environment(with more: [String: String]) -> Environment {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        var changes: [Environment.Key: String?] = [
            "LC_ALL": "C", "LANGUAGE": "C", "PATH": path + ":/usr/sbin:/sbin", "MAKEFLAGS": nil, "MFLAGS": nil,
            "MAKELEVEL": nil, "MAKEOVERRIDES": nil, "ARCH": nil, "CROSS_COMPILE": nil, "APT_CONFIG": nil,
        ]
        for (name, value) in more { changes[Environment.Key(stringLiteral: name)] = value }
        return .inherit.updating(changes)
    }

    /// Runs the program and returns what it said, however it ended.
    func output(
        _ arguments: [String], in directory: String? = nil, input: String = "", environment: [String: String] = [:],
        onLine: (@Sendable (String) -> Void)? = nil
    ) async throws -> Output {
        do {
            return try await launch(
                arguments, in: directory, input: input, environment: Self.environment(with: environment), onLine: onLine
            )
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw KernelBuildError.missingTool(name, package: package)
        }
    }

    /// Runs the program and throws `toolFailed` unless it succeeded.
    @discardableResult
    func run(_ arguments: [String], in directory: String? = nil, input: String = "") async throws -> String {
        let output = try await output(arguments, in: directory, input: input)
        guard output.succeeded else {
            let said = output.errors.isEmpty ? output.text : output.errors
            throw KernelBuildError.toolFailed(
                command: ([name] + arguments).joined(separator: " "), status: "\(output.status)",
                tail: String(said.suffix(2000)))
        }
        return output.text
    }

    private func launch(
        _ arguments: [String], in directory: String?, input: String, environment: Environment,
        onLine: (@Sendable (String) -> Void)?
    ) async throws -> Output {
        guard let onLine else {
            let result = try await Subprocess.run(
                .name(name), arguments: Arguments(arguments), environment: environment,
                workingDirectory: directory.map { FilePath($0) }, input: .string(input),
                output: .bytes(limit: Self.outputLimit), error: .bytes(limit: Self.outputLimit))
            return Output(
                status: result.terminationStatus, text: String(decoding: result.standardOutput, as: UTF8.self),
                errors: String(decoding: result.standardError, as: UTF8.self))
        }
        let result = try await Subprocess.run(
            .name(name), arguments: Arguments(arguments), environment: environment,
            workingDirectory: directory.map { FilePath($0) }, input: .none, output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            var text = ""
            for try await line in execution.standardOutput.strings() {
                onLine(line)
                if text.utf8.count < Self.outputLimit { text += line + "\n" }
            }
            return text
        }
        return Output(status: result.terminationStatus, text: result.closureResult, errors: "")
    }
}
