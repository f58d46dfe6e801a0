// SPDX-License-Identifier: GPL-2.0
import CSource
import ProcedureModel

/// Bits and cluster locks.
extension Walk {
    /// The model's variable for a bit operation's arguments (how, name, number, word).
    func bitVariable(_ arguments: [CExpression]) -> String? {
        guard arguments.count == 4, let word = word(arguments[3]) else { return nil }
        guard let prefix = meaning.bits[word.name], case .object = word.owner else { return nil }
        return bitName(arguments[1], without: prefix)
    }

    private func bitName(_ expression: CExpression, without prefix: String) -> String {
        let text = words(value(expression)).filter { $0 != "(" && $0 != ")" && $0 != " " }
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    }

    private func word(_ expression: CExpression) -> (name: String, owner: Value, place: String)? {
        guard case .addressOf(.member(let base, let field, let record, _)) = expression else { return nil }
        let owner = value(base)
        return ("\(record).\(field)", owner, place_(owner, field, record))
    }

    func bit(_ operation: String, _ values: [Value], _ arguments: [CExpression], _ result: String?) {
        let how = words(values[0])
        if let variable = bitVariable(arguments) {
            mark(.modelled)
            order(how, operation)
            return change(variable, operation, result)
        }
        if let word = word(arguments[3]), case .device(let device) = word.owner,
            let told = meaning.devices.bits[bitName(arguments[1], without: "")], word.name == "md_rdev.flags"
        {
            return deviceBit(told, operation, device, result)
        }
        let name = bitName(arguments[1], without: "")
        // A name of the source, or the number of a slot.
        let shown = name.first?.isUppercase == true ? name : values[2].shown
        let place = word(arguments[3])?.place ?? values[3].shown
        mark(.notLookedAt("bit \(shown) of \(place)"))
        guard operation != "test_bit" else {
            return answer(result, .symbol(of: "test_bit(\(shown), \(place))"))
        }
        settle()
        emit(.opaque("\(how)(\(shown), \(place))"))
        answer(result, .symbol(of: "\(operation)(\(shown), \(place))"))
    }

    /// Operations that differ in memory order only are the same to the model, and not to who compares sources.
    private func order(_ how: String, _ operation: String) {
        if how != operation { emit(.order(how)) }
    }

    private func change(_ variable: String, _ operation: String, _ result: String?) {
        let isSet = Expression.variable(variable) != 0
        guard operation != "test_bit" else { return answer(result, .expression(isSet)) }
        settle()
        let new: Expression = .constant(operation == "set_bit" || operation == "test_and_set_bit" ? 1 : 0)
        guard operation.hasPrefix("test") else {
            emit(.set(variable, new))
            return answer(result, .zero)
        }
        // In one step: the old value is kept.
        let local = answerLocal(result)
        emit(
            .wait(
                queue: nil,
                [
                    .init(condition: isSet, effects: [.set(local, .constant(1)), .set(variable, new)]),
                    .init(condition: !isSet, effects: [.set(local, .constant(0)), .set(variable, new)]),
                ], how: operation))
    }

    private func deviceBit(
        _ told: Meaning.DeviceMeaning.BitMeaning, _ operation: String, _ device: String, _ result: String?
    ) {
        let isFixed = meaning.devices.fixed.contains(device)
        mark(.modelled)
        if operation == "test_bit" {
            guard let test = told.test, !isFixed else { return answer(result, .zero) }
            return answer(result, .expression(Meaning.condition(test, device: device)))
        }
        settle()
        let changes = operation.hasSuffix("set_bit") ? told.set : told.clear
        guard let changes, !operation.hasPrefix("test"), !isFixed else {
            mark(.notLookedAt("\(operation) of rdev-\(device)"))
            emit(.opaque("\(operation)(rdev-\(device))"))
            return answer(result, .symbol(of: "\(operation)(rdev-\(device))"))
        }
        for (variable, number) in changes.sorted(by: { $0.key < $1.key }) {
            emit(.set(variable.replacing("$dev", with: device), .constant(number)))
        }
        answer(result, .zero)
    }

    // MARK: DLM

    private func lockOf(_ value: Value) -> String? {
        guard case .place(let place) = value, place.hasSuffix(".lksb") else { return nil }
        return String(place.dropLast(".lksb".count))
    }

    /// int dlm_lock(lockspace, mode, lksb, flags, name, namelen, parent, ast, astarg, bast)
    func dlmLock(_ values: [Value], _ result: String?) -> Bool {
        guard values.count == 10, let lock = lockOf(values[2]), case .number(let mode) = values[1] else { return false }
        settle()
        mark(.modelled)
        emit(.convert(lock, mode: mode, noQueue: "\(lock).NOQUEUE", result: answerLocal(result)))
        age()
        return true
    }

    /// int dlm_unlock(lockspace, lkid, flags, lksb, astarg)
    func dlmUnlock(_ values: [Value], _ result: String?) -> Bool {
        guard values.count == 5, let lock = lockOf(values[3]), case .number(let flags) = values[2] else { return false }
        let (cancel, force) = (0x2, 0x20000)
        guard flags == cancel || flags == force else { return false }
        settle()
        mark(.modelled)
        let local = answerLocal(result)
        emit(flags == cancel ? .cancel(lock, result: local) : .forceUnlock(lock, result: local))
        age()
        return true
    }
}
