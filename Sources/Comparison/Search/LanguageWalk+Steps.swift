// SPDX-License-Identifier: GPL-2.0
import ModelChecker
import ProcedureModel

/// What follows a state: all that it can lead to, but for what makes no difference to the answer. `PlainSearchTests`
/// holds this against a search that leaves nothing out.
extension LanguageWalk {
    /// Stores the states that follow one, and lists them in `children`.
    mutating func expand(_ number: Int) {
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

    /// When all that a node can do until its next event is noticed by no other node, and no other node can bring it to
    /// do more, its steps come first: those of the others make no difference to them. False if there is no such node.
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

    /// Stores the successors; those from which the thread's code does not lead to its next event only if they are of
    /// use.
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
