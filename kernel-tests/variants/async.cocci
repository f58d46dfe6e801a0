// SPDX-License-Identifier: GPL-2.0
// METADATA_UPDATED is handled asynchronously: the receiving thread notes that the superblock is to be read again and
// wakes the md thread, whose md_check_recovery does it later under reconfig_mutex. So it was before "md-cluster: use
// sync way to handle METADATA_UPDATED msg". The sender goes on before the receiver has read anything.
//
// Changes: md.h md.c md-cluster.c

@ flag @
@@
enum mddev_flags {
	...,
	MD_BROKEN,
+	MD_RELOAD_SB,
	...
};

@ handler @
identifier mddev, got_lock, thread;
expression condition;
@@
 process_metadata_update(struct mddev *mddev, ...)
 {
	...
-	int got_lock = 0;
	...
-	wait_event(thread->wqueue, condition);
-	md_reload_sb(mddev, mddev->good_device_nr);
-	if (got_lock)
-		mddev_unlock(mddev);
+	set_bit(MD_RELOAD_SB, &mddev->flags);
+	md_wakeup_thread(mddev->thread);
 }

@ wanted @
identifier mddev;
@@
 md_check_recovery(struct mddev *mddev)
 {
	<...
-	(mddev->sb_flags & ~ (1<<MD_SB_CHANGE_PENDING))
+	(mddev->sb_flags & ~ (1<<MD_SB_CHANGE_PENDING)) || test_bit(MD_RELOAD_SB, &mddev->flags)
	...>
 }

@ reload @
identifier mddev;
expression rdev, tmp;
iterator name rdev_for_each_safe;
statement S;
@@
 md_check_recovery(struct mddev *mddev)
 {
	<...
	if (mddev_is_clustered(mddev)) {
		...
		rdev_for_each_safe(rdev, tmp, mddev) S
+		if (test_and_clear_bit(MD_RELOAD_SB, &mddev->flags))
+			md_reload_sb(mddev, mddev->good_device_nr);
	}
	...>
 }
