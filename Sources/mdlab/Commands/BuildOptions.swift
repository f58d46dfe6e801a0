// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild

/// The options that say which modules are meant, the same for every command that builds.
struct BuildOptions: ParsableArguments {
    @Option(help: "Kernel of Debian by a name or version of mdlab kernels: 6.12, 7.3, backports, sid.")
    var kernel: String?

    @Option(help: ArgumentHelp("A kernel tree that you have built.", valueName: "tree"))
    var linux: String?

    @Option(help: ArgumentHelp("A patch to apply first; may be given several times.", valueName: "file"))
    var patch: [String] = []

    @Option(help: ArgumentHelp("A deliberately changed md-cluster of kernel-tests/variants.", valueName: "name"))
    var variant: String?

    @Flag(help: "Build modules whose threads can be held at any function (kernel-tests/gate).")
    var instrument = false

    @Flag(help: "Build modules that count what lines ran (gcov); the record then has coverage.info.")
    var coverage = false

    func validate() throws {
        if kernel != nil, linux != nil {
            throw ValidationError("--kernel and --linux exclude each other: give one of them.")
        }
    }

    func request(_ catalog: KernelCatalog) throws -> BuildRequest {
        let choice: KernelChoice =
            if let linux { .tree(URL(filePath: linux).standardizedFileURL.path) } else {
                .packaged(kernel ?? catalog.default)
            }
        return BuildRequest(
            kernel: choice, patches: patch, variant: variant, instrument: instrument, coverage: coverage)
    }
}
