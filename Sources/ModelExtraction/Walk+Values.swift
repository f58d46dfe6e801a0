// SPDX-License-Identifier: GPL-2.0
import CSource
import ProcedureModel

/// What expressions are worth, and where values go.
extension Walk {
    /// The name of a local in what is known.
    func key(_ name: String) -> String { state.top.prefix + name }

    func isLocal(_ name: String) -> Bool {
        guard let flow = extraction.flow(state.top.function), !Flow.isTemporary(name) else { return true }
        return flow.locals.contains(name)
    }

    static func record(_ type: String) -> String? {
        type.firstMatch(of: /(?:struct|union) (\w+)/).map { String($0.1) }
    }

    static func isRecord(_ type: String) -> Bool {
        (type.hasPrefix("struct ") || type.hasPrefix("union ")) && !type.contains("*") && !type.contains("[")
    }

    func value(_ expression: CExpression) -> Value {
        switch expression {
        case .integer(let value): return .number(value)
        case .enumerator(let name, let value):
            if name == "true" || name == "false" { return .number(name == "true" ? 1 : 0) }
            return value.map { .number($0) } ?? .symbol(of: name)
        case .string(let text): return .text(text)
        case .function(let name): return .function(name)
        case .sizeof: return .symbol("sizeof")
        case .initializer(let isZero, _): return isZero ? .zero : .symbol("{...}")
        case .variable(let name, let type): return variable(name, type)
        case .member(let base, let field, let record, let type): return member(value(base), field, record, type)
        case .unary("!", let inner): return value(inner).negated
        case .unary(let sign, let inner):
            guard case .number(let known) = value(inner) else { return .symbol("\(sign)\(value(inner).shown)") }
            return .number(sign == "-" ? 0 &- known : ~known)
        case .binary(let sign, let left, let right): return .binary(sign, value(left), value(right))
        case .conditional(let test, let then, let other):
            if case .number(let known)? = value(test).truth { return value(known != 0 ? then : other) }
            return .symbol(of: "(\(value(test).shown) ? \(value(then).shown) : \(value(other).shown))")
        case .addressOf(let place): return address(place)
        case .dereference(let pointer):
            if case .local(let name) = value(pointer) { return state.known[name] ?? .symbol("<unset>") }
            return .symbol(of: "*\(value(pointer).shown)")
        case .index(let base, let index): return .symbol(of: "\(value(base).shown)[\(value(index).shown)]")
        case .call, .assign, .block: return .symbol("<effect>")
        case .unknown(let kind): return .symbol("<\(kind)>")
        }
    }

    private func variable(_ name: String, _ type: String) -> Value {
        guard isLocal(name) else { return .symbol(of: name) }
        if let known = state.known[key(name)] { return known }
        if Self.isRecord(type) { return .record(key(name)) }
        return .symbol("<\(type)>")
    }

    private func address(_ place: CExpression) -> Value {
        switch place {
        case .variable(let name, let type):
            guard isLocal(name) else { return .symbol(of: "&" + name) }
            return Self.isRecord(type) ? .record(key(name)) : .local(key(name))
        case .member(let base, let field, let record, _):
            let owner = value(base)
            if case .record(let prefix) = owner { return .local("\(prefix).\(field)") }
            if case .object = owner, let thread = meaning.threads["\(record).\(field)"] { return .thread(thread.name) }
            return .place(place_(owner, field, record))
        default: return .symbol(of: "&\(value(place).shown)")
        }
    }

    /// A field in words that do not depend on locals.
    func place_(_ owner: Value, _ field: String, _ record: String) -> String {
        switch owner {
        case .object(let name): "\(name).\(field)"
        case .symbol: "\(owner.shown)->\(field)"
        default: "\(owner.shown).\(field)"
        }
    }

    private func member(_ owner: Value, _ field: String, _ record: String, _ type: String) -> Value {
        let name = "\(record).\(field)"
        switch owner {
        case .record(let prefix):
            if let known = state.known["\(prefix).\(field)"] { return known }
            return state.known["\(prefix).*"] ?? .symbol("<\(name)>")
        case .lvb(let lock):
            return meaning.blocks[lock]?[field].map { .expression(.variable($0)) } ?? .symbol("\(lock).lvb.\(field)")
        case .lock(let lock): return lockField(lock, field, type)
        case .place(let place) where place.hasSuffix(".lksb"):
            let lock = String(place.dropLast(".lksb".count))
            if field == "sb_lvbptr" { return .lvb(lock) }
            if field == "sb_status" { return .expression(.variable("\(lock).sb_status")) }
            return .symbol("\(place).\(field)")
        case .device(let device):
            if field == "desc_nr" { return .number(meaning.devices.names.firstIndex(of: device) ?? 0) }
            return objectOf(type) ?? .symbol("rdev-\(device).\(field)")
        default: break
        }
        if case .object = owner {
            if meaning.slotCounts.contains(name) { return .number(extraction.slots) }
            if meaning.ownSlots.contains(name) { return .ownSlot(plus: 1) }
            if let thread = meaning.threads[name] { return .thread(thread.name) }
            if let lock = extraction.lockNames[name] { return .lock(lock) }
            if let told = meaning.fields[name] {
                if let number = told.number { return .number(number) }
                if let variable = told.variable { return .expression(.variable(variable)) }
            }
        }
        return objectOf(type) ?? .symbol(of: place_(owner, field, record))
    }

    private func objectOf(_ type: String) -> Value? {
        guard type.contains("*"), let record = Self.record(type), meaning.objects.contains(record) else { return nil }
        return .object(record)
    }

    private func lockField(_ lock: String, _ field: String, _ type: String) -> Value {
        if field == "lksb" { return .place("\(lock).lksb") }
        if meaning.lockFields.contains(field) { return .expression(.variable("\(lock).\(field)")) }
        return objectOf(type) ?? .symbol("\(lock).\(field)")
    }

