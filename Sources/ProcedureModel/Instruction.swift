// SPDX-License-Identifier: GPL-2.0

/// A compiled step. All threads of all nodes have their own instructions, with every name resolved to bits of the
/// state.
struct Instruction: Sendable {
    enum Operation: UInt8, Sendable {
        case assign, branch, jump, wait, waitEvent, asleep, wake, lock, tryLock, unlock, convert, cancel, choose,
            require, start, end
    }
    var operation: Operation
    /// Taken together with the step before: it touches only the thread's own locals, or it is inside an `atomic`.
    var isSilent = false
    /// A daemon may rest here for ever.
    var isIdle = false
    /// Where the thread goes on, counted from the thread's first instruction.
    var next: Int32 = 0
    /// branch: where it goes on if the condition is false.
    var other: Int32 = 0
    /// branch, require: the condition. lock, tryLock, unlock: nothing. convert, cancel: the lock. wake, asleep: the
    /// queue. start: the thread. wait, waitEvent, choose, assign: the first alternative, target or effect.
    var subject: Int32 = 0
    /// wait, waitEvent, choose, assign: how many.
    var count: Int32 = 0
    /// convert: the mode's place among the lock's modes; require: the rule.
    var detail: Int32 = 0
    var noQueue = false
    /// lock, tryLock, unlock: the mutex.
    var field = Field()
    /// tryLock, convert: where the result goes; no bits if nowhere.
    var result = Field()
}

struct CompiledAlternative: Sendable {
    var condition: Int32
    var target: Int32
    var isTimeout: Bool
}

struct Effect: Sendable {
    enum Kind: UInt8, Sendable { case constant, copy, condition }
    var kind: Kind
    var target: Field
    var source = Field()
    /// constant: the value; copy: what is added; condition: its number.
    var value: Int32 = 0
    /// copy: number of values of the target.
    var modulus: Int32 = 0
}

/// A test of a state. A condition is an "or" of clauses, each an "and" of tests.
struct Test: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case masked, notMasked, less, notLess, fieldsEqual, fieldsDiffer, inSet, notInSet, never
    }
    var kind: Kind
    var word: Int32 = 0
    /// masked: state[word] & mask == value. less: the field is below value. inSet: the field's value is in the set
    /// `value`.
    var mask: UInt64 = 0
    var value: UInt64 = 0
    var field = Field()
    var other = Field()

    func inverted() -> Test {
        var test = self
        switch kind {
        case .masked: test.kind = .notMasked
        case .notMasked: test.kind = .masked
        case .less: test.kind = .notLess
        case .notLess: test.kind = .less
        case .fieldsEqual: test.kind = .fieldsDiffer
        case .fieldsDiffer: test.kind = .fieldsEqual
        case .inSet: test.kind = .notInSet
        case .notInSet: test.kind = .inSet
        case .never: break
        }
        return test
    }
}

struct Clause: Sendable {
    var first: Int32
    var count: Int32
}

struct Condition: Sendable {
    var first: Int32
    var count: Int32
}

struct CompiledLock: Sendable {
    var name: String
    /// The modes that the program ever asks for; a mode's place in it is what the state holds.
    var modes: [Int8]
    /// By mode's place: a bit for each mode's place that it goes with.
    var compatible: [UInt32]
    var granted: [Field] = []
    /// 0, or the wanted mode's place + 1.
    var requested: [Field] = []
    /// Place in the queue of those who wait.
    var rank: [Field] = []
    /// By node: what is set when the node's lock is in the way; no bits if nothing.
    var blockedSets: [Field] = []

    /// Whether some of its modes do not go together.
    var excludes: Bool {
        compatible.contains { goesWith in modes.indices.contains { goesWith >> UInt32($0) & 1 == 0 } }
    }
}

/// A thread of a node, compiled.
public struct CompiledThread: Sendable {
    public var name: String
    public var node: Int
    var first: Int
    var count: Int
    var runs: Bool
    public var procedure: String
}

/// Where an instruction comes from.
public struct Place: Sendable, Hashable {
    /// Innermost first.
    public var calls: [CallFrame]
    /// Which instruction of the innermost procedure it is, counted from 0 in the order of its text.
    public var ordinal = 0
    /// The statement, as C would have it.
    public var text: String

    /// For people: innermost first, each with the arguments it was called with: "dlm_lock_sync(token, EX)".
    public var stack: [String] { calls.map(\.description) }
    /// Names of the procedures, innermost first.
    public var procedures: [String] { calls.map(\.procedure) }
}

/// A program compiled.
struct Code: Sendable {
    var instructions: [Instruction] = []
    var places: [Place] = []
    var alternatives: [CompiledAlternative] = []
    var targets: [Int32] = []
    var effects: [Effect] = []
    var tests: [Test] = []
    var clauses: [Clause] = []
    var conditions: [Condition] = []
    /// Sets of values that tests look into.
    var sets: [[Bool]] = []
    var locks: [CompiledLock] = []
    /// By wait instruction: what it waits for, an expression for each alternative.
    var waits: [Int: [Expression]] = [:]
    var threads: [CompiledThread] = []
    /// Names of the rules that `require` and the machine itself can break, from 1.
    var ruleNames: [String] = ["mutex_unlock of a mutex that is not held"]
}
