/* The rejects file. */
#include "client/import_rejects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cdop/secret.h"
#include "client/csv_out.h"
#include "client/file.h"
#include "client/import_read.h"

#define HASH_LEN  32
#define STDIN_MAX 10000

/* Is it written apart from what was sent?  What no column names is, too. */
static bool
is_ours(const char *column)
{
	return column[0] == '\0' || strcmp(column, IMPORT_BEYOND) == 0 ||
	    strcmp(column, "row") == 0 || strcmp(column, "field") == 0 ||
	    strcmp(column, "rule") == 0 || strcmp(column, "message") == 0;
}

/* All findings in one cell, in the same order in each of the three. */
static const char *
joined(struct cmd_ctx *ctx, const struct import_row *row, int what)
{
	const struct cmd_finding *f;
	const char *all = "", *text, *kind;
	size_t i;

	for (i = 0; i < row->n_findings && all != NULL; i++) {
		f = &row->finding[i];
		text = what == 0 ? f->path : (what == 1 ? f->rule : f->message);
		/* Only a warning can be answered in warnings_accepted. */
		kind = what == 2 && f->warning ? "WARNING " : "";
		all = cdop_arena_printf(
		    ctx->arena, "%s%s%s%s", all, i > 0 ? "; " : "", kind, text);
	}
	return all != NULL ? all : "";
}

/* What stands in no column, or stood there when it came in. */
static const char *
beyond_of(struct cmd_ctx *ctx, const struct import_file *f,
    const struct import_row *row)
{
	const char *before = import_read_control(f, row, IMPORT_BEYOND);

	if (before == NULL || row->beyond == NULL)
		return before != NULL ? before : row->beyond;
	return cdop_arena_printf(
	    ctx->arena, "%s%c%s", before, f->delimiter, row->beyond);
}

/* Is there a row with a cell that stands in no column? */
static bool
is_ragged(struct cmd_ctx *ctx, const struct import_file *f)
{
	size_t i;

	for (i = 0; i < f->n_rows; i++)
		if (f->row[i].state == IMPORT_REJECTED &&
		    beyond_of(ctx, f, &f->row[i]) != NULL)
			return true;
	return false;
}

static void
put_row(struct cmd_ctx *ctx, FILE *to, const struct import_file *f,
    const struct import_row *row, bool ragged)
{
	const char *beyond = beyond_of(ctx, f, row);
	size_t c;
	int what;

	for (c = 0; c < f->n_columns; c++) {
		if (is_ours(f->column[c]))
			continue;
		csv_out_safe(to, row->cell[c]);
		(void)fputc(',', to);
	}
	if (ragged) {
		csv_out_safe(to, beyond != NULL ? beyond : "");
		(void)fputc(',', to);
	}
	(void)fprintf(to, "%u", row->number);
	for (what = 0; what < 3; what++) {
		(void)fputc(',', to);
		csv_out_safe(to, joined(ctx, row, what));
	}
	(void)fputs("\r\n", to);
}

static void
put_head(FILE *to, const struct import_file *f, bool ragged)
{
	size_t c;

	for (c = 0; c < f->n_columns; c++) {
		if (is_ours(f->column[c]))
			continue;
		csv_out_safe(to, f->column[c]);
		(void)fputc(',', to);
	}
	if (ragged)
		(void)fputs(IMPORT_BEYOND ",", to);
	(void)fputs("row,field,rule,message\r\n", to);
}

/* ---- which of them is whose work --------------------------------- */

/* What came through a pipe is known by no file: it gets one of its own. */
static const char *
path_of(struct cmd_ctx *ctx, const struct import_file *f)
{
	const char *end = f->is_json ? "ndjson" : "csv";
	const char *path =
	    cdop_arena_printf(ctx->arena, "%s.rejects.%s", f->stem, end);
	unsigned n;

	for (n = 2;
	     f->is_stdin && path != NULL && file_exists(path) && n < STDIN_MAX;
	     n++)
		path = cdop_arena_printf(
		    ctx->arena, "%s.rejects.%u.%s", f->stem, n, end);
	return path;
}

