// SPDX-License-Identifier: GPL-2.0

/// The functions of a /proc/kallsyms, by address. A kernel has 200,000 symbols, and a trace asks for a hundred: names
/// are left where they are until somebody asks.
struct SymbolTable {
    private let text: [UInt8]
    /// Sorted by address; where a line's name begins in the text.
    private var entries: [(address: UInt64, name: Int32)] = []

    /// Lines that are no symbol ("ADDRESS TYPE NAME", the address in hex) are passed over.
    init(_ text: [UInt8]) {
        self.text = text
        entries.reserveCapacity(text.count / 45)
        text.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                var place = start
                var address: UInt64 = 0
                while place < bytes.count, let digit = Self.digit(bytes[place]) {
                    address = address << 4 | UInt64(digit)
                    place += 1
                }
                if place > start, place <= start + 16, place + 3 < bytes.count, bytes[place] == UInt8(ascii: " "),
                    Self.isFunction(bytes[place + 1]), bytes[place + 2] == UInt8(ascii: " ")
                {
                    entries.append((address, Int32(place + 3)))
                }
                while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
                start = place + 1
            }
        }
        entries.sort { $0.address < $1.address }
    }

    /// The function that an address is in: the last one that does not begin behind it. nil before the first and behind
    /// the beginning of the last one, whose end is not known.
    func name(at address: UInt64) -> String? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, low < entries.count || entries[low - 1].address == address else { return nil }
        let name = text[Int(entries[low - 1].name)...].prefix {
            $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: " ")
        }
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    @inline(__always) private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// nm(1): in the text section, or weak.
    @inline(__always) private static func isFunction(_ type: UInt8) -> Bool {
        type == UInt8(ascii: "t") || type == UInt8(ascii: "T") || type == UInt8(ascii: "w") || type == UInt8(ascii: "W")
    }
}
