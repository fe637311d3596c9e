/* The manual page says what the program has, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/commands.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/fields.h"
#include "tests/unit/paper.h"

#define PAGE    "packaging/man/cdop.1"
#define OUT_MAX 256

static char *page;

/* A word as it stands in the page: "-" is "\-". */
static const char *
roff(const char *text)
{
	static char out[OUT_MAX];
	size_t n = 0;

	for (; *text != '\0' && n + 3 < sizeof(out); text++) {
		if (*text == '-')
			out[n++] = '\\';
		out[n++] = *text;
	}
	out[n] = '\0';
	return out;
}

/* Does a line begin with this, and end or go on with a blank? */
static const char *
find_line(const char *from, const char *until, const char *line)
{
	size_t len = strlen(line);
	const char *at = from;

	while ((at = strstr(at, line)) != NULL && at < until) {
		if (at[-1] == '\n' && (at[len] == '\n' || at[len] == ' '))
			return at;
		at += len;
	}
	return NULL;
}

static const char *
section(const char *name, const char **ret_end)
{
	char head[64];
	const char *at;

	(void)snprintf(head, sizeof(head), "\n.SH %s\n", name);
	at = strstr(page, head);
	assert_non_null(at);
	*ret_end = strstr(at + 4, "\n.SH ");
	assert_non_null(*ret_end);
	return at + 1;
}

/* The paragraphs of a command, up to the next one. */
static const char *
paragraph(const struct cmd *cmd, const char **ret_end)
{
	const char *at, *end, *next;
	char line[OUT_MAX];

	at = section("COMMANDS", &end);
	(void)snprintf(line, sizeof(line), ".B cdop %s", roff(cmd->words));
	at = find_line(at, end, line);
	if (at == NULL)
		print_message("no paragraph: %s\n", cmd->words);
	assert_non_null(at);
	next = strstr(at + 1, "\n.B cdop ");
	*ret_end = next != NULL && next < end ? next : end;
	return at;
}

static void
every_command_and_option_has_its_paragraph(void **state)
{
	const struct cmd_opt *opt;
	const struct cmd *cmd;
	const char *at, *end;
	char line[OUT_MAX];
	size_t i;

	(void)state;
	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		at = paragraph(cmd, &end);
		for (opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
			(void)snprintf(
			    line, sizeof(line), ".B %s", roff(opt->name));
			if (find_line(at, end, line) == NULL)
				print_message("%s %s\n", cmd->words, opt->name);
			assert_non_null(find_line(at, end, line));
		}
	}
	at = section("OPTIONS", &end);
	for (opt = cmd_globals_opts; opt->name != NULL; opt++) {
		(void)snprintf(line, sizeof(line), ".B %s", roff(opt->name));
		assert_non_null(find_line(at, end, line));
	}
}

static bool
is_told_in_words(const struct cmd_opt *opt)
{
	static const char *const words[] = {
	    "reason", "source", "warning", "-text"};
	size_t i;

	for (i = 0; opt->arg != NULL && i < sizeof(words) / sizeof(*words); i++)
		if (strstr(opt->name, words[i]) != NULL)
			return true;
	return false;
}

static void
assert_warned_of(const struct cmd_opt *opt)
{
	const char *at = strstr(page, "\n.SS What is never on a command line"),
		   *end, *found;
	size_t len;

	assert_non_null(at);
	assert_non_null(end = strstr(at + 1, "\n.SS "));
	for (; opt != NULL && opt->name != NULL; opt++) {
		if (!is_told_in_words(opt))
			continue;
		len = strlen(roff(opt->name));
		for (found = strstr(at, roff(opt->name)); found != NULL;
		     found = strstr(found + 1, roff(opt->name)))
			if (found[-1] == ' ' &&
			    (found[len] == ' ' || found[len] == '.'))
				break;
		if (found == NULL || found > end)
			print_message("no word about %s\n", opt->name);
		assert_true(found != NULL && found < end);
	}
}

/* Free text in argv is seen by others on the computer (RECORDS M12). */
static void
whoever_types_a_reason_is_told_who_reads_it(void **state)
{
	const struct cmd *cmd;
	size_t i;

	(void)state;
	for (i = 0; (cmd = commands_at(i)) != NULL; i++)
		assert_warned_of(cmd->opts);
	assert_warned_of(cmd_globals_opts);
}

static bool
has_option(const struct cmd *cmd, const char *name, size_t len)
{
	const struct cmd_opt *opt;

	for (opt = cmd->opts; opt != NULL && opt->name != NULL; opt++)
		if (strncmp(roff(opt->name), name, len) == 0 &&
		    strlen(roff(opt->name)) == len)
			return true;
	return false;
}

static void
the_page_promises_nothing_else(void **state)
{
	const struct cmd *cmd;
	const char *at, *end, *opt;
	size_t i, n = 0, on_page = 0;

	(void)state;
	for (i = 0; (cmd = commands_at(i)) != NULL; i++) {
		n++;
		at = paragraph(cmd, &end);
		for (opt = strstr(at, "\n.B \\-\\-"); opt != NULL && opt < end;
		     opt = strstr(opt + 1, "\n.B \\-\\-"))
			assert_true(
			    has_option(cmd, opt + 4, strcspn(opt + 4, " \n")));
	}
	at = section("COMMANDS", &end);
	while ((at = strstr(at + 1, "\n.B cdop ")) != NULL && at < end)
		on_page++;
	assert_int_equal(on_page, n);
}

