// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelBuild

@Suite struct StaticFindingTests {
    @Test func linesOfTheToolsAreRead() {
        let output = """
              CC [M]  /tmp/x/md-cluster.o
            /tmp/x/md-cluster.c: In function 'join':
            /tmp/x/md-cluster.c:885:9: warning: unused variable 'x' [-Wunused-variable]
            /tmp/x/md.c:12:3: warning: context imbalance in 'md_open' - unexpected unlock
            no line: at all
            /tmp/x/md.c:0:3: warning: line 0
            """
        let found = StaticFinding.read(output, tool: .sparse)
        #expect(
            found == [
                .init(
                    .compiler, file: "md-cluster.c", line: 885,
                    text: "warning: unused variable 'x' [-Wunused-variable]"),
                .init(
                    .sparse, file: "md.c", line: 12, text: "warning: context imbalance in 'md_open' - unexpected unlock"
                ),
            ])
        let style = StaticFinding.read("0001-x.patch:7: WARNING: Missing commit description\n", tool: .checkpatch)
        #expect(style.map(\.line) == [7] && style[0].file == "0001-x.patch")
    }

    @Test func whatASemanticPatchMarksIsFoundInItsFunction() {
        let difference = """
            --- /tmp/md-cluster.c
            +++ /tmp/cocci-output-1-md-cluster.c
            @@ -715,7 +715,6 @@ static int lock_comm(struct md_cluster_i
             	rv = lock_token(cinfo);
             	if (set_bit)
            -	return   rv;
             }
            """
        #expect(
            StaticFinding.read(difference: difference, file: "md-cluster.c", rule: "send-lock") == [
                .init(.coccinelle, file: "md-cluster.c", line: 717, text: "send-lock: lock_comm: return rv;")
            ])
        #expect(StaticFinding.read(difference: "garbage\n-without a head", file: "x", rule: "y").isEmpty)
    }

    @Test func onlyWhatIsNewIsSaid() {
        func finding(_ line: Int, _ text: String) -> StaticFinding {
            .init(.sparse, file: "md.c", line: line, text: text)
        }
        // The lines have moved; the second of a kind that was there once is new.
        let new = StaticFinding.new(
            [finding(12, "a"), finding(20, "a"), finding(30, "b")], baseline: [finding(10, "a"), finding(28, "c")])
        #expect(new == [finding(20, "a"), finding(30, "b")])
    }

    /// Each rule of kernel-tests/static finds the fault that it is for, and nothing in code without it.
    @Test(arguments: [
        ("send-lock", "if (lock_comm(cinfo, 1)) return -1; if (x) return -2; unlock_comm(cinfo); return 0;", 1),
        ("send-lock", "if (lock_comm(cinfo, 1)) return -1; unlock_comm(cinfo); return 0;", 0),
        (
            "holding-mutex",
            "test_and_set_bit_lock(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, &cinfo->state); if (x) return 1; "
                + "clear_bit_unlock(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, &cinfo->state); return 0;", 1
        ),
        (
            "recv-mutex",
            "mutex_lock(&cinfo->recv_mutex); if (x) return 1; mutex_unlock(&cinfo->recv_mutex); return 0;", 1
        ),
        ("recv-mutex", "mutex_lock(&cinfo->recv_mutex); mutex_unlock(&cinfo->recv_mutex); return 0;", 0),
        ("freed-lockres", "lockres_free(cinfo->token_lockres); dlm_unlock_sync(cinfo->token_lockres); return 0;", 1),
        ("freed-lockres", "dlm_unlock_sync(cinfo->token_lockres); lockres_free(cinfo->token_lockres); return 0;", 0),
    ])
    func theRulesFindWhatTheyAreFor(rule: String, body: String, count: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let statements = body.replacing("; ", with: ";\n\t")
        try "int f(struct md_cluster_info *cinfo, int x)\n{\n\t\(statements)\n}\n".write(
            to: folder.appending(path: "a.c"), atomically: true, encoding: .utf8)
        let rules = try ProjectFiles.locate().root + "/kernel-tests/static/\(rule).cocci"
        let said = try await Tool.spatch.output(
            ["--very-quiet", "--sp-file", rules, folder.appending(path: "a.c").path])
        try #require(said.succeeded, "\(said.errors)")
        #expect(StaticFinding.read(difference: said.text, file: "a.c", rule: rule).count == count)
    }
}
