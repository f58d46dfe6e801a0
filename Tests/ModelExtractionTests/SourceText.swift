// SPDX-License-Identifier: GPL-2.0
import CSource
import Foundation
import ModelExtraction

/// C texts with the structs of md-cluster in small, as clang and the overrides of the kernel's macros make them.
enum SourceText {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let preamble = """
        typedef _Bool bool;
        typedef unsigned long sector_t;
        struct mddev; struct md_thread { struct mddev *mddev; int wqueue; };
        struct dlm_lksb { int sb_status; int sb_lkid; char *sb_lvbptr; };
        struct dlm_lock_resource { void *ls; struct dlm_lksb lksb; char *name; unsigned flags; int sync_locking;
            bool sync_locking_done; int mode; };
        struct md_cluster_info { struct mddev *mddev; int slot_number; int recv_mutex; unsigned long state; int wait;
            struct dlm_lock_resource *token_lockres, *ack_lockres; sector_t suspend_lo, suspend_hi; int suspend_lock;
            struct md_thread *recv_thread; int newdisk_completion; };
        struct mddev { struct md_cluster_info *cluster_info; unsigned long recovery, flags; struct md_thread *thread;
            struct { int nodes; } bitmap_info; sector_t recovery_cp; };
        struct md_rdev { int raid_disk, desc_nr; unsigned long flags; };
        struct ops { int (*go)(struct mddev *); };
        extern int dlm_lock(void *, int, void *, unsigned, void *, unsigned, int, void *, void *, void *);
        extern void md_wakeup_thread(struct md_thread *); extern int mddev_trylock(struct mddev *);
        extern void helper_elsewhere(int); extern struct dlm_lock_resource *lockres_init(void *, char *, void *, int);
        #define MD_CLUSTER_SEND_LOCK 4
        #define MD_CLUSTER_HOLDING 8
        #define MD_RECOVERY_NEEDED 5
        #define MD_X 1
        #define Faulty 0
        static int dlm_lock_sync(struct dlm_lock_resource *res, int mode)
        {
            int ret = dlm_lock(res->ls, mode, &res->lksb, res->flags, res->name, 0, 0, 0, res, 0);
            if (ret)
                return ret;
            wait_event(res->sync_locking, res->sync_locking_done);
            res->sync_locking_done = 0;
            return res->lksb.sb_status;
        }
        static void init(struct mddev *mddev, struct md_cluster_info *cinfo)
        {
            cinfo->token_lockres = lockres_init(mddev, "token", 0, 0);
        }

        """

    static func unit(_ text: String) throws -> CUnit {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mdlab-x-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "test.c")
        let whole = preamble + text
        try whole.write(to: file, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "clang", "-w", "-fsyntax-only", "-include", root + "/kernel-tests/model/overrides.h", "-Xclang",
            "-ast-dump=json", file.path,
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let dump = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        return try ClangReader.unit(dump: dump, source: Data(whole.utf8), file: "test.c")
    }

    static func extraction(_ text: String) throws -> Extraction { try extraction(of: unit(text)) }

    static func extraction(of unit: CUnit) throws -> Extraction {
        let meaning = try String(contentsOfFile: root + "/kernel-tests/model/md-cluster.yaml", encoding: .utf8)
        let extraction = Extraction(unit, meaning: try Meaning(yaml: meaning))
        extraction.followAll()
        return extraction
    }

    static func compare(_ was: String, _ now: String) throws -> SourceComparison {
        SourceComparison(was: try extraction(was), now: try extraction(now))
    }
}
