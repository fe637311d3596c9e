/* Questions and what is typed at them. */
#include "client/prompt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "client/editor.h"
#include "client/print.h"
#include "client/term.h"

#define TRIES 10
#define EDIT  "#ed" /* typed alone on a line */

bool
prompt_is_possible(const struct cmd_ctx *ctx)
{
	return !ctx->g.no_input && term_is_person();
}

enum exit_code
prompt_impossible(struct cmd_ctx *ctx, const char *what, const char *instead)
{
	return cmd_fail(ctx, EXIT_USAGE, "input_needed", instead,
	    "%s is missing and %s", what,
	    ctx->g.no_input ? "nobody may be asked (--no-input)"
			    : "there is no terminal to ask at");
}

static char *
trim(char *text)
{
	size_t len;

	while (*text == ' ' || *text == '\t')
		text++;
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

/* What came of one line. */
struct line {
	char text[TERM_LINE_MAX];
	bool end;    /* of input */
	bool cut;    /* there was more of it */
	bool inside; /* a paste has begun and goes on */
	bool pasted; /* some of it was */
};

/* Takes the terminal's marks out of it, and what they say. */
static void
take_marks(struct line *line)
{
	static const size_t len = sizeof(TERM_PASTE) - 1;
	char *from = line->text, *to = line->text;

	line->pasted = line->inside;
	while (*from != '\0') {
		if (strncmp(from, TERM_PASTE, len) == 0) {
			line->inside = line->pasted = true;
			from += len;
		} else if (strncmp(from, TERM_PASTED, len) == 0) {
			line->inside = false;
			from += len;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static enum exit_code
read_line(
    struct cmd_ctx *ctx, const char *prompt, bool question, struct line *line)
{
	const char *safe = print_safe(ctx->arena, prompt, true);
	enum term_read got;

	do {
		if (question)
			print_mode_word(ctx);
		got = term_line(safe != NULL ? safe : "? ", line->text,
		    TERM_LINE_MAX, &line->cut);
	} while (got == TERM_RESUMED);
	line->end = got == TERM_END;
	take_marks(line);
	return got == TERM_STOPPED ? EXIT_STOPPED : EXIT_OK;
}

/* Lines that were pasted where one is wanted: one, with blanks between. */
static enum exit_code
read_one(
    struct cmd_ctx *ctx, const char *prompt, struct line *line, char **ret_text)
{
	enum exit_code code;
	char *text = NULL;
	bool cut = false;

	line->inside = false;
	do {
		code = read_line(
		    ctx, text == NULL ? prompt : "", text == NULL, line);
		if (code != EXIT_OK || (line->end && text == NULL))
			return code == EXIT_OK ? EXIT_STOPPED : code;
		cut = cut || line->cut;
		text = text == NULL
		    ? cdop_arena_strdup(ctx->arena, line->text)
		    : cdop_arena_printf(ctx->arena, "%s %s", text, line->text);
	} while (line->inside && !line->end && text != NULL &&
	    strlen(text) < TERM_LINE_MAX);
	if (text == NULL)
		return cmd_no_memory(ctx);
	if (cut || line->inside)
		print_note(ctx,
		    "that line was too long and is cut: give long texts with "
		    "--from FILE");
	*ret_text = text;
	return EXIT_OK;
}

enum exit_code
prompt_line(struct cmd_ctx *ctx, const char *question, const char *usual,
    const char **ret_text)
{
	struct line line;
	const char *prompt;
	enum exit_code code;
	char *typed = NULL;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, question, NULL);
	prompt = usual != NULL
	    ? cdop_arena_printf(ctx->arena, "%s [%s]: ", question, usual)
	    : cdop_arena_printf(ctx->arena, "%s: ", question);
	if (prompt == NULL)
		return cmd_no_memory(ctx);
	term_paste(true);
	code = read_one(ctx, prompt, &line, &typed);
	term_paste(false);
	cdop_secret_wipe(&line, sizeof(line));
	if (code != EXIT_OK || typed == NULL)
		return code;
	*ret_text = trim(typed);
	if (usual != NULL && (*ret_text)[0] == '\0')
		*ret_text = usual;
	return EXIT_OK;
}

enum exit_code
prompt_need(struct cmd_ctx *ctx, const char *question, const char *instead,
    const char **ret_text)
{
	enum exit_code code;
	int i;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, question, instead);
	for (i = 0; i < TRIES; i++) {
		code = prompt_line(ctx, question, NULL, ret_text);
		if (code != EXIT_OK || (*ret_text)[0] != '\0')
			return code;
		print_note(ctx, "it is needed; Ctrl-C stops");
	}
	return EXIT_STOPPED;
}

/* What was typed so far, and whether there is more to come. */
struct lines {
	char *text; /* CDOP_NARRATIVE_MAX + 2 */
	size_t len;
	size_t n;
};

static void
add_line(struct cmd_ctx *ctx, struct lines *all, const struct line *line)
{
	size_t n = strlen(line->text);

	if (line->cut) {
		print_note(ctx,
		    "that line is too long for a terminal and was not "
		    "taken: " EDIT " opens an editor");
		return;
	}
	if (all->len + n + 1 > CDOP_NARRATIVE_MAX) {
		print_note(
		    ctx, "that line does not fit any more (32 KiB in all)");
		return;
	}
	memcpy(all->text + all->len, line->text, n);
	all->text[all->len + n] = '\n';
	all->len += n + 1;
	all->n++;
}

/* *ret_edit: the rest is for the editor. */
static enum exit_code
read_lines(
    struct cmd_ctx *ctx, const char *prompt, struct lines *all, bool *ret_edit)
{
	enum exit_code code;
	struct line line;

	line.inside = false;
	*ret_edit = false;
	do {
		code = read_line(
		    ctx, all->n == 0 ? prompt : "> ", all->n == 0, &line);
		*ret_edit = strcmp(line.text, EDIT) == 0 && !line.pasted;
		if (code != EXIT_OK || *ret_edit)
			break;
		/* A dot or nothing ends it, but not what was pasted. */
		if (!line.pasted &&
		    (line.end || strcmp(line.text, ".") == 0 ||
			(all->n == 0 && line.text[0] == '\0')))
			break;
		add_line(ctx, all, &line);
	} while (!line.end);
	cdop_secret_wipe(&line, sizeof(line));
	while (all->len > 0 && all->text[all->len - 1] == '\n')
		all->len--;
	all->text[all->len] = '\0';
	return code;
}

enum exit_code
prompt_lines(struct cmd_ctx *ctx, const char *question, const char *before,
    const char **ret_text)
{
	struct lines all = {NULL, 0, 0};
	enum exit_code code;
	const char *prompt;
	bool edit;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, question, NULL);
	all.text = cdop_arena_alloc(ctx->arena, CDOP_NARRATIVE_MAX + 2);
	prompt = cdop_arena_printf(ctx->arena,
	    "%s (several lines; end with one dot alone, " EDIT
	    " opens an editor, Enter skips)\n> ",
	    question);
	if (all.text == NULL || prompt == NULL)
		return cmd_no_memory(ctx);
	for (;;) {
		term_paste(true);
		code = read_lines(ctx, prompt, &all, &edit);
		term_paste(false);
		if (code != EXIT_OK || !edit)
			break;
		if (all.n > 0 || before == NULL)
			before = all.text;
		code = editor_text(ctx, before, CDOP_NARRATIVE_MAX, ret_text);
		if (code == EXIT_OK || code == EXIT_UNEXPECTED)
			return code;
		print_note(ctx, "%s", ctx->error.message);
		ctx->error.message = NULL;
	}
	*ret_text = all.text;
	return code;
}

enum exit_code
prompt_yes(struct cmd_ctx *ctx, const char *question, bool usual, bool *ret_yes)
{
	const char *text;
	enum exit_code code;
	int i;

	for (i = 0; i < TRIES; i++) {
		code = prompt_line(ctx, question, usual ? "yes" : "no", &text);
		if (code != EXIT_OK)
			return code;
		if (strcasecmp(text, "yes") == 0 ||
		    strcasecmp(text, "y") == 0) {
			*ret_yes = true;
			return EXIT_OK;
		}
		if (strcasecmp(text, "no") == 0 || strcasecmp(text, "n") == 0) {
			*ret_yes = false;
			return EXIT_OK;
		}
		print_note(ctx, "yes or no");
	}
	return EXIT_STOPPED;
}

enum exit_code
prompt_agree(struct cmd_ctx *ctx, const char *question)
{
	enum exit_code code;
	bool yes = false;

	if (cmd_flag(ctx, "--yes"))
		return EXIT_OK;
	code = prompt_is_possible(ctx)
	    ? prompt_yes(ctx, question, false, &yes)
	    : prompt_impossible(ctx, "your yes", "--yes");
	if (code != EXIT_OK)
		return code;
	return yes ? EXIT_OK : EXIT_STOPPED;
}

size_t
prompt_match(const struct prompt_option *option, size_t n, const char *typed)
{
	size_t i, found = n, len = strlen(typed), hits = 0;
	unsigned long number;
	char *end;

	if (len == 0)
		return n;
	/* The number is what a menu shows; a code may be a number, too. */
	number = strtoul(typed, &end, 10);
	if (*end == '\0' && number >= 1 && number <= n)
		return number - 1;
	for (i = 0; i < n; i++)
		if (strcasecmp(option[i].code, typed) == 0)
			return i;
	/* A whole label may be the beginning of another. */
	for (i = 0; i < n; i++)
		if (strcasecmp(option[i].label, typed) == 0) {
			found = i;
			hits++;
		}
	if (hits == 1)
		return found;
	hits = 0;
	for (i = 0; i < n; i++) {
		if (strncasecmp(option[i].label, typed, len) == 0 ||
		    strncasecmp(option[i].code, typed, len) == 0) {
			found = i;
			hits++;
		}
	}
	return hits == 1 ? found : n;
}

static void
show_options(struct cmd_ctx *ctx, const struct prompt_option *option, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		print_note(ctx, "  %2zu  %s", i + 1, option[i].label);
}

enum exit_code
prompt_choice(struct cmd_ctx *ctx, const char *question,
    const struct prompt_option *option, size_t n, size_t usual,
    size_t *ret_chosen)
{
	const char *text;
	enum exit_code code;
	size_t chosen;
	int i;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, question, NULL);
	show_options(ctx, option, n);
	for (i = 0; i < TRIES; i++) {
		code = prompt_line(ctx, question,
		    usual < n ? option[usual].label : NULL, &text);
		if (code != EXIT_OK)
			return code;
		chosen = usual < n && text == option[usual].label
		    ? usual
		    : prompt_match(option, n, text);
		if (chosen < n) {
			*ret_chosen = chosen;
			return EXIT_OK;
		}
		print_note(ctx,
		    "a number of the list, or the first letters "
		    "of one line");
	}
	return EXIT_STOPPED;
}
