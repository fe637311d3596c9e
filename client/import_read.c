/* Encodings, CSV and JSON into rows. */
#include "client/import_read.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdop/secret.h"
#include "cdop/text.h"
#include "client/csv_out.h"
#include "client/encoding.h"
#include "client/file.h"

#define COLUMNS_MAX 2000
#define NAMED_MAX   8          /* columns that are no fields, by name */
#define NAME_SHOWN  60         /* characters of a name */
#define CELL_STEP   (1u << 16) /* by which libcsv has a cell grow */
#define NUMBER_MAX  (2 * CDOP_IMPORT_ROWS_MAX)

/* What sending wants of the client's memory, about: a row has its form. */
#define SEND_ROOM ((size_t)32 << 20)
#define ROW_ROOM  ((size_t)8 << 10)

static const char split_it[] =
    "split it: each part is sent by itself, and no row twice";

static const char *const controls[] = {"decision", "decision_reason",
    "warnings_accepted", "raised", "source", "form_kind", "owner_area",
    "owner_reason", "row", "field", "rule", "message", IMPORT_BEYOND};

bool
import_read_is_control(const char *column)
{
	size_t i;

	for (i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		if (strcmp(controls[i], column) == 0)
			return true;
	return false;
}

const char *
import_read_control(const struct import_file *file,
    const struct import_row *row, const char *name)
{
	const char *text = NULL;
	size_t c;

	if (file->is_json)
		text = json_string_value(json_object_get(row->object, name));
	for (c = 0; !file->is_json && c < file->n_columns; c++)
		if (strcmp(file->column[c], name) == 0)
			text = row->cell[c];
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- CSV --------------------------------------------------------------------
 */

struct reader {
	struct cmd_ctx *ctx;
	struct import_file *file;
	const char **cell; /* of the row being read */
	size_t n;
	size_t line;
	size_t too_wide; /* line of a row of more cells than can be kept */
	bool too_many;   /* rows */
	bool no_memory;
};

static void
on_cell(void *text, size_t len, void *arg)
{
	struct reader *r = arg;

	if (r->n == COLUMNS_MAX) {
		r->too_wide = r->line + 1;
		return;
	}
	r->cell[r->n] =
	    cdop_arena_strndup(r->ctx->arena, text == NULL ? "" : text, len);
	r->no_memory |= r->cell[r->n++] == NULL;
}

static bool
is_empty(const struct reader *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->cell[i] == NULL || r->cell[i][0] != '\0')
			return false;
	return true;
}

/* Away with the ' that our rejects files put before a cell. */
static const char *
unquote(const struct import_file *file, const char *cell)
{
	if (file->is_rejects && cell != NULL && cell[0] == '\'' &&
	    csv_out_is_guarded(cell + 1))
		return cell + 1;
	return cell;
}

static void
take_head(struct reader *r)
{
	struct import_file *f = r->file;
	size_t i;

	f->n_columns = r->n;
	f->column =
	    cdop_arena_calloc(r->ctx->arena, r->n + 1, sizeof(*f->column));
	for (i = 0; f->column != NULL && i < r->n; i++) {
		f->column[i] = r->cell[i] != NULL ? r->cell[i] : "";
		if (strcmp(f->column[i], "rule") == 0)
			f->is_rejects = true;
	}
	if (f->column == NULL)
		r->no_memory = true;
}

/* Is there a column for it?  One without a name is none. */
static bool
has_column(const struct import_file *f, size_t i)
{
	return i < f->n_columns && f->column[i][0] != '\0';
}

/*
 * What stands in no column, one after the other: most often a cell before it
 * has a comma and no quotes.  The row is no notification, and comes back as
 * it was.  Empty cells are what a spreadsheet leaves beside a table.
 */
static const char *
beyond(struct reader *r)
{
	const struct import_file *f = r->file;
	size_t i, len, size = 0, filled = 0;
	char *text, *at;

	for (i = 0; i < r->n && !r->no_memory; i++) {
		if (has_column(f, i))
			continue;
		len = strlen(unquote(f, r->cell[i]));
		filled += len;
		size += len + 1;
	}
	if (filled == 0)
		return NULL;
	at = text = cdop_arena_alloc(r->ctx->arena, size);
	if (text == NULL) {
		r->no_memory = true;
		return NULL;
	}
	for (i = 0; i < r->n; i++) {
		if (has_column(f, i))
			continue;
		len = strlen(unquote(f, r->cell[i]));
		memcpy(at, unquote(f, r->cell[i]), len);
		at += len;
		*at++ = f->delimiter;
	}
	at[-1] = '\0';
	return text;
}

static void
on_row(int c, void *arg)
{
	struct reader *r = arg;
	struct import_file *f = r->file;
	struct import_row *row;
	size_t i;

	(void)c;
	r->line++;
	if (f->column == NULL) {
		take_head(r);
	} else if (!is_empty(r)) {
		if (f->n_rows == CDOP_IMPORT_ROWS_MAX) {
			r->too_many = true;
			r->n = 0;
			return;
		}
		row = &f->row[f->n_rows++];
		row->cell = cdop_arena_calloc(
		    r->ctx->arena, f->n_columns + 1, sizeof(*row->cell));
		for (i = 0; row->cell != NULL && i < f->n_columns; i++)
			row->cell[i] = i < r->n ? unquote(f, r->cell[i]) : "";
		row->beyond = beyond(r);
		r->no_memory |= row->cell == NULL;
		row->number = (unsigned)f->n_rows;
	}
	r->n = 0;
}

static char
delimiter_of(const char *text)
{
	size_t line = strcspn(text, "\r\n"), i, commas = 0, semicolons = 0;
	size_t tabs = 0;

	for (i = 0; i < line; i++) {
		commas += text[i] == ',';
		semicolons += text[i] == ';';
		tabs += text[i] == '\t';
	}
	if (semicolons > commas)
		return ';';
	return tabs > commas ? '\t' : ',';
}

static int
never_space(unsigned char c)
{
	return c == ' ';
}

static enum exit_code
check_sizes(struct cmd_ctx *ctx, const struct reader *r)
{
	if (r->no_memory)
		return cmd_no_memory(ctx);
	if (r->too_wide != 0)
		return cmd_fail(ctx, EXIT_INVALID, "csv", NULL,
		    "%s: row %zu, the first counted, has more than %d cells",
		    r->file->path, r->too_wide, COLUMNS_MAX);
	if (r->too_many)
		return cmd_fail(ctx, EXIT_INVALID, "csv", "send it in parts",
		    "%s: more than %d rows", r->file->path,
		    CDOP_IMPORT_ROWS_MAX);
	return EXIT_OK;
}

static enum exit_code
read_csv(struct cmd_ctx *ctx, struct cdop_bytes text, struct import_file *f)
{
	struct reader r = {.ctx = ctx, .file = f};
	struct csv_parser parser;
	size_t done;

	f->delimiter = delimiter_of((const char *)text.data);
	r.cell = cdop_arena_calloc(ctx->arena, COLUMNS_MAX, sizeof(*r.cell));
	f->row = cdop_arena_calloc(
	    ctx->arena, CDOP_IMPORT_ROWS_MAX, sizeof(*f->row));
	if (r.cell == NULL || f->row == NULL ||
	    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return cmd_no_memory(ctx);
	csv_set_delim(&parser, (unsigned char)f->delimiter);
	csv_set_space_func(&parser, never_space);
	csv_set_blk_size(&parser, CELL_STEP);
	done = csv_parse(&parser, text.data, text.len, on_cell, on_row, &r);
	if (done == text.len && csv_fini(&parser, on_cell, on_row, &r) != 0)
		done = 0;
	csv_free(&parser);
	if (done != text.len)
		return cmd_fail(ctx, EXIT_INVALID, "csv", NULL,
		    "%s:%zu: a quote stands where none belongs, or one is "
		    "not closed",
		    f->path, r.line + 1);
	return check_sizes(ctx, &r);
}

/* Bytes of the first characters of a name, for words. */
static int
shown(const char *name)
{
	const char *at = name;
	uint32_t one;
	unsigned n = 0;

	while (n++ < NAME_SHOWN && *at != '\0' && cdop_text_next(&at, &one))
		;
	return (int)(at - name);
}

/*
 * What a column is called in words: in a file whose first row names no fields
 * it is what somebody typed about a child, and is not said.
 */
static const char *
called(struct cmd_ctx *ctx, const struct import_file *f, size_t i)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._";
	const char *name = f->column[i];

	if (*name >= 'a' && *name <= 'z' && strpbrk(name, "._") != NULL &&
	    name[strspn(name, letters)] == '\0')
		return cdop_arena_printf(ctx->arena, "%.*s", shown(name), name);
	return cdop_arena_printf(ctx->arena, "column %zu", i + 1);
}

/* Which columns are no fields: the first of them. */
static const char *
unknown_of(struct cmd_ctx *ctx, const struct import_file *f)
{
	const char *said = "";
	struct cdop_path path;
	size_t i, n = 0;

	for (i = 0; i < f->n_columns && said != NULL; i++) {
		if (f->column[i][0] == '\0' ||
		    import_read_is_control(f->column[i]) ||
		    cdop_form_path_parse(f->column[i], &path) == CDOP_OK ||
		    n++ >= NAMED_MAX)
			continue;
		said = cdop_arena_printf(ctx->arena, "%s%s%s", said,
		    n > 1 ? ", " : "", called(ctx, f, i));
	}
	if (n > NAMED_MAX && said != NULL)
		said = cdop_arena_printf(
		    ctx->arena, "%s and %zu more", said, n - NAMED_MAX);
	return said;
}

static enum exit_code
check_columns(struct cmd_ctx *ctx, const struct import_file *f)
{
	const char *unknown;
	size_t i, k;

	for (i = 0; i < f->n_columns; i++)
		for (k = 0; k < i && f->column[i][0] != '\0'; k++)
			if (strcmp(f->column[i], f->column[k]) == 0)
				return cmd_fail(ctx, EXIT_INVALID, "csv", NULL,
				    "%s: the name of column %zu stands twice",
				    f->path, i + 1);
	unknown = unknown_of(ctx, f);
	if (unknown == NULL)
		return cmd_no_memory(ctx);
	if (f->n_columns == 0)
		return cmd_fail(ctx, EXIT_INVALID, "csv",
		    "the first row names the fields", "%s is empty", f->path);
	if (unknown[0] != '\0')
		return cmd_fail(ctx, EXIT_INVALID, "unknown_column",
		    "does the first row name the fields?  The names are "
		    "those of the dictionary: child.family_name, "
		    "parent.1.family_name",
		    "%s: no such field: %s", f->path, unknown);
	return EXIT_OK;
}

/* Said before a row is sent; len: of the text, which the forms have again. */
static enum exit_code
check_room(struct cmd_ctx *ctx, const struct import_file *file, size_t len)
{
	if (!cdop_arena_was_spent(ctx->arena) &&
	    cdop_arena_has(
		ctx->arena, SEND_ROOM + 2 * len + file->n_rows * ROW_ROOM))
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INVALID, "too_large", split_it,
	    "%s is too much at once, %zu rows; nothing was sent", file->path,
	    file->n_rows);
}

