// SPDX-License-Identifier: GPL-2.0
import CLinux
import Glibc

/// Files by their system calls: sysfs and procfs care about how they are read and written.
enum Files {
    /// Reads to the end or to `limit`. The errno is 0, or why reading stopped; what was read before is there all the
    /// same.
    static func read(_ path: String, limit: Int = .max) -> (content: [UInt8], errno: Int32) {
        let file = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard file >= 0 else { return ([], -file) }
        defer { close(file) }
        return read(descriptor: file, limit: limit)
    }

    static func read(descriptor: Int32, limit: Int = .max) -> (content: [UInt8], errno: Int32) {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while content.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - content.count))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return (content, errno) }
            if count == 0 { break }
            content.append(contentsOf: chunk[..<count])
        }
        return (content, 0)
    }

    static func text(_ path: String) -> String { String(decoding: read(path).content, as: UTF8.self) }

    /// The first line without its newline.
    static func line(_ path: String) -> String { String(text(path).prefix { $0 != "\n" }) }

    /// One write(2) of everything. Returns 0 or an errno.
    static func write(_ path: String, _ content: [UInt8], flags: Int32 = 0, mode: mode_t = 0o644) -> Int32 {
        let file = linux_open(path, O_WRONLY | O_CLOEXEC | flags, mode)
        guard file >= 0 else { return -file }
        defer { close(file) }
        var written = 0
        repeat {
            let count = content[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return errno }
            if count == 0 { break }
            written += count
        } while written < content.count
        return 0
    }

    static func write(_ path: String, _ text: String, flags: Int32 = 0) -> Int32 {
        write(path, Array(text.utf8), flags: flags)
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a directory, sorted, without "." and "..".
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func makeDirectory(_ path: String) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += "/" + part
            mkdir(partial, 0o755)
        }
    }

    /// The paths that match a shell pattern, sorted, as glob(3) gives them.
    static func matching(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in found.gl_pathv[index].map { String(cString: $0) } }
    }
}

func reason(_ errno: Int32) -> String { String(cString: strerror(errno)) }
