// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import NearNames

@Suite struct NearNamesTests {
    @Test(arguments: [
        ("asinc", ["async"]), ("asycn", ["async"]), ("naivesync", ["naive-sync"]), ("nothing-like-it-at-all", []),
        ("", []), (String(repeating: "x", count: 1000), []),
    ])
    func suggests(name: String, near: [String]) {
        #expect(NearNames.of(name, among: ["async", "naive-sync", "no-wakeup", "stop-order"]) == near)
    }

    @Test func theNearestComesFirst() {
        #expect(NearNames.of("6.2", among: ["6.12", "6.1", "7.4.4"]) == ["6.1", "6.12"])
    }

    @Test func distances() {
        #expect(NearNames.distance([], Array("abc")) == 3)
        #expect(NearNames.distance(Array("abc"), Array("abc")) == 0)
        #expect(NearNames.distance(Array("abc"), Array("acb")) == 1)
        #expect(NearNames.distance(Array("kitten"), Array("sitting")) == 3)
    }

    @Test func findsMisspellings() {
        let names = ["md_cluster", "md_mod", "raid1", "raid10", "dlm"]
        #expect(NearNames.of("md_clutser", among: names) == ["md_cluster"])
        #expect(NearNames.of("cluster", among: names) == ["md_cluster"])
        #expect(NearNames.of("xfs_quota_thing", among: names).isEmpty)
        #expect(NearNames.of("raid", among: names) == ["raid1", "raid10"])
    }
}
