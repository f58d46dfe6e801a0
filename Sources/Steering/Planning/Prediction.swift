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
        if goal.isEmpty { throw .noDeadlock(verdict: document.meta.verdict) }
    }

    private static func machine(
        _ document: RunDocument, _ workload: Workload, variant: String? = nil
    ) throws -> Machine {
        try Machine(
            MDCluster.program(
                variant: variant ?? document.meta.variant, nodes: document.meta.nodes, workload: workload))
    }

    private static func replay(_ document: RunDocument, on machine: Machine) throws(PlanError) -> Counterexample {
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        var state = Array(UnsafeBufferPointer(start: successors.words(0), count: machine.stateWords))
        var run = Counterexample(steps: [], states: [state], actorSwitches: 0, fewestSwitches: false)
        for (number, next) in document.states.enumerated() where number > 0 {
            guard next.step != nil else { throw .notARunOfTheModel(step: number) }
            successors.removeAll()
            state.withUnsafeBufferPointer { words in
                if let base = words.baseAddress { machine.successors(of: StateView(base), into: &successors) }
            }
            var found: (step: Int, state: [UInt64])?
            for index in 0..<successors.count where found == nil {
                let step = successors.step(index)
                let after = Array(UnsafeBufferPointer(start: successors.words(index), count: machine.stateWords))
                if machine.shows(next, step: step, to: after) { found = (step, after) }
            }
            guard let found else { throw .notARunOfTheModel(step: number) }
            run.steps.append(found.step)
            run.states.append(found.state)
            state = found.state
        }
        return run
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
