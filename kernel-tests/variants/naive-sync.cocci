// SPDX-License-Identifier: GPL-2.0
// The simplest way to handle METADATA_UPDATED synchronously: the receiving thread always takes reconfig_mutex. Its owner
// may be waiting for the token, whose holder waits for this thread's acknowledgement.
//
// Changes: md-cluster.c

@@
identifier mddev, got_lock, thread;
expression condition;
@@
 process_metadata_update(struct mddev *mddev, ...)
 {
	...
-	int got_lock = 0;
	...
-	wait_event(thread->wqueue, condition);
+	mddev_lock_nointr(mddev);
	md_reload_sb(mddev, mddev->good_device_nr);
-	if (got_lock)
-		mddev_unlock(mddev);
+	mddev_unlock(mddev);
 }
