// SPDX-License-Identifier: GPL-2.0
import CSource
import ProcedureModel

/// What the kernel gives everybody: waiting, waking, bits, mutexes, DLM.
extension Walk {
    /// Does the call if it is one of the kernel's primitives.
    func primitive(_ name: String, _ values: [Value], _ arguments: [CExpression], _ result: String?) -> Bool {
        switch name {
        case "mdlab_set_bit", "mdlab_clear_bit", "mdlab_test_bit", "mdlab_test_and_set_bit", "mdlab_test_and_clear_bit":
            bit(String(name.dropFirst("mdlab_".count)), values, arguments, result)
        case "mdlab_wake_up":
            settle()
            mark(.modelled)
            emit(.wake(queue: queue(values[1]), how: words(values[0])))
            answer(result, .zero)
        case "mdlab_mutex_lock": step(.lock(mutex(values[1])), result, waits: true)
        case "mdlab_mutex_unlock": step(.unlock(mutex(values[0])), result)
        case "mdlab_mutex_trylock":
            settle()
            mark(.modelled)
            emit(.tryLock(mutex(values[1]), result: answerLocal(result)))
        case "mdlab_spin_lock":
            step(.spinLock(values[1].shown, how: words(values[0])), result)
            state.known["#spin"] = .text(values[1].shown)
        case "mdlab_spin_unlock":
            step(.spinUnlock(values[1].shown, how: words(values[0])), result)
            state.known["#spin"] = nil
        case "mdlab_warn_on": warn(values, result)
        case "mdlab_iterate": iterate(values, arguments, result)
        case "mdlab_alloc":
            mark(.harmless("memory"))
            extraction.assumptions.insert("there is always memory")
            answer(result, .symbol(.memory))
        case "mdlab_is_err":
            mark(.modelled)
            answer(result, values[0].isPointer ? .zero : .symbol(of: "IS_ERR(\(words(values[0])))"))
        case "complete": step(.set(field(values[0]), .constant(1)), result)
        case "mdlab_init_completion": step(.set(field(values[0]), .constant(0)), result)
        case "wait_for_completion", "wait_for_completion_timeout": waitForCompletion(name, values, result)
        case "__builtin_memcpy": copy(values, result)
        case "__builtin_memset": fill(values, result)
        case "dlm_lock": return dlmLock(values, result)
        case "dlm_unlock": return dlmUnlock(values, result)
        default: return false
        }
        return true
    }

    private func step(_ step: Residual.Step, _ result: String?, waits: Bool = false) {
        settle()
        mark(.modelled)
        emit(step)
        if waits { age() }
        answer(result, .zero)
    }

    /// A string without its quotes.
    func words(_ value: Value) -> String {
        if case .text(let text) = value { return text }
        return value.shown
    }

    /// "recv_mutex" of &cinfo->recv_mutex
    private func mutex(_ value: Value) -> String { field(value) }

    private func field(_ value: Value) -> String {
        guard case .place(let name) = value else { return value.shown }
        return name.split(separator: ".", maxSplits: 1).last.map(String.init) ?? name
    }

    private func queue(_ value: Value) -> String {
        guard case .place(let name) = value else { return value.shown }
        return name.replacing("md_cluster_info.", with: "cinfo->").replacing("mddev.", with: "mddev->")
    }

    private func isPlain(_ queue: String) -> Bool {
        meaning.plainQueues.contains { queue.hasSuffix(".\($0)") || queue.hasSuffix("->\($0)") }
    }

    private func warn(_ values: [Value], _ result: String?) {
        guard let truth = values[0].truth else {
            mark(.notLookedAt("the condition \(words(values[0]))"))
            answer(result, values[0])
            return
        }
        mark(.harmless("a warning"))
        settle()
        if case .expression(let condition) = truth {
            emit(.warn(condition, "WARN_ON in \(state.top.function): \(words(values[1]))"))
        }
        if case .number(1) = truth {
            emit(.warn(.constant(1), "WARN_ON in \(state.top.function): \(words(values[1]))"))
        }
        answer(result, truth)
    }

