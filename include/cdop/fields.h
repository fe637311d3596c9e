/*
 * The data dictionary as a table: one row for each field of a form, made
 * from the @field lines of proto/forms.proto.
 *
 * The table alone drives prompts, checks, JSON names, CSV columns, redaction
 * and the field list of the man page.  It says nothing about one form.
 */
#ifndef CDOP_FIELDS_H
#define CDOP_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* What a value is, and so how it is typed, checked and written. */
enum cdop_kind {
	CDOP_KIND_NAME = 1,   /* one line, as the person writes it */
	CDOP_KIND_TEXT,       /* one line */
	CDOP_KIND_ADDRESS,    /* one line; typed line ends become ", " */
	CDOP_KIND_NARRATIVE,  /* lines; at most CDOP_NARRATIVE_MAX bytes */
	CDOP_KIND_DATE,       /* message Date; 2026-11-20 2026-05 ~2024 */
	CDOP_KIND_TIME,       /* 17:40 */
	CDOP_KIND_NHS_NUMBER, /* ten digits */
	CDOP_KIND_POSTCODE,   /* upper case, one space */
	CDOP_KIND_CODE,       /* of the list named in the row, in the profile */
	CDOP_KIND_CHOICE,     /* enum: its word, lower case: "baby_of" */
	CDOP_KIND_YES_NO,     /* "yes" "no" */
	CDOP_KIND_INTEGER,    /* min to max */
	CDOP_KIND_PHONE,
	CDOP_KIND_EMAIL,
	CDOP_KIND_AREA,   /* area or neighbour of the profile, or a code of
			     its list "area_other" */
	CDOP_KIND_AGENCY, /* agency of the profile */
	CDOP_KIND_ENTRY,  /* number of an entry: never asked for */
};

/* What is wanted before what; RECORDS: "the minimum to accept". */
enum cdop_need {
	CDOP_NEED_ACCEPT = 1, /* a value, or it is not accepted (see M4's
				 alternatives in form_accept.c) */
	CDOP_NEED_ANSWERED,   /* a value or #nk, or it is not accepted */
	CDOP_NEED_TODAY,      /* missing: to be asked today */
	CDOP_NEED_AGENCIES,   /* missing: needed to ask the agencies */
	CDOP_NEED_RETURN,     /* missing: for the national return */
	CDOP_NEED_OPTIONAL,
};

/* When a prompt comes. */
enum cdop_stage {
	CDOP_STAGE_ACCEPT = 1,
	CDOP_STAGE_FIRST, /* first contact, Enter skips */
	CDOP_STAGE_SAMEDAY,
	CDOP_STAGE_LATER,
};

/*
 * Sensitivity classes as a mask; bit n is number n of DataClass in
 * forms.proto.
 */
#define CDOP_CLASS_CHILD_IDENTITY        (1u << 1)
#define CDOP_CLASS_FAMILY_IDENTITY       (1u << 2)
#define CDOP_CLASS_PROFESSIONAL_IDENTITY (1u << 3)
#define CDOP_CLASS_LOCATION              (1u << 4)
#define CDOP_CLASS_EXACT_DATE            (1u << 5)
#define CDOP_CLASS_CLINICAL              (1u << 6)
#define CDOP_CLASS_NARRATIVE             (1u << 7)
#define CDOP_CLASS_SAFEGUARDING          (1u << 8)
#define CDOP_CLASS_POLICE_CORONER        (1u << 9)
#define CDOP_CLASS_ADMINISTRATIVE        (1u << 10)
#define CDOP_CLASS_ALL                   0x7feu

/* Classes of what the argv rule keeps off a live command line. */
#define CDOP_CLASS_IDENTITY                                                    \
	(CDOP_CLASS_CHILD_IDENTITY | CDOP_CLASS_FAMILY_IDENTITY |              \
	    CDOP_CLASS_PROFESSIONAL_IDENTITY)

struct cdop_field {
	const char *path;        /* "parent.family_name": no entry number */
	const char *group;       /* "parent" */
	const char *name;        /* "family_name" */
	const char *group_label; /* "Parent or person with ..." */
	const char *label;       /* "Family name" */
	const char *list;        /* code list, for CODE; else NULL */
	const char *help;        /* or NULL */
	enum cdop_kind kind;
	enum cdop_need need;
	enum cdop_stage stage;
	uint32_t class; /* one CDOP_CLASS_ bit */
	uint32_t min;   /* INTEGER: first and last value allowed */
	uint32_t max;
	uint32_t unknown;   /* INTEGER: typed for "not known" (99), or 0 */
	uint32_t group_tag; /* field number of the group in Form */
	uint32_t tag;       /* field number in the group */
	uint32_t group_max; /* entries of a repeated group; 0: not repeated */
	/* Where both are among the fields of their message's descriptor. */
	uint16_t group_at;
	uint16_t at;
	/* The rows of the group: the first, and how many. */
	uint16_t first;
	uint16_t rows;
};

/* The rows, in the order of the dictionary. */
extern const struct cdop_field cdop_fields[];
extern const size_t cdop_fields_count;

/* The row of "group.name" (without entry number), or NULL. */
const struct cdop_field *cdop_fields_find(const char *path);

/* The first row of a group, or NULL. */
const struct cdop_field *cdop_fields_group(const char *group);

/* "NHS_NUMBER", "SAMEDAY", "today": words for the tables and for people. */
const char *cdop_fields_kind_name(enum cdop_kind kind);
const char *cdop_fields_need_name(enum cdop_need need);
const char *cdop_fields_stage_name(enum cdop_stage stage);

/* "child identity" of one class bit; "?" for anything else. */
const char *cdop_fields_class_name(uint32_t class_bit);

#endif