/* ---- JSON -------------------------------------------------------- */

static enum exit_code
add_object(struct cmd_ctx *ctx, struct import_file *f, json_t *object)
{
	json_t *form;

	if (!json_is_object(object) || f->n_rows == CDOP_IMPORT_ROWS_MAX)
		return cmd_fail(ctx, EXIT_INVALID, "json", NULL,
		    "%s: a notification is one JSON object, at most %d",
		    f->path, CDOP_IMPORT_ROWS_MAX);
	form = json_object_get(object, "findings");
	if (form != NULL)
		f->is_rejects = true;
	f->row[f->n_rows].object = object;
	f->row[f->n_rows].number = (unsigned)f->n_rows + 1;
	f->n_rows++;
	return EXIT_OK;
}

/* One object, an array of them, or objects line by line. */
static enum exit_code
read_json(struct cmd_ctx *ctx, struct cdop_bytes text, struct import_file *f)
{
	const char *at = (const char *)text.data;
	size_t left = text.len, used, i;
	enum exit_code code = EXIT_OK;
	json_error_t error;
	json_t *value;

	f->row = cdop_arena_calloc(
	    ctx->arena, CDOP_IMPORT_ROWS_MAX, sizeof(*f->row));
	if (f->row == NULL)
		return cmd_no_memory(ctx);
	while (code == EXIT_OK) {
		used = strspn(at, " \t\r\n");
		at += used;
		left -= used;
		if (left == 0)
			break;
		value = json_loadb(at, left,
		    JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
		if (value == NULL && (code = check_room(ctx, f, 0)) != EXIT_OK)
			return code;
		if (value == NULL)
			return cmd_fail(ctx, EXIT_INVALID, "json", NULL,
			    "%s: not JSON, at byte %zu", f->path,
			    text.len - left + (size_t)error.position);
		/* The rows keep it; the process ends soon after them. */
		if (!json_is_array(value))
			code = add_object(ctx, f, value);
		for (i = 0; i < json_array_size(value) && code == EXIT_OK; i++)
			code = add_object(ctx, f, json_array_get(value, i));
		at += error.position;
		left -= (size_t)error.position;
	}
	return code;
}

/* ---- all --------------------------------------------------------- */

static const char *
cut(struct cmd_ctx *ctx, const char *path, const char *suffix)
{
	size_t n = strlen(path), s = strlen(suffix);

	if (n <= s || strcasecmp(path + n - s, suffix) != 0)
		return path;
	return cdop_arena_strndup(ctx->arena, path, n - s);
}

static void
name_files(struct cmd_ctx *ctx, const char *path, struct import_file *f)
{
	static const char *const suffixes[] = {
	    ".csv", ".json", ".ndjson", ".rejects"};
	size_t i;

	f->path = strcmp(path, "-") == 0 ? "stdin" : path;
	f->is_stdin = strcmp(path, "-") == 0;
	f->stem = f->path;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		f->stem = cut(ctx, f->stem, suffixes[i]);
}

/* In a corrected rejects file a row keeps the number it had. */
static unsigned
number_of(const struct import_file *f, const struct import_row *row)
{
	const char *text = import_read_control(f, row, "row");
	unsigned long n = text != NULL ? strtoul(text, NULL, 10) : 0;

	if (f->is_json)
		n = (unsigned long)json_integer_value(
		    json_object_get(row->object, "row"));
	return n <= NUMBER_MAX ? (unsigned)n : 0;
}

/*
 * Under one number the two would take each other's key, and one could be
 * registered twice.  A row without one is another notification.
 */
static enum exit_code
number_rows(struct cmd_ctx *ctx, struct import_file *f)
{
	static uint8_t taken[NUMBER_MAX / 8 + 1];
	unsigned n, next = 0;
	size_t i;

	memset(taken, 0, sizeof(taken));
	for (i = 0; f->is_rejects && i < f->n_rows; i++) {
		n = number_of(f, &f->row[i]);
		f->row[i].number = n;
		next = n > next ? n : next;
		if (n != 0 && (taken[n / 8] & 1u << n % 8) != 0)
			return cmd_fail(ctx, EXIT_INVALID, "csv",
			    "leave the number of a notification that is new "
			    "empty",
			    "%s: row %u stands there twice", f->path, n);
		taken[n / 8] |= (uint8_t)(1u << n % 8);
	}
	for (i = 0; f->is_rejects && i < f->n_rows; i++)
		if (f->row[i].number == 0)
			f->row[i].number = ++next;
	return EXIT_OK;
}

static bool
counts(const struct import_file *f, size_t c)
{
	static const char *const ours[] = {"row", "field", "rule", "message"};
	size_t i;

	for (i = 0; f->is_rejects && i < 4; i++)
		if (strcmp(f->column[c], ours[i]) == 0)
			return false;
	return true;
}

static void
hash_row(struct cmd_ctx *ctx, struct import_file *f, struct import_row *row)
{
	struct cdop_bytes *part;
	size_t c, n = 0;
	char *text;

	part =
	    cdop_arena_calloc(ctx->arena, 2 * f->n_columns + 2, sizeof(*part));
	if (part == NULL)
		return; /* a hash of zeros: the row gets a key of its own */

	if (f->is_json) {
		text = json_dumps(row->object, JSON_COMPACT | JSON_SORT_KEYS);
		part[0].data = (const uint8_t *)text;
		part[0].len = text != NULL ? strlen(text) : 0;
		cdop_secret_hash(row->hash, 32, NULL, "cdop-row", part, 1);
		return;
	}
	for (c = 0; c < f->n_columns; c++) {
		if (!counts(f, c) || row->cell[c][0] == '\0')
			continue;
		part[n].data = (const uint8_t *)f->column[c];
		part[n++].len = strlen(f->column[c]) + 1;
		part[n].data = (const uint8_t *)row->cell[c];
		part[n++].len = strlen(row->cell[c]) + 1;
	}
	if (row->beyond != NULL) {
		part[n].data = (const uint8_t *)row->beyond;
		part[n++].len = strlen(row->beyond) + 1;
	}
	cdop_secret_hash(row->hash, 32, NULL, "cdop-row", part, n);
}

static enum exit_code
cannot_read(struct cmd_ctx *ctx, const struct import_file *f)
{
	if (errno != EFBIG)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "%s cannot be read: %s", f->path, strerror(errno));
	return cmd_fail(ctx, EXIT_INVALID, "too_large", split_it,
	    "%s is longer than %u MiB; nothing was sent", f->path,
	    CDOP_IMPORT_FILE_MAX >> 20);
}