    /// The next of the array's devices, or the next of a list that is not looked at.
    private func iterate(_ values: [Value], _ arguments: [CExpression], _ result: String?) {
        guard case .variable(let cursor, _) = arguments[0] else { return opaqueIterate(values, result) }
        guard case .object("mddev") = values[1] else {
            opaqueIterate(values, result)
            return store(.symbol(of: "one of \(words(values[1]))"), key(cursor))
        }
        mark(.modelled)
        let names = meaning.devices.names
        var next = 0
        if case .device(let now) = values[0] { next = (names.firstIndex(of: now) ?? names.count) + 1 }
        if next < names.count {
            store(.device(names[next]), key(cursor))
            answer(result, .number(1))
        } else {
            store(.symbol("no device"), key(cursor))
            answer(result, .zero)
        }
    }

    private func opaqueIterate(_ values: [Value], _ result: String?) {
        mark(.notLookedAt("the list \(words(values[1]))"))
        answer(result, .symbol(of: "one more of \(words(values[1]))"))
    }

    // MARK: Waiting

    func wait(_ name: String, _ arguments: [CExpression], _ result: String?) {
        let how = words(value(arguments[0]))
        let place = queue(value(arguments[1]))
        settle()
        guard let found = alternatives(arguments[2]) else {
            mark(.notLookedAt("what is waited for: \(arguments[2])"))
            emit(.opaque("\(how)(\(place): \(text(arguments[2])))"))
            age()
            return answer(result, .symbol(of: "\(how)()"))
        }
        mark(.modelled)
        var all = found
        var answered = Value.zero
        if name == "mdlab_wait_event_timeout" {
            let local = result.map { key($0) } ?? "#"
            for index in all.indices { all[index].effects.append(.set(local, .constant(1))) }
            all.append(.init(condition: nil, effects: [.set(local, .constant(0))]))
            residual.locals.insert(local)
            answered = .expression(.variable(local))
        }
        emit(.wait(queue: isPlain(place) ? nil : place, all, how: how))
        age()
        if let result { state.known[key(result)] = answered }
    }

    /// A condition in words that do not depend on locals.
    private func text(_ condition: CExpression) -> String { value(condition).shown }

    /// The ways in which a condition of a wait can become true; nil if it is not looked at.
    private func alternatives(_ condition: CExpression) -> [Residual.Alternative]? {
        switch condition {
        case .unary("!", .unary("!", let inner)): return alternatives(inner)
        case .binary("||", let left, let right):
            guard let one = alternatives(left), let other = alternatives(right) else { return nil }
            return one + other
        case .unary("!", .call(.function("mdlab_test_and_set_bit"), let arguments)):
            guard let bit = bitVariable(arguments) else { return nil }
            return [.init(condition: .equal(.variable(bit), .constant(0)), effects: [.set(bit, .constant(1))])]
        case .call(.function("mdlab_test_and_clear_bit"), let arguments):
            guard let bit = bitVariable(arguments) else { return nil }
            return [.init(condition: .variable(bit) != 0, effects: [.set(bit, .constant(0))])]
        case .assign("=", .variable(let name, _), .call(.function(let callee), _)):
            guard let mutex = meaning.calls[callee]?.tryLocks else { return nil }
            hold(key(name), .constant(0))
            residual.locals.insert(key(name))
            state.known[key(name)] = .expression(.variable(key(name)))
            return [.init(condition: .not(.locked(mutex)), effects: [.tryLock(mutex, result: key(name))])]
        case .call(.function(let name), let arguments) where extraction.flow(name) != nil:
            return inside(name, arguments) { alternatives($0) } ?? nil
        default: return plainAlternative(condition)
        }
    }

    /// Looks at what a function returns that only returns something, as in its place.
    private func inside<Result>(
        _ name: String, _ arguments: [CExpression], _ look: (CExpression) -> Result
    ) -> Result? {
        guard let flow = extraction.flow(name), !state.frames.contains(where: { $0.function == name }) else {
            return nil
        }
        let before = state
        let values = arguments.map { lazyValue($0) }
        state.frames.append(Frame(function: name, point: 0, result: nil, prefix: "\(name):"))
        defer { state = before }
        for (parameter, value) in zip(flow.function.parameters, values) { state.known[key(parameter.name)] = value }
        for statement in flow.function.body {
            switch statement.kind {
            case .declaration(let local, _, let initial?): state.known[key(local)] = lazyValue(initial)
            case .returns(let value?):
                residual.functions.insert(name)
                extraction.cover(name, flow)
                return look(value)
            default: return nil
            }
        }
        return nil
    }

