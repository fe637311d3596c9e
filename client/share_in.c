/* Reading a share; see share_in.h. */
#include "client/share_in.h"

#include <stdio.h>
#include <string.h>

#include "cdop/secret.h"
#include "client/file.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/term.h"

#define CHARS     CDOP_SHARE_CHARS
#define LINE      CDOP_SHARE_LINE
#define FILE_MAX  4096
#define LINE_ROOM 200
#define TRIES     5 /* at a line, and at the whole */

static enum exit_code
judge_slip(struct cmd_ctx *ctx, struct cdop_bytes text)
{
	unsigned line, group;

	if (cdop_share_slip(text, &line, &group))
		return cmd_fail(ctx, EXIT_INVALID, "share",
		    "compare it with the sheet",
		    "there is a slip in line %u of the share, in group %u",
		    line, group);
	return cmd_fail(ctx, EXIT_INVALID, "share",
	    "compare it with the sheet, letter by letter",
	    "there is more than one slip in the share");
}

static enum exit_code
judge(struct cmd_ctx *ctx, enum cdop_err err, struct cdop_bytes text)
{
	size_t n = cdop_share_count(text);

	if (err == CDOP_OK)
		return EXIT_OK;
	if (err == CDOP_DATA_LOSS)
		return judge_slip(ctx, text);
	if (n != CHARS)
		return cmd_fail(ctx, EXIT_INVALID, "share",
		    "four lines of twenty letters",
		    "a share has %d letters, and this has %zu", CHARS, n);
	return cmd_fail(ctx, EXIT_INVALID, "share", NULL,
	    "not a share, which has A to Z and 2 to 7 alone");
}

static enum exit_code
from_file(struct cmd_ctx *ctx, const char *path, struct cdop_share *ret_share)
{
	struct cdop_bytes text;
	enum cdop_err err;

	err = file_read(path, FILE_MAX, ctx->arena, &text);
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, "share", NULL, "%s: %s", path,
		    err == CDOP_NOT_FOUND ? "there is no such file"
					  : "cannot be read");
	return judge(ctx, cdop_share_parse(text, ret_share), text);
}

/* Without echo, unless somebody who is alone says --show. */
static enum term_read
ask(struct cmd_ctx *ctx, size_t line, char text[static LINE_ROOM])
{
	enum term_read got;
	char prompt[40];

	(void)snprintf(prompt, sizeof(prompt), "Line %zu of the share: ", line);
	do
		got = cmd_flag(ctx, "--show")
		    ? term_line(prompt, text, LINE_ROOM, NULL)
		    : term_secret(prompt, text, LINE_ROOM);
	while (got == TERM_RESUMED);
	return got;
}

/* The lines that were typed at once, of at most n letters. */
static bool
take_lines(struct cmd_ctx *ctx, const char *text, size_t max, char *ret_letters,
    size_t *ret_n)
{
	const struct cdop_bytes bytes = {(const uint8_t *)text, strlen(text)};
	char letters[CHARS + 1];
	bool good;

	*ret_n = cdop_share_letters(bytes, letters);
	good = *ret_n > 0 && *ret_n % LINE == 0 && *ret_n <= max;
	if (good)
		memcpy(ret_letters, letters, *ret_n);
	else
		print_note(ctx,
		    "a line has %d letters, and this has %zu: the "
		    "same line again",
		    LINE, *ret_n);
	cdop_secret_wipe(letters, sizeof(letters));
	return good;
}

/* From a line on; as many as were typed at once, and max at most. */
static enum exit_code
type_line(struct cmd_ctx *ctx, size_t line, size_t max, char *ret_letters,
    size_t *ret_n)
{
	enum exit_code code = EXIT_STOPPED;
	char text[LINE_ROOM] = "";
	enum term_read got;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if ((got = ask(ctx, line, text)) != TERM_LINE ||
		    text[0] == '\0') {
			if (got == TERM_NONE ||
			    (got == TERM_END && !prompt_is_possible(ctx)))
				code = prompt_impossible(
				    ctx, "the share", "--from FILE");
			break;
		}
		if (take_lines(ctx, text, max, ret_letters, ret_n)) {
			code = EXIT_OK;
			break;
		}
	}
	cdop_secret_wipe(text, sizeof(text));
	return code;
}

static enum exit_code
type_lines(
    struct cmd_ctx *ctx, size_t first, size_t last, char letters[static CHARS])
{
	size_t at = (first - 1) * LINE, n;
	enum exit_code code = EXIT_OK;

	for (; code == EXIT_OK && at < last * LINE; at += n) {
		n = 0;
		code = type_line(
		    ctx, at / LINE + 1, last * LINE - at, letters + at, &n);
	}
	return code;
}

/* Where the line of a slip is known, that line alone is typed again. */
static enum exit_code
from_person(struct cmd_ctx *ctx, struct cdop_share *ret_share)
{
	char letters[CHARS] = "";
	const struct cdop_bytes bytes = {(const uint8_t *)letters, CHARS};
	unsigned line, group;
	enum exit_code code;
	int tries;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, "the share", "--from FILE");
	code = type_lines(ctx, 1, CHARS / LINE, letters);
	for (tries = 0; code == EXIT_OK && tries < TRIES; tries++) {
		code = judge(ctx, cdop_share_parse(bytes, ret_share), bytes);
		if (code != EXIT_INVALID || tries == TRIES - 1)
			break;
		print_note(ctx, "%s", ctx->error.message);
		if (cdop_share_slip(bytes, &line, &group))
			code = type_lines(ctx, line, line, letters);
		else
			code = type_lines(ctx, 1, CHARS / LINE, letters);
	}
	cdop_secret_wipe(letters, sizeof(letters));
	return code;
}

enum exit_code
share_in_get(struct cmd_ctx *ctx, struct cdop_share *ret_share)
{
	const char *path = cmd_value(ctx, "--from");
	const Cdop__ClientIdentity *open;
	enum exit_code code;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	code = path != NULL ? from_file(ctx, path, ret_share)
			    : from_person(ctx, ret_share);
	if (code != EXIT_OK)
		return code;
	open = ctx->session->identity.open;
	if (open->registry_id.len >= CDOP_SHARE_REGISTRY &&
	    memcmp(open->registry_id.data, ret_share->registry,
		CDOP_SHARE_REGISTRY) == 0)
		return EXIT_OK;
	cdop_secret_wipe(ret_share, sizeof(*ret_share));
	return cmd_fail(ctx, EXIT_INVALID, "share",
	    "with --context NAME another registry is meant",
	    "the share is of another registry than this context");
}
