// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import MDClusterModel
import ModelChecker
import ProcedureModel

struct ModelExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "Step through a variant by hand: a number takes that step, b goes back, s shows the state, q ends.")

    @OptionGroup var model: ModelOptions

    func run() throws {
        let machine = try model.machine(reduction: false)
        var successors = Successors(stateWords: machine.stateWords)
        machine.initialStates(into: &successors)
        var states = [StateView(successors.words(0)).copy(count: machine.stateWords)]
        var steps: [Int] = []
        while let state = states.last {
            successors.removeAll()
            state.withUnsafeBufferPointer { words in
                if let base = words.baseAddress { machine.successors(of: StateView(base), into: &successors) }
            }
            print(
                "\nstep \(steps.count): "
                    + (successors.count == 0 ? "nothing can happen any more" : "what can happen next"))
            for item in 0..<successors.count {
                let step = successors.step(item)
                let place = machine.place(ofStep: step)
                print(
                    "  \(item + 1)  \(machine.name(ofThread: machine.actor(ofStep: step))): \(([place.text] + place.stack).joined(separator: " <- "))"
                )
            }
            print("> ", terminator: "")
            guard let line = readLine() else { return }
            switch line {
            case "q": return
            case "b":
                if states.count > 1 {
                    states.removeLast()
                    steps.removeLast()
                }
            case "s":
                let run = Counterexample(steps: steps, states: states, actorSwitches: 0, fewestSwitches: false)
                print(machine.situation(atEndOf: run))
                for (name, value) in machine.values(in: state).sorted(by: { $0.key < $1.key }) where value != "0" {
                    print("  \(name) = \(value)")
                }
            default:
                guard let number = Int(line), number >= 1, number <= successors.count else {
                    print("'\(line)': give a number from 1 to \(successors.count), b, s or q")
                    continue
                }
                states.append(StateView(successors.words(number - 1)).copy(count: machine.stateWords))
                steps.append(successors.step(number - 1))
            }
        }
    }
}
