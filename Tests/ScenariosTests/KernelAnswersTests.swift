// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import KernelTrace
import ProtocolTrace
import RunRecord
import Testing

@testable import Scenarios

/// Whether md refused a program something, and what that makes of a run whose step failed.
@Suite struct KernelAnswersTests {
    private func recording(_ answers: [(second: Double, comm: String, value: Int64)], probed: Bool = true) -> Recording
    {
        var description = RunDescription(
            toolVersion: "0", scenario: "test", started: Date(timeIntervalSince1970: 0), nodes: 2, kernelRelease: "6.1",
            start: .warm, accelerator: "tcg")
        description.clockOffsets = [5, 5]
        description.ending = .finished
        var recording = Recording(layout: RunLayout(root: URL(filePath: "/nowhere")), description: description)
        let events = answers.enumerated().map { index, answer in
            KernelEvent(
                node: NodeID(1), index: index, time: UInt64((answer.second + 5) * 1e9), cpu: 0, pid: 9,
                comm: answer.comm,
                body: answer.value == .max ? .lost(1) : .exit(function: "md_ioctl", value: answer.value))
        }
        recording.nodes = [Recording.Node(id: NodeID(1), trace: events), Recording.Node(id: NodeID(2), trace: [])]
        if probed { recording.nodes[0].probes = ["md_ioctl__ret"] }
        return recording
    }

    private func last(_ recording: Recording) -> KernelAnswers.Answer {
        KernelAnswers(recording: recording).last(to: "mdadm", on: NodeID(1), within: 10...20)
    }

    @Test func theLastAnswerWithinTheStepCounts() {
        #expect(last(recording([(12, "mdadm", -16)])) == .refused(function: "md_ioctl", errno: 16))
        #expect(last(recording([(12, "mdadm", -19), (13, "mdadm", 0)])) == .granted)
        #expect(last(recording([(12, "mdadm", 0), (13, "other", -16)])) == .granted)
        #expect(last(recording([(5, "mdadm", -16), (25, "mdadm", -16)])) == .granted)
        #expect(last(recording([])) == .granted)
    }

    @Test func whatIsNotInTheTraceIsNotKnown() {
        #expect(last(recording([(12, "mdadm", -16)], probed: false)) == .unknown)
        #expect(last(recording([(12, "<...>", -16)])) == .unknown)
        #expect(last(recording([(12, "mdadm", -16), (13, "x", .max)])) == .unknown)
        var bare = recording([(12, "mdadm", -16)])
        bare.nodes[0].trace = nil
        #expect(last(bare) == .unknown)
    }

    @Test func theWordFollows() throws {
        let scenario = try scenario(steps: "  - {stop: node1}")
        func word(_ recording: Recording) -> VerdictWord {
            let events = [
                RunEvent(time: 11, kind: .step, text: "mdadm --grow"),
                RunEvent(
                    time: 14, kind: .note, text: "x",
                    facts: ["problem": "mdadm failed", "blame": "kernel", "program": "mdadm", "node": "node1"]),
            ]
            let judged = Verdict(
                scenario: "test", variant: nil, kernelRelease: "6.1", word: .pass, reason: "",
                checks: [CheckResult(name: "no-hang", answer: .holds)], metadataUpdates: [], detectorsOff: [:])
            return ScenarioVerdict(
                instance: ScenarioInstance(scenario: scenario, level: .raid1, nodes: 2),
                description: recording.description, events: events, snapshots: [], recording: recording
            ).complete(judged).word
        }
        #expect(word(recording([(12, "mdadm", -16)])) == .fail)
        #expect(word(recording([(12, "mdadm", 0)])) == .userSpace)
        #expect(word(recording([(12, "mdadm", -16)], probed: false)) == .miss)
    }

    /// Only of a program that is called by itself is it known what it asked.
    @Test func aShellLineIsNotMdadm() {
        func facts(_ command: String) -> [String: String] {
            StepProblem.status(node: NodeID(1), command: command, status: 1, output: "").facts
        }
        #expect(facts("mdadm --grow /dev/md0") == ["program": "mdadm", "node": "node1"])
        #expect(facts("mdadm --stop /dev/md0; false").isEmpty && facts("grep x /proc/mdstat").isEmpty)
    }
}
