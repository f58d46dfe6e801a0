// SPDX-License-Identifier: GPL-2.0

/// Raised with every change of a message. An agent of another version is refused at its hello.
public let guestProtocolVersion: UInt32 = 2

/// What the host asks of the agent of a node.
public enum Request: Equatable, Sendable {
    /// Says who is there; answered by `.hello`.
    case hello
    /// Writes a new file, for modules and programs.
    case putFile(path: String, mode: UInt32, content: [UInt8])
    /// One write(2) to a file that exists: sysfs, procfs, tracefs.
    case writeFile(path: String, content: [UInt8])
    case readFile(path: String, limit: UInt32)
    /// finit_module(2).
    case insertModule(path: String, parameters: String)
    /// Runs a program; the reply comes when it ends. Other requests go on meanwhile.
    case run(argv: [String])
    /// Reads all files that match the shell patterns, at most `limit` bytes of each.
    case collect(patterns: [String], limit: UInt32)
    /// All threads of md, dlm and mdadm, all that are in D state, and all whose names begin with one of these, with
    /// their kernel stacks.
    case threads(named: [String])
    /// Reads kernel memory through /proc/kcore.
    case readMemory([MemoryRange])
    /// Writes tracefs files in order, then streams per_cpu/cpu*/trace_pipe_raw as `.trace` until `.stopTrace`.
    case startTrace([FileWrite])
    /// Turns tracing off and answers when the last page has been sent.
    case stopTrace
    /// Sends what a growing file holds, and what is appended to it, as `.followed`.
    case follow(path: String)
    /// How to answer the kernel's ADD_DEVICE uevent: "confirm", "missing", "silent".
    case setConfirmation(String)
    /// Holds all events back until `.resume`, so that nothing is half sent when the node is saved.
    case quiesce
    case resume
    case openShell(rows: UInt16, columns: UInt16)
    case shellInput(shell: UInt32, bytes: [UInt8])
    case resizeShell(shell: UInt32, rows: UInt16, columns: UInt16)
    case powerOff

    public struct MemoryRange: Equatable, Sendable {
        public var address: UInt64
        public var length: UInt32
        public init(address: UInt64, length: UInt32) { (self.address, self.length) = (address, length) }
    }

    public struct FileWrite: Equatable, Sendable {
        public var path: String
        public var content: String
        /// Opens with O_APPEND: kprobe_events and set_ftrace_filter grow that way.
        public var append: Bool
        /// A failure is reported in the reply and does not end the request.
        public var optional: Bool
        public init(_ path: String, _ content: String, append: Bool = false, optional: Bool = false) {
            self.path = path
            self.content = content
            self.append = append
            self.optional = optional
        }
    }
}

extension Request.FileWrite {
    fileprivate func put(into writer: inout WireWriter) {
        writer.put(path)
        writer.put(content)
        writer.put(UInt8(append ? 1 : 0) | UInt8(optional ? 2 : 0))
    }
}

extension Request {
    public func encode(id: UInt32) -> [UInt8] {
        var writer = WireWriter()
        writer.put(id)
        switch self {
        case .hello: writer.put(UInt8(0))
        case .putFile(let path, let mode, let content):
            writer.put(UInt8(1))
            writer.put(path)
            writer.put(mode)
            writer.put(content)
        case .writeFile(let path, let content):
            writer.put(UInt8(2))
            writer.put(path)
            writer.put(content)
        case .readFile(let path, let limit):
            writer.put(UInt8(3))
            writer.put(path)
            writer.put(limit)
        case .insertModule(let path, let parameters):
            writer.put(UInt8(4))
            writer.put(path)
            writer.put(parameters)
        case .run(let argv):
            writer.put(UInt8(5))
            writer.put(argv)
        case .collect(let patterns, let limit):
            writer.put(UInt8(6))
            writer.put(patterns)
            writer.put(limit)
        case .threads(let names):
            writer.put(UInt8(7))
            writer.put(names)
        case .readMemory(let ranges):
            writer.put(UInt8(8))
            writer.put(ranges) { writer, range in
                writer.put(range.address)
                writer.put(range.length)
            }
        case .startTrace(let writes):
            writer.put(UInt8(9))
            writer.put(writes) { $1.put(into: &$0) }
        case .stopTrace: writer.put(UInt8(10))
        case .follow(let path):
            writer.put(UInt8(11))
            writer.put(path)
        case .setConfirmation(let policy):
            writer.put(UInt8(12))
            writer.put(policy)
        case .quiesce: writer.put(UInt8(13))
        case .resume: writer.put(UInt8(14))
        case .openShell(let rows, let columns):
            writer.put(UInt8(15))
            writer.put(rows)
            writer.put(columns)
        case .shellInput(let shell, let bytes):
            writer.put(UInt8(16))
            writer.put(shell)
            writer.put(bytes)
        case .resizeShell(let shell, let rows, let columns):
            writer.put(UInt8(17))
            writer.put(shell)
            writer.put(rows)
            writer.put(columns)
        case .powerOff: writer.put(UInt8(18))
        }
        return writer.bytes
    }

    public static func decode(_ frame: ArraySlice<UInt8>) throws(WireError) -> (id: UInt32, request: Request) {
        var reader = WireReader(frame)
        let id: UInt32 = try reader.integer("id")
        let kind: UInt8 = try reader.integer("kind")
        let request: Request
        switch kind {
        case 0: request = .hello
        case 1:
            request = .putFile(
                path: try reader.string("path"), mode: try reader.integer("mode"), content: try reader.data("content"))
        case 2: request = .writeFile(path: try reader.string("path"), content: try reader.data("content"))
        case 3: request = .readFile(path: try reader.string("path"), limit: try reader.integer("limit"))
        case 4: request = .insertModule(path: try reader.string("path"), parameters: try reader.string("parameters"))
        case 5: request = .run(argv: try reader.strings("argv"))
        case 6: request = .collect(patterns: try reader.strings("patterns"), limit: try reader.integer("limit"))
        case 7: request = .threads(named: try reader.strings("names"))
        case 8:
            var ranges: [MemoryRange] = []
            for _ in 0..<(try reader.count("ranges", smallest: 12)) {
                ranges.append(MemoryRange(address: try reader.integer("address"), length: try reader.integer("length")))
            }
            request = .readMemory(ranges)
        case 9:
            var writes: [FileWrite] = []
            for _ in 0..<(try reader.count("writes", smallest: 9)) {
                let path = try reader.string("path")
                let content = try reader.string("content")
                let flags: UInt8 = try reader.integer("flags")
                writes.append(FileWrite(path, content, append: flags & 1 != 0, optional: flags & 2 != 0))
            }
            request = .startTrace(writes)
        case 10: request = .stopTrace
        case 11: request = .follow(path: try reader.string("path"))
        case 12: request = .setConfirmation(try reader.string("policy"))
        case 13: request = .quiesce
        case 14: request = .resume
        case 15: request = .openShell(rows: try reader.integer("rows"), columns: try reader.integer("columns"))
        case 16: request = .shellInput(shell: try reader.integer("shell"), bytes: try reader.data("bytes"))
        case 17:
            request = .resizeShell(
                shell: try reader.integer("shell"), rows: try reader.integer("rows"),
                columns: try reader.integer("columns"))
        case 18: request = .powerOff
        default: throw .unknownKind(kind)
        }
        try reader.end()
        return (id, request)
    }
}
