// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import TestRecords
import Testing

@testable import KernelTrace

/// Whatever is in the file: events or one typed error.
@Suite struct DamagedTraceTests {
    let folder: TemporaryFolder
    let good: Data
    init() throws {
        folder = try TemporaryFolder()
        good = try Data(contentsOf: try Fixture.trace(NodeID(2), in: folder.url))
    }

    func read(_ bytes: Data) throws -> Result<Int, TraceError> {
        let url = folder.url.appending(path: "damaged.dat")
        try bytes.write(to: url)
        do throws(TraceError) {
            return .success(try TraceReader(node: NodeID(2), url: url).events().count)
        } catch { return .failure(error) }
    }

    @Test func noFile() {
        let url = folder.url.appending(path: "absent.dat")
        #expect(throws: TraceError.unreadable(path: url.path, reason: "No such file or directory")) {
            try TraceReader(node: NodeID(1), url: url).events()
        }
    }

    @Test func notATrace() throws {
        let path = folder.url.appending(path: "damaged.dat").path
        for bytes in [
            Data(), Data("hello".utf8), Data(repeating: 0, count: 1 << 20), Data(repeating: 0x41, count: 4096),
        ] {
            #expect(try read(bytes) == .failure(.notTrace(path: path)))
        }
    }

    @Test func aFileOfTraceCmdsOwnVersion() throws {
        var bytes = good
        bytes[10] = UInt8(ascii: "7")
        let path = folder.url.appending(path: "damaged.dat").path
        #expect(try read(bytes) == .failure(.unsupported(path: path, what: "file version 7")))
    }

    @Test func everyTruncationIsAnError() throws {
        var cut = 0
        while cut < good.count {
            let result = try read(good.prefix(cut))
            guard case .failure(let error) = result else {
                Issue.record("cut at \(cut): \(result)")
                return
            }
            switch error {
            case .truncated, .notTrace, .corrupt: break
            default: Issue.record("cut at \(cut): \(error)")
            }
            cut += cut < 600 ? 7 : 1999
        }
    }

    @Test func aPageOfGarbageIsNamed() throws {
        var bytes = good
        bytes.replaceSubrange(good.count - 4096..<good.count, with: [UInt8](repeating: 0xa5, count: 4096))
        guard case .failure(.corrupt(_, let part, _)) = try read(bytes) else {
            Issue.record("garbage was read")
            return
        }
        #expect(part.hasPrefix("page ") && part.hasSuffix(" of CPU 0"))
    }

    @Test(arguments: 1...4) func flippedBytes(seed: UInt64) throws {
        var generator = Xorshift(seed: seed)
        var errors = 0
        for _ in 0..<100 {
            var bytes = good
            for _ in 0...3 {
                // The header is where the libraries would be led astray: half of the flips go there.
                let end = Bool.random(using: &generator) ? 50_000 : bytes.count
                bytes[Int.random(in: 0..<end, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if case .failure = try read(bytes) { errors += 1 }
        }
        #expect(errors > 10)
    }

    @Test func sizesBeyondReasonAreNotFollowed() throws {
        // The size of header_page (at 30) and every aligned word behind it becomes enormous, one at a time.
        for offset in [30, 38, 250, 262] {
            var bytes = good
            bytes.replaceSubrange(offset..<offset + 8, with: [UInt8](repeating: 0x7f, count: 8))
            guard case .failure = try read(bytes) else {
                Issue.record("a size of 2^63 at \(offset) was followed")
                continue
            }
        }
    }
}
