/* The table of all commands; a family is a file and a line here. */
#include "client/commands.h"

#include <string.h>

#include "client/families.h"

static const struct cmd *const families[] = {
    cmd_notify_rows,
    cmd_ask_rows,
    cmd_retry_rows,
    cmd_approve_rows,
    cmd_server_rows,
    cmd_context_rows,
    cmd_case_rows,
    cmd_change_rows,
    cmd_hold_rows,
    cmd_certificate_rows,
    cmd_people_rows,
    cmd_profile_rows,
    cmd_audit_rows,
    cmd_exposure_rows,
    cmd_searched_rows,
    cmd_log_rows,
    cmd_witness_rows,
    cmd_key_rows,
    cmd_slot_rows,
    cmd_custodian_rows,
    cmd_backup_rows,
    cmd_restore_rows,
    cmd_trust_rows,
    cmd_enrol_rows,
    cmd_agent_rows,
    cmd_help_rows,
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))
#define NEAR_MAX 64 /* letters that are compared */

const struct cmd *
commands_at(size_t i)
{
	const struct cmd *row;
	size_t k;

	for (k = 0; k < FAMILIES; k++)
		for (row = families[k]; row->words != NULL; row++)
			if (i-- == 0)
				return row;
	return NULL;
}

static bool
fits(const struct cmd *cmd, const char *const *words, size_t n, size_t *ret)
{
	const char *blank = strchr(cmd->words, ' ');
	size_t len =
	    blank != NULL ? (size_t)(blank - cmd->words) : strlen(cmd->words);

	if (strlen(words[0]) != len || strncmp(cmd->words, words[0], len) != 0)
		return false;
	if (blank != NULL && (n < 2 || strcmp(blank + 1, words[1]) != 0))
		return false;
	*ret = blank != NULL ? 2 : 1;
	return true;
}

const struct cmd *
commands_find(const char *const *words, size_t n, size_t *ret_used)
{
	const struct cmd *cmd;
	size_t i;

	for (i = 0; n > 0 && (cmd = commands_at(i)) != NULL; i++)
		if (fits(cmd, words, n, ret_used))
			return cmd;
	return NULL;
}

bool
commands_is_noun(const char *word)
{
	const struct cmd *cmd;
	size_t i, len = strlen(word);

	for (i = 0; (cmd = commands_at(i)) != NULL; i++)
		if (strncmp(cmd->words, word, len) == 0 &&
		    cmd->words[len] == ' ')
			return true;
	return false;
}

/* Levenshtein's distance of two short words. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NEAR_MAX + 1], i, j, old, next, na, nb;

	na = strnlen(a, NEAR_MAX);
	nb = strnlen(b, NEAR_MAX);
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		old = row[0];
		row[0] = i;
		for (j = 1; j <= nb; j++) {
			next = old + (a[i - 1] != b[j - 1]);
			old = row[j];
			if (row[j] + 1 < next)
				next = row[j] + 1;
			if (row[j - 1] + 1 < next)
				next = row[j - 1] + 1;
			row[j] = next;
		}
	}
	return row[nb];
}

/* "find" of "case find"; of "list" there are many. */
static const struct cmd *
only_verb(const char *typed)
{
	const struct cmd *cmd, *found = NULL;
	const char *blank;
	size_t i;

	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		blank = strchr(cmd->words, ' ');
		if (blank == NULL || strcmp(blank + 1, typed) != 0 ||
		    (cmd->flags & CMD_HIDDEN) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = cmd;
	}
	return found;
}

const struct cmd *
commands_near(const char *typed)
{
	const struct cmd *cmd, *best = NULL;
	size_t i, d, least = 3;

	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		if ((cmd->flags & CMD_HIDDEN) != 0)
			continue;
		d = distance(typed, cmd->words);
		if (d < least) {
			least = d;
			best = cmd;
		}
	}
	return best != NULL ? best : only_verb(typed);
}

struct near {
	const struct cmd_opt *best, *begun;
	size_t least, n_begun;
};

static void
look_near(const struct cmd_opt *opt, const char *word, struct near *near)
{
	size_t d;

	for (; opt != NULL && opt->name != NULL; opt++) {
		if (strncmp(opt->name, word, strlen(word)) == 0) {
			near->begun = opt;
			near->n_begun++;
		}
		d = distance(word, opt->name);
		if (d < near->least) {
			near->least = d;
			near->best = opt;
		}
	}
}

const struct cmd_opt *
commands_near_opt(const struct cmd *cmd, const char *typed, size_t len)
{
	struct near near = {NULL, NULL, 3, 0};
	char word[NEAR_MAX];
	size_t i;

	if (len >= sizeof(word))
		return NULL;
	for (i = 0; i < len; i++)
		word[i] = typed[i] >= 'A' && typed[i] <= 'Z'
		    ? (char)(typed[i] - 'A' + 'a')
		    : typed[i];
	word[len] = '\0';
	look_near(cmd->opts, word, &near);
	/* Of those that every command has, only a slip of one letter. */
	if (near.least > 2)
		near.least = 2;
	look_near(cmd_globals_opts, word, &near);
	return near.best != NULL || near.n_begun != 1 ? near.best : near.begun;
}

const char *
commands_with_verb(struct cdop_arena *arena, const char *verb)
{
	const char *blank, *list = NULL;
	const struct cmd *cmd;
	size_t i;

	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		blank = strchr(cmd->words, ' ');
		if (blank == NULL || strcmp(blank + 1, verb) != 0 ||
		    (cmd->flags & CMD_HIDDEN) != 0)
			continue;
		list = cdop_arena_printf(arena, "%s%scdop %s",
		    list == NULL ? "" : list, list == NULL ? "" : ", ",
		    cmd->words);
	}
	return list == NULL ? "cdop help" : list;
}
