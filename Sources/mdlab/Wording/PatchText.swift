// SPDX-License-Identifier: GPL-2.0
import KernelBuild

/// What became of a patch, for people: a line per hunk, and the lines of those that conflict.
enum PatchText {
    static func text(_ report: PatchReport) -> String {
        var lines = ["patch    \(report.patch)" + (report.isPresent ? ": all of it is in this kernel already" : "")]
        for file in report.files {
            switch file.place {
            case .built: lines.append("  \(file.path)")
            case .otherModule: lines.append("  \(file.path) (of no module that mdlab builds: without effect)")
            case .leftOut: lines.append("  \(file.path) (not code: left out)")
            }
            for hunk in file.hunks { lines += self.lines(of: hunk) }
        }
        return lines.joined(separator: "\n")
    }

    private static func lines(of hunk: PatchReport.Hunk) -> [String] {
        switch hunk.state {
        case .applied(let line, let offset, let fuzz):
            var how = "applied at line \(line)"
            if offset != 0 { how += ", offset \(offset)" }
            if fuzz != 0 { how += ", fuzz \(fuzz)" }
            return ["    \(how): \(hunk.header)"]
        case .present(let line):
            return ["    already there at line \(line): \(hunk.header)"]
        case .conflict(let line, let expected, let found):
            return [
                "    CONFLICT at line \(line): \(hunk.header)",
                "      the patch expects: \(expected)",
                "      the kernel has:    \(found ?? "(the end of the file)")",
            ] + hunk.lines.map { "      | " + $0 }
        }
    }
}
