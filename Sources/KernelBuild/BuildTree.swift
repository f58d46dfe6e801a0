// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The folder in which kbuild compiles drivers/md for one kernel. It is kept between builds, and only files whose
/// content changed are written, so that kbuild compiles no more than it must.
///
/// A build that was killed may have left its make running, writing objects after we change the sources: such a tree is
/// never used again. The `busy` file tells it, and every new tree has a name of its own.
final class BuildTree {
    let folder: String
    let kernel: KernelArtifacts
    let instrumentation: Instrumentation
    private let lock: CacheLock
    private var modules: [String] { ["md-mod", "raid1", "raid10", "md-cluster"] + instrumentation.modules }

    /// The files that these modules are made from, in any kernel that has them.
    static let sourceFiles: Set<String> = [
        "md.c", "md.h", "md-bitmap.c", "md-bitmap.h", "md-llbitmap.c", "md-cluster.c", "md-cluster.h", "raid0.h",
        "raid1.c", "raid1.h",
        "raid1-10.c", "raid10.c", "raid10.h", "Makefile",
    ]

    private var busyMark: String { folder + ".busy" }

    private init(folder: String, kernel: KernelArtifacts, instrumentation: Instrumentation, lock: CacheLock) {
        self.folder = folder
        self.kernel = kernel
        self.instrumentation = instrumentation
        self.lock = lock
    }

    /// Takes the tree of this kernel for us alone, until `close()`. Objects with other flags have a tree of their own.
    static func open(
        for kernel: KernelArtifacts, instrumentation: Instrumentation, cache: CacheFolder,
        progress: BuildProgressHandler
    ) async throws -> BuildTree {
        let files = FileManager.default
        let name = kernel.identity + instrumentation.suffix
        let lock = try await CacheLock.take("\(cache.path)/locks/tree-\(name)", progress: progress)
        do {
            let home = "\(cache.path)/trees/\(name)"
            try files.createDirectory(atPath: home, withIntermediateDirectories: true)
            var names = Set(try files.contentsOfDirectory(atPath: home))
            for mark in names where mark.hasSuffix(".busy") {
                let name = String(mark.dropLast(".busy".count))
                try? files.removeItem(atPath: "\(home)/\(name)")
                // Its make may still be creating files: then the tree stays marked until it is gone.
                if !files.fileExists(atPath: "\(home)/\(name)") { try files.removeItem(atPath: "\(home)/\(mark)") }
                names.subtract([mark, name])
            }
            let name = names.sorted().first ?? "md-\(UInt32.random(in: 0...UInt32.max))"
            let tree = BuildTree(
                folder: "\(home)/\(name)", kernel: kernel, instrumentation: instrumentation, lock: lock)
            // The mark first: a tree without one is a whole tree.
            guard files.createFile(atPath: tree.busyMark, contents: nil) else {
                throw KernelBuildError.cacheNotWritable(path: home, reason: "a file cannot be made in it")
            }
            try files.createDirectory(atPath: tree.folder, withIntermediateDirectories: true)
            return tree
        } catch {
            lock.release()
            throw error
        }
    }

    /// Gives the tree back for the next build.
    func close() {
        try? FileManager.default.removeItem(atPath: busyMark)
        lock.release()
    }

