/* Questions and what is typed at them. */
#include "client/prompt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "client/print.h"
#include "client/term.h"

#define TRIES 10

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

static enum exit_code
read_line(struct cmd_ctx *ctx, const char *prompt, bool question, char *out,
    bool *ret_end)
{
	const char *safe = print_safe(ctx->arena, prompt, true);
	enum term_read got;
	bool cut = false;

	if (question)
		print_mode_word(ctx);
	got = term_line(safe != NULL ? safe : "? ", out, TERM_LINE_MAX, &cut);
	*ret_end = got == TERM_END;
	if (got == TERM_STOPPED)
		return EXIT_STOPPED;
	if (cut)
		print_note(ctx,
		    "that line was too long and is cut: give "
		    "long texts with --from FILE");
	return EXIT_OK;
}

enum exit_code
prompt_line(struct cmd_ctx *ctx, const char *question, const char *usual,
    const char **ret_text)
{
	char typed[TERM_LINE_MAX];
	const char *prompt;
	enum exit_code code;
	bool end;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, question, NULL);
	prompt = usual != NULL
	    ? cdop_arena_printf(ctx->arena, "%s [%s]: ", question, usual)
	    : cdop_arena_printf(ctx->arena, "%s: ", question);
	if (prompt == NULL)
		return cmd_fail(
		    ctx, EXIT_UNEXPECTED, NULL, NULL, "out of memory");
	code = read_line(ctx, prompt, true, typed, &end);
	if (code == EXIT_OK && end)
		code = EXIT_STOPPED;
	if (code == EXIT_OK) {
		*ret_text = cdop_arena_strdup(ctx->arena, trim(typed));
		if (usual != NULL && (*ret_text)[0] == '\0')
			*ret_text = usual;
	}
	cdop_secret_wipe(typed, sizeof(typed));
	return code;
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
	}
	return EXIT_STOPPED;
}

enum exit_code
prompt_lines(struct cmd_ctx *ctx, const char *question, const char **ret_text)
{
	char *all, typed[TERM_LINE_MAX];
	size_t len = 0, n, line = 0;
	enum exit_code code;
	const char *prompt;
	bool end;

	if (!prompt_is_possible(ctx))
		return prompt_impossible(ctx, question, NULL);
	all = cdop_arena_alloc(ctx->arena, CDOP_NARRATIVE_MAX + 2);
	prompt = cdop_arena_printf(ctx->arena,
	    "%s (several lines; end with one dot alone, Enter skips)\n> ",
	    question);
	if (all == NULL || prompt == NULL)
		return cmd_fail(
		    ctx, EXIT_UNEXPECTED, NULL, NULL, "out of memory");
	for (;; line++) {
		code = read_line(
		    ctx, line == 0 ? prompt : "> ", line == 0, typed, &end);
		n = strlen(typed);
		if (code != EXIT_OK || end || strcmp(typed, ".") == 0 ||
		    (line == 0 && n == 0))
			break;
		if (len + n + 1 > CDOP_NARRATIVE_MAX) {
			print_note(ctx,
			    "that is the end of what fits "
			    "(32 KiB)");
			break;
		}
		memcpy(all + len, typed, n);
		all[len + n] = '\n';
		len += n + 1;
	}
	cdop_secret_wipe(typed, sizeof(typed));
	while (len > 0 && all[len - 1] == '\n')
		all[--len] = '\0';
	*ret_text = all;
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
	for (i = 0; i < n; i++)
		if (strcasecmp(option[i].code, typed) == 0)
			return i;
	number = strtoul(typed, &end, 10);
	if (*end == '\0' && number >= 1 && number <= n)
		return number - 1;
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
