// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import NearNames

@Suite struct NameSuggestionTests {
    @Test(arguments: [
        ("asinc", ["async"]), ("asycn", ["async"]), ("naivesync", ["naive-sync"]), ("nothing-like-it-at-all", []),
        ("", []), (String(repeating: "x", count: 1000), []),
    ])
    func suggests(name: String, near: [String]) {
        #expect(NameSuggestions.of(name, among: ["async", "naive-sync", "no-wakeup", "stop-order"]) == near)
    }

    @Test func theNearestComesFirst() {
        #expect(NameSuggestions.of("6.2", among: ["6.12", "6.1", "7.4.4"]) == ["6.1", "6.12"])
    }

    @Test func distances() {
        #expect(NameSuggestions.distance([], Array("abc")) == 3)
        #expect(NameSuggestions.distance(Array("abc"), Array("abc")) == 0)
        #expect(NameSuggestions.distance(Array("abc"), Array("acb")) == 1)
        #expect(NameSuggestions.distance(Array("kitten"), Array("sitting")) == 3)
    }

    @Test func findsMisspellings() {
        let names = ["md_cluster", "md_mod", "raid1", "raid10", "dlm"]
        #expect(NameSuggestions.of("md_clutser", among: names) == ["md_cluster"])
        #expect(NameSuggestions.of("cluster", among: names) == ["md_cluster"])
        #expect(NameSuggestions.of("xfs_quota_thing", among: names).isEmpty)
        #expect(NameSuggestions.of("raid", among: names) == ["raid1", "raid10"])
    }
}
