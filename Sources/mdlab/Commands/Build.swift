// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import KernelBuild

struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build md-mod, raid1, raid10 and md-cluster for a kernel, with patches or a variant.")

    @OptionGroup var input: BuildOptions

    func run() async throws {
        let terminal = ProgressLine()
        do {
            let builder = try KernelBuilder(cache: .standard(), progress: terminal.handler)
            let built = try await builder.build(try input.request(builder.catalog))
            terminal.clear()
            built.patches.forEach { print(PatchText.text($0)) }
            print("kernel   \(built.release)")
            print("source   \(built.source)")
            print("modules  \(built.directory)")
        } catch KernelBuildError.patchConflicts(let report) {
            terminal.clear()
            print(PatchText.text(report))
            throw KernelBuildError.patchConflicts(report)
        } catch KernelBuildError.compileFailed(let errors, let log) {
            terminal.clear()
            print(errors.isEmpty ? log : errors.joined(separator: "\n"))
            throw KernelBuildError.compileFailed(errors: errors, log: log)
        } catch {
            terminal.clear()
            throw error
        }
    }
}
