// SPDX-License-Identifier: GPL-2.0
import CElf

/// Decompresses what kbuild compresses modules with (CONFIG_MODULE_COMPRESS_*). zstd has no development library in
/// the packages that mdlab needs, so a .ko.zst is named as such and refused.
enum Decompression {
    static func decompress(_ bytes: [UInt8], path: String, limit: Int) throws(ModuleError) -> [UInt8] {
        if bytes.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
            return try xz(bytes, path: path, limit: limit)
        }
        if bytes.starts(with: [0x1f, 0x8b]) { return try gzip(bytes, path: path, limit: limit) }
        if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { throw .compressedBy(path: path, program: "zstd") }
        return bytes
    }

    private static let chunk = 1 << 20

    /// Bytes that liblzma may use: `xz -9` needs 65 MiB, a hostile header may ask for 4 GiB.
    private static let dictionaryLimit: UInt64 = 128 << 20

    private static func xz(_ bytes: [UInt8], path: String, limit: Int) throws(ModuleError) -> [UInt8] {
        var stream = lzma_stream()
        guard lzma_stream_decoder(&stream, dictionaryLimit, 0) == LZMA_OK else {
            throw .badCompression(path: path, format: "xz", reason: "liblzma has no memory")
        }
        defer { lzma_end(&stream) }
        var output: [UInt8] = []
        var result = LZMA_OK
        bytes.withUnsafeBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = input.count
            while result == LZMA_OK && output.count <= limit {
                output += [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = chunk
                    result = lzma_code(&stream, LZMA_FINISH)
                    count = chunk - stream.avail_out
                }
            }
        }
        if output.count > limit { throw .tooLarge(path: path, limit: limit) }
        if result == LZMA_STREAM_END { return output }
        let reason =
            switch result {
            case LZMA_BUF_ERROR: "it ends too early"
            case LZMA_DATA_ERROR: "its data is damaged"
            case LZMA_MEMLIMIT_ERROR: "it wants too much memory"
            default: "liblzma says \(result.rawValue)"
            }
        throw .badCompression(path: path, format: "xz", reason: reason)
    }

    private static func gzip(_ bytes: [UInt8], path: String, limit: Int) throws(ModuleError) -> [UInt8] {
        var stream = z_stream()
        guard mdlab_inflate_init_gzip(&stream) == Z_OK else {
            throw .badCompression(path: path, format: "gzip", reason: "zlib has no memory")
        }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var result = Z_OK
        var input = bytes
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            while result == Z_OK && output.count <= limit {
                output += [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(chunk)
                    result = inflate(&stream, Z_NO_FLUSH)
                    count = chunk - Int(stream.avail_out)
                }
            }
        }
        if output.count > limit { throw .tooLarge(path: path, limit: limit) }
        if result == Z_STREAM_END { return output }
        let reason = result == Z_BUF_ERROR ? "it ends too early" : "its data is damaged"
        throw .badCompression(path: path, format: "gzip", reason: reason)
    }
}
