// SPDX-License-Identifier: GPL-2.0

/// Notices that nothing moves any more: what does not come then will not come later either, and a limit of minutes need
/// not be waited for.
struct Stillness {
    /// Nobody may wait so long with nothing on the disks and no word in /proc/mdstat: md's longest timer, that of
    /// NEW_DEV_TIMEOUT (drivers/md/md-cluster.c), has 5 s, and DLM asks again sooner.
    static let seconds = 45.0
    /// Files of a node that tell whether anything moves.
    static let files = ["/proc/mdstat", "/proc/diskstats"]
    /// Between two looks.
    static let interval = Duration.seconds(1)

    private var seen: [String] = []
    private var since: ContinuousClock.Instant
    private var looked: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { (since, looked) = (now, now) }

    func isDue(_ now: ContinuousClock.Instant) -> Bool { now - looked >= Self.interval }

    /// How long nothing has changed.
    ///
    /// - Parameter facts: nil when something goes on that is not seen in facts.
    mutating func still(_ facts: [String]?, now: ContinuousClock.Instant) -> Duration {
        looked = now
        if facts == nil || facts != seen { (seen, since) = (facts ?? [], now) }
        return now - since
    }
}
