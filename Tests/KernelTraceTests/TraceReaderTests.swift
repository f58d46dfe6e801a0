// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import TestRecords
import Testing

@testable import KernelTrace

/// `mdadm --fail` on node 1 of two nodes, recorded on a stock 6.1: one real METADATA_UPDATED from either side.
@Suite struct TraceReaderTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    func events(_ node: Int) throws -> [KernelEvent] {
        try TraceReader(node: NodeID(node), url: try Fixture.trace(NodeID(node), in: folder.url)).events()
    }

    @Test func eventsComeInTheOrderOfTime() throws {
        for node in [1, 2] {
            let events = try events(node)
            #expect(events.count > 300)
            #expect(events.map(\.index) == Array(0..<events.count))
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
            #expect(events.allSatisfy { $0.node == NodeID(node) && $0.cpu == 0 })
        }
    }

    @Test func aReceiverReloadsBetweenTheBlockingAstAndTheAck() throws {
        let events = try events(2)
        func first(after start: Int = 0, _ matches: (KernelEvent) -> Bool) throws -> KernelEvent {
            let found = events[start...].first(where: matches)
            return try #require(found)
        }
        let bast = try first {
            if case .dlm(let event) = $0.body {
                event.kind == .bast && event.resource == .ack && event.mode == .ex
            } else {
                false
            }
        }
        let entry = try first(after: bast.index) {
            if case .entry("md_reload_sb", _) = $0.body { true } else { false }
        }
        let exit = try first(after: entry.index) {
            if case .exit("md_reload_sb", _) = $0.body { true } else { false }
        }
        let ack = try first(after: bast.index) {
            if case .dlm(let event) = $0.body {
                event.kind == .lockStart && event.resource == .ack && event.mode == .nl
            } else {
                false
            }
        }
        #expect(bast.index < entry.index && entry.index < exit.index && exit.index < ack.index)
        #expect([entry, exit, ack].allSatisfy { $0.role == .recvDaemon })
        #expect(entry.comm == "md0_cluster_rec")
    }

    @Test func functionsHaveTheNamesOfTheSymbolTable() throws {
        let events = try events(2)
        #expect(events.contains { $0.body == .function(name: "md_reload_sb", caller: "recv_daemon") })
        #expect(events.contains { $0.body == .function(name: "sync_ast", caller: "dlm_callback_work") })
        for event in events {
            if case .function(let name, let caller) = event.body {
                #expect(!name.hasPrefix("0x") && !caller.hasPrefix("0x"))
            }
        }
    }

    @Test func argumentsKeepTheirSign() throws {
        let events = try events(1)
        // dlm_lock_sync(res, mode): the probe fetched %di as it is and %si as s32.
        let entry = try #require(
            events.compactMap { event -> [String: Int64]? in
                if case .entry("dlm_lock_sync", let arguments) = event.body { arguments } else { nil }
            }.first)
        #expect(try #require(entry["a"]) < 0, "a kernel address has its highest bit set")
        #expect((0...5).contains(try #require(entry["b"])))
        #expect(Set(entry.keys) == ["a", "b"])
        #expect(events.contains { $0.body == .exit(function: "dlm_lock_sync", value: 0) })
    }

    @Test func locksHaveModeFlagsAndStatus() throws {
        let events = try events(1)
        let locks = events.compactMap { event -> DLMEvent? in if case .dlm(let lock) = event.body { lock } else { nil }
        }
        let names = Set(locks.map(\.resource))
        #expect(names.isSuperset(of: [.token, .message, .ack]))
        // DLM_LKF_CONVERT is 4, DLM_LKF_VALBLK is 8: message has a value block, token has none.
        let token = try #require(locks.first { $0.kind == .lockStart && $0.resource == .token && $0.mode == .ex })
        #expect(token.flags == 4 && token.status == nil)
        let message = try #require(locks.first { $0.kind == .lockStart && $0.resource == .message && $0.mode == .ex })
        #expect(message.flags == 12)
        #expect(locks.filter { $0.kind == .ast && $0.resource == .ack }.allSatisfy { $0.mode == nil && $0.status == 0 })
        #expect(Set(locks.filter { $0.resource == .token }.map(\.lockspace)).count == 1)
    }

    @Test func anEventOfAnUnknownProbeKeepsItsFields() throws {
        let url = try rewritten { contents in
            // The same events under another system: no longer mdlab's naming.
            let index = try #require(contents.eventFormats.firstIndex { $0.name == "mdlab" })
            contents.eventFormats[index].name = "mine"
        }
        let events = try TraceReader(node: NodeID(1), url: url).events()
        let fields = try #require(
            events.compactMap { event -> [String: String]? in
                if case .other("mine", "dlm_lock_sync", let fields) = event.body { fields } else { nil }
            }.first)
        #expect(fields.keys.sorted() == ["__probe_ip", "a", "b"])
        #expect(UInt64(fields["a"] ?? "") != nil)
    }

    @Test func aValueBlockIsBytes() throws {
        let messages = try events(2).compactMap { event -> [String: String]? in
            if case .other("dlm", "dlm_recv_message", let fields) = event.body { fields } else { nil }
        }
        // struct cluster_msg in the LVB of message: METADATA_UPDATED (0) of slot 0.
        let blocks = messages.compactMap { $0["m_extra"] }.filter { $0.count == 128 }
        #expect(blocks.contains { $0.hasPrefix("0000000000000000") })
        #expect(messages.allSatisfy { Int($0["m_type"] ?? "") != nil })
    }

    @Test func anEventWithoutFormatIsStillAnEvent() throws {
        let all = try events(1)
        let url = try rewritten { contents in contents.eventFormats.removeAll { $0.name == "mdlab" } }
        let events = try TraceReader(node: NodeID(1), url: url).events()
        #expect(events.count == all.count)
        #expect(events.contains { if case .other("unknown", _, _) = $0.body { true } else { false } })
    }

    @Test func anAddressWithoutSymbolIsShownAsOne() throws {
        let url = try rewritten { $0.kallsyms = "" }
        let events = try TraceReader(node: NodeID(1), url: url).events()
        #expect(events.contains { if case .function(let name, _) = $0.body { name.hasPrefix("0x") } else { false } })
    }

    @Test func lostEventsAreAnEvent() throws {
        // RB_MISSED_EVENTS and RB_MISSED_STORED in a page's commit, the number after its data: what the ring buffer
        // writes when a writer overtook the reader.
        let raw = Fixture.root.appending(path: "trace/fail-device/node1/trace.cpu0.raw")
        var pages = [UInt8](try Data(contentsOf: raw))
        let second = 4096
        let commit = Int(pages[second + 8]) | Int(pages[second + 9]) << 8
        pages[second + 11] |= 0xc0
        // RB_MISSED_EVENTS is added as a negative int, seen on 6.1.
        pages.replaceSubrange(second + 12..<second + 16, with: [0xff, 0xff, 0xff, 0xff])
        pages.replaceSubrange(second + 16 + commit..<second + 16 + commit + 8, with: [77, 0, 0, 0, 0, 0, 0, 0])
        let third = 2 * 4096
        pages[third + 11] |= 0x80
        let url = try rewritten(pages: pages) { _ in }
        let lost = try TraceReader(node: NodeID(1), url: url).events().compactMap { event -> UInt64? in
            if case .lost(let count) = event.body { count } else { nil }
        }
        #expect(lost == [77, 0])
    }

    @Test func theEventsOfTwoCPUsAreMerged() throws {
        let all = try events(1)
        let pages = [UInt8](
            try Data(contentsOf: Fixture.root.appending(path: "trace/fail-device/node1/trace.cpu0.raw")))
        var contents = try TraceDatContents.load(from: Fixture.root.appending(path: "trace/fail-device/node1"))
        contents.cpuPages = []
        for cpu in 0...1 {
            // Every other page is the other CPU's.
            let mine = stride(from: cpu * 4096, to: pages.count, by: 8192).flatMap { pages[$0..<$0 + 4096] }
            contents.cpuPages.append(folder.url.appending(path: "cpu\(cpu).raw"))
            try Data(mine).write(to: contents.cpuPages[cpu])
        }
        let url = folder.url.appending(path: "two.dat")
        try contents.write(to: url)
        let merged = try TraceReader(node: NodeID(1), url: url).events()
        #expect(merged.map(\.time) == all.map(\.time))
        #expect(merged.map(\.body) == all.map(\.body))
        #expect(Set(merged.map(\.cpu)) == [0, 1])
    }

    @Test func traceCmdOpensTheSameFile() throws {
        let url = try Fixture.trace(NodeID(1), in: folder.url)
        let program = URL(filePath: "/usr/bin/trace-cmd")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            try Test.cancel("trace-cmd is not installed")
        }
        let process = Process()
        process.executableURL = program
        process.arguments = ["report", "-i", url.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let lines = text.split(separator: "\n").filter { $0.contains("[000]") }
        let count = try events(1).count
        #expect(lines.count == count)
        #expect(
            lines.contains { $0.contains("dlm_lock_start") && $0.contains("mode=EX") && $0.contains("res_name=61636b") }
        )
    }

    /// The file of node 1, made of changed parts.
    private func rewritten(pages: [UInt8]? = nil, _ change: (inout TraceDatContents) throws -> Void) throws -> URL {
        var contents = try TraceDatContents.load(from: Fixture.root.appending(path: "trace/fail-device/node1"))
        if let pages {
            let raw = folder.url.appending(path: "changed.raw")
            try Data(pages).write(to: raw)
            contents.cpuPages = [raw]
        }
        try change(&contents)
        let url = folder.url.appending(path: "changed.dat")
        try contents.write(to: url)
        return url
    }
}
