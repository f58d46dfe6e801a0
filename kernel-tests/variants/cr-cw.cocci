// SPDX-License-Identifier: GPL-2.0
// The sender keeps CR on message and receivers ask for EX before they acknowledge the next one, as before 66099bb0ee6c.
// With two receivers each waits for the other.
//
// Changes: md-cluster.c

@@
expression cinfo;
@@
 __sendmsg(...)
 {
	<...
	dlm_lock_sync(cinfo->message_lockres,
-		      DLM_LOCK_CW
+		      DLM_LOCK_CR
	)
	...>
 }

@@
identifier message_lockres;
@@
 recv_daemon(...)
 {
	<...
	dlm_lock_sync(message_lockres,
-		      DLM_LOCK_PR
+		      DLM_LOCK_EX
	)
	...>
 }
