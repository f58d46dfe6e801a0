// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Makes line counts out of counters that were read from a node's memory: the .gcda file that a user-space program
/// would have written is put beside the compiler's .gcno, and gcov of the same compiler reads both.
public struct Gcov: Sendable {
    /// The folder with the .gcno files.
    let notes: String
    /// Module name -> file with its whole symbol table: a stripped one has lost the names of source files.
    let modules: [String: String]

    public init(notes: String, modules: [String: String]) { (self.notes, self.modules) = (notes, modules) }

    /// A module's section as it was in memory.
    public struct Dump: Sendable {
        var module: String
        var section: String
        var bytes: [UInt8]
        public init(module: String, section: String, bytes: [UInt8]) {
            (self.module, self.section, self.bytes) = (module, section, bytes)
        }
    }

    /// - Returns: counts of the files that lie beside the compiled ones, under `drivers/md`; those of the kernel's
    ///   other headers are left out.
    public func counts(_ dumps: [Dump]) async throws -> LineCounts {
        guard !dumps.isEmpty else { return LineCounts() }
        var counters: [String: [String: [UInt64]]] = [:]
        for dump in dumps {
            guard let path = modules[dump.module] else { continue }
            let symbols = try KernelModuleFile(path: path).symbols
            for (source, values) in Self.counters(symbols, in: dump) {
                counters[source, default: [:]].merge(values) { $1 }
            }
        }
        return try await counts(counters)
    }

    /// All lines that have code, none of which ran.
    public func nothingRan() async throws -> LineCounts {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: notes)) ?? []
        let sources = names.filter { $0.hasSuffix(".gcno") }.map { $0.replacing(".gcno", with: ".c") }
        return try await counts(Dictionary(uniqueKeysWithValues: sources.map { ($0, [:]) }))
    }

    /// - Parameter counters: source file -> function -> counters.
    private func counts(_ counters: [String: [String: [UInt64]]]) async throws -> LineCounts {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-gcov-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var counts = LineCounts()
        for (source, values) in counters.sorted(by: { $0.key < $1.key }) {
            let object = source.prefix { $0 != "." }
            let notesFile = "\(notes)/\(object).gcno"
            guard let bytes = FileManager.default.contents(atPath: notesFile) else {
                throw LineCoverageError.unreadable(path: notesFile, reason: "it is not there")
            }
            let data = try CompilerNotes([UInt8](bytes), file: notesFile).counters(values)
            try bytes.write(to: folder.appending(path: "\(object).gcno"))
            try Data(data).write(to: folder.appending(path: "\(object).gcda"))
            counts.add(try GcovReport(json: try await Self.run("\(object).gcda", in: folder.path)).counts())
        }
        return counts
    }

    /// Source file -> function -> counters.
    static func counters(_ symbols: [Symbol], in dump: Dump) -> [String: [String: [UInt64]]] {
        var found: [String: [String: [UInt64]]] = [:]
        let prefix = "__gcov0."
        for symbol in symbols where symbol.name.hasPrefix(prefix) && symbol.section == dump.section {
            let (start, end) = (Int(symbol.offset), Int(symbol.offset + symbol.size))
            guard let source = symbol.sourceFile, end <= dump.bytes.count else { continue }
            let counts = stride(from: start, to: end - 7, by: 8).map { at in
                dump.bytes[at..<at + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            found[source, default: [:]][String(symbol.name.dropFirst(prefix.count))] = counts
        }
        return found
    }

    private static func run(_ file: String, in folder: String) async throws -> Data {
        // Debian's kernels are built with gcc-12; a tree of one's own with what gcc is.
        for program in ["gcov-12", "gcov"] {
            do {
                let result = try await Subprocess.run(
                    .name(program), arguments: ["--branch-probabilities", "--json-format", "--stdout", file],
                    environment: .inherit.updating(["LC_ALL": "C"]), workingDirectory: FilePath(folder),
                    output: .bytes(limit: 64 << 20), error: .string(limit: 1 << 16))
                guard result.terminationStatus.isSuccess else {
                    throw LineCoverageError.toolFailed(
                        command: "\(program) \(file)", tail: String(result.standardError.suffix(500)))
                }
                return Data(result.standardOutput)
            } catch let error as SubprocessError where error.code == .executableNotFound {
                continue
            }
        }
        throw LineCoverageError.missingTool("gcov", package: "gcc-12")
    }
}

/// What `gcov --json-format` prints for one object.
struct GcovReport: Decodable {
    struct File: Decodable {
        var file: String
        var lines: [Line]
        var functions: [Function]
    }
    struct Line: Decodable {
        var line_number: Int
        var count: UInt64
        var branches: [Branch]
    }
    struct Branch: Decodable { var count: UInt64 }
    struct Function: Decodable {
        var name: String
        var start_line: Int
        var end_line: Int
        var execution_count: UInt64
    }
    var files: [File]

    init(json: Data) throws(LineCoverageError) {
        do { self = try JSONDecoder().decode(Self.self, from: json) } catch {
            throw .damaged(file: "gcov's report", what: "it is not the JSON that gcov 12 prints")
        }
    }

    /// The files that lie in the folder of the first one, which is the compiled one.
    func counts() -> LineCounts {
        func folder(_ path: String) -> Substring { path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }
        var counts = LineCounts()
        guard let home = files.first.map({ folder($0.file) }) else { return counts }
        for file in files where folder(file.file) == home {
            var lines = LineCounts.File()
            // A line comes once for each function that it was inlined into.
            for line in file.lines {
                lines.lines[line.line_number, default: 0] &+= line.count
                if !line.branches.isEmpty {
                    lines.branches[line.line_number, default: []] += line.branches.map(\.count)
                }
            }
            for function in file.functions {
                let known = lines.functions[function.name]?.count ?? 0
                lines.functions[function.name] = .init(
                    line: function.start_line, end: function.end_line, count: known &+ function.execution_count)
            }
            let name = "drivers/md/" + file.file[home.endIndex...].drop { $0 == "/" }
            counts.files[name] = lines
        }
        return counts
    }
}
