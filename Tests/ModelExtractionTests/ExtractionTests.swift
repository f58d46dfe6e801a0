// SPDX-License-Identifier: GPL-2.0
import ModelExtraction
import Testing

@Suite struct ExtractionTests {
    private static let send = """
        static int send(struct mddev *mddev)
        {
            struct md_cluster_info *cinfo = mddev->cluster_info;
            int error, set = 0;

            if (!test_bit(MD_CLUSTER_HOLDING, &cinfo->state)) {
                set_bit(MD_CLUSTER_HOLDING, &cinfo->state);
                set = 1;
            }
            wait_event(cinfo->wait, !test_and_set_bit(MD_CLUSTER_SEND_LOCK, &cinfo->state));
            error = dlm_lock_sync(cinfo->token_lockres, 5);
            if (error)
                pr_err("no token");
            else
                mutex_lock(&cinfo->recv_mutex);
            if (set)
                clear_bit(MD_CLUSTER_HOLDING, &cinfo->state);
            return error;
        }
        """

    private func text(_ extraction: Extraction, _ function: String) -> String {
        extraction.residuals.values.filter { $0.function == function }.sorted { $0.name < $1.name }
            .map { ResidualText.lines(of: $0).map(\.text).joined(separator: "\n") }.joined(separator: "\n")
    }

    @Test func whatIsKnownIsWorkedOut() throws {
        let extraction = try SourceText.extraction(Self.send)
        #expect(extraction.errors.isEmpty)
        let send = text(extraction, "send")
        #expect(send.contains("wait_event(cinfo->wait, SEND_LOCK == 0);"))
        #expect(send.contains("dlm_lock_sync(token, 5);"))
        #expect(send.contains("HOLDING = 1;"))
        #expect(!send.contains("set"))
        #expect(text(extraction, "dlm_lock_sync").contains("= dlm_lock(token, EX);"))
    }

    @Test func everyStatementHasAFate() throws {
        let extraction = try SourceText.extraction(Self.send)
        let entries = extraction.statements.filter { $0.function == "send" }
        #expect(entries.count == 14)
        #expect(entries.filter { $0.fate == .modelled }.count == 12)
        #expect(entries.contains { $0.fate == .harmless("a log") })
        #expect(entries.contains { $0.fate == .harmless("it only declares") })
    }

    @Test(arguments: [
        // a rename
        ("error", "rv"), ("int error, set = 0;", "bool set = 0; int error;"), ("no token", "no TOKEN"),
        // a goto for an else
        (
            "    pr_err(\"no token\");\n    else\n        mutex_lock(&cinfo->recv_mutex);",
            "    goto out;\n    mutex_lock(&cinfo->recv_mutex);\nout:"
        ),
        // another kind of condition
        ("if (error)", "if (error != 0)"), ("if (set)", "if (set == 1)"),
    ])
    func whatNobodyNoticesIsTheSame(_ edit: (String, String)) throws {
        let now = Self.send.replacing(edit.0, with: edit.1)
        #expect(now != Self.send)
        let comparison = try SourceText.compare(Self.send, now)
        #expect(comparison.verdict == .same, "\(comparison.changes)")
    }

    @Test func aHelperIsTheSame() throws {
        let now = """
            static void hold(struct md_cluster_info *c, bool on)
            {
                if (on)
                    set_bit(MD_CLUSTER_HOLDING, &c->state);
                else
                    clear_bit(MD_CLUSTER_HOLDING, &c->state);
            }
            static bool is_held(struct md_cluster_info *c)
            {
                return test_bit(MD_CLUSTER_HOLDING, &c->state);
            }

            """
            + Self.send.replacing("!test_bit(MD_CLUSTER_HOLDING, &cinfo->state)", with: "!is_held(cinfo)")
            .replacing("clear_bit(MD_CLUSTER_HOLDING, &cinfo->state)", with: "hold(cinfo, 0)")
            .replacing("set_bit(MD_CLUSTER_HOLDING, &cinfo->state)", with: "hold(cinfo, 1)")
        let comparison = try SourceText.compare(Self.send, now)
        #expect(comparison.verdict == .same, "\(comparison.changes)")
    }

    @Test(arguments: [
        ("token_lockres, 5", "token_lockres, 3", "dlm_lock(token, PR)"),
        ("if (!test_bit(", "if (test_bit(", "HOLDING"),
        ("mutex_lock(&cinfo->recv_mutex)", "mutex_unlock(&cinfo->recv_mutex)", "mutex_unlock(recv_mutex)"),
        ("!test_and_set_bit(MD_CLUSTER_SEND_LOCK", "!test_bit(MD_CLUSTER_SEND_LOCK", "wait_event"),
        ("if (error)", "if (!error)", "mutex_lock(recv_mutex)"),
        ("set = 1;", "set = 0;", "returns"),
    ])
    func whatOthersNoticeIsAChange(_ edit: (old: String, new: String, sees: String)) throws {
        let now = Self.send.replacing(edit.old, with: edit.new)
        #expect(now != Self.send)
        let comparison = try SourceText.compare(Self.send, now)
        #expect(comparison.verdict == .changes)
        let steps = comparison.changes.flatMap { $0.was + $0.now }
        #expect(steps.contains { $0.text.contains(edit.sees) }, "\(steps)")
    }

    private static let window = """
        static void window(struct mddev *mddev, sector_t lo, sector_t hi)
        {
            struct md_cluster_info *cinfo = mddev->cluster_info;
            spin_lock_irq(&cinfo->suspend_lock);
            cinfo->suspend_lo = lo;
            cinfo->suspend_hi = hi;
            spin_unlock_irq(&cinfo->suspend_lock);
            set_bit(MD_RECOVERY_NEEDED, &mddev->recovery);
        }
        """

