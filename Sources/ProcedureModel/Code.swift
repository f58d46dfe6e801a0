// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

// What a procedure is written with, so that it reads like the C that it follows:
//
//     Procedure("unlock_comm") {
//         mutex_unlock("recv_mutex")
//         call("dlm_lock_sync", "res" <- "token", "mode" <- .nl)
//         assign("SEND_LOCK", 0)
//         wake_up("cinfo->wait")
//     }

@resultBuilder
public enum CodeBuilder {
    public static func buildExpression(_ statement: Statement) -> [Statement] { [statement] }
    public static func buildExpression(_ statements: [Statement]) -> [Statement] { statements }
    public static func buildBlock(_ parts: [Statement]...) -> [Statement] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [Statement]?) -> [Statement] { part ?? [] }
    public static func buildEither(first: [Statement]) -> [Statement] { first }
    public static func buildEither(second: [Statement]) -> [Statement] { second }
    public static func buildArray(_ parts: [[Statement]]) -> [Statement] { parts.flatMap { $0 } }
}

@resultBuilder
public enum AlternativeBuilder {
    public static func buildBlock(_ parts: [Statement.Alternative]...) -> [Statement.Alternative] {
        parts.flatMap { $0 }
    }
    public static func buildExpression(_ part: Statement.Alternative) -> [Statement.Alternative] { [part] }
    public static func buildOptional(_ part: [Statement.Alternative]?) -> [Statement.Alternative] { part ?? [] }
}

public func assign(_ name: String, _ value: Int) -> Statement { .set(name, .constant(value)) }
public func assign(_ name: String, _ value: Expression) -> Statement { .set(name, value) }

public func when_(
    _ condition: Expression, @CodeBuilder _ then: () -> [Statement], @CodeBuilder else other: () -> [Statement] = { [] }
) -> Statement { .ifElse(condition, then(), other()) }

public func loop(@CodeBuilder _ body: () -> [Statement]) -> Statement { .loop(body()) }
public func leave() -> Statement { .leave }
public func call(_ name: String, _ arguments: Argument..., result: String? = nil) -> Statement {
    .call(name, arguments, result: result)
}
public func return_(_ value: Int = 0) -> Statement { .giveBack(.constant(value)) }
public func return_(_ value: Expression) -> Statement { .giveBack(value) }

public func wait_event(_ queue: String, _ condition: Expression) -> Statement {
    .waitEvent(queue: queue, [.init(condition: condition, effects: [], isTimeout: false)])
}
public func wait_event(_ queue: String, @AlternativeBuilder _ alternatives: () -> [Statement.Alternative]) -> Statement
{
    .waitEvent(queue: queue, alternatives())
}
public func wait(idle: Bool = false, @AlternativeBuilder _ alternatives: () -> [Statement.Alternative]) -> Statement {
    .wait(alternatives(), idle: idle)
}
public func wait(_ condition: Expression, idle: Bool = false) -> Statement {
    .wait([.init(condition: condition, effects: [], isTimeout: false)], idle: idle)
}
public func until(_ condition: Expression, @CodeBuilder _ effects: () -> [Statement] = { [] }) -> Statement.Alternative
{
    .init(condition: condition, effects: effects(), isTimeout: false)
}
public func onTimeout(@CodeBuilder _ effects: () -> [Statement] = { [] }) -> Statement.Alternative {
    .init(condition: .always, effects: effects(), isTimeout: true)
}

public func wake_up(_ queue: String) -> Statement { .wakeUp(queue) }
public func mutex_lock(_ mutex: String) -> Statement { .lock(mutex) }
public func mutex_trylock(_ mutex: String, result: String) -> Statement { .tryLock(mutex, result: result) }
public func mutex_unlock(_ mutex: String) -> Statement { .unlock(mutex) }
public func choose(_ branches: [[Statement]]) -> Statement { .choose(branches) }
public func atomic(@CodeBuilder _ body: () -> [Statement]) -> Statement { .atomic(body()) }
/// Asks for what nobody will want to leave out.
public func require(_ condition: Expression, _ rule: String) -> Statement { .require(condition, .init("", rule)) }
public func require(_ condition: Expression, _ id: RuleID, _ rule: String) -> Statement {
    .require(condition, .init(id, rule))
}
public func start(_ thread: String) -> Statement { .start(thread) }

public func crash() -> Statement { .crash }

infix operator <- : AssignmentPrecedence
public func <- (name: String, value: Int) -> Argument { Argument(name: name, value: .number(value)) }
public func <- (name: String, value: String) -> Argument { Argument(name: name, value: .symbol(value)) }
public func <- (name: String, mode: LockMode) -> Argument { Argument(name: name, value: .number(Int(mode.rawValue))) }
