// SPDX-License-Identifier: GPL-2.0

/// The names somebody may have meant.
public enum NearNames {
    /// The known names within a third of the letters of `name` (at least two), nearest first, at most three.
    public static func of(_ name: String, among known: [String]) -> [String] {
        let reach = max(2, min(name.count, 24) / 3)
        return known.map { (distance(name, $0), $0) }
            .filter { $0.0 <= reach }
            .sorted { $0 < $1 }
            .prefix(3).map(\.1)
    }

    /// Letters to insert, drop, replace or swap with their neighbour to come from `a` to `b`.
    static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.prefix(64)), b = Array(b.prefix(64))
        var before = [Int](), last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
