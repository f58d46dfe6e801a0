// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// One search of `LanguageSearch`: what was met and what is left to look at.
///
/// It goes deep first and keeps all states, since a run is made of them. When there are too many for that it goes by
/// the number of matched events instead: no step takes one back, so of the states with fewer none can be met again, and
/// only those with as many and with one more are kept.
struct LanguageWalk: ~Copyable {
    let search: LanguageSearch
    let machine: Machine
    let alphabet: Alphabet
    let independence: Independence
    let aim: LanguageSearch.Aim
    let nodes: Int
    let threadsPerNode: Int
    let machineWords: Int
    /// Whether lost states are kept.
    let keepsLost: Bool

    var arena: StateArena
    /// When it goes by the number of matched events: those with one more.
    var ahead: StateArena
    let goesByLevels: Bool
    let isForCut: Bool
    /// States that were met and are forgotten, and the most that were kept at once.
    var forgotten = 0
    var bytes = 0
    var stack: [Int32] = []
    /// States in which a thread is lost, the most promising first, or `seeds`; and for each state until when it may get
    /// on.
    var lost = LostStates()
    var lostArena: StateArena
    var lostSize = 50_000
    var bounds: [Int64] = []
    var successors: Successors
    let scratch: UnsafeMutablePointer<UInt64>
    /// By thread: its next step, or -1.
    let steps: UnsafeMutablePointer<Int32>
    var children: [Int32] = []
    var candidates: [(rank: Int64, thread: Int32)] = []

    /// How many lost states are looked at when all others have been; by levels it is only for the time that they take,
    /// and a thread that is lost early leaves all that the others do for so long: some 500 an event.
    private var lostLimit: Int { goesByLevels ? max(2_000_000, 1_000 * search.labels.count) : 100_000 }
    var lostCount = 0
    /// When it goes by levels: the level, the lost states, and those of them that it looks at now, the lowest level
    /// last. All states of a pass have the same bound; the passes come in the order of their bounds, the latest first.
    var level = 0
    var seeds: [Seed] = []
    var group: [Seed] = []
    var bound = Int64.max

    struct Seed {
        var level: Int
        var bound: Int64
        var state: Int
    }

    var bestTime = Int64.min
    var bestMatched = -1
    var best = 0
    var ends: [[UInt64]] = []
    private static let endLimit = 128
    /// All events are matched, and only with another one can it go on.
    var goesOn: Int?
    var isLongest = true

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
                if lostCount > lostLimit {
                    isLongest = false
                    break
                }
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

    func time(_ state: UnsafeMutablePointer<UInt64>) -> Int64 {
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
            cut: ends.first?.suffix(nodes).map { Int($0) } ?? Array(repeating: 0, count: nodes),
            isLongest: isLongest, ends: ends,
            steps: steps.reversed())
    }
}
