/* Text files as spreadsheets write them, brought to UTF-8. */
#ifndef CDOP_CLIENT_ENCODING_H
#define CDOP_CLIENT_ENCODING_H

#include "cdop/bytes.h"
#include "client/cmd.h"

/*
 * text, which has a NUL behind it, without byte order mark and as UTF-8, in
 * the arena.  encoding is "utf-8", "windows-1252" or NULL: it has to be
 * UTF-8 then, and what it looks like instead is named.  EXIT_USAGE.
 */
enum exit_code encoding_to_utf8(struct cmd_ctx *ctx, const char *path,
    const char *encoding, struct cdop_bytes *text);

#endif
