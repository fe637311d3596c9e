/*
 * Findings about a form: which field, which rule, how bad, and what to do.
 *
 * A message never repeats the value it is about: findings go to terminals,
 * rejects files and colleagues.  Rule ids are permanent; cdop_form_rules in
 * form.h lists them.
 */
#ifndef CDOP_VIOLATION_H
#define CDOP_VIOLATION_H

#include <stdbool.h>
#include <stddef.h>

#include "cdop/arena.h"
#include "cdop/err.h"

/* Numbers are those of Severity in registry.proto. */
enum cdop_severity {
	CDOP_SEVERITY_ERROR = 1,   /* refused */
	CDOP_SEVERITY_WARNING = 2, /* goes on only with an override */
};

struct cdop_violation {
	const char *path; /* "parent.2.date_of_birth"; "" for the whole form */
	const char *rule; /* "nhs.check_digit" */
	const char *message;
	enum cdop_severity severity;
};

/* A growing list; begin with all zero. */
struct cdop_violations {
	struct cdop_violation *v;
	size_t n;
	size_t cap;
};

/*
 * Adds one; path and message are copied into the arena, rule has to be a
 * literal.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_violation_add(struct cdop_violations *list,
    struct cdop_arena *arena, enum cdop_severity severity, const char *path,
    const char *rule, const char *message);

/* Is there an error (and not only warnings)? */
bool cdop_violation_has_error(const struct cdop_violations *list);

/* The first with this rule at this path, or NULL.  path NULL: anywhere. */
const struct cdop_violation *cdop_violation_find(
    const struct cdop_violations *list, const char *path, const char *rule);

#endif
