// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// A line of /proc/PID/stack or of a splat: "recv_daemon+0x2d1/0x550 [md_cluster]".
public struct StackFrame: Sendable, Hashable {
    /// As kallsyms has it: "md_update_sb.part.0".
    public var symbol: String
    public var offset: UInt64
    /// Length of the function in bytes.
    public var length: UInt64
    /// nil in the kernel itself.
    public var module: String?

    /// The name in the source: without what the compiler adds (.part.0, .isra.0, .constprop.0, .cold).
    public var function: String { String(symbol.prefix { $0 != "." }) }

    /// nil for a line that is no frame: a bare address, an interrupt marker, garbage.
    public init?(_ line: some StringProtocol) {
        var words = line.prefix(1024).split(separator: " ")
        // "[<0>]" in /proc, "? " before what the unwinder is not sure of in a splat.
        while let first = words.first, first.hasPrefix("[<") || first == "?" { words.removeFirst() }
        guard let place = words.first, let plus = place.lastIndex(of: "+"), plus > place.startIndex else { return nil }
        let numbers = place[place.index(after: plus)...].split(separator: "/")
        guard numbers.count == 2, numbers[0].hasPrefix("0x"), numbers[1].hasPrefix("0x"),
            let offset = UInt64(numbers[0].dropFirst(2), radix: 16), let length = UInt64(numbers[1].dropFirst(2), radix: 16)
        else { return nil }
        symbol = String(place[..<plus])
        (self.offset, self.length) = (offset, length)
        if words.count > 1, words[1].hasPrefix("["), words[1].hasSuffix("]") { module = String(words[1].dropFirst().dropLast()) }
    }
}

extension NodeSnapshot.Thread {
    /// Innermost first; lines that are no frames are left out.
    public var frames: [StackFrame] { stack.compactMap { StackFrame($0) } }
}
