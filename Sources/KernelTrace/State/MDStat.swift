// SPDX-License-Identifier: GPL-2.0

/// /proc/mdstat, as `md_seq_show` of drivers/md/md.c and the personalities' `status` write it.
///
/// Lines that are not understood are left out: the text is a view for people, and kernels add to it.
public struct MDStat: Sendable, Equatable {
    public struct Device: Sendable, Equatable {
        public var name: String
        /// `desc_nr`, the number in brackets.
        public var number: Int
        /// (F)
        public var isFaulty: Bool
        /// (S). A candidate that the other nodes have not confirmed yet looks like a spare.
        public var isSpare: Bool
    }

    /// The line about resync, recovery, reshape or check.
    public enum Sync: Sendable, Equatable {
        /// It runs here.
        case running(action: String, done: UInt64, total: UInt64)
        /// "resync=PENDING": needed, and nobody on this node does it.
        case pending(action: String)
        /// "resync=DELAYED": waits for another array on the same disks.
        case delayed(action: String)
        /// "resync=REMOTE", "recover=REMOTE": another node does it (MD_RESYNCING_REMOTE).
        case remote(action: String)
    }

    public struct Array: Sendable, Equatable {
        public var name: String
        public var isActive: Bool
        public var isReadOnly = false
        /// "raid1"; nil for an array that does not run.
        public var personality: String?
        public var devices: [Device] = []
        /// In KiB.
        public var size: UInt64?
        /// The [n/m] of a redundant array: devices wanted and devices in sync.
        public var wanted: Int?
        public var inSync: Int?
        /// The [UU_] of it.
        public var slots: String?
        public var sync: Sync?
    }

    public var arrays: [Array] = []

    public init(text: String) {
        for line in text.split(separator: "\n") {
            let words = line.prefix(4096).split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            if first.hasPrefix("md"), words.count >= 3, words[1] == ":" {
                arrays.append(Self.head(words))
            } else if line.first?.isWhitespace == true, !arrays.isEmpty {
                Self.detail(words, &arrays[arrays.count - 1])
            }
        }
    }

    /// "md0 : active (auto-read-only) raid1 vdc[2](S) vda[0]"
    private static func head(_ words: [Substring]) -> Array {
        var array = Array(name: String(words[0]), isActive: words[2] == "active")
        for word in words.dropFirst(3) {
            if word.hasPrefix("(") {
                array.isReadOnly = array.isReadOnly || word.contains("read-only")
            } else if let device = device(word) {
                array.devices.append(device)
            } else if array.personality == nil && array.devices.isEmpty {
                array.personality = String(word)
            }
        }
        return array
    }

    /// "vdb[1](F)"
    private static func device(_ word: Substring) -> Device? {
        guard let open = word.firstIndex(of: "["), let close = word[open...].firstIndex(of: "]"), open > word.startIndex,
            let number = Int(word[word.index(after: open)..<close])
        else { return nil }
        let flags = word[close...]
        return Device(
            name: String(word[..<open]), number: number, isFaulty: flags.contains("(F)"), isSpare: flags.contains("(S)"))
    }

    private static func detail(_ words: [Substring], _ array: inout Array) {
        if words.count >= 2, words[1] == "blocks", let size = UInt64(words[0]) {
            array.size = size
            for word in words.dropFirst(2) {
                guard word.hasPrefix("["), word.hasSuffix("]") else { continue }
                let inner = word.dropFirst().dropLast()
                let numbers = inner.split(separator: "/").map { Int($0) }
                if numbers.count == 2, let wanted = numbers[0], let inSync = numbers[1] {
                    (array.wanted, array.inSync) = (wanted, inSync)
                } else if !inner.isEmpty, inner.allSatisfy({ $0 == "U" || $0 == "_" }) {
                    array.slots = String(inner)
                }
            }
        } else if let sync = sync(words) {
            array.sync = sync
        }
    }

    /// "resync=REMOTE", or "[==>...] recovery = 12.5% (16384/130048) finish=0.4min speed=4096K/sec"
    private static func sync(_ words: [Substring]) -> Sync? {
        if words.count == 1, let equals = words[0].firstIndex(of: "=") {
            let action = String(words[0][..<equals])
            switch words[0][words[0].index(after: equals)...] {
            case "PENDING": return .pending(action: action)
            case "DELAYED": return .delayed(action: action)
            case "REMOTE": return .remote(action: action)
            default: return nil
            }
        }
        guard let equals = words.firstIndex(of: "="), equals > 0, words.count > equals + 2 else { return nil }
        let numbers = words[equals + 2].dropFirst().dropLast().split(separator: "/").map { UInt64($0) }
        guard numbers.count == 2, let done = numbers[0], let total = numbers[1] else { return nil }
        return .running(action: String(words[equals - 1]), done: done, total: total)
    }
}
