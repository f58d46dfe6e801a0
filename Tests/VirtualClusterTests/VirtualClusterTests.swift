// SPDX-License-Identifier: GPL-2.0
import CLinux
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord
import Synchronization
import Testing

@testable import VirtualCluster

/// Bytes that arrive at one end of a socket pair, up to a count or until ten minutes have passed. Waits without
/// blocking its thread: what sends them may need it.
private func receive(_ descriptor: Int32, count: Int) async -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    let end = ContinuousClock.now + .seconds(600)
    while bytes.count < count && ContinuousClock.now < end {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 0) > 0 else {
            try? await Task.sleep(for: .milliseconds(1))
            continue
        }
        let got = read(descriptor, &chunk, min(chunk.count, count - bytes.count))
        guard got > 0 else { break }
        bytes.append(contentsOf: chunk[..<got])
    }
    return bytes
}

private func frame(_ bytes: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes
}

@Suite struct Switches {
    /// A switch with three nodes; the tests hold the nodes' ends.
    private final class Net: @unchecked Sendable {
        let reactor = Reactor()
        let network: NetworkSwitch
        var ends: [Int32] = []
        init(capture: PacketCapture? = nil) {
            network = NetworkSwitch(capture: capture)
            for node in 1...3 {
                var pair: [Int32] = [0, 0]
                linux_socket_pair(&pair)
                ends.append(pair[0])
                let end = pair[1]
                reactor.execute { [self] in network.attach(NodeID(node), descriptor: end, to: reactor) }
            }
        }
        deinit {
            reactor.stop()
            for end in ends { close(end) }
        }
        func send(_ node: Int, _ bytes: [UInt8]) { _ = write(ends[node - 1], bytes, bytes.count) }
        func cut(_ first: Int, _ second: Int, up: Bool) {
            let done = DispatchSemaphore(value: 0)
            reactor.execute { [self] in
                network.setLink(NodeID(first), NodeID(second), up: up)
                done.signal()
            }
            done.wait()
        }
    }

    @Test func aFrameReachesAllOthersAndNotItsSender() async {
        let net = Net()
        let sent = frame(Array(repeating: 9, count: 1500))
        net.send(1, sent)
        #expect(await receive(net.ends[1], count: sent.count) == sent)
        #expect(await receive(net.ends[2], count: sent.count) == sent)
        net.send(2, frame([1, 2]))
        #expect(await receive(net.ends[0], count: 6) == frame([1, 2]))
    }

    @Test func aFrameInPiecesIsForwardedWhole() async {
        let net = Net()
        let sent = frame([1, 2, 3]) + frame([4])
        for byte in sent { net.send(1, [byte]) }
        #expect(await receive(net.ends[1], count: sent.count) == sent)
    }

    @Test func aCutLinkCarriesNothingUntilItIsMended() async {
        let net = Net()
        net.cut(2, 1, up: false)
        net.send(1, frame([7]))
        #expect(await receive(net.ends[2], count: 5) == frame([7]))
        net.cut(1, 2, up: true)
        net.send(1, frame([8]))
        #expect(await receive(net.ends[1], count: 5) == frame([8]))
    }

    @Test func theCaptureHasEveryFrameOnce() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID()).pcap")
        defer { try? FileManager.default.removeItem(at: file) }
        let net = Net(capture: try PacketCapture(creating: file))
        net.send(1, frame([1, 2, 3]))
        _ = await receive(net.ends[1], count: 7)
        net.send(2, frame([4]))
        _ = await receive(net.ends[0], count: 5)
        let bytes = Array(try Data(contentsOf: file))
        #expect(bytes.prefix(4) == [0xd4, 0xc3, 0xb2, 0xa1])
        #expect(bytes.count == 60)
        #expect(Array(bytes[40..<43]) == [1, 2, 3])
    }
}

@Suite struct MachineMonitors {
    @Test func answersAreFoundAmongEventsAndGarbage() {
        var decoder = MachineProtocol.LineDecoder()
        let text = """
            {"QMP": {"version": {"qemu": {"micro": 0}}, "capabilities": []}}\r
            {"timestamp": {"seconds": 1}, "event": "STOP"}
            not json at all
            {"return": {"status": "inmigrate", "running": false}, "id": 3}
            {"return": [], "id": 4}
            {"error": {"class": "GenericError", "desc": "no"}, "id": 5}

            """
        var messages: [MachineProtocol.Message] = []
        for byte in text.utf8 { messages += decoder.append([byte]) }
        #expect(messages.map(\.id) == [nil, nil, 3, 4, 5])
        #expect(messages[2].return?.status == "inmigrate")
        #expect(messages[3].return != nil && messages[3].error == nil)
        #expect(messages[4].error?.desc == "no")
    }

    @Test func aCommandIsOneLine() {
        let line = String(
            decoding: MachineProtocol.command("migrate", id: 7, arguments: ["uri": "exec:cat > 'a\nb'"]), as: UTF8.self)
        #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("\n"))
        #expect(line.contains("\"execute\":\"migrate\""))
    }

