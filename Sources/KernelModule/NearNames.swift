// SPDX-License-Identifier: GPL-2.0

/// The names a person may have meant: at most three, nearest first.
func nearNames(to wanted: String, among names: some Sequence<String>) -> [String] {
    let limit = max(2, wanted.count / 3)
    var found: [(distance: Int, name: String)] = []
    for name in Set(names) {
        let inside = wanted.count >= 3 && (name.contains(wanted) || (name.count >= 3 && wanted.contains(name)))
        let distance = editDistance(wanted, name, limit: limit)
        if let distance {
            found.append((distance, name))
        } else if inside {
            found.append((limit + abs(name.count - wanted.count), name))
        }
    }
    return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
}

/// Levenshtein's distance, nil when it is above `limit`.
private func editDistance(_ first: String, _ second: String, limit: Int) -> Int? {
    let (first, second) = (Array(first.utf8), Array(second.utf8))
    if abs(first.count - second.count) > limit { return nil }
    var row = Array(0...second.count)
    for i in first.indices {
        var diagonal = row[0]
        row[0] = i + 1
        for j in second.indices {
            let substituted = diagonal + (first[i] == second[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
        }
        if row.min()! > limit { return nil }
    }
    return row.last! <= limit ? row.last! : nil
}
