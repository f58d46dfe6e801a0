/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MDLAB_CTRACECMD_SHIM_H
#define MDLAB_CTRACECMD_SHIM_H
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <linux/memfd.h>
#include <event-parse.h>
#include <trace-cmd/trace-cmd.h>

/* memfd_create(2), which Swift's Glibc module does not show. */
static inline int mdlab_memory_file(const char *name)
{
	return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC);
}
#endif
