/*
 * How the texts around a log are read, word by word: what note.c,
 * checkpoint.c and logproof.c share.  Nobody else includes this.
 */
#ifndef CDOP_PROTO_NOTE_INNER_H
#define CDOP_PROTO_NOTE_INNER_H

#include <stdbool.h>

#include "cdop/bytes.h"

/* A number of 64 bits in decimal, and a NUL. */
#define NOTE_DECIMAL_MAX 21

/*
 * Takes the next line off *rest, without its newline.  False, and nothing
 * moved, where there is none that ends.
 */
bool cdop_note_line(struct cdop_bytes *rest, struct cdop_bytes *ret_line);

/* Takes the word and the blank behind it off *line, or says no. */
bool cdop_note_word(struct cdop_bytes *line, const char *word);

/* A decimal number without leading zeros, all of text. */
bool cdop_note_decimal(struct cdop_bytes text, uint64_t *ret_number);

/* 32 bytes in base64, all of text. */
bool cdop_note_hash(struct cdop_bytes text, uint8_t ret_hash[static 32]);

/* What may be signed: lines of UTF-8 without control characters. */
bool cdop_note_is_text(struct cdop_bytes text);

/* What is written, up to a bound; past it nothing more, and full is set. */
struct note_out {
	uint8_t *data;
	size_t max;
	size_t len;
	bool full;
};

void cdop_note_put(struct note_out *out, const void *data, size_t len);
void cdop_note_put_text(struct note_out *out, const char *text);
void cdop_note_put_decimal(struct note_out *out, uint64_t number);
/* At most 1536 bytes of data, which is more than any of ours. */
void cdop_note_put_base64(struct note_out *out, struct cdop_bytes data);

#endif
