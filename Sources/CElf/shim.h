/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MDLAB_CELF_SHIM_H
#define MDLAB_CELF_SHIM_H
#include <libelf.h>
#include <gelf.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#endif
