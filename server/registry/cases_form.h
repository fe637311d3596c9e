/*
 * Form instances as rows keep them: made, checked and compared.
 */
#ifndef CDOP_REGISTRY_CASES_FORM_H
#define CDOP_REGISTRY_CASES_FORM_H

#include "server/registry/cases.h"

/* What a form came with. */
struct cases_form_args {
	const Cdop__Form *form;
	Cdop__Override *const *override;
	size_t n_override;
	const char *kind;   /* NULL: new */
	const char *source; /* or NULL */
	const char *reason; /* or NULL */
};

/*
 * Every rule over a form; before: what stood there, or NULL.  use as in
 * form.h.  CDOP_INVALID_ARGUMENT with every finding in act->violations:
 * reason "bad_field" where one is an error, else "warnings".
 */
CDOP_MUST enum cdop_err cases_form_check(struct cases_act *act,
    const struct cases_form_args *args, const Cdop__Form *before,
    enum cdop_form_use use);

/*
 * A stored form around args: number, version and ids are set, the rest
 * borrowed from args.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_form_make(struct cases_act *act,
    const struct cases_form_args *args, uint64_t case_id, uint32_t number,
    uint64_t version, Cdop__StoredForm **ret_form);

/*
 * The first case record: what a notification says of the child, without
 * who told us and how.  Always the same of the same notification, by whom
 * and when that was entered.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_form_record(struct cases_act *act,
    const Cdop__StoredForm *notification, Cdop__StoredForm **ret_record);

/*
 * Adds a source: who gave the value at path ("": every value not named).
 * What was said of that path before goes.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cases_form_add_source(struct cases_act *act,
    Cdop__StoredForm *record, const char *path, const char *source,
    const char *reason);

/*
 * Paths at which a notification says something else than the record, and
 * nobody has decided since it says so: a correction opens what it changes
 * and nothing else.  CDOP_RESOURCE_EXHAUSTED; errors of rows_get.
 */
CDOP_MUST enum cdop_err cases_form_differences(struct cases_act *act,
    const Cdop__StoredForm *record, const Cdop__StoredForm *notification,
    struct cdop_paths *ret_paths);

/* About how it reached us, and so never in a case record. */
bool cases_form_is_received(const char *path);

/* The paths among `paths` that enter an identity: the question is asked. */
bool cases_form_has_identity(const struct cdop_paths *paths);

#endif
