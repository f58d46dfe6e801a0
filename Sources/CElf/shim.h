/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MDLAB_CELF_SHIM_H
#define MDLAB_CELF_SHIM_H
#include <libelf.h>
#include <gelf.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
/* What Debian compresses modules with; libdw-dev depends on both. */
#include <lzma.h>
#include <zlib.h>

/* inflateInit2 is a macro, which Swift does not import. 16 + MAX_WBITS: a gzip stream. */
static inline int mdlab_inflate_init_gzip(z_stream *stream)
{
	return inflateInit2(stream, 16 + MAX_WBITS);
}
#endif
