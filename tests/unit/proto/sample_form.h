/* Forms for tests: one that is accepted as it stands, and short hands. */
#ifndef CDOP_TESTS_SAMPLE_FORM_H
#define CDOP_TESTS_SAMPLE_FORM_H

#include "cdop/form.h"

/* What a test of forms works with; today is 23 November 2026. */
struct sample {
	struct cdop_arena *arena;
	const struct cdop_profile *profile;
	Cdop__Form *form;
	struct cdop_violations found;
	struct cdop_check check;
};

/* For cmocka: an empty form, training, CDOP_FORM_PART. */
int sample_setup(void **state);
int sample_teardown(void **state);

/* Sets path; fails the test when it is refused. */
void sample_put(struct sample *s, const char *path, const char *typed);
/* Tries to set path; fails unless it is refused with rule. */
void sample_refused(
    struct sample *s, const char *path, const char *typed, const char *rule);
/* Canonical text at path. */
const char *sample_text(struct sample *s, const char *path);
/* Fills in a notification that every rule is content with. */
void sample_fill(struct sample *s);

/* Runs the rules anew. */
void sample_check(struct sample *s);
/* Runs them; fails unless path has rule with this severity (0: none). */
void sample_finds(struct sample *s, const char *path, const char *rule,
    enum cdop_severity severity);
void sample_finds_nothing(struct sample *s);

/* Has any test of this program met this rule? */
bool sample_has_met(const char *rule);

#endif
