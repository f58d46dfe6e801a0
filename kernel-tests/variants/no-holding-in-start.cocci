// SPDX-License-Identifier: GPL-2.0
// metadata_update_start does not say that it holds reconfig_mutex while it waits for the token. A METADATA_UPDATED that
// arrives meanwhile can be handled neither with the mutex nor without, and its sender never gets the acknowledgement
// that would make it give up the token.
//
// Changes: md-cluster.c

@@
identifier ret;
@@
 metadata_update_start(...)
 {
	...
-	ret = test_and_set_bit_lock(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, ...);
-	WARN_ON_ONCE(ret);
	...
 }
