// SPDX-License-Identifier: GPL-2.0
/*
 * Gates: hold a thread at the entry or return of a function of an instrumented module, until it is released.
 *
 * Modules that are compiled with -finstrument-functions call __cyg_profile_func_enter and __cyg_profile_func_exit, which
 * are here; so this module is loaded before them. Static functions call them too, and so do inlined ones, from wherever
 * they were inlined into. A gate only delays: it takes no lock over the sleep and changes nothing that md looks at.
 *
 *   /sys/kernel/debug/mdlab_gate/control   one line a write
 *     arm ID entry|return FUNCTION COMM LIMIT_MS [SKIP]
 *         COMM is a prefix of the thread's name, "*" any; SKIP hits pass first. Holds once.
 *     release ID    lets the thread go; a gate that nobody came to yet is spent
 *     disarm ID     the same, and forgets the gate
 *     reset         the same for all gates
 *     record on|off counts all hits of all functions, from zero
 *   errors: EINVAL a bad line, ENOENT a function that no loaded instrumented module has, ESRCH an unknown gate,
 *   EEXIST a gate of that name is armed or holds somebody, ENOSPC too many gates
 *
 *   .../gates    ID STATE FUNCTION entry|return COMM PID HITS SKIPPED HELD_MS THREAD
 *         STATE: armed; held; released; expired: the limit was over; atomic: it was hit where sleeping is forbidden.
 *         PID is 0 and THREAD (its name, with whatever blanks are in it) is "-" until a thread came.
 *   .../points   FUNCTION entry|return HITS ATOMIC FIRST_US MODULE COMM
 *         what was recorded, in the order of the first hits; ATOMIC counts those where sleeping is forbidden.
 */
#define pr_fmt(fmt) "mdlab_gate: " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/kallsyms.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/swait.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define CREATE_TRACE_POINTS
#include "mdlab_gate_trace.h"

#ifndef CONFIG_PREEMPT_COUNT
#error "mdlab_gate needs CONFIG_PREEMPT_COUNT: without it nothing says where sleeping is forbidden"
#endif

#define GATES 64
/* A static inline function has an address in every object file that uses it. */
#define ADDRESSES 24
#define POINTS 4096
#define FILTER_BITS 12
#define LONGEST_LIMIT_MS (10 * 60 * 1000)
#define LONGEST_LINE 256

enum gate_state { ARMED, HELD, RELEASED, EXPIRED, ATOMIC };
static const char *const state_names[] = { "armed", "held", "released", "expired", "atomic" };

struct gate {
	bool used;
	/* A thread is between being held and having gone: the slot cannot be used again yet. */
	bool occupied;
	bool go;
	enum gate_state state;
	char id[MDLAB_GATE_ID_LEN];
	char function[MDLAB_GATE_FUNCTION_LEN];
	char comm[TASK_COMM_LEN];
	bool at_return;
	unsigned long addresses[ADDRESSES];
	unsigned int address_count;
	unsigned int limit_ms;
	unsigned int skip, skipped, hits;
	pid_t pid;
	char thread[TASK_COMM_LEN];
	u64 since, held_ms;
	struct swait_queue_head wait;
};

struct point {
	unsigned long address;
	bool at_return;
	char comm[TASK_COMM_LEN];
	unsigned int hits, atomic;
	unsigned int order;
	u64 first;
};

/* Gates and points: taken in any context. */
static DEFINE_RAW_SPINLOCK(lock);
static struct gate gates[GATES];
static struct point *points;
static unsigned int point_count, points_lost;
static bool recording;
static u64 recording_since;

/* One bit for the addresses of one hash: all that a function costs that has no gate. */
static DECLARE_BITMAP(filter, 1 << FILTER_BITS);

/* One writer of `control` at a time; also protects the list of instrumented modules. */
static DEFINE_MUTEX(control_mutex);

struct instrumented {
	struct list_head list;
	struct module *module;
};
static LIST_HEAD(modules);

static struct dentry *folder;

static inline unsigned int bit_of(unsigned long address)
{
	return hash_long(address, FILTER_BITS);
}

