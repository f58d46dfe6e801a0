// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// A call on the way to a step: which procedure, with which arguments. What decides anything looks at these; the text
/// is for people.
public struct CallFrame: Sendable, Hashable, CustomStringConvertible {
    public var procedure: String
    /// In the order of the procedure's parameters; a parameter that stands for one of the caller's has its value.
    public var arguments: [Argument]

    public init(_ procedure: String, _ arguments: [Argument] = []) {
        (self.procedure, self.arguments) = (procedure, arguments)
    }

    /// "dlm_lock_sync(token, EX)"
    public var description: String {
        procedure.hasSuffix(")")
            ? procedure : "\(procedure)(\(arguments.map(\.description).joined(separator: ", ")))"
    }
}

extension Argument: CustomStringConvertible {
    /// A number by what its parameter is for: a lock mode, a type of message, or just a number.
    public var description: String {
        guard case .number(let number) = value else {
            if case .symbol(let symbol) = value { return symbol }
            return ""
        }
        return switch name {
        case "mode": LockMode(rawValue: Int8(truncatingIfNeeded: number)).description
        case "type": MessageType(rawValue: UInt32(truncatingIfNeeded: number)).description
        default: String(number)
        }
    }
}
