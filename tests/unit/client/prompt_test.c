/* Prompts on a real terminal, with somebody who types what people type. */
#include "client/prompt.h"

#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/notify_ask.h"
#include "client/overrides.h"
#include "client/spool.h"
#include "client/term.h"
#include "tests/unit/client/fixture.h"

typedef int scene_fn(struct fixture *f);

/*
 * Plays a scene in a child on a terminal of its own; all is typed when the
 * first question is there, as by somebody fast.  The child's exit status; its
 * screen goes to screen.
 */
static int
play(struct fixture *f, scene_fn *scene, const char *typed, char *screen,
    size_t max)
{
	size_t len = 0;
	ssize_t n;
	int fd, status;
	pid_t pid;

	pid = forkpty(&fd, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0) {
		term_start();
		f->ctx.g.no_input = false;
		_exit(scene(f));
	}
	/* It has to listen before somebody may break it off. */
	do
		len += (size_t)read(fd, screen + len, max - len - 1);
	while (memmem(screen, len, ": ", 2) == NULL &&
	    memmem(screen, len, "> ", 2) == NULL && len < 4000);
	assert_int_equal(write(fd, typed, strlen(typed)), strlen(typed));
	while (len + 1 < max && (n = read(fd, screen + len, max - len - 1)) > 0)
		len += (size_t)n;
	screen[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void
words_choose_by_number_code_or_beginning(void **state)
{
	static const struct prompt_option o[] = {
	    {"home", "Home of normal residence"}, {"hospice", "Hospice"},
	    {"1", "Male"}};
	static const struct prompt_option seven[] = {{"7", "Seventh"}};
	static const struct prompt_option homes[] = {
	    {"40", "Care home"}, {"41", "Care home with nursing"}};

	(void)state;
	assert_int_equal(prompt_match(o, 3, "2"), 1);
	assert_int_equal(prompt_match(o, 3, "hospice"), 1);
	assert_int_equal(prompt_match(o, 3, "HOME"), 0);
	assert_int_equal(prompt_match(o, 3, "hom"), 0);
	assert_int_equal(prompt_match(o, 3, "ho"), 3);
	/* What the menu shows beats a code that nobody sees. */
	assert_int_equal(prompt_match(o, 3, "1"), 0);
	assert_int_equal(prompt_match(o, 3, "7"), 3);
	assert_int_equal(prompt_match(seven, 1, "7"), 0);
	/* A label that others begin with. */
	assert_int_equal(prompt_match(homes, 2, "care HOME"), 0);
	assert_int_equal(prompt_match(homes, 2, "care"), 2);
	assert_int_equal(prompt_match(o, 3, ""), 3);
}

static int
scene_line(struct fixture *f)
{
	const char *text;

	if (prompt_line(&f->ctx, "Name", "usual", &text) != EXIT_OK)
		return 1;
	return strcmp(text, "Zo\xc3\xab") == 0 ? 0 : 2;
}

static int
scene_usual(struct fixture *f)
{
	const char *text;

	if (prompt_line(&f->ctx, "Name", "usual", &text) != EXIT_OK)
		return 1;
	return strcmp(text, "usual") == 0 ? 0 : 2;
}

static void
a_line_is_trimmed_and_enter_takes_the_usual(void **state)
{
	char screen[4096];

	assert_int_equal(
	    play(*state, scene_line, "  Zo\xc3\xab \n", screen, sizeof(screen)),
	    0);
	assert_non_null(strstr(screen, "TRAINING  Name [usual]: "));
	assert_int_equal(
	    play(*state, scene_usual, "\n", screen, sizeof(screen)), 0);
}

static int
scene_stopped(struct fixture *f)
{
	const char *text;

	return (int)prompt_line(&f->ctx, "Name", NULL, &text);
}

static void
breaking_off_is_an_answer(void **state)
{
	char screen[4096];

	assert_int_equal(
	    play(*state, scene_stopped, "\x04", screen, sizeof(screen)),
	    EXIT_STOPPED);
	assert_int_equal(
	    play(*state, scene_stopped, "half\x03", screen, sizeof(screen)),
	    EXIT_STOPPED);
}

static int
scene_lines(struct fixture *f)
{
	const char *text;

	if (prompt_lines(&f->ctx, "Story", NULL, &text) != EXIT_OK)
		return 1;
	return strcmp(text, "one\n\n  three") == 0 ? 0 : 2;
}

static void
lines_end_with_a_dot_alone(void **state)
{
	char screen[4096];

	assert_int_equal(play(*state, scene_lines, "one\n\n  three\n.\n",
			     screen, sizeof(screen)),
	    0);
}

static int
scene_pasted_line(struct fixture *f)
{
	const char *text, *next;

	(void)setenv("TERM", "xterm", 1);
	if (prompt_line(&f->ctx, "Name", NULL, &text) != EXIT_OK ||
	    prompt_line(&f->ctx, "Date", NULL, &next) != EXIT_OK)
		return 1;
	return strcmp(text, "Jane Tarrant") == 0 && strcmp(next, "2024") == 0
	    ? 0
	    : 2;
}

/* The second line of a paste is not the answer to the next question. */
static void
pasted_lines_answer_one_question(void **state)
{
	char screen[4096];

	assert_int_equal(play(*state, scene_pasted_line,
			     "\033[200~Jane\nTarrant\033[201~\n2024\n", screen,
			     sizeof(screen)),
	    0);
	assert_non_null(strstr(screen, "\033[?2004h"));
	assert_non_null(strstr(screen, "\033[?2004l"));
	assert_null(strstr(screen, "^["));
}

static int
scene_pasted_lines(struct fixture *f)
{
	const char *text;

	(void)setenv("TERM", "xterm", 1);
	if (prompt_lines(&f->ctx, "Story", NULL, &text) != EXIT_OK)
		return 1;
	return strcmp(text, "\nDear colleague,\n.\n\nYours\ntyped") == 0 ? 0
									 : 2;
}

static void
nothing_in_a_paste_ends_the_text(void **state)
{
	char screen[4096];

	assert_int_equal(play(*state, scene_pasted_lines,
			     "\033[200~\nDear colleague,\n.\n\nYours\033[201~\n"
			     "typed\n.\n",
			     screen, sizeof(screen)),
	    0);
}

static int
scene_long_line(struct fixture *f)
{
	const char *text;

	if (prompt_lines(&f->ctx, "Story", NULL, &text) != EXIT_OK)
		return 1;
	return strcmp(text, "short") == 0 ? 0 : 2;
}

/* A terminal drops what is over 4095: half a sentence is not kept. */
static void
a_line_that_the_terminal_cut_is_not_taken(void **state)
{
	static char typed[5200], screen[65536];

	memset(typed, 'x', 5000);
	memcpy(typed + 5000, "\nshort\n.\n", 10);
	assert_int_equal(
	    play(*state, scene_long_line, typed, screen, sizeof(screen)), 0);
	assert_non_null(strstr(screen, "was not taken"));
}

static int
scene_yes(struct fixture *f)
{
	bool yes;

	if (prompt_yes(&f->ctx, "Go on", false, &yes) != EXIT_OK)
		return 1;
	return yes ? 0 : 2;
}

static void
yes_is_yes_and_everything_else_is_asked_again(void **state)
{
	char screen[4096];

	assert_int_equal(
	    play(*state, scene_yes, "perhaps\nYES\n", screen, sizeof(screen)),
	    0);
	assert_non_null(strstr(screen, "yes or no"));
	assert_int_equal(
	    play(*state, scene_yes, "\n", screen, sizeof(screen)), 2);
}

static int
scene_override(struct fixture *f)
{
	static const struct cmd_finding finding = {
	    "birth.weight_grams", "weight.range", "unlikely", true};
	struct overrides o = {.n = 0};
	Cdop__Form *form = cdop_form_new(f->ctx.arena);
	struct cdop_violations v = {NULL, 0, 0};

	if (cdop_form_put(form, "birth.weight_grams", "250", NULL, f->ctx.arena,
		&v) != CDOP_OK)
		return 3;
	if (overrides_ask(&f->ctx, &o, form, &finding, 1) != EXIT_OK)
		return 1;
	if (o.n != 1 || strcmp(o.list[0]->reason, "weighed twice") != 0 ||
	    strcmp(o.list[0]->value, "250") != 0)
		return 2;
	if (cdop_form_put(form, "birth.weight_grams", "260", NULL, f->ctx.arena,
		&v) != CDOP_OK)
		return 3;
	overrides_prune(&f->ctx, &o, form);
	return o.n == 0 ? 0 : 4;
}

static void
a_warning_wants_a_reason_and_holds_for_its_value(void **state)
{
	char screen[4096];

	assert_int_equal(play(*state, scene_override, "y\n\nweighed twice\n",
			     screen, sizeof(screen)),
	    0);
	assert_non_null(strstr(screen, "weight.range"));
	assert_int_equal(
	    play(*state, scene_override, "no\n", screen, sizeof(screen)), 1);
}

static bool
is(struct fixture *f, const Cdop__Form *form, const char *path,
    const char *want)
{
	return strcmp(cdop_form_text(form, path, f->ctx.arena), want) == 0;
}

static int
scene_notify(struct fixture *f)
{
	struct notify n;
	enum exit_code code;

	if (notify_new(&f->ctx, &n) != EXIT_OK)
		return 100;
	code = notify_ask(&f->ctx, fixture_profile(f), &n);
	if (code != EXIT_OK)
		return (int)code;
	if (!is(f, n.form, "received.channel", "phone") ||
	    !is(f, n.form, "received.notified_date", "2026-11-20") ||
	    !is(f, n.form, "notifier.agency", "RBS") ||
	    !is(f, n.form, "child.name_kind", "baby_of") ||
	    !is(f, n.form, "child.sex", "#nk") ||
	    !is(f, n.form, "birth.date", "2026-11-19") ||
	    !is(f, n.form, "death.date", "2026-11-20") ||
	    !is(f, n.form, "place.type", "neonatal_unit") ||
	    !is(f, n.form, "area.residence", "wirral") ||
	    !is(f, n.form, "mother.family_name", "Tarrant-Synthetic") ||
	    !is(f, n.form, "birth.time", "03:10"))
		return 101;
	/* The draft is there, and sealed. */
	return n.draft == 1 ? 0 : 102;
}

static void
a_newborn_without_a_name_is_asked_for_its_mother(void **state)
{
	static const char typed[] = "pho\n20/11/2026\n17:40\nalder\n"
				    "Dr Sample\n0151 496 0003\n3\n#nk\n"
				    "19/11/2026\n20/11/2026\nneonatal\n"
				    "wir\nliverpool\n"
				    "\n\n\n2\n\n\n03:10\n\n\n\n\n04:30\n"
				    "\n\n\nTarrant-Synthetic\n\n\n\n\n\n\n"
				    "\n\n\n\n\n\n\n\n\n\n";
	char screen[65536];
	int code;

	code = play(*state, scene_notify, typed, screen, sizeof(screen));
	if (code != 0)
		print_message("%s\n", screen);
	assert_int_equal(code, 0);
	assert_non_null(strstr(screen, "Fri 20 November 2026"));
	assert_null(strstr(screen, "First names:"));
}

static void
breaking_off_a_notification_keeps_a_draft(void **state)
{
	struct fixture *f = *state;
	struct spool_list list;
	char screen[65536];

	assert_int_equal(
	    play(f, scene_notify, "phone\n20/11/2026\n17:40\nalder\n\x04",
		screen, sizeof(screen)),
	    EXIT_STOPPED);
	assert_int_equal(spool_drafts(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
}

static void
nobody_is_asked_where_nobody_is(void **state)
{
	struct fixture *f = *state;
	const char *text;

	assert_int_equal(prompt_line(&f->ctx, "Name", NULL, &text), EXIT_USAGE);
	assert_non_null(strstr(f->ctx.error.message, "--no-input"));
	assert_int_equal(
	    prompt_need(&f->ctx, "Name", "--name NAME", &text), EXIT_USAGE);
	assert_string_equal(f->ctx.error.next, "--name NAME");
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_choose_by_number_code_or_beginning),
	    WITH(a_line_is_trimmed_and_enter_takes_the_usual),
	    WITH(breaking_off_is_an_answer),
	    WITH(lines_end_with_a_dot_alone),
	    WITH(pasted_lines_answer_one_question),
	    WITH(nothing_in_a_paste_ends_the_text),
	    WITH(a_line_that_the_terminal_cut_is_not_taken),
	    WITH(yes_is_yes_and_everything_else_is_asked_again),
	    WITH(a_warning_wants_a_reason_and_holds_for_its_value),
	    WITH(a_newborn_without_a_name_is_asked_for_its_mother),
	    WITH(breaking_off_a_notification_keeps_a_draft),
	    WITH(nobody_is_asked_where_nobody_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