    @Test(arguments: [
        ("cinfo->suspend_lo = lo", "cinfo->suspend_lo = hi"), ("spin_lock_irq(&", "spin_lock(&"),
        (
            "cinfo->suspend_lo = lo;\n    cinfo->suspend_hi = hi;",
            "cinfo->suspend_hi = hi;\n    cinfo->suspend_lo = lo;"
        ),
        ("set_bit(MD", "__set_bit(MD"), ("spin_lock_irq", "helper_elsewhere(3); spin_lock_irq"),
        ("set_bit(MD", "asm volatile(\"\"); set_bit(MD"),
    ])
    func whatIsNotLookedAtIsNotDecided(_ edit: (String, String)) throws {
        let now = Self.window.replacing(edit.0, with: edit.1)
        #expect(now != Self.window)
        let comparison = try SourceText.compare(Self.window, now)
        #expect(comparison.verdict == .notDecided, "\(comparison)")
        let named = comparison.changes.flatMap { $0.was + $0.now }.contains { $0.line > 0 }
        #expect(named)
    }

    @Test func whatIsNotLookedAtMayBeRenamed() throws {
        let now = Self.window.replacing("cinfo", with: "info").replacing("sector_t lo", with: "sector_t low")
            .replacing("= lo;", with: "= low;")
        #expect(try SourceText.compare(Self.window, now).verdict == .same)
    }

    @Test func aReadBeforeAWaitIsNotOneAfterIt() throws {
        let was = """
            static void f(struct md_cluster_info *cinfo)
            {
                sector_t lo;
                mutex_lock(&cinfo->recv_mutex);
                lo = cinfo->suspend_lo;
                cinfo->suspend_hi = lo;
            }
            """
        let now = was.replacing(
            "mutex_lock(&cinfo->recv_mutex);\n    lo = cinfo->suspend_lo;",
            with: "lo = cinfo->suspend_lo;\n    mutex_lock(&cinfo->recv_mutex);")
        #expect(now != was)
        #expect(try SourceText.compare(was, now).verdict == .notDecided)
    }

    @Test func whatNoWayLeadsToIsNotDecided() throws {
        let was =
            "static int f(struct mddev *m)\n{\n if (m->bitmap_info.nodes == 77)\n  md_wakeup_thread(m->thread);\n return 0;\n}\n"
        let now = was.replacing("md_wakeup_thread(m->thread)", with: "set_bit(MD_X, &m->flags)")
        let comparison = try SourceText.compare(was, now)
        #expect(comparison.verdict == .notDecided)
        #expect(comparison.statements.contains { $0.fate.isUnknown })
    }

    @Test func aTableWithAnotherFunctionIsAChange() throws {
        let was =
            "static int a(struct mddev *m) { return 0; }\nstatic int b(struct mddev *m) { return 0; }\nstruct ops o = { .go = a };\n"
        let comparison = try SourceText.compare(was, was.replacing(".go = a", with: ".go = b"))
        #expect(comparison.verdict == .changes)
        #expect(comparison.changes.contains { $0.kind == .table && $0.entry == "ops.go" })
    }

    @Test func loopsOverSlotsAndDevicesEnd() throws {
        let extraction = try SourceText.extraction(
            """
            static int f(struct mddev *mddev)
            {
                struct md_rdev *rdev;
                int i, n = 0;
                for (i = 0; i < mddev->bitmap_info.nodes; i++) {
                    if (i == mddev->cluster_info->slot_number - 1)
                        continue;
                    md_wakeup_thread(mddev->thread);
                }
                rdev_for_each(rdev, mddev)
                    if (!test_bit(Faulty, &rdev->flags))
                        n = rdev->desc_nr;
                return n;
            }
            """)
        #expect(extraction.errors.isEmpty)
        let text = text(extraction, "f")
        #expect(text.contains("if (self != 0)"))
        #expect(text.contains("if (self != 2)"))
        #expect(text.contains("rdev-b.state"))
    }

    @Test(arguments: [
        ("static int f(int x) { return x ? f(x - 1) : 0; }\n", ExtractionError.Reason.recursion),
        (
            "static int f(struct mddev *m) { int i; for (i = 0; ; i++) if (test_bit(MD_X, &m->flags)) return i; }\n",
            .unboundedLoop
        ),
        (
            "static void f(struct md_cluster_info *c)\n{\n spin_lock(&c->suspend_lock);\n}\n",
            .spinLockHeld("&md_cluster_info.suspend_lock")
        ),
    ])
    func whatCannotBeFollowedIsNamed(_ text: String, _ reason: ExtractionError.Reason) throws {
        let extraction = try SourceText.extraction(text)
        #expect(extraction.errors.map(\.reason) == [reason])
        #expect(extraction.errors.first?.function == "f")
        #expect(try SourceText.compare(text, text).verdict == .same)
        let changed = text.replacing("f(", with: "/* */ f(").replacing("{", with: "{ md_wakeup_thread(0);")
        #expect(try SourceText.compare(text, changed).verdict == .notDecided)
        #expect(try SourceText.compare("static void f(void) { }\n", text).verdict != .same)
    }

    @Test func aGotoBackIsALoop() throws {
        let extraction = try SourceText.extraction(
            "static int f(struct mddev *m)\n{\n int e;\nagain:\n e = mutex_trylock(&m->flags);\n if (!e)\n  goto again;\n return e;\n}\n"
        )
        #expect(extraction.errors.isEmpty)
        #expect(text(extraction, "f").contains("goto L"))
    }

    @Test(arguments: ["", "objects: 3", "{", "objects: []\n", "\u{0}"])
    func garbageIsNoMeaning(_ text: String) {
        #expect(throws: MeaningError.self) { try Meaning(yaml: text) }
    }
}
