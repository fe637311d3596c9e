/*
 * The recovery sheet: what somebody has to know who opens this registry in
 * ten years.  There is no secret in it; it is printed and put away.
 */
#ifndef CDOP_SERVER_SHEET_H
#define CDOP_SERVER_SHEET_H

#include <stdbool.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

struct registry;
struct rows;

struct sheet {
	const struct registry *reg;
	const struct rows *rows;
	const char *dir;
	const char *key_file; /* where it is; NULL: not said */
	uint64_t now_ms;
	bool degraded;
};

/* Its text, in arena.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err sheet_text(const struct sheet *sheet,
    struct cdop_arena *arena, struct cdop_bytes *ret_text);

struct offline;

/*
 * Of an open registry, into fd (-1: to standard output), with whole paths; and
 * noted, so that status can say when it is no longer so.  path names the file
 * in words.  Closes fd; a file that is not whole is removed.  false: said why.
 */
bool sheet_put(struct offline *offline, const char *dir, const char *key_file,
    int fd, const char *path);

#endif
