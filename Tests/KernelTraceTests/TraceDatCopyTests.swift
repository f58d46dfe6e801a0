// SPDX-License-Identifier: GPL-2.0
import Foundation
import TestRecords
import Testing

@testable import RunRecord

@Suite struct TraceDatCopyTests {
    private static let tool = URL(filePath: "/usr/bin/trace-cmd")

    /// Times and the rest of each line, as trace-cmd prints them.
    private func report(_ files: [URL]) throws -> [(time: Double, line: Substring)] {
        let process = Process()
        process.executableURL = Self.tool
        process.arguments = ["report"] + files.flatMap { ["-i", $0.path] }
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, FileHandle.nullDevice)
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(where: { $0.hasPrefix("[") }), words.count > place + 2,
                let time = Double(words[place + 1].dropLast())
            else { return nil }
            return (time, line[words[place + 2].startIndex...])
        }
    }

    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: tool.path)), arguments: [1_500_000_000, -2_000_000_000, 0])
    func readersShiftTheTimesOfACopy(shift: Int64) throws {
        let folder = try TemporaryFolder()
        let trace = try Fixture.trace(.init(1), in: folder.url)
        let copy = folder.url.appending(path: "copy.dat")
        try TraceDatCopy.write(trace, to: copy, shift: shift)
        let (before, after) = (try report([trace]), try report([copy]))
        #expect(before.count > 50 && before.map(\.line) == after.map(\.line))
        for (first, second) in zip(before, after) {
            #expect(abs(second.time - first.time - Double(shift) / 1e9) < 2e-6)
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: tool.path)))
    func twoNodesAreInOneOrder() throws {
        let folder = try TemporaryFolder()
        var copies: [URL] = []
        for node in 1...2 {
            copies.append(folder.url.appending(path: "node\(node)-copy.dat"))
            try TraceDatCopy.write(
                Fixture.trace(.init(node), in: folder.url), to: copies[node - 1], shift: Int64(node) * 1_000_000_000)
        }
        let all = try report(copies)
        let parts = try copies.map { try report([$0]).count }
        #expect(all.count == parts[0] + parts[1] && all.map(\.time) == all.map(\.time).sorted())
    }

    @Test func whatIsNoTraceIsRefused() throws {
        let folder = try TemporaryFolder()
        let bytes = [UInt8](try Data(contentsOf: Fixture.trace(.init(1), in: folder.url)))
        #expect(TraceDatCopy.shifted([], by: 1) == nil && TraceDatCopy.shifted(Array("text".utf8), by: 1) == nil)
        let end = try #require(TraceDatCopy.shifted(bytes, by: 1)).count - bytes.count
        #expect(end == 4096)
        // Cut anywhere: refused, or what is left is whole.
        for length in stride(from: 0, to: bytes.count, by: 997) {
            let cut = TraceDatCopy.shifted(Array(bytes[..<length]), by: 1)
            #expect(cut == nil || length >= bytes.count - 4096)
        }
        let missing = folder.url.appending(path: "missing.dat")
        #expect(throws: TraceDatError.self) {
            try TraceDatCopy.write(missing, to: folder.url.appending(path: "x"), shift: 1)
        }
    }
}
