/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MDLAB_CKMOD_SHIM_H
#define MDLAB_CKMOD_SHIM_H
#include <libkmod.h>
#endif
