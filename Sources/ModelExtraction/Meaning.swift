// SPDX-License-Identifier: GPL-2.0
import ProcedureModel
import Yams

/// What the C of md-cluster means, where the source does not say it: kernel-tests/model/md-cluster.yaml.
public struct Meaning: Sendable {
    /// Structs of which a node has one.
    var objects: Set<String>
    /// Fields, as "struct.field", whose value is the number of slots.
    var slotCounts: Set<String>
    /// Fields that have the number of this node's slot, counted from 1.
    var ownSlots: Set<String>
    /// Fields that point to a thread, and its name.
    var threads: [String: ThreadMeaning]
    /// Names that md_register_thread gets, and the names of the threads.
    var threadNames: [String: String]
    /// Locks that are not created with a name that the source has.
    var locks: [String: String]
    /// Fields of struct dlm_lock_resource that are the model's.
    var lockFields: Set<String>
    /// Words of bits that are the model's, and the beginning of the bits' names that is left out.
    var bits: [String: String]
    var fields: [String: FieldMeaning]
    var devices: DeviceMeaning
    /// By lock, the struct in its LVB, and its fields as variables of the model.
    var blocks: [String: [String: String]]
    var calls: [String: CallMeaning]
    /// Calls that cannot matter, each with the reason.
    var harmless: [String: String]
    var conditions: [ConditionMeaning]
    /// Wait queues whose waker sets what is waited for before it wakes: nobody is missed there.
    var plainQueues: Set<String>
    /// Entry points and the arguments they are followed for, a list for each way.
    var roots: [(function: String, arguments: [String])]

    struct ThreadMeaning: Decodable, Sendable {
        var name: String
        /// The variable that is 1 when the field is NULL.
        var gone: String?
    }

    struct FieldMeaning: Decodable, Sendable {
        var variable: String?
        /// What all values that are not known are to the model.
        var other: Int?
        var number: Int?
        /// Writes to it are not the model's.
        var says: String?
    }

    struct DeviceMeaning: Decodable, Sendable {
        /// In the order of the array's list; their places are their numbers.
        var names: [String]
        /// Those that never fail and are always there.
        var fixed: Set<String>
        /// Conditions with $dev for the device, as C: `state-$dev == 0`.
        var present: String
        var fields: [String: FieldMeaning]
        /// By bit: a condition, and what setting and clearing it does.
        var bits: [String: BitMeaning]

        struct BitMeaning: Decodable, Sendable {
            var test: String?
            var set: [String: Int]?
            var clear: [String: Int]?
        }
    }

    struct CallMeaning: Decodable, Sendable {
        /// The name that other kernels have for it.
        var `as`: String?
        /// Which arguments belong to the name of the external procedure, if they are known.
        var arguments: [Int]?
        var locks: String?
        var tryLocks: String?
        /// The argument that has the number of the device that is found.
        var findsDevice: Int?
        var returns: String?
        var sets: [String: Int]?
        var says: String?
    }

    struct ConditionMeaning: Decodable, Sendable {
        var function: String?
        var text: String
        var holds: Bool
        var says: String
    }
}

/// Why the file of meanings cannot be used.
public enum MeaningError: Error, Equatable, Sendable {
    case unreadable(reason: String)
}

extension Meaning {
    private struct File: Decodable {
        var objects: [String]
        var slotCounts: [String]
        var ownSlots: [String]
        var threads: [String: ThreadMeaning]
        var threadNames: [String: String]
        var locks: [String: String]
        var lockFields: [String]
        var bits: [String: String]
        var fields: [String: FieldMeaning]
        var devices: DeviceMeaning
        var blocks: [String: [String: String]]
        var calls: [String: CallMeaning]
        var harmless: [String: [String]]
        var conditions: [ConditionMeaning]
        var plainQueues: [String]
        var roots: [String: [[String]]]

        enum CodingKeys: String, CodingKey {
            case objects, threads, locks, bits, fields, devices, blocks, calls, harmless, conditions, roots
            case slotCounts = "slot-counts"
            case ownSlots = "own-slots"
            case threadNames = "thread-names"
            case lockFields = "lock-fields"
            case plainQueues = "plain-queues"
        }
    }

    /// - Parameter text: YAML, as in kernel-tests/model/md-cluster.yaml.
    public init(yaml text: String) throws(MeaningError) {
        let file: File
        do {
            file = try YAMLDecoder().decode(File.self, from: text)
        } catch {
            throw .unreadable(reason: "\(error)")
        }
        objects = Set(file.objects)
        slotCounts = Set(file.slotCounts)
        ownSlots = Set(file.ownSlots)
        threads = file.threads
        threadNames = file.threadNames
        locks = file.locks
        lockFields = Set(file.lockFields)
        bits = file.bits
        fields = file.fields
        devices = file.devices
        blocks = file.blocks
        calls = file.calls
        conditions = file.conditions
        plainQueues = Set(file.plainQueues)
        harmless = [:]
        for (reason, names) in file.harmless { for name in names { harmless[name] = reason } }
        roots = file.roots.sorted { $0.key < $1.key }.flatMap { name, ways in ways.map { (name, $0) } }
    }

    /// A condition as the file has it: comparisons of variables with numbers, joined by `||` or `&&`.
    static func condition(_ text: String, device: String) -> Expression {
        func term(_ part: Substring) -> Expression {
            let words = part.split(separator: " ").map { $0.replacing("$dev", with: device) }
            guard words.count == 3, let value = Int(words[2]) else {
                return .variable(words.first.map { String($0) } ?? "")
            }
            let equal = Expression.equal(.variable(String(words[0])), .constant(value))
            return words[1] == "!=" ? .not(equal) : equal
        }
        let any = text.split(separator: "||").map { alternative in
            Expression.all(alternative.split(separator: "&").map { term($0) })
        }
        return .any(any)
    }
}
