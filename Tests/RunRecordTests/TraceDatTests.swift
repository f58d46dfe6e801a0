// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import Testing

@testable import RunRecord

@Suite struct TraceDatTests {
    let folder: URL
    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// A page whose commit says that `used` bytes are filled.
    func page(_ fill: UInt8, used: Int) -> [UInt8] {
        var page = [UInt8](repeating: fill, count: 4096)
        page.replaceSubrange(8..<16, with: [UInt8(used & 255), UInt8(used >> 8), 0, 0, 0, 0, 0, 0])
        return page
    }

    func contents(raw: [UInt8]...) throws -> TraceDatContents {
        var files: [URL] = []
        for (cpu, bytes) in raw.enumerated() {
            files.append(TraceDatContents.rawPages(cpu: cpu, in: folder))
            try Data(bytes).write(to: files[cpu])
        }
        return TraceDatContents(
            headerPage: Array("page".utf8), headerEvent: Array("event".utf8), ftraceFormats: [Array("f0".utf8)],
            eventFormats: [.init(name: "dlm", formats: [Array("d0".utf8), Array("d1".utf8)])],
            kallsyms: "0 T a\n", printkFormats: "", commandLines: "1 init\n", cpuPages: files, clock: "mono")
    }

    @Test func theFileIsAsTheManualPageSays() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appending(path: "trace.dat")
        try contents(raw: page(0xaa, used: 100), page(0xbb, used: 4080) + page(0xcc, used: 8)).write(to: url)
        let bytes = [UInt8](try Data(contentsOf: url))
        var expected: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing6\0".utf8) + [0, 8, 0, 16, 0, 0]
        expected += Array("header_page\0".utf8) + [4, 0, 0, 0, 0, 0, 0, 0] + Array("page".utf8)
        expected += Array("header_event\0".utf8) + [5, 0, 0, 0, 0, 0, 0, 0] + Array("event".utf8)
        expected += [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0] + Array("f0".utf8)
        expected += [1, 0, 0, 0] + Array("dlm\0".utf8) + [2, 0, 0, 0]
        expected += [2, 0, 0, 0, 0, 0, 0, 0] + Array("d0".utf8) + [2, 0, 0, 0, 0, 0, 0, 0] + Array("d1".utf8)
        expected += [6, 0, 0, 0] + Array("0 T a\n".utf8) + [0, 0, 0, 0]
        expected += [7, 0, 0, 0, 0, 0, 0, 0] + Array("1 init\n".utf8)
        expected += [2, 0, 0, 0] + Array("options  \0".utf8) + [4, 0, 7, 0, 0, 0] + Array("[mono]\0".utf8) + [0, 0]
        expected += Array("flyrecord\0".utf8)
        expected += [0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0]
        expected += [0, 32, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0]
        expected += [7, 0, 0, 0, 0, 0, 0, 0] + Array("[mono]\0".utf8)
        expected += [UInt8](repeating: 0, count: 4096 - expected.count)
        expected += page(0xaa, used: 100) + page(0xbb, used: 4080) + page(0xcc, used: 8)
        #expect(bytes == expected)
    }

    @Test func pagesWithoutEventsAndTheRestOfAKilledRecorderAreLeftOut() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appending(path: "trace.dat")
        let half = [UInt8](repeating: 0xdd, count: 1000)
        try contents(raw: page(0, used: 0) + page(0xaa, used: 16) + page(0, used: 0) + half, []).write(to: url)
        let bytes = [UInt8](try Data(contentsOf: url))
        #expect(bytes.count == 8192)
        #expect(Array(bytes[4096...]) == page(0xaa, used: 16))
    }

    @Test func aDamagedPageStaysToBeFound() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appending(path: "trace.dat")
        try contents(raw: page(0xaa, used: 16) + page(0xbb, used: 60000)).write(to: url)
        #expect(try Data(contentsOf: url).count == 3 * 4096)
    }

    @Test func manyPagesAreStreamedInOrder() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appending(path: "trace.dat")
        let pages = (0..<200).flatMap { page(UInt8($0), used: $0 % 3 == 0 ? 0 : 32) }
        try contents(raw: pages).write(to: url)
        let bytes = [UInt8](try Data(contentsOf: url))
        let kept: [UInt8] = (0..<200).filter { $0 % 3 != 0 }
        #expect(bytes.count == 4096 * (1 + kept.count))
        let found: [UInt8] = stride(from: 4096 + 100, to: bytes.count, by: 4096).map { bytes[$0] }
        #expect(found == kept)
    }

    @Test func partsComeBackAsTheyWereSaved() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let saved = try contents(raw: page(1, used: 8), page(2, used: 8))
        try saved.save(to: folder)
        let loaded = try TraceDatContents.load(from: folder)
        #expect(loaded.cpuPages.map(\.lastPathComponent) == ["trace.cpu0.raw", "trace.cpu1.raw"])
        var same = loaded
        same.cpuPages = saved.cpuPages
        #expect(same == saved)
    }

    @Test func aMissingPartIsNamed() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try contents(raw: page(1, used: 8)).save(to: folder)
        let parts = folder.appending(path: "trace.parts")
        try FileManager.default.removeItem(at: parts.appending(path: "header_event"))
        #expect(throws: TraceDatError.missing(part: "header_event", directory: parts.path)) {
            try TraceDatContents.load(from: folder)
        }
        try FileManager.default.removeItem(at: TraceDatContents.rawPages(cpu: 0, in: folder))
        #expect(throws: TraceDatError.missing(part: "trace.cpu0.raw", directory: folder.path)) {
            try TraceDatContents.load(from: folder)
        }
    }

    @Test func theTraceOfAKilledRunIsCompletedOnce() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let node = NodeLayout(root: folder)
        #expect(try TraceDatContents.completeTrace(in: node) == false)
        try contents(raw: page(1, used: 8)).save(to: folder)
        #expect(TraceDatContents.isIncomplete(node))
        #expect(try TraceDatContents.completeTrace(in: node))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["trace.dat"])
        #expect(try TraceDatContents.completeTrace(in: node) == false)
    }

    @Test func anUnwritablePlaceLeavesNothing() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appending(path: "no/such/folder/trace.dat")
        #expect(
            throws: TraceDatError.unwritable(
                path: url.appendingPathExtension("partial").path, reason: "No such file or directory")
        ) { try contents(raw: page(1, used: 8)).write(to: url) }
    }
}
