/*
 * Statements: the signed note in which a log says that it goes on under
 * another key, and why.  There is one for each turn of the log key, each
 * restore and each recovery; a client that holds the key before follows them
 * one by one to the key of today (TRUST M7, S21; RECORDS M10).
 *
 *	cdop-statement/1
 *	registry <32 hex>
 *	kind key | restore | recover
 *	incarnation <number>
 *	key <vkey>                      good from here on
 *	from <origin> <size> <base64>   the tree that is gone on from
 *	lost <origin> <size> <base64>   restore: newest checkpoint known lost
 *	time <milliseconds since 1970>
 *	by <words>                      a line a person, one or two
 *	reason <words>
 *
 * In this order, and there are no others; `lost` may be absent.  The note is
 * signed by the key before and by the new one.  Where the numbers stand: a
 * turn of the key stays in its incarnation, the other two go on to a later
 * one.
 */
#ifndef CDOP_STATEMENT_H
#define CDOP_STATEMENT_H

#include "cdop/checkpoint.h"
#include "cdop/limits.h"

#define CDOP_STATEMENT_BY_MAX 2
/* The whole note: seven short lines, two of checkpoints, the words. */
#define CDOP_STATEMENT_MAX                                                     \
	(2048 + 4 * (CDOP_STATEMENT_BY_MAX * CDOP_TEXT_MAX + CDOP_REASON_MAX))

enum cdop_statement_kind {
	CDOP_STATEMENT_KEY = 1,
	CDOP_STATEMENT_RESTORE = 2,
	CDOP_STATEMENT_RECOVER = 3,
};

struct cdop_statement {
	enum cdop_statement_kind kind;
	uint8_t registry[16];
	uint16_t incarnation;
	struct cdop_note_key key; /* its name is the origin from here on */
	struct cdop_checkpoint from;
	bool has_lost;
	struct cdop_checkpoint lost;
	uint64_t time_ms;
	struct cdop_bytes by[CDOP_STATEMENT_BY_MAX]; /* into what was read */
	size_t n_by;
	struct cdop_bytes reason;
};

/* "key", "restore", "recover". */
const char *cdop_statement_kind_name(enum cdop_statement_kind kind);

/*
 * The note, signed by the key before and by the one it names, into out.
 * CDOP_INVALID_ARGUMENT: words that are no line of text, or numbers that do
 * not stand as above.
 */
CDOP_MUST enum cdop_err cdop_statement_sign(
    const struct cdop_statement *statement,
    const struct cdop_note_signer *before, const struct cdop_note_signer *after,
    uint8_t out[static CDOP_STATEMENT_MAX], size_t *ret_len);

/*
 * What a note states that the key before has signed.  CDOP_INVALID_ARGUMENT:
 * no statement, or another registry's.  CDOP_NOT_FOUND: not signed by this
 * key, or not by the new one.  CDOP_DATA_LOSS: a signature does not hold.
 */
CDOP_MUST enum cdop_err cdop_statement_open(struct cdop_bytes file,
    const uint8_t registry[static 16], const struct cdop_note_key *before,
    struct cdop_statement *ret_statement);

#endif
