// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import Foundation
import KernelBuild

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what mdlab needs on this machine, what is there and what is missing.")

    func run() async throws {
        let findings = await MachineCheck(cache: .standard()).findings()
        let width = findings.map(\.thing.count).max() ?? 0
        for finding in findings {
            let (mark, text) =
                switch finding.state {
                case .present(let what): ("ok      ", what)
                case .note(let what): ("note    ", what)
                case .missing(let remedy): (finding.isNeeded ? "MISSING " : "absent  ", remedy)
                }
            let name = finding.thing.padding(toLength: width, withPad: " ", startingAt: 0)
            print("\(mark) \(name)  \(text) (\(finding.purpose))")
        }
        let missing = findings.count(where: \.isFatal)
        guard missing > 0 else { return }
        print("\(missing) of these must be there: run scripts/bootstrap, or what stands behind MISSING.")
        throw ExitCode(Exit.usage)
    }
}
