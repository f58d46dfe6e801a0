// SPDX-License-Identifier: GPL-2.0

/// What a kernel printed, in any of the forms in which people have it: records of /dev/kmsg, a serial line, `dmesg`
/// with any of its options, journald and syslog, a mail that quotes one of these, or the bare text.
///
/// The form is told by each line itself, so a log in which several are mixed, or one that begins in the middle, is read
/// too. Nothing in a log is an error; what is no kernel line is kept with `isKernel` false. Bare text is taken for the
/// kernel's only where no line says whose it is, and two lines are such as only kernels print (`LogShape`).
public struct KernelLog: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        /// Line of the file, from 1. The parts of a message of several lines have the same number.
        public var number: Int
        /// Seconds since the node booted; nil when the line does not say.
        public var time: Double?
        /// 0 (emergency) to 7 (debug), as include/linux/kern_levels.h; nil on a console.
        public var level: Int?
        public var text: String
        /// False for what user space wrote, on the console or through /dev/kmsg.
        public var isKernel: Bool
        /// The KEY=value lines of a record (SUBSYSTEM, DEVICE).
        public var properties: [String: String]

        public init(
            number: Int, time: Double?, level: Int?, text: String, isKernel: Bool, properties: [String: String] = [:]
        ) {
            self.number = number
            self.time = time
            self.level = level
            self.text = text
            self.isKernel = isKernel
            self.properties = properties
        }
    }

    public var lines: [Line] = []
    /// Records that are missing between those that are here, by their sequence numbers.
    public var lost: UInt64 = 0

    public init() {}

    /// Bytes of a line that are looked at. A kernel message is at most about 1 KiB (CONSOLE_LOG_MAX); what is longer is
    /// garbage on the serial line.
    static let longestLine = 4096

    public init(text: some StringProtocol) {
        self.init(bytes: Array(text.utf8))
    }

    public init(bytes: [UInt8]) {
        var parser = KernelLogParser()
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            parser.take(line.prefix(Self.longestLine))
        }
        self.init(parser, mayBeBare: true)
    }

    /// - Parameter mayBeBare: a text without any form can be the kernel's as a whole.
    init(_ parser: KernelLogParser, mayBeBare: Bool) {
        lines = parser.lines
        lost = parser.lost
        if parser.named.contains(where: { LogShape.isUnmistakable(lines[$0].text) }) {
            for place in parser.named { lines[place].isKernel = true }
        }
        guard mayBeBare, !parser.hasForm, lines.count(where: { LogShape.isUnmistakable($0.text) }) >= 2 else { return }
        for place in lines.indices { lines[place].isKernel = true }
    }
}

extension KernelLog {
    /// The release in the kernel's first line; nil when the log does not begin with the boot.
    public var kernelRelease: String? {
        let banner = "Linux version "
        guard let line = lines.first(where: { $0.isKernel && $0.text.hasPrefix(banner) }) else { return nil }
        return String(line.text.dropFirst(banner.count).prefix { $0 != " " })
    }
}