    @Test func anErrorIsThrownAndAnEndFailsWhatWaits() async throws {
        var pair: [Int32] = [0, 0]
        linux_socket_pair(&pair)
        let reactor = Reactor()
        defer { reactor.stop() }
        let monitor = MachineMonitor(node: NodeID(1), reactor: reactor)
        monitor.attach(pair[1])
        let refused = Task { try await monitor.execute("stop") }
        _ = await receive(
            pair[0],
            count: MachineProtocol.command("qmp_capabilities", id: 0).count
                + MachineProtocol.command("stop", id: 1).count)
        let reply = Array("{\"error\": {\"class\": \"x\", \"desc\": \"cannot\"}, \"id\": 1}\n".utf8)
        _ = write(pair[0], reply, reply.count)
        await #expect(throws: ClusterFailure.refused(NodeID(1), action: "QEMU's monitor", reason: "cannot")) {
            try await refused.value
        }
        let unanswered = Task { try await monitor.execute("cont") }
        _ = await receive(pair[0], count: MachineProtocol.command("cont", id: 2).count)
        close(pair[0])
        await #expect(throws: ClusterFailure.nodeDied(NodeID(1), lastConsoleLines: [])) { try await unanswered.value }
    }
}

@Suite struct Agents {
    /// A channel, and the guest's end of it in the hands of the test.
    private func channel(_ heard: @escaping @Sendable (Report) -> Void = { _ in }) -> (AgentChannel, Int32, Reactor) {
        var pair: [Int32] = [0, 0]
        linux_socket_pair(&pair)
        let reactor = Reactor()
        let channel = AgentChannel(node: NodeID(2), reactor: reactor, report: heard)
        channel.attach(pair[1])
        return (channel, pair[0], reactor)
    }

    @Test func repliesFindTheirRequestsInAnyOrder() async throws {
        let (channel, guest, reactor) = channel()
        defer { reactor.stop() }
        async let first = channel.ask(.stopTrace)
        let one = await receive(guest, count: 9)
        async let second = channel.ask(.hello)
        let two = await receive(guest, count: 9)
        let ids = try [one, two].map { try Request.decode($0.dropFirst(4)).id }
        for (id, reply) in [(ids[1], Reply.bytes([2])), (ids[0], .bytes([1]))] {
            let bytes = FrameDecoder.frame(Report.reply(id: id, reply).encode())
            _ = write(guest, bytes, bytes.count)
        }
        #expect(try await first == .bytes([1]))
        #expect(try await second == .bytes([2]))
        close(guest)
    }

    @Test func aLimitEndsAWaitAndALateReplyIsDropped() async throws {
        let (channel, guest, reactor) = channel()
        defer { reactor.stop() }
        let failure = ClusterFailure.commandTimedOut(NodeID(2), argv: ["x"], seconds: 0.05)
        await #expect(throws: failure) {
            try await withLimit(.milliseconds(50), else: failure) { try await channel.ask(.stopTrace) }
        }
        let id = try await Request.decode(receive(guest, count: 9).dropFirst(4)).id
        let late = FrameDecoder.frame(Report.reply(id: id, .done).encode())
        _ = write(guest, late, late.count)
        close(guest)
    }

    @Test func aFailedReplyIsThrownWithItsReason() async throws {
        let (channel, guest, reactor) = channel()
        defer { reactor.stop() }
        let answer = Task { try await channel.demand(.writeFile(path: "/sys/x", content: [])) }
        let id = try await Request.decode(receive(guest, count: 4 + 4 + 1 + 4 + 6 + 4).dropFirst(4)).id
        let bytes = FrameDecoder.frame(Report.reply(id: id, .failed(errno: EBUSY, action: "write /sys/x")).encode())
        _ = write(guest, bytes, bytes.count)
        await #expect(
            throws: ClusterFailure.refused(NodeID(2), action: "write /sys/x", reason: .errno(EBUSY))
        ) {
            try await answer.value
        }
        close(guest)
    }

    @Test func garbageEndsTheChannelAndNamesTheVersion() async throws {
        let (channel, guest, reactor) = channel()
        defer { reactor.stop() }
        let answer = Task { try await channel.ask(.hello) }
        _ = await receive(guest, count: 9)
        let garbage = [UInt8](repeating: 0xee, count: 100)
        _ = write(guest, garbage, garbage.count)
        await #expect(throws: ClusterFailure.agentVersion(NodeID(2), agent: -1, host: Int(guestProtocolVersion))) {
            try await answer.value
        }
        close(guest)
    }
}

@Suite struct Reactors {
    @Test func workAfterTheEndIsStillDone() async {
        let reactor = Reactor()
        reactor.stop()
        for _ in 0..<100 {
            await withCheckedContinuation { continuation in reactor.execute { continuation.resume() } }
        }
    }

    @Test func anEndClosesWhatIsConnected() async {
        var pair: [Int32] = [0, 0]
        linux_socket_pair(&pair)
        let reactor = Reactor()
        let channel = AgentChannel(node: NodeID(1), reactor: reactor) { _ in }
        channel.attach(pair[1])
        let answer = Task { try await channel.ask(.hello) }
        _ = await receive(pair[0], count: 9)
        reactor.stop()
        await #expect(throws: ClusterFailure.nodeDied(NodeID(1), lastConsoleLines: [])) { try await answer.value }
        await #expect(throws: ClusterFailure.nodeDied(NodeID(1), lastConsoleLines: [])) {
            try await channel.ask(.hello)
        }
        close(pair[0])
    }
}

