// SPDX-License-Identifier: GPL-2.0

/// Two-phase commit as Gray and Lamport describe it: resource managers prepare or abort, a transaction manager commits
/// when all have prepared. Every model checker has this example, so it is what speeds are compared with, and its
/// numbers of states are known: 288 for 3 managers, 1,745,408 for 8, 10,340,352 for 9.
public struct TwoPhaseCommit: TransitionSystem {
    public let managers: Int
    /// 1: everything in one word. 4: a word each for managers, transaction manager, messages and prepared set (32
    /// bytes).
    public let stateWords: Int
    private let all: UInt64

    private enum Manager {
        static let working: UInt64 = 0, prepared: UInt64 = 1, committed: UInt64 = 2, aborted: UInt64 = 3
    }
    private enum Transaction { static let open: UInt64 = 0, committed: UInt64 = 1, aborted: UInt64 = 2 }

    public init(managers: Int, stateWords: Int = 1) {
        precondition((1...9).contains(managers) && (stateWords == 1 || stateWords == 4))
        self.managers = managers
        self.stateWords = stateWords
        all = 1 << UInt64(managers) - 1
    }

    private struct Fields {
        var managers: UInt64
        var transaction: UInt64
        /// A bit for each manager that said that it is prepared, then commit, then abort.
        var messages: UInt64
        var prepared: UInt64
    }

    private func unpack(_ words: UnsafePointer<UInt64>) -> Fields {
        if stateWords == 4 {
            return Fields(managers: words[0], transaction: words[1], messages: words[2], prepared: words[3])
        }
        let word = words[0]
        return Fields(
            managers: word & 0xFFFFFF, transaction: word >> 24 & 3, messages: word >> 26 & 0xFFFF, prepared: word >> 42)
    }

    private func pack(_ fields: Fields, into words: UnsafeMutablePointer<UInt64>) {
        if stateWords == 4 {
            words[0] = fields.managers
            words[1] = fields.transaction
            words[2] = fields.messages
            words[3] = fields.prepared
        } else {
            words[0] = fields.managers | fields.transaction << 24 | fields.messages << 26 | fields.prepared << 42
        }
    }

    public func initialStates(into successors: inout Successors) {
        pack(Fields(managers: 0, transaction: 0, messages: 0, prepared: 0), into: successors.add(step: 0))
    }

    public func successors(of state: StateView, into successors: inout Successors) {
        let now = unpack(state.words)
        let commit: UInt64 = 1 &<< UInt64(managers)
        let abort: UInt64 = 2 &<< UInt64(managers)
        if now.transaction == Transaction.open {
            if now.prepared == all {
                var next = now
                next.transaction = Transaction.committed
                next.messages |= commit
                pack(next, into: successors.add(step: 0))
            }
            var next = now
            next.transaction = Transaction.aborted
            next.messages |= abort
            pack(next, into: successors.add(step: 1))
        }
        for manager in 0..<managers {
            let bit: UInt64 = 1 &<< UInt64(manager)
            let shift = UInt64(manager * 2)
            func become(_ value: UInt64) -> Fields {
                var next = now
                next.managers = now.managers & ~(3 &<< shift) | value &<< shift
                return next
            }
            if now.transaction == Transaction.open, now.messages & bit != 0 {
                var next = now
                next.prepared |= bit
                pack(next, into: successors.add(step: 2))
            }
            if now.managers &>> shift & 3 == Manager.working {
                var next = become(Manager.prepared)
                next.messages |= bit
                pack(next, into: successors.add(step: 3))
                pack(become(Manager.aborted), into: successors.add(step: 4))
            }
            if now.messages & commit != 0 { pack(become(Manager.committed), into: successors.add(step: 5)) }
            if now.messages & abort != 0 { pack(become(Manager.aborted), into: successors.add(step: 6)) }
        }
    }

    public var stepCount: Int { 7 }

    /// Whether one has committed and another aborted, seen of all managers at once.
    public func mayBreakInvariant(_ state: StateView) -> Bool {
        let managers = unpack(state.words).managers
        let high = managers &>> 1 & 0x5_5555
        let low = managers & 0x5_5555
        return high & ~low != 0 && high & low != 0
    }

    public var properties: [Property] {
        let (model, count) = (self, UInt64(managers))
        @Sendable func any(_ state: StateView, _ value: UInt64) -> Bool {
            let managers = model.unpack(state.words).managers
            return (0..<count).contains { managers >> ($0 * 2) & 3 == value }
        }
        return [
            Property(.invariant, "nobody commits what another aborts") {
                !(any($0, Manager.committed) && any($0, Manager.aborted))
            },
            Property(.reachable, "a manager commits") { any($0, Manager.committed) },
            Property(.reachable, "a manager aborts") { any($0, Manager.aborted) },
        ]
    }
}
