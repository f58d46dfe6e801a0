// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The index of a module directory: modules.dep and the others that depmod writes.
///
/// A linux-image package comes without it: its installation runs depmod. `make modules_install` does too.
public enum ModuleIndex {
    /// Whether libkmod can answer questions about the directory.
    public static func exists(in directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/modules.dep.bin")
    }

    /// Writes the index into the directory, which has to be lib/modules/RELEASE of a tree of one's own. 1 to 2 s for
    /// Debian's 6.1, 6 to 8 s for 6.12, whose modules are compressed.
    public static func write(in directory: String) throws(ModuleError) {
        let path = try resolve(directory)
        let parts = path.split(separator: "/")
        guard parts.count >= 3, parts.suffix(3).prefix(2) == ["lib", "modules"] else {
            throw .noModuleTree(path: directory)
        }
        try depmod(base: "/" + parts.dropLast(3).joined(separator: "/"), release: String(parts.last!))
    }

    /// Calls `body` with a directory that has an index of `directory`: itself, or for one without, a temporary one
    /// whose entries link there. Nothing is written into `directory`.
    static func with<T>(
        _ directory: String, _ body: (String) throws(ModuleError) -> T
    ) throws(ModuleError) -> T {
        if exists(in: directory) { return try body(directory) }
        let original = try resolve(directory)
        let files = FileManager.default
        removeLeftovers()
        let base = "\(temporaryDirectory)/\(temporaryPrefix)\(getpid())-\(UUID().uuidString)"
        let release = original.split(separator: "/").last.map(String.init) ?? "0"
        // depmod wants a release that starts with a digit.
        let name = release.first?.isNumber == true ? release : "0-" + release
        let linked = "\(base)/lib/modules/\(name)"
        defer { try? files.removeItem(atPath: base) }
        do {
            try files.createDirectory(atPath: linked, withIntermediateDirectories: true)
            for entry in try files.contentsOfDirectory(atPath: original) {
                try files.createSymbolicLink(atPath: "\(linked)/\(entry)", withDestinationPath: "\(original)/\(entry)")
            }
        } catch {
            let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.code
            throw .unwritable(path: base, errno: Int32(code ?? Int(EIO)))
        }
        try depmod(base: base, release: name)
        return try body(linked)
    }

    private static var temporaryDirectory: String { (NSTemporaryDirectory() as NSString).standardizingPath }
    private static let temporaryPrefix = "mdlab-modules-"

    /// Removes the temporary directories of processes that were killed while they used them: their names have the pid.
    private static func removeLeftovers() {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: temporaryDirectory)) ?? []
        for entry in entries {
            guard let tail = entry.dropping(prefix: temporaryPrefix), let pid = pid_t(tail.prefix { $0 != "-" }),
                pid > 0,
                kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(atPath: "\(temporaryDirectory)/\(entry)")
        }
    }

    /// The absolute path of a module directory: one that has a list of modules or a folder of them.
    static func resolve(_ directory: String) throws(ModuleError) -> String {
        guard let pointer = realpath(directory, nil) else { throw .noModuleTree(path: directory) }
        defer { free(pointer) }
        let path = String(cString: pointer)
        let marks = ["modules.dep", "modules.order", "modules.builtin", "kernel"]
        guard marks.contains(where: { FileManager.default.fileExists(atPath: "\(path)/\($0)") }) else {
            throw .noModuleTree(path: directory)
        }
        return path
    }

    private static func depmod(base: String, release: String) throws(ModuleError) {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        // A user's PATH has no sbin on Debian.
        let program = (path + ["/usr/sbin", "/sbin"]).map { $0 + "/depmod" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let program else { throw .depmodMissing }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-b", base, release]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        do { try process.run() } catch { throw .depmodMissing }
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus != 0 {
            let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
            throw .depmodFailed(status: process.terminationStatus, errors: line)
        }
    }
}
