/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before every source file of an instrumented build. The kernel's "inline" implies notrace, which is
 * no_instrument_function: without this a gate would not see what md.h and md-cluster.c declare inline (mddev_trylock).
 * The kernel's own headers stay uninstrumented, by -finstrument-functions-exclude-file-list.
 */
#include <linux/compiler_types.h>
#undef inline
#define inline inline __gnu_inline __inline_maybe_unused
