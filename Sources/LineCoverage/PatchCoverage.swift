// SPDX-License-Identifier: GPL-2.0

/// What of a patch ran.
///
///     let coverage = PatchCoverage(try ChangedSource(diff: changes), counts)
///     coverage.neverRan.first     // drivers/md/md-cluster.c:828, in metadata_update_cancel
public struct PatchCoverage: Sendable, Equatable {
    public enum State: Sendable, Equatable {
        case ran(UInt64)
        case neverRan
        /// The compiler made no code of the line: a comment, a brace, a declaration.
        case noCode
        /// A macro or declaration that other code uses: whether that code ran is not looked at.
        case usedElsewhere
    }

    public struct Place: Sendable, Equatable {
        public var change: ChangedPlace
        public var state: State
        /// The function that it stands in, as far as the compiler's notes say.
        public var function: String?
        /// A condition in the line was only ever decided one way.
        public var oneWay: Bool
    }

    public var places: [Place]

    public init(_ source: ChangedSource, _ counts: LineCounts) {
        places = source.places.map { change in
            let file = counts.files[change.path]
            let reader = Reader(shown: source.shown[change.path] ?? [:], file: file)
            let (state, line) = reader.state(of: change)
            let ways = line.flatMap { file?.branches[$0] } ?? []
            var isOneWay = false
            if case .ran = state, change.kind == .written { isOneWay = ways.contains(0) && ways.contains { $0 > 0 } }
            return Place(change: change, state: state, function: reader.function(at: change.line), oneWay: isOneWay)
        }
    }

    public var neverRan: [Place] { places.filter { $0.state == .neverRan } }
    public var ran: [Place] { places.filter { if case .ran = $0.state { true } else { false } } }
    public var usedElsewhere: [Place] { places.filter { $0.state == .usedElsewhere } }
    /// The functions with places that have code.
    public var functions: Set<String> { Set((neverRan + ran).compactMap(\.function)) }

    /// Finds the line whose counter stands for a changed place.
    private struct Reader {
        let shown: [Int: String]
        let file: LineCounts.File?

        /// A statement of more lines, or a gap between statements, is at most so long.
        private static let reach = 12

        func function(at line: Int) -> String? {
            file?.functions.filter { $0.value.line <= line && line <= $0.value.end ?? Int.max }
                .max { $0.value.line < $1.value.line }?.key
        }

        func state(of change: ChangedPlace) -> (State, Int?) {
            let text = SourceLine(change.text)
            if change.kind == .written {
                if text.isTrivial { return (.noCode, nil) }
                if text.isDirective { return (.usedElsewhere, nil) }
            }
            guard let line = change.kind == .written ? statement(of: change.line) : beside(change.line) else {
                let isInside = function(at: change.line) != nil
                return (change.kind == .written && isInside ? .noCode : .usedElsewhere, nil)
            }
            let count = file?.lines[line] ?? 0
            return (count > 0 ? .ran(count) : .neverRan, line)
        }

        private func hasCode(_ line: Int) -> Bool { file?.lines[line] != nil }
        private func text(_ line: Int) -> SourceLine? { shown[line].map { SourceLine($0) } }

        /// The line with the counter of the statement that `line` is part of.
        private func statement(of line: Int) -> Int? {
            if hasCode(line) { return line }
            for above in stride(from: line - 1, through: line - Self.reach, by: -1) {
                guard let text = text(above), text.goesOn else { break }
                if hasCode(above) { return above }
            }
            var below = line
            while let text = text(below), text.goesOn, below < line + Self.reach {
                below += 1
                if hasCode(below) { return below }
            }
            return nil
        }

        /// The line beside which something was taken out: the next one, unless that only closes the block.
        private func beside(_ line: Int) -> Int? {
            let next = (line...line + Self.reach).first { hasCode($0) }
            let previous = stride(from: line - 1, through: line - Self.reach, by: -1).first { hasCode($0) }
            let closes = (line...line + Self.reach).compactMap { text($0) }.first { !$0.text.isEmpty }
            let belongs = { (other: Int?) in other.flatMap { function(at: $0) } == function(at: line) }
            let order = closes?.isOnlyClosingBrace == true ? [previous, next] : [next, previous]
            return order.first { $0 != nil && belongs($0) } ?? nil
        }
    }
}
