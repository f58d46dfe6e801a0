// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Patches on top of one another, worked out in memory: either all hunks of all patches have their place, or no file is
/// touched.
struct PatchSeries {
    /// The folder drivers/md of the tree to change. Only read until `write`.
    let source: String
    /// The files that the built modules are made from.
    let built: Set<String>

    private var texts: [String: HunkMatcher] = [:]
    private var endsWithoutNewline: Set<String> = []
    private var changed: Set<String> = []
    private(set) var reports: [PatchReport] = []

    init(source: String, built: Set<String>) {
        self.source = source
        self.built = built
    }

    /// Adds the patch's changes, and its report to `reports`.
    mutating func add(_ source: PatchSource) throws {
        do {
            try add(source.patch, name: source.name)
        } catch let fault as PatchFault {
            throw KernelBuildError.unreadablePatch(path: source.path, fault)
        }
        if let report = reports.last, report.conflicts > 0 { throw KernelBuildError.patchConflicts(report) }
    }

    mutating func add(_ patch: PatchFile, name: String) throws {
        var report = PatchReport(patch: name, files: [])
        var foreign: [String] = []
        for file in patch.files {
            switch Self.target(file) {
            case .md(let local):
                report.files.append(try apply(file, to: local))
            case .documentation(let path):
                report.files.append(PatchReport.File(path: path, place: .leftOut, hunks: []))
            case .foreign(let path):
                foreign.append(path)
            }
        }
        let ours = report.files.contains { $0.place != .leftOut }
        if !foreign.isEmpty || !ours { throw PatchFault.foreign(foreign + report.files.map(\.path)) }
        reports.append(report)
    }

    /// Writes the changed files. A file left without lines is removed.
    func write() throws {
        for name in changed.sorted() {
            let lines = texts[name]?.text ?? []
            let place = URL(filePath: "\(source)/\(name)")
            if lines.isEmpty {
                try FileManager.default.removeItem(at: place)
                continue
            }
            var bytes = lines.joined(separator: [UInt8(ascii: "\n")]).map { $0 }
            if !endsWithoutNewline.contains(name) { bytes.append(UInt8(ascii: "\n")) }
            try Data(bytes).write(to: place)
        }
    }

    private mutating func apply(_ file: PatchFile.File, to name: String) throws -> PatchReport.File {
        var matcher = texts[name] ?? load(name)
        var outcome = PatchReport.File(
            path: "drivers/md/" + name, place: built.contains(name) ? .built : .otherModule, hunks: [])
        for hunk in file.hunks {
            let state = matcher.apply(hunk)
            if case .applied = state { changed.insert(name) }
            outcome.hunks.append(
                PatchReport.Hunk(
                    header: hunk.header, state: state, lines: hunk.text.map { String(decoding: $0, as: UTF8.self) }))
        }
        texts[name] = matcher
        return outcome
    }

    private mutating func load(_ name: String) -> HunkMatcher {
        let bytes = [UInt8](FileManager.default.contents(atPath: "\(source)/\(name)") ?? Data())
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() } else { endsWithoutNewline.insert(name) }
        if bytes.isEmpty { endsWithoutNewline.remove(name) }
        return HunkMatcher(text: lines)
    }

    enum Target: Equatable {
        /// A file of drivers/md, by its name there.
        case md(String)
        case documentation(String)
        case foreign(String)
    }

    /// Where a diff's paths lead: with a first folder to take off (`a/drivers/md/md.c`) or as they stand.
    static func target(_ file: PatchFile.File) -> Target {
        let paths = [file.newPath, file.oldPath].compactMap { $0 }
        for path in paths {
            let parts = path.split(separator: "/").map(String.init)
            for parts in [Array(parts.dropFirst()), parts] where parts.count == 3 {
                if parts[0] == "drivers", parts[1] == "md", !parts[2].hasPrefix(".") { return .md(parts[2]) }
            }
        }
        let path = paths.first ?? "/dev/null"
        let plain = path.split(separator: "/").dropFirst().joined(separator: "/")
        if plain.hasPrefix("Documentation/") || plain == "MAINTAINERS" { return .documentation(plain) }
        return .foreign(plain.isEmpty ? path : plain)
    }
}

/// A patch file, read once: what is applied is what the key of the build is made from.
struct PatchSource {
    let path: String
    let bytes: [UInt8]
    let patch: PatchFile

    var name: String { URL(filePath: path).lastPathComponent }

    init(path: String) throws {
        self.path = path
        do {
            bytes = try Self.bytes(of: path)
            patch = try PatchFile.parse(bytes)
        } catch {
            throw KernelBuildError.unreadablePatch(path: path, error)
        }
    }

    private static func bytes(of path: String) throws(PatchFault) -> [UInt8] {
        var isFolder = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .unreadable(reason: "there is no such file")
        }
        guard !isFolder.boolValue else { throw .unreadable(reason: "it is a folder") }
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: PatchFile.sizeLimit + 1) ?? Data()
        else { throw .unreadable(reason: "it cannot be read") }
        return [UInt8](data)
    }
}
