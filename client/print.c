/* Words and JSON for stdout and stderr, escaped. */
#include "client/print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "cdop/secret.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/term.h"

#define CELL_MAX 48 /* columns of a cell */
#define GAP      2

/* With less an object of a failure may not be whole. */
#define FAILURE_ROOM ((size_t)64 << 10)

/* Length of the UTF-8 sequence at s and its code point; 0: not UTF-8. */
static size_t
decode(const char *s, uint32_t *ret_cp)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len, i;
	uint32_t cp;

	if (p[0] < 0x80) {
		*ret_cp = p[0];
		return 1;
	}
	len = p[0] >= 0xf0 ? 4 : (p[0] >= 0xe0 ? 3 : 2);
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	cp = p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3fu);
	}
	*ret_cp = cp;
	return len;
}

/* Characters that steer a terminal or turn what stands around them. */
static bool
is_unsafe(uint32_t cp, bool lines)
{
	if (cp == '\n' || cp == '\t')
		return !lines;
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return true;
	return cp == 0x061c || cp == 0x200e || cp == 0x200f ||
	    (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	    cp == 0x2028 || cp == 0x2029 || cp == 0xfeff;
}

const char *
print_safe(struct cdop_arena *arena, const char *text, bool lines)
{
	size_t len = strlen(text), used = 0, n;
	uint32_t cp;
	char *out;

	/* "\u{202e}" for three bytes, "\x1b" for one: never over 4 to 1. */
	out = cdop_arena_alloc(arena, len * 4 + 1);
	if (out == NULL)
		return NULL;
	while (*text != '\0') {
		n = decode(text, &cp);
		if (n == 0) {
			used += (size_t)snprintf(out + used, 5, "\\x%02x",
			    (unsigned)(unsigned char)*text);
			n = 1;
		} else if (is_unsafe(cp, lines)) {
			used += (size_t)snprintf(out + used, 9,
			    cp < 0x80 ? "\\x%02x" : "\\u{%x}", cp);
		} else {
			memcpy(out + used, text, n);
			used += n;
		}
		text += n;
	}
	out[used] = '\0';
	return out;
}

const char *
print_one_line(struct cdop_arena *arena, const char *text)
{
	const char *safe = print_safe(arena, text, false);

	return safe != NULL ? safe : "?";
}

/* Bytes of the characters in front that take max columns at most. */
static size_t
fitting(const char *text, size_t max, size_t *ret_columns)
{
	size_t n, at = 0, columns = 0;
	uint32_t cp;
	int width;

	for (; text[at] != '\0'; at += n) {
		n = decode(text + at, &cp);
		width = n > 0 ? wcwidth((wchar_t)cp) : 1;
		n = n > 0 ? n : 1;
		if (width > 0 && (size_t)width > max - columns)
			break;
		columns += width > 0 ? (size_t)width : 0;
	}
	*ret_columns = columns;
	return at;
}

size_t
print_columns(const char *text)
{
	size_t columns;

	(void)fitting(text, SIZE_MAX, &columns);
	return columns;
}

__attribute__((format(printf, 3, 0))) static void
put(struct cmd_ctx *ctx, FILE *to, const char *fmt, va_list ap)
{
	const char *safe;
	va_list again;
	char *text;
	size_t len;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	len = (size_t)n + 1;
	if ((text = malloc(len)) == NULL)
		return;
	(void)vsnprintf(text, len, fmt, ap);
	safe = print_safe(ctx->arena, text, true);
	cdop_secret_wipe(text, len);
	free(text);
	(void)fprintf(to, "%s\n", safe != NULL ? safe : "cdop: out of memory");
}

static int lost; /* why something could not be written; 0: all was */

static void
flush_out(void)
{
	if (fflush(stdout) != 0 && lost == 0)
		lost = errno;
}

/* Another call may be fine, and change errno. */
static void
note_lost(void)
{
	if (ferror(stdout) != 0 && lost == 0)
		lost = errno;
}

void
print_out(struct cmd_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(ctx, stdout, fmt, ap);
	va_end(ap);
	note_lost();
}

void
print_note(struct cmd_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	if (ctx->g.json)
		return;
	flush_out();
	va_start(ap, fmt);
	/* Not across the page that somebody reads. */
	put(ctx, pager_is_on() ? stdout : stderr, fmt, ap);
	va_end(ap);
}

void
print_prompt(const char *prompt)
{
	flush_out();
	(void)fprintf(stderr, "%s", prompt);
	(void)fflush(stderr);
}

void
print_prompt_to(int fd, const char *prompt)
{
	ssize_t n = write(fd, prompt, strlen(prompt));

	(void)n; /* a prompt that is not seen changes nothing */
}

/* Cuts a cell that would push the rest off the line. */
static const char *
cell_text(struct cmd_ctx *ctx, const char *cell, bool last)
{
	size_t len, columns;

	cell = print_safe(ctx->arena, cell == NULL ? "" : cell, false);
	if (cell == NULL || last || print_columns(cell) <= CELL_MAX)
		return cell == NULL ? "" : cell;
	len = fitting(cell, CELL_MAX - 1, &columns);
	cell = cdop_arena_printf(ctx->arena, "%.*s~", (int)len, cell);
	return cell == NULL ? "" : cell;
}

static void
put_row(const char *const *cell, const size_t *width, size_t columns)
{
	size_t c, pad;

	for (c = 0; c < columns; c++) {
		(void)fputs(cell[c], stdout);
		pad = width[c] + GAP - print_columns(cell[c]);
		if (c + 1 < columns)
			(void)printf("%*s", (int)pad, "");
	}
	(void)fputc('\n', stdout);
}

void
print_table(struct cmd_ctx *ctx, const char *const *head,
    const char *const *cell, size_t columns, size_t rows)
{
	const char **safe;
	size_t *width, i, n = columns * rows, w;

	safe = cdop_arena_calloc(ctx->arena, n + 1, sizeof(*safe));
	width = cdop_arena_calloc(ctx->arena, columns, sizeof(*width));
	if (safe == NULL || width == NULL)
		return;
	for (i = 0; head != NULL && i < columns; i++)
		width[i] = print_columns(head[i]);
	for (i = 0; i < n; i++) {
		safe[i] = cell_text(ctx, cell[i], i % columns == columns - 1);
		w = print_columns(safe[i]);
		if (w > width[i % columns])
			width[i % columns] = w;
	}
	if (head != NULL)
		put_row(head, width, columns);
	for (i = 0; i < rows; i++)
		put_row(safe + i * columns, width, columns);
}

json_t *
print_envelope(struct cmd_ctx *ctx, const char *schema, bool ok)
{
	json_t *object = json_object();

	(void)json_object_set_new(
	    object, "schema", json_sprintf("cdop.%s/1", schema));
	(void)json_object_set_new(object, "ok", json_boolean(ok));
	(void)json_object_set_new(object, "mode",
	    ctx->mode != NULL ? json_string(ctx->mode) : json_null());
	(void)json_object_set_new(object, "registry",
	    ctx->registry != NULL ? json_string(ctx->registry) : json_null());
	(void)json_object_set_new(object, "request",
	    ctx->request > 0 ? json_integer((json_int_t)ctx->request)
			     : json_null());
	if (ctx->leaf > 0)
		(void)json_object_set_new(
		    object, "leaf", json_integer((json_int_t)(ctx->leaf - 1)));
	return object;
}

/*
 * What print_safe() hides stands in JSON as \uXXXX: to a program it is the
 * same, and a terminal that shows it is not steered.  The library cuts
 * between characters.
 */
static int
put_json(const char *text, size_t len, void *arg)
{
	const char *end = text + len, *plain = text;
	FILE *to = arg;
	uint32_t cp;
	size_t n;

	while (text < end) {
		n = decode(text, &cp);
		if (n > 0 && is_unsafe(cp, false)) {
			(void)fwrite(plain, 1, (size_t)(text - plain), to);
			(void)fprintf(to, "\\u%04X", (unsigned)cp);
			plain = text + n;
		}
		text += n > 0 ? n : 1;
	}
	(void)fwrite(plain, 1, (size_t)(end - plain), to);
	return 0;
}

static void
dump(json_t *object, FILE *to)
{
	(void)json_dump_callback(
	    object, put_json, to, JSON_COMPACT | JSON_ENCODE_ANY);
	(void)fputc('\n', to);
	json_decref(object);
}

void
print_json(json_t *object)
{
	dump(object, stdout);
	note_lost();
}

void
print_end(struct cmd_ctx *ctx, const char *schema, size_t count)
{
	print_end_of(ctx, schema, count, false);
}

void
print_end_of(struct cmd_ctx *ctx, const char *schema, size_t count, bool more)
{
	json_t *object = print_envelope(ctx, schema, true);

	(void)json_object_update_new(object,
	    json_pack("{s:b,s:I}", "end", 1, "count", (json_int_t)count));
	if (more)
		(void)json_object_set_new(object, "more", json_true());
	print_json(object);
}

/* Of a request's field that no option is called by: the one it came from. */
static const char *
finding_words(const struct cmd_finding *f)
{
	static const struct {
		const char *path, *rule, *words;
	} rows[] = {
	    {"", NULL, "whole form"},
	    {"grant", "grant_dates", "--until"},
	    {"grant", "grant_ended", "--until"},
	    {"grant", NULL, "--role"},
	    {"device_expires_ms", NULL, "--device-until"},
	    {"job_title", NULL, "--job-title"},
	};

	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].path, f->path) == 0 &&
		    (rows[i].rule == NULL ||
			strcmp(rows[i].rule, f->rule) == 0))
			return rows[i].words;
	return f->path;
}

