// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// One search of `LanguageSearch`: what was met and what is left to look at.
///
/// It goes deep first and keeps all states, since a run is made of them. When there are too many for that it goes by the
/// number of matched events instead: no step takes one back, so of the states with fewer none can be met again, and only
/// those with as many and with one more are kept.
struct LanguageWalk: ~Copyable {
    private let search: LanguageSearch
    private let machine: Machine
    private let alphabet: Alphabet
    private let independence: Independence
    private let aim: LanguageSearch.Aim
    private let nodes: Int
    private let threadsPerNode: Int
    private let machineWords: Int
    /// Whether lost states are kept.
    private let keepsLost: Bool

    private var arena: StateArena
    /// When it goes by the number of matched events: those with one more.
    private var ahead: StateArena
    private let goesByLevels: Bool
    private let isForCut: Bool
    /// States that were met and are forgotten, and the most that were kept at once.
    private var forgotten = 0
    private var bytes = 0
    private var stack: [Int32] = []
    /// States in which a thread is lost, the most promising first, or `seeds`; and for each state until when it may get on.
    private var lost = LostStates()
    private var lostArena: StateArena
    private var lostSize = 50_000
    private var bounds: [Int64] = []
    private var successors: Successors
    private let scratch: UnsafeMutablePointer<UInt64>
    /// By thread: its next step, or -1.
    private let steps: UnsafeMutablePointer<Int32>
    private var children: [Int32] = []
    private var candidates: [(rank: Int64, thread: Int32)] = []

    /// How many lost states are looked at when all others have been: more only tell how far the nodes get for which
    /// nothing depends on it.
    private static let lostLimit = 100_000
    private static let lostLimitByLevels = 2_000_000
    private var lostCount = 0
    /// When it goes by levels: the level, the lost states, and those of them that it looks at now, the lowest level last.
    /// All states of a pass have the same bound; the passes come in the order of their bounds, the latest first.
    private var level = 0
    private var seeds: [Seed] = []
    private var group: [Seed] = []
    private var bound = Int64.max

    private struct Seed {
        var level: Int
        var bound: Int64
        var state: Int
    }

    private var bestTime = Int64.min
    private var bestMatched = -1
    private var best = 0
    private var ends: [[UInt64]] = []
    private static let endLimit = 128
    /// All events are matched, and only with another one can it go on.
    private var goesOn: Int?

    init(_ search: LanguageSearch, _ aim: LanguageSearch.Aim) {
        self.search = search
        self.aim = aim
        machine = search.machine
        alphabet = search.alphabet
        independence = alphabet.independence
        (nodes, threadsPerNode) = (search.nodes, search.threadsPerNode)
        machineWords = machine.stateWords
        switch aim {
        case .run, .stop: (keepsLost, goesByLevels, isForCut) = (false, false, false)
        case .reach: (keepsLost, goesByLevels, isForCut) = (true, false, false)
        case .longestCut: (keepsLost, goesByLevels, isForCut) = (true, false, true)
        case .longestCutByLevels: (keepsLost, goesByLevels, isForCut) = (true, true, true)
        }
        arena = StateArena(words: machineWords + nodes)
        ahead = StateArena(words: machineWords + nodes)
        lostArena = StateArena(words: machineWords + nodes)
        successors = Successors(stateWords: machineWords)
        scratch = .allocate(capacity: machineWords + nodes)
        steps = .allocate(capacity: max(1, nodes * threadsPerNode))
    }

    deinit {
        scratch.deallocate()
        steps.deallocate()
    }

    mutating func run(limit: Int) -> LanguageSearch.Result {
        if let start = search.start {
            start.withUnsafeBufferPointer { words in
                if let base = words.baseAddress { successors.add(step: -1).update(from: base, count: machineWords) }
            }
        } else {
            machine.initialStates(into: &successors)
        }
        for item in 0..<successors.count {
            scratch.update(from: successors.words(item), count: machineWords)
            for node in 0..<nodes { scratch[machineWords + node] = 0 }
            if let number = arena.insert(scratch, parent: -1, step: -1) {
                stack.append(Int32(number))
                bounds.append(.max)
            }
        }
        while let number = next() {
            if note(number) { return result(.conforms) }
            if arena.count + ahead.count + lostArena.count > limit { return result(.limit) }
            if isForCut, bounds[number] < .max {
                if bounds[number] < bestTime { continue }
                lostCount += 1
                if lostCount > (goesByLevels ? Self.lostLimitByLevels : Self.lostLimit) { break }
            }
            children.removeAll(keepingCapacity: true)
            expand(number)
            if case .stop = aim, children.isEmpty, goesOn == nil, time(number) == .max { goesOn = number }
            for child in children.reversed() { stack.append(child) }
        }
        if let goesOn { ends = [end(goesOn)] }
        return result(.noRun)
    }