/* CDOP_NOT_FOUND: there is none. */
static enum cdop_err
hash_of(struct cmd_ctx *ctx, const char *path, uint8_t out[static HASH_LEN])
{
	struct cdop_bytes text;
	enum cdop_err err;

	err = file_read(path, CDOP_IMPORT_FILE_MAX, ctx->arena, &text);
	if (err == CDOP_OK)
		cdop_secret_hash(out, HASH_LEN, NULL, "cdop-rejects", &text, 1);
	return err;
}

/* Is it the very file that is being sent? */
static bool
is_sent_now(const struct import_file *f, const char *path)
{
	struct stat one, two;

	return !f->is_stdin && stat(f->path, &one) == 0 &&
	    stat(path, &two) == 0 && one.st_dev == two.st_dev &&
	    one.st_ino == two.st_ino;
}

static bool
is_untouched(const struct import_file *f, const uint8_t hash[static HASH_LEN])
{
	return f->has_rejects && memcmp(f->rejects, hash, HASH_LEN) == 0;
}

bool
import_rejects_is_input(struct cmd_ctx *ctx, const struct import_file *f)
{
	return is_sent_now(f, path_of(ctx, f));
}

enum exit_code
import_rejects_check(struct cmd_ctx *ctx, const struct import_file *f)
{
	const char *path = path_of(ctx, f);
	uint8_t hash[HASH_LEN];
	enum cdop_err err;

	if (f->is_stdin || cmd_flag(ctx, "--dry-run") || is_sent_now(f, path))
		return EXIT_OK;
	err = hash_of(ctx, path, hash);
	if (err == CDOP_NOT_FOUND || (err == CDOP_OK && is_untouched(f, hash)))
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_CONFLICT, "rejects",
	    "send it, or move it away",
	    "%s was changed and not sent, and would be written over", path);
}

const char *
import_rejects_done(struct cmd_ctx *ctx, struct import_file *f)
{
	const char *path = path_of(ctx, f);
	uint8_t hash[HASH_LEN];

	if (f->is_stdin || hash_of(ctx, path, hash) != CDOP_OK)
		return NULL;
	if (is_sent_now(f, path)) {
		memcpy(f->rejects, hash, HASH_LEN);
		f->has_rejects = true;
	}
	return path;
}

/* ---- written ----------------------------------------------------- */

static void
put_object(FILE *to, const struct import_row *row)
{
	json_t *object = json_copy(row->object), *list = json_array();
	size_t i;

	for (i = 0; i < row->n_findings; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s,s:s}", "field",
			row->finding[i].path, "rule", row->finding[i].rule,
			"severity",
			row->finding[i].warning ? "warning" : "error",
			"message", row->finding[i].message));
	(void)json_object_set_new(object, "row", json_integer(row->number));
	(void)json_object_set_new(object, "findings", list);
	(void)json_dumpf(object, to, JSON_COMPACT);
	(void)fputc('\n', to);
	json_decref(object);
}

enum exit_code
import_rejects_write(
    struct cmd_ctx *ctx, struct import_file *f, const char **ret_path)
{
	const bool ragged = !f->is_json && is_ragged(ctx, f);
	enum cdop_err err = CDOP_RESOURCE_EXHAUSTED;
	struct cdop_bytes all;
	char *text = NULL;
	size_t len = 0, i, n = 0;
	FILE *to;

	*ret_path = path_of(ctx, f);
	to = open_memstream(&text, &len);
	if (to != NULL && !f->is_json)
		put_head(to, f, ragged);
	for (i = 0; to != NULL && i < f->n_rows; i++) {
		if (f->row[i].state != IMPORT_REJECTED)
			continue;
		n++;
		if (f->is_json)
			put_object(to, &f->row[i]);
		else
			put_row(ctx, to, f, &f->row[i], ragged);
	}
	if (to != NULL && fclose(to) == 0 && text != NULL) {
		all.data = (const uint8_t *)text;
		all.len = len;
		err = n > 0 ? file_replace(*ret_path, &all, 1) : CDOP_OK;
		cdop_secret_hash(
		    f->rejects, HASH_LEN, NULL, "cdop-rejects", &all, 1);
		f->has_rejects = n > 0 && err == CDOP_OK;
		cdop_secret_wipe(text, len);
	}
	free(text);
	if (n == 0)
		*ret_path = NULL;
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the rejects cannot be written beside %s", f->path);
	return EXIT_OK;
}
