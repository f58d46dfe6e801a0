/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's macros as calls, so that clang's tree has what was written: what a wait waits for, the name of a bit,
 * which lock. Comes after all headers of a file; the file itself is read unchanged behind it.
 */
#ifndef MDLAB_OVERRIDES_H
#define MDLAB_OVERRIDES_H

/* The first argument is the name that the source uses, where several are alike. */

/* Waiting. The condition stays an argument: it is looked at again and again. */
extern long mdlab_wait_event(const char *as, const void *queue, long condition);
extern long mdlab_wait_event_timeout(const char *as, const void *queue, long condition, long time);
extern void mdlab_wake_up(const char *as, const void *queue);
extern void mdlab_init_completion(const void *completion);
#undef wait_event
#undef wait_event_interruptible
#undef wait_event_killable
#undef wait_event_freezable
#undef wait_event_idle
#undef wait_event_timeout
#undef wait_event_interruptible_timeout
#undef wait_event_lock_irq
#undef wait_event_cmd
#undef wake_up
#undef wake_up_all
#undef wake_up_interruptible
#undef init_waitqueue_head
#undef init_completion
#define wait_event(q, c)		mdlab_wait_event("wait_event", &(q), !!(c))
#define wait_event_interruptible(q, c)	mdlab_wait_event("wait_event_interruptible", &(q), !!(c))
#define wait_event_killable(q, c)	mdlab_wait_event("wait_event_killable", &(q), !!(c))
#define wait_event_freezable(q, c)	mdlab_wait_event("wait_event_freezable", &(q), !!(c))
#define wait_event_idle(q, c)		mdlab_wait_event("wait_event_idle", &(q), !!(c))
#define wait_event_timeout(q, c, t)	mdlab_wait_event_timeout("wait_event_timeout", &(q), !!(c), (t))
#define wait_event_interruptible_timeout(q, c, t) mdlab_wait_event_timeout("wait_event_interruptible_timeout", &(q), !!(c), (t))
#define wait_event_lock_irq(q, c, l)	mdlab_wait_event("wait_event_lock_irq", &(q), !!(c))
#define wait_event_cmd(q, c, a, b)	mdlab_wait_event("wait_event_cmd", &(q), !!(c))
#define wake_up(q)			mdlab_wake_up("wake_up", q)
#define wake_up_all(q)			mdlab_wake_up("wake_up_all", q)
#define wake_up_interruptible(q)	mdlab_wake_up("wake_up_interruptible", q)
#define init_waitqueue_head(q)		mdlab_init(q)
#define init_completion(c)		mdlab_init_completion(c)

/* Bits, with the name that the source has for them. */
extern void mdlab_set_bit(const char *as, const char *name, long nr, const volatile void *word);
extern void mdlab_clear_bit(const char *as, const char *name, long nr, const volatile void *word);
extern int mdlab_test_bit(const char *as, const char *name, long nr, const volatile void *word);
extern int mdlab_test_and_set_bit(const char *as, const char *name, long nr, const volatile void *word);
extern int mdlab_test_and_clear_bit(const char *as, const char *name, long nr, const volatile void *word);
#undef set_bit
#undef __set_bit
#undef clear_bit
#undef __clear_bit
#undef clear_bit_unlock
#undef test_bit
#undef test_bit_acquire
#undef test_and_set_bit
#undef test_and_set_bit_lock
#undef test_and_clear_bit
#define set_bit(n, w)			mdlab_set_bit("set_bit", #n, n, w)
#define __set_bit(n, w)			mdlab_set_bit("__set_bit", #n, n, w)
#define clear_bit(n, w)			mdlab_clear_bit("clear_bit", #n, n, w)
#define __clear_bit(n, w)		mdlab_clear_bit("__clear_bit", #n, n, w)
#define clear_bit_unlock(n, w)		mdlab_clear_bit("clear_bit_unlock", #n, n, w)
#define test_bit(n, w)			mdlab_test_bit("test_bit", #n, n, w)
#define test_bit_acquire(n, w)		mdlab_test_bit("test_bit_acquire", #n, n, w)
#define test_and_set_bit(n, w)		mdlab_test_and_set_bit("test_and_set_bit", #n, n, w)
#define test_and_set_bit_lock(n, w)	mdlab_test_and_set_bit("test_and_set_bit_lock", #n, n, w)
#define test_and_clear_bit(n, w)	mdlab_test_and_clear_bit("test_and_clear_bit", #n, n, w)

