/* Reading terms, saying them back, comparing first names. */
#include "server/registry/cases_terms.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS (24ull * 3600ull * 1000ull)

static bool
is_given(const char *typed)
{
	return typed != NULL && typed[strspn(typed, " \t\r\n")] != '\0';
}

static void
read_name(const char *typed, struct cases_name *name)
{
	if (!is_given(typed))
		return;
	(void)cdop_fold_name(typed, name->folded);
	(void)cdop_fold_sound(name->folded, name->sound);
}

static void
read_date(const char *typed, struct cases_when *when)
{
	if (!is_given(typed))
		return;
	if (cdop_date_parse(typed, &when->date) != CDOP_OK) {
		when->wrong = true;
		return;
	}
	when->given = true;
	when->span = cdop_date_span(&when->date);
	when->full = when->date.day != 0 && !when->date.estimated;
}

void
cases_terms_read(const struct cases_typed *typed, struct cases_terms *ret_terms)
{
	struct cases_terms *t = ret_terms;

	memset(t, 0, sizeof(*t));
	if (is_given(typed->nhs_number) &&
	    cdop_nhs_parse(typed->nhs_number, t->nhs) != CDOP_NHS_OK) {
		memset(t->nhs, 0, sizeof(t->nhs));
		t->nhs_wrong = true;
	}
	read_name(typed->family_name, &t->family);
	read_name(typed->first_name, &t->first);
	read_name(typed->mother_name, &t->mother);
	read_date(typed->birth_date, &t->birth);
	read_date(typed->death_date, &t->death);
}

static void
take_past(struct cases_when *when, int32_t today)
{
	if (!when->given || when->span.first <= today)
		return;
	memset(when, 0, sizeof(*when));
	when->wrong = true;
	when->ahead = true;
}

void
cases_terms_past(struct cases_terms *terms, uint64_t now_ms)
{
	/* It may be tomorrow already where somebody asks. */
	const int32_t today = (int32_t)(now_ms / DAY_MS) + 1;

	take_past(&terms->birth, today);
	take_past(&terms->death, today);
}

/* ---- in words ---------------------------------------------------------- */

struct words {
	struct cdop_arena *arena;
	const char *text;
};

static void
add(struct words *w, const char *more)
{
	if (w->text == NULL || more == NULL)
		w->text = NULL;
	else if (*w->text == '\0')
		w->text = more;
	else
		w->text = cdop_arena_printf(w->arena, "%s, %s", w->text, more);
}

/* Whole characters of s in at most max bytes. */
static int
cut(const char *s, size_t max)
{
	size_t len = strlen(s);

	if (len > max)
		for (len = max;
		     len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
			;
	return (int)len;
}

static void
add_name(struct words *w, const char *what, const struct cases_name *name,
    size_t max)
{
	if (name->folded[0] != '\0')
		add(w,
		    cdop_arena_printf(w->arena, "%s \"%.*s\"", what,
			cut(name->folded, max), name->folded));
}

static void
add_date(struct words *w, const char *what, const struct cases_when *when)
{
	char text[CDOP_DATE_WORDS_MAX];

	if (when->wrong)
		add(w,
		    cdop_arena_printf(w->arena, "%s: %s", what,
			when->ahead ? "in the future" : "not a date"));
	if (!when->given)
		return;
	cdop_date_words(&when->date, text);
	add(w, cdop_arena_printf(w->arena, "%s %s", what, text));
}

const char *
cases_terms_words(
    const struct cases_terms *terms, size_t max_name, struct cdop_arena *arena)
{
	struct words w = {arena, ""};
	char nhs[13];

	if (terms->nhs_wrong)
		add(&w, "NHS number: not a valid one");
	if (terms->nhs[0] != '\0') {
		cdop_nhs_words(terms->nhs, nhs);
		add(&w, cdop_arena_printf(arena, "NHS number %s", nhs));
	}
	add_name(&w, "family name", &terms->family, max_name);
	add_name(&w, "first name", &terms->first, max_name);
	add_name(&w, "mother's name", &terms->mother, max_name);
	add_date(&w, "born", &terms->birth);
	add_date(&w, "died", &terms->death);
	if (w.text != NULL && *w.text == '\0')
		return "nothing";
	return w.text;
}

/* ---- first names ------------------------------------------------------- */

enum cases_fit_first
cases_terms_first(
    const struct cases_terms *terms, const struct index_post *post)
{
	char sound[CDOP_SOUND_MAX];
	struct index_term term = {.text = NULL};
	bool any = false;

	if (terms->first.folded[0] == '\0')
		return CASES_FIRST_UNSAID;
	while (index_post_term(post, &term)) {
		if (term.kind != INDEX_FIRST)
			continue;
		any = true;
		if (strcmp(term.text, terms->first.folded) == 0)
			return CASES_FIRST_SAME;
		if (cdop_fold_sound(term.text, sound) > 0 &&
		    strcmp(sound, terms->first.sound) == 0)
			return CASES_FIRST_SAME;
	}
	return any ? CASES_FIRST_OTHER : CASES_FIRST_UNSAID;
}
