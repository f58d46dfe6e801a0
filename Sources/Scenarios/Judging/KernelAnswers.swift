// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import KernelTrace
import ProtocolTrace

/// Whether md refused a program something, told from what its ioctls and writes to sysfs returned. When mdadm ends with
/// an error that is the question: a kernel that refuses what it should do is at fault, a program that never asked it is
/// not.
struct KernelAnswers {
    enum Answer: Equatable {
        /// The last answer within the time was this error, as a positive errno.
        case refused(function: String, errno: Int32)
        /// All that it asked was done, or it asked nothing.
        case granted
        /// The record does not show md's answers.
        case unknown
    }

    private static let functions: Set<String> = ["md_ioctl", "md_attr_store"]
    let recording: Recording

    /// - Parameters:
    ///   - program: its name as `comm` has it.
    ///   - time: host seconds, as in events.ndjson.
    func last(to program: String, on node: NodeID, within time: ClosedRange<Double>) -> Answer {
        guard let found = recording.nodes.first(where: { $0.id == node }), let trace = found.trace,
            found.probes.contains("md_ioctl__ret"),
            recording.description.clockOffsets.indices.contains(node.rawValue - 1)
        else { return .unknown }
        let offset = recording.description.clockOffsets[node.rawValue - 1]
        var answer = Answer.granted
        for event in trace {
            let host = Double(event.time) / 1e9 - offset
            guard time.contains(host) else { continue }
            if case .lost = event.body { return .unknown }
            guard event.comm == program || event.comm == ThreadIdentity.nameless,
                case .exit(let function, let value) = event.body, Self.functions.contains(function), let value
            else { continue }
            if event.comm == ThreadIdentity.nameless { return .unknown }
            let status = Int32(truncatingIfNeeded: value)
            answer = status < 0 ? .refused(function: function, errno: -status) : .granted
        }
        return answer
    }
}
