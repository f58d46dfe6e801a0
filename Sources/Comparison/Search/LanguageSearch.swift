// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ModelChecker
import ProcedureModel

/// Looks for a run of the model that shows the recorded events: the events of a node in their order, those of different
/// nodes in any order. Steps that leave no event may come at any time.
///
/// A state is the model's state and, for each node, how many of its events have been matched. The search goes deep first
/// and is complete: it ends with a run, or when no state is left. What it need not look at:
///
/// - A step that shows an event changes nothing but the position of its thread, so when it is possible it is taken, alone.
///   The same holds for the choice of a branch.
/// - A thread whose code does not lead to its next event will never get on: such a state leads nowhere.
/// - A thread at rest whose next action is to take a mutex does so right before its next event: a mutex that is taken
///   later is in nobody's way.
///
/// What is tried first follows the nodes' clocks, moved by their offsets: usually that is the order in which things
/// happened, and then the search goes straight on.
struct LanguageSearch {
    let machine: Machine
    let words: TraceWords
    let alphabet: Alphabet
    private let nodes: Int
    private let threadsPerNode: Int
    private let machineWords: Int
    /// By node: [matched events * threads + thread] is the place of the thread's next event, or -1.
    private let nextEvents: [[Int32]]

    struct Result {
        enum Ending { case conforms, noRun, limit }
        var ending: Ending
        var states: Int
        var bytes: Int
        /// Matched events of each node in the longest conforming cut.
        var cut: [Int]
        /// Model states in which that cut ends; the run that led to the first of them.
        var ends: [[UInt64]]
        var steps: [Int]
    }

    init(machine: Machine, words: TraceWords, alphabet: Alphabet) {
        self.machine = machine
        self.words = words
        self.alphabet = alphabet
        nodes = words.nodes.count
        threadsPerNode = machine.threads.count / max(1, nodes)
        machineWords = machine.stateWords
        let threads = threadsPerNode
        nextEvents = words.nodes.map { node in
            var table = [Int32](repeating: -1, count: (node.events.count + 1) * threads)
            for place in node.events.indices.reversed() {
                for thread in 0..<threads { table[place * threads + thread] = table[(place + 1) * threads + thread] }
                table[place * threads + Int(node.events[place].thread)] = Int32(place)
            }
            return table
        }
    }

    /// - Parameters:
    ///   - limit: states.
    ///   - patient: goes on in states in which a thread can never match its next event, as long as others can: finds the
    ///     longest conforming cut, where the quick search would end early.
    func run(limit: Int, patient: Bool = false) -> Result {
        var arena = StateArena(words: machineWords + nodes)
        var stack: [Int32] = []
        var best = -1
        var ends: [Int] = []
        var successors = Successors(stateWords: machineWords)
        var children: [Int32] = []
        var candidates: [(Int64, Int)] = []
        let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: machineWords + nodes)
        defer { scratch.deallocate() }

