// SPDX-License-Identifier: GPL-2.0

/// What the agent tells the host: replies to requests, and what happens by itself.
public enum Report: Equatable, Sendable {
    case reply(id: UInt32, Reply)
    /// A stage of the boot is reached: "init", "modules", "network", "quorate", "dlm", "ready". Guest seconds.
    case stage(String, uptime: Double)
    /// A stage could not be reached, and why; the node will not become ready.
    case stageFailed(String, reason: String)
    /// One /dev/kmsg record, as read.
    case kernelLog([UInt8])
    /// A sub-buffer of per_cpu/cpuN/trace_pipe_raw, as read.
    case trace(cpu: UInt32, [UInt8])
    /// A kernel uevent, its strings joined by newlines, and what was done about it.
    case uevent(String)
    case followed(path: String, [UInt8])
    case shellOutput(shell: UInt32, [UInt8])
    case shellEnded(shell: UInt32, status: Int32)
}

public enum Reply: Equatable, Sendable {
    case done
    /// errno and what was being done.
    case failed(errno: Int32, action: String)
    case bytes([UInt8])
    case command(status: Int32, output: [UInt8], errors: [UInt8])
    case files([File])
    case threads([ThreadState])
    case hello(Hello)
    case shell(UInt32)
    /// Writes that were optional and failed, each "path: reason".
    case warnings([String])

    public struct File: Equatable, Sendable {
        public var path: String
        /// 0, or why the file could not be read: then `content` is what was read before.
        public var errno: Int32
        public var content: [UInt8]
        public init(path: String, errno: Int32, content: [UInt8]) {
            (self.path, self.errno, self.content) = (path, errno, content)
        }
    }

    public struct ThreadState: Equatable, Sendable {
        public var pid: Int32
        public var comm: String
        public var state: String
        public var stack: String
        public init(pid: Int32, comm: String, state: String, stack: String) {
            (self.pid, self.comm, self.state, self.stack) = (pid, comm, state, stack)
        }
    }

    public struct Hello: Equatable, Sendable {
        public var version: UInt32
        public var node: UInt32
        public var release: String
        public var uptime: Double
        public var cpus: UInt32
        public init(version: UInt32, node: UInt32, release: String, uptime: Double, cpus: UInt32) {
            (self.version, self.node, self.release, self.uptime, self.cpus) = (version, node, release, uptime, cpus)
        }
    }
}

extension Report {
    public func encode() -> [UInt8] {
        var writer = WireWriter()
        switch self {
        case .reply(let id, let reply):
            writer.put(UInt8(0))
            writer.put(id)
            reply.encode(&writer)
        case .stage(let name, let uptime):
            writer.put(UInt8(1))
            writer.put(name)
            writer.put(uptime.bitPattern)
        case .stageFailed(let name, let reason):
            writer.put(UInt8(2))
            writer.put(name)
            writer.put(reason)
        case .kernelLog(let record):
            writer.put(UInt8(3))
            writer.put(record)
        case .trace(let cpu, let page):
            writer.put(UInt8(4))
            writer.put(cpu)
            writer.put(page)
        case .uevent(let text):
            writer.put(UInt8(5))
            writer.put(text)
        case .followed(let path, let bytes):
            writer.put(UInt8(6))
            writer.put(path)
            writer.put(bytes)
        case .shellOutput(let shell, let bytes):
            writer.put(UInt8(7))
            writer.put(shell)
            writer.put(bytes)
        case .shellEnded(let shell, let status):
            writer.put(UInt8(8))
            writer.put(shell)
            writer.put(status)
        }
        return writer.bytes
    }

    public static func decode(_ frame: ArraySlice<UInt8>) throws(WireError) -> Report {
        var reader = WireReader(frame)
        let kind: UInt8 = try reader.integer("kind")
        let report: Report
        switch kind {
        case 0: report = .reply(id: try reader.integer("id"), try Reply.decode(&reader))
        case 1:
            report = .stage(try reader.string("stage"), uptime: Double(bitPattern: try reader.integer("uptime")))
        case 2: report = .stageFailed(try reader.string("stage"), reason: try reader.string("reason"))
        case 3: report = .kernelLog(try reader.data("record"))
        case 4: report = .trace(cpu: try reader.integer("cpu"), try reader.data("page"))
        case 5: report = .uevent(try reader.string("uevent"))
        case 6: report = .followed(path: try reader.string("path"), try reader.data("bytes"))
        case 7: report = .shellOutput(shell: try reader.integer("shell"), try reader.data("bytes"))
        case 8: report = .shellEnded(shell: try reader.integer("shell"), status: try reader.integer("status"))
        default: throw .unknownKind(kind)
        }
        try reader.end()
        return report
    }
}

extension Reply {
    func encode(_ writer: inout WireWriter) {
        switch self {
        case .done: writer.put(UInt8(0))
        case .failed(let errno, let action):
            writer.put(UInt8(1))
            writer.put(errno)
            writer.put(action)
        case .bytes(let bytes):
            writer.put(UInt8(2))
            writer.put(bytes)
        case .command(let status, let output, let errors):
            writer.put(UInt8(3))
            writer.put(status)
            writer.put(output)
            writer.put(errors)
        case .files(let files):
            writer.put(UInt8(4))
            writer.put(files) { writer, file in
                writer.put(file.path)
                writer.put(file.errno)
                writer.put(file.content)
            }
        case .threads(let threads):
            writer.put(UInt8(5))
            writer.put(threads) { writer, thread in
                writer.put(thread.pid)
                writer.put(thread.comm)
                writer.put(thread.state)
                writer.put(thread.stack)
            }
        case .hello(let hello):
            writer.put(UInt8(6))
            writer.put(hello.version)
            writer.put(hello.node)
            writer.put(hello.release)
            writer.put(hello.uptime.bitPattern)
            writer.put(hello.cpus)
        case .shell(let shell):
            writer.put(UInt8(7))
            writer.put(shell)
        case .warnings(let lines):
            writer.put(UInt8(8))
            writer.put(lines)
        }
    }

    static func decode(_ reader: inout WireReader) throws(WireError) -> Reply {
        let kind: UInt8 = try reader.integer("reply")
        switch kind {
        case 0: return .done
        case 1: return .failed(errno: try reader.integer("errno"), action: try reader.string("action"))
        case 2: return .bytes(try reader.data("bytes"))
        case 3:
            return .command(
                status: try reader.integer("status"), output: try reader.data("output"),
                errors: try reader.data("errors"))
        case 4:
            var files: [File] = []
            for _ in 0..<(try reader.count("files", smallest: 12)) {
                files.append(
                    File(
                        path: try reader.string("path"), errno: try reader.integer("errno"),
                        content: try reader.data("content")))
            }
            return .files(files)
        case 5:
            var threads: [ThreadState] = []
            for _ in 0..<(try reader.count("threads", smallest: 16)) {
                threads.append(
                    ThreadState(
                        pid: try reader.integer("pid"), comm: try reader.string("comm"),
                        state: try reader.string("state"),
                        stack: try reader.string("stack")))
            }
            return .threads(threads)
        case 6:
            return .hello(
                Hello(
                    version: try reader.integer("version"), node: try reader.integer("node"),
                    release: try reader.string("release"), uptime: Double(bitPattern: try reader.integer("uptime")),
                    cpus: try reader.integer("cpus")))
        case 7: return .shell(try reader.integer("shell"))
        case 8: return .warnings(try reader.strings("warnings"))
        default: throw .unknownKind(kind)
        }
    }
}
