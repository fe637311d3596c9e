/*
 * The kinds of rows and the key scope of each: the one table, compared with
 * the one in server/DESIGN.md by a test.  It holds no code that acts on them.
 */
#ifndef CDOP_STORE_SCHEMA_H
#define CDOP_STORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_scope {
	SCHEMA_ROOT = 1,     /* key id 0: the root itself */
	SCHEMA_REGISTRY = 2, /* own epoch key */
	SCHEMA_LOG = 3,      /* own epoch key; a start passes over it */
	SCHEMA_SEARCH = 4,   /* own epoch key, destroyed with its quarter */
	SCHEMA_AREA = 5,     /* an area's epoch key; it only wraps */
	SCHEMA_CASE = 6,     /* a case's own key */
};

/* KIND(number, name, scope, a start reads it).  Numbers are frozen. */
#define SCHEMA_KINDS(KIND)                                                     \
	KIND(1, HEAD, REGISTRY, true)                                          \
	KIND(2, DIRECTORY, REGISTRY, true)                                     \
	KIND(3, EPOCH_KEY, ROOT, true)                                         \
	KIND(4, CASE_KEY, AREA, true)                                          \
	KIND(5, CONFIG, REGISTRY, true)                                        \
	KIND(6, PROFILE, REGISTRY, true)                                       \
	KIND(7, PERSON, REGISTRY, true)                                        \
	KIND(8, CREDENTIAL, REGISTRY, true)                                    \
	KIND(9, INVITATION, REGISTRY, true)                                    \
	KIND(10, APPROVAL, REGISTRY, true)                                     \
	KIND(11, LEAF, LOG, false)                                             \
	KIND(12, TERMS, SEARCH, false)                                         \
	KIND(13, CASE, CASE, true)                                             \
	KIND(14, FORM, CASE, true)                                             \
	KIND(15, SUMMARY, CASE, true)                                          \
	KIND(16, TILE, LOG, false)                                             \
	KIND(17, DOCUMENT, CASE, true)                                         \
	KIND(18, WITNESS, REGISTRY, true)                                      \
	KIND(19, REASON, REGISTRY, true)                                       \
	KIND(20, ROTATION, REGISTRY, true)                                     \
	KIND(21, CUSTODY, REGISTRY, true)                                      \
	KIND(22, BACKUP, REGISTRY, true)                                       \
	KIND(23, CERTIFICATE, REGISTRY, true)

enum schema_kind {
#define SCHEMA_ENUM(number, name, scope, start) SCHEMA_KIND_##name = (number),
	SCHEMA_KINDS(SCHEMA_ENUM)
#undef SCHEMA_ENUM
};

struct schema_row {
	uint8_t kind;
	const char *name;
	enum schema_scope scope;
	bool starts_read; /* false: LOG and SEARCH, passed over at a start */
};

/* The row of a kind; NULL: no such kind. */
const struct schema_row *schema_find(uint8_t kind);

/* All of them, in order. */
const struct schema_row *schema_all(size_t *ret_n);

/* "REGISTRY"; "UNKNOWN" for a number not in the list. */
const char *schema_scope_name(enum schema_scope scope);

#endif
