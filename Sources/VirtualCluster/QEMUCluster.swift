// SPDX-License-Identifier: GPL-2.0
import CLinux
import ClusterProtocol
import Foundation
import GuestProtocol
import RunRecord
import Synchronization

/// A running cluster of QEMU nodes.
///
///     let cluster = try await VirtualCluster.boot(configuration, recorder: recorder)
///     try await cluster.loadModules()
///     let result = try await cluster.nodes[0].run(["mdadm", "--create", ...], limit: .seconds(20))
///     await cluster.stop()
///
/// It ends with the process, whatever happens to it: see `Spawner`.
public final class QEMUCluster: Sendable {
    public let configuration: ClusterConfiguration
    public let recorder: RunRecorder
    public let guests: [VirtualNode]
    let disks: SharedDisks
    let reactor = Reactor()
    struct State {
        var stopping = false
        var modulesAreLoaded = false
        /// Modules are loaded at other addresses on every node.
        var symbols: [NodeID: KernelSymbols] = [:]
        var tracing: Set<NodeID> = []
        /// Where gcov's counters lie, on nodes whose modules have some.
        var counters: [NodeID: [CounterMemory]] = [:]
    }
    let state = Mutex(State())
    // Only touched on the reactor's thread.
    nonisolated(unsafe) private let network: NetworkSwitch

    /// How long a node may take from QEMU's start to a running cluster, at the slowest.
    static let bootLimit = Duration.seconds(180)

    init(_ configuration: ClusterConfiguration, recorder: RunRecorder) throws {
        self.configuration = configuration
        self.recorder = recorder
        disks = try SharedDisks(count: configuration.disks, size: configuration.diskSize)
        network = NetworkSwitch(capture: try PacketCapture(creating: recorder.layout.capture))
        let reactor = self.reactor
        guests = (1...configuration.nodes).map { VirtualNode(id: NodeID($0), reactor: reactor, recorder: recorder) }
    }

    deinit { reactor.stop() }

    /// Boots all nodes and waits until corosync and dlm_controld have made a cluster of them.
    ///
    /// With `loadingModules` the modules under test are loaded meanwhile: a node that waits for the others has time for
    /// it.
    public static func boot(
        _ configuration: ClusterConfiguration, recorder: RunRecorder, loadingModules: Bool
    ) async throws -> QEMUCluster {
        let cluster = try QEMUCluster(configuration, recorder: recorder)
        do {
            for node in cluster.guests { try await cluster.launch(node, incoming: nil) }
            async let ready: Void = cluster.everyNode { node in _ = try await node.reach("ready", limit: bootLimit) }
            try await cluster.everyNode { node in
                _ = try await node.reach("network", limit: bootLimit)
                // From before corosync starts: its log matters most when no cluster comes of it. A restored node goes
                // on with it.
                try await node.agent.demand(.follow(path: "/var/log/corosync.log"))
            }
            if loadingModules { try await cluster.loadModules() }
            try await ready
            try await cluster.greet()
            recorder.note(.cluster, "\(configuration.nodes) nodes, quorate, DLM ready")
        } catch {
            await cluster.stop()
            throw error
        }
        return cluster
    }

    /// Starts a node's QEMU. `incoming` is a file with a saved state; then the node stays stopped.
    func launch(_ node: VirtualNode, incoming: URL?) async throws {
        guard access(configuration.qemu, X_OK) == 0 else {
            throw ClusterFailure.qemuMissing(program: configuration.qemu)
        }
        var pairs: [[Int32]] = []
        for _ in 0..<3 {
            var ends: [Int32] = [0, 0]
            linux_socket_pair(&ends)
            pairs.append(ends)
        }
        let files = recorder.layout.node(node.id)
        let null = linux_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
        let log = linux_open(
            files.root.appending(path: "qemu.log").path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0o644)
        var descriptors = [null, log, log] + pairs.map { $0[1] } + disks.descriptors
        var incomingNumber: Int32?
        if let incoming {
            let file = linux_open(incoming.path, O_RDONLY | O_CLOEXEC, 0)
            incomingNumber = Int32(descriptors.count)
            descriptors.append(file)
        }
        let argv = QEMUCommand.arguments(configuration, node: node.id, console: files.console, incoming: incomingNumber)
        let pid = await Spawner.shared.spawn(argv, descriptors: descriptors)
        for pair in pairs { close(pair[1]) }
        for descriptor in [null, log] + (incomingNumber.map { [descriptors[Int($0)]] } ?? []) { close(descriptor) }
        guard pid > 0 else {
            throw ClusterFailure.qemuFailed(node.id, status: -pid, errors: String(cString: strerror(-pid)))
        }

        node.started(pid: pid)
        recorder.update { $0.qemuCommandLines.append(argv) }
        node.agent.attach(pairs[0][0])
        node.monitor.attach(pairs[1][0])
        let networkEnd = pairs[2][0]
        let processEnd = linux_pidfd(pid)
        reactor.execute { [self] in
            network.attach(node.id, descriptor: networkEnd, to: reactor)
            reactor.watch(processEnd) { [self] in
                var status: Int32 = 0
                waitpid(pid, &status, 0)
                node.ended(expected: state.withLock { $0.stopping })
            }
        }
    }

