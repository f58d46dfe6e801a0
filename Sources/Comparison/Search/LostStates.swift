// SPDX-License-Identifier: GPL-2.0

/// States in which a thread will never get to its next event: a heap, the one whose event is the latest on top.
struct LostStates {
    private var heap: [(bound: Int64, state: Int32)] = []

    mutating func push(_ state: Int, _ bound: Int64) {
        heap.append((bound, Int32(truncatingIfNeeded: state)))
        var place = heap.count - 1
        while place > 0, isBefore(place, (place - 1) / 2) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// nil when all that are left have their event before a time: then they are forgotten.
    mutating func pop(notBefore time: Int64) -> Int? {
        guard let top = heap.first, top.bound >= time else {
            heap.removeAll()
            return nil
        }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var place = 0
        while true {
            var best = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, best) {
                best = child
            }
            if best == place { return Int(top.state) }
            heap.swapAt(place, best)
            place = best
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].bound, heap[left].state) > (heap[right].bound, heap[right].state)
    }
}
