// SPDX-License-Identifier: GPL-2.0
// resync_finish gives up the resync lock before the last RESYNCING message, as before 41a950411265. Another node can take
// the lock and announce its window, which the late message then wipes out.
//
// Changes: md-cluster.c

@@
identifier cinfo, mddev, ret;
@@
 resync_finish(struct mddev *mddev)
 {
	...
+	dlm_unlock_sync(cinfo->resync_lockres);
	if (!test_bit(MD_CLOSING, &mddev->flags))
		ret = resync_info_update(mddev, 0, 0);
-	dlm_unlock_sync(cinfo->resync_lockres);
	return ret;
 }
