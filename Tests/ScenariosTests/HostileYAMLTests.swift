// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import Scenarios

/// Whatever a file holds, reading it ends soon, and with a scenario or one typed error.
@Suite struct HostileYAMLTests {
    @Test func everyPrefixOfAScenarioIsReadOrRefused() throws {
        let bytes = [UInt8](try Data(contentsOf: scenarioDirectory.appending(path: "concurrent-updates.yaml")))
        var refused = 0
        for length in stride(from: 0, to: bytes.count, by: 3) {
            do {
                _ = try ScenarioReader.parse(Array(bytes.prefix(length)), name: "cut", file: "cut.yaml")
            } catch .file(let file, let line, _) {
                #expect(file == "cut.yaml" && line >= 1)
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test func garbageIsRefused() {
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<200 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.append(UInt8(truncatingIfNeeded: state >> 11))
            }
            #expect(throws: ScenarioError.self) { try ScenarioReader.parse(bytes, name: "x", file: "x.yaml") }
        }
    }

    @Test func garbledScenariosNeverCrash() throws {
        let bytes = [UInt8](try Data(contentsOf: scenarioDirectory.appending(path: "re-add-device.yaml")))
        let marks = Array("{}[]:-?,&*#'\"|>%@`!\n\t \u{0}".utf8)
        var read = 0
        var refused = 0
        for index in 0..<600 {
            var changed = bytes
            changed[(index * 7919) % bytes.count] = marks[index % marks.count]
            do {
                _ = try ScenarioReader.parse(changed, name: "x", file: "x.yaml")
                read += 1
            } catch {
                refused += 1
            }
        }
        #expect(read > 0 && refused > 0)
    }

    @Test func anAliasBombIsRefusedBeforeItExpands() {
        var text = "summary: a\na: &a [x, x, x, x, x, x, x, x, x]\n"
        for (name, previous) in zip("bcdefghijklmnop", "abcdefghijklmno") {
            text += "\(name): &\(name) [" + Array(repeating: "*\(previous)", count: 9).joined(separator: ", ") + "]\n"
        }
        #expect(mistake(text)?.problem == .alias)
    }

    @Test func deepNestingIsRefused() {
        #expect(mistake("summary: " + String(repeating: "[", count: 500))?.problem == .deep(limit: 32))
        #expect(mistake(String(repeating: "- ", count: 500))?.problem == .deep(limit: 32))
        #expect(mistake("a:\n" + (1...300).map { String(repeating: " ", count: $0) + "a:\n" }.joined())?.problem != nil)
        #expect(mistake((0..<400).map { _ in "{a:\n" }.joined())?.problem == .deep(limit: 32))
    }

    @Test func enormousFilesAndLinesAreRefused() {
        let size = 10 << 20
        #expect(mistake(String(repeating: "a", count: size))?.problem == .tooLarge(bytes: size, limit: 65536))
        #expect(mistake("summary: " + String(repeating: "a", count: 3000))?.problem == .longLine(limit: 2000))
        #expect(mistake("summary: a\nlevels: " + String(repeating: "r", count: 3000))?.line == 2)
    }

    @Test func bytesThatAreNotTextAreRefused() {
        for bytes: [UInt8] in [[0xFF, 0xFE], [0x61, 0], [0xC0, 0x80]] {
            #expect(throws: ScenarioError.file("x.yaml", line: 1, .notText)) {
                try ScenarioReader.parse(bytes, name: "x", file: "x.yaml")
            }
        }
    }

    @Test func shellLinesMayHaveStarsAndAmpersands() throws {
        let scenario = try scenario(
            steps: "  - {run: 'cat /sys/*/x & wait', on: node1}\n  - run: ls /proc/[0-9]* && true\n    on: node1")
        #expect(scenario.steps.map(\.text) == ["node1: cat /sys/*/x & wait", "node1: ls /proc/[0-9]* && true"])
    }
}
