// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A copy of a trace.dat whose times readers shift: with copies of all nodes on one clock, KernelShark and
/// `trace-cmd report -i node1.dat -i node2.dat` show them in one order.
public enum TraceDatCopy {
    /// TRACECMD_OPTION_OFFSET of trace-cmd: a number as text, which readers add to every time.
    private static let offsetOption: UInt16 = 7
    private static let pageSize = 4096

    /// - Parameters:
    ///   - file: a trace.dat that `TraceDatContents.write(to:)` wrote.
    ///   - shift: nanoseconds that are added to the times.
    public static func write(_ file: URL, to copy: URL, shift: Int64) throws(TraceDatError) {
        let bytes: [UInt8]
        do { bytes = [UInt8](try Data(contentsOf: file, options: .mappedIfSafe)) } catch {
            throw .unreadable(path: file.path, reason: (error as NSError).localizedDescription)
        }
        guard let shifted = shifted(bytes, by: shift) else {
            throw .unreadable(path: file.path, reason: "it is no trace.dat of mdlab")
        }
        do { try Data(shifted).write(to: copy, options: .atomic) } catch {
            throw .unwritable(path: copy.path, reason: (error as NSError).localizedDescription)
        }
    }

    /// nil for what is no trace.dat of file version 6 with its parts in mdlab's order.
    static func shifted(_ bytes: [UInt8], by shift: Int64) -> [UInt8]? {
        let end: [UInt8] = [0, 0] + TraceDatBytes.terminated("flyrecord")
        guard bytes.starts(with: [0x17, 0x08, 0x44] + Array("tracing".utf8) + [0x36, 0]),
            let options = place(of: TraceDatBytes.terminated("options  "), in: bytes, from: 0),
            let table = place(of: end, in: bytes, from: options), options >= 4
        else { return nil }
        let cpus = Int(integer(UInt32.self, bytes, at: options - 4) ?? 0)
        var at = table + end.count
        guard (1...4096).contains(cpus), bytes.count >= at + 16 * cpus + 8 else { return nil }

        var option = TraceDatBytes()
        option.append(offsetOption)
        let text = TraceDatBytes.terminated("\(shift)")
        option.append(UInt32(text.count))
        option.append(text)

        let parts = (0..<cpus).compactMap { cpu -> (offset: Int, size: Int)? in
            guard let offset = integer(UInt64.self, bytes, at: at + 16 * cpu).flatMap({ Int(exactly: $0) }),
                let size = integer(UInt64.self, bytes, at: at + 16 * cpu + 8).flatMap({ Int(exactly: $0) }),
                offset <= bytes.count, size <= bytes.count - offset
            else { return nil }
            return (offset, size)
        }
        guard parts.count == cpus, let data = parts.map(\.offset).min(), data >= at + 16 * cpus else { return nil }
        // The data begins at a page, behind whatever stands before it.
        let moved = (option.count + pageSize - 1) / pageSize * pageSize
        var out = TraceDatBytes()
        out.append(Array(bytes[..<table]))
        out.append(option.bytes)
        out.append(Array(bytes[table..<at]))
        for part in parts {
            out.append(UInt64(part.offset + moved))
            out.append(UInt64(part.size))
        }
        at += 16 * cpus
        out.append(Array(bytes[at..<data]))
        out.append([UInt8](repeating: 0, count: data + moved - out.count))
        out.append(Array(bytes[data...]))
        return out.bytes
    }

    private static func integer<Number: FixedWidthInteger>(_: Number.Type, _ bytes: [UInt8], at: Int) -> Number? {
        guard at >= 0, at + MemoryLayout<Number>.size <= bytes.count else { return nil }
        return bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: Number.self)) }
    }

    private static func place(of part: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return bytes.withUnsafeBytes { bytes in
            part.withUnsafeBytes { part in
                var at = from
                while at <= bytes.count - part.count {
                    if bytes[at] == part[0], memcmp(bytes.baseAddress! + at, part.baseAddress!, part.count) == 0 {
                        return at
                    }
                    at += 1
                }
                return nil
            }
        }
    }
}
