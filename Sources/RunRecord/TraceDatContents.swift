// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Everything a trace.dat is made of, as a node's tracefs gave it: texts in memory, ring-buffer pages in files.
///
/// While a node runs, its raw pages are appended to `trace.cpuN.raw` in the node's folder; the texts, which are
/// small and read once, are kept beside them by `save(to:)`. Then whoever opens the record of a run that was killed
/// can still make its trace.dat: see `completeTrace(in:)`.
public struct TraceDatContents: Sendable, Equatable {
    /// The formats of one directory of events/, for example dlm.
    public struct EventSystem: Sendable, Equatable {
        public var name: String
        /// The `format` files of its events, as bytes.
        public var formats: [[UInt8]]
        public init(name: String, formats: [[UInt8]]) { (self.name, self.formats) = (name, formats) }
    }

    /// events/header_page and events/header_event.
    public var headerPage: [UInt8]
    public var headerEvent: [UInt8]
    /// events/ftrace/*/format
    public var ftraceFormats: [[UInt8]]
    /// events/SYSTEM/*/format of the systems that were traced.
    public var eventFormats: [EventSystem]
    /// /proc/kallsyms, or as much of it as the function events need.
    public var kallsyms: String
    /// printk_formats
    public var printkFormats: String
    /// saved_cmdlines: "PID COMM" lines.
    public var commandLines: String
    /// One file of whole ring-buffer pages per CPU, in the order of the CPUs, as per_cpu/cpuN/trace_pipe_raw gave them.
    public var cpuPages: [URL]
    /// The chosen clock of trace_clock: "mono".
    public var clock: String

    public init(
        headerPage: [UInt8], headerEvent: [UInt8], ftraceFormats: [[UInt8]], eventFormats: [EventSystem],
        kallsyms: String, printkFormats: String, commandLines: String, cpuPages: [URL], clock: String
    ) {
        self.headerPage = headerPage
        self.headerEvent = headerEvent
        self.ftraceFormats = ftraceFormats
        self.eventFormats = eventFormats
        self.kallsyms = kallsyms
        self.printkFormats = printkFormats
        self.commandLines = commandLines
        self.cpuPages = cpuPages
        self.clock = clock
    }
}

/// What can go wrong with a trace.dat that is being written.
public enum TraceDatError: Error, Sendable, Equatable {
    /// A part without which no reader can decode the rest.
    case missing(part: String, directory: String)
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    /// A part that does not fit the size field that the format has for it.
    case tooLarge(part: String, bytes: Int)
}
