// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// A statement of a procedure. Each that touches anything but the thread's own locals is one indivisible step; other
/// threads may run between any two steps that are not in one `atomic`.
public indirect enum Statement: Hashable, Sendable {
    /// variable = expression
    case set(String, Expression)
    case ifElse(Expression, [Statement], [Statement])
    case loop([Statement])
    /// Leaves the innermost loop.
    case leave
    /// Calls a procedure; the value that it returns goes to a local.
    case call(String, [Argument], result: String?)
    case giveBack(Expression)
    /// wait_event(queue, condition): looks at the condition once, and then again only when woken.
    case waitEvent(queue: String, [Alternative])
    /// Blocks until an alternative is possible. For waits whose wake-up cannot be lost, such as a completion's.
    /// A daemon may rest for ever in a wait that is `idle`; anywhere else that is a deadlock.
    case wait([Alternative], idle: Bool)
    case wakeUp(String)
    case lock(String)
    /// result = mutex_trylock(mutex)
    case tryLock(String, result: String)
    case unlock(String)
    /// dlm_lock(CONVERT): the result is 0 if queued or granted, 1 (-EBUSY) if a conversion is in progress already, 2
    /// (-EAGAIN) if it may not queue and is not granted at once, or 3 (-EDEADLK) if the mode that the lock has is in
    /// the way of a conversion that waits already.
    case convert(String, LockMode, noQueue: Bool, result: String?)
    /// As `convert`, with the mode known when compiled from a parameter that holds a mode's number.
    case convertTo(String, Expression, noQueue: Bool, result: String?)
    /// dlm_unlock(CANCEL): a waiting conversion is taken back.
    case cancel(String)
    /// Any branch may be taken.
    case choose([[Statement]])
    case atomic([Statement])
    /// A condition that must be true here, and the name of the rule that says so.
    case require(Expression, Program.RuleName)
    /// Lets a thread begin at its procedure. It must not be running.
    case start(String)
    /// The node is gone: its other threads stop where they are, its mutexes are free, and its variables are 0. Its
    /// locks stay as they are until somebody gives them up.
    case crash

    public struct Alternative: Hashable, Sendable {
        public var condition: Expression
        /// Done in the same step in which the condition is seen to be true.
        public var effects: [Statement]
        /// Taken only when nothing else in the whole system can happen: what a long timeout is among short steps.
        public var isTimeout: Bool

        public init(condition: Expression, effects: [Statement], isTimeout: Bool = false) {
            (self.condition, self.effects, self.isTimeout) = (condition, effects, isTimeout)
        }
    }
}

/// What a call passes: numbers and names are fixed when the procedure is compiled into the thread that calls it.
public struct Argument: Hashable, Sendable {
    public var name: String
    public var value: Value
    public enum Value: Hashable, Sendable {
        case number(Int)
        /// A lock, mutex, queue or variable; or, beginning with "$", a parameter of the caller.
        case symbol(String)
    }

    public init(name: String, value: Value) {
        self.name = name
        self.value = value
    }
}

/// A procedure: the kernel function that it follows, and what it does.
public struct Procedure: Hashable, Sendable {
    public var name: String
    public var parameters: [String]
    /// Locals and their numbers of values. They are zero when the procedure begins.
    public var locals: [Local]
    public var body: [Statement]
    /// Where to find it in the kernel, for the reader.
    public var source: String

    public struct Local: Hashable, Sendable {
        public var name: String
        public var values: Int
        public init(name: String, values: Int) {
            self.name = name
            self.values = values
        }
    }

    public init(
        _ name: String, parameters: [String] = [], locals: KeyValuePairs<String, Int> = [:], source: String = "",
        @CodeBuilder _ body: () -> [Statement]
    ) {
        self.name = name
        self.parameters = parameters
        self.locals = locals.map { Local(name: $0.key, values: $0.value) }
        self.source = source
        self.body = body()
    }
}
