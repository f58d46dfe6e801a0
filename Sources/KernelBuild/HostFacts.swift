// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What a record says of the machine and of the packages that a run was made with. What cannot be told is left out.
public struct HostFacts: Sendable, Equatable {
    /// "kernel", "processor", "cores", "load", "qemu".
    public var host: [String: String] = [:]
    /// Debian package -> version: of the host's QEMU, and of all that runs inside the nodes.
    public var packages: [String: String] = [:]

    /// - Parameters:
    ///   - qemu: the program that runs the nodes.
    ///   - guests: names of the packages in the nodes.
    public static func gather(qemu: String, guests: [String], packages: PackageCache) async -> HostFacts {
        var facts = HostFacts()
        func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
        facts.host["kernel"] = text("/proc/sys/kernel/osrelease")?.trimmingCharacters(in: .newlines)
        facts.host["processor"] = text("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }?
            .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        facts.host["cores"] = String(ProcessInfo.processInfo.activeProcessorCount)
        facts.host["load"] = text("/proc/loadavg")?.split(separator: " ").first.map(String.init)
        if let said = try? await Tool(name: URL(filePath: qemu).lastPathComponent, package: "qemu-system-x86").output([
            "--version"
        ]), said.succeeded {
            facts.host["qemu"] = said.text.split(separator: "\n").first.map(String.init)
        }
        if let said = try? await Tool.dpkgQuery.output(["--show", "--showformat=${Version}", "qemu-system-x86"]),
            said.succeeded
        {
            facts.packages["qemu-system-x86"] = said.text
        }
        for package in (try? await packages.candidates(guests)) ?? [] { facts.packages[package.name] = package.version }
        return facts
    }
}
