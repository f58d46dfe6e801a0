/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MDLAB_CTRACECMD_SHIM_H
#define MDLAB_CTRACECMD_SHIM_H
#include <stdlib.h>
#include <event-parse.h>
#include <trace-cmd/trace-cmd.h>
#endif
