// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import RunRecord

/// Who waits for whom, over all nodes, at one moment. A thread waits for a lock, a mutex, a bit or another thread's
/// end; the edge leads to the thread that has to act before the wait can end, or to nobody.
///
///     let graph = WaitGraph(moment)
///     graph.hangs.first?.lines      // node1 md0_raid1: dlm_lock_sync(token, EX) <- ... waits for node2 md0_raid1,
/// which ...
public struct WaitGraph: Sendable, Equatable {
    public struct Thread: Sendable, Hashable {
        public var node: NodeID
        public var pid: Int
        public var comm: String
    }

    /// Why nobody can end a wait.
    public enum Nobody: String, Sendable {
        case deadNode = "a dead node"
        case missingThread = "a thread that no longer exists"
        case lostWakeup = "a lost wake-up"
        case abandoned = "a lock that no thread holds"
        /// Only when two sets show it: between reading the stack and reading the lock tables a grant may come.
        case lostGrant = "a grant that did not wake it"
    }

    public enum Target: Sendable, Hashable {
        case thread(Thread)
        case nobody(Nobody)
        /// Something that ends by itself, or that cannot be told.
        case progress
    }

    public struct Edge: Sendable, Hashable {
        public var from: Thread
        public var to: Target
        /// Seconds since the lock was asked for; nil for a wait that DLM does not know of.
        var age: Double?
        /// One line: the stack, what it waits for, and why the target is the one that has to act.
        public var line: String
    }

    /// A wait that cannot end.
    public struct Hang: Sendable, Hashable {
        /// nil for a cycle.
        public var nobody: Nobody?
        /// The cycle, beginning at its first node; or the chain, ending where nobody acts.
        public var edges: [Edge]
        /// The stacks of the threads on the way: what must not have changed in a second set of snapshots.
        package var stacks: [[String]]

        public var lines: [String] { edges.map(\.line) }
        var nodes: Set<NodeID> { Set(edges.map(\.from.node)) }
        /// Whether this is `other`, seen some seconds earlier: the same threads with the same stacks, and no lock
        /// request that is younger than that. A thread that sends one message after the other has the same stack each
        /// time, but new requests.
        func continues(_ other: Hang, after seconds: Double) -> Bool {
            nobody == other.nobody && edges.map(\.from) == other.edges.map(\.from) && stacks == other.stacks
                // Half of it, for the snapshots of a set are not taken at one instant.
                && edges.allSatisfy { ($0.age ?? .infinity) >= seconds / 2 }
        }
    }

    public var edges: [Edge]
    private var stacks: [Thread: [String]]

    init(_ moment: ClusterMoment) {
        edges = []
        stacks = [:]
        for node in moment.nodes {
            for thread in node.threads {
                let who = Thread(node: node.node, pid: thread.pid, comm: thread.comm)
                stacks[who] = Frames(thread.stack).names
                edges += WaitResolver(moment: moment, node: node, thread: thread).edges
            }
        }
    }

    /// Every cycle, and every chain that ends in nobody, each told once.
    public var hangs: [Hang] {
        var found: [Hang] = []
        var inCycles: Set<Thread> = []
        for cycle in cycles() {
            found.append(Hang(nobody: nil, edges: cycle, stacks: cycle.map { stacks[$0.from] ?? [] }))
            inCycles.formUnion(cycle.map(\.from))
        }
        for edge in edges {
            guard case .nobody(let kind) = edge.to else { continue }
            // Those who wait behind, nearest last.
            var chain = [edge]
            var members: Set<Thread> = [edge.from]
            while let before = edges.first(where: { $0.to == .thread(chain[0].from) && !members.contains($0.from) }) {
                chain.insert(before, at: 0)
                members.insert(before.from)
            }
            found.append(Hang(nobody: kind, edges: chain, stacks: chain.map { stacks[$0.from] ?? [] }))
        }
        return found
    }

    /// The elementary cycles, each from its smallest thread.
    private func cycles() -> [[Edge]] {
        var found: [[Edge]] = []
        var known: Set<Set<Thread>> = []
        let starts = Set(edges.map(\.from)).sorted { ($0.node, $0.pid) < ($1.node, $1.pid) }
        func walk(_ path: [Edge], _ start: Thread) {
            guard case .thread(let at)? = path.last?.to else { return }
            if at == start {
                if known.insert(Set(path.map(\.from))).inserted { found.append(path) }
                return
            }
            if path.contains(where: { $0.from == at }) { return }
            for edge in edges where edge.from == at { walk(path + [edge], start) }
        }
        for start in starts {
            for edge in edges where edge.from == start { walk([edge], start) }
        }
        return found
    }
}
