// SPDX-License-Identifier: GPL-2.0

/// A DLM lock mode, numbered as in `include/uapi/linux/dlmconstants.h` (DLM_LOCK_NL ... DLM_LOCK_EX).
///
/// A struct, not an enum, so that a value that this tool does not know survives being read and printed.
public struct LockMode: RawRepresentable, Hashable, Sendable, Codable {
    public var rawValue: Int8
    public init(rawValue: Int8) { self.rawValue = rawValue }

    public static let none = LockMode(rawValue: -1)
    public static let nl = LockMode(rawValue: 0)
    public static let cr = LockMode(rawValue: 1)
    public static let cw = LockMode(rawValue: 2)
    public static let pr = LockMode(rawValue: 3)
    public static let pw = LockMode(rawValue: 4)
    public static let ex = LockMode(rawValue: 5)

    private static let names = ["NL", "CR", "CW", "PR", "PW", "EX"]

    /// "NL", "CR", ... as the dlm tracepoints print it; nil for anything else.
    public init?(name: some StringProtocol) {
        guard let index = Self.names.firstIndex(of: String(name)) else { return nil }
        self.init(rawValue: Int8(index))
    }

    /// Whether two locks of these modes may be granted at once (`__dlm_compat_matrix` of fs/dlm/lock.c).
    public func isCompatible(with other: LockMode) -> Bool {
        let compatible: [Int8: Set<Int8>] = [
            0: [0, 1, 2, 3, 4, 5], 1: [0, 1, 2, 3, 4], 2: [0, 1, 2], 3: [0, 1, 3], 4: [0, 1], 5: [0],
        ]
        if rawValue < 0 || other.rawValue < 0 { return true }
        return compatible[rawValue]?.contains(other.rawValue) ?? false
    }
}

extension LockMode: CustomStringConvertible {
    public var description: String {
        rawValue == -1
            ? "--" : (Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "mode(\(rawValue))")
    }
}
