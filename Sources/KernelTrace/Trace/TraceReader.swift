// SPDX-License-Identifier: GPL-2.0
import CTraceCmd
import ClusterProtocol
import Foundation

/// Reads the events of a node's trace.dat, in the order of their time.
///
///     let events = try TraceReader(node: NodeID(1), url: layout.node(NodeID(1)).trace).events()
///
/// The file is opened by libtracecmd and decoded through libtraceevent's tables of fields; nothing is printed and
/// parsed again. A damaged file is an error, never a crash: see `TraceDatFile`.
public struct TraceReader: Sendable {
    public let node: NodeID
    public let url: URL

    public init(node: NodeID, url: URL) { (self.node, self.url) = (node, url) }

    /// All events. About 200 bytes of memory an event.
    public func events() throws(TraceError) -> [KernelEvent] {
        var events: [KernelEvent] = []
        try forEach { events.append($0) }
        return events
    }

    /// Hands each event to `body`. Needs memory for the file, not for its events.
    public func forEach(_ body: (KernelEvent) -> Void) throws(TraceError) {
        try forEach(of: TraceDatFile(url: url), body)
    }

    /// All events, and what `probes` says, with the file read once.
    package func eventsAndProbes() throws(TraceError) -> (events: [KernelEvent], probes: Set<String>) {
        let file = try TraceDatFile(url: url)
        var events: [KernelEvent] = []
        try forEach(of: file) { events.append($0) }
        return (events, file.probes)
    }

    private func forEach(of file: TraceDatFile, _ body: (KernelEvent) -> Void) throws(TraceError) {
        // tracecmd_close closes it, and so does an open that fails.
        let descriptor = try file.descriptor()
        guard let handle = Self.open(descriptor) else { throw .undecodable(path: file.path) }
        defer { tracecmd_close(handle) }
        guard let tep = tracecmd_get_tep(handle) else { throw .undecodable(path: file.path) }
        let status = withoutActuallyEscaping(body) { body in
            let decoder = EventDecoder(node: node, tep: tep, table: file.symbols, losses: file.losses, body: body)
            return withExtendedLifetime(decoder) {
                tracecmd_iterate_events(
                    handle, nil, 0,
                    { _, record, cpu, context in
                        guard let record, let context else { return -1 }
                        Unmanaged<EventDecoder>.fromOpaque(context).takeUnretainedValue().decode(record, cpu: Int(cpu))
                        return 0
                    }, Unmanaged.passUnretained(decoder).toOpaque())
            }
        }
        guard status == 0 else { throw .undecodable(path: file.path) }
    }

    /// Functions that had an mdlab probe while the trace was recorded, "NAME__ret" for one at the return: whether or
    /// not they were ever called.
    public func probes() throws(TraceError) -> Set<String> { try TraceDatFile(url: url).probes }

    /// libtraceevent's parser of formats keeps its input in variables of the library.
    private static let parser = NSLock()

    private static func open(_ descriptor: Int32) -> OpaquePointer? {
        parser.withLock {
            // The library prints what it does not like; the caller gets a typed error instead.
            tracecmd_set_loglevel(TEP_LOG_NONE)
            tep_set_loglevel(TEP_LOG_NONE)
            return tracecmd_open_fd(descriptor, Int32(TRACECMD_FL_LOAD_NO_PLUGINS.rawValue))
        }
    }
}
