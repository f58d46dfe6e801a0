// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct KernelTreeTests {
    private static let config = """
        CONFIG_BLK_DEV_MD=m
        CONFIG_MD_RAID1=m
        CONFIG_MD_RAID10=m
        CONFIG_MD_CLUSTER=m
        CONFIG_DLM=y
        """

    /// A folder with these files, removed afterwards, and what is said of it as a kernel tree.
    private func fault(_ texts: [String: String]) throws -> KernelTreeFault? {
        let folder = NSTemporaryDirectory() + "mdlab-tree-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in texts {
            let place = URL(filePath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: place, atomically: false, encoding: .utf8)
        }
        do {
            try KernelTree(path: folder).check()
            return nil
        } catch KernelBuildError.kernelTree(folder, let fault) {
            return fault
        }
    }

    private static let source = ["Kbuild": "", "scripts/Makefile.build": "", "drivers/md/md-cluster.c": ""]
    private static let products = [
        "include/config/kernel.release": "6.1.0", "Module.symvers": "", "System.map": "", "arch/x86/boot/bzImage": "",
    ]

    private func tree(_ more: [String: String]) -> [String: String] {
        Self.source.merging(more) { $1 }
    }

    @Test func aBuiltTreeIsTaken() throws {
        #expect(try fault(tree(Self.products).merging([".config": Self.config]) { $1 }) == nil)
    }

    @Test func saysWhatIsMissingFirst() throws {
        #expect(try fault([:]) == .notAKernelTree)
        #expect(try fault(["README": "x"]) == .notAKernelTree)
        #expect(try fault(Self.source) == .notConfigured)
        #expect(try fault(tree([".config": Self.config])) == .notBuilt(missing: "include/config/kernel.release"))
        for product in Self.products.keys {
            var texts = tree(Self.products)
            texts[".config"] = Self.config
            texts[product] = nil
            #expect(try fault(texts) == .notBuilt(missing: product))
        }
    }

    @Test(arguments: ["MD_CLUSTER", "BLK_DEV_MD", "MD_RAID1", "MD_RAID10"])
    func namesTheOptionThatIsNoModule(option: String) throws {
        for wrong in ["# CONFIG_\(option) is not set", "CONFIG_\(option)=y", ""] {
            let config = Self.config.replacing("CONFIG_\(option)=m", with: wrong)
            #expect(try fault(tree([".config": config])) == .missingOptions(["CONFIG_\(option)=m"]))
        }
    }

    @Test func garbageIsNoConfiguration() {
        #expect(KernelTree.missingOptions(in: "\u{0}garbage=\n=m\n").count == 5)
        #expect(KernelTree.missingOptions(in: String(repeating: "x", count: 1 << 20)).count == 5)
    }
}
