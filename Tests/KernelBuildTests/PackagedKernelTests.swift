// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct KernelVersionTests {
    @Test func aVersionIsOneOfAShorterOne() throws {
        let kernel = try #require(KernelVersion("7.3.4+deb13-amd64"))
        #expect(kernel.numbers == [7, 3, 4])
        #expect(kernel.isOne(of: try #require(KernelVersion("7.3"))))
        #expect(kernel.isOne(of: try #require(KernelVersion("7.3.4"))))
        #expect(!kernel.isOne(of: try #require(KernelVersion("7.2"))))
        #expect(!(try #require(KernelVersion("6.12.117"))).isOne(of: try #require(KernelVersion("6.1"))))
    }

    @Test func newerIsByNumbersNotByLetters() throws {
        #expect(KernelStore.isOlder("6.9.1-amd64", "6.12.1-amd64"))
        #expect(!KernelStore.isOlder("7.3.4+deb13-amd64", "7.2.13+deb14-amd64"))
    }

    @Test(arguments: [
        "", "sid", "backports", "7", "7.", ".3", "7..3", "-", "99999999999999999999.1", "\u{0}7.3", "七.三",
    ])
    func othersAreNone(name: String) {
        #expect(KernelVersion(name) == nil)
    }
}

@Suite struct CachedKernelTests {
    @Test func theCacheIsReadWithoutApt() throws {
        let cache = CacheFolder(path: NSTemporaryDirectory() + "mdlab-cached-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: cache.path) }
        #expect(CachedKernel.all(in: cache).isEmpty)
        let names = [
            "7.3.4+deb13-amd64_7.3.4-1~bpo13+1_2", "6.1.0-56-amd64_6.1.192-2_2", ".7.2.1_a_2.draft-5", "tree-12", "_",
        ]
        for name in names {
            try FileManager.default.createDirectory(
                atPath: "\(cache.path)/kernels/\(name)", withIntermediateDirectories: true)
        }
        try Data(#"{"name": "backports", "version": "7.3.4-1~bpo13+1"}"#.utf8).write(
            to: URL(filePath: "\(cache.path)/kernels/\(names[0])/kernel.json"))
        try Data("garbage".utf8).write(to: URL(filePath: "\(cache.path)/kernels/\(names[1])/kernel.json"))
        let found = CachedKernel.all(in: cache)
        #expect(found.map(\.release) == ["6.1.0-56-amd64", "7.3.4+deb13-amd64"])
        #expect(found.map(\.name) == [nil, "backports"])
        let newest = try #require(found.last)
        #expect(newest.answers(to: "7.3") && newest.answers(to: "backports") && newest.answers(to: "7.3.4"))
        #expect(!newest.answers(to: "sid") && !newest.answers(to: "6.1") && !newest.answers(to: ""))
        #expect(found[0].answers(to: "6.1") && !found[0].answers(to: "6.12"))
    }
}

@Suite struct AptStateTests {
    private let suite = KernelCatalog.Suite(name: "trixie-backports", uri: "http://localhost/debian", with: ["trixie"])

    @Test func onlyThisSuiteAndWhatItNeedsIsASource() {
        let text = AptState.sources(of: suite)
        #expect(text.contains("\nSuites: trixie-backports trixie\n"))
        #expect(text.contains("\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"))
        #expect(!text.contains("rusted"))
    }

    /// Whatever apt would write or obey of the machine's is set to a place in the cache, or to nothing.
    @Test func nothingOfTheMachineIsTouched() {
        let proxy = #"Acquire::http::Proxy "http://proxy:3128";"#
        let text = AptState.settings(folder: "/c/suites/sid", suite: "sid", network: [proxy])
        for name in [
            "Etc::main", "Etc::parts", "Etc::sourcelist", "Etc::sourceparts", "Etc::preferences",
            "Etc::preferencesparts", "Etc::trusted", "Etc::trustedparts", "State", "State::lists", "State::status",
            "Cache", "Cache::archives", "Log",
        ] {
            let line = text.split(separator: "\n").first { $0.hasPrefix("Dir::\(name) \"") }
            #expect(line?.contains("\"/c/suites/sid") == true || line?.contains("\"/dev/null\"") == true, "\(name)")
        }
        #expect(text.hasSuffix(proxy + "\n"))
        #expect(!text.lowercased().contains("allow"))
    }

