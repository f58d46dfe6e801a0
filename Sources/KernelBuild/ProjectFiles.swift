// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The data files of the project that this room reads, found from the place of the program or of the caller.
public struct ProjectFiles: Sendable {
    public let root: String

    public init(root: String) {
        self.root = root
    }

    /// $MDLAB_ROOT, else the first folder upwards of the program, else of the current folder, that has vm/kernels.json.
    public static func locate(environment: [String: String] = ProcessInfo.processInfo.environment) throws
        -> ProjectFiles
    {
        if let root = environment["MDLAB_ROOT"], !root.isEmpty { return ProjectFiles(root: root) }
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        for start in [program, URL(filePath: FileManager.default.currentDirectoryPath)] {
            var folder = start
            while folder.path != "/" {
                if FileManager.default.fileExists(atPath: folder.path + "/vm/kernels.json") {
                    return ProjectFiles(root: folder.path)
                }
                folder.deleteLastPathComponent()
            }
        }
        throw KernelBuildError.projectFile(path: "vm/kernels.json", reason: "not found upwards of here")
    }

    public var kernels: String { root + "/vm/kernels.json" }
    public var guestPackages: String { root + "/vm/guest-packages" }
    public var variants: String { root + "/kernel-tests/variants" }
    var coverage: String { root + "/kernel-tests/coverage" }
    /// The kernel's macros as calls, for what reads the source.
    var overrides: String { root + "/kernel-tests/model/overrides.h" }
    /// What md-cluster's C means.
    public var meaning: String { root + "/kernel-tests/model/md-cluster.yaml" }
    /// Mistakes in md-cluster.c that nobody could notice, with reasons.
    public var unnoticed: String { root + "/kernel-tests/model/unnoticed" }
    public var gate: String { root + "/kernel-tests/gate" }

    func text(_ path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw KernelBuildError.projectFile(path: path, reason: "cannot be read")
        }
    }
}
