// SPDX-License-Identifier: GPL-2.0
import Foundation

/// apt's lists of one suite, in mdlab's cache: sources, lists and settings of mdlab's own, so that kernels of suites
/// can be had that the machine does not use. Nothing of the machine's apt is changed, and of its settings only those of
/// the network are taken. apt verifies the lists with Debian's keyring, and packages with the lists.
struct AptState: Sendable {
    let suite: KernelCatalog.Suite
    let cache: CacheFolder
    let progress: BuildProgressHandler

    static let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

    /// Names there move within days: older lists are fetched anew.
    private static let freshness = 24.0 * 3600
    /// A suite that could not be reached is not asked again for so long.
    private static let patience = 600.0

    var folder: String { "\(cache.path)/suites/\(suite.name)" }
    /// What apt's programs need to look here and nowhere else.
    var environment: [String: String] { ["APT_CONFIG": folder + "/apt.conf"] }
    private var updated: String { folder + "/updated" }
    private var failed: String { folder + "/failed" }

    /// The lists, fetched if there are none or if they are old. Old ones serve when no new ones can be had, which is
    /// said. Throws `suiteUnreachable` when there are none.
    func prepare(now: Date = Date()) async throws {
        try cache.makeReady()
        let lock = try await CacheLock.take("\(cache.path)/locks/suite-\(suite.name)", progress: progress)
        defer { lock.release() }
        if let time = Self.time(updated), now.timeIntervalSince(time) < Self.freshness, listsPresent { return }
        var reason = "asked a moment ago"
        if let said = try? String(contentsOfFile: failed, encoding: .utf8), let time = Self.time(failed),
            now.timeIntervalSince(time) < Self.patience
        {
            reason = said
        } else if let fault = try await update() {
            reason = fault
            try? fault.write(toFile: failed, atomically: true, encoding: .utf8)
        } else {
            return
        }
        guard listsPresent else { throw KernelBuildError.suiteUnreachable(suite.name, reason: reason) }
        progress(.oldLists(suite: suite.name, reason: reason))
    }

    /// Fetches the lists. Returns why that failed, or nil.
    private func update() async throws -> String? {
        guard FileManager.default.fileExists(atPath: Self.keyring) else {
            throw KernelBuildError.missingTool(Self.keyring, package: "debian-archive-keyring")
        }
        try await writeSettings()
        progress(.updatingLists(suite: suite.name))
        let said = try await Tool.apt.output(["--quiet", "update"], environment: environment)
        guard said.succeeded else {
            let lines = (said.errors + said.text).split(separator: "\n")
            let fault =
                lines.first { $0.hasPrefix("E:") || $0.hasPrefix("Err:") } ?? lines.last ?? "apt-get update failed"
            return String(fault)
        }
        try? FileManager.default.removeItem(atPath: failed)
        try Data().write(to: URL(filePath: updated))
        return nil
    }

    private func writeSettings() async throws {
        let files = FileManager.default
        for name in ["lists/partial", "archives/partial", "none"] {
            try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let machine = (try? await Tool.aptConfig.output(["dump"]).text) ?? ""
        try Self.settings(folder: folder, suite: suite.name, network: Self.network(in: machine))
            .write(toFile: folder + "/apt.conf", atomically: true, encoding: .utf8)
        try Self.sources(of: suite).write(toFile: folder + "/suite.sources", atomically: true, encoding: .utf8)
        if !files.fileExists(atPath: folder + "/status") { try Data().write(to: URL(filePath: folder + "/status")) }
    }

    /// How the machine comes to the network, and whether its owner says that lists do not age: the lines of
    /// `apt-config dump` that mdlab takes over.
    static func network(in dump: String) -> [String] {
        dump.split(separator: "\n").map(String.init).filter { line in
            let isProxy = line.hasPrefix("Acquire::http") && line.contains("Proxy")
            return (isProxy || line.hasPrefix("Acquire::Check-Valid-Until ")) && line.hasSuffix("\";")
        }
    }

    /// apt.conf(5). It is read before the machine's own settings, whose place it sets to an empty folder: their hooks
    /// would run otherwise.
    static func settings(folder: String, suite: String, network: [String]) -> String {
        """
        Dir::Etc::main "/dev/null";
        Dir::Etc::parts "\(folder)/none";
        Dir::Etc::sourcelist "\(folder)/suite.sources";
        Dir::Etc::sourceparts "\(folder)/none";
        Dir::Etc::preferences "/dev/null";
        Dir::Etc::preferencesparts "\(folder)/none";
        Dir::Etc::trusted "/dev/null";
        Dir::Etc::trustedparts "\(folder)/none";
        Dir::State "\(folder)";
        Dir::State::lists "\(folder)/lists";
        Dir::State::status "\(folder)/status";
        Dir::Cache "\(folder)";
        Dir::Cache::archives "\(folder)/archives";
        Dir::Log "\(folder)";
        APT::Architecture "amd64";
        APT::Architectures { "amd64"; };
        APT::Default-Release "\(suite)";
        APT::Sandbox::User "\(NSUserName())";
        APT::Update::Error-Mode "any";
        Acquire::Languages "none";
        Acquire::Retries "1";
        Acquire::http::Timeout "20";
        Acquire::https::Timeout "20";

        """ + network.map { $0 + "\n" }.joined()
    }

    /// sources.list(5), in the form deb822.
    static func sources(of suite: KernelCatalog.Suite) -> String {
        """
        Types: deb
        URIs: \(suite.uri)
        Suites: \(([suite.name] + suite.with).joined(separator: " "))
        Components: main
        Architectures: amd64
        Signed-By: \(keyring)

        """
    }

    var listsPresent: Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/lists")) ?? []
        return names.contains { $0.contains("_Packages") }
    }

    private static func time(_ path: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }
}
