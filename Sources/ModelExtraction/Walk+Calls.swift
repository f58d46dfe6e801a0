// SPDX-License-Identifier: GPL-2.0
import CSource
import ProcedureModel

/// Calls: the kernel's own primitives, functions of the same file, and all others by what the meaning says of them.
extension Walk {
    func call(_ callee: CExpression, _ arguments: [CExpression], result: String?) throws(ExtractionError) {
        let name = calleeName(callee)
        if name == "mdlab_wait_event" || name == "mdlab_wait_event_timeout" {
            wait(name, arguments, result)
            return proceed()
        }
        let values = arguments.map { value($0) }
        if primitive(name, values, arguments, result) { return proceed() }
        if let reason = meaning.harmless[name], !writesElsewhere(name, arguments) {
            mark(.harmless(reason))
            format(name, values, arguments)
            answer(result, .symbol(of: "\(name)()"))
            return proceed()
        }
        if let told = meaning.calls[name] {
            external(name, told, values, result)
            return proceed()
        }
        if extraction.flow(name) != nil { return try callOwn(name, values, result) }
        opaque(name, callee, values, arguments, result)
        proceed()
    }

    /// A function's name; of a pointer the function that a table of the file has for it, else the field.
    private func calleeName(_ callee: CExpression) -> String {
        switch callee {
        case .function(let name): return name
        case .member(_, let field, let record, _):
            let name = "\(record).\(field)"
            return extraction.unit.tables[name] ?? name
        case .dereference(let inner): return calleeName(inner)
        default: return "\(callee)"
        }
    }

    /// Gives a call's value to the local that waits for it.
    func answer(_ result: String?, _ value: Value) {
        guard let result else { return }
        store(value, key(result))
    }

    /// A new local for what a step finds out.
    func answerLocal(_ result: String?) -> String {
        let name = result.map { key($0) } ?? "#"
        residual.locals.insert(name)
        if result != nil { state.known[name] = .expression(.variable(name)) }
        return name
    }

    // MARK: Functions of the same file

    private func callOwn(_ name: String, _ values: [Value], _ result: String?) throws(ExtractionError) {
        mark(.modelled)
        let isByReference = values.contains { value in
            switch value {
            case .record, .local: true
            default: false
            }
        }
        if isByReference { return try enter(name, values, result) }
        settle()
        let arguments = values.map { value -> Value in
            if case .expression(let expression) = value { return .symbol("\(expression)") }
            return value
        }
        let procedure = try extraction.procedure(name, arguments)
        let called = extraction.residuals[procedure]
        if let only = called?.result {
            emit(.call(procedure, result: nil))
            age()
            answer(result, called?.isVoid == true ? .zero : only)
        } else {
            emit(.call(procedure, result: answerLocal(result)))
            age()
        }
        proceed()
    }

    /// Follows a function that works on the caller's locals in its place.
    private func enter(_ name: String, _ values: [Value], _ result: String?) throws(ExtractionError) {
        guard let flow = extraction.flow(name) else { return }
        guard !state.frames.contains(where: { $0.function == name }) else { throw error(.recursion) }
        var next = state
        let prefix = "\(name):"
        for (parameter, value) in zip(flow.function.parameters, values) { next.known[prefix + parameter.name] = value }
        next.frames.append(Frame(function: name, point: 0, result: result.map { key($0) }, prefix: prefix))
        proceed(to: next)
    }

    // MARK: Functions of other files

    private func external(_ name: String, _ told: Meaning.CallMeaning, _ values: [Value], _ result: String?) {
        mark(.modelled)
        if let says = told.says { extraction.assumptions.insert(says) }
        if let number = told.findsDevice, number < values.count { return findDevice(values[number], result) }
        settle()
        if let mutex = told.locks { emit(.lock(mutex)) }
        if let mutex = told.tryLocks {
            emit(.tryLock(mutex, result: answerLocal(result)))
            return age()
        }
        if told.locks == nil, told.sets == nil {
            let known = (told.arguments ?? []).filter { $0 < values.count }.map { values[$0] }
            let shown = known.filter { if case .object = $0 { false } else { true } }.map(\.shown)
            let plain = told.as ?? name
            emit(.external(shown.isEmpty ? plain : "\(plain)(\(shown.joined(separator: ", ")))"))
        }
        for (variable, number) in (told.sets ?? [:]).sorted(by: { $0.key < $1.key }) {
            emit(.set(variable, .constant(number)))
        }
        age()
        switch told.returns {
        case "lock": answer(result, lockNamed(values.count > 1 ? values[1] : .symbol("")))
        case "thread":
            guard case .text(let short)? = values.last else { return answer(result, .symbol(of: "\(name)()")) }
            answer(result, .thread(meaning.threadNames[short] ?? short))
        case let text?: answer(result, Int(text).map { .number($0) } ?? .symbol(of: text))
        case nil: answer(result, .symbol(of: "\(name)()"))
        }
    }