@Suite struct Disks {
    @Test func whatWasWrittenIsSavedAndHolesStayHoles() throws {
        let disks = try SharedDisks(count: 1, size: 64 << 20)
        let marks = [(0, UInt8(1)), (4096, 2), ((64 << 20) - 1, 3)]
        for (offset, mark) in marks {
            withUnsafeBytes(of: mark) { _ = pwrite(disks.descriptors[0], $0.baseAddress, 1, off_t(offset)) }
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "mdlab-disk-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        try disks.save(disk: 0, to: file)
        var facts = stat()
        #expect(stat(file.path, &facts) == 0 && facts.st_size == 64 << 20 && facts.st_blocks * 512 < 1 << 20)
        let copy = try SharedDisks(count: 1, size: 64 << 20)
        try copy.load(disk: 0, from: file)
        for (offset, mark) in marks { #expect(copy.read(disk: 0, offset: offset, length: 1) == [mark]) }
        #expect(copy.read(disk: 0, offset: 8192, length: 4) == [0, 0, 0, 0])
    }

    @Test func aMissingFileIsAnError() throws {
        let disks = try SharedDisks(count: 1, size: 4096)
        #expect(throws: (any Error).self) { try disks.load(disk: 0, from: URL(filePath: "/nowhere/disk0")) }
    }
}

@Suite struct Spawning {
    @Test func descriptorsArriveUnderTheirNumbersAndNoOthers() async throws {
        var pipe: [Int32] = [0, 0]
        linux_pipe(&pipe)
        let null = linux_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
        let pid = await Spawner.shared.spawn(
            ["/bin/sh", "-c", "ls /proc/self/fd | wc -l >&3"], descriptors: [null, null, null, pipe[1]])
        close(pipe[1])
        #expect(pid > 0)
        // 0 to 3, and the one that ls opens to read the folder.
        let count = await receive(pipe[0], count: 2)
        #expect(count == Array("5\n".utf8))
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        #expect(linux_exit_status(status) == 0)
        for descriptor in [null, pipe[0]] { close(descriptor) }
    }

    @Test func aProgramThatIsNotThereGivesItsErrno() async {
        #expect(await Spawner.shared.spawn(["/nowhere/qemu"], descriptors: [0, 1, 2]) == -ENOENT)
    }
}

@Suite struct Recording {
    @Test func everythingIsInTheRecordAtOnce() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "mdlab-run-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        let description = RunDescription(
            toolVersion: "1", scenario: "s", started: Date(), nodes: 2, kernelRelease: "6.1", start: .cold,
            accelerator: "tcg")
        let heard = Mutex<[RunEvent]>([])
        let recorder = try RunRecorder(layout: RunLayout(root: root), description: description) { event in
            heard.withLock { $0.append(event) }
        }
        recorder.note(.step, node: NodeID(2), "fail", ["status": "0"])
        recorder.append(Data("6,1,2,-;a\n".utf8), to: recorder.layout.node(NodeID(1)).kmsg)
        try recorder.write([
            NodeSnapshot(node: NodeID(1), label: "final", time: 0, uptime: 0, files: [:], threads: [], arrays: nil)
        ])
        // Nothing was closed: what a reader sees now is what a crash would leave.
        let lines = try String(contentsOf: recorder.layout.events, encoding: .utf8).split(separator: "\n")
        #expect(try lines.map { try JSONDecoder().decode(RunEvent.self, from: Data($0.utf8)) } == heard.withLock { $0 })
        #expect(try String(contentsOf: recorder.layout.node(NodeID(1)).kmsg, encoding: .utf8) == "6,1,2,-;a\n")
        #expect(
            FileManager.default.fileExists(
                atPath: recorder.layout.node(NodeID(1)).snapshots.appending(path: "01-final.json").path))
        #expect(FileManager.default.fileExists(atPath: recorder.layout.description.path))
    }
}

@Suite struct CommandLines {
    @Test func nothingListensAndTheDisksAreShared() {
        var configuration = ClusterConfiguration(
            kernel: "/k", kernelRelease: "6.1", kernelSymbols: URL(filePath: "/s"), initramfs: "/i", modules: [])
        configuration.disks = 2
        let line = QEMUCommand.arguments(
            configuration, node: NodeID(2), console: URL(filePath: "/a,b/console.log"), incoming: 8)
        let text = line.joined(separator: " ")
        #expect(
            !text.contains("listen") && !text.contains("server=on") && !text.contains("hostfwd")
                && !text.contains("mcast"))
        #expect(text.contains("path=/a,,b/console.log"))
        #expect(line.filter { $0.contains("share-rw=on") }.count == 2)
        #expect(text.contains("mdlab.node=2 mdlab.nodes=2") && text.contains("mac=52:54:00:00:00:02"))
        #expect(text.hasSuffix("-S -incoming fd:8"))
    }
}