static void update_filter(void)
{
	unsigned int i, k;

	lockdep_assert_held(&lock);
	if (recording) {
		bitmap_fill(filter, 1 << FILTER_BITS);
		return;
	}
	bitmap_zero(filter, 1 << FILTER_BITS);
	for (i = 0; i < GATES; i++) {
		if (!gates[i].used)
			continue;
		for (k = 0; k < gates[i].address_count; k++)
			__set_bit(bit_of(gates[i].addresses[k]), filter);
	}
}

static void let_go(struct gate *gate)
{
	lockdep_assert_held(&lock);
	if (gate->state == ARMED || gate->state == HELD)
		gate->state = RELEASED;
	WRITE_ONCE(gate->go, true);
	swake_up_one(&gate->wait);
}

/* ---- where the instrumented functions come by ---- */

static noinline void mdlab_gate_hold(struct gate *gate, const char *id, const char *function, bool at_return)
{
	unsigned long flags;
	const char *reason;
	u64 held_ms;

	trace_gate_hold(id, function, at_return);
	pr_info("%s: %s-%d held at %s of %s\n", id, current->comm, current->pid, at_return ? "return" : "entry", function);
	/*
	 * TASK_IDLE: no signal ends it, and neither the hung-task detector nor the load average counts it. A caller that was
	 * about to sleep finds itself running afterwards, as after any wakeup, and looks at its condition again.
	 */
	swait_event_idle_timeout_exclusive(gate->wait, READ_ONCE(gate->go), msecs_to_jiffies(gate->limit_ms));

	raw_spin_lock_irqsave(&lock, flags);
	if (gate->state == HELD)
		gate->state = EXPIRED;
	reason = state_names[gate->state];
	gate->held_ms = held_ms = div_u64(ktime_get_ns() - gate->since, NSEC_PER_MSEC);
	gate->occupied = false;
	raw_spin_unlock_irqrestore(&lock, flags);

	trace_gate_go(id, function, at_return, reason, held_ms);
	pr_info("%s: %s-%d goes on after %llu ms, %s\n", id, current->comm, current->pid, held_ms, reason);
}

static bool is_meant(const struct gate *gate, unsigned long address, bool at_return)
{
	unsigned int k;

	if (!gate->used || gate->at_return != at_return || strncmp(current->comm, gate->comm, strlen(gate->comm)))
		return false;
	for (k = 0; k < gate->address_count; k++)
		if (gate->addresses[k] == address)
			return true;
	return false;
}

static void record_hit(unsigned long address, bool at_return, bool may_sleep)
{
	unsigned int n, i = hash_long(address ^ at_return ^ (unsigned long)current->comm[4], 12) % POINTS;
	struct point *point;

	lockdep_assert_held(&lock);
	for (n = 0; n < POINTS; n++, i = (i + 1) % POINTS) {
		point = &points[i];
		if (!point->hits) {
			if (point_count > POINTS / 2)
				break;
			point->address = address;
			point->at_return = at_return;
			strscpy(point->comm, current->comm, TASK_COMM_LEN);
			point->order = point_count++;
			point->first = ktime_get_ns() - recording_since;
		} else if (point->address != address || point->at_return != at_return ||
			   strcmp(point->comm, current->comm)) {
			continue;
		}
		point->hits++;
		point->atomic += !may_sleep;
		return;
	}
	points_lost++;
}

