// SPDX-License-Identifier: GPL-2.0

/// Names that look like a mistyped one.
///
///     NearNames.of("asinc", among: ["async", "v4.12"])  // ["async"]
public enum NameSuggestions {
    /// At most three, best first: those in which at most a third of the letters differ, then those
    /// that hold the word or are held by it.
    public static func of(_ word: String, among names: some Sequence<String>) -> [String] {
        let letters = Array(word.lowercased().prefix(64))
        var scored: [(score: Int, name: String)] = []
        for name in Set(names) {
            let other = Array(name.lowercased().prefix(64))
            let distance = distance(letters, other)
            if distance <= max(1, max(letters.count, other.count) / 3) {
                scored.append((distance, name))
            } else if letters.count >= 2 && (other.starts(with: letters) || letters.starts(with: other))
                || contain(letters, other)
            {
                scored.append((64 + abs(letters.count - other.count), name))
            }
        }
        return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(3).map(\.name)
    }

    private static func contain(_ one: [Character], _ other: [Character]) -> Bool {
        let (short, long) = one.count < other.count ? (one, other) : (other, one)
        return short.count >= 3 && String(long).contains(String(short))
    }

    /// Insertions, deletions, exchanges, and swaps of neighbours that lead from one to the other.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var before: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, before[j - 1] + 1)
                }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[right.count]
    }
}
