// SPDX-License-Identifier: GPL-2.0
import ArgumentParser

/// mdlab: a laboratory for md-cluster patches. One file per command under Commands/.
@main
struct MDLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mdlab",
        abstract: "A laboratory for md-cluster patches: build, run in a cluster of VMs, judge.",
        subcommands: [])
}
