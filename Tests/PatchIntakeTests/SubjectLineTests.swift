// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import PatchIntake

@Suite struct SubjectLineTests {
    @Test(
        arguments: [
            ("[PATCH] md: x", "md: x", nil, nil, 1, false),
            ("[PATCH v3 2/5] md-cluster: wait", "md-cluster: wait", 2, 5, 3, false),
            ("[RFC PATCHv2 00/12] md", "md", 0, 12, 2, false),
            ("[PATCH 6.1.y 1/1] md", "md", 1, 1, 1, false),
            ("[PATCH md-next, v4, 3/03] md", "md", 3, 3, 4, false),
            ("Re: [PATCH v2] md: x", "md: x", nil, nil, 2, true),
            ("AW: Re: [PATCH] md: x", "md: x", nil, nil, 1, true),
            ("[song] [PATCH 1/2] md: [x] y", "md: [x] y", 1, 2, 1, false),
        ] as [(String, String, Int?, Int?, Int, Bool)])
    func reads(text: String, title: String, number: Int?, total: Int?, version: Int, isReply: Bool) {
        let line = SubjectLine(text)
        #expect(line.title == title)
        #expect(line.number == number)
        #expect(line.total == total)
        #expect(line.version == version)
        #expect(line.isReply == isReply)
        #expect(line.isPatch)
    }

    @Test(arguments: [
        "", "[", "[]", "Re:", "hello", "[PATCH", "[1/0] x", "[9/3] x", "[v0] x", "[99999/99999] x", "[a/b] x",
    ])
    func takesNothingFromWhatIsNoPrefix(text: String) {
        let line = SubjectLine(text)
        #expect(line.number == nil)
        #expect(line.total == nil)
        #expect(line.version == 1)
        #expect(!line.isPatch || text.hasPrefix("[PATCH"))
    }

    @Test func writesWhatItReads() {
        for text in ["[PATCH] md: x", "[PATCH v3 2/5] md: x", "[PATCH 1/2] a b"] {
            #expect(SubjectLine(text).text == text)
        }
    }
}
