// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelModule

@Suite struct DecompressionTests {
    private static let plain = Array(String(repeating: "a module, ", count: 5).utf8)

    /// `printf 'a module, a module, ...' | xz --check=crc32`, as kbuild compresses modules.
    private static let xz: [UInt8] = [
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
        0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00, 0x31, 0x00, 0x11, 0x5d, 0x00, 0x30, 0x88, 0x09, 0xa7, 0x33,
        0xa9, 0x42, 0x8c, 0x5b, 0x08, 0x23, 0xff, 0x63, 0x2c, 0x3e, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0xda, 0x48,
        0x07, 0xc6, 0x00, 0x01, 0x29, 0x32, 0x40, 0x7b, 0x17, 0xac, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00,
        0x00, 0x01, 0x59, 0x5a,
    ]

    /// The same through `gzip -n`.
    private static let gzip: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x54, 0xc8, 0xcd, 0x4f, 0x29, 0xcd, 0x49,
        0xd5, 0x51, 0x48, 0x24, 0x92, 0x05, 0x00, 0xda, 0x48, 0x07, 0xc6, 0x32, 0x00, 0x00, 0x00,
    ]

    private func decompress(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
        try Decompression.decompress(bytes, path: "x", limit: limit)
    }

    @Test func readsBothFormats() throws {
        #expect(try decompress(Self.xz) == Self.plain)
        #expect(try decompress(Self.gzip) == Self.plain)
        #expect(try decompress(Self.plain) == Self.plain)
    }

    @Test(arguments: [(Self.xz, "xz"), (Self.gzip, "gzip")])
    func truncationIsToldEverywhere(_ bytes: [UInt8], _ format: String) {
        for length in 6..<bytes.count {
            #expect(throws: ModuleError.badCompression(path: "x", format: format, reason: "it ends too early")) {
                try decompress(Array(bytes.prefix(length)))
            }
        }
    }

    @Test(arguments: [Self.xz, Self.gzip]) func damageIsNotTakenForContents(_ bytes: [UInt8]) {
        var refused = 0
        for position in 10..<bytes.count {
            var damaged = bytes
            damaged[position] ^= 0x10
            guard let result = try? decompress(damaged) else {
                refused += 1
                continue
            }
            #expect(result == Self.plain)
        }
        #expect(refused > bytes.count / 2)
    }

    @Test func limitHolds() {
        for bytes in [Self.xz, Self.gzip] {
            #expect(throws: ModuleError.self) { try decompress(bytes, limit: 20) }
        }
        #expect(throws: ModuleError.tooLarge(path: "x", limit: 20)) { try decompress(Self.gzip, limit: 20) }
    }

    @Test func zstdIsNamed() {
        #expect(throws: ModuleError.compressedBy(path: "x", program: "zstd")) {
            try decompress([0x28, 0xb5, 0x2f, 0xfd, 0])
        }
    }
}
