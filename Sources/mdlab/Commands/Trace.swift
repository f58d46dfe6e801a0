// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import HTMLReport
import ProtocolTrace
import RunRecord

/// mdlab trace: the traces of a recorded run, for other tools.
struct Trace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "The traces of a recorded run, for other tools.", subcommands: [Export.self])

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write the traces of a run for ui.perfetto.dev or KernelShark, all nodes on one clock.",
            discussion: """
                The nodes' clocks are put right by the messages between them; what is not along a message may still be off by the \
                time that a message takes.
                """)

        @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run")) var folder: String
        @Flag(help: "One file for ui.perfetto.dev: threads, DLM locks, messages as flows.") var perfetto = false
        @Flag(help: "A trace.dat a node: kernelshark -a, or trace-cmd report -i node1.dat -i node2.dat.")
        var kernelshark = false
        @Option(
            help: ArgumentHelp(
                "The file, or the folder for --kernelshark. Else perfetto.json or kernelshark in the run's folder.",
                valueName: "path"))
        var out: String?

        func validate() throws {
            if perfetto == kernelshark { throw ValidationError("give --perfetto or --kernelshark.") }
        }

        func run() throws {
            let recording = try Recording.open(URL(filePath: folder))
            guard recording.nodes.contains(where: { !($0.trace ?? []).isEmpty }) else {
                throw TraceExportError.noTrace(run: folder)
            }
            if perfetto {
                let path = out ?? "\(folder)/perfetto.json"
                try write(PerfettoTrace.json(Timeline(recording)), to: path)
                print(path)
            } else {
                try writeCopies(recording, to: out ?? "\(folder)/kernelshark")
            }
        }

        private func write(_ data: Data, to path: String) throws {
            do { try data.write(to: URL(filePath: path), options: .atomic) } catch {
                throw TraceExportError.unwritable(path: path, reason: (error as NSError).localizedDescription)
            }
        }

        private func writeCopies(_ recording: Recording, to place: String) throws {
            let root = URL(filePath: place)
            do { try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true) } catch {
                throw TraceExportError.unwritable(path: place, reason: (error as NSError).localizedDescription)
            }
            for (node, shift) in Timeline.shifts(of: recording) where node.trace != nil {
                let copy = root.appending(path: "\(node.id).dat")
                try TraceDatCopy.write(recording.layout.node(node.id).trace, to: copy, shift: shift)
                print("\(place)/\(node.id).dat")
            }
        }
    }
}

enum TraceExportError: Error {
    case noTrace(run: String)
    case unwritable(path: String, reason: String)
}

extension TraceExportError: Worded {
    var line: String {
        switch self {
        case .noTrace(let run): "no trace of \(run) can be read; mdlab report --html \(run) says why"
        case .unwritable(let path, let reason):
            "cannot write '\(path)' (\(reason)); give --out a place that you may write to"
        }
    }
    var exitCode: Int32 {
        switch self {
        case .noTrace: Exit.untestable
        case .unwritable: Exit.usage
        }
    }
}