enum exit_code
import_read(struct cmd_ctx *ctx, const char *path, struct import_file *ret_file)
{
	struct import_file f;
	struct cdop_bytes text;
	enum exit_code code;
	size_t skip, used, i;

	memset(&f, 0, sizeof(f));
	name_files(ctx, path, &f);
	if (file_read(path, CDOP_IMPORT_FILE_MAX, ctx->arena, &text) != CDOP_OK)
		return cannot_read(ctx, &f);
	code =
	    encoding_to_utf8(ctx, f.path, cmd_value(ctx, "--encoding"), &text);
	if (code != EXIT_OK)
		return code;
	skip = strspn((const char *)text.data, " \t\r\n");
	f.is_json = skip < text.len &&
	    (text.data[skip] == '{' || text.data[skip] == '[');
	code = f.is_json ? read_json(ctx, text, &f) : read_csv(ctx, text, &f);
	if (code == EXIT_OK && !f.is_json)
		code = check_columns(ctx, &f);
	if (code != EXIT_OK)
		return code;
	if ((code = number_rows(ctx, &f)) != EXIT_OK)
		return code;
	if ((code = check_room(ctx, &f, text.len)) != EXIT_OK)
		return code;
	for (i = 0; i < f.n_rows; i++) {
		used = cdop_arena_used(ctx->arena);
		hash_row(ctx, &f, &f.row[i]);
		cdop_arena_rewind(ctx->arena, used);
	}
	*ret_file = f;
	return EXIT_OK;
}
