// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The programs that kbuild runs (fixdep, modpost, objtool), of a suite whose C library is newer than this machine's.
///
/// Each becomes a script that starts it with the dynamic loader and the libraries of its own suite, which lie in the
/// same entry of the cache. Paths are relative to the script: a cache may be moved.
struct HostPrograms {
    static let folder = "host"
    /// The entry of the cache.
    let entry: String

    private static let libraries = "usr/lib/x86_64-linux-gnu"
    private static let loader = "ld-linux-x86-64.so.2"

    /// Wraps all programs below the folder, a path in the entry.
    func wrap(in folder: String) throws {
        let files = FileManager.default
        let place = "\(entry)/\(Self.folder)/\(Self.libraries)/\(Self.loader)"
        guard files.fileExists(atPath: place) else {
            throw KernelBuildError.packageDamaged("libc6", reason: "it has no \(Self.libraries)/\(Self.loader)")
        }
        for name in try files.subpathsOfDirectory(atPath: "\(entry)/\(folder)") {
            let path = "\(entry)/\(folder)/\(name)"
            guard try files.attributesOfItem(atPath: path)[.type] as? FileAttributeType == .typeRegular,
                Self.isProgram(path)
            else { continue }
            try files.moveItem(atPath: path, toPath: path + ".program")
            let depth = "\(folder)/\(name)".split(separator: "/").count - 1
            try Self.script(depth: depth).write(toFile: path, atomically: false, encoding: .utf8)
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
    }

    /// - Parameter depth: how many folders of the entry the script is in.
    ///
    /// The program keeps its name: objtool and modpost of Debian start others that are named after them.
    static func script(depth: Int) -> String {
        let up = Array(repeating: "..", count: depth).joined(separator: "/")
        return """
            #!/bin/sh
            libraries=${0%/*}/\(up)/\(folder)/\(libraries)
            exec "$libraries/\(loader)" --argv0 "$0" --library-path "$libraries" "$0.program" "$@"

            """
    }

    /// An ELF file that names an interpreter's kind: ET_EXEC or ET_DYN, and may be executed.
    private static func isProgram(_ path: String) -> Bool {
        guard access(path, X_OK) == 0, let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let head = try? file.read(upToCount: 18), head.count == 18 else { return false }
        return head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) && [2, 3].contains(head[16])
    }
}
