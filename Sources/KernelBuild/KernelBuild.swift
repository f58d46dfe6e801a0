// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Which kernel to build for.
public enum KernelChoice: Sendable, Equatable {
    /// A kernel of Debian, by its name in vm/kernels.json (`6.1`) or by a version that one of them has now (`7.3`).
    case packaged(String)
    /// A kernel tree that the user has configured and built.
    case tree(String)
}

/// What to build: stock source, patches on top of it in their order, then a variant.
public struct BuildRequest: Sendable, Equatable {
    public var kernel: KernelChoice
    /// Paths of patch files.
    public var patches: [String]
    /// Name of a semantic patch in kernel-tests/variants.
    public var variant: String?
    /// With -finstrument-functions, and the module that holds threads at functions (kernel-tests/gate) beside them.
    public var instrument: Bool
    /// With gcov's counters, which say what lines ran.
    public var coverage: Bool

    public init(
        kernel: KernelChoice, patches: [String] = [], variant: String? = nil, instrument: Bool = false,
        coverage: Bool = false
    ) {
        self.kernel = kernel
        self.patches = patches
        self.variant = variant
        self.instrument = instrument
        self.coverage = coverage
    }

    /// What is built, in words: `stock + fix.patch, variant async`.
    public var sourceDescription: String {
        var text = "stock"
        for patch in patches { text += " + " + (patch.split(separator: "/").last.map(String.init) ?? patch) }
        if let variant { text += ", variant " + variant }
        if instrument { text += ", instrumented" }
        if coverage { text += ", with coverage" }
        return text
    }
}

/// A kernel as the nodes boot it, with what is needed to build modules for it.
public struct KernelArtifacts: Sendable, Equatable, Codable {
    /// As `uname -r` says it.
    public var release: String
    /// Name and version that tell this kernel from any other in the cache.
    public var identity: String
    public var vmlinuz: String
    /// Debian's image packages carry only a stub of it.
    public var systemMap: String
    public var config: String
    /// The folder lib/modules/RELEASE, with modules.dep.
    public var modulesTree: String
    /// What kbuild is started in.
    public var headers: String
    /// The folder drivers/md.
    public var source: String
    /// The folder with checkpatch.pl.
    public var scripts: String
}

/// Modules ready to be loaded, and what they were made from.
public struct BuiltModules: Sendable, Equatable, Codable {
    public var directory: String
    /// Module name as lsmod says it with dashes (`md-cluster`) to the stripped .ko. Instrumented ones have `mdlab_gate`
    /// too, those with counters `mdlab_coverage`; they are loaded first.
    public var modules: [String: String]
    /// The same names to the files with the debug information.
    public var debug: [String: String]
    public var release: String
    /// Stock source, patches, variant: in words for the record of a run. The file changes.diff beside the modules has
    /// the whole difference from stock.
    public var source = "stock"
    /// What became of each patch.
    public var patches: [PatchReport] = []
    public var key = ""
    /// What compiled them, if that is not what the kernel was compiled with: "gcc-12; the kernel's is gcc-14".
    public var otherCompiler: String?
    /// The folder of the compiler's notes (.gcno) of modules with gcov's counters.
    public var notes: String?
    static let notesFolder = "notes"

    /// The same modules with the cache entry at `place`: a cache may be moved.
    func relocated(to place: String) -> BuiltModules {
        var moved = self
        moved.directory = place
        moved.modules = modules.mapValues { place + $0.dropFirst(directory.count) }
        moved.notes = notes.map { place + $0.dropFirst(directory.count) }
        moved.debug = debug.mapValues { place + $0.dropFirst(directory.count) }
        return moved
    }
}