static noinline void come_by(unsigned long address, bool at_return)
{
	/* Asked before our own lock makes it false. */
	bool may_sleep = !in_atomic() && !irqs_disabled() && !rcu_preempt_depth() && !is_idle_task(current);
	char id[MDLAB_GATE_ID_LEN], function[MDLAB_GATE_FUNCTION_LEN];
	struct gate *held = NULL, *refused = NULL;
	unsigned long flags;
	unsigned int i;

	if (in_nmi())
		return;
	raw_spin_lock_irqsave(&lock, flags);
	if (recording)
		record_hit(address, at_return, may_sleep);
	for (i = 0; i < GATES; i++) {
		struct gate *gate = &gates[i];

		if (!is_meant(gate, address, at_return))
			continue;
		gate->hits++;
		if (gate->state != ARMED || held || refused)
			continue;
		if (gate->skipped < gate->skip) {
			gate->skipped++;
			continue;
		}
		gate->pid = current->pid;
		strscpy(gate->thread, current->comm, TASK_COMM_LEN);
		strscpy(id, gate->id, sizeof(id));
		strscpy(function, gate->function, sizeof(function));
		if (may_sleep) {
			gate->state = HELD;
			gate->occupied = true;
			gate->since = ktime_get_ns();
			held = gate;
		} else {
			gate->state = ATOMIC;
			refused = gate;
		}
	}
	raw_spin_unlock_irqrestore(&lock, flags);

	if (refused)
		trace_gate_atomic(id, function, at_return);
	if (held)
		mdlab_gate_hold(held, id, function, at_return);
}

void notrace __cyg_profile_func_enter(void *function, void *caller);
void notrace __cyg_profile_func_exit(void *function, void *caller);

void notrace __cyg_profile_func_enter(void *function, void *caller)
{
	if (unlikely(test_bit(bit_of((unsigned long)function), filter)))
		come_by((unsigned long)function, false);
}
EXPORT_SYMBOL_GPL(__cyg_profile_func_enter);

void notrace __cyg_profile_func_exit(void *function, void *caller)
{
	if (unlikely(test_bit(bit_of((unsigned long)function), filter)))
		come_by((unsigned long)function, true);
}
EXPORT_SYMBOL_GPL(__cyg_profile_func_exit);

/* ---- the modules that call us ---- */

static bool calls_us(struct module *module)
{
	struct module_use *use;

	list_for_each_entry(use, &module->target_list, target_list)
		if (use->target == THIS_MODULE)
			return true;
	return false;
}

static int module_event(struct notifier_block *block, unsigned long event, void *data)
{
	struct module *module = data;
	struct instrumented *entry, *next;

	if (event == MODULE_STATE_COMING && calls_us(module)) {
		entry = kzalloc(sizeof(*entry), GFP_KERNEL);
		if (!entry)
			return notifier_from_errno(-ENOMEM);
		entry->module = module;
		mutex_lock(&control_mutex);
		list_add_tail(&entry->list, &modules);
		mutex_unlock(&control_mutex);
	} else if (event == MODULE_STATE_GOING) {
		mutex_lock(&control_mutex);
		list_for_each_entry_safe(entry, next, &modules, list) {
			if (entry->module == module) {
				list_del(&entry->list);
				kfree(entry);
			}
		}
		mutex_unlock(&control_mutex);
	}
	return NOTIFY_OK;
}

static struct notifier_block module_block = { .notifier_call = module_event };

/* All addresses of functions of that name in the instrumented modules; -ENOENT without one. */
static int find_function(const char *name, unsigned long *addresses)
{
	struct instrumented *entry;
	int count = 0;

	lockdep_assert_held(&control_mutex);
	list_for_each_entry(entry, &modules, list) {
		struct mod_kallsyms *symbols;
		unsigned int i;

		rcu_read_lock();
		symbols = rcu_dereference(entry->module->kallsyms);
		for (i = 1; symbols && i < symbols->num_symtab; i++) {
			const Elf_Sym *symbol = &symbols->symtab[i];

			if (symbol->st_shndx == SHN_UNDEF || (symbols->typetab[i] | 0x20) != 't' ||
			    strcmp(symbols->strtab + symbol->st_name, name))
				continue;
			if (count < ADDRESSES)
				addresses[count++] = symbol->st_value;
		}
		rcu_read_unlock();
	}
	return count ?: -ENOENT;
}

/* ---- control ---- */

static struct gate *find_gate(const char *id)
{
	unsigned int i;

	lockdep_assert_held(&lock);
	for (i = 0; i < GATES; i++)
		if (gates[i].used && !strcmp(gates[i].id, id))
			return &gates[i];
	return NULL;
}

