// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import GuestImage

@Suite struct Archives {
    private func sample() -> [UInt8] {
        var archive = CPIOArchive()
        archive.directory("proc")
        archive.file("a/b/c", mode: 0o755, content: Array("hello".utf8))
        archive.file("a/b/empty", content: [])
        archive.symbolicLink("bin/sh", to: "busybox")
        archive.characterDevice("dev/console", major: 5, minor: 1)
        return archive.finish()
    }

    @Test func cpioReadsIt() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-cpio-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "a.cpio")
        try Data(sample()).write(to: file)
        let list = Process()
        list.executableURL = URL(filePath: "/bin/sh")
        list.arguments = ["-c", "cpio -itv --quiet < '\(file.path)' 2>&1"]
        let pipe = Pipe()
        list.standardOutput = pipe
        try list.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        list.waitUntilExit()
        #expect(list.terminationStatus == 0)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        // A directory comes before what is in it, once.
        #expect(
            lines.map { String($0.last ?? "") } == [
                "proc", "a", "a/b", "a/b/c", "a/b/empty", "bin", "busybox", "dev", "dev/console",
            ])
        #expect(lines.first { $0.last == "a/b/c" }?.first == "-rwxr-xr-x")
        #expect(lines.first { $0.last == "busybox" }?.first?.first == "l")
        #expect(lines.first { $0.last == "dev/console" }?.first?.first == "c")
    }

    @Test func theSameEntriesGiveTheSameBytes() {
        #expect(sample() == sample())
        #expect(sample().count % 512 == 0)
    }
}

@Suite struct FileLists {
    @Test func theProjectsOwnListIsRead() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../vm/guest.files")
        let list = try GuestFileList(parsing: String(contentsOf: file, encoding: .utf8), file: "vm/guest.files")
        #expect(list.programs.contains("/sbin/mdadm"))
        #expect(list.libraries.contains("libdlm_lt.so.3"))
        #expect(list.modules.last == "dlm")
    }

    @Test(arguments: [
        ("program", 1), ("program /a\nprogramm /b", 2), ("program /a b", 1), ("program /a\n\u{0}\u{1}", 2),
        ("program /a\n" + String(repeating: "x", count: 1_000_000), 2), ("", 0), ("# nothing", 0), ("module dlm", 0),
    ]) func aBadLineIsNamed(text: String, line: Int) {
        do {
            _ = try GuestFileList(parsing: text, file: "f")
            Issue.record("accepted \(text.prefix(40))")
        } catch .badLine(let file, let found, let quoted) {
            #expect(file == "f" && found == line && quoted.count <= 80)
        } catch {
            Issue.record("\(error)")
        }
    }
}

@Suite struct Closures {
    @Test func aProgramBringsItsLibrariesAndItsLoader() throws {
        var closure = LibraryClosure(root: "/")
        try closure.add(program: "/bin/sh")
        #expect(closure.files["/bin/sh"] == "/bin/sh")
        #expect(closure.files.keys.contains { $0.hasSuffix("/libc.so.6") })
        #expect(closure.files["/lib64/ld-linux-x86-64.so.2"] != nil)
    }

    @Test func whatIsMissingIsNamed() {
        var closure = LibraryClosure(root: "/")
        #expect(throws: GuestImageError.missingProgram("/sbin/nowhere", root: "")) {
            try closure.add(program: "/sbin/nowhere")
        }
        #expect(throws: GuestImageError.missingLibrary("libnowhere.so.1", neededBy: "me", root: "")) {
            try closure.add(library: "libnowhere.so.1", neededBy: "me")
        }
    }

    @Test func filesThatAreNoProgramsAreNamed() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-closure-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let real = try Data(contentsOf: URL(filePath: "/bin/true"))
        for (name, content) in [("empty", Data()), ("text", Data("#!/bin/sh\n".utf8)), ("cut", real.prefix(20))] {
            let path = folder.appending(path: name).path
            try content.write(to: URL(filePath: path))
            #expect(throws: GuestImageError.notELF(path)) { try LibraryClosure.headers(of: path) }
        }
        // Damaged in all places: whatever is read, nothing crashes and nothing is invented that is not a name.
        let path = folder.appending(path: "flipped").path
        for position in stride(from: 4, to: min(real.count, 8192), by: 61) {
            var bytes = real
            bytes[position] ^= 0xff
            try bytes.write(to: URL(filePath: path))
            if let found = try? LibraryClosure.headers(of: path) { #expect(found.needed.count < 100) }
        }
    }
}

@Suite struct Configuration {
    @Test func corosyncHasEveryNodeAndItsBracesEndLines() {
        let text = NodeImage.corosyncConfiguration(nodes: 3)
        for node in 1...3 { #expect(text.contains("ring0_addr: 10.9.0.\(node)\n")) }
        #expect(!text.contains("10.9.0.4"))
        for line in text.split(separator: "\n") where line.contains("{") { #expect(line.hasSuffix("{")) }
        #expect(text.filter { $0 == "{" }.count == text.filter { $0 == "}" }.count)
    }
}
