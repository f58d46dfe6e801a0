// SPDX-License-Identifier: GPL-2.0
import Foundation
import TestRecords
import Testing

@testable import KernelTrace

@Suite struct KernelLogTests {
    @Test func recordsOfKmsg() {
        let log = KernelLog(
            text:
                "6,41,1500000,-;md: md0: recovery done.\n SUBSYSTEM=block\n DEVICE=b9:0\n4,42,1500001,c,x=1;text; with , both\n"
        )
        #expect(
            log.lines == [
                .init(
                    number: 1, time: 1.5, level: 6, text: "md: md0: recovery done.", isKernel: true,
                    properties: ["SUBSYSTEM": "block", "DEVICE": "b9:0"]),
                .init(number: 4, time: 1.500001, level: 4, text: "text; with , both", isKernel: true),
            ])
        #expect(log.lost == 0)
    }

    @Test func whatUserSpaceWroteIsNotTheKernels() {
        // Facility 1 is "user": 8 + level.
        let log = KernelLog(text: "12,1,0,-;BUG: I am a shell\nBUG: so am I\n")
        #expect(log.lines.map(\.isKernel) == [false, false])
        #expect(log.lines.map(\.level) == [4, nil])
    }

    @Test func linesOfAConsole() {
        let log = KernelLog(
            text:
                "[    1.234567] text\r\n[   12.000001][  T314] by a thread\n<3>[0.000002] three\nmdadm: array started\n"
        )
        #expect(log.lines.map(\.text) == ["text", "by a thread", "three", "mdadm: array started"])
        #expect(log.lines.map(\.time) == [1.234567, 12.000001, 0.000002, nil])
        #expect(log.lines.map(\.isKernel) == [true, true, true, false])
    }

    @Test func aMessageOfTwoLinesIsTwoLines() {
        let log = KernelLog(
            text:
                "2,459,15737958,-;md/raid1:md0: Disk failure on vdb, disabling device.\\x0amd/raid1:md0: Operation continuing on 1 devices.\n"
        )
        #expect(
            log.lines.map(\.text) == [
                "md/raid1:md0: Disk failure on vdb, disabling device.",
                "md/raid1:md0: Operation continuing on 1 devices.",
            ])
        #expect(log.lines.map(\.number) == [1, 1])
    }

    @Test func lostRecordsAreCounted() {
        let log = KernelLog(text: "6,10,0,-;a\n6,11,0,-;b\n6,20,0,-;c\n6,19,0,-;d\n")
        #expect(log.lost == 8)
        #expect(log.lines.count == 4)
    }

    @Test(arguments: [
        "", "\n\n\n", ";", ",,,;", "6,1;x", "6,1,1,-", "99999999999999999999,1,1,-;x", "6,18446744073709551615,1,-;x",
        " KEY=v",
        "[", "[]", "[1.2]", "[.123456] x", "[ 99999999999999999999.000000] x", "<>", "<9", "6,1,1,-;\\x",
        "6,1,1,-;\\xg0\\", "\0\u{1}\u{7f}",
    ]) func garbageIsALineOrNothing(text: String) {
        let log = KernelLog(text: text)
        #expect(log.lines.count <= 1)
        #expect(log.lines.allSatisfy { $0.text.utf8.count <= text.utf8.count })
    }

    @Test func randomBytes() {
        var generator = Xorshift(seed: 5)
        for _ in 0..<50 {
            let bytes = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let log = KernelLog(bytes: bytes)
            #expect(log.lines.count <= bytes.count)
        }
    }

    @Test func enormousLinesAreCut() {
        let line = "6,1,0,-;" + String(repeating: "x", count: 10_000_000)
        let log = KernelLog(text: line + "\n6,2,0,-;next\n")
        #expect(log.lines.count == 2)
        #expect(log.lines[0].text.utf8.count <= KernelLog.longestLine)
        #expect(log.lines[1].text == "next")
    }

    @Test func aRealLog() throws {
        let log = KernelLog(text: try Fixture.text("logs/clean/fail-device-node1.kmsg.log"))
        #expect(log.lines.count > 400)
        #expect(log.lines.first?.text.hasPrefix("Linux version 6.1.0") == true)
        #expect(log.lines.contains { $0.text == "md/raid1:md0: Operation continuing on 1 devices." })
        #expect(log.lines.filter { !$0.properties.isEmpty }.count > 10)
        #expect(log.lost == 0)
    }

    @Test func taints() throws {
        #expect(try #require(Taint(file: "12288\n")).unexpected == [])
        #expect(Taint(rawValue: 0).unexpected == [])
        #expect(
            Taint(rawValue: 12288 | 512 | 128).unexpected == [
                "D: kernel died: an oops or a BUG", "W: kernel issued a warning",
            ])
        #expect(Taint(rawValue: 1 << 14).unexpected == ["L: soft lockup"])
        #expect(Taint(rawValue: 1 << 40).unexpected == ["bit 40"])
        #expect(Taint(file: "") == nil)
        #expect(Taint(file: "none") == nil)
        #expect(Taint(file: "-1") == nil)
    }
}
