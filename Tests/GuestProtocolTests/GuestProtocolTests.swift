// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import GuestProtocol

/// One of each, with the values that could go wrong: empty, long, not ASCII.
private let requests: [Request] = [
    .hello, .putFile(path: "/modules/md-mod.ko", mode: 0o644, content: [0, 255, 10]),
    .writeFile(path: "/a", content: []),
    .readFile(path: "/proc/mdstat", limit: .max), .insertModule(path: "/m.ko", parameters: "a=1"),
    .run(argv: ["sh", "-c", "echo 'ü\n'", ""]), .run(argv: []),
    .collect(patterns: ["/proc/[0-9]*/stat", ""], limit: 0), .threads(named: []),
    .threads(named: ["fail-c", ""]),
    .readMemory([.init(address: .max, length: 8), .init(address: 0, length: 0)]),
    .startTrace([.init("/t", "1", append: true), .init("/u", "", optional: true), .init("/v", "x")]), .stopTrace,
    .follow(path: "/var/log/corosync.log"), .setConfirmation("missing"), .quiesce, .resume,
    .openShell(rows: 24, columns: 80),
    .shellInput(shell: 7, bytes: Array("ls\r".utf8)), .resizeShell(shell: 7, rows: 1, columns: 65535), .powerOff,
]

private let reports: [Report] = [
    .stage("init", uptime: 1.5), .stageFailed("dlm", reason: "ü"), .kernelLog(Array("6,1,2,-;md: x\n".utf8)),
    .trace(cpu: 3, []),
    .uevent("ADD_DEVICE"), .followed(path: "/x", [1]), .shellOutput(shell: 1, [27]), .shellEnded(shell: 1, status: -1),
    .reply(id: 0, .done), .reply(id: .max, .failed(errno: 13, action: "open")), .reply(id: 1, .bytes([1, 2])),
    .reply(id: 2, .command(status: 137, output: [1], errors: [])),
    .reply(id: 3, .files([.init(path: "/a", errno: 5, content: [9]), .init(path: "", errno: 0, content: [])])),
    .reply(id: 4, .threads([.init(pid: 2, comm: "md0_raid1", state: "D", stack: "[<0>] x+0x1/0x2\n")])),
    .reply(id: 5, .hello(.init(version: 1, node: 2, release: "6.1", uptime: 0.25, cpus: 1))), .reply(id: 6, .shell(9)),
    .reply(id: 7, .warnings(["a", ""])),
]

@Suite struct Messages {
    @Test(arguments: requests) func requestsComeBackAsTheyWere(request: Request) throws {
        let (id, decoded) = try Request.decode(request.encode(id: 42)[...])
        #expect(id == 42)
        #expect(decoded == request)
    }

    @Test(arguments: reports) func reportsComeBackAsTheyWere(report: Report) throws {
        #expect(try Report.decode(report.encode()[...]) == report)
    }

    @Test(arguments: requests) func aRequestCutAnywhereIsAnError(request: Request) {
        let bytes = request.encode(id: 1)
        for length in bytes.indices {
            #expect(throws: WireError.self) { try Request.decode(bytes[..<length]) }
        }
    }

    @Test(arguments: reports) func aReportCutAnywhereIsAnError(report: Report) {
        let bytes = report.encode()
        for length in bytes.indices { #expect(throws: WireError.self) { try Report.decode(bytes[..<length]) } }
    }

    @Test(arguments: reports) func bytesBehindAMessageAreAnError(report: Report) {
        #expect(throws: WireError.trailing(1)) { try Report.decode((report.encode() + [0])[...]) }
    }

    @Test func anUnknownKindIsNamed() {
        #expect(throws: WireError.unknownKind(200)) { try Report.decode([200]) }
        #expect(throws: WireError.unknownKind(99)) { try Request.decode([1, 0, 0, 0, 99]) }
    }

    @Test func aCountThatCannotBeIsNotAllocated() {
        // .threads with 2^32 - 1 entries and no bytes behind them.
        #expect(throws: WireError.tooLong(field: "threads", length: 0xffff_ffff)) {
            try Report.decode([0, 1, 0, 0, 0, 5, 255, 255, 255, 255])
        }
    }

    @Test func textThatIsNotUTF8IsAnError() {
        var writer = WireWriter()
        writer.put(UInt8(5))
        writer.put([0xff, 0xfe] as [UInt8])
        #expect(throws: WireError.notUTF8(field: "uevent")) { try Report.decode(writer.bytes[...]) }
    }

    @Test func noBytesWhateverCrashADecoder() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if let request = try? Request.decode(bytes[...]) {
                #expect(request.request.encode(id: request.id) == bytes)
            }
            // A stage's uptime may be any bit pattern, NaN too, so only that it decodes is certain.
            _ = try? Report.decode(bytes[...])
        }
    }
}

@Suite struct Framing {
    @Test func framesComeOutWholeHoweverTheyArrive() throws {
        let frames = [[], [1], Array(repeating: 7, count: 3_000_000), [2, 3]] as [[UInt8]]
        let stream = frames.flatMap(FrameDecoder.frame)
        for step in [1 << 20, 65_537, stream.count] {
            var decoder = FrameDecoder()
            var seen: [[UInt8]] = []
            for start in stride(from: 0, to: stream.count, by: step) {
                decoder.append(stream[start..<min(start + step, stream.count)])
                while let frame = try decoder.next() { seen.append(Array(frame)) }
            }
            #expect(seen == frames)
        }
    }

    @Test func oneByteAtATime() throws {
        var decoder = FrameDecoder()
        var seen = 0
        for byte in FrameDecoder.frame([1, 2, 3]) + FrameDecoder.frame([4]) {
            decoder.append([byte])
            while try decoder.next() != nil { seen += 1 }
        }
        #expect(seen == 2)
    }

    @Test func anEnormousFrameIsRefusedBeforeItIsRead() {
        var decoder = FrameDecoder()
        decoder.append([255, 255, 255, 255])
        #expect(throws: WireError.tooLong(field: "frame", length: 0xffff_ffff)) { try decoder.next() }
    }
}
