// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelModule

@Suite struct ModuleNameTests {
    @Test func dashesAndUnderscoresAreTheSame() {
        #expect(moduleName("md-cluster") == "md_cluster")
        #expect(KernelModuleFile.nameFromPath("drivers/md/md-cluster.ko.xz") == "md_cluster")
    }
}