    @Test func ofTheMachinesSettingsOnlyThoseOfTheNetworkAreTaken() {
        let dump = """
            Acquire::http::Proxy "http://proxy:3128";
            Acquire::https::Proxy::example.org "DIRECT";
            Acquire::Check-Valid-Until "false";
            Acquire::AllowInsecureRepositories "1";
            APT::Update::Post-Invoke:: "rm -f /x";
            Dir::State "/var/lib/apt";
            Acquire::http::Proxy "broken
            """
        #expect(AptState.network(in: dump) == Array(dump.split(separator: "\n").prefix(3)).map(String.init))
        #expect(AptState.network(in: "").isEmpty)
    }

    /// A suite that does not answer is said; so are old lists that are used in its place.
    @Test func whatCannotBeReachedIsSaid() async throws {
        guard FileManager.default.fileExists(atPath: AptState.keyring) else { return }
        let cache = CacheFolder(path: NSTemporaryDirectory() + "mdlab-suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: cache.path) }
        // No scheme that apt has a method for: it fails at once, without a network.
        let nowhere = KernelCatalog.Suite(name: "nowhere", uri: "none://localhost/debian", with: [])
        let said = Said()
        let state = AptState(suite: nowhere, cache: cache) { said.add($0) }
        for _ in 1...2 {
            let error = await #expect(throws: KernelBuildError.self) { try await state.prepare() }
            guard case .suiteUnreachable("nowhere", let reason) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(reason.hasPrefix("E:"))
        }
        // The second time nobody is asked.
        #expect(said.steps.count { $0 == .updatingLists(suite: "nowhere") } == 1)

        try Data().write(to: URL(filePath: state.folder + "/lists/localhost_Packages"))
        try await state.prepare()
        guard case .oldLists(suite: "nowhere", _) = said.steps.last else {
            Issue.record("\(said.steps)")
            return
        }
    }
}

/// What a build said of its progress.
private final class Said: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [BuildProgress] = []
    var steps: [BuildProgress] { lock.withLock { all } }
    func add(_ step: BuildProgress) { lock.withLock { all.append(step) } }
}

@Suite struct KernelCompilerTests {
    @Test func theKernelsCompilerIsInItsConfiguration() {
        func version(_ text: String) -> Int? { KernelCompiler.version(config: "# x\nCONFIG_CC_VERSION_TEXT=\(text)\n") }
        #expect(version("\"x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0\"") == 14)
        #expect(version("\"gcc-12 (Debian 12.2.0-14) 12.2.0\"") == 12)
        #expect(version("\"gcc (Debian 12.2.0-14) 12.2.0\"") == nil)
        #expect(version("\"Debian clang version 19.1.7\"") == nil)
        for text in ["", "\"", "\"gcc-\"", "\"gcc-x 1\"", "\"gcc-999999999999999999999 1\"", "\"gcc-3 3\"", "gcc-14"] {
            #expect(version(text) == nil)
        }
        #expect(KernelCompiler.version(config: "") == nil)
    }

    @Test func aFlagThatTheOtherCompilerLacksIsNotAskedFor() async throws {
        let config = "\nCONFIG_CC_VERSION_TEXT=\"gcc-99 (x) 99.1\"\nCONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=y\n"
        let chosen = try #require(try await KernelCompiler.choose(config: config))
        #expect(!chosen.isKernels && chosen.kernels == "gcc-99")
        #expect(chosen.makeArguments.first == "CC=\(chosen.name)")
        let knows = try await Tool(name: chosen.name, package: "gcc").output(
            ["-fmin-function-alignment=16", "-fsyntax-only", "-x", "c", "/dev/null"]
        ).succeeded
        #expect(chosen.makeArguments.contains("CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=") == !knows)
    }
}

@Suite struct KbuildOptionTests {
    @Test func partsByOptionStayByOption() throws {
        let text = try Kbuild.text(
            fromMakefile: """
                md-mod-y\t+= md.o
                md-mod-$(CONFIG_MD_BITMAP)\t+= md-bitmap.o \\
                \t\tmd-more.o
                md-mod-$(shell rm)\t+= evil.o
                md-mod-$(CONFIG_)\t+= nothing.o
                raid456-y += raid5.o
                obj-$(CONFIG_BLK_DEV_MD) += md-mod.o

                """, path: "Makefile")
        #expect(
            text == """
                md-mod-y += md.o
                md-mod-$(CONFIG_MD_BITMAP) += md-bitmap.o md-more.o
                obj-m := md-mod.o raid1.o raid10.o md-cluster.o

                """)
    }

    @Test func aMakefileWithoutMDIsRefused() {
        for text in ["", "md-mod-y", "obj-m += md-mod.o\n", "md-mod-$(CONFIG_X)y += a.o\n"] {
            #expect(throws: KernelBuildError.unknownModuleParts(path: "M")) {
                try Kbuild.text(fromMakefile: text, path: "M")
            }
        }
    }
}

