// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// A concurrent program on some nodes that are all alike: what there is, who runs, and what must hold. It is data: it
/// can be printed, changed and compared, and `Machine` executes it.
public struct Program: Sendable {
    public var name: String
    public var nodes: Int
    public var shared: [Variable] = []
    public var perNode: [Variable] = []
    public var locks: [Lock] = []
    public var mutexes: [String] = []
    public var queues: [String] = []
    public var threads: [Thread] = []
    public var procedures: [Procedure] = []
    public var rules: [Rule] = []
    /// Nodes that are not there at first: their variables are 0 and their locks NL.
    public var absent: Set<Int> = []
    /// Locks that some nodes have in another mode at first.
    public var held: [Held] = []
    /// Whether it is checked that the system can always come to rest: that no part of it runs in circles for ever. It
    /// takes a second look at every state.
    public var mustComeToRest = false

    public init(name: String, nodes: Int) {
        self.name = name
        self.nodes = nodes
    }

    /// A variable with the values 0 ..< values.
    public struct Variable: Hashable, Sendable {
        public var name: String
        public var values: Int
        public var initial: Int
        /// Its value is 0, or a node's number + 1, so it changes when nodes are renamed.
        public var holdsNode: Bool
        public init(_ name: String, values: Int = 2, initial: Int = 0, holdsNode: Bool = false) {
            self.name = name
            self.values = values
            self.initial = initial
            self.holdsNode = holdsNode
        }
    }

    /// A DLM resource, with one lock of each node on it.
    public struct Lock: Hashable, Sendable {
        public var name: String
        public var initial: LockMode
        /// The node variable that is set when another node's request is blocked by this node's lock (BAST).
        public var blockedSets: String?
        /// The thread that gives the lock up when asked: who is to blame if nothing in the run shows who took it.
        public var releasedBy: String?
        public init(_ name: String, initial: LockMode = .nl, blockedSets: String? = nil, releasedBy: String? = nil) {
            self.name = name
            self.initial = initial
            self.blockedSets = blockedSets
            self.releasedBy = releasedBy
        }
    }

    public struct Held: Hashable, Sendable {
        public var lock: String
        public var node: Int
        public var mode: LockMode
        public init(lock: String, node: Int, mode: LockMode) {
            self.lock = lock
            self.node = node
            self.mode = mode
        }
    }

    /// A thread of every node that is listed.
    public struct Thread: Hashable, Sendable {
        public var name: String
        public var procedure: String
        /// Nodes on which it runs from the beginning; elsewhere it waits to be started.
        public var runsOn: Set<Int>
        /// Nodes that have it at all; nil for all.
        public var existsOn: Set<Int>?
        public init(_ name: String, procedure: String, runsOn: Set<Int> = [], existsOn: Set<Int>? = nil) {
            self.name = name
            self.procedure = procedure
            self.runsOn = runsOn
            self.existsOn = existsOn
        }
    }

    /// What must hold: in every state; for `atEnd` in every state in which nothing is left to do; for `sometimes` in
    /// one.
    public struct Rule: Sendable {
        public enum Kind: Sendable { case always, atEnd, sometimes }
        public var kind: Kind
        public var id: RuleID
        /// The sentence that says it.
        public var name: String
        public var condition: Expression
        /// A rule that nobody will want to leave out.
        public init(_ kind: Kind, _ name: String, _ condition: Expression) { self.init(kind, "", name, condition) }

        public init(_ kind: Kind, _ id: RuleID, _ name: String, _ condition: Expression) {
            self.kind = kind
            self.id = id
            self.name = name
            self.condition = condition
        }
    }

    public func procedure(named name: String) -> Procedure? { procedures.first { $0.name == name } }

    /// Puts a procedure in place of the one with its name, or adds it.
    public mutating func replace(_ procedure: Procedure) {
        if let index = procedures.firstIndex(where: { $0.name == procedure.name }) {
            procedures[index] = procedure
        } else {
            procedures.append(procedure)
        }
    }
}

/// A mistake in a program: what and where.
public enum ProgramError: Error, Hashable, Sendable {
    case unknownName(String, kind: String, procedure: String)
    case missingArgument(String, procedure: String)
    case notAConstant(String, procedure: String)
    /// A wait with no alternative can never end.
    case endlessWait(procedure: String)
    case blockingInAtomic(procedure: String)
    case recursion(procedure: String)
    case leaveOutsideLoop(procedure: String)
    case tooManyValues(String)
    case unsupported(String, procedure: String)
}
