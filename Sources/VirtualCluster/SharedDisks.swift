// SPDX-License-Identifier: GPL-2.0
import CLinux
import Foundation

/// The disks that the nodes share: files in memory without a name, so that nothing of them can be left behind.
final class SharedDisks: Sendable {
    let descriptors: [Int32]

    init(count: Int, size: Int) throws {
        descriptors = try (0..<count).map { index in
            let descriptor = linux_memfd("mdlab-disk\(index)")
            guard descriptor >= 0, ftruncate(descriptor, off_t(size)) == 0 else {
                throw POSIXError(.init(rawValue: errno) ?? .EIO)
            }
            return descriptor
        }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    func read(disk: Int, offset: Int, length: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = pread(descriptors[disk], &bytes, length, off_t(offset))
        return Array(bytes.prefix(max(0, count)))
    }

    /// Copies what has been written, and only that: holes stay holes.
    func save(disk: Int, to url: URL) throws {
        let target = linux_open(url.path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
        guard target >= 0 else { throw POSIXError(.init(rawValue: -target) ?? .EIO) }
        defer { close(target) }
        try copyData(from: descriptors[disk], to: target)
    }

    func load(disk: Int, from url: URL) throws {
        let source = linux_open(url.path, O_RDONLY | O_CLOEXEC, 0)
        guard source >= 0 else { throw POSIXError(.init(rawValue: -source) ?? .EIO) }
        defer { close(source) }
        try copyData(from: source, to: descriptors[disk])
    }

    private func copyData(from source: Int32, to target: Int32) throws {
        let size = lseek(source, 0, SEEK_END)
        guard ftruncate(target, size) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var position = linux_seek_data(source, 0)
        while position >= 0 && position < size {
            let hole = linux_seek_hole(source, position)
            while position < hole {
                let count = pread(source, &chunk, min(chunk.count, Int(hole - position)), position)
                guard count > 0, pwrite(target, chunk, count, position) == count else {
                    throw POSIXError(.init(rawValue: errno) ?? .EIO)
                }
                position += off_t(count)
            }
            position = linux_seek_data(source, position)
        }
    }
}
