// SPDX-License-Identifier: GPL-2.0
// A function that has got the send channel (SEND_LOCK and token EX) and returns without giving it back, and without
// leaving it to whoever updates the metadata next.
@@
expression cinfo, locked;
identifier r;
@@
(
  r = lock_comm(cinfo, locked);
|
  if (lock_comm(cinfo, locked)) { ... return ...; }
|
  if (lock_comm(cinfo, locked))
      return ...;
)
  ... when != unlock_comm(cinfo)
      when != set_bit(MD_CLUSTER_SEND_LOCKED_ALREADY, ...)
* return ...;