    private mutating func next() -> Int? {
        if let number = stack.popLast() { return Int(number) }
        guard goesByLevels else { return keepsLost ? nextLost() : nil }
        repeat {
            if ahead.count == 0 {
                if group.isEmpty, !nextPass() { return nil }
                level = (group.last?.level ?? 0) - 1
            }
            nextLevel()
        } while arena.count == 0
        stack = (0..<arena.count).reversed().map { Int32($0) }
        return stack.popLast().map { Int($0) }
    }

    /// False if no lost state is left that can come as far as others did.
    private mutating func nextPass() -> Bool {
        seeds.removeAll { $0.bound < bestTime }
        guard let latest = seeds.map(\.bound).max() else { return false }
        bound = latest
        group = seeds.filter { $0.bound == latest }.sorted { $0.level > $1.level }
        seeds.removeAll { $0.bound == latest }
        return true
    }

    private mutating func nextLevel() {
        bytes = max(bytes, arena.bytes + ahead.bytes + lostArena.bytes)
        forgotten += arena.count
        level += 1
        swap(&arena, &ahead)
        ahead.removeAll()
        while let seed = group.last, seed.level == level {
            group.removeLast()
            _ = arena.insert(lostArena.state(seed.state), parent: -1, step: -1)
        }
        bounds = [Int64](repeating: bound, count: arena.count)
        if lostArena.count > lostSize, group.isEmpty { forgetLost() }
    }

    /// The most promising lost state, which is looked at like any other from now on.
    private mutating func nextLost() -> Int? {
        while let item = lost.pop() {
            if isForCut, item.bound < bestTime { continue }
            if let number = arena.insert(
                lostArena.state(Int(item.state)), parent: Int(item.parent), step: Int(item.step))
            {
                bounds.append(item.bound)
                return number
            }
        }
        return nil
    }

    /// Those that cannot come as far as others did already.
    private mutating func forgetLost() {
        var kept: [Seed] = []
        var arena = StateArena(words: machineWords + nodes)
        for var seed in seeds where seed.bound >= bestTime {
            guard let number = arena.insert(lostArena.state(seed.state), parent: -1, step: -1) else { continue }
            seed.state = number
            kept.append(seed)
        }
        seeds = kept
        lostArena = arena
        lostSize = max(50_000, lostArena.count * 2)
    }

    /// Keeps the best cut. True at the search's aim.
    private mutating func note(_ number: Int) -> Bool {
        let cursors = arena.state(number) + machineWords
        let time = time(number)
        let matched = (0..<nodes).reduce(0) { $0 + Int(cursors[$1]) }
        if time > bestTime || time == bestTime && matched > bestMatched {
            (bestTime, bestMatched, best) = (time, matched, number)
            ends.removeAll(keepingCapacity: true)
        }
        if time == bestTime, matched == bestMatched, ends.count < Self.endLimit {
            let end = end(number)
            if ends.first.map({ $0.suffix(nodes) == end.suffix(nodes) }) ?? true { ends.append(end) }
        }
        switch aim {
        case .reach(let node, let events): return Int(cursors[node]) >= events
        case .stop: return time == .max && hasStopped(number)
        case .run, .longestCut, .longestCutByLevels: return time == .max
        }
    }

    private func end(_ number: Int) -> [UInt64] {
        Array(UnsafeBufferPointer(start: arena.state(number), count: machineWords + nodes))
    }

    private mutating func hasStopped(_ number: Int) -> Bool {
        for thread in 0..<nodes * threadsPerNode {
            let view = StateView(arena.state(number))
            guard let step = machine.nextStep(ofThread: thread, in: view) else { continue }
            if search.mayStay(thread, at: step) { continue }
            successors.removeAll()
            machine.successors(of: view, byThread: thread, into: &successors)
            if successors.count > 0 { return false }
        }
        return true
    }

    /// When the first event happened that is not matched yet.
    private func time(_ number: Int) -> Int64 { time(arena.state(number)) }

