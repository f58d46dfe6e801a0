// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelModule

/// Files that are no modules: each gets the error that says what it is.
@Suite struct BadFileTests {
    private func failure(_ bytes: [UInt8]) -> ModuleError? {
        do throws(ModuleError) {
            _ = try KernelModuleFile(bytes: bytes, path: "x.ko")
            return nil
        } catch { return error }
    }

    private func failure(path: String) -> ModuleError? {
        do throws(ModuleError) {
            _ = try KernelModuleFile(path: path)
            return nil
        } catch { return error }
    }

    @Test func filesThatAreNone() throws {
        let folder = try TemporaryFolder()
        #expect(failure(path: folder.path + "/none.ko") == .notFound(path: folder.path + "/none.ko"))
        #expect(failure(path: folder.path) == .isDirectory(path: folder.path))
        #expect(failure(path: "/dev/null") == .notAFile(path: "/dev/null"))
        let empty = try folder.write("empty.ko", [])
        #expect(failure(path: empty) == .empty(path: empty))
        let below = empty + "/x.ko"
        #expect(failure(path: below) == .notFound(path: below))
        // Nobody writes into it: opening must not wait.
        let fifo = folder.path + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect(failure(path: fifo) == .notAFile(path: fifo))
    }

    @Test(.disabled(if: geteuid() == 0, "root reads everything")) func unreadable() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("secret.ko", MadeModule().bytes)
        chmod(file, 0)
        #expect(failure(path: file) == .unreadable(path: file, errno: EACCES))
    }

    @Test func hugeFileIsRefusedUnread() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("huge.ko", [0x7f])
        #expect(truncate(file, ModuleBytes.limit + 1) == 0)
        #expect(failure(path: file) == .tooLarge(path: file, limit: ModuleBytes.limit))
    }

    @Test func filesThatAreNoELF() {
        #expect(failure(Array("#!/bin/sh\n".utf8)) == .notELF(path: "x.ko"))
        #expect(failure([0x7f, 0x45]) == .notELF(path: "x.ko"))
        #expect(failure([UInt8](repeating: 0, count: 4096)) == .notELF(path: "x.ko"))
    }

    @Test func foreignFiles() throws {
        var elf = ElfWriter()
        elf.machine = 183
        #expect(failure(elf.build()) == .foreignMachine(path: "x.ko", machine: "arm64"))
        elf.machine = 9999
        #expect(failure(elf.build()) == .foreignMachine(path: "x.ko", machine: "machine 9999"))
        elf.machine = 62
        elf.type = 3
        #expect(failure(elf.build()) == .notRelocatable(path: "x.ko", type: "a shared library or an executable"))
        var bytes = MadeModule().bytes
        bytes[4] = 1
        #expect(failure(bytes) == .foreignClass(path: "x.ko", bits: 32))
        bytes[4] = 2
        bytes[5] = 2
        #expect(failure(bytes) == .bigEndian(path: "x.ko"))
        bytes[5] = 9
        #expect(failure(bytes) == .malformed(path: "x.ko", what: "ELF data encoding 9"))
    }

    @Test func objectFileIsNoModule() throws {
        let folder = try TemporaryFolder()
        let object = try folder.compile("int f(void) { return 1; }", flags: [])
        #expect(failure(path: object) == .notAModule(path: object, missingSection: ".modinfo"))
    }

    @Test func truncationAndBadHeaders() {
        let bytes = MadeModule(functions: ["f"]).bytes
        #expect(failure(Array(bytes.prefix(40))) == .truncated(path: "x.ko", missing: "the ELF header"))
        #expect(failure(Array(bytes.prefix(64))) == .truncated(path: "x.ko", missing: "the section headers"))
        #expect(failure(bytes.dropLast()) == .truncated(path: "x.ko", missing: "the section headers"))
        var none = bytes
        none.replaceSubrange(40..<48, with: [UInt8](repeating: 0, count: 8))
        #expect(failure(none) == .malformed(path: "x.ko", what: "no section headers"))
        // The first section's size: more than the file has.
        var long = bytes
        let headers: UInt64 = bytes.value(at: 40)!
        long.replaceSubrange(
            Int(headers) + 64 + 32..<Int(headers) + 64 + 40, with: KernelModuleTests.bytes(UInt64.max - 3))
        #expect(failure(long) == .truncated(path: "x.ko", missing: "the whole of section 1"))
    }
}

/// Whatever is done to a file, reading it ends in a value or in an error.
@Suite struct FuzzTests {
    private func read(_ bytes: [UInt8]) -> Bool {
        (try? KernelModuleFile(bytes: bytes, path: "x.ko")) != nil
    }

    private var rich: [UInt8] {
        MadeModule(
            depends: ["dlm"], needs: ["dlm_lock": 1, "printk": 2], exports: [.init(name: "a", crc: 3, namespace: "N")],
            functions: ["f", "g"]
        ).bytes
    }

    @Test func everyTruncationIsRefused() {
        let bytes = rich
        #expect(read(bytes))
        for length in stride(from: 0, to: bytes.count, by: 64) { #expect(!read(Array(bytes.prefix(length)))) }
        for length in (bytes.count - 64)..<bytes.count { #expect(!read(Array(bytes.prefix(length)))) }
    }

    @Test func everyByteMayBeAnything() {
        let bytes = rich
        var refused = 0
        for position in bytes.indices {
            for value in [UInt8(0x00), 0xff, bytes[position] ^ 0x01, bytes[position] ^ 0x80] {
                var damaged = bytes
                damaged[position] = value
                if !read(damaged) { refused += 1 }
            }
        }
        #expect(refused > 100)
    }

    @Test func damagedDebugInformationIsSurvived() throws {
        let folder = try TemporaryFolder()
        let source = """
            struct inner { long a; struct { int b; union { int c; long d; }; }; };
            struct outer { struct inner in; char name[16]; struct outer *next; };
            static inline __attribute__((always_inline)) long get(struct outer *o) { return o->in.d; }
            long user(struct outer *o) { return get(o) + get(o->next); }
            """
        let bytes = try ModuleBytes.read(folder.compile(source, flags: ["-g", "-O2"]))
        let sections = try ElfImage(bytes, path: "x").sections.filter { $0.name.contains("debug") && $0.size > 0 }
        var state: UInt64 = 42
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var (read, refused) = (0, 0)
        for round in 0..<400 {
            var damaged = bytes
            for _ in 0...random(below: 8) {
                let section = sections[random(below: sections.count)]
                // The headers are last: every other round damages them too.
                let headers = bytes.count - 64 * sections.count
                let place =
                    round % 2 == 0
                    ? section.offset + random(below: section.size) : headers + random(below: bytes.count - headers)
                damaged[place] = UInt8(random(below: 256))
            }
            do throws(ModuleError) {
                _ = try StructLayouts(bytes: damaged, path: "x", structs: ["outer"])
                _ = try InlinedFunctions(bytes: damaged, path: "x")
                read += 1
            } catch { refused += 1 }
        }
        #expect(read + refused == 400 && read > 0)
    }
}
