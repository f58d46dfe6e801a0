// SPDX-License-Identifier: GPL-2.0

/// Finds where a hunk belongs in a text, by the rules of patch(1): at the line it names, else at the nearest place that
/// has the same lines, else at one that has them without up to two lines of context at the ends.
///
/// Different from patch(1), a hunk whose result is in the text already is recognised, and not applied a second time.
struct HunkMatcher {
    typealias Line = PatchFile.Line

    /// patch(1) has the same default.
    static let maximumFuzz = 2
    /// How far around the named line the best place of a conflict is looked for, and how many lines are compared there.
    static let conflictReach = (places: 5000, lines: 100)

    var text: [Line]
    /// How far from its named line the last hunk had its place: the next will be about as far off.
    private var drift = 0

    init(text: [Line]) {
        self.text = text
    }

    /// Applies the hunk to `text`, or says why not.
    mutating func apply(_ hunk: PatchFile.Hunk) -> PatchReport.State {
        // The header of a text without lines names the line before it.
        let expected = max(0, hunk.newStart - (hunk.new.isEmpty ? 0 : 1))
        if hunk.old.isEmpty { return insert(hunk, at: expected) }
        let likely = max(0, expected + drift)

        let forward = find(hunk.old[...], near: likely)
        var present = find(hunk.new[...], near: likely)
        // Without context the new lines may be anywhere by chance.
        if hunk.leading + hunk.trailing == 0, present != likely { present = nil }
        if let forward, abs(forward - likely) <= present.map({ abs($0 - likely) }) ?? .max {
            return replace(hunk, at: forward, fuzz: 0, expected: expected)
        }
        if let present {
            drift = present - expected
            return .present(line: present + 1)
        }
        for fuzz in 1...Self.maximumFuzz {
            let front = min(fuzz, hunk.leading), back = min(fuzz, hunk.trailing)
            if front < fuzz, back < fuzz { break }
            let old = hunk.old.dropFirst(front).dropLast(back)
            guard !old.isEmpty, let place = find(old, near: likely + front), place >= front else { continue }
            return replace(hunk, at: place - front, fuzz: fuzz, expected: expected)
        }
        return conflict(hunk, near: likely)
    }

    /// A hunk with no old lines: a new file, or lines put in without context at the line it names.
    private mutating func insert(_ hunk: PatchFile.Hunk, at expected: Int) -> PatchReport.State {
        if matches(hunk.new[...], at: expected) { return .present(line: expected + 1) }
        guard hunk.oldStart == 0 ? text.isEmpty : expected <= text.count else {
            return conflict(hunk, near: expected)
        }
        return replace(hunk, at: expected, fuzz: 0, expected: expected)
    }

    private func matches(_ lines: ArraySlice<Line>, at place: Int) -> Bool {
        place >= 0 && place + lines.count <= text.count && text[place..<(place + lines.count)].elementsEqual(lines)
    }

    /// The place of the lines that is nearest to `expected`.
    private func find(_ lines: ArraySlice<Line>, near expected: Int) -> Int? {
        let last = text.count - lines.count
        guard last >= 0, !lines.isEmpty else { return nil }
        for distance in 0...max(expected, abs(last - expected), last) {
            if expected + distance <= last, matches(lines, at: expected + distance) { return expected + distance }
            if distance > 0, expected - distance <= last, matches(lines, at: expected - distance) {
                return expected - distance
            }
        }
        return nil
    }

    /// Puts the hunk's changes in. Of context that did not match, the text's own lines stay.
    private mutating func replace(_ hunk: PatchFile.Hunk, at place: Int, fuzz: Int, expected: Int) -> PatchReport.State
    {
        let front = min(fuzz, hunk.leading), back = min(fuzz, hunk.trailing)
        let start = place + front, end = place + hunk.old.count - back
        text.replaceSubrange(start..<end, with: hunk.new.dropFirst(front).dropLast(back))
        drift = place - expected
        return .applied(line: place + 1, offset: place - expected, fuzz: fuzz)
    }

    /// The place around `expected` where most lines of the hunk agree, and the first that does not.
    private func conflict(_ hunk: PatchFile.Hunk, near expected: Int) -> PatchReport.State {
        var best = (agreeing: -1, distance: 0, place: 0)
        let lines = hunk.old.prefix(Self.conflictReach.lines)
        let first = max(0, expected - Self.conflictReach.places)
        for place in first..<max(first + 1, min(text.count, expected + Self.conflictReach.places)) {
            var agreeing = 0
            for (index, line) in lines.enumerated() where place + index < text.count && text[place + index] == line {
                agreeing += 1
            }
            let distance = abs(place - expected)
            if agreeing > best.agreeing || (agreeing == best.agreeing && distance < best.distance) {
                best = (agreeing, distance, place)
            }
        }
        for (index, line) in hunk.old.enumerated() {
            let place = best.place + index
            let found = place < text.count ? text[place] : nil
            if found != line {
                return .conflict(
                    line: place + 1, expected: String(decoding: line, as: UTF8.self),
                    found: found.map { String(decoding: $0, as: UTF8.self) })
            }
        }
        // Nothing is missing: the file exists although the patch creates it.
        return .conflict(line: 1, expected: "", found: text.first.map { String(decoding: $0, as: UTF8.self) })
    }
}
