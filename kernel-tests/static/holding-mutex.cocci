// SPDX-License-Identifier: GPL-2.0
// HOLDING_MUTEX_FOR_RECVD is set and the function returns with the bit still set. leave() and join's error way never clear
// it: there the array ends.
@@
expression state;
@@
  test_and_set_bit_lock(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, state)
  ... when != clear_bit_unlock(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, state)
      when != clear_bit(MD_CLUSTER_HOLDING_MUTEX_FOR_RECVD, state)
* return ...;
