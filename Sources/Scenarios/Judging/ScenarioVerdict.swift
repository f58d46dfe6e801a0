// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import ProtocolTrace
import RunRecord

/// The last word on a run: the judge's checks, the scenario's own expectations, and what was to fail.
///
/// Pure, and from what the record holds: the judge's verdict, run.json, events.ndjson and the last snapshots.
public struct ScenarioVerdict: Sendable {
    let instance: ScenarioInstance
    let description: RunDescription
    let events: [RunEvent]
    let finals: [NodeSnapshot]
    private let answers: KernelAnswers?

    /// - Parameters:
    ///   - snapshots: all snapshots of the run; those labelled "final" count.
    ///   - recording: with the traces; nil: what md answered a program is not known.
    public init(
        instance: ScenarioInstance, description: RunDescription, events: [RunEvent], snapshots: [NodeSnapshot],
        recording: Recording? = nil
    ) {
        self.instance = instance
        self.description = description
        self.events = events
        finals = snapshots.filter { $0.label == "final" }
        answers = recording.map { KernelAnswers(recording: $0) }
    }

    /// Adds the check "scenario" to the judge's verdict and gives the word.
    public func complete(_ judged: Verdict) -> Verdict {
        var verdict = judged
        verdict.scenario = instance.name
        verdict.checks.removeAll { $0.name == "scenario" }
        verdict.checks.append(scenarioCheck(judged))
        (verdict.word, verdict.reason) = word(verdict, judged: judged.word)
        return verdict
    }

    private var problem: (text: String, blame: StepProblem.Blame)? {
        guard let event = events.last(where: { $0.facts["problem"] != nil }), let text = event.facts["problem"],
            let blame = event.facts["blame"].flatMap(StepProblem.Blame.init(rawValue:))
        else { return nil }
        guard blame == .kernel, let program = event.facts["program"],
            let node = event.facts["node"].flatMap({ NodeID(name: $0) }), let answers
        else { return (text, blame) }
        let start = events.last { $0.kind == .step && $0.time <= event.time }?.time ?? 0
        return switch answers.last(to: program, on: node, within: start - 0.1...event.time + 0.1) {
        case .refused(let function, let errno): ("\(text) (\(function) had returned -\(errno))", .kernel)
        case .granted: ("\(text) (\(program) failed by itself: md had refused it nothing)", .program)
        case .unknown: ("\(text) (whether md had refused it something is not in the record)", .undecided)
        }
    }

    /// A fault came from outside: what the scenario expects need not be any more, and what it cannot do is nobody's
    /// mistake.
    private var isDisturbed: Bool { events.contains { $0.facts[Disturbance.fact] != nil } }

    private func scenarioCheck(_ judged: Verdict) -> CheckResult {
        var check = undisturbedCheck(judged)
        guard isDisturbed, check.answer == .fails else { return check }
        check.answer = .notDecided
        check.findings.insert(Finding("the run was disturbed from outside: its expectations decide nothing"), at: 0)
        return check
    }

    private func undisturbedCheck(_ judged: Verdict) -> CheckResult {
        if let problem {
            // A step that hung is the business of no-hang when that check can say why; blaming both would blame twice.
            let hung = judged.checks.contains { $0.name == "no-hang" && $0.answer == .fails }
            let answer: CheckAnswer =
                problem.blame == .kernel && !hung && description.ending != .interrupted ? .fails : .notDecided
            return CheckResult(
                name: "scenario", answer: answer,
                findings: [Finding(problem.text, fact: FindingFact(.step, problem.blame.rawValue))])
        }
        guard description.ending == .finished else {
            return CheckResult(
                name: "scenario", answer: .notDecided,
                findings: [Finding("the run ended as \(description.ending.rawValue)")])
        }
        let traced = judged.checks.contains { $0.name == "synchronous" && $0.answer != .notDecided }
        let died = events.filter { $0.kind == .nodeDied }.compactMap { $0.node.flatMap { NodeID(name: $0) } }
        let check = ExpectationCheck(
            instance: instance, finals: finals, updates: judged.metadataUpdates, messagesSeen: traced,
            died: Set(died))
        let (wrong, unseen, seen) = check.findings()
        let answer: CheckAnswer = wrong.isEmpty ? (unseen.isEmpty ? .holds : .notDecided) : .fails
        return CheckResult(name: "scenario", answer: answer, findings: wrong + unseen, seen: seen)
    }

    private func word(_ verdict: Verdict, judged: VerdictWord) -> (VerdictWord, String) {
        if description.ending == .interrupted { return (.miss, "interrupted before the end") }
        let failing = verdict.checks.failing
        if let expected = instance.expectedFailure(variant: description.variant) {
            return expectedWord(verdict, expected, failing)
        }
        if let first = failing.first {
            if description.ending == .finished,
                let known = instance.scenario.known.first(where: { $0.explains(failing) })
            {
                return (.xfail, "known, docs/findings.md, \(known.finding): " + Self.headline(first))
            }
            return (.fail, failing.map(\.name).joined(separator: ", ") + ": " + Self.headline(first))
        }
        if let problem {
            return (isDisturbed ? .miss : problem.blame.word, problem.text)
        }
        guard description.ending == .finished else { return (.miss, "the run ended as \(description.ending.rawValue)") }
        if judged == .userSpace { return (judged, verdict.reason) }
        // A check that did not run must not look like one that passed.
        if let undecided = verdict.checks.first(where: { $0.answer == .notDecided }) {
            return (.miss, "\(undecided.name): not decided: \(undecided.findings.first?.text ?? "no reason given")")
        }
        if judged == .error || judged == .skip || verdict.checks.isEmpty { return (judged, verdict.reason) }
        return (.pass, "\(verdict.checks.count) checks hold")
    }

    /// With a kernel that is known to be broken: exactly the checks that must fail did.
    private func expectedWord(
        _ verdict: Verdict, _ expected: ExpectedFailure, _ failing: [CheckResult]
    ) -> (VerdictWord, String) {
        let variant = description.variant ?? ""
        let names = expected.checks.joined(separator: ", ")
        for name in expected.checks where !failing.contains(where: { $0.name == name }) {
            if verdict.checks.contains(where: { $0.name == name && $0.answer == .holds }) {
                // It was not put to the test.
                if failing.isEmpty, let problem, problem.blame == .lab { return (.miss, problem.text) }
                return (.fail, "unexpected pass: \(variant) must fail \(name), and it holds")
            }
            if failing.isEmpty, let problem { return (problem.blame.word, problem.text) }
            return (.fail, "\(variant) must fail \(name), and it was not decided")
        }
        if let other = failing.first(where: { !expected.checks.contains($0.name) }) {
            return (
                .fail,
                "\(variant) must fail \(names) and nothing else; \(other.name): \(Self.headline(other))"
            )
        }
        let named = Set(failing.flatMap(\.findings).flatMap { ($0.nodes ?? []) + [$0.node].compactMap(\.self) })
        for node in expected.cycle where !named.contains(node.description) {
            return (.fail, "\(variant) must hang over \(expected.cycle), and \(names) does not name \(node)")
        }
        return (.xfail, "failed as it had to: " + (failing.first.map(Self.headline) ?? names))
    }

    /// The worst that a check found, with its node where the text does not say it.
    private static func headline(_ check: CheckResult) -> String {
        guard let finding = check.worst?.finding else { return "fails" }
        guard let node = finding.node, finding.fact?.kind == .log || finding.fact?.kind == .taint else {
            return finding.text
        }
        return "\(node): \(finding.text)"
    }
}
