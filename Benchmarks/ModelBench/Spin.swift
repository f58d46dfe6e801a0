// SPDX-License-Identifier: GPL-2.0
import Foundation

/// SPIN (Debian package spin) on a model: Promela to C to a verifier, which is run as often as asked.
///
/// It searches depth first, exactly, without reductions.
final class Spin {
    enum Failure: Error {
        case missing(program: String)
        case failed(step: String, output: String)
        case unreadable(output: String)
    }

    private let folder: URL

    init(_ promela: String, memoryMiB: Int = 4096) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("mdlab-spin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(promela.utf8).write(to: folder.appendingPathComponent("model.pml"))
        _ = try Self.output(of: "spin", ["-a", "model.pml"], in: folder)
        let options = ["-DSAFETY", "-DNOFAIR", "-DNOREDUCE", "-DVECTORSZ=4096", "-DMEMLIM=\(memoryMiB)"]
        _ = try Self.output(of: "gcc", ["-O2", "-w"] + options + ["-o", "pan", "pan.c"], in: folder)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func run() throws -> Sample {
        let before = Rounds.processorSeconds(ofChildren: true)
        let text = try Self.output(of: folder.appendingPathComponent("pan").path, ["-m1000000", "-w24"], in: folder)
        return try Self.read(text, seconds: Rounds.processorSeconds(ofChildren: true) - before)
    }

    static func read(_ text: String, seconds: Double) throws -> Sample {
        func number(before marker: String) -> Double? {
            for line in text.split(separator: "\n") {
                guard let range = line.range(of: marker) else { continue }
                if let word = line[..<range.lowerBound].split(whereSeparator: \.isWhitespace).last {
                    return Double(word)
                }
            }
            return nil
        }
        guard let states = number(before: "states, stored"),
            let errors = text.range(of: "errors: ").flatMap({ Double(text[$0.upperBound...].prefix { $0.isNumber }) }),
            let memory = number(before: "actual memory usage for states") ?? number(before: "total actual memory usage")
        else { throw Failure.unreadable(output: String(text.prefix(500))) }
        return Sample(
            states: Int(states), seconds: seconds, bytesPerState: memory * 1_048_576 / max(1, states),
            verdict: errors == 0 ? "holds" : "fails")
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
