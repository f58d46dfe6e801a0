// SPDX-License-Identifier: GPL-2.0
// dlm_lock_sync gives up after 30 seconds and says so, __sendmsg passes errors on (fff42f213824, v6.11), and a NEWDISK that
// nobody answers is an error of its handler, which then keeps its lock on ack (1bbe254e4336). Who gives up leaves its
// conversion in DLM; when that is granted after all, sync_locking_done is set with nobody waiting for it.
// The 6.12 kernels are so themselves: there this variant has nothing to change.
//
// Changes: md-cluster.c

@ gives_up @
identifier ret, res, mode;
expression queue, done, no;
@@
 dlm_lock_sync(struct dlm_lock_resource *res, int mode)
 {
	int ret = 0;
	...
-	wait_event(queue, done);
+	ret = wait_event_timeout(queue, done, 30 * HZ);
	done = no;
+	if (!ret) {
+		pr_err("locking DLM '%s' timeout!\n", res->name);
+		return -EBUSY;
+	}
	...
 }

@ send @
identifier cinfo, error;
@@
 __sendmsg(struct md_cluster_info *cinfo, ...)
 {
	int error;
+	int unlock_error;
	<...
-	goto failed_message;
+	return error;
	...>
 }

@ unlock @
expression cinfo;
identifier error;
@@
-	error = dlm_unlock_sync(cinfo->message_lockres);
-	if (unlikely(error != 0))
+	unlock_error = dlm_unlock_sync(cinfo->message_lockres);
+	if (unlikely(unlock_error != 0))
 	{
		pr_err(...,
-			error
+			unlock_error
		);
		...
	}

@ label depends on send @
identifier error;
@@
 __sendmsg(...)
 {
	<...
-failed_message:
	return error;
	...>
 }

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
+	if (!answered)
+		pr_err("md-cluster(%s:%d): timeout on a new disk adding\n", __func__, __LINE__);
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
