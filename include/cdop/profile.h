/*
 * The profile of a panel: its areas, neighbours, agencies, limits and dated
 * code lists, read from one text file (cdop-profile(5)).
 *
 * The profile in force lies sealed in the registry; a file is a proposal.
 * Everything has a permanent id and is ended, never deleted.  All pointers
 * go into the arena that was given to the parser.
 */
#ifndef CDOP_PROFILE_H
#define CDOP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/date.h"
#include "cdop/err.h"

/* Open ends of a span of validity. */
#define CDOP_PROFILE_ALWAYS INT32_MIN
#define CDOP_PROFILE_EVER   INT32_MAX

/* One of ours; exactly one is the holding area. */
struct cdop_area {
	const char *id;   /* "wirral" */
	const char *code; /* "E08000015", or "" */
	const char *name;
	const char *jurisdiction; /* "england" "isle-of-man" */
	const char *calendar;     /* "england-and-wales" "isle-of-man" */
	const char *time_zone;    /* "Europe/London" */
	const char *legal_basis;
	const char *review_basis; /* code of the list of that name, or "" */
	const char *commissioner; /* who oversees data protection, or "" */
	const char *contact;      /* lines, "\n" between; or "" */
	const char *phone;        /* or "" */
	const char *email;        /* or "" */
	bool national_return;
	bool holding;
	struct cdop_span when;
};

/* An area of another panel. */
struct cdop_neighbour {
	const char *id;
	const char *code;
	const char *name;
	const char *panel;
	const char *phone; /* or "" */
	const char *email; /* or "" */
	struct cdop_span when;
};

struct cdop_agency {
	const char *id;   /* permanent; "RBS" or "merseyside-police" */
	const char *code; /* ODS, or one the panel issued */
	const char *name;
	const char *kind;  /* code of the list "agency_kind" */
	const char *phone; /* or "" */
	const char *email; /* or "" */
	struct cdop_span when;
};

/* What a code means to the program, beyond being a code. */
enum cdop_code_means {
	CDOP_CODE_VALUE = 0,
	CDOP_CODE_NOT_KNOWN = 1, /* numbers are those of AbsenceKind */
	CDOP_CODE_NOT_APPLICABLE = 2,
	CDOP_CODE_WITHHELD = 3,
};

#define CDOP_CODE_ABROAD     (1u << 0) /* outside the United Kingdom */
#define CDOP_CODE_NEEDS_TEXT (1u << 1) /* "other": say what */
#define CDOP_CODE_CALLBACK   (1u << 2) /* the profile knows how to reach them */

struct cdop_code {
	const char *code;
	const char *label;
	const char *form_set;    /* "FS3", or "" for every set */
	const char *default_for; /* of a purpose: the command, or "" */
	enum cdop_code_means means;
	uint32_t flags; /* CDOP_CODE_ */
	struct cdop_span when;
};

struct cdop_code_list {
	const char *name;
	const struct cdop_code *code;
	size_t n;
};

/* Postcodes that begin with prefix may lie in area.  A hint, no more. */
struct cdop_postcode_hint {
	const char *prefix; /* "CH4", "WA10", "L31 6" */
	const char *area;
};

struct cdop_profile {
	const char *panel_name;
	const char *office_phone;
	const char *office_email;      /* or "" */
	const char *technical_contact; /* whom to ring when it is closed */
	const char *form_set;          /* new forms are of this set */

	/* Hours after death: asked for, and the limit. */
	uint32_t notify_asked_hours;
	uint32_t notify_limit_hours;
	uint32_t asks_per_day;     /* of a person */
	uint32_t find_minimum;     /* letters of a name that find wants */
	uint32_t find_results_max; /* more is "say more" */
	uint32_t search_retention_days;
	uint32_t spool_days; /* 0 to 7: client keeps what it sent */
	uint32_t reference_misses_per_hour; /* of a device */
	bool feb29_early;                   /* 18 on 28 February, not 1 March */

	const struct cdop_area *area;
	size_t n_area;
	const struct cdop_neighbour *neighbour;
	size_t n_neighbour;
	const struct cdop_agency *agency;
	size_t n_agency;
	const struct cdop_code_list *list;
	size_t n_list;
	const struct cdop_postcode_hint *hint;
	size_t n_hint;
};

/* Where and why a file is refused. */
struct cdop_profile_error {
	unsigned line;    /* from 1; 0: about the whole file */
	const char *text; /* in the arena */
};

/*
 * Reads and checks a whole profile.  CDOP_INVALID_ARGUMENT: ret_error says
 * why (it is written only then); CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_profile_parse(const char *text, size_t len,
    struct cdop_arena *arena, struct cdop_profile **ret_profile,
    struct cdop_profile_error *ret_error);

/* By permanent id, ended or not; NULL where there is none. */
const struct cdop_area *cdop_profile_area(
    const struct cdop_profile *profile, const char *id);
const struct cdop_neighbour *cdop_profile_neighbour(
    const struct cdop_profile *profile, const char *id);
const struct cdop_agency *cdop_profile_agency(
    const struct cdop_profile *profile, const char *id);
const struct cdop_area *cdop_profile_holding(
    const struct cdop_profile *profile);

const struct cdop_code_list *cdop_profile_list(
    const struct cdop_profile *profile, const char *list);
/* The row of a code that holds on a day, else any row of it, else NULL. */
const struct cdop_code *cdop_profile_code(const struct cdop_profile *profile,
    const char *list, const char *code, int32_t day);
/* A code of the list "purpose" that holds on the day, or NULL. */
const struct cdop_code *cdop_profile_purpose(
    const struct cdop_profile *profile, const char *code, int32_t day);
/* The purpose that stands for a command ("case", "ask"), or NULL. */
const struct cdop_code *cdop_profile_purpose_for(
    const struct cdop_profile *profile, const char *command, int32_t day);

/*
 * Label of a value of kind AREA: an area's, a neighbour's or an area_other's
 * name.  NULL: none of them.
 */
const char *cdop_profile_area_label(
    const struct cdop_profile *profile, const char *value);

/*
 * Areas that a postcode may lie in, by the longest prefixes that match; at
 * most max are written.  Returns how many there are.
 */
size_t cdop_profile_suggest(const struct cdop_profile *profile,
    const char *postcode, const struct cdop_area **out, size_t max);

/* What a new profile would change, in words, and why it cannot be applied. */
struct cdop_profile_diff {
	const char **change;
	size_t n_change;
	const char **refusal;
	size_t n_refusal;
};

/* CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err cdop_profile_diff(const struct cdop_profile *old,
    const struct cdop_profile *new, struct cdop_arena *arena,
    struct cdop_profile_diff *ret_diff);

#endif