    /// Checks the agents' version and notes the nodes' clocks against ours.
    func greet() async throws {
        var offsets: [Double] = []
        for node in guests {
            var best = (trip: Double.infinity, offset: 0.0)
            // The quickest answer is off by the least: half of its way there and back.
            for _ in 0..<8 {
                let before = recorder.time
                let hello = try await node.hello()
                let after = recorder.time
                if after - before < best.trip { best = (after - before, hello.uptime - (before + after) / 2) }
            }
            offsets.append(best.offset)
        }
        recorder.update { $0.clockOffsets = offsets }
    }

    /// Completes the record, ends the nodes, and says in run.json how the run ended. In a task of its own, since that
    /// of the run may be cancelled.
    public func finish(_ ending: RunDescription.Ending) async {
        await Task.detached { [self] in
            await finishRecord()
            for node in guests where node.processID > 0 { await saveCounters(of: node) }
            await stop()
            recorder.close(ending)
        }.value
    }

    /// Ends all nodes at once and waits until they are gone.
    public func stop() async {
        state.withLock { $0.stopping = true }
        for node in guests where node.processID > 0 { kill(node.processID, SIGKILL) }
        // A task that is cancelled does not sleep, and this one may be.
        await Task.detached { [guests] in
            while guests.contains(where: { $0.processID > 0 }) { try? await Task.sleep(for: .milliseconds(2)) }
        }.value
    }

    /// Does something to all living nodes side by side.
    func everyNode(_ work: @escaping @Sendable (VirtualNode) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in guests where node.isAlive { group.addTask { try await work(node) } }
            try await group.waitForAll()
        }
    }

    func guest(_ id: NodeID) throws -> VirtualNode {
        guard let node = guests.first(where: { $0.id == id }) else {
            throw ClusterFailure.noSuchNode(id.description, nodes: guests.map(\.id))
        }
        return node
    }
}

extension QEMUCluster: ClusterControl {
    public var nodes: [any NodeControl] { guests }

    public func crash(_ node: NodeID) async throws {
        let guest = try guest(node)
        await saveCounters(of: guest)
        recorder.note(.step, node: node, "power cut")
        if guest.processID > 0 { kill(guest.processID, SIGKILL) }
        while guest.processID > 0 { try await Task.sleep(for: .milliseconds(2)) }
    }

    public func freeze(_ node: NodeID) async throws { try await guest(node).monitor.execute("stop") }

    public func thaw(_ node: NodeID) async throws { try await guest(node).monitor.execute("cont") }

    public func setLink(_ first: NodeID, _ second: NodeID, up: Bool) async throws {
        _ = (try guest(first), try guest(second))
        await withCheckedContinuation { continuation in
            reactor.execute { [self] in
                network.setLink(first, second, up: up)
                continuation.resume()
            }
        }
    }

    public func note(_ kind: RunEvent.Kind, node: NodeID?, _ text: String, _ facts: [String: String]) {
        recorder.note(kind, node: node, text, facts)
    }
}

extension RunDescription.Ending {
    /// How a run ends that an error broke off.
    public init(of error: any Error) {
        switch error {
        case is CancellationError, ClusterFailure.interrupted: self = .interrupted
        case ClusterFailure.nodeDied: self = .nodeDied
        default: self = Task.isCancelled ? .interrupted : .failed
        }
    }
}
