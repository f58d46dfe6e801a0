// SPDX-License-Identifier: GPL-2.0
// HOT_REMOVE_DISK does not wait for the recovery thread. A REMOVE then reaches other nodes while their device still has
// its role, where md_check_recovery clears ClusterRemove without removing the device (repaired by 948b1fe12005).
// The 6.12 kernels have the repair: there this variant has nothing to change.
//
// Changes: md.c

@@
expression cmd, queue, condition, limit;
@@
 md_ioctl(...)
 {
	<...
-	if (cmd == HOT_REMOVE_DISK)
-		wait_event_interruptible_timeout(queue, condition, limit);
	...>
 }
