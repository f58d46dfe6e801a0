// SPDX-License-Identifier: GPL-2.0
// A lock resource is used after it was freed.
@@
expression cinfo;
identifier lockres, f =~ "^(dlm_lock_sync|dlm_unlock_sync|dlm_lock_sync_interruptible)$";
@@
  lockres_free(cinfo->lockres);
  ... when != cinfo->lockres = ...
* f(cinfo->lockres, ...)
