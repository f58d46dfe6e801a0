// SPDX-License-Identifier: GPL-2.0

/// States in which a thread will never get to its next event: a heap, on top the one from which the first event that is
/// left over is the latest.
struct LostStates {
    struct Item {
        /// When the first event happened that is not matched yet, and the latest that it can be in what follows.
        var time: Int64
        var bound: Int64
        var state: Int32
        /// How it was met.
        var parent: Int32 = -1
        var step: Int32 = -1
    }

    private var heap: [Item] = []

    mutating func push(_ item: Item) {
        heap.append(item)
        var place = heap.count - 1
        while place > 0, isBefore(place, (place - 1) / 2) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func pop() -> Item? {
        guard let top = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink()
        return top
    }

    private mutating func sink() {
        var place = 0
        while true {
            var best = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && isBefore(child, best) {
                best = child
            }
            if best == place { return }
            heap.swapAt(place, best)
            place = best
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let (one, other) = (heap[left], heap[right])
        return (one.time, one.bound, one.state) > (other.time, other.bound, other.state)
    }
}
