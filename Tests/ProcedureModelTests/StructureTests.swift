// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
@testable import ProcedureModel
import Testing

@Suite struct StructureTests {
    private func identities(_ body: [Statement]) -> [String] {
        var program = Program(name: "p", nodes: 1)
        program.procedures = [Procedure("body") { body }]
        return program.mutants().map(\.identity.change)
    }

    private func lines(_ body: [Statement]) -> [String] {
        var program = Program(name: "p", nodes: 1)
        program.procedures = [Procedure("body") { body }]
        return program.mutants().map(\.change)
    }

    @Test func aFaultIsKnownByWhatItChanges() {
        let body: [Statement] = [
            .set("x", .sum(.v("x"), 1)), .ifElse(.v("x") == 1 && !.granted("token", .ex), [.lock("a")], [.unlock("a")]),
            .call(
                "f", [.init(name: "res", value: .symbol("$l")), .init(name: "mode", value: .number(5))], result: "r"),
        ]
        #expect(
            identities(body) == [
                "(drop (set x (+ x 1)))", "(always (and (= x 1) (not (granted token EX))))", "(drop (lock a))",
                "(drop (unlock a))", "(drop (let r (call f (res $l) (mode 5))))",
            ])
    }

    /// Each pair prints alike, so a list by what is printed would take the one for the other.
    @Test(arguments: [
        (Statement.lock("m"), Statement.call("mutex_lock", [.init(name: "m", value: .symbol("m"))], result: nil)),
        (
            .call("f", [.init(name: "slot", value: .number(1))], result: nil),
            .call("f", [.init(name: "role", value: .number(1))], result: nil)
        ),
        (
            .call("f", [.init(name: "slot", value: .number(1))], result: nil),
            .call("f", [.init(name: "slot", value: .symbol("1"))], result: nil)
        ),
        (.set("x", .variable("$y")), .set("x", .variable("y"))),
        (.set("x", .granted("token", .ex)), .set("x", .equal(.variable("token.mode"), .variable("EX")))),
        (.set("x", .not(.equal(.v("a"), .constant(1)))), .set("x", .variable("a != 1"))),
        (
            .convert("token", .ex, noQueue: false, result: nil),
            .convertTo("token", .variable("EX"), noQueue: false, result: nil)
        ),
        (
            .wait([.init(condition: .v("x"), effects: [])], idle: false),
            .wait([.init(condition: .v("x"), effects: [])], idle: true)
        ),
    ])
    func whatPrintsAlikeAndDiffersHasTwoIdentities(one: Statement, other: Statement) {
        #expect(one != other)
        #expect(lines([one]) == lines([other]))
        #expect(identities([one]) != identities([other]))
        #expect(one.structure != other.structure)
    }

    /// What is inside a statement is no part of a fault that drops it, but of its structure.
    @Test func whatIsInsideIsLeftOutOfAFault() {
        func wait(_ effects: [Statement]) -> Statement {
            .wait([.init(condition: .v("x"), effects: effects)], idle: false)
        }
        #expect(identities([wait([])]).first == identities([wait([.set("x", .constant(0))])]).first)
        #expect(wait([]).structure != wait([.set("x", .constant(0))]).structure)
        #expect(wait([.set("x", .constant(0))]).structure.description == "(wait x ((set x 0)))")
        let either = Statement.ifElse(.v("x"), [.leave], [.giveBack(.constant(0)), .crash])
        #expect(either.structure.description == "(if x ((leave)) ((give-back 0) (crash)))")
    }

    /// The sentence of a rule may be worded anew, and the comments of a procedure; the id stays.
    @Test func sentencesAreNoPartOfIt() {
        let one = Statement.require(.v("x"), .init("I1.rest", "x is set"))
        let other = Statement.require(.v("x"), .init("I1.rest", "x has to be set"))
        #expect(one != other)
        #expect(one.structure == other.structure)
        #expect(one.structure != Statement.require(.v("x"), .init("I2", "x is set")).structure)
    }

    /// No name can be taken for something else, whatever is in it.
    @Test(arguments: ["", "a b", "a) (b", "|", "\\", "a|", "1", "-1", "(", "(set x 0)", "é", "\n", "$", "="])
    func namesAreKeptApart(name: String) {
        let structure = Statement.set(name, .variable("x")).structure
        let others = ["a", "b", "a b ", "||", "\\\\", "|a|", "0", "set"].map {
            Statement.set($0, .variable("x")).structure
        }
        for other in others { #expect(structure.description != other.description) }
        #expect(
            Statement.set(name, .variable("x")).structure.description
                != Statement.set("x", .variable(name)).structure.description)
        #expect(
            Statement.set("x", .variable(name)).structure.description
                != Statement.set("x", .constant(1)).structure.description)
    }

    @Test func modesThatNobodyKnowsAreNumbers() {
        #expect(Expression.granted("token", LockMode(rawValue: 9)).structure.description == "(granted token 9)")
        #expect(Expression.granted("token", .none).structure.description == "(granted token -1)")
    }
}