void
print_finding(struct cmd_ctx *ctx, const struct cmd_finding *f)
{
	print_note(ctx, "  %s%s: %s [%s]", f->warning ? "WARNING " : "",
	    finding_words(f), f->message, f->rule);
}

static json_t *
findings_json(const struct cmd_error *error)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < error->n_findings; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s,s:s}", "path",
			error->finding[i].path, "rule", error->finding[i].rule,
			"severity",
			error->finding[i].warning ? "warning" : "error",
			"message", error->finding[i].message));
	return list;
}

static void
put_plain(const char *text)
{
	for (; *text != '\0'; text++)
		(void)fputc(
		    *text < ' ' || *text > '~' || *text == '"' || *text == '\\'
			? '?'
			: *text,
		    stderr);
}

/* Without memory: the same object, of plain characters alone. */
static void
print_bare(const struct cmd_ctx *ctx, enum exit_code code)
{
	const struct cmd_error *e = &ctx->error;
	const bool json = ctx->g.json;

	if (json)
		(void)fprintf(stderr,
		    "{\"schema\":\"cdop.error/1\",\"ok\":false,"
		    "\"mode\":null,\"registry\":null,\"request\":null,"
		    "\"exit\":%d,\"reason\":\"%s\",\"message\":\"",
		    (int)code,
		    e->reason != NULL ? e->reason : exit_reason(code));
	else
		(void)fputs("cdop: ", stderr);
	put_plain(e->message);
	(void)fputs(json ? "\",\"next\":\"" : "\nnext: ", stderr);
	put_plain(e->next != NULL ? e->next : "the same with less at a time");
	(void)fputs(json ? "\"}\n" : "\n", stderr);
}

