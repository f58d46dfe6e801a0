// SPDX-License-Identifier: GPL-2.0
import ArgumentParser
import KernelBuild

struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Build md-mod, raid1, raid10 and md-cluster for a kernel, with patches or a variant.")

    @OptionGroup var input: BuildOptions

    func run() async throws {
        let terminal = ProgressLine()
        let builder = try KernelBuilder(cache: .standard(), progress: terminal.handler)
        let built = try await builder.build(try input.request(builder.catalog))
        terminal.clear()
        print("kernel   \(built.release)")
        print("source   \(built.source)")
        print("modules  \(built.directory)")
    }
}
