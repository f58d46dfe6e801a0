// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The bytes of a module file, decompressed when the file is a .ko.xz or .ko.gz.
///
/// Whether a file is compressed is read from its first bytes, not from its name: initramfs builders rename files.
public enum ModuleBytes {
    /// The largest file that is read, and the largest that one may decompress to. Debian's largest module with
    /// debug information has about 60 MiB.
    public static let limit = 512 << 20

    /// Reads a whole module. Throws the `ModuleError` cases about the file itself.
    public static func read(_ path: String) throws(ModuleError) -> [UInt8] {
        let bytes = try readFile(path)
        if bytes.isEmpty { throw .empty(path: path) }
        return try Decompression.decompress(bytes, path: path, limit: limit)
    }

    /// Reads a regular file as it is, refusing everything else without waiting on it (a fifo would block).
    static func readFile(_ path: String) throws(ModuleError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        if descriptor < 0 {
            let error = errno
            if error == ENOENT || error == ENOTDIR { throw .notFound(path: path) }
            throw .unreadable(path: path, errno: error)
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw .unreadable(path: path, errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .isDirectory(path: path)
        default: throw .notAFile(path: path)
        }
        if status.st_size > limit { throw .tooLarge(path: path, limit: limit) }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            while count < buffer.count {
                let got = Foundation.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                count += got
            }
        }
        if failure != 0 { throw .unreadable(path: path, errno: failure) }
        return bytes
    }
}
