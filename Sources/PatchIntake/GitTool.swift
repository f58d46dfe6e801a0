// SPDX-License-Identifier: GPL-2.0
import Foundation
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// git and gzip: called with a list of arguments, in a C locale, without the user's own settings for mails.
struct GitTool {
    struct Output {
        var succeeded: Bool
        var bytes: [UInt8]
        var errors: String
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    static func git(_ arguments: [String], in folder: String, input: [UInt8] = []) async throws(IntakeError) -> Output {
        try await run("git", arguments, in: folder, input: input)
    }

    /// gzip -dc: the archives of mailing lists give their mailboxes so.
    static func unzipped(_ path: String, folder: String) async throws(IntakeError) -> Output {
        try await run("gzip", ["-dc", "--", path], in: folder, input: [])
    }

    private static func run(
        _ name: String, _ arguments: [String], in folder: String, input: [UInt8]
    ) async throws(IntakeError) -> Output {
        do {
            let result = try await Subprocess.run(
                .name(name), arguments: Arguments(arguments),
                environment: .inherit.updating([
                    "LC_ALL": "C", "LANGUAGE": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
                ]),
                workingDirectory: FilePath(folder), input: .array(input),
                output: .bytes(limit: 2 * Intake.sizeLimit), error: .bytes(limit: 1 << 16))
            return Output(
                succeeded: result.terminationStatus.isSuccess, bytes: result.standardOutput,
                errors: String(decoding: result.standardError, as: UTF8.self))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw .missingTool(name, package: name)
        } catch {
            throw .toolFailed(command: "\(name) \(arguments.first ?? "")", said: "\(error)")
        }
    }
}