/* Locks of one node. */
extern void mdlab_mutex_lock(const char *as, const void *mutex);
extern void mdlab_mutex_unlock(const void *mutex);
extern int mdlab_mutex_trylock(const char *as, const void *mutex);
extern void mdlab_spin_lock(const char *as, const void *lock);
extern void mdlab_spin_unlock(const char *as, const void *lock);
extern void mdlab_rcu_read_lock(void);
extern void mdlab_rcu_read_unlock(void);
extern void mdlab_init(const void *what);
#undef mutex_lock
#undef mutex_lock_nested
#undef mutex_unlock
#undef mutex_trylock
#undef mutex_init
#undef spin_lock
#undef spin_lock_irq
#undef spin_lock_irqsave
#undef spin_lock_bh
#undef spin_unlock
#undef spin_unlock_irq
#undef spin_unlock_irqrestore
#undef spin_unlock_bh
#undef spin_lock_init
#undef rcu_read_lock
#undef rcu_read_unlock
#define mutex_lock(m)			mdlab_mutex_lock("mutex_lock", m)
#define mutex_lock_nested(m, c)		mdlab_mutex_lock("mutex_lock_nested", m)
#define mutex_unlock(m)			mdlab_mutex_unlock(m)
#define mutex_trylock(m)		mdlab_mutex_trylock("mutex_trylock", m)
#define mutex_init(m)			mdlab_init(m)
#define spin_lock(l)			mdlab_spin_lock("spin_lock", l)
#define spin_lock_irq(l)		mdlab_spin_lock("spin_lock_irq", l)
#define spin_lock_irqsave(l, f)		mdlab_spin_lock("spin_lock_irqsave", l)
#define spin_lock_bh(l)			mdlab_spin_lock("spin_lock_bh", l)
#define spin_unlock(l)			mdlab_spin_unlock("spin_unlock", l)
#define spin_unlock_irq(l)		mdlab_spin_unlock("spin_unlock_irq", l)
#define spin_unlock_irqrestore(l, f)	mdlab_spin_unlock("spin_unlock_irqrestore", l)
#define spin_unlock_bh(l)		mdlab_spin_unlock("spin_unlock_bh", l)
#define spin_lock_init(l)		mdlab_init(l)
#define rcu_read_lock()			mdlab_rcu_read_lock()
#define rcu_read_unlock()		mdlab_rcu_read_unlock()

/* Lists of md: the devices of an array. */
extern long mdlab_iterate(const void *cursor, const void *list);
#undef rdev_for_each
#undef rdev_for_each_safe
#undef rdev_for_each_rcu
#undef list_for_each_entry
#undef list_for_each_entry_safe
#undef list_for_each_entry_rcu
#define rdev_for_each(r, m)		for ((r) = (void *)0; mdlab_iterate((r), (m)); )
#define rdev_for_each_safe(r, t, m)	for ((r) = (void *)0; mdlab_iterate((r), (m)); )
#define rdev_for_each_rcu(r, m)		for ((r) = (void *)0; mdlab_iterate((r), (m)); )
#define list_for_each_entry(p, h, f)	for ((p) = (void *)0; mdlab_iterate((p), (h)); )
#define list_for_each_entry_safe(p, t, h, f) for ((p) = (void *)0; mdlab_iterate((p), (h)); )
#define list_for_each_entry_rcu(p, h, f, ...) for ((p) = (void *)0; mdlab_iterate((p), (h)); )
#undef INIT_LIST_HEAD
#define INIT_LIST_HEAD(l)		mdlab_init(l)

