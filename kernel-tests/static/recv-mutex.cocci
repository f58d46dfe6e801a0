// SPDX-License-Identifier: GPL-2.0
// recv_mutex is taken and the function returns with it held.
@@
expression cinfo;
@@
  mutex_lock(&cinfo->recv_mutex);
  ... when != mutex_unlock(&cinfo->recv_mutex)
* return ...;
