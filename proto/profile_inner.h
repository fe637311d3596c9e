/* What the profile_*.c files share.  Nobody else includes this. */
#ifndef CDOP_PROTO_PROFILE_INNER_H
#define CDOP_PROTO_PROFILE_INNER_H

#include "cdop/profile.h"

/* ---- the sections and their keys ---------------------------------------- */

enum profile_key_kind {
	PROFILE_KEY_TEXT,  /* one line, once */
	PROFILE_KEY_LINES, /* may come again: lines of one text */
	PROFILE_KEY_NUMBER,
	PROFILE_KEY_YES_NO,
	PROFILE_KEY_FROM,
	PROFILE_KEY_UNTIL,
	PROFILE_KEY_FEB29,
	PROFILE_KEY_CODE,
	PROFILE_KEY_HINT,
};

struct profile_key {
	const char *name;
	size_t offset;
	uint32_t min; /* NUMBER */
	uint32_t max;
	enum profile_key_kind kind;
	bool required;
};

enum profile_section_kind {
	PROFILE_SECTION_PANEL,
	PROFILE_SECTION_LIMITS,
	PROFILE_SECTION_AREA,
	PROFILE_SECTION_NEIGHBOUR,
	PROFILE_SECTION_AGENCY,
	PROFILE_SECTION_LIST,
	PROFILE_SECTION_POSTCODES,
	PROFILE_SECTION_COUNT,
};

struct profile_section {
	const char *word;
	const struct profile_key *keys;
	size_t n_keys;
	size_t size; /* of an item; 0: the section stands once, without id */
};

extern const struct profile_section
    cdop_profile_sections[PROFILE_SECTION_COUNT];

/* ---- the rest ----------------------------------------------------------- */

/* Where a section began, for findings about the whole of it. */
struct profile_lines {
	const unsigned *area;
	const unsigned *neighbour;
	const unsigned *agency;
	const unsigned *list;
	const unsigned *hint;
};

/*
 * Rules that look across sections.  CDOP_INVALID_ARGUMENT with ret_error;
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_profile_check(const struct cdop_profile *profile,
    const struct profile_lines *lines, struct cdop_arena *arena,
    struct cdop_profile_error *ret_error);

/*
 * A name that would be taken for one of two codes or places that hold on one
 * day, in words; NULL: there is none.  CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err cdop_profile_names(const struct cdop_profile *profile,
    struct cdop_arena *arena, const char **ret_words);

/* A row "code | label | from | until | form set | flags". */
CDOP_MUST enum cdop_err cdop_profile_code_read(const char *text,
    struct cdop_arena *arena, struct cdop_code *ret_code, const char **ret_why);

#endif
