// SPDX-License-Identifier: GPL-2.0

/// A cpio archive in the "newc" format of Documentation/driver-api/early-userspace/buffer-format.rst: what the kernel
/// unpacks as an initramfs. The same entries give the same bytes: all times and owners are 0.
///
///     var archive = CPIOArchive()
///     archive.file("init", mode: 0o755, content: bytes)
///     let initramfs = archive.finish()
public struct CPIOArchive: Sendable {
    private var bytes: [UInt8] = []
    private var inode: UInt32 = 0
    /// Directories that are in the archive already. The kernel wants a directory before what is in it.
    private var directories: Set<String> = []

    public init() {}

    public mutating func file(_ path: String, mode: UInt32 = 0o644, content: [UInt8]) {
        parents(of: path)
        entry(path, mode: 0o100000 | mode, content: content)
    }

    public mutating func symbolicLink(_ path: String, to target: String) {
        parents(of: path)
        entry(path, mode: 0o120777, content: Array(target.utf8))
    }

    public mutating func directory(_ path: String) {
        guard !path.isEmpty, directories.insert(path).inserted else { return }
        parents(of: path)
        entry(path, mode: 0o040755, content: [])
    }

    public mutating func characterDevice(_ path: String, major: UInt32, minor: UInt32) {
        parents(of: path)
        entry(path, mode: 0o020600, content: [], device: (major, minor))
    }

    /// The whole archive, padded to 512 bytes as cpio(1) does.
    public consuming func finish() -> [UInt8] {
        entry("TRAILER!!!", mode: 0, content: [])
        pad(to: 512)
        return bytes
    }

    private mutating func parents(of path: String) {
        if let slash = path.lastIndex(of: "/") { directory(String(path[..<slash])) }
    }

    private mutating func entry(_ path: String, mode: UInt32, content: [UInt8], device: (UInt32, UInt32) = (0, 0)) {
        inode += 1
        // magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        bytes.append(contentsOf: "070701".utf8)
        for field in [
            inode, mode, 0, 0, 1, 0, UInt32(content.count), 0, 0, device.0, device.1, UInt32(path.utf8.count + 1), 0,
        ] {
            let digits = String(field, radix: 16)
            bytes.append(contentsOf: (String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        }
        bytes.append(contentsOf: path.utf8)
        bytes.append(0)
        pad(to: 4)
        bytes.append(contentsOf: content)
        pad(to: 4)
    }

    private mutating func pad(to alignment: Int) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }
}
