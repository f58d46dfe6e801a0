// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import MDClusterModel
import ModelChecker
import ProcedureModel

/// A counterexample of the model, taken step by step through the model again: how it ends, and who waits for whom
/// there.
public struct Prediction: Sendable {
    public let document: RunDocument
    let machine: Machine
    let workload: Workload
    let operations: [ModelOperation]
    let run: Counterexample
    /// The kernel as it is, with the same work to do.
    let reference: Machine?
    /// Where all threads are that are not at rest in the last state.
    let goal: [Int: Int]
    /// What whoever confirms new devices does where it may do one thing or another: the step, and where it goes on.
    let answers: [Place: Place?]

    public static func read(file url: URL) throws(PlanError) -> Prediction {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw .unreadable(
                url.path,
                reason: FileManager.default.fileExists(atPath: url.path)
                    ? (error as NSError).localizedDescription : "no such file")
        }
        guard let document = try? JSONDecoder().decode(RunDocument.self, from: data) else {
            throw .notACounterexample(url.lastPathComponent)
        }
        return try Prediction(document, file: url.lastPathComponent)
    }

    public init(_ document: RunDocument, file: String) throws(PlanError) {
        self.document = document
        do {
            workload = try Workload(document.meta.workload, nodes: document.meta.nodes)
            operations = try ModelOperation.all(of: workload)
            machine = try Self.machine(document, workload)
            reference = try? Self.machine(document, workload, variant: "v5.11")
        } catch let error as ModelError {
            throw .model(error)
        } catch let error as PlanError {
            throw error
        } catch {
            throw .notACounterexample(file)
        }
        run = try Self.replay(document, on: machine)
        goal = machine.blockedAt(run.states.last ?? [])
        answers = machine.answers(in: run)
        if goal.isEmpty { throw .noDeadlock(verdict: document.meta.verdict) }
    }

    private static func machine(
        _ document: RunDocument, _ workload: Workload, variant: String? = nil
    ) throws -> Machine {
        try Machine(
            MDCluster.program(
                variant: variant ?? document.meta.variant, nodes: document.meta.nodes, workload: workload))
    }

    /// A state that a document can be at, and how it was reached.
    private struct Reached {
        var step: Int
        var state: [UInt64]
        /// The place of the one before it in the level before.
        var before: Int
    }

    /// A document says less of a state than the machine knows: a step that may go on in several ways, such as the
    /// answer of whoever is asked for a device, can look alike in it. So all that fit are followed.
    private static func replay(_ document: RunDocument, on machine: Machine) throws(PlanError) -> Counterexample {
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        let first = Array(UnsafeBufferPointer(start: successors.words(0), count: machine.stateWords))
        var levels = [[Reached(step: 0, state: first, before: 0)]]
        for (number, next) in document.states.enumerated() where number > 0 {
            guard next.step != nil, let last = levels.last else { throw .notARunOfTheModel(step: number) }
            var found: [Reached] = []
            var known: Set<[UInt64]> = []
            for (place, reached) in last.enumerated() {
                successors.removeAll()
                reached.state.withUnsafeBufferPointer { words in
                    if let base = words.baseAddress { machine.successors(of: StateView(base), into: &successors) }
                }
                for index in 0..<successors.count {
                    let step = successors.step(index)
                    let after = Array(UnsafeBufferPointer(start: successors.words(index), count: machine.stateWords))
                    guard machine.shows(next, step: step, to: after), known.insert(after).inserted else { continue }
                    found.append(Reached(step: step, state: after, before: place))
                }
            }
            guard !found.isEmpty else { throw .notARunOfTheModel(step: number) }
            levels.append(found)
        }
        var way: [Reached] = []
        var place = 0
        for level in levels.reversed() {
            way.append(level[place])
            place = level[place].before
        }
        way.reverse()
        return Counterexample(
            steps: way.dropFirst().map(\.step), states: way.map(\.state), actorSwitches: 0, fewestSwitches: false)
    }

    /// The order in which the counterexample begins its operations: threads of the machine, one for each operation.
    var startOrder: [Int] {
        var order: [Int] = []
        var last: [Int: CallFrame] = [:]
        for step in run.steps {
            let thread = machine.actor(ofStep: step)
            let calls = machine.place(ofStep: step).calls
            guard machine.isProcess(thread), calls.count > 1 else { continue }
            let operation = calls[calls.count - 2]
            if last[thread] != operation { order.append(thread) }
            last[thread] = operation
        }
        return order
    }
}

extension Machine {
    /// The instruction of each thread that is not at rest.
    func blockedAt(_ state: [UInt64]) -> [Int: Int] {
        guard state.count == stateWords else { return [:] }
        var places: [Int: Int] = [:]
        for thread in threads.indices where !isAtRest(thread, in: state) {
            places[thread] = instruction(ofThread: thread, in: state)
        }
        return places
    }

    /// What the confirming threads do in a run, at each step and behind it.
    fileprivate func answers(in run: Counterexample) -> [Place: Place?] {
        var answers: [Place: Place?] = [:]
        for (number, step) in run.steps.enumerated() where isConfirmation(actor(ofStep: step)) {
            let next = instruction(ofThread: actor(ofStep: step), in: run.states[number + 1])
            answers[place(ofStep: step)] = .some(next.map { place(ofStep: $0) })
        }
        return answers
    }

    /// Whether a thread answers for user space when another node adds a device.
    func isConfirmation(_ thread: Int) -> Bool { threads[thread].name == "mdadm-confirm" }

    /// Whether a thread carries out operations.
    func isProcess(_ thread: Int) -> Bool {
        threads[thread].name == "mdadm"
            || threads[thread].name.hasPrefix("mdadm") && threads[thread].name.dropFirst(5).allSatisfy(\.isNumber)
    }
}

/// Why a counterexample cannot be made into a schedule: facts, worded at the edge.
public enum PlanError: Error, Sendable, Equatable {
    case unreadable(String, reason: String)
    /// The file is not what `mdlab model check --json` writes.
    case notACounterexample(String)
    case model(ModelError)
    /// The model cannot take this step: the file is of another version of it, or was changed.
    case notARunOfTheModel(step: Int)
    /// The workload has an operation that a schedule has no command for.
    case unsupportedOperation(String)
    /// Nothing is blocked in its last state: what it shows is a broken rule, and a schedule forces waits.
    case noDeadlock(verdict: String)
    /// No schedule with so many gates forces it in the model.
    case notForced(gates: Int, tried: Int)
}
