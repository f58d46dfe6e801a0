// SPDX-License-Identifier: GPL-2.0
// leave() does not say that it holds reconfig_mutex before it waits for the receiving thread to end. That thread may be
// waiting for the mutex to handle a METADATA_UPDATED.
//
// Changes: md-cluster.c

@@
@@
 leave(...)
 {
	...
-	set_bit(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, ...);
	...
 }