    /// Makes the tree's sources those of `source`: writes what differs, removes what is gone.
    func update(from source: String) throws {
        let files = FileManager.default
        var wanted: [String: Data] = [:]
        for name in try files.contentsOfDirectory(atPath: source) where name.hasSuffix(".c") || name.hasSuffix(".h") {
            wanted[name] = try Data(contentsOf: URL(filePath: "\(source)/\(name)"))
        }
        let makefile = try String(contentsOfFile: source + "/Makefile", encoding: .utf8)
        var kbuild = try Kbuild.text(fromMakefile: makefile, path: source + "/Makefile")
        kbuild += instrumentation.kbuild
        wanted.merge(instrumentation.files) { _, ours in ours }
        wanted["Kbuild"] = Data(kbuild.utf8)
        for (name, content) in wanted {
            let place = URL(filePath: "\(folder)/\(name)")
            if (try? Data(contentsOf: place)) != content { try content.write(to: place) }
        }
        for name in try files.contentsOfDirectory(atPath: folder)
        where (name.hasSuffix(".c") && !name.hasSuffix(".mod.c") || name.hasSuffix(".h")) && wanted[name] == nil {
            try files.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    func make(progress: @escaping BuildProgressHandler) async throws {
        let jobs = ProcessInfo.processInfo.activeProcessorCount
        let said = try await Tool.make.output(
            try await kernel.kbuild(folder) + ["-j\(jobs)", "modules"],
            onLine: { line in
                let words = line.split(separator: " ")
                guard words.count > 2, ["CC", "LD"].contains(words[0]), let file = words.last else { return }
                progress(.compiling(URL(filePath: String(file)).lastPathComponent))
            })
        guard said.succeeded else {
            let errors = said.text.split(separator: "\n").filter {
                $0.contains("error:") || $0.contains("ailed to execute") || $0.contains("ERROR:")
                    || $0.contains("undefined!")
            }
            throw KernelBuildError.compileFailed(
                errors: errors.map { String($0).replacing(folder + "/", with: "") },
                log: String(said.text.suffix(1 << 20)))
        }
    }

    /// Copies the modules out, split into what is loaded and what debuggers read.
    func collect(into draft: String, finalPlace: String) async throws -> BuiltModules {
        let files = FileManager.default
        try files.createDirectory(atPath: draft + "/debug", withIntermediateDirectories: true)
        var built = BuiltModules(
            directory: finalPlace, modules: [:], debug: [:], release: kernel.release)
        for name in modules {
            let whole = "\(folder)/\(name).ko"
            let debug = "debug/\(name).ko.debug"
            try await Tool.objcopy.run(["--only-keep-debug", whole, "\(draft)/\(debug)"])
            try await Tool.objcopy.run(["--strip-debug", whole, "\(draft)/\(name).ko"])
            try await Tool.objcopy.run(["--add-gnu-debuglink=\(draft)/\(debug)", "\(draft)/\(name).ko"])
            built.modules[name] = "\(finalPlace)/\(name).ko"
            built.debug[name] = "\(finalPlace)/\(debug)"
        }
        if instrumentation.coverage {
            try files.createDirectory(atPath: draft + "/" + BuiltModules.notesFolder, withIntermediateDirectories: true)
            for name in try files.contentsOfDirectory(atPath: folder) where name.hasSuffix(".gcno") {
                try files.copyItem(atPath: "\(folder)/\(name)", toPath: "\(draft)/\(BuiltModules.notesFolder)/\(name)")
            }
            built.notes = "\(finalPlace)/\(BuiltModules.notesFolder)"
        }
        return built
    }
}

/// The makefile of the out-of-tree build.
enum Kbuild {
    /// What md-mod is linked from is read from the kernel's own Makefile; it differs between kernels.
    static func text(fromMakefile makefile: String, path: String) throws -> String {
        let joined = makefile.replacing("\\\n", with: " ")
        var lines: [String] = []
        for line in joined.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count > 2, ["+=", ":=", "="].contains(words[1]), isPartOfMD(words[0]) else { continue }
            lines.append("\(words[0]) += \(words[2...].joined(separator: " "))")
        }
        guard !lines.isEmpty else { throw KernelBuildError.unknownModuleParts(path: path) }
        return """
            \(lines.joined(separator: "\n"))
            obj-m := md-mod.o raid1.o raid10.o md-cluster.o

            """
    }

    /// `md-mod-y`, and since 6.18 `md-mod-$(CONFIG_MD_BITMAP)`: kbuild knows whether the kernel has it.
    private static func isPartOfMD(_ name: Substring) -> Bool {
        if name == "md-mod-y" { return true }
        let option = name.dropFirst("md-mod-$(CONFIG_".count).dropLast()
        return name.hasPrefix("md-mod-$(CONFIG_") && name.last == ")" && !option.isEmpty
            && option.utf8.allSatisfy { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
            }
    }
}