    private func lockNamed(_ name: Value) -> Value {
        if case .text(let text) = name { return .lock(text) }
        return .symbol(of: "lock \(name.shown)")
    }

    /// The device with a number that is known at run time only: a way for each.
    private func findDevice(_ number: Value, _ result: String?) {
        guard case .expression(let expression) = number else {
            if case .number(let known) = number, known >= 0, known < meaning.devices.names.count {
                return answer(result, .device(meaning.devices.names[known]))
            }
            return answer(result, .symbol(of: "device \(number.shown)"))
        }
        settle()
        for (index, device) in meaning.devices.names.enumerated() {
            var condition = Expression.equal(expression, .constant(index))
            if !meaning.devices.fixed.contains(device) {
                condition = condition && Meaning.condition(meaning.devices.present, device: device)
            }
            var found = state
            if let result { found.known[key(result)] = .device(device) }
            found.top.point += 1
            fork(.test(condition), then: found)
        }
        answer(result, .zero)
    }

    // MARK: All others

    private func opaque(
        _ name: String, _ callee: CExpression, _ values: [Value], _ arguments: [CExpression], _ result: String?
    ) {
        var shown = name.hasPrefix("mdlab_") ? String(name.dropFirst("mdlab_".count)) : name
        if case .member(let base, let field, let record, _) = callee { shown = place_(value(base), field, record) }
        let text = "\(shown)(\(values.map(\.shown).joined(separator: ", ")))"
        mark(.notLookedAt("\(shown)()"))
        settle()
        age()
        ageAnswers(of: shown)
        emit(.opaque(text))
        // What it puts into locals is not known.
        for case .local(let local) in values { state.known[local] = .symbol(of: "what \(shown)() puts there") }
        for case .record(let prefix) in values {
            state.known = state.known.filter { !$0.key.hasPrefix(prefix + ".") }
            state.known[prefix + ".*"] = .symbol(of: "what \(shown)() puts there")
        }
        answer(result, .symbol(of: "\(shown)()"))
    }

    /// A text that is made in a local is nobody else's.
    private func writesElsewhere(_ name: String, _ arguments: [CExpression]) -> Bool {
        guard name.hasSuffix("printf") || name.contains("cpy"), let target = arguments.first else { return false }
        let names = Liveness.names(target)
        return names.isEmpty || !names.allSatisfy(isLocal) || isMember(target) || isKept(names)
    }

    private func isKept(_ names: Set<String>) -> Bool {
        extraction.flow(state.top.function).map { !$0.kept.isDisjoint(with: names) } ?? false
    }

    private func isMember(_ expression: CExpression) -> Bool {
        if case .member = expression { return true }
        return expression.parts.contains { isMember($0) }
    }

    /// sprintf and the like: the text that a lock's name is made of.
    private func format(_ name: String, _ values: [Value], _ arguments: [CExpression]) {
        let place = name.hasPrefix("snprintf") || name.hasPrefix("scnprintf") ? 2 : 1
        guard name.hasSuffix("printf"), values.count > place, case .variable(let target, _) = arguments[0],
            isLocal(target)
        else { return }
        state.known[key(target)] = formatted(values, place)
    }

    private func formatted(_ values: [Value], _ place: Int) -> Value {
        guard case .text(let format) = values[place] else { return .symbol("text") }
        guard values.count > place + 1 else { return .text(format) }
        guard let match = format.firstMatch(of: /%0?(\d*)(d|u|i)/) else { return .symbol(of: "text \(format)") }
        switch values[place + 1] {
        case .number(let number):
            let digits = String(number)
            let zeros = String(repeating: "0", count: max(0, (Int(match.1) ?? 0) - digits.count))
            return .text(format.replacingCharacters(in: match.range, with: zeros + digits))
        case .ownSlot(plus: 0): return .text(format.replacingCharacters(in: match.range, with: "-own"))
        default: return .symbol(of: "text \(format) of \(values[place + 1].shown)")
        }
    }
}
