/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mdlab_gate

#if !defined(MDLAB_GATE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MDLAB_GATE_TRACE_H

#include <linux/tracepoint.h>

#ifndef MDLAB_GATE_NAMES
#define MDLAB_GATE_NAMES
#define MDLAB_GATE_ID_LEN 32
#define MDLAB_GATE_FUNCTION_LEN 64
#endif

/* Fixed arrays, not __string: the way to fill those differs between the kernels that this is built for. */

DECLARE_EVENT_CLASS(mdlab_gate_place,
	TP_PROTO(const char *id, const char *function, bool at_return),
	TP_ARGS(id, function, at_return),
	TP_STRUCT__entry(
		__array(char, id, MDLAB_GATE_ID_LEN)
		__array(char, function, MDLAB_GATE_FUNCTION_LEN)
		__field(unsigned char, at_return)
	),
	TP_fast_assign(
		strscpy(__entry->id, id, MDLAB_GATE_ID_LEN);
		strscpy(__entry->function, function, MDLAB_GATE_FUNCTION_LEN);
		__entry->at_return = at_return;
	),
	TP_printk("%s %s %s", __entry->id, __entry->at_return ? "return" : "entry", __entry->function)
);

/* The current thread sleeps at the gate. */
DEFINE_EVENT(mdlab_gate_place, gate_hold,
	TP_PROTO(const char *id, const char *function, bool at_return),
	TP_ARGS(id, function, at_return));

/* The current thread came to the gate where it must not sleep, and went on. */
DEFINE_EVENT(mdlab_gate_place, gate_atomic,
	TP_PROTO(const char *id, const char *function, bool at_return),
	TP_ARGS(id, function, at_return));

/* The current thread goes on; reason is "released" or "expired". */
TRACE_EVENT(gate_go,
	TP_PROTO(const char *id, const char *function, bool at_return, const char *reason, u64 held_ms),
	TP_ARGS(id, function, at_return, reason, held_ms),
	TP_STRUCT__entry(
		__array(char, id, MDLAB_GATE_ID_LEN)
		__array(char, function, MDLAB_GATE_FUNCTION_LEN)
		__field(unsigned char, at_return)
		__array(char, reason, 16)
		__field(u64, held_ms)
	),
	TP_fast_assign(
		strscpy(__entry->id, id, MDLAB_GATE_ID_LEN);
		strscpy(__entry->function, function, MDLAB_GATE_FUNCTION_LEN);
		__entry->at_return = at_return;
		strscpy(__entry->reason, reason, sizeof(__entry->reason));
		__entry->held_ms = held_ms;
	),
	TP_printk("%s %s %s: %s after %llu ms", __entry->id, __entry->at_return ? "return" : "entry",
		  __entry->function, __entry->reason, __entry->held_ms)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE mdlab_gate_trace
#include <trace/define_trace.h>