    /// For a pointer that may be NULL: whether it is not.
    func presence(of expression: CExpression) -> Value? {
        switch expression {
        case .variable(let name, _): return state.known[key(name) + "?"]
        case .member(let base, let field, let record, _):
            guard case .object = value(base), let gone = meaning.threads["\(record).\(field)"]?.gone else { return nil }
            return .expression(.equal(.variable(gone), .constant(0)))
        default: return nil
        }
    }

    // MARK: Where values go

    /// Puts a value into a local. What was told of others by this local is put aside before.
    func store(_ value: Value, _ name: String) {
        for (other, known) in state.known.sorted(by: { $0.key < $1.key }) where other != name {
            guard case .expression(let expression) = known, expression.variables.contains(name) else { continue }
            hold(other, expression)
        }
        state.known[name] = value
    }

    /// Reads an expression into the local now.
    func hold(_ name: String, _ expression: Expression) {
        guard expression != .variable(name) else { return }
        emit(.set(name, expression))
        residual.locals.insert(name)
        state.known[name] = .expression(.variable(name))
    }

    /// Before a step that others can notice: what was read of the model's variables has been read before it.
    func settle(besides: Set<String> = []) {
        for (name, known) in state.known.sorted(by: { $0.key < $1.key }) where !besides.contains(name) {
            guard case .expression(let expression) = known, expression.isShared(besides: residual.locals) else {
                continue
            }
            hold(name, expression)
        }
    }

    /// After a step that may take long: what is not looked at was read before it.
    func age() { age { _ in true } }

    /// What is known of a place that is not looked at is old once the place is written.
    private func age(_ place: String) { age { $0.contains(place) } }

    /// A function answers anew: what it answered before is told from that.
    func ageAnswers(of function: String) {
        for (name, known) in state.known {
            guard case .symbol(var term) = known, term.text.contains("\(function)()"),
                !term.text.contains("an earlier \(function)()")
            else { continue }
            term.text = term.text.replacing("\(function)()", with: "an earlier \(function)()")
            state.known[name] = .symbol(term)
        }
    }

    private func age(_ isMeant: (String) -> Bool) {
        for (name, known) in state.known {
            guard case .symbol(var term) = known, isMeant(term.text) else { continue }
            term.isOld = true
            state.known[name] = .symbol(term)
        }
    }

    func setZero(_ name: String) {
        let prefix = key(name)
        state.known = state.known.filter { !$0.key.hasPrefix(prefix + ".") }
        state.known[prefix + ".*"] = .zero
    }

    func copyFields(_ from: String, to prefix: String) {
        for (name, known) in state.known where name.hasPrefix(from + ".") {
            state.known[prefix + name.dropFirst(from.count)] = known
        }
    }

    /// Writes to a place that is no local.
    func write(_ new: Value, to target: CExpression) {
        guard case .member(let base, let field, let record, _) = target else {
            return writeThrough(new, target)
        }
        let owner = value(base)
        let name = "\(record).\(field)"
        switch owner {
        case .record(let prefix):
            if case .symbol = new { mark(.notLookedAt(new.shown)) } else { mark(.modelled) }
            return store(new, "\(prefix).\(field)")
        case .lvb(let lock): return writeVariable(meaning.blocks[lock]?[field], nil, new, as: "\(lock).lvb.\(field)")
        case .lock(let lock):
            if field == "flags" { return writeFlags(lock, new, target) }
            let variable = meaning.lockFields.contains(field) ? "\(lock).\(field)" : nil
            return writeVariable(variable, nil, new, as: "\(lock).\(field)")
        case .object:
            if case .lock(let lock) = new, extraction.lockNames[name] == lock { return mark(.modelled) }
            let told = meaning.fields[name]
            return writeVariable(told?.variable, told?.other, new, as: place_(owner, field, record))
        default: return writeVariable(nil, nil, new, as: place_(owner, field, record))
        }
    }

    private func writeThrough(_ new: Value, _ target: CExpression) {
        if case .dereference(let pointer) = target, case .local(let name) = value(pointer) {
            if case .symbol = new { mark(.notLookedAt(new.shown)) } else { mark(.modelled) }
            return store(new, name)
        }
        writeVariable(nil, nil, new, as: value(target).shown)
    }

    /// - Parameters:
    ///   - variable: the model's; nil for what is not looked at.
    ///   - other: what stands for all values that are not known.
    private func writeVariable(_ variable: String?, _ other: Int?, _ new: Value, as place: String) {
        var expression: Expression?
        switch new {
        case .number(let value): expression = .constant(value)
        case .expression(let value): expression = value
        case .ownSlot(let plus): expression = .sum(.variable("$self"), plus)
        default: expression = other.map { .constant($0) }
        }
        if let variable, let expression {
            mark(.modelled)
            return emit(.set(variable, expression))
        }
        mark(.notLookedAt(place))
        emit(.opaque("\(place) = \(new.shown)"))
        age(place)
    }

    /// `res->flags |= DLM_LKF_NOQUEUE` and the like.
    private func writeFlags(_ lock: String, _ new: Value, _ target: CExpression) {
        let text = new.shown.replacing("\(lock).flags", with: "flags")
        let noQueue = 1
        switch text {
        case "(flags | \(noQueue))": emit(.set("\(lock).NOQUEUE", .constant(1)))
        case "(flags & \(~noQueue))": emit(.set("\(lock).NOQUEUE", .constant(0)))
        default:
            mark(.notLookedAt("\(lock).flags"))
            return emit(.opaque("\(lock).flags = \(text)"))
        }
        mark(.modelled)
    }
}
