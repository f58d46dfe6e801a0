// SPDX-License-Identifier: GPL-2.0

/// The taint of a kernel: /proc/sys/kernel/tainted, bits of include/linux/panic.h.
public struct Taint: OptionSet, Hashable, Sendable {
    public var rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// O: a module that was built out of tree, as those under test are.
    public static let outOfTree = Taint(rawValue: 1 << 12)
    /// E: a module without signature.
    public static let unsigned = Taint(rawValue: 1 << 13)
    /// What modules under test bring by being loaded.
    public static let expected: Taint = [.outOfTree, .unsigned]

    /// Reads the file; nil when it is not one number.
    public init?(file text: some StringProtocol) {
        guard let value = UInt64(text.split(whereSeparator: \.isWhitespace).first ?? "") else { return nil }
        self.init(rawValue: value)
    }

    /// The letters and meanings of Documentation/admin-guide/tainted-kernels.rst, bit 0 first.
    private static let meanings: [(letter: String, meaning: String)] = [
        ("P", "proprietary module"), ("F", "module was force loaded"), ("S", "kernel on a CPU out of specification"),
        ("R", "module was force unloaded"), ("M", "machine check"), ("B", "bad page"),
        ("U", "taint requested by user space"),
        ("D", "kernel died: an oops or a BUG"), ("A", "ACPI table overridden"), ("W", "kernel issued a warning"),
        ("C", "staging driver"), ("I", "workaround for firmware"), ("O", "out-of-tree module"),
        ("E", "unsigned module"),
        ("L", "soft lockup"), ("K", "live patched"), ("X", "auxiliary taint of the distribution"),
        ("T", "built with struct randomization"), ("N", "an in-kernel test ran"),
    ]

    /// What is set beyond that which modules under test bring, one line each: "W: kernel issued a warning".
    public var unexpected: [String] {
        let rest = subtracting(.expected)
        return (0..<64).filter { rest.rawValue >> UInt64($0) & 1 == 1 }.map { bit in
            bit < Self.meanings.count ? "\(Self.meanings[bit].letter): \(Self.meanings[bit].meaning)" : "bit \(bit)"
        }
    }
}