static int arm(char **words, int count)
{
	unsigned long addresses[ADDRESSES];
	unsigned int limit_ms, skip = 0, i;
	struct gate *gate;
	bool at_return;
	int found, error = 0;
	char comm[TASK_COMM_LEN] = "";

	if (count < 6 || count > 7 || strlen(words[1]) >= MDLAB_GATE_ID_LEN || strlen(words[3]) >= MDLAB_GATE_FUNCTION_LEN)
		return -EINVAL;
	at_return = !strcmp(words[2], "return");
	if (!at_return && strcmp(words[2], "entry"))
		return -EINVAL;
	/* A longer name than the kernel keeps means the thread whose name was cut. */
	if (strcmp(words[4], "*"))
		strscpy(comm, words[4], sizeof(comm));
	if (kstrtouint(words[5], 10, &limit_ms) || !limit_ms || limit_ms > LONGEST_LIMIT_MS)
		return -EINVAL;
	if (count == 7 && kstrtouint(words[6], 10, &skip))
		return -EINVAL;
	found = find_function(words[3], addresses);
	if (found < 0)
		return found;

	raw_spin_lock_irq(&lock);
	gate = find_gate(words[1]);
	if (gate && (gate->state == ARMED || gate->state == HELD)) {
		error = -EEXIST;
		goto out;
	}
	if (gate && gate->occupied) {
		/* Its thread has been let go and is still on its way out: the old slot is forgotten. */
		gate->used = false;
		gate = NULL;
	}
	for (i = 0; !gate && i < GATES; i++)
		if (!gates[i].used && !gates[i].occupied)
			gate = &gates[i];
	if (!gate) {
		error = -ENOSPC;
		goto out;
	}
	gate->used = true;
	gate->go = false;
	gate->state = ARMED;
	strscpy(gate->id, words[1], sizeof(gate->id));
	strscpy(gate->function, words[3], sizeof(gate->function));
	strscpy(gate->comm, comm, sizeof(gate->comm));
	gate->at_return = at_return;
	memcpy(gate->addresses, addresses, sizeof(addresses));
	gate->address_count = found;
	gate->limit_ms = limit_ms;
	gate->skip = skip;
	gate->skipped = gate->hits = 0;
	gate->pid = 0;
	gate->thread[0] = 0;
	gate->held_ms = 0;
	update_filter();
out:
	raw_spin_unlock_irq(&lock);
	return error;
}

static int release(const char *id, bool forget)
{
	struct gate *gate;

	raw_spin_lock_irq(&lock);
	gate = find_gate(id);
	if (gate) {
		let_go(gate);
		if (forget)
			gate->used = false;
		update_filter();
	}
	raw_spin_unlock_irq(&lock);
	return gate ? 0 : -ESRCH;
}

static void reset(void)
{
	unsigned int i;

	raw_spin_lock_irq(&lock);
	for (i = 0; i < GATES; i++) {
		if (!gates[i].used)
			continue;
		let_go(&gates[i]);
		gates[i].used = false;
	}
	update_filter();
	raw_spin_unlock_irq(&lock);
}

static void record(bool on)
{
	raw_spin_lock_irq(&lock);
	if (on) {
		memset(points, 0, POINTS * sizeof(*points));
		point_count = points_lost = 0;
		recording_since = ktime_get_ns();
	}
	recording = on;
	update_filter();
	raw_spin_unlock_irq(&lock);
}

static int obey(char *line)
{
	char *words[8], *word;
	int count = 0;

	while ((word = strsep(&line, " \t\n"))) {
		if (!*word)
			continue;
		if (count == ARRAY_SIZE(words))
			return -EINVAL;
		words[count++] = word;
	}
	if (!count)
		return -EINVAL;
	if (!strcmp(words[0], "arm"))
		return arm(words, count);
	if (!strcmp(words[0], "release") && count == 2)
		return release(words[1], false);
	if (!strcmp(words[0], "disarm") && count == 2)
		return release(words[1], true);
	if (!strcmp(words[0], "reset") && count == 1) {
		reset();
		return 0;
	}
	if (!strcmp(words[0], "record") && count == 2) {
		if (strcmp(words[1], "on") && strcmp(words[1], "off"))
			return -EINVAL;
		record(!strcmp(words[1], "on"));
		return 0;
	}
	return -EINVAL;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t size, loff_t *position)
{
	char line[LONGEST_LINE], *newline;
	int error;

	if (!size || size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = 0;
	/* One line: whatever follows the first would be lost without a word. */
	newline = strchr(line, '\n');
	if (strlen(line) != size || (newline && newline[1]))
		return -EINVAL;
	mutex_lock(&control_mutex);
	error = obey(line);
	mutex_unlock(&control_mutex);
	return error ?: size;
}

static const struct file_operations control_operations = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = control_write,
	.llseek = noop_llseek,
};

