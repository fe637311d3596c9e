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
	const char *key_file; /* where it was when the sheet was made */
	bool degraded;
};

/* Its text, in arena.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err sheet_write(const struct sheet *sheet,
    struct cdop_arena *arena, struct cdop_bytes *ret_text);

#endif