/* What is said if something is not as it should be. */
extern int mdlab_warn_on(long condition, const char *text);
extern void mdlab_log(const char *format, ...);
#undef WARN
#undef WARN_ON
#undef WARN_ONCE
#undef WARN_ON_ONCE
#undef BUG_ON
#define WARN(c, ...)			mdlab_warn_on(!!(c), #c)
#define WARN_ON(c)			mdlab_warn_on(!!(c), #c)
#define WARN_ONCE(c, ...)		mdlab_warn_on(!!(c), #c)
#define WARN_ON_ONCE(c)			mdlab_warn_on(!!(c), #c)
#define BUG_ON(c)			((void)mdlab_warn_on(!!(c), #c))
#undef printk
#undef pr_emerg
#undef pr_alert
#undef pr_crit
#undef pr_err
#undef pr_warn
#undef pr_notice
#undef pr_info
#undef pr_debug
#undef pr_cont
#undef pr_devel
#undef pr_err_once
#undef pr_warn_once
#undef pr_info_once
#undef pr_err_ratelimited
#undef pr_warn_ratelimited
#undef pr_info_ratelimited
#undef pr_debug_ratelimited
#undef printk_ratelimited
#define printk(...)			mdlab_log("" __VA_ARGS__)
#define pr_emerg(...)			mdlab_log(__VA_ARGS__)
#define pr_alert(...)			mdlab_log(__VA_ARGS__)
#define pr_crit(...)			mdlab_log(__VA_ARGS__)
#define pr_err(...)			mdlab_log(__VA_ARGS__)
#define pr_warn(...)			mdlab_log(__VA_ARGS__)
#define pr_notice(...)			mdlab_log(__VA_ARGS__)
#define pr_info(...)			mdlab_log(__VA_ARGS__)
#define pr_debug(...)			mdlab_log(__VA_ARGS__)
#define pr_cont(...)			mdlab_log(__VA_ARGS__)
#define pr_devel(...)			mdlab_log(__VA_ARGS__)
#define pr_err_once(...)		mdlab_log(__VA_ARGS__)
#define pr_warn_once(...)		mdlab_log(__VA_ARGS__)
#define pr_info_once(...)		mdlab_log(__VA_ARGS__)
#define pr_err_ratelimited(...)		mdlab_log(__VA_ARGS__)
#define pr_warn_ratelimited(...)	mdlab_log(__VA_ARGS__)
#define pr_info_ratelimited(...)	mdlab_log(__VA_ARGS__)
#define pr_debug_ratelimited(...)	mdlab_log(__VA_ARGS__)
#define printk_ratelimited(...)		mdlab_log(__VA_ARGS__)

/* Memory, which there is always enough of. */
extern void *mdlab_alloc(const char *what);
extern void mdlab_free(const void *what);
#undef kmalloc
#undef kzalloc
#undef kcalloc
#undef kmalloc_array
#undef kvmalloc
#undef kvzalloc
#undef kmalloc_obj
#undef kmalloc_objs
#undef kzalloc_obj
#undef kzalloc_objs
#undef kfree
#undef kvfree
#undef kfree_rcu
#define kmalloc(...)			mdlab_alloc(#__VA_ARGS__)
#define kzalloc(...)			mdlab_alloc(#__VA_ARGS__)
#define kcalloc(...)			mdlab_alloc(#__VA_ARGS__)
#define kmalloc_array(...)		mdlab_alloc(#__VA_ARGS__)
#define kvmalloc(...)			mdlab_alloc(#__VA_ARGS__)
#define kvzalloc(...)			mdlab_alloc(#__VA_ARGS__)
#define kmalloc_obj(...)		mdlab_alloc(#__VA_ARGS__)
#define kmalloc_objs(...)		mdlab_alloc(#__VA_ARGS__)
#define kzalloc_obj(...)		mdlab_alloc(#__VA_ARGS__)
#define kzalloc_objs(...)		mdlab_alloc(#__VA_ARGS__)
#define kfree(p)			mdlab_free(p)
#define kvfree(p)			mdlab_free(p)
#define kfree_rcu(p, ...)		mdlab_free(p)
#undef memcpy
#undef memset
#undef strlen
#define memcpy(d, s, n)			__builtin_memcpy(d, s, n)
#define memset(d, c, n)			__builtin_memset(d, c, n)
#define strlen(s)			__builtin_strlen(s)

/* Pointers and numbers that are what is in them. */
extern int mdlab_is_err(const void *pointer);
#undef IS_ERR
#undef IS_ERR_OR_NULL
#undef READ_ONCE
#undef WRITE_ONCE
#undef rcu_dereference
#undef rcu_dereference_protected
#undef rcu_access_pointer
#undef rcu_assign_pointer
#undef likely
#undef unlikely
#undef cpu_to_le32
#undef cpu_to_le64
#undef le32_to_cpu
#undef le64_to_cpu
#define IS_ERR(p)			mdlab_is_err(p)
#define IS_ERR_OR_NULL(p)		mdlab_is_err(p)
#define READ_ONCE(x)			(x)
#define WRITE_ONCE(x, v)		((x) = (v))
#define rcu_dereference(p)		(p)
#define rcu_dereference_protected(p, c)	(p)
#define rcu_access_pointer(p)		(p)
#define rcu_assign_pointer(p, v)	((p) = (v))
#define likely(x)			(x)
#define unlikely(x)			(x)
#define cpu_to_le32(x)			(x)
#define cpu_to_le64(x)			(x)
#define le32_to_cpu(x)			(x)
#define le64_to_cpu(x)			(x)
#endif