static int gates_show(struct seq_file *file, void *unused)
{
	unsigned int i;

	for (i = 0; i < GATES; i++) {
		struct gate *gate = &gates[i];
		u64 held_ms;

		raw_spin_lock_irq(&lock);
		held_ms = gate->state == HELD ? div_u64(ktime_get_ns() - gate->since, NSEC_PER_MSEC) : gate->held_ms;
		if (gate->used)
			seq_printf(file, "%s %s %s %s %s %d %u %u %llu %s\n", gate->id, state_names[gate->state], gate->function,
				   gate->at_return ? "return" : "entry", *gate->comm ? gate->comm : "*", gate->pid, gate->hits,
				   gate->skipped, held_ms, *gate->thread ? gate->thread : "-");
		raw_spin_unlock_irq(&lock);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gates);

static int points_show(struct seq_file *file, void *unused)
{
	unsigned int order, i;
	struct point *sorted;

	/* A copy, so that the lock is not held over the names. */
	sorted = vcalloc(POINTS, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	raw_spin_lock_irq(&lock);
	order = point_count;
	for (i = 0; i < POINTS; i++)
		if (points[i].hits)
			sorted[points[i].order] = points[i];
	raw_spin_unlock_irq(&lock);
	for (i = 0; i < order; i++) {
		char name[KSYM_SYMBOL_LEN], *module;

		/* "function [module]" */
		snprintf(name, sizeof(name), "%ps", (void *)sorted[i].address);
		module = strchr(name, '[');
		name[strcspn(name, " ")] = 0;
		if (module) {
			module++;
			module[strcspn(module, "]")] = 0;
		}
		seq_printf(file, "%s %s %u %u %llu %s %s\n", name, sorted[i].at_return ? "return" : "entry", sorted[i].hits,
			   sorted[i].atomic, div_u64(sorted[i].first, NSEC_PER_USEC), module ?: "-", sorted[i].comm);
	}
	if (points_lost)
		seq_printf(file, "# %u hits of more functions were not counted\n", points_lost);
	vfree(sorted);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(points);

static int __init mdlab_gate_init(void)
{
	unsigned int i;
	int error;

	points = vcalloc(POINTS, sizeof(*points));
	if (!points)
		return -ENOMEM;
	for (i = 0; i < GATES; i++)
		init_swait_queue_head(&gates[i].wait);
	error = register_module_notifier(&module_block);
	if (error) {
		vfree(points);
		return error;
	}
	folder = debugfs_create_dir("mdlab_gate", NULL);
	debugfs_create_file("control", 0200, folder, NULL, &control_operations);
	debugfs_create_file("gates", 0400, folder, NULL, &gates_fops);
	debugfs_create_file("points", 0400, folder, NULL, &points_fops);
	return 0;
}

/* The instrumented modules are gone by now, since they need our symbols; threads may still be on their way out. */
static void __exit mdlab_gate_exit(void)
{
	unsigned int i;

	debugfs_remove(folder);
	unregister_module_notifier(&module_block);
	record(false);
	reset();
	for (i = 0; i < GATES; i++)
		while (READ_ONCE(gates[i].occupied))
			schedule_timeout_uninterruptible(1);
	vfree(points);
}

module_init(mdlab_gate_init);
module_exit(mdlab_gate_exit);
MODULE_DESCRIPTION("Holds threads at functions of instrumented modules");
MODULE_LICENSE("GPL");
