// SPDX-License-Identifier: GPL-2.0

/// How long to wait here for what takes a known time on a machine of ordinary speed.
///
/// Every limit is base times measured slowness, and the slowness is capped: a machine that is ten times slower waits
/// four times as long before it says so, because a limit of an hour helps nobody.
public struct Patience: Sendable, Equatable {
    /// At least 1.
    public let slowness: Double
    public static let highestSlowness = 4.0

    /// Seconds without any movement after which nothing more is waited for; multiplied by `slowness`, too.
    var stillness = Stillness.seconds

    public init(slowness: Double) { self.slowness = min(max(slowness, 1), Self.highestSlowness) }

    /// From the time a guest's kernel needed to reach init; 2 s is what an emulated guest on an idle desktop needs.
    public init(secondsToInit: Double) { self.init(slowness: secondsToInit / 2) }

    public func limit(_ seconds: Double) -> Duration { .seconds(seconds * slowness) }
}