@Suite struct KernelHeadersTests {
    @Test func debiansPathsBecomeRelative() {
        #expect(
            KernelUnpacking.loosened(
                "KBUILD_OUTPUT=/usr/src/linux-headers-7\ninclude /usr/src/linux-headers-7-common/Makefile\n")
                == "KBUILD_OUTPUT := $(CURDIR)\n"
                + "include $(dir $(lastword $(MAKEFILE_LIST)))../linux-headers-7-common/Makefile\n")
        #expect(KernelUnpacking.loosened("") == "")
    }

    /// A program of the machine, started through its own loader from a place that was moved afterwards.
    @Test func wrappedProgramsRunWithTheLibrariesBesideThem() async throws {
        let files = FileManager.default
        let entry = NSTemporaryDirectory() + "mdlab-host-\(UUID().uuidString)"
        defer { for place in [entry, entry + "-moved"] { try? files.removeItem(atPath: place) } }
        let libraries = "\(entry)/host/usr/lib/x86_64-linux-gnu"
        try files.createDirectory(atPath: libraries, withIntermediateDirectories: true)
        try files.createDirectory(atPath: entry + "/headers/a", withIntermediateDirectories: true)
        for name in ["ld-linux-x86-64.so.2", "libc.so.6"] {
            try files.copyItem(
                atPath: URL(filePath: "/lib/x86_64-linux-gnu/\(name)").resolvingSymlinksInPath().path,
                toPath: "\(libraries)/\(name)")
        }
        try files.copyItem(
            atPath: URL(filePath: "/bin/echo").resolvingSymlinksInPath().path, toPath: entry + "/headers/a/say")
        try "#!/bin/sh\n".write(toFile: entry + "/headers/a/script", atomically: false, encoding: .utf8)
        try HostPrograms(entry: entry).wrap(in: "headers")
        try files.moveItem(atPath: entry, toPath: entry + "-moved")
        let said = try await Tool(name: "sh", package: "dash").output([
            entry + "-moved/headers/a/say", "two  words", "*",
        ])
        #expect(said.text == "two  words *\n")
        #expect(files.fileExists(atPath: entry + "-moved/headers/a/say.program"))
        #expect(!files.fileExists(atPath: entry + "-moved/headers/a/script.program"))
    }

    @Test func withoutALoaderNothingIsWrapped() {
        #expect(throws: KernelBuildError.self) { try HostPrograms(entry: "/nonexistent").wrap(in: "headers") }
    }
}

@Suite struct CacheUseTests {
    @Test func onlyWhatIsOldGoes() throws {
        let files = FileManager.default
        let cache = CacheFolder(path: NSTemporaryDirectory() + "mdlab-use-\(UUID().uuidString)")
        defer { try? files.removeItem(atPath: cache.path) }
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        func put(_ name: String, daysAgo: Double) throws {
            let place = "\(cache.path)/\(name)"
            try files.createDirectory(atPath: place, withIntermediateDirectories: true)
            try Data(repeating: 1, count: 20000).write(to: URL(filePath: place + "/file"))
            for path in [place, place + "/file"] {
                try files.setAttributes([.modificationDate: now - daysAgo * 86400], ofItemAtPath: path)
            }
        }
        try put("kernels/old", daysAgo: 20)
        try put("kernels/.old.draft-1", daysAgo: 20)
        try put("kernels/new", daysAgo: 1)
        try put("modules/old", daysAgo: 20)
        try put("locks/old", daysAgo: 20)
        #expect(CacheUse.of(cache).kinds.map(\.name) == ["kernels", "modules"])
        #expect(CacheUse.of(cache).kinds.map(\.entries) == [2, 1])
        #expect(CacheUse.of(cache).bytes >= 80000)

        let removed = CacheUse.prune(cache, kinds: ["kernels"], olderThan: 14 * 86400, now: now)
        #expect(removed.kinds.map(\.entries) == [2])
        #expect(removed.bytes >= 40000)
        #expect(try files.contentsOfDirectory(atPath: cache.path + "/kernels") == ["new"])
        #expect(CacheUse.prune(cache, olderThan: 14 * 86400, now: now).kinds.map(\.entries) == [0, 1])
        #expect(files.fileExists(atPath: cache.path + "/locks/old"))
        #expect(CacheUse.of(CacheFolder(path: cache.path + "/none")) == CacheUse(kinds: []))
    }
}
