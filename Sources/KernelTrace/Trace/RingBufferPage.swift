// SPDX-License-Identifier: GPL-2.0

/// A page of the kernel's ring buffer: struct buffer_data_page of kernel/trace/ring_buffer.c, events of
/// include/linux/ring_buffer.h.
enum RingBufferPage {
    static let headerSize = 16

    // The upper bits of commit, RB_MISSED_EVENTS and RB_MISSED_STORED of kernel/trace/ring_buffer.c: events were lost
    // before this page; their number follows the data.
    private static let missed: UInt64 = 1 << 31
    private static let stored: UInt64 = 1 << 30

    /// How many events were lost before the first of a page that `fault` found good (0: an unknown number);
    /// nil when none were. libtraceevent's own count is not used: it is silent when the page begins with a time.
    static func lost(before page: UnsafeRawBufferPointer) -> UInt64? {
        let commit = page.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
        guard commit & missed != 0 else { return nil }
        guard commit & stored != 0 else { return 0 }
        let size = Int(commit & (stored - 1))
        return page.loadUnaligned(fromByteOffset: headerSize + size, as: UInt64.self).littleEndian
    }

    /// What would lead a reader out of the page; nil when every event lies within what was committed.
    static func fault(in page: UnsafeRawBufferPointer) -> String? {
        let commit = page.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
        let size = Int(commit & (stored - 1))
        let count = commit & missed != 0 && commit & stored != 0 ? 8 : 0
        // The kernel adds RB_MISSED_EVENTS as a negative int: then the upper half is all ones.
        guard commit >> 32 == 0 || commit >> 32 == 0xffff_ffff, size <= page.count - headerSize - count else {
            return "more committed than fits"
        }
        if size == 0 { return "no events" }
        var position = 0
        func word(_ at: Int) -> UInt32 {
            page.loadUnaligned(fromByteOffset: headerSize + at, as: UInt32.self).littleEndian
        }
        while position < size {
            guard position + 4 <= size else { return "an event is cut off" }
            let kind = word(position) & 31
            var next = position + 4
            switch kind {
            case 1...28:  // data of that many words
                next += Int(kind) * 4
            case 0, 29:  // data or padding, its length in bytes in the next word, which counts itself
                guard next + 4 <= size else { return "an event is cut off" }
                let length = Int(word(next))
                guard length >= 4, length <= size else { return "an event longer than its page" }
                next += (length + 3) & ~3
            default:  // 30 and 31: the upper part of a time
                next += 4
            }
            guard next <= size else { return "an event reaches beyond its page" }
            position = next
        }
        return nil
    }
}
