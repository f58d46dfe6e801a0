// SPDX-License-Identifier: GPL-2.0
import Glibc
import GuestProtocol
import Synchronization

/// The virtio-serial port to the host. Any thread may send; one reads.
final class Port: Sendable {
    private let descriptor: Int32
    private struct State {
        var held: [[UInt8]] = []
        var quiet = false
    }
    private let state = Mutex(State())

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Sends a report; while quiet, everything but a reply is kept back in order.
    func send(_ report: Report) {
        let frame = FrameDecoder.frame(report.encode())
        state.withLock { state in
            if state.quiet, case .reply = report {
                write(frame)
            } else if state.quiet {
                state.held.append(frame)
            } else {
                write(frame)
            }
        }
    }

    func setQuiet(_ quiet: Bool) {
        state.withLock { state in
            state.quiet = quiet
            guard !quiet else { return }
            for frame in state.held { write(frame) }
            state.held = []
        }
    }

    private func write(_ frame: [UInt8]) {
        var written = 0
        while written < frame.count {
            let count = frame[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
            } else if errno != EINTR {
                // EAGAIN or EPIPE: the host is not connected, as between a save and a restore.
                usleep(2_000)
            }
        }
    }

    /// Calls `handle` with each request until the end of the world.
    func receive(_ handle: (UInt32, Request) -> Void) {
        var decoder = FrameDecoder()
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else {
                usleep(2_000)
                continue
            }
            decoder.append(chunk[..<count])
            do {
                while let frame = try decoder.next() {
                    let (id, request) = try Request.decode(frame)
                    handle(id, request)
                }
            } catch {
                // The host speaks another version. The hello tells it so; what cannot be read is dropped.
                print("mdlab-agent: bad request: \(error)")
                decoder = FrameDecoder()
            }
        }
    }
}
