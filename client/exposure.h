/*
 * What one person, or one device, has read, in the shape of a breach report
 * (RECORDS M11): which children and how much of each, how many living people,
 * in which jurisdiction, on a screen or in copies, when first and when last.
 * It counts entries of the log; it asks nobody and prints nothing.
 */
#ifndef CDOP_CLIENT_EXPOSURE_H
#define CDOP_CLIENT_EXPOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/err.h"
#include "registry.pb-c.h"

#define EXPOSURE_KINDS_MAX 24 /* kinds of living people */

/* Where what left went: shown, or in a form that stays. */
enum exposure_way {
	EXPOSURE_SCREEN,
	EXPOSURE_COPY, /* printed, to a file, to a program */
	EXPOSURE_WAYS,
};

/* How much of a case left, the most of it. */
enum exposure_depth {
	EXPOSURE_CONTENT, /* more than who the child was */
	EXPOSURE_NAMED,   /* identity of the child, and dates */
	EXPOSURE_LISTED,  /* a line of a list without names */
	EXPOSURE_KNOWN,   /* asked, and told that it is known */
	EXPOSURE_CHANGED, /* written to, and no field came back */
	EXPOSURE_DEPTHS,
};

struct exposure_kind {
	const char *kind; /* a group of the form */
	uint32_t n;
};

/* In whose area it was when it left; a list, for owners change. */
struct exposure_place {
	const char *area;
	const char *jurisdiction;
	struct exposure_place *next;
};

/* Words that records share, each once. */
struct exposure_word {
	const char *word;
	struct exposure_word *next;
};

struct exposure_record {
	const char *reference;
	uint64_t first_ms;
	uint64_t last_ms;
	uint32_t classes[EXPOSURE_WAYS];
	uint32_t times[EXPOSURE_WAYS];
	bool known;
	struct exposure_kind *living; /* NULL: none */
	size_t n_living;
	struct exposure_place *place;
};

struct exposure {
	struct cdop_arena *arena; /* borrowed: records and their words */
	uint32_t person;          /* 0: whoever it was */
	const char *name;         /* of the person, as the registry has it */
	struct exposure_record **record; /* in the order they first came */
	size_t n;
	size_t cap;
	uint32_t *slot; /* by reference; record + 1 */
	size_t n_slot;
	struct exposure_word *area; /* of all places */
	struct exposure_word *jurisdiction;
	uint64_t entries; /* of that person */
	uint64_t refused;
	uint64_t searches; /* by find or ask */
	uint64_t searches_empty;
	uint64_t backups;  /* begun: all of the registry, sealed */
	uint64_t first_ms; /* of what left; 0: nothing did */
	uint64_t last_ms;
};

void exposure_init(
    struct exposure *exposure, struct cdop_arena *arena, uint32_t person);

/*
 * Takes an entry; one of another person (a second one of an act, say) is
 * passed over.  CDOP_RESOURCE_EXHAUSTED: what was counted is not all.
 */
CDOP_MUST enum cdop_err exposure_add(
    struct exposure *exposure, const Cdop__AuditEntry *entry);

enum exposure_depth exposure_depth(const struct exposure_record *record);

/* Words of a depth, for a column: "content", "child named". */
const char *exposure_depth_word(enum exposure_depth depth);

/* Living people of all records together, by kind; returns how many kinds. */
size_t exposure_living(const struct exposure *exposure,
    struct exposure_kind out[static EXPOSURE_KINDS_MAX]);

/* How many there are in a list of kinds. */
uint32_t exposure_sum(const struct exposure_kind *kind, size_t n);

/* Was the record in this jurisdiction, or area, when it left? */
bool exposure_was_in(const struct exposure_record *record,
    const char *jurisdiction, const char *area);

#endif