    private func time(_ state: UnsafeMutablePointer<UInt64>) -> Int64 {
        let cursors = state + machineWords
        var time = Int64.max
        for node in 0..<nodes where Int(cursors[node]) < search.eventCount(node) {
            time = min(time, search.hints[search.firsts[node] + Int(cursors[node])])
        }
        return time
    }

    private func result(_ ending: LanguageSearch.Result.Ending) -> LanguageSearch.Result {
        var steps: [Int] = []
        if !goesByLevels {
            var number = best
            while arena.parent(number) >= 0 {
                steps.append(arena.step(number))
                number = arena.parent(number)
            }
        }
        return LanguageSearch.Result(
            ending: ending, states: forgotten + arena.count + ahead.count,
            bytes: max(bytes, arena.bytes + ahead.bytes + lostArena.bytes),
            cut: ends.first?.suffix(nodes).map { Int($0) } ?? Array(repeating: 0, count: nodes), ends: ends,
            steps: steps.reversed())
    }

    private mutating func expand(_ number: Int) {
        let view = StateView(arena.state(number))
        // An event that can be matched is.
        for thread in 0..<nodes * threadsPerNode {
            steps[thread] = machine.nextStep(ofThread: thread, in: view).map { Int32(truncatingIfNeeded: $0) } ?? -1
        }
        for node in 0..<nodes {
            let cursor = Int(view[machineWords + node])
            guard cursor < search.eventCount(node) else { continue }
            let event = search.firsts[node] + cursor
            let thread = node * threadsPerNode + Int(search.threads[event])
            let step = Int(steps[thread])
            guard step >= 0, alphabet.fits(event: search.labels[event], step: step) else { continue }
            take(number, thread, cursor + 1, step)
            return
        }
        // So is a step that no other thread can notice, the choice of a branch above all.
        for thread in 0..<nodes * threadsPerNode where steps[thread] >= 0 && isPrivate(thread, number) {
            take(number, thread, Int(view[machineWords + thread / threadsPerNode]), Int(steps[thread]))
            if !children.isEmpty || machine.isChoice(Int(steps[thread])) { return }
        }
        findCandidates(number)
        if candidates.count > 1, takeOfOneNode(number) { return }
        for item in candidates.indices { hidden(Int(candidates[item].thread), number) }
    }

    private func isPrivate(_ thread: Int, _ number: Int) -> Bool {
        let step = Int(steps[thread])
        if alphabet.isVisible(step) || independence.scopes[step] != .thread && !independence.endsAtOnce[step] {
            return false
        }
        if !machine.isRest(step) { return true }
        let (node, local) = (thread / threadsPerNode, thread % threadsPerNode)
        let cursor = Int(arena.state(number)[machineWords + node])
        return cursor < search.eventCount(node) && search.nextEvent(node, cursor, local) == cursor
    }

    /// Hidden steps. A kernel takes them right after the event before, so they come as soon as they can; but when a DLM
    /// lock was granted, and for what a thread at rest wakes, only its next event tells.
    private mutating func findCandidates(_ number: Int) {
        let view = StateView(arena.state(number))
        candidates.removeAll(keepingCapacity: true)
        for node in 0..<nodes {
            let cursor = Int(view[machineWords + node])
            for local in 0..<threadsPerNode {
                let thread = node * threadsPerNode + local
                let step = Int(steps[thread])
                if step < 0 || alphabet.isVisible(step) { continue }
                let next = search.nextEvent(node, cursor, local)
                var rank = Int64.min
                if machine.isRest(step) {
                    // The receiving thread and the callback's worker take nothing when they begin, but note that they
                    // were woken.
                    if local != 0 && (next < 0 || local != 3 && next != cursor) { continue }
                    rank = next < 0 ? Int64.max : search.hints[search.firsts[node] + next]
                    // leave() waits for its end; its next event may be one of the array's next life.
                    if local == 0, cursor < search.eventCount(node), canEnd(number, thread) {
                        rank = search.hints[search.firsts[node] + cursor]
                    }
                } else if next >= 0, machine.isConversion(step) {
                    rank = search.hints[search.firsts[node] + next]
                }
                candidates.append((rank, Int32(truncatingIfNeeded: thread)))
            }
        }
        if candidates.count > 1 { candidates.sort { $0.rank < $1.rank } }
    }