static void
exit_codes_are_those_of_the_program(void **state)
{
	const char *at, *end;
	char line[32], words[OUT_MAX];
	unsigned i;

	(void)state;
	at = section("EXIT STATUS", &end);
	for (i = 0; i < EXIT_CODES; i++) {
		(void)snprintf(line, sizeof(line), ".B %u", i);
		at = find_line(at, end, line);
		assert_non_null(at);
		at = strchr(at, '\n') + 1;
		/* The first letter is a capital there. */
		(void)snprintf(
		    words, sizeof(words), "%s.", roff(exit_words(i)));
		assert_int_equal(
		    strncmp(at + 1, words + 1, strlen(words) - 1), 0);
	}
	(void)snprintf(line, sizeof(line), ".B %u", i);
	assert_null(find_line(at, end, line));
}

static void
fields_are_those_of_the_dictionary(void **state)
{
	const char *at, *end;
	char line[OUT_MAX];
	size_t i, n = 0, on_page = 0;

	(void)state;
	at = section("FIELDS", &end);
	for (i = 0; i < cdop_fields_count; i++) {
		if (cdop_fields[i].kind == CDOP_KIND_ENTRY)
			continue;
		n++;
		(void)snprintf(
		    line, sizeof(line), ".B %s", roff(cdop_fields[i].path));
		if (find_line(at, end, line) == NULL)
			print_message("%s\n", cdop_fields[i].path);
		assert_non_null(find_line(at, end, line));
	}
	while ((at = strstr(at + 1, "\n.B ")) != NULL && at < end)
		on_page++;
	/* .BR of the introduction is none. */
	assert_int_equal(on_page, n);
}

static void
numbers_have_their_bounds(void **state)
{
	const struct cdop_field *f;
	char line[OUT_MAX];
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		f = &cdop_fields[i];
		if (f->kind != CDOP_KIND_INTEGER)
			continue;
		n++;
		(void)snprintf(line, sizeof(line),
		    "\n%s (integer, %lld to %lld)", roff(f->label),
		    (long long)f->min, (long long)f->max);
		if (strstr(page, line) == NULL)
			print_message("%s\n", line);
		assert_non_null(strstr(page, line));
	}
	assert_true(n > 0);
}

/* A path with a number where there is none is no field. */
static void
groups_are_numbered_where_they_repeat(void **state)
{
	const struct cdop_field *f;
	const char *at, *end, *last = "";
	char line[OUT_MAX], label[OUT_MAX];
	size_t i;

	(void)state;
	at = section("FIELDS", &end);
	for (i = 0; i < cdop_fields_count; i++) {
		f = &cdop_fields[i];
		if (strcmp(last, f->group) == 0)
			continue;
		last = f->group;
		(void)snprintf(
		    label, sizeof(label), "%s", roff(f->group_label));
		(void)snprintf(line, sizeof(line),
		    f->group_max > 0 ? "\n.SS %s (numbered: %s.1, %s.2; at "
				       "most %u)\n"
				     : "\n.SS %s\n",
		    label, f->group, f->group, f->group_max);
		if (strstr(at, line) == NULL || strstr(at, line) > end)
			print_message("%s", line);
		assert_non_null(strstr(at, line));
		assert_true(strstr(at, line) < end);
	}
}

static void
classes_are_those_of_the_dictionary(void **state)
{
	const ProtobufCEnumDescriptor *desc = &cdop__data_class__descriptor;
	const char *at = strstr(page, "\n.SS Raising a value\n"), *end;
	char word[OUT_MAX], *p;
	unsigned i;

	(void)state;
	assert_non_null(at);
	end = strstr(at + 1, "\n.SS ");
	for (i = 0; i < desc->n_values; i++) {
		(void)snprintf(word, sizeof(word), "%s", desc->values[i].name);
		for (p = word; *p != '\0'; p++)
			*p = *p == '_' ? '_' : (char)(*p | 0x20);
		p = strstr(at, word);
		/* That one is no raise. */
		assert_int_equal(p != NULL && p < end,
		    desc->values[i].value != CDOP__DATA_CLASS__ADMINISTRATIVE);
	}
}

static int
read_page(void **state)
{
	(void)state;
	page = paper_read(PAGE);
	return 0;
}

static int
free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_command_and_option_has_its_paragraph),
	    cmocka_unit_test(whoever_types_a_reason_is_told_who_reads_it),
	    cmocka_unit_test(the_page_promises_nothing_else),
	    cmocka_unit_test(exit_codes_are_those_of_the_program),
	    cmocka_unit_test(fields_are_those_of_the_dictionary),
	    cmocka_unit_test(numbers_have_their_bounds),
	    cmocka_unit_test(groups_are_numbered_where_they_repeat),
	    cmocka_unit_test(classes_are_those_of_the_dictionary),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
