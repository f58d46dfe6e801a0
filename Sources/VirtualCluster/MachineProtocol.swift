// SPDX-License-Identifier: GPL-2.0
import Foundation

/// QEMU's machine protocol (QMP): JSON lines over a stream. A pure decoder and encoder; the bytes are moved elsewhere.
enum MachineProtocol {
    /// A line from QEMU, as far as mdlab reads it.
    struct Message: Decodable, Equatable {
        struct Greeting: Decodable, Equatable {}
        struct Failure: Decodable, Equatable {
            var `class`: String
            var desc: String
        }
        /// The fields of the few return values that are used; all others decode to an empty one.
        struct Return: Decodable, Equatable {
            var status: String?
            var running: Bool?
            var errorDescription: String?

            enum CodingKeys: String, CodingKey {
                case status, running
                case errorDescription = "error-desc"
            }

            init(from decoder: any Swift.Decoder) throws {
                guard let container = try? decoder.container(keyedBy: CodingKeys.self) else { return }
                status = try? container.decodeIfPresent(String.self, forKey: .status)
                running = try? container.decodeIfPresent(Bool.self, forKey: .running)
                errorDescription = try? container.decodeIfPresent(String.self, forKey: .errorDescription)
            }
        }
        var id: Int?
        var event: String?
        var error: Failure?
        var `return`: Return?
        var QMP: Greeting?
    }

    enum Argument: Encodable, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
        case text(String)
        case number(Int64)

        init(stringLiteral value: String) { self = .text(value) }
        init(integerLiteral value: Int64) { self = .number(value) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }
    }

    static func command(_ name: String, id: Int, arguments: [String: Argument] = [:]) -> [UInt8] {
        struct Command: Encodable {
            var execute: String
            var id: Int
            var arguments: [String: Argument]?
        }
        let command = Command(execute: name, id: id, arguments: arguments.isEmpty ? nil : arguments)
        // Strings and integers always encode.
        return Array((try? JSONEncoder().encode(command)) ?? Data()) + [UInt8(ascii: "\n")]
    }

    /// Cuts a stream into messages. Lines that are not JSON are skipped: QEMU does not send any.
    struct LineDecoder {
        private var pending: [UInt8] = []

        mutating func append(_ bytes: ArraySlice<UInt8>) -> [Message] {
            pending.append(contentsOf: bytes)
            var messages: [Message] = []
            while let newline = pending.firstIndex(of: UInt8(ascii: "\n")) {
                if let message = try? JSONDecoder().decode(Message.self, from: Data(pending[..<newline])) {
                    messages.append(message)
                }
                pending.removeFirst(newline + 1)
            }
            return messages
        }
    }
}
