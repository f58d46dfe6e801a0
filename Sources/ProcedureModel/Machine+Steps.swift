// SPDX-License-Identifier: GPL-2.0
import ModelChecker

/// Taking steps: from an instruction and a state to the states that follow.
extension Machine {
    func step(
        _ thread: Int, _ pc: Int, _ words: UnsafePointer<UInt64>, _ successors: inout Successors, timeouts: Bool
    ) {
        let number = firsts[thread] + pc
        let instruction = instructions + number
        switch instruction.pointee.operation {
        case .wait, .waitEvent:
            let first = Int(instruction.pointee.subject)
            for item in first..<first + Int(instruction.pointee.count)
            where alternatives[item].isTimeout == timeouts && holds(Int(alternatives[item].condition), words) {
                let next = successors.add(step: number)
                next.update(from: words, count: stateWords)
                settle(thread, Int(alternatives[item].target), next, successors.count - 1, number, &successors)
                return
            }
            if instruction.pointee.operation == .waitEvent, !timeouts {
                let next = successors.add(step: number)
                next.update(from: words, count: stateWords)
                pcs[thread].write(next, pc + 1)
            }
        case .asleep:
            // Only a waker moves it on; a wait with a time limit may also wake by itself when nothing else can happen.
            guard timeouts else { return }
            let wait = instructions[number - 1]
            let first = Int(wait.subject)
            for item in first..<first + Int(wait.count)
            where alternatives[item].isTimeout && holds(Int(alternatives[item].condition), words) {
                let next = successors.add(step: number)
                next.update(from: words, count: stateWords)
                settle(thread, Int(alternatives[item].target), next, successors.count - 1, number, &successors)
                return
            }
        case .lock:
            if timeouts || instruction.pointee.field.read(words) != 0 { return }
            fire(thread, pc, words, number, &successors)
        default:
            if !timeouts { fire(thread, pc, words, number, &successors) }
        }
    }

    func fire(
        _ thread: Int, _ pc: Int, _ words: UnsafePointer<UInt64>, _ number: Int, _ successors: inout Successors
    ) {
        let next = successors.add(step: number)
        next.update(from: words, count: stateWords)
        let place = successors.count - 1
        if let target = execute(thread, pc, next, place, number, &successors) {
            settle(thread, target, next, place, number, &successors)
        }
    }

    /// Goes on through the silent instructions that follow, then stores the position.
    func settle(
        _ thread: Int, _ start: Int, _ words: UnsafeMutablePointer<UInt64>, _ place: Int, _ step: Int,
        _ successors: inout Successors
    ) {
        var pc = start
        var words = words
        var budget = 10_000
        while instructions[firsts[thread] + pc].isSilent, budget > 0 {
            budget -= 1
            guard let next = execute(thread, pc, words, place, step, &successors) else { return }
            pc = next
            words = successors.words(place)
        }
        pcs[thread].write(words, pc)
    }

    /// Does an instruction to the state in place; where the thread goes on, or nil if that is settled.
    func execute(
        _ thread: Int, _ pc: Int, _ words: UnsafeMutablePointer<UInt64>, _ place: Int, _ step: Int,
        _ successors: inout Successors
    ) -> Int? {
        let instruction = instructions + (firsts[thread] + pc)
        let next = Int(instruction.pointee.next)
        switch instruction.pointee.operation {
        case .jump: return next
        case .assign:
            let first = Int(instruction.pointee.subject)
            for item in first..<first + Int(instruction.pointee.count) { apply(effects + item, words) }
            return next
        case .branch: return holds(Int(instruction.pointee.subject), words) ? next : Int(instruction.pointee.other)
        case .lock:
            instruction.pointee.field.write(words, ownersOfThreads[thread])
            return next
        case .tryLock:
            let isFree = instruction.pointee.field.read(words) == 0
            if isFree { instruction.pointee.field.write(words, ownersOfThreads[thread]) }
            instruction.pointee.result.write(words, isFree ? 1 : 0)
            return next
        case .unlock:
            if instruction.pointee.field.read(words) == 0, broken.read(words) == 0 { broken.write(words, 1) }
            instruction.pointee.field.write(words, 0)
            return next
        case .wake:
            wake(Int(instruction.pointee.subject), words)
            return next
        case .convert:
            let result = convert(instruction, node: nodesOfThreads[thread], words)
            if instruction.pointee.result.bits > 0 { instruction.pointee.result.write(words, result) }
            return next
        case .cancel:
            cancel(Int(instruction.pointee.subject), node: nodesOfThreads[thread], words)
            return next
        case .require:
            if broken.read(words) == 0, !holds(Int(instruction.pointee.subject), words) {
                broken.write(words, Int(instruction.pointee.detail) + 1)
            }
            return next
        case .start:
            pcs[Int(instruction.pointee.subject)].write(words, 1)
            return next
        case .choose:
            let first = Int(instruction.pointee.subject)
            let count = Int(instruction.pointee.count)
            let saved = StateView(UnsafePointer(words)).copy(count: stateWords)
            for item in 1..<max(1, count) {
                let other = successors.add(step: step)
                other.update(from: saved, count: stateWords)
                settle(thread, Int(targets[first + item]), other, successors.count - 1, step, &successors)
            }
            settle(thread, Int(targets[first]), successors.words(place), place, step, &successors)
            return nil
        case .end:
            layout.locals[thread].write(words, 0)
            pcs[thread].write(words, 0)
            return nil
        case .wait, .waitEvent, .asleep: return pc
        }
    }

    @inline(__always) func apply(_ effect: UnsafeMutablePointer<Effect>, _ words: UnsafeMutablePointer<UInt64>) {
        switch effect.pointee.kind {
        case .constant: effect.pointee.target.write(words, Int(effect.pointee.value))
        case .copy:
            let value = effect.pointee.source.read(words) + Int(effect.pointee.value)
            effect.pointee.target.write(words, value % max(1, Int(effect.pointee.modulus)))
        case .condition: effect.pointee.target.write(words, holds(Int(effect.pointee.value), words) ? 1 : 0)
        }
    }

    func wake(_ queue: Int, _ words: UnsafeMutablePointer<UInt64>) {
        for thread in 0..<threadCount {
            let pc = pcs[thread].read(words)
            let instruction = instructions + (firsts[thread] + pc)
            if instruction.pointee.operation == .asleep, instruction.pointee.subject == Int32(queue) {
                pcs[thread].write(words, pc - 1)
            }
        }
    }
}
