// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Why a file could not be read: strerror(3) of the call that failed.
package struct FileReadError: Error {
    package let reason: String
    package let isMissing: Bool
}

/// A whole file in memory. The parts of a record are small: a trace of a minute is tens of megabytes.
package enum FileBytes {
    package static func read(_ url: URL) throws(FileReadError) -> [UInt8] {
        func failure() -> FileReadError {
            let code = errno
            return FileReadError(reason: String(cString: strerror(code)), isMissing: code == ENOENT)
        }
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw failure() }
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
        var have = 0
        while have < bytes.count {
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + have, $0.count - have) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { break }  // it shrank
            have += count
        }
        bytes.removeLast(bytes.count - have)
        return bytes
    }
}
