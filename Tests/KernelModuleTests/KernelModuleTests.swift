// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelModule

@Suite struct ModuleNameTests {
    @Test func dashesAndUnderscoresAreTheSame() {
        #expect(moduleName("md-cluster") == "md_cluster")
        #expect(KernelModuleFile.nameFromPath("drivers/md/md-cluster.ko.xz") == "md_cluster")
    }
}

@Suite struct NearNameTests {
    @Test func findsMisspellings() {
        let names = ["md_cluster", "md_mod", "raid1", "raid10", "dlm"]
        #expect(nearNames(to: "md_clutser", among: names) == ["md_cluster"])
        #expect(nearNames(to: "cluster", among: names) == ["md_cluster"])
        #expect(nearNames(to: "xfs_quota_thing", among: names).isEmpty)
        #expect(nearNames(to: "raid", among: names) == ["raid1", "raid10"])
    }
}
