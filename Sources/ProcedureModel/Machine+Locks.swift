// SPDX-License-Identifier: GPL-2.0

/// DLM as fs/dlm/lock.c has it.
extension Machine {
    /// A new conversion is granted at once if it goes with the granted modes of all other locks, waiting ones included.
    func convert(
        _ instruction: UnsafeMutablePointer<Instruction>, node: Int, _ words: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let lock = Int(instruction.pointee.subject)
        let mode = Int(instruction.pointee.detail)
        let first = lock * nodeCount
        if requested[first + node].read(words) != 0 { return 1 }
        if isGrantable(lock, mode, node, words) {
            granted[first + node].write(words, mode)
            grantWaiting(lock, words)
            tellWaited(lock, node, words)
            return 0
        }
        if instruction.pointee.noQueue { return 2 }
        if wouldDeadlock(lock, node, words) { return 3 }
        var waiting = 0
        for other in 0..<nodeCount where other != node {
            if requested[first + other].read(words) != 0 { waiting = max(waiting, rank[first + other].read(words) + 1) }
            let isInTheWay = compatible[lock * 8 + mode] >> UInt32(granted[first + other].read(words)) & 1 == 0
            if isInTheWay, blockedSets[first + other].bits > 0 { blockedSets[first + other].write(words, 1) }
        }
        if isReduced, waiting > 0, goesWithLast(lock, mode, node, waiting - 1, words) { waiting -= 1 }
        requested[first + node].write(words, mode + 1)
        rank[first + node].write(words, waiting)
        return 0
    }

    /// conversion_deadlock_detect: the lock's own mode is in the way of a conversion that waits already.
    private func wouldDeadlock(_ lock: Int, _ node: Int, _ words: UnsafeMutablePointer<UInt64>) -> Bool {
        let own = UInt32(granted[lock * nodeCount + node].read(words))
        for other in 0..<nodeCount where other != node {
            let wanted = requested[lock * nodeCount + other].read(words)
            if wanted != 0, compatible[lock * 8 + wanted - 1] >> own & 1 == 0 { return true }
        }
        return false
    }

    /// grant_pending_locks: who was just granted a mode that is in the way of one that waits gets a BAST.
    private func tellWaited(_ lock: Int, _ node: Int, _ words: UnsafeMutablePointer<UInt64>) {
        let blocked = blockedSets[lock * nodeCount + node]
        if blocked.bits > 0, wouldDeadlock(lock, node, words) { blocked.write(words, 1) }
    }

    /// With reduction, those who wait next to each other for the same, and can have it together, have the same place:
    /// their order makes no difference.
    func goesWithLast(
        _ lock: Int, _ mode: Int, _ node: Int, _ last: Int, _ words: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        let first = lock * nodeCount
        guard compatible[lock * 8 + mode] >> UInt32(mode) & 1 != 0 else { return false }
        for other in 0..<nodeCount
        where other != node && requested[first + other].read(words) != 0 && rank[first + other].read(words) == last {
            if requested[first + other].read(words) != mode + 1
                || granted[first + other].read(words) != granted[first + node].read(words)
            {
                return false
            }
        }
        return true
    }

    func isGrantable(_ lock: Int, _ mode: Int, _ node: Int, _ words: UnsafeMutablePointer<UInt64>) -> Bool {
        let goesWith = compatible[lock * 8 + mode]
        for other in 0..<nodeCount where other != node {
            if goesWith >> UInt32(granted[lock * nodeCount + other].read(words)) & 1 == 0 { return false }
        }
        return true
    }

    /// Once queued, conversions are granted in order: the first that cannot be stops those behind it.
    func grantWaiting(_ lock: Int, _ words: UnsafeMutablePointer<UInt64>) {
        while true {
            var first = -1
            for node in 0..<nodeCount {
                let place = lock * nodeCount + node
                if requested[place].read(words) != 0, rank[place].read(words) == 0 { first = node }
            }
            guard first >= 0 else { return }
            let mode = requested[lock * nodeCount + first].read(words) - 1
            guard isGrantable(lock, mode, first, words) else { return }
            granted[lock * nodeCount + first].write(words, mode)
            leaveQueue(lock, first, words)
        }
    }

    func leaveQueue(_ lock: Int, _ node: Int, _ words: UnsafeMutablePointer<UInt64>) {
        let first = lock * nodeCount
        let old = rank[first + node].read(words)
        requested[first + node].write(words, 0)
        rank[first + node].write(words, 0)
        for other in 0..<nodeCount
        where requested[first + other].read(words) != 0 && rank[first + other].read(words) == old { return }
        for other in 0..<nodeCount where requested[first + other].read(words) != 0 {
            let place = rank[first + other].read(words)
            if place > old { rank[first + other].write(words, place - 1) }
        }
    }

    func cancel(_ lock: Int, node: Int, _ words: UnsafeMutablePointer<UInt64>) {
        guard requested[lock * nodeCount + node].read(words) != 0 else { return }
        leaveQueue(lock, node, words)
        grantWaiting(lock, words)
    }
}
