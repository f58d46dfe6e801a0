// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct InstrumentationTests {
    private func instrumentation(gates: Bool = false, coverage: Bool = false, root: String? = nil) throws
        -> Instrumentation
    {
        try Instrumentation(
            for: BuildRequest(kernel: .packaged("6.1"), instrument: gates, coverage: coverage),
            in: root.map { ProjectFiles(root: $0) } ?? .locate())
    }

    @Test func mdIsInstrumentedAndTheGateIsNot() throws {
        let lines = try instrumentation(gates: true).kbuild.split(separator: "\n").map(String.init)
        #expect(lines.contains("obj-m += mdlab_gate.o"))
        let each = try #require(lines.first { $0.hasPrefix("$(foreach") })
        #expect(each.contains("$(md-mod-y) raid1.o raid10.o md-cluster.o") && !each.contains("mdlab_gate"))
        let flags = try #require(lines.first { $0.hasPrefix("mdlab_flags :=") })
        #expect(flags.contains("-finstrument-functions "))
        // Some of what the kernel's headers put into md runs where a call is not allowed.
        #expect(flags.contains("-finstrument-functions-exclude-file-list=include/"))
    }

    @Test func theProjectsModulesAreTheOnesThatAreBuilt() throws {
        let gate = try instrumentation(gates: true).files
        #expect(gate.keys.sorted() == ["mdlab_gate.c", "mdlab_gate_trace.h", "mdlab_instrument.h"])
        let coverage = try instrumentation(coverage: true).files
        #expect(coverage.keys.sorted() == ["mdlab_coverage.c"])
        for (file, symbols) in [
            (gate["mdlab_gate.c"], ["__cyg_profile_func_enter", "__cyg_profile_func_exit"]),
            (coverage["mdlab_coverage.c"], ["__gcov_init", "__gcov_exit", "__gcov_merge_add"]),
        ] {
            let source = String(decoding: try #require(file), as: UTF8.self)
            for symbol in symbols { #expect(source.contains("EXPORT_SYMBOL_GPL(\(symbol));")) }
        }
    }

    @Test func buildsOfDifferentKindsDoNotShareObjects() throws {
        let kinds = [(false, false), (true, false), (false, true), (true, true)]
        let all = try kinds.map { try instrumentation(gates: $0.0, coverage: $0.1) }
        #expect(Set(all.map(\.suffix)).count == 4 && Set(all.map(\.text)).count == 4)
        #expect(all[0].text.isEmpty && all[0].kbuild.isEmpty && all[0].modules.isEmpty)
        #expect(all[3].modules == ["mdlab_gate", "mdlab_coverage"])
        #expect(all.map(\.coverage) == [false, false, true, true])
    }

    @Test func aProjectWithoutOneIsNamed() {
        #expect(
            throws: KernelBuildError.projectFile(
                path: "/nowhere/kernel-tests/gate/mdlab_gate.c", reason: "cannot be read")
        ) {
            try instrumentation(gates: true, root: "/nowhere")
        }
    }

    @Test func anInstrumentedBuildSaysSo() {
        let request = BuildRequest(kernel: .packaged("6.1"), variant: "v4.12", instrument: true)
        #expect(request.sourceDescription == "stock, variant v4.12, instrumented")
        #expect(BuildRequest(kernel: .packaged("6.1"), coverage: true).sourceDescription == "stock, with coverage")
        #expect(BuildRequest(kernel: .packaged("6.1")).sourceDescription == "stock")
    }
}
