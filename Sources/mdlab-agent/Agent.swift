// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc
import GuestProtocol

/// Answers the host's requests. Each runs in a thread of its own: one that hangs in the kernel holds up no other.
final class Agent: Sendable {
    private let port: Port
    private let processes: Processes
    private let node: Int
    private let tracing: Tracing
    private let shells: Shells
    private let devices: DeviceEvents

    init(port: Port, processes: Processes, devices: DeviceEvents, node: Int) {
        self.port = port
        self.processes = processes
        self.devices = devices
        self.node = node
        tracing = Tracing(port: port)
        shells = Shells(port: port, processes: processes)
    }

    func serve() -> Never {
        port.receive { id, request in handle(id, request) }
        while true { sleep(60) }
    }

    private func handle(_ id: UInt32, _ request: Request) {
        let port = port
        let reply: @Sendable (Reply) -> Void = { port.send(.reply(id: id, $0)) }
        let status: @Sendable (Int32, String) -> Void = { errno, action in
            reply(errno == 0 ? .done : .failed(errno: errno, action: action))
        }
        switch request {
        case .hello:
            var name = utsname()
            uname(&name)
            let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            reply(
                .hello(
                    .init(
                        version: guestProtocolVersion, node: UInt32(node), release: release, uptime: Boot.uptime(),
                        cpus: UInt32(sysconf(Int32(_SC_NPROCESSORS_ONLN))))))
        case .quiesce:
            port.setQuiet(true)
            reply(.done)
        case .resume:
            port.setQuiet(false)
            reply(.done)
        case .setConfirmation(let word):
            guard let policy = DeviceEvents.Confirmation(rawValue: word) else {
                return status(EINVAL, "confirmation \(word)")
            }
            devices.setConfirmation(policy)
            reply(.done)
        case .shellInput(let shell, let bytes): reply(shells.input(shell, bytes))
        case .openShell(let rows, let columns): reply(shells.open(rows: rows, columns: columns))
        case .resizeShell(let shell, let rows, let columns): reply(shells.resize(shell, rows: rows, columns: columns))
        case .powerOff: linux_power_off()
        case .putFile(let path, let mode, let content):
            Files.makeDirectory(path.split(separator: "/").dropLast().map { "/" + $0 }.joined())
            let error = Processes.whileNoneStarts {
                Files.write(path, content, flags: O_CREAT | O_TRUNC, mode: mode_t(mode))
            }
            status(error, "write \(path)")
        default: Thread.start { [self] in handleSlowly(request, reply, status) }
        }
    }

    private func handleSlowly(
        _ request: Request, _ reply: @escaping @Sendable (Reply) -> Void, _ status: (Int32, String) -> Void
    ) {
        switch request {
        case .writeFile(let path, let content): status(Files.write(path, content), "write \(path)")
        case .readFile(let path, let limit):
            let (content, errno) = Files.read(path, limit: Int(limit))
            reply(errno == 0 ? .bytes(content) : .failed(errno: errno, action: "read \(path)"))
        case .insertModule(let path, let parameters):
            status(Boot.insertModule(path, parameters: parameters), "insert \(path)")
        case .run(let argv):
            let result = processes.run(argv)
            reply(.command(status: result.status, output: result.output, errors: result.errors))
        case .collect(let patterns, let limit): reply(.files(Inspection.collect(patterns, limit: Int(limit))))
        case .threads(let names): reply(.threads(Inspection.threads(named: names)))
        case .readMemory(let ranges): reply(Inspection.readMemory(ranges))
        case .startTrace(let writes): reply(tracing.start(writes))
        case .stopTrace: tracing.stop { reply(.done) }
        case .follow(let path):
            reply(.done)
            follow(path)
        default: status(ENOSYS, "unknown request")
        }
    }

    /// Sends what is appended to a file, looking five times a second. For ever: the thread costs nothing else.
    private func follow(_ path: String) {
        var file: Int32 = -1
        while true {
            if file < 0 { file = linux_open(path, O_RDONLY | O_CLOEXEC, 0) }
            if file >= 0 {
                let (content, _) = Files.read(descriptor: file)
                if !content.isEmpty { port.send(.followed(path: path, content)) }
            }
            usleep(200_000)
        }
    }
}
