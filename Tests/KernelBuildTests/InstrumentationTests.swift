// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct InstrumentationTests {
    @Test func mdIsInstrumentedAndTheGateIsNot() throws {
        let lines = Instrumentation.kbuild.split(separator: "\n").map(String.init)
        #expect(lines.contains("obj-m += mdlab_gate.o"))
        let each = try #require(lines.first { $0.hasPrefix("$(foreach") })
        #expect(each.contains("$(md-mod-y) raid1.o raid10.o md-cluster.o") && !each.contains("mdlab_gate"))
        let flags = try #require(lines.first { $0.hasPrefix("instrument :=") })
        #expect(flags.contains("-finstrument-functions "))
        // Some of what the kernel's headers put into md runs where a call is not allowed.
        #expect(flags.contains("-finstrument-functions-exclude-file-list=include/"))
    }

    @Test func theProjectsGateIsTheOneThatIsBuilt() throws {
        let files = try Instrumentation(in: .locate()).files
        #expect(files.keys.sorted() == ["mdlab_gate.c", "mdlab_gate_trace.h", "mdlab_instrument.h"])
        let source = String(decoding: try #require(files["mdlab_gate.c"]), as: UTF8.self)
        for symbol in ["__cyg_profile_func_enter", "__cyg_profile_func_exit"] {
            #expect(source.contains("EXPORT_SYMBOL_GPL(\(symbol));"))
        }
    }

    @Test func aProjectWithoutOneIsNamed() {
        #expect(
            throws: KernelBuildError.projectFile(
                path: "/nowhere/kernel-tests/gate/mdlab_gate.c", reason: "cannot be read")
        ) {
            try Instrumentation(in: ProjectFiles(root: "/nowhere"))
        }
    }

    @Test func anInstrumentedBuildSaysSo() {
        let request = BuildRequest(kernel: .packaged("6.1"), variant: "v4.12", instrument: true)
        #expect(request.sourceDescription == "stock, variant v4.12, instrumented")
        #expect(BuildRequest(kernel: .packaged("6.1")).sourceDescription == "stock")
    }
}
