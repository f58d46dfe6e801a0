// SPDX-License-Identifier: GPL-2.0
// A NEWDISK that nobody answers is an error of its handler, as since 1bbe254e4336. The receiving thread then skips giving
// up its lock on ack, and the whole cluster waits for it.
// Kernels since v6.7 are so themselves: there this variant has nothing to change.
//
// Changes: md-cluster.c

@ handler @
identifier cinfo;
expression limit;
@@
-void
+int
 process_add_new_disk(...)
 {
+	int answered;
	...
	struct md_cluster_info *cinfo = ...;
	...
-	wait_for_completion_timeout(&cinfo->newdisk_completion, limit);
+	answered = wait_for_completion_timeout(&cinfo->newdisk_completion, limit) != 0;
	clear_bit(...);
+	return answered ? 0 : -1;
 }

@ caller depends on handler @
identifier ret;
expression a, b;
@@
 process_recvd_msg(...)
 {
	int ret = 0;
	<...
-	process_add_new_disk(a, b);
+	ret = process_add_new_disk(a, b);
	...>
 }
