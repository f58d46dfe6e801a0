// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord

/// Decides between KVM and TCG by booting: /dev/kvm may open, and even make a machine, where no guest ever starts.
///
/// The answer holds until the host or QEMU changes, and is kept until then.
public struct AcceleratorProbe: Sendable {
    public enum Answer: Sendable, Equatable {
        case kvm
        case tcg(reason: String)

        public var accelerator: ClusterConfiguration.Accelerator { self == .kvm ? .kvm : .tcg }
    }

    /// The folder for kept answers.
    public var cache: URL
    /// A guest that takes longer than this to reach init under KVM is no help.
    static let limit = Duration.seconds(15)

    public init(cache: URL) { self.cache = cache }

    public func answer(for configuration: ClusterConfiguration) async throws -> Answer {
        guard access("/dev/kvm", R_OK | W_OK) == 0 else { return .tcg(reason: "/dev/kvm cannot be opened") }
        let file = cache.appending(path: Self.key(qemu: configuration.qemu))
        if let kept = try? String(contentsOf: file, encoding: .utf8) {
            return kept == "kvm" ? .kvm : .tcg(reason: kept)
        }
        let answer = try await boot(configuration)
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
        let text =
            switch answer {
            case .kvm: "kvm"
            case .tcg(let reason): reason
            }
        try Data(text.utf8).write(to: file, options: .atomic)
        return answer
    }

    private func boot(_ configuration: ClusterConfiguration) async throws -> Answer {
        var single = configuration
        single.nodes = 1
        single.accelerator = .kvm
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-probe-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let description = RunDescription(
            toolVersion: "", scenario: "probe", started: Date(), nodes: 1, kernelRelease: configuration.kernelRelease,
            start: .cold,
            accelerator: "kvm")
        let recorder = try RunRecorder(layout: RunLayout(root: folder), description: description) { _ in }
        let cluster = try QEMUCluster(single, recorder: recorder)
        var answer = Answer.kvm
        do {
            try await cluster.launch(cluster.guests[0], incoming: nil)
            _ = try await cluster.guests[0].reach("init", limit: Self.limit)
        } catch ClusterFailure.notBooted {
            answer = .tcg(reason: "a guest under KVM did not reach init in \(Int(Self.limit.seconds)) s")
        } catch ClusterFailure.nodeDied {
            answer = .tcg(reason: "QEMU ended when a guest was started under KVM")
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
        return answer
    }

    /// This boot of the host and this QEMU.
    public static func key(qemu: String) -> String {
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let facts = (try? FileManager.default.attributesOfItem(atPath: qemu)) ?? [:]
        let size = (facts[.size] as? Int) ?? 0
        let modified = ((facts[.modificationDate] as? Date) ?? .distantPast).timeIntervalSince1970
        return boot.trimmingCharacters(in: .whitespacesAndNewlines) + "-\(size)-\(Int(modified))"
    }
}
