// SPDX-License-Identifier: GPL-2.0
/*
 * What modules call that are compiled with -fprofile-arcs (gcov) on a kernel without CONFIG_GCOV_KERNEL.
 *
 * Nothing is collected here. The counters are objects of the modules themselves (__gcov0.FUNCTION), and mdlab reads them
 * out of the node's memory. Such a kernel does not run module constructors either, so nobody calls these functions; the
 * modules only refer to them.
 */
#include <linux/module.h>

struct gcov_info;

void __gcov_init(struct gcov_info *info);
void __gcov_exit(void);
void __gcov_merge_add(long long *counters, unsigned int count);

void __gcov_init(struct gcov_info *info)
{
}
EXPORT_SYMBOL_GPL(__gcov_init);

void __gcov_exit(void)
{
}
EXPORT_SYMBOL_GPL(__gcov_exit);

void __gcov_merge_add(long long *counters, unsigned int count)
{
}
EXPORT_SYMBOL_GPL(__gcov_merge_add);

MODULE_DESCRIPTION("Lets modules with gcov counters be loaded");
MODULE_LICENSE("GPL");