        machine.initialStates(into: &successors)
        for item in 0..<successors.count {
            scratch.update(from: successors.words(item), count: machineWords)
            for node in 0..<nodes { scratch[machineWords + node] = 0 }
            if let number = arena.insert(scratch, parent: -1, step: -1) { stack.append(Int32(number)) }
        }
        let total = words.count
        while let top = stack.popLast() {
            let number = Int(top)
            let matched = (0..<nodes).reduce(0) { $0 + Int(arena.state(number)[machineWords + $1]) }
            if matched > best {
                best = matched
                ends = []
            }
            if matched == best, ends.count < 4096 { ends.append(number) }
            if matched == total { return result(.conforms, arena, [number]) }
            if arena.count > limit { return result(.limit, arena, ends) }
            children.removeAll(keepingCapacity: true)
            expand(number, &arena, &successors, scratch, patient: patient, into: &children, &candidates)
            for child in children.reversed() { stack.append(child) }
        }
        return result(.noRun, arena, ends)
    }

    private func result(_ ending: Result.Ending, _ arena: borrowing StateArena, _ ends: [Int]) -> Result {
        var steps: [Int] = []
        var number = ends.first ?? 0
        while arena.parent(number) >= 0 {
            steps.append(arena.step(number))
            number = arena.parent(number)
        }
        let first = ends.first ?? 0
        return Result(
            ending: ending, states: arena.count, bytes: arena.bytes,
            cut: (0..<nodes).map { Int(arena.state(first)[machineWords + $0]) },
            ends: ends.map { Array(UnsafeBufferPointer(start: arena.state($0), count: machineWords + nodes)) },
            steps: steps.reversed())
    }

    /// The next event of a thread that is not matched yet; -1 if there is none.
    @inline(__always) private func nextEvent(_ node: Int, _ cursor: Int, _ local: Int) -> Int {
        Int(nextEvents[node][cursor * threadsPerNode + local])
    }

    private func expand(
        _ number: Int, _ arena: inout StateArena, _ successors: inout Successors,
        _ scratch: UnsafeMutablePointer<UInt64>, patient: Bool, into children: inout [Int32],
        _ candidates: inout [(Int64, Int)]
    ) {
        // An event that can be matched is.
        for node in 0..<nodes {
            let cursor = Int(arena.state(number)[machineWords + node])
            guard cursor < words.nodes[node].events.count else { continue }
            let event = words.nodes[node].events[cursor]
            let thread = node * threadsPerNode + Int(event.thread)
            guard let step = machine.nextStep(ofThread: thread, in: StateView(arena.state(number))),
                alphabet.fits(event: event.label, step: step)
            else { continue }
            successors.removeAll()
            machine.successors(of: StateView(arena.state(number)), byThread: thread, into: &successors)
            _ = take(
                number, node, thread, cursor + 1, step, &arena, &successors, scratch, &children, anywhere: patient)
            return
        }
        // So is a branch that can lead to the thread's next event; if there is none, the thread never gets on.
        for thread in 0..<nodes * threadsPerNode {
            guard let step = machine.nextStep(ofThread: thread, in: StateView(arena.state(number))),
                machine.isChoice(step)
            else { continue }
            let (node, local) = (thread / threadsPerNode, thread % threadsPerNode)
            let cursor = Int(arena.state(number)[machineWords + node])
            guard nextEvent(node, cursor, local) >= 0 else { continue }
            successors.removeAll()
            machine.successors(of: StateView(arena.state(number)), byThread: thread, into: &successors)
            let goesOn = take(number, node, thread, cursor, step, &arena, &successors, scratch, &children)
            if goesOn || !patient { return }
        }
        // Hidden steps. A kernel takes them right after the event before, so they come as soon as they can; but when a DLM
        // lock was granted, and for what a thread at rest wakes, only its next event tells.
        candidates.removeAll(keepingCapacity: true)
        for thread in 0..<nodes * threadsPerNode {
            guard let step = machine.nextStep(ofThread: thread, in: StateView(arena.state(number))),
                !alphabet.isVisible(step), !machine.isChoice(step)
            else { continue }
            let (node, local) = (thread / threadsPerNode, thread % threadsPerNode)
            let next = nextEvent(node, Int(arena.state(number)[machineWords + node]), local)
            var rank = Int64.min
            if machine.isRest(step) {
                if next < 0, local != 0 { continue }
                rank = next < 0 ? Int64.max : words.nodes[node].events[next].hint
            } else if machine.isConversion(step), next >= 0 {
                rank = words.nodes[node].events[next].hint
            }
            candidates.append((rank, thread))
        }
        candidates.sort { $0.0 < $1.0 }
        for (_, thread) in candidates { hidden(thread, number, &arena, &successors, scratch, &children) }
    }

    /// Takes a thread's hidden step, if its next step is one and it is not blocked.
    private func hidden(
        _ thread: Int, _ number: Int, _ arena: inout StateArena, _ successors: inout Successors,
        _ scratch: UnsafeMutablePointer<UInt64>, _ children: inout [Int32]
    ) {
        let view = StateView(arena.state(number))
        guard let step = machine.nextStep(ofThread: thread, in: view), !alphabet.isVisible(step),
            !machine.isChoice(step)
        else { return }
        let (node, local) = (thread / threadsPerNode, thread % threadsPerNode)
        let cursor = Int(arena.state(number)[machineWords + node])
        if machine.isRest(step) {
            // The receiving thread and the callback's worker take nothing when they begin, but note that they were woken.
            let next = nextEvent(node, cursor, local)
            if local != 0 && (next < 0 || local != 3 && next != cursor) { return }
            if next < 0 {
                // All that is left for the receiving thread is to end.
                successors.removeAll()
                machine.successors(of: view, byThread: thread, into: &successors)
                guard successors.count == 1,
                    machine.nextStep(ofThread: thread, in: StateView(successors.words(0))).map(machine.isEnd) ?? true
                else { return }
                _ = take(number, node, thread, cursor, step, &arena, &successors, scratch, &children)
                return
            }
        }
        successors.removeAll()
        machine.successors(of: view, byThread: thread, into: &successors)
        _ = take(number, node, thread, cursor, step, &arena, &successors, scratch, &children)
    }

    /// Stores the successors from which the thread's code leads to its next event. False if there is none.
    private func take(
        _ number: Int, _ node: Int, _ thread: Int, _ cursor: Int, _ step: Int, _ arena: inout StateArena,
        _ successors: inout Successors, _ scratch: UnsafeMutablePointer<UInt64>, _ children: inout [Int32],
        anywhere: Bool = false
    ) -> Bool {
        var possible = false
        let next = nextEvent(node, cursor, thread % threadsPerNode)
        for item in 0..<successors.count {
            let state = successors.words(item)
            if next >= 0, !anywhere, let step = machine.nextStep(ofThread: thread, in: StateView(state)),
                !alphabet.leads(step, to: words.nodes[node].events[next].label)
            {
                continue
            }
            possible = true
            scratch.update(from: state, count: machineWords)
            let old = arena.state(number)
            for other in 0..<nodes { scratch[machineWords + other] = old[machineWords + other] }
            scratch[machineWords + node] = UInt64(cursor)
            if let child = arena.insert(scratch, parent: number, step: step) { children.append(Int32(child)) }
        }
        return possible
    }
}
