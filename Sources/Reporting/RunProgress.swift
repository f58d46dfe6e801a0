// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord
import Synchronization

/// What a terminal can show.
public enum Terminal {
    /// Writes text to stdout (1) or stderr (2). When nobody reads it any more the text is lost, and nothing else.
    public static func write(_ text: some StringProtocol, to descriptor: Int32 = 1) {
        write(Array(text.utf8), to: descriptor)
    }

    public static func write(_ bytes: [UInt8], to descriptor: Int32) {
        // What print() has not written yet stands before it.
        if descriptor == 1 { fflush(nil) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Whether a file descriptor is a terminal.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// How wide the text of stdout may be: the terminal's columns, else those that the environment names, else 100.
    public static func columns(environment: [String: String]) -> Int {
        var size = winsize()
        if isTerminal(1), ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? 100
    }

    /// Colours only on a terminal that has them, and not when the user said NO_COLOR (no-color.org: any value but an
    /// empty one).
    public static func colours(isTerminal: Bool, environment: [String: String]) -> Bool {
        isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }
}

/// Shows on stderr what a run is doing: one line that changes on a terminal, plain lines in a pipe.
public final class RunProgress: Sendable {
    private let live: Bool
    private let columns: Int
    private let write: @Sendable (String) -> Void
    private let shown = Mutex(false)

    /// - Parameters:
    ///   - live: whether the output is a terminal.
    ///   - columns: of the terminal; longer lines are cut, because a wrapped line cannot be taken back.
    ///   - write: where the text goes; stderr.
    public init(live: Bool, columns: Int = 80, write: @escaping @Sendable (String) -> Void) {
        (self.live, self.columns, self.write) = (live, max(columns, 20), write)
    }

    public static func standardError(environment: [String: String]) -> RunProgress {
        RunProgress(
            live: Terminal.isTerminal(2) && environment["TERM"] != "dumb",
            columns: environment["COLUMNS"].flatMap { Int($0) } ?? 80
        ) { Terminal.write($0, to: 2) }
    }

    public func show(_ event: RunEvent, of run: String) {
        guard let text = Self.line(event, of: run) else { return }
        shown.withLock { shown in
            if live {
                write("\r\u{1B}[K" + String(text.prefix(columns - 1)))
                shown = true
            } else {
                write(text + "\n")
            }
        }
    }

    /// Takes the changing line away, before a result is printed.
    public func clear() {
        shown.withLock { shown in
            if shown { write("\r\u{1B}[K") }
            shown = false
        }
    }

    /// nil for what a person need not see while waiting: the end of a step is the start of the next.
    static func line(_ event: RunEvent, of run: String) -> String? {
        if event.kind == .stepEnd { return nil }
        let tenths = event.time.isFinite && abs(event.time) < 1e9 ? Int((event.time * 10).rounded()) : 0
        let text = String(event.text.map { $0.isNewline ? " " : $0 })
        return "\(run) \(tenths / 10).\(abs(tenths % 10)) s: " + (event.node.map { "\($0): " } ?? "") + text
    }
}
