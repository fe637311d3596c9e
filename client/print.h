/*
 * Everything that leaves the program as words: results on stdout, the rest
 * on stderr.  Whatever is printed is escaped first: no control character and
 * no direction override of a stranger reaches a terminal.
 */
#ifndef CDOP_CLIENT_PRINT_H
#define CDOP_CLIENT_PRINT_H

#include <jansson.h>

#include "cdop/bytes.h"
#include "client/cmd.h"

/* A line of the result.  Line ends inside it are kept. */
__attribute__((format(printf, 2, 3))) void print_out(
    struct cmd_ctx *ctx, const char *fmt, ...);

/* A remark for a person, on stderr; silent with --json. */
__attribute__((format(printf, 2, 3))) void print_note(
    struct cmd_ctx *ctx, const char *fmt, ...);

/* A prompt without line end, on stderr or on a descriptor. */
void print_prompt(const char *prompt);
void print_prompt_to(int fd, const char *prompt);

/* text with every control character and direction override made visible;
 * line ends and tabs too unless lines.  NULL: no memory. */
const char *print_safe(struct cdop_arena *arena, const char *text, bool lines);

/* Somebody's words in the middle of ours: on one line, never NULL. */
const char *print_one_line(struct cdop_arena *arena, const char *text);

/* Columns that a text takes on a terminal. */
size_t print_columns(const char *text);

/* A table: cells row by row, borrowed, NULL for empty; head may be NULL. */
void print_table(struct cmd_ctx *ctx, const char *const *head,
    const char *const *cell, size_t columns, size_t rows);

/*
 * The envelope of every JSON object: schema "cdop.<words>/1", ok, mode,
 * registry, request, leaf.  The caller adds data and gives it to print_json.
 */
json_t *print_envelope(struct cmd_ctx *ctx, const char *schema, bool ok);

/* One line of JSON on stdout; takes the reference. */
void print_json(json_t *object);

/*
 * The last line of a list: the envelope, then "end":true,"count":N; of one
 * that was cut short "more":true, too.
 */
void print_end(struct cmd_ctx *ctx, const char *schema, size_t count);
void print_end_of(
    struct cmd_ctx *ctx, const char *schema, size_t count, bool more);

/* What went wrong, on stderr, once. */
void print_failure(struct cmd_ctx *ctx, enum exit_code code);

/* A finding in one line, for people. */
void print_finding(struct cmd_ctx *ctx, const struct cmd_finding *finding);

/* "LIVE" or "TRAINING" on a line of its own, on stderr, before a write. */
void print_mode(struct cmd_ctx *ctx);

/* The same in front of a prompt, with two blanks behind it. */
void print_mode_word(struct cmd_ctx *ctx);

/* An instant in local time with its zone: "23 Nov 2026 09:05 GMT". */
const char *print_time(struct cdop_arena *arena, uint64_t ms);
/* The same as ISO 8601 in UTC, for programs. */
const char *print_utc(struct cdop_arena *arena, uint64_t ms);
/* The same as ISO 8601 in local time with offset. */
const char *print_local(struct cdop_arena *arena, uint64_t ms);

/* Lower-case hex. */
const char *print_hex(struct cdop_arena *arena, struct cdop_bytes bytes);

/* False when something of the result could not be written. */
bool print_flush(void);

#endif
