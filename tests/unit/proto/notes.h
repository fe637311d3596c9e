/* The published notes of tests/vectors/notes, and what tests do with notes. */
#ifndef CDOP_TESTS_PROTO_NOTES_H
#define CDOP_TESTS_PROTO_NOTES_H

#include "cdop/checkpoint.h"

#define NOTES_KEYS_MAX 8

/* A note and the keys that have signed it. */
struct notes_published {
	uint8_t file[4096];
	size_t len;
	struct cdop_note_key key[NOTES_KEYS_MAX];
	size_t n;
};

/* "peter", "example", "sumdb" or "arche". */
void notes_load(struct notes_published *published, const char *name);

/* parse and verify in one, of len bytes. */
enum cdop_err notes_verify(
    const void *file, size_t len, const struct cdop_note_key *key);

/* A signer of this name whose seed is 32 times this byte. */
void notes_signer(struct cdop_note_signer *signer, const char *name,
    enum cdop_note_type type, uint8_t seed);

#define NOTES_TEXT(s) ((struct cdop_bytes){(const uint8_t *)(s), strlen(s)})

#endif
