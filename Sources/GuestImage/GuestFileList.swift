// SPDX-License-Identifier: GPL-2.0

/// vm/guest.files: what a node is made of, one item a line.
///
///     program /sbin/mdadm          a program, with the libraries that its ELF headers name
///     library libcmap.so.4         a library that a program opens by name at run time
///     module  virtio_blk           a kernel module to load at boot, with what it depends on
public struct GuestFileList: Sendable, Equatable {
    public var programs: [String] = []
    public var libraries: [String] = []
    public var modules: [String] = []

    public init(parsing text: String, file: String) throws(GuestImageError) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard !words.isEmpty else { continue }
            guard words.count == 2 else { throw .badLine(file: file, line: index + 1, text: String(line.prefix(80))) }
            switch words[0] {
            case "program": programs.append(String(words[1]))
            case "library": libraries.append(String(words[1]))
            case "module": modules.append(String(words[1]))
            default: throw .badLine(file: file, line: index + 1, text: String(line.prefix(80)))
            }
        }
        guard !programs.isEmpty else { throw .badLine(file: file, line: 0, text: "no program") }
    }
}

/// What can go wrong when an initramfs is made.
public enum GuestImageError: Error, Sendable, Equatable {
    case badLine(file: String, line: Int, text: String)
    case missingProgram(String, root: String)
    case missingLibrary(String, neededBy: String, root: String)
    case notELF(String)
    case unreadable(String, errno: Int32)
}
