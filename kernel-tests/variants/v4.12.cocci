// SPDX-License-Identifier: GPL-2.0
// MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD is set around the wait for the token only, after the wait for
// MD_CLUSTER_SEND_LOCK, as in v4.12 where synchronous handling was first merged; v5.11 (bca5b0658020) moved it. A
// thread that waits for a resync thread to give up MD_CLUSTER_SEND_LOCK holds reconfig_mutex without the bit.
//
// Changes: md-cluster.c

@@
identifier cinfo, rv;
statement S;
expression condition, E;
@@
 lock_comm(...)
 {
	...
-	if (E) S
	wait_event(cinfo->wait, condition);
+	if (E) S
	rv = lock_token(cinfo);
	...
 }