    /// When all that a node can do until its next event is noticed by no other node, and no other node can bring it to do
    /// more, its steps come first: those of the others make no difference to them. False if there is no such node.
    private mutating func takeOfOneNode(_ number: Int) -> Bool {
        for node in 0..<nodes where isAlone(node, number) {
            for item in candidates.indices where Int(candidates[item].thread) / threadsPerNode == node {
                let thread = Int(candidates[item].thread)
                if !independence.keepsToItself[Int(steps[thread])] { hidden(thread, number) }
            }
            // With nothing new, the others must not be put off for ever.
            if !children.isEmpty { return true }
        }
        return false
    }

    private func isAlone(_ node: Int, _ number: Int) -> Bool {
        let cursor = Int(arena.state(number)[machineWords + node])
        var actor = -1
        if cursor < search.eventCount(node) {
            actor = node * threadsPerNode + Int(search.threads[search.firsts[node] + cursor])
            // Who is to show the next event must come to it by itself; who is to show another one instead never does.
            guard steps[actor] >= 0 else { return false }
            if alphabet.isVisible(Int(steps[actor])) {
                actor = -1
            } else if independence.keepsToItself[Int(steps[actor])] {
                return false
            }
        }
        for thread in node * threadsPerNode..<(node + 1) * threadsPerNode {
            let step = Int(steps[thread])
            if step < 0 || alphabet.isVisible(step) || thread != actor && independence.keepsToItself[step] { continue }
            if independence.scopes[step] == .cluster { return false }
        }
        return true
    }

    private mutating func canEnd(_ number: Int, _ thread: Int) -> Bool {
        successors.removeAll()
        machine.successors(of: StateView(arena.state(number)), byThread: thread, into: &successors)
        return (0..<successors.count).contains { item in
            machine.nextStep(ofThread: thread, in: StateView(successors.words(item))).map(machine.isEnd) ?? true
        }
    }

    /// Takes a thread's hidden step, if it is not blocked.
    private mutating func hidden(_ thread: Int, _ number: Int) {
        let (node, local) = (thread / threadsPerNode, thread % threadsPerNode)
        let step = Int(steps[thread])
        let cursor = Int(arena.state(number)[machineWords + node])
        if machine.isRest(step), search.nextEvent(node, cursor, local) < 0 {
            // All that is left for the receiving thread is to end.
            successors.removeAll()
            machine.successors(of: StateView(arena.state(number)), byThread: thread, into: &successors)
            guard successors.count == 1,
                machine.nextStep(ofThread: thread, in: StateView(successors.words(0))).map(machine.isEnd) ?? true
            else { return }
        }
        take(number, thread, cursor, step)
    }

    /// Stores the successors; those from which the thread's code does not lead to its next event only if they are of use.
    private mutating func take(_ number: Int, _ thread: Int, _ cursor: Int, _ step: Int) {
        let (node, local) = (thread / threadsPerNode, thread % threadsPerNode)
        successors.removeAll()
        machine.successors(of: StateView(arena.state(number)), byThread: thread, into: &successors)
        let next = search.nextEvent(node, cursor, local)
        for item in 0..<successors.count {
            let state = successors.words(item)
            var bound = bounds[number]
            if next >= 0, let step = machine.nextStep(ofThread: thread, in: StateView(state)) {
                let event = search.firsts[node] + next
                if !alphabet.leads(step, to: search.labels[event]) {
                    if !keepsLost { continue }
                    bound = min(bound, search.hints[event])
                }
            }
            if isForCut, bound < bestTime { continue }
            scratch.update(from: state, count: machineWords)
            let old = arena.state(number)
            for other in 0..<nodes { scratch[machineWords + other] = old[machineWords + other] }
            scratch[machineWords + node] = UInt64(cursor)
            let isAhead = goesByLevels && cursor > Int(old[machineWords + node])
            if bound < bounds[number] {
                guard let child = lostArena.insert(scratch, parent: -1, step: -1) else { continue }
                if goesByLevels {
                    seeds.append(Seed(level: isAhead ? level + 1 : level, bound: bound, state: child))
                } else {
                    lost.push(
                        LostStates.Item(
                            time: time(scratch), bound: bound, state: Int32(child), parent: Int32(number),
                            step: Int32(truncatingIfNeeded: step)))
                }
            } else if isAhead {
                _ = ahead.insert(scratch, parent: -1, step: -1)
            } else if let child = arena.insert(scratch, parent: number, step: step) {
                bounds.append(bound)
                children.append(Int32(child))
            }
        }
    }
}
