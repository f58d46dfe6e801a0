// SPDX-License-Identifier: GPL-2.0
// MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD is set, but nobody is woken: a receiving thread that already waits for the mutex
// never looks at the bit.
//
// Changes: md-cluster.c

@@
@@
 lock_comm(...)
 {
	<...
-	md_wakeup_thread(...);
	...>
 }

@@
@@
 metadata_update_start(...)
 {
	<...
-	md_wakeup_thread(...);
	...>
 }