    private func plainAlternative(_ condition: CExpression) -> [Residual.Alternative]? {
        switch lazyValue(condition).truth {
        case .number(0): return []
        case .number: return [.init(condition: .constant(1), effects: [])]
        case .expression(let expression): return [.init(condition: expression, effects: [])]
        default: return nil
        }
    }

    /// The value of a condition that is looked at in a wait: tests of bits are calls there.
    private func lazyValue(_ condition: CExpression) -> Value {
        switch condition {
        case .unary("!", let inner): return lazyValue(inner).negated
        case .binary(let sign, let left, let right): return .binary(sign, lazyValue(left), lazyValue(right))
        case .call(.function("mdlab_test_bit"), let arguments):
            return bitVariable(arguments).map { .expression(.variable($0) != 0) } ?? .symbol("\(condition)")
        // A thread of md's that is asked to stop is not in one of these waits.
        case .call(.function("kthread_should_stop"), _): return .zero
        case .call(.function(let name), let arguments) where extraction.flow(name) != nil:
            return inside(name, arguments) { lazyValue($0) } ?? .symbol("\(condition)")
        default: return presence(of: condition) ?? value(condition)
        }
    }

    private func waitForCompletion(_ name: String, _ values: [Value], _ result: String?) {
        settle()
        mark(.modelled)
        let variable = field(values[0])
        var all = [Residual.Alternative(condition: .variable(variable) != 0, effects: [.set(variable, .constant(0))])]
        if name.hasSuffix("timeout") {
            let local = result.map { key($0) } ?? "#"
            all[0].effects.append(.set(local, .constant(1)))
            all.append(.init(condition: nil, effects: [.set(local, .constant(0))]))
            residual.locals.insert(local)
            emit(.wait(queue: nil, all, how: name))
            age()
            if let result { state.known[key(result)] = .expression(.variable(key(result))) }
            return
        }
        emit(.wait(queue: nil, all, how: name))
        age()
        answer(result, .zero)
    }

    // MARK: Memory

    /// memcpy from and to the LVB of a lock.
    private func copy(_ values: [Value], _ result: String?) {
        answer(result, .zero)
        switch (values[0], values[1]) {
        case (.lvb(let lock), .record(let prefix)):
            settle()
            mark(.modelled)
            for (field, variable) in (meaning.blocks[lock] ?? [:]).sorted(by: { $0.key < $1.key }) {
                switch state.known["\(prefix).\(field)"] ?? state.known["\(prefix).*"] ?? .symbol("<\(field)>") {
                case .number(let number): emit(.set(variable, .constant(number)))
                case .expression(let expression): emit(.set(variable, expression))
                case .ownSlot(let plus): emit(.set(variable, .sum(.variable("$self"), plus)))
                case let other: emit(.opaque("\(variable) = \(other.shown)"))
                }
            }
            for (name, known) in state.known.sorted(by: { $0.key < $1.key }) where name.hasPrefix(prefix + ".") {
                let field = String(name.dropFirst(prefix.count + 1))
                guard field != "*", meaning.blocks[lock]?[field] == nil else { continue }
                emit(.opaque("\(lock).lvb.\(field) = \(known.shown)"))
            }
        case (.record(let prefix), .lvb(let lock)):
            settle()
            mark(.modelled)
            state.known = state.known.filter { !$0.key.hasPrefix(prefix + ".") }
            for (field, variable) in (meaning.blocks[lock] ?? [:]).sorted(by: { $0.key < $1.key }) {
                hold("\(prefix).\(field)", .variable(variable))
            }
            state.known["\(prefix).*"] = .symbol("\(lock).lvb")
        default:
            mark(.notLookedAt("memcpy"))
            settle()
            if case .local(let name) = values[0] { state.known[name] = .symbol(of: "copy of \(words(values[1]))") }
            emit(.opaque("memcpy(\(words(values[0])), \(values[1].shown))"))
        }
    }

    private func fill(_ values: [Value], _ result: String?) {
        answer(result, .zero)
        mark(.modelled)
        switch (values[0], values[1]) {
        case (.record(let prefix), .number(0)):
            state.known = state.known.filter { !$0.key.hasPrefix(prefix + ".") }
            state.known[prefix + ".*"] = .zero
        case (.local(let name), .number): state.known[name] = .text("")
        default:
            mark(.notLookedAt("memset"))
            settle()
            emit(.opaque("memset(\(words(values[0])), \(values[1].shown))"))
        }
    }
}
