// SPDX-License-Identifier: GPL-2.0
import Scenarios

extension Scenario {
    /// How many of the steps lead to the instant before the race: all before the last `together:`; none when there is
    /// none, and then everything after the assembly of the array is the race.
    public var stepsBeforeRace: Int {
        steps.lastIndex { if case .together = $0.action { true } else { false } } ?? 0
    }
}
