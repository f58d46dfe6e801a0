// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import Reporting

/// mdlab: a laboratory for md-cluster patches. One file per command under Commands/.
@main
struct MDLab: AsyncParsableCommand {
    /// What a record says it was made with.
    static let version = "0.1"

    static let configuration = CommandConfiguration(
        commandName: "mdlab",
        abstract: "A laboratory for md-cluster patches: build, run in a cluster of VMs, judge.",
        version: version,
        subcommands: [
            Validate.self,
            Build.self,
            IntakeCommand.self,
            ExploreKernel.self,
            Check.self,
            CompareMatrix.self,
            Compare.self,
            CoverageCommand.self,
            Lines.self,
            LogCommand.self,
            Events.self, Report.self,
            Trace.self,
            Run.self,
            Steer.self,
            ScenariosCommand.self,
            VM.self,
            Bench.self,
            Inspect.self,
            Doctor.self,
            Kernels.self,
            Cache.self,
            ModelCommand.self,
        ])

    static func main() async {
        // Who reads our output, or a QEMU, may go away at any time: a write then fails, and the run goes on to its
        // record.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as any Worded {
            Terminal.write("mdlab: \(error.line)\n", to: 2)
            Foundation.exit(error.exitCode)
        } catch {
            let code = exitCode(for: error)
            if code == .validationFailure {
                Terminal.write((fullMessage(for: error) + "\n"), to: 2)
                Foundation.exit(Exit.usage)
            }
            exit(withError: error)
        }
    }
}
