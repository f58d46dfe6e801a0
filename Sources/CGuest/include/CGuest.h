/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MDLAB_CGUEST_H
#define MDLAB_CGUEST_H
#endif
