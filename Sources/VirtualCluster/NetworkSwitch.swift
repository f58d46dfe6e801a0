// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation

/// The network between the nodes: Ethernet frames over socket pairs, so that nothing listens and nobody else can join.
///
/// QEMU's stream netdev puts a 32-bit big-endian length before each frame. Only touched on the reactor's thread.
final class NetworkSwitch {
    private struct Port {
        var connection: Connection
        var pending: [UInt8] = []
    }
    private var ports: [NodeID: Port] = [:]
    /// Pairs of nodes whose link is cut, smaller id first.
    private var cut: Set<[NodeID]> = []
    private let capture: PacketCapture?

    /// A node that does not read gets no more than this; a real switch drops frames too.
    private let longestBacklog = 4 << 20

    init(capture: PacketCapture?) { self.capture = capture }

    func attach(_ node: NodeID, descriptor: Int32, to reactor: Reactor) {
        let connection = Connection(
            descriptor: descriptor, received: { [self] in receive($0, from: node) },
            closed: { [self] in ports[node] = nil })
        ports[node] = Port(connection: connection)
        reactor.add(connection)
    }

    func setLink(_ first: NodeID, _ second: NodeID, up: Bool) {
        let pair = [min(first, second), max(first, second)]
        if up { cut.remove(pair) } else { cut.insert(pair) }
    }

    private func receive(_ bytes: ArraySlice<UInt8>, from node: NodeID) {
        guard var pending = ports[node]?.pending else { return }
        pending.append(contentsOf: bytes)
        var position = 0
        while pending.count - position >= 4 {
            let length = pending[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard pending.count - position - 4 >= length else { break }
            let end = position + 4 + length
            forward(pending[position..<end], from: node)
            position = end
        }
        pending.removeFirst(position)
        ports[node]?.pending = pending
    }

    private func forward(_ frame: ArraySlice<UInt8>, from node: NodeID) {
        capture?.append(frame.dropFirst(4))
        for (other, port) in ports where other != node && !cut.contains([min(node, other), max(node, other)]) {
            if port.connection.backlog < longestBacklog { port.connection.send(Array(frame)) }
        }
    }
}

/// network.pcap: a classic capture file with microseconds, link type Ethernet. What tcpdump and Wireshark open.
final class PacketCapture {
    private let file: FileHandle

    init(creating url: URL) throws {
        try Data().write(to: url)
        file = try FileHandle(forWritingTo: url)
        // magic, version 2.4, time zone, accuracy, longest packet, LINKTYPE_ETHERNET
        file.write(Self.words([0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 262_144, 1]))
    }

    func append(_ frame: ArraySlice<UInt8>) {
        var now = timeval()
        gettimeofday(&now, nil)
        file.write(
            Self.words([UInt32(now.tv_sec), UInt32(now.tv_usec), UInt32(frame.count), UInt32(frame.count)])
                + Data(frame))
    }

    private static func words(_ values: [UInt32]) -> Data {
        values.reduce(into: Data()) { data, value in
            withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }
    }
}