void
print_failure(struct cmd_ctx *ctx, enum exit_code code)
{
	const struct cmd_error *e = &ctx->error;
	json_t *object;
	size_t i;

	flush_out();
	if (!cdop_arena_has(ctx->arena, FAILURE_ROOM)) {
		print_bare(ctx, code);
		return;
	}
	ctx->leaf = e->leaf;
	if (!ctx->g.json) {
		/* By this number an auditor finds it. */
		if (e->leaf > 0)
			print_note(ctx, "cdop: %s (log entry %llu)", e->message,
			    (unsigned long long)e->leaf - 1);
		else
			print_note(ctx, "cdop: %s", e->message);
		for (i = 0; i < e->n_findings; i++)
			print_finding(ctx, &e->finding[i]);
		if (e->next != NULL)
			print_note(ctx, "next: %s", e->next);
		return;
	}
	object = print_envelope(ctx, "error", code == EXIT_OK);
	(void)json_object_set_new(object, "exit", json_integer((int)code));
	(void)json_object_set_new(object, "reason",
	    json_string(e->reason != NULL ? e->reason : exit_reason(code)));
	(void)json_object_set_new(object, "message",
	    json_string(print_safe(ctx->arena, e->message, true)));
	(void)json_object_set_new(object, "next",
	    e->next != NULL ? json_string(e->next) : json_null());
	if (e->n_findings > 0)
		(void)json_object_set_new(object, "findings", findings_json(e));
	if (e->body != NULL)
		json_merge(ctx, object, e->body);
	dump(object, stderr);
}

/* Live and training differ in word and, where there is any, in colour. */
static void
put_mode(struct cmd_ctx *ctx, const char *behind)
{
	bool live, colour;

	if (ctx->mode == NULL || ctx->g.json)
		return;
	live = strcmp(ctx->mode, "live") == 0;
	colour = term_has_colour(STDERR_FILENO, ctx->g.no_color);
	flush_out();
	(void)fprintf(stderr, "%s%s%s%s",
	    !colour ? "" : (live ? "\033[1;31m" : "\033[32m"),
	    live ? "LIVE" : "TRAINING", colour ? "\033[0m" : "", behind);
}

void
print_mode(struct cmd_ctx *ctx)
{
	put_mode(ctx, "\n");
}

void
print_mode_word(struct cmd_ctx *ctx)
{
	put_mode(ctx, "  ");
}

enum form_of_time {
	FOR_PEOPLE,
	ISO_LOCAL,
	ISO_UTC,
};

static const char *
time_text(struct cdop_arena *arena, enum form_of_time form, uint64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	size_t n = 0;
	char out[64];
	struct tm tm;

	if ((form == ISO_UTC ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) ==
	    NULL)
		return "?";
	if (form == FOR_PEOPLE)
		n = strftime(out, sizeof(out), "%d %b %Y %H:%M %Z", &tm);
	else if (form == ISO_LOCAL)
		n = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S%z", &tm);
	else
		n = strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%S", &tm);
	return n > 0 ? cdop_arena_strdup(arena, out) : "?";
}

const char *
print_time(struct cdop_arena *arena, uint64_t ms)
{
	return time_text(arena, FOR_PEOPLE, ms);
}

const char *
print_local(struct cdop_arena *arena, uint64_t ms)
{
	return time_text(arena, ISO_LOCAL, ms);
}

const char *
print_utc(struct cdop_arena *arena, uint64_t ms)
{
	return cdop_arena_printf(arena, "%s.%03uZ",
	    time_text(arena, ISO_UTC, ms), (unsigned)(ms % 1000));
}

const char *
print_hex(struct cdop_arena *arena, struct cdop_bytes bytes)
{
	char *out = cdop_arena_alloc(arena, bytes.len * 2 + 1);

	if (out == NULL)
		return "";
	cdop_secret_hex(bytes, out);
	return out;
}

bool
print_flush(void)
{
	flush_out();
	errno = lost;
	return ferror(stdout) == 0;
}
