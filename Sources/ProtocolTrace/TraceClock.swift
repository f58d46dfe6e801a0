// SPDX-License-Identifier: GPL-2.0
import KernelTrace

/// How fine a node's trace clock is, as its own trace has it.
///
/// The trace clock is `mono`, which is as fine as the kernel's clocksource. Where a kernel has found none that it
/// trusts, that is `jiffies` or `refined-jiffies`: it stands still between two ticks, and in an emulated node ticks are
/// lost by the dozen. Times of such a clock say nothing about another node, and little about durations. The order of
/// the events on a node is as good as ever.
package enum TraceClock {
    /// Two readings of a finer clock are closer than this in every trace: a traced function calls another within
    /// microseconds. The shortest tick, of CONFIG_HZ_1000, is 1 ms.
    private static let finest: UInt64 = 200_000
    /// Fewer readings tell nothing.
    private static let leastReadings = 16

    /// Nanoseconds from one tick to the next of a clock that ticks in jiffies; nil for a finer one, and for a trace
    /// that is too short to tell.
    ///
    /// A coarse clock shows in both ways: no two readings are near one another, and many are the same.
    package static func tick(of events: [KernelEvent]) -> UInt64? {
        var (least, readings, same) = (UInt64.max, 0, 0)
        for (event, next) in zip(events, events.dropFirst()) where next.time >= event.time {
            if next.time == event.time {
                same += 1
            } else {
                readings += 1
                least = min(least, next.time - event.time)
                if least < finest { return nil }
            }
        }
        return readings >= leastReadings && same >= readings ? least : nil
    }
}
