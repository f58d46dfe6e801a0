// SPDX-License-Identifier: GPL-2.0

/// Where an exploration may delay which thread, most promising first, from what was hit when nothing was delayed.
public struct HoldPoints: Sendable, Equatable, Codable {
    public var points: [HoldPoint]

    /// A function that a thread passes more often is held at so many of its first hits.
    static let hitsTried = 2

    /// - Parameters:
    ///   - hit: node -> what was hit from the start of the race.
    ///   - modelled: functions that the reference model has (what a thread does there, others wait for) -> how many of
    ///     the
    ///     model's steps there no run has taken yet.
    ///   - observer: the name of the threads by which mdlab does and reads things on a node. What they hit after they
    ///     first read
    ///     /proc/mdstat is looking, and not part of the race.
    public init(_ hit: [Int: [GatePoint]], modelled: [String: Int] = [:], observer: String = "init") {
        var groups: [[HoldPoint]] = []
        for (node, points) in hit.sorted(by: { $0.key < $1.key }) {
            let looking = points.filter { $0.comm == observer && $0.function == "md_seq_open" }.map(\.first).min()
            var threads: [String: [GatePoint]] = [:]
            for point in points {
                if point.comm == observer, let looking, point.first >= looking { continue }
                // Most of its hits would spend a gate in vain, or it is no thread.
                if point.atomic * 2 > point.hits || point.comm.hasPrefix("swapper") { continue }
                threads[Self.stable(point.comm), default: []].append(point)
            }
            for (comm, points) in threads.sorted(by: { $0.key < $1.key }) {
                groups.append(Self.holds(of: points, node: node, comm: comm, modelled: modelled))
            }
        }
        // In turn from each thread: its best points first.
        var all: [HoldPoint] = []
        var known: Set<HoldPoint> = []
        for turn in 0..<(groups.map(\.count).max() ?? 0) {
            for group in groups where turn < group.count && known.insert(group[turn]).inserted {
                all.append(group[turn])
            }
        }
        points = all
    }

    /// The part of a thread's name that is the same in every run: which worker does a job is chance.
    private static func stable(_ comm: String) -> String { comm.hasPrefix("kworker/") ? "kworker/" : comm }

    /// The points of one thread. What the model has comes first, and of that where steps are left to cover; then
    /// md-cluster's own functions, then md's, then those of the personality; of each those that are passed seldom
    /// before those that are passed all the time.
    private static func holds(of points: [GatePoint], node: Int, comm: String, modelled: [String: Int]) -> [HoldPoint] {
        var scored: [(score: [Int], point: HoldPoint)] = []
        for point in points {
            for skip in 0..<min(point.hits, hitsTried) {
                let module = ["md_cluster": 0, "md_mod": 1][point.module] ?? 2
                let covered = modelled[point.function].map { $0 > 0 ? 0 : 1 } ?? 2
                let often = Int.bitWidth - point.hits.leadingZeroBitCount
                scored.append(
                    (
                        [skip, covered, module, often, point.first],
                        HoldPoint(node: node, comm: comm, edge: point.edge, function: point.function, skip: skip)
                    ))
            }
        }
        return scored.sorted { $0.score.lexicographicallyPrecedes($1.score) }.map(\.point)
    }
}
