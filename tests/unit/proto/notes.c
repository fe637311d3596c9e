/* Reads the published notes; see notes.h. */
#include "tests/unit/proto/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WHERE "tests/vectors/notes"

static size_t
read_file(const char *name, const char *suffix, uint8_t *out, size_t max)
{
	char path[256];
	size_t len;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s.%s", WHERE, name, suffix);
	file = fopen(path, "rb");
	assert_non_null(file);
	len = fread(out, 1, max, file);
	assert_true(len > 0 && len < max);
	(void)fclose(file);
	return len;
}

void
notes_load(struct notes_published *published, const char *name)
{
	uint8_t vkeys[2048], *line, *end;
	struct cdop_bytes vkey;
	size_t len;

	published->len =
	    read_file(name, "note", published->file, sizeof(published->file));
	len = read_file(name, "vkeys", vkeys, sizeof(vkeys));
	published->n = 0;
	for (line = vkeys; line < vkeys + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(vkeys + len - line));
		assert_non_null(end);
		vkey = (struct cdop_bytes){line, (size_t)(end - line)};
		assert_true(published->n < NOTES_KEYS_MAX);
		assert_int_equal(
		    cdop_note_key_parse(vkey, &published->key[published->n++]),
		    CDOP_OK);
	}
}

enum cdop_err
notes_verify(const void *file, size_t len, const struct cdop_note_key *key)
{
	struct cdop_bytes bytes = {file, len};
	struct cdop_note note;
	enum cdop_err err;

	err = cdop_note_parse(bytes, &note);
	return err == CDOP_OK ? cdop_note_verify(&note, key, NULL) : err;
}

void
notes_signer(struct cdop_note_signer *signer, const char *name,
    enum cdop_note_type type, uint8_t seed)
{
	uint8_t bytes[CDOP_NOTE_SEED_LEN];

	memset(bytes, seed, sizeof(bytes));
	assert_int_equal(
	    cdop_note_signer_init(signer, name, type, bytes), CDOP_OK);
}
