// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A C file of drivers/md as clang understands it.
public struct ClangTree: Sendable {
    /// "md-cluster.c"
    public var file: String
    /// What `clang -Xclang -ast-dump=json` prints for the file, without its headers.
    public var dump: Data
    /// The file itself.
    public var source: Data
}

/// The sources of drivers/md that a build request stands for, in a folder that goes when this does.
public final class ChangedSources: Sendable {
    /// A copy of drivers/md with the patches and the variant applied.
    public let folder: String
    public let kernel: KernelArtifacts
    public let patches: [PatchReport]

    init(folder: String, kernel: KernelArtifacts, patches: [PatchReport]) {
        (self.folder, self.kernel, self.patches) = (folder, kernel, patches)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

extension KernelBuilder {
    /// drivers/md of the request's kernel with its patches and its variant. Nothing is compiled.
    public func sources(_ request: BuildRequest) async throws -> ChangedSources {
        let variant = try request.variant.map { try Variant.find($0, in: files) }
        let patches = try request.patches.map { try PatchSource(path: $0) }
        let kernel = try await prepare(request.kernel)
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-source-\(UUID().uuidString)").path
        do {
            let reports = try await change(kernel, patches: patches, variant: variant, at: folder)
            return ChangedSources(folder: folder, kernel: kernel, patches: reports)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    /// Has clang read a file of changed sources.
    ///
    /// The headers are precompiled once a kernel, with kernel-tests/model/overrides.h behind them: what is dumped then
    /// is the file alone. Flags are those that kbuild gives for a module of this kernel.
    ///
    /// - Parameter functions: those to dump, or nil for the whole file. A large file is dumped in parts.
    /// - Throws: `compileFailed` with clang's own errors where the file does not compile.
    public func clangTree(
        of file: String, in sources: ChangedSources, functions: [String]? = nil
    ) async throws -> ClangTree {
        let place = "\(sources.folder)/\(file)"
        guard let source = FileManager.default.contents(atPath: place) else {
            throw KernelBuildError.noSuchSource(file, kernel: sources.kernel.release)
        }
        let front = try await ClangFrontEnd.prepare(for: file, source: source, sources: sources, builder: self)
        func dump(_ filter: [String]) async throws -> String {
            let said = try await Tool.clang.output(front.arguments + ["-Xclang", "-ast-dump=json"] + filter + [place])
            guard said.succeeded else {
                let errors = said.errors.split(separator: "\n").filter { $0.contains("error:") }
                throw KernelBuildError.compileFailed(
                    errors: errors.map { String($0).replacing(sources.folder + "/", with: "") }, log: said.errors)
            }
            return said.text
        }
        guard let functions else { return ClangTree(file: file, dump: Data(try await dump([]).utf8), source: source) }
        var parts: [String] = []
        for function in functions {
            // One object for each declaration whose name has the text in it.
            let text = try await dump(["-Xclang", "-ast-dump-filter=\(function)"])
            parts += text.replacing("\n}\n{\n", with: "\n}\u{0}{\n").split(separator: "\u{0}").map(String.init)
        }
        let whole = "{\"kind\": \"TranslationUnitDecl\", \"inner\": [" + parts.joined(separator: ",") + "]}"
        return ClangTree(file: file, dump: Data(whole.utf8), source: source)
    }
}

/// How clang is called for a file of a kernel.
struct ClangFrontEnd {
    var arguments: [String]

    /// Raised when the same input would give another entry than before.
    private static let recipe = 1
    /// Headers that define things each time they are included.
    private static let unguarded: Set<String> = ["<linux/raid/detect.h>", "\"raid1-10.c\""]

    static func prepare(
        for file: String, source: Data, sources: ChangedSources, builder: KernelBuilder
    ) async throws -> ClangFrontEnd {
        let cache = builder.cache
        let kernel = sources.kernel
        let text = String(decoding: source, as: UTF8.self)
        let includes = text.split(separator: "\n").filter { $0.hasPrefix("#include") }.map(String.init)
            .filter { line in !unguarded.contains { line.contains($0) } }
        let overrides = builder.files.overrides
        let compiler = try await Tool.clang.run(["--version"])
        let names = try FileManager.default.contentsOfDirectory(atPath: sources.folder).filter { $0.hasSuffix(".h") }
        var headers: [String: Data] = ["overrides.h": Data(try builder.files.text(overrides).utf8)]
        for name in names { headers[name] = FileManager.default.contents(atPath: "\(sources.folder)/\(name)") }

        let sums = headers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.base64EncodedString())" }
        let input = (["recipe \(recipe)", kernel.identity, file, compiler] + includes + sums).joined(separator: "\n")
        let key = String(try await Checksum.of(text: input).prefix(20))
        let place = try await cache.entry("headers", key) { draft in
            try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: true)
            for (name, content) in headers { try content.write(to: URL(filePath: "\(draft)/\(name)")) }
            let all = (includes + ["#include \"overrides.h\""]).joined(separator: "\n") + "\n"
            try all.write(toFile: "\(draft)/all.h", atomically: false, encoding: .utf8)
            let flags = try await Self.flags(of: kernel, for: file)
            try flags.joined(separator: "\n").write(toFile: "\(draft)/flags", atomically: false, encoding: .utf8)
        }
        let known = try String(contentsOfFile: "\(place)/flags", encoding: .utf8)
        let flags = known.split(separator: "\n").map(String.init) + ["-I\(place)"]
        // It knows its headers by their places, so these are there first.
        let compiled = try await cache.entry("compiled-headers", key) { draft in
            try await Tool.clang.run(flags + ["-x", "c-header", "\(place)/all.h", "-o", draft])
        }
        cache.touch(place)
        cache.touch(compiled)
        cache.prune("compiled-headers", keeping: 24)
        cache.prune("headers", keeping: 24)
        return ClangFrontEnd(
            arguments: flags + ["-include-pch", compiled, "-fsyntax-only"])
    }

    /// kbuild's flags for a file of a module, without those that only gcc knows or that only make code.
    private static func flags(of kernel: KernelArtifacts, for file: String) async throws -> [String] {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appending(path: "mdlab-flags-\(UUID().uuidString)").path
        defer { try? files.removeItem(atPath: folder) }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let name = String(file.dropLast(2))
        try "obj-m := \(name).o\n".write(toFile: folder + "/Kbuild", atomically: false, encoding: .utf8)
        try "".write(toFile: "\(folder)/\(file)", atomically: false, encoding: .utf8)
        try await Tool.make.run(try await kernel.kbuild(folder) + ["\(name).o"])
        let command = try String(contentsOfFile: "\(folder)/.\(name).o.cmd", encoding: .utf8)
        guard let line = command.split(separator: "\n").first, let begin = line.range(of: ":=") else {
            throw KernelBuildError.toolFailed(command: "make \(name).o", status: "no command", tail: command)
        }
        let words = line[begin.upperBound...].split(separator: " ").map { String($0).replacing("'", with: "") }
        return kept(words, relativeTo: kernel.headers)
            + ["-w", "-ferror-limit=5", "-target", "x86_64-linux-gnu", "-mcmodel=kernel"]
    }

    static func kept(_ words: [String], relativeTo folder: String) -> [String] {
        func absolute(_ path: Substring) -> String { path.hasPrefix("/") ? String(path) : "\(folder)/\(path)" }
        var flags: [String] = []
        var index = 0
        while index < words.count, words[index] != ";" {
            let word = words[index]
            index += 1
            switch word {
            case "-include", "-isystem":
                guard index < words.count else { break }
                flags += [word, absolute(words[index][...])]
                index += 1
            case _ where word.hasPrefix("-I"): flags.append("-I" + absolute(word.dropFirst(2)))
            case _ where word.hasPrefix("-D") || word.hasPrefix("-U") || word.hasPrefix("-std="): flags.append(word)
            case "-nostdinc", "-fshort-wchar", "-funsigned-char", "-m64", "-fms-extensions", "-mno-sse":
                flags.append(word)
            default: break
            }
        }
        return flags
    }
}
