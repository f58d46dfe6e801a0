// SPDX-License-Identifier: GPL-2.0
import Foundation

/// SPIN (Debian package spin) run on a model: Promela to C to a verifier to its report.
struct Spin {
    struct Report {
        var states: Int
        var seconds: Double
        var bytesPerState: Double
        var errors: Int
    }

    enum Failure: Error {
        case missing(program: String)
        case failed(step: String, output: String)
        case unreadable(output: String)
    }

    /// Searches without reductions, depth first, exactly, in at most so many bytes; the fastest of some runs.
    static func run(_ promela: String, memoryMiB: Int = 4096, runs: Int) throws -> Report {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mdlab-spin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(promela.utf8).write(to: folder.appendingPathComponent("model.pml"))
        _ = try output(of: "spin", ["-a", "model.pml"], in: folder)
        let options = ["-DSAFETY", "-DNOFAIR", "-DNOREDUCE", "-DVECTORSZ=4096", "-DMEMLIM=\(memoryMiB)"]
        _ = try output(of: "gcc", ["-O2", "-w"] + options + ["-o", "pan", "pan.c"], in: folder)
        let pan = folder.appendingPathComponent("pan").path
        var best = try read(output(of: pan, ["-m1000000", "-w24"], in: folder))
        for _ in 1..<max(1, runs) {
            let next = try read(output(of: pan, ["-m1000000", "-w24"], in: folder))
            if next.seconds < best.seconds { best = next }
        }
        return best
    }

    static func read(_ text: String) throws -> Report {
        func number(before marker: String) -> Double? {
            for line in text.split(separator: "\n") {
                guard let range = line.range(of: marker) else { continue }
                if let word = line[..<range.lowerBound].split(whereSeparator: \.isWhitespace).last {
                    return Double(word)
                }
            }
            return nil
        }
        guard let states = number(before: "states, stored"), let seconds = number(before: " seconds"),
            let errors = text.range(of: "errors: ").flatMap({ Double(text[$0.upperBound...].prefix { $0.isNumber }) }),
            let memory = number(before: "actual memory usage for states") ?? number(before: "total actual memory usage")
        else { throw Failure.unreadable(output: String(text.prefix(500))) }
        return Report(
            states: Int(states), seconds: seconds, bytesPerState: memory * 1_048_576 / max(1, states),
            errors: Int(errors))
    }

    private static func output(of program: String, _ arguments: [String], in folder: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        if process.terminationStatus == 127 { throw Failure.missing(program: program) }
        guard process.terminationStatus == 0 else {
            throw Failure.failed(step: program, output: String(text.suffix(500)))
        }
        return text
    }
}
