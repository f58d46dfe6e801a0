// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import ModelChecker

@Suite struct StateStoreTests {
    @Test func everyStateIsKeptOnceThroughGrowth() throws {
        let store = try #require(StateStore(words: 2, capacity: 100_000))
        for round in 0..<2 {
            for value in 0..<50_000 as Range<UInt64> {
                let state = [value, value << 32]
                let outcome = store.insert(state, hash: StateStore.hash(state, words: 2))
                switch outcome {
                case .new(let index): #expect(round == 0 && index == Int(value))
                case .known(let index): #expect(round == 1 && index == Int(value))
                case .full: Issue.record("full at \(value)")
                }
            }
        }
        #expect(store.count == 50_000)
        #expect(store.checkInvariants())
    }

    @Test func equalHashesDoNotMakeStatesEqual() throws {
        let store = try #require(StateStore(words: 1, capacity: 100))
        for value in 1...50 as ClosedRange<UInt64> {
            guard case .new = store.insert([value], hash: 42) else { Issue.record("lost"); return }
        }
        #expect(store.find([17], hash: 42) == 16)
        #expect(store.find([51], hash: 42) == nil)
    }

    @Test func aFullStoreSaysSo() throws {
        let store = try #require(StateStore(words: 1, capacity: 3))
        for value in 1...3 as ClosedRange<UInt64> { _ = store.insert([value], hash: value) }
        guard case .full = store.insert([4], hash: 4) else { Issue.record("not full"); return }
        guard case .known = store.insert([2], hash: 2) else { Issue.record("forgotten"); return }
    }

    @Test func aStateOf32BytesTakesAtMost48() {
        #expect(StateStore.bytesPerState(words: 4) <= 48)
    }
}
