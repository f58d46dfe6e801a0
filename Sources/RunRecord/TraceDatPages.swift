// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A file of ring-buffer pages as trace_pipe_raw gave them. Only whole pages that hold events count: a recorder that
/// was killed leaves part of a page at the end, and a CPU that was idle gives pages without events, at which
/// readers stop.
struct RawPages {
    let url: URL
    /// Indices of the pages that hold events.
    let filledPages: [Int]

    init(_ url: URL) throws(TraceDatError) {
        self.url = url
        var filled: [Int] = []
        try Self.forEachPage(of: url) { index, page in
            // struct buffer_data_page: u64 time_stamp, local_t commit, data. The upper bits of commit are flags
            // (RB_MISSED_EVENTS, RB_MISSED_STORED).
            let commit = page.loadUnaligned(fromByteOffset: 8, as: UInt32.self).littleEndian & 0xf_ffff
            // A page that is damaged stays: whoever reads the trace says so, instead of not missing its events.
            if commit > 0 { filled.append(index) }
        }
        filledPages = filled
    }

    /// Appends the pages that hold events to a file.
    func copy(to descriptor: Int32, path: String) throws(TraceDatError) {
        var next = 0
        var failure: TraceDatError?
        try Self.forEachPage(of: url) { index, page in
            guard failure == nil, next < filledPages.count, filledPages[next] == index else { return }
            next += 1
            do throws(TraceDatError) { try writeAll(Array(page), to: descriptor, path: path) } catch { failure = error }
        }
        if let failure { throw failure }
        // The table of the file promises all of them.
        if next < filledPages.count { throw .unreadable(path: url.path, reason: "it shrank while it was read") }
    }

    private static func forEachPage(
        of url: URL, _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) throws(TraceDatError) {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: url.path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let size = TraceDatContents.pageSize
        var chunk = [UInt8](repeating: 0, count: 64 * size)
        var (have, index) = (0, 0)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + have, $0.count - have) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path: url.path, reason: String(cString: strerror(errno))) }
            if count == 0 { return }
            have += count
            let whole = have / size
            chunk.withUnsafeBytes { bytes in
                for page in 0..<whole {
                    body(index + page, UnsafeRawBufferPointer(rebasing: bytes[page * size..<(page + 1) * size]))
                }
            }
            index += whole
            let rest = have - whole * size
            chunk.withUnsafeMutableBytes {
                $0.baseAddress!.copyMemory(from: $0.baseAddress! + whole * size, byteCount: rest)
            }
            have = rest
        }
    }
}
