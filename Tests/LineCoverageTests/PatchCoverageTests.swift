// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import LineCoverage

@Suite struct PatchCoverageTests {
    /// Line 100 on of a file that is made up.
    private static let diff = """
        --- a/drivers/md/md-cluster.c
        +++ b/drivers/md/md-cluster.c
        @@ -100,15 +100,20 @@ static int metadata_update_start(struct mddev *mddev)
         	struct md_cluster_info *cinfo = mddev->cluster_info;
         	int ret;
         
        +	/* a comment */
        +	if (unlikely(test_bit(1, &cinfo->state) &&
        +		     mddev->in_sync)) {
        +		forget(cinfo);
        +	}
         	mutex_lock(&cinfo->recv_mutex);
        -	wake_up(&cinfo->wait);
         	if (ret) {
         		log(ret);
        -		unlock_comm(cinfo);
         	}
         	return ret;
         }
         
        +#define WAIT (2 * HZ)
        +
         static void other(void)
         {
         	x = 1;

        """

    private func coverage(_ lines: [Int: UInt64], branches: [Int: [UInt64]] = [:]) throws -> PatchCoverage {
        var file = LineCounts.File()
        (file.lines, file.branches) = (lines, branches)
        file.functions = [
            "metadata_update_start": .init(line: 99, end: 113, count: 3), "other": .init(line: 117, end: 120, count: 0),
        ]
        var counts = LineCounts()
        counts.files["drivers/md/md-cluster.c"] = file
        return try PatchCoverage(ChangedSource(diff: [UInt8](Self.diff.utf8)), counts)
    }

    @Test func placesAreWhereThePatchedFileHasThem() throws {
        let source = try ChangedSource(diff: [UInt8](Self.diff.utf8))
        #expect(source.places.map(\.line) == [103, 104, 105, 106, 107, 109, 111, 115, 116])
        #expect(source.places[5].kind == .removed(1) && source.places[5].text == "wake_up(&cinfo->wait);")
        #expect(source.places[6].text == "unlock_comm(cinfo);")
        #expect(try ChangedSource(diff: []).places.isEmpty)
        #expect(throws: (any Error).self) { try ChangedSource(diff: [UInt8]("no difference".utf8)) }
    }

    @Test func whatRanAndWhatNeverDid() throws {
        let states = try coverage([104: 3, 106: 0, 108: 3, 109: 3, 110: 0, 112: 3], branches: [104: [3, 0]])
        #expect(
            states.places.map(\.state) == [
                .noCode, .ran(3), .ran(3), .neverRan, .noCode, .ran(3), .neverRan, .usedElsewhere, .noCode,
            ])
        #expect(states.neverRan.map(\.change.line) == [106, 111])
        #expect(states.functions == ["metadata_update_start"])
        #expect(states.places[1].oneWay && states.places[1].function == "metadata_update_start")
        // A line before a closing brace was taken out of the block, not out of what follows it.
        #expect(try coverage([104: 1, 110: 5, 112: 0]).places[6].state == .ran(5))
    }

    @Test func aFileThatWasNotCountedIsNotSaidToHaveRun() throws {
        let none = PatchCoverage(try ChangedSource(diff: [UInt8](Self.diff.utf8)), LineCounts())
        #expect(none.ran.isEmpty && none.neverRan.isEmpty && none.usedElsewhere.count == 6)
    }
}

@Suite struct TraceFileTests {
    private var counts: LineCounts {
        var file = LineCounts.File()
        file.lines = [10: 4, 11: 0]
        file.branches = [10: [4, 0]]
        file.functions = ["unlock_comm": .init(line: 9, end: 12, count: 4), "gone": .init(line: 20, count: 0)]
        var counts = LineCounts()
        counts.files = ["drivers/md/md-cluster.c": file, "drivers/md/md.c": .init()]
        return counts
    }

    @Test func isReadAsItWasWritten() throws {
        let text = counts.traceFile(comments: ["node2: not counted"])
        #expect(text.hasPrefix("# node2: not counted\nSF:drivers/md/md-cluster.c\n"))
        #expect(try LineCounts(traceFile: text, file: "x") == counts)
        #expect(try LineCounts(traceFile: "", file: "x") == LineCounts())
        #expect(counts.functionsThatRan == ["unlock_comm": 4])
    }

    @Test func whatOthersWroteIsReadToo() throws {
        let text = "TN:\nSF:a.c\nFN:3,main\nFNDA:1,main\nFNF:1\nBRDA:4,0,0,-\nDA:4,0,hash\nLF:1\nend_of_record\n"
        let file = try #require(try LineCounts(traceFile: text, file: "x").files["a.c"])
        #expect(file.lines == [4: 0] && file.branches == [4: [0]] && file.functions["main"]?.count == 1)
    }

    @Test(arguments: [
        ("nothing", "line 1 is no line of a tracefile"), ("SF:a\nDA:x,1", "line 2 is not a line of numbers"),
        ("SF:a\nDA:1,1", "its last record has no end"), ("end_of_record", "line 1 ends a record that none began"),
        ("SF:a\nFNDA:1,f", "line 2 is not a line of numbers"), ("SF:a\nBRDA:1,2", "line 2 is not a line of numbers"),
    ])
    func garbageIsNamed(text: String, what: String) {
        #expect(throws: LineCoverageError.damaged(file: "x.info", what: what)) {
            try LineCounts(traceFile: text, file: "x.info")
        }
    }
}
