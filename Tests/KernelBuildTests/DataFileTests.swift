// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct AptPackageTests {
    private static let sum = String(repeating: "a", count: 64)
    private static let stanza = """
        Package: linux-headers-6.1.0-1-amd64
        Version: 1:6.1.2-1~deb12u1
        Architecture: amd64
        Depends: linux-headers-6.1.0-1-common (= 6.1.2-1), linux-kbuild-6.1 (>= 6.1.2-1), gcc-12:any | gcc (>= 4:12)
        Description: headers
         Version: of no meaning here
        Size: 123
        SHA256: \(sum)
        """

    @Test func readsAStanza() throws {
        let package = try #require(AptPackage.parse(Self.stanza + "\n").first)
        #expect(package.name == "linux-headers-6.1.0-1-amd64")
        #expect(package.version == "1:6.1.2-1~deb12u1")
        #expect(package.size == 123)
        #expect(package.sha256 == Self.sum)
        #expect(package.identity == "linux-headers-6.1.0-1-amd64_1%3a6.1.2-1~deb12u1_amd64")
        #expect(
            package.dependencies == [
                .init(name: "linux-headers-6.1.0-1-common", exactVersion: "6.1.2-1"),
                .init(name: "linux-kbuild-6.1"), .init(name: "gcc-12"),
            ])
    }

    @Test func readsSeveral() {
        #expect(AptPackage.parse(Self.stanza + "\n\n" + Self.stanza).count == 2)
    }

    @Test(arguments: [
        ("Size: 123", "Size: many"), ("Size: 123", "Size: -1"), ("SHA256: a", "SHA256: aa"), ("Package:", "Packet:"),
        ("Package: linux", "Package: ../linux"), ("Version: 1:6", "Version: 1/6"), ("Package: l", "Package: -l"),
        ("Architecture: amd64", "Architecture:"),
    ])
    func leavesOutWhatCannotBeVerified(good: String, bad: String) {
        #expect(AptPackage.parse(Self.stanza.replacing(good, with: bad)).isEmpty)
    }

    @Test func survivesGarbage() {
        for text in ["", "\n\n\n", ":", " : ", "Package", String(repeating: "x: y\n", count: 100_000), "\u{0}: \u{FF}"]
        {
            #expect(AptPackage.parse(text).isEmpty)
        }
        for length in 0..<Self.stanza.count - 1 {
            #expect(AptPackage.parse(String(Self.stanza.prefix(length))).isEmpty)
        }
    }

    @Test func readsAListOfNames() {
        #expect(PackageCache.names(inList: "# programs\na\n\n  b # with a reason\n#c\n") == ["a", "b"])
    }
}

@Suite struct ProjectDataTests {
    private let files = ProjectFiles(
        root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path)

    @Test func theCatalogIsSound() throws {
        let catalog = try KernelCatalog(files: files)
        #expect(catalog.kernels.map(\.name).contains(catalog.default))
        #expect(Set(catalog.kernels.map(\.name)).count == catalog.kernels.count)
        for entry in catalog.kernels {
            // The newest is asked for: no name pins a version beyond the kernel's own.
            let names = entry.image + entry.headers + entry.source
            #expect(names.replacing(entry.name, with: "").allSatisfy { !$0.isNumber || "64".contains($0) })
        }
    }

    @Test func anUnknownKernelIsNamedWithItsNeighbours() throws {
        let catalog = try KernelCatalog(files: files)
        #expect(
            throws: KernelBuildError.unknownKernel("6.11", near: ["6.1", "6.12"], known: catalog.kernels.map(\.name))
        ) {
            try catalog.entry("6.11")
        }
    }

    @Test func aBrokenCatalogIsNamed() throws {
        let root = NSTemporaryDirectory() + "mdlab-root-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root + "/vm", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        for text in ["", "{}", "[1, 2", "{\"default\": 3}", "\u{0}\u{1}", Self.strangeSuite] {
            try text.write(toFile: root + "/vm/kernels.json", atomically: false, encoding: .utf8)
            let error = #expect(throws: KernelBuildError.self) { try KernelCatalog(files: ProjectFiles(root: root)) }
            guard case .projectFile(let path, _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(path == root + "/vm/kernels.json")
        }
    }

    /// An entry of a suite that nobody describes.
    private static let strangeSuite = """
        {"default": "a", "suites": [], "kernels": [
          {"name": "a", "image": "i", "headers": "h", "source": "s", "suite": "woody"}]}
        """

    @Test func theGuestPackagesAreNames() throws {
        let names = PackageCache.names(inList: try files.text(files.guestPackages))
        #expect(names.contains("corosync"))
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { !$0.contains(" ") })
    }

    @Test func everyVariantSaysWhatItChanges() throws {
        let names = Variant.names(in: files.variants)
        #expect(names.contains("async"))
        for name in names {
            let variant = try Variant.find(name, in: files)
            #expect(!variant.changes.isEmpty, "\(name)")
        }
    }

    @Test func anUnknownVariantIsNamedWithItsNeighbours() {
        let error = #expect(throws: KernelBuildError.self) { try Variant.find("asinc", in: files) }
        guard case .unknownVariant("asinc", near: ["async"], _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: KernelBuildError.self) { try Variant.find("../variants/async", in: files) }
    }
}

@Suite struct KbuildTests {
    @Test func takesMdModsPartsFromTheMakefile() throws {
        let makefile = "md-mod-y\t+= md.o \\\n\t\tmd-bitmap.o\nmd-mod-y += md-llbitmap.o\nraid456-y += raid5.o\n"
        #expect(
            try Kbuild.text(fromMakefile: makefile, path: "M") == """
                md-mod-y += md.o md-bitmap.o
                md-mod-y += md-llbitmap.o
                obj-m := md-mod.o raid1.o raid10.o md-cluster.o

                """)
    }

    @Test(arguments: ["", "md-mod-y", "md-mod-y +=", "garbage \\\n", "obj-y += md-mod-y md.o"])
    func refusesAMakefileThatDoesNotSay(makefile: String) {
        #expect(throws: KernelBuildError.unknownModuleParts(path: "M")) {
            try Kbuild.text(fromMakefile: makefile, path: "M")
        }
    }
}
