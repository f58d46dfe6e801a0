// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation

/// What a build adds to md's own sources: modules of mdlab that md's then need, and the flags that make md use them.
///
/// Only md's own objects get the flags: what the kernel's headers put into them is not held at gates, since some of it
/// runs where a call is not allowed.
struct Instrumentation {
    /// The modules of mdlab, in load order: each is one .c file.
    private(set) var modules: [String] = []
    /// File name -> content.
    private(set) var files: [String: Data] = [:]
    /// Lines for the Kbuild file that defines md-mod-y.
    private(set) var kbuild = ""
    /// Tells the objects of one kind from those of another; empty for plain ones.
    private(set) var suffix = ""
    /// Whether the compiler writes notes (.gcno) beside the objects.
    let coverage: Bool

    /// - Throws: `KernelBuildError.projectFile` when a file of kernel-tests is not there.
    init(for request: BuildRequest, in project: ProjectFiles) throws {
        coverage = request.coverage
        guard request.instrument || request.coverage else { return }
        var flags: [String] = []
        if request.instrument {
            try add(GateModule.name, with: GateModule.headers, from: project.gate)
            suffix += "-instrumented"
            flags += [
                "-finstrument-functions", "-finstrument-functions-exclude-file-list=include/", "-include",
                "$(src)/\(GateModule.instrumentHeader)",
            ]
        }
        if request.coverage {
            try add("mdlab_coverage", with: [], from: project.coverage)
            suffix += "-coverage"
            // Two CPUs may count at once. Moving counters out of loops would lose what a thread did that never left
            // one (as CFLAGS_GCOV of the kernel's Makefile).
            flags += ["-fprofile-arcs", "-ftest-coverage", "-fprofile-update=atomic", "-fno-tree-loop-im"]
        }
        kbuild += """
            mdlab_flags := \(flags.joined(separator: " "))
            $(foreach object,$(md-mod-y) raid1.o raid10.o md-cluster.o,$(eval CFLAGS_$(object) := $(mdlab_flags)))

            """
    }

    private mutating func add(_ module: String, with headers: [String], from folder: String) throws {
        for name in [module + ".c"] + headers {
            let path = "\(folder)/\(name)"
            guard let content = FileManager.default.contents(atPath: path) else {
                throw KernelBuildError.projectFile(path: path, reason: "cannot be read")
            }
            files[name] = content
        }
        modules.append(module)
        kbuild += "obj-m += \(module).o\nCFLAGS_\(module).o := -I$(src)\n"
    }

    /// For the name of a cache entry; empty for plain modules.
    var text: String {
        files.sorted { $0.key < $1.key }.map { "\($0.key)\n\($0.value.base64EncodedString())\n" }.joined() + kbuild
    }
}
