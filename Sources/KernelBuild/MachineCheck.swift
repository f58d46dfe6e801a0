// SPDX-License-Identifier: GPL-2.0
import Foundation
import Glibc

/// What is there on this machine and what is missing, with what each thing is for.
public struct MachineCheck: Sendable {
    public struct Finding: Sendable, Equatable {
        public enum State: Sendable, Equatable {
            case present(String)
            /// There, but likely to be in the way; or to be found out later.
            case note(String)
            case missing(String)
        }

        public var thing: String
        public var purpose: String
        public var state: State
        /// Whether mdlab cannot work without it.
        public var isNeeded: Bool

        public var isFatal: Bool {
            if case .missing = state { isNeeded } else { false }
        }
    }

    /// A program to look for: how it tells its version, its Debian package, and what mdlab uses it for.
    private struct Program {
        var name: String
        var version: [String] = ["--version"]
        var package: String
        var purpose: String
        var isNeeded = true
    }

    private static let programs = [
        Program(name: "swift", package: "", purpose: "builds mdlab"),
        Program(name: "qemu-system-x86_64", package: "qemu-system-x86", purpose: "runs the nodes"),
        Program(name: "gcc-12", package: "gcc-12", purpose: "compiles the modules for Debian's kernels"),
        Program(name: "make", package: "make", purpose: "runs kbuild"),
        Program(name: "objcopy", package: "binutils", purpose: "splits debug information from modules"),
        Program(name: "depmod", package: "kmod", purpose: "orders the modules of a kernel"),
        Program(name: "spatch", package: "coccinelle", purpose: "applies the variants"),
        Program(name: "apt-get", package: "apt", purpose: "downloads kernels and the programs of the nodes"),
        Program(name: "dpkg-deb", package: "dpkg", purpose: "unpacks them"),
        Program(name: "tar", package: "tar", purpose: "unpacks kernel source"),
        Program(name: "xz", package: "xz-utils", purpose: "unpacks kernel source"),
        Program(name: "diff", package: "diffutils", purpose: "records what a build changed"),
        Program(name: "sha256sum", package: "coreutils", purpose: "verifies downloads"),
        Program(name: "git", package: "git", purpose: "fetches mdlab's Swift packages"),
        Program(name: "trace-cmd", package: "trace-cmd", purpose: "opens the traces of a run", isNeeded: false),
        Program(
            name: "spin", version: ["-V"], package: "spin", purpose: "compared with in make bench", isNeeded: false),
    ]

    /// What one kernel with its modules and a few builds take.
    static let comfortableBytes = 3_000_000_000

    private let cache: CacheFolder
    private let files: ProjectFiles?

    public init(cache: CacheFolder, files: ProjectFiles? = try? .locate()) {
        self.cache = cache
        self.files = files
    }

    public func findings() async -> [Finding] {
        var findings: [Finding] = []
        for program in Self.programs { findings.append(await look(for: program)) }
        findings.append(aptLists)
        findings += await kernels()
        findings.append(cacheFinding)
        findings.append(accelerator)
        return findings
    }

    private func look(for program: Program) async -> Finding {
        let tool = Tool(name: program.name, package: program.package)
        var state = Finding.State.missing(
            program.package.isEmpty
                ? "install the Swift 6.3 toolchain from swift.org" : "apt-get install \(program.package)")
        if let said = try? await tool.output(program.version) {
            let first = (said.text + said.errors).split(separator: "\n").first.map(String.init) ?? "there"
            state = .present(Self.version(in: first))
        }
        return Finding(
            thing: program.name, purpose: program.purpose, state: state, isNeeded: program.isNeeded)
    }

    /// The first word of the line that looks like a version: `7.2.22` of "QEMU emulator version 7.2.22 (Debian …)".
    static func version(in line: String) -> String {
        let words = line.split { $0 == " " || $0 == "," || $0 == "(" || $0 == ")" }
        return words.first { $0.first?.isNumber == true && $0.contains(".") }.map(String.init) ?? "there"
    }

    private var aptLists: Finding {
        Finding(
            thing: "apt's package lists", purpose: "say where kernels and programs are downloaded from",
            state: PackageCache.listsPresent ? .present("there") : .missing("run apt-get update as root"),
            isNeeded: true)
    }

    private func kernels() async -> [Finding] {
        guard let files, let catalog = try? KernelCatalog(files: files) else {
            return [
                Finding(
                    thing: "vm/kernels.json", purpose: "says which kernels there are",
                    state: .missing("set MDLAB_ROOT to the folder of mdlab's sources"), isNeeded: true)
            ]
        }
        let store = KernelStore(cache: cache, catalog: catalog, progress: { _ in })
        var findings: [Finding] = []
        for entry in catalog.kernels where entry.suite == nil {
            let isDefault = entry.name == catalog.default
            var state = Finding.State.missing("apt does not know it; mdlab is made for Debian 12")
            if let found = try? await store.resolve(entry) {
                let place = "\(cache.path)/kernels/\(found.identity)"
                let isHere = FileManager.default.fileExists(atPath: place)
                state = .present("\(found.release), " + (isHere ? "in the cache" : "not downloaded yet"))
            }
            findings.append(
                Finding(
                    thing: "kernel \(entry.name)", purpose: isDefault ? "the default kernel" : "--kernel \(entry.name)",
                    state: state, isNeeded: isDefault))
        }
        return findings
    }

    private var cacheFinding: Finding {
        var state = Finding.State.present(cache.path)
        do {
            try cache.makeReady()
            if let free = cache.freeBytes, free < Self.comfortableBytes {
                state = .note("\(cache.path), only \(free / 1_000_000) MB free on its disk")
            } else if let free = cache.freeBytes {
                state = .present("\(cache.path), \(free / 1_000_000_000) GB free")
            }
        } catch {
            state = .missing("\(cache.path) cannot be used: make it writable, or set MDLAB_CACHE")
        }
        return Finding(thing: "cache", purpose: "keeps kernels and builds", state: state, isNeeded: true)
    }

    private var accelerator: Finding {
        let device = access("/dev/kvm", R_OK | W_OK) == 0 ? "/dev/kvm can be opened" : "/dev/kvm cannot be opened"
        return Finding(
            thing: "accelerator", purpose: "runs the nodes faster",
            state: .note("\(device); whether KVM works is decided by booting with it"), isNeeded: false)
    }
}
