// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct PatchSeriesTests {
    /// A folder with a small md.c, removed afterwards.
    private func inTree(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "mdlab-series-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "int a;\nint b;\nint c;\n".write(toFile: folder + "/md.c", atomically: false, encoding: .utf8)
        try body(folder)
    }

    private func patch(_ path: String, _ old: String, _ new: String) -> String {
        "--- a/\(path)\n+++ b/\(path)\n@@ -1,3 +1,3 @@\n int a;\n-int \(old);\n+int \(new);\n int c;\n"
    }

    private func source(_ text: String, in folder: String, name: String = "fix.patch") throws -> PatchSource {
        try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        return try PatchSource(path: "\(folder)/\(name)")
    }

    private func content(_ folder: String) throws -> String {
        try String(contentsOfFile: folder + "/md.c", encoding: .utf8)
    }

    @Test func patchesBuildOnOneAnother() throws {
        try inTree { folder in
            var series = PatchSeries(source: folder, built: ["md.c"])
            try series.add(source(patch("drivers/md/md.c", "b", "x"), in: folder))
            try series.add(source(patch("drivers/md/md.c", "x", "y"), in: folder))
            #expect(try content(folder) == "int a;\nint b;\nint c;\n")
            try series.write()
            #expect(try content(folder) == "int a;\nint y;\nint c;\n")
            #expect(series.reports.map(\.conflicts) == [0, 0])
            #expect(series.reports[0].files[0].place == .built)
        }
    }

    @Test func aConflictTouchesNothing() throws {
        try inTree { folder in
            var series = PatchSeries(source: folder, built: ["md.c"])
            try series.add(source(patch("drivers/md/md.c", "b", "x"), in: folder))
            let second = try source(patch("drivers/md/md.c", "b", "z"), in: folder)
            let error = #expect(throws: KernelBuildError.self) { try series.add(second) }
            guard case .patchConflicts(let report) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(report.hunks.map(\.state) == [.conflict(line: 2, expected: "int b;", found: "int x;")])
            #expect(report.hunks[0].lines == [" int a;", "-int b;", "+int z;", " int c;"])
            #expect(try content(folder) == "int a;\nint b;\nint c;\n")
        }
    }

    @Test func saysThatAllOfItIsThere() throws {
        try inTree { folder in
            var series = PatchSeries(source: folder, built: ["md.c"])
            try series.add(source(patch("drivers/md/md.c", "d", "b"), in: folder))
            #expect(series.reports[0].isPresent)
            try series.write()
            #expect(try content(folder) == "int a;\nint b;\nint c;\n")
        }
    }

    @Test func createsAndRemovesFiles() throws {
        try inTree { folder in
            var series = PatchSeries(source: folder, built: ["md.c"])
            let text = """
                --- /dev/null
                +++ b/drivers/md/new.c
                @@ -0,0 +1 @@
                +int n;
                --- a/drivers/md/md.c
                +++ /dev/null
                @@ -1,3 +0,0 @@
                -int a;
                -int b;
                -int c;

                """
            try series.add(source(text, in: folder))
            #expect(series.reports[0].files.map(\.place) == [.otherModule, .built])
            try series.write()
            #expect(try String(contentsOfFile: folder + "/new.c", encoding: .utf8) == "int n;\n")
            #expect(!FileManager.default.fileExists(atPath: folder + "/md.c"))
        }
    }

    @Test(arguments: [
        ("fs/dlm/lock.c", ["fs/dlm/lock.c"]), ("drivers/md/bcache/super.c", ["drivers/md/bcache/super.c"]),
        ("drivers/md/../../etc/x.c", ["drivers/md/../../etc/x.c"]), ("drivers/md/..", ["drivers/md/.."]),
        ("include/linux/raid/md_p.h", ["include/linux/raid/md_p.h"]),
        ("Documentation/md.rst", ["Documentation/md.rst"]),
    ])
    func namesForeignFiles(path: String, files: [String]) throws {
        try inTree { folder in
            var series = PatchSeries(source: folder, built: ["md.c"])
            let one = try source(patch(path, "b", "x"), in: folder)
            #expect(throws: KernelBuildError.unreadablePatch(path: one.path, .foreign(files))) { try series.add(one) }
        }
    }

    @Test func leavesDocumentationOut() throws {
        try inTree { folder in
            var series = PatchSeries(source: folder, built: ["md.c"])
            try series.add(
                source(patch("Documentation/md.rst", "b", "x") + patch("drivers/md/md.c", "b", "x"), in: folder))
            #expect(series.reports[0].files.map(\.place) == [.leftOut, .built])
        }
    }

    @Test func takesPathsWithAndWithoutAPrefix() {
        for path in ["a/drivers/md/md.c", "drivers/md/md.c", "linux-6.1/drivers/md/md.c"] {
            #expect(PatchSeries.target(PatchFile.File(oldPath: path, newPath: path)) == .md("md.c"))
        }
    }

    @Test func namesWhatCannotBeRead() {
        #expect(
            throws: KernelBuildError.unreadablePatch(path: "/no/such", .unreadable(reason: "there is no such file"))
        ) {
            try PatchSource(path: "/no/such")
        }
        #expect(throws: KernelBuildError.unreadablePatch(path: "/", .unreadable(reason: "it is a folder"))) {
            try PatchSource(path: "/")
        }
    }
}
