// SPDX-License-Identifier: GPL-2.0

/// Names that look like a mistyped one.
public enum NearNames {
    /// The names of `names` that are near to `word`, best first, at most three.
    ///
    /// Near: at most a third of the letters differ (insertion, deletion, exchange, swap of neighbours), or one begins with the other.
    public static func near(_ word: String, in names: some Sequence<String>) -> [String] {
        let letters = Array(word.lowercased().prefix(64))
        var scored: [(score: Int, name: String)] = []
        for name in names {
            let other = Array(name.lowercased().prefix(64))
            let prefix = letters.count >= 2 && (other.starts(with: letters) || letters.starts(with: other))
            let distance = distance(letters, other)
            if distance <= max(1, max(letters.count, other.count) / 3) {
                scored.append((distance, name))
            } else if prefix {
                scored.append((32 + abs(letters.count - other.count), name))
            }
        }
        return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(3).map(\.name)
    }

    /// Optimal string alignment distance.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var rows = [Array(0...right.count)]
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var best = min(rows[i][j] + (left[i] == right[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
