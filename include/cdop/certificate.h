/*
 * Certificates of destruction: a checkpoint of the log (cdop/checkpoint.h)
 * with lines behind the third, signed by the key of the log, so that it can
 * be checked by whoever checks checkpoints.  Each line is a word, a blank and
 * what it says; lines that are not known are to be shown all the same.
 *
 *	origin
 *	size
 *	root in base64
 *	cdop-certificate/1
 *	number 3
 *	issued 1790000000123
 *	erased K7M4-QX2Q          not of a rotation alone, like the next three
 *	ground court_order
 *	rows 17                   of the case, deleted with its key
 *	case-key 281474976710999
 *	asked 1790000000000 4     when, and the person
 *	approved 9                the person
 *	rotation 2
 *	cause compromised         somebody had the keys; else no such line
 *	root renewed              with root, ring and slots; likewise
 *	destroyed 281474976710657 an epoch key, each
 *	copied 375                rows of the file that is the store now
 *	census 281474976710701 12 key, and what it wraps or seals in that file
 *	backup 3 1780000000000 holds weekly
 *	said-destroyed 2 1790000000000 4 9 weekly
 *	outside raw media: ...    what is not proved, each
 *	backups 1-6 holds         older ones, from number to number
 *	more-backups 6            so many have no line of their own
 *
 * A backup line has number, when it was begun, one of the words below, and
 * the label.  One that would be named and of which two people have said that
 * it was destroyed has a line said-destroyed: number, when that was said, by
 * whom, the second person, and the label.
 */
#ifndef CDOP_CERTIFICATE_H
#define CDOP_CERTIFICATE_H

#include "cdop/arena.h"
#include "cdop/checkpoint.h"

#define CDOP_CERTIFICATE_BACKUPS 128 /* that have a line of their own */
#define CDOP_CERTIFICATE_RANGES  256 /* of older ones */

/* What a backup still has. */
enum cdop_certificate_holds {
	CDOP_CERTIFICATE_HOLDS,   /* "holds": what was destroyed, with keys */
	CDOP_CERTIFICATE_EPOCH,   /* "epoch": a destroyed epoch key alone */
	CDOP_CERTIFICATE_UNKNOWN, /* "unknown": it was never taken whole */
	CDOP_CERTIFICATE_GONE, /* said to be destroyed; in ranges "destroyed" */
};

struct cdop_certificate_backup {
	uint64_t number;
	uint64_t begun_ms;
	enum cdop_certificate_holds holds;
	const char *label;
	uint64_t said_ms; /* of one that is GONE */
	uint64_t said_by;
	uint64_t said_second;
};

/* From number to number; UNKNOWN: some of them may be good. */
struct cdop_certificate_range {
	uint64_t from;
	uint64_t to;
	enum cdop_certificate_holds holds;
};

struct cdop_certificate_count {
	uint64_t key;
	uint64_t n;
};

struct cdop_certificate {
	struct cdop_checkpoint checkpoint;
	uint64_t number;
	uint64_t issued_ms;    /* UTC, since 1970 */
	const char *reference; /* NULL: no case */
	const char *ground;
	bool moved; /* notifications came to it from other cases */
	uint64_t rows;
	uint64_t case_key;
	uint64_t asked_ms;
	uint64_t requester;
	uint64_t approver;
	uint64_t rotation;
	bool compromised;
	bool renewed; /* the root, too */
	const uint64_t *destroyed;
	size_t n_destroyed;
	uint64_t copied;
	const struct cdop_certificate_count *census;
	size_t n_census;
	const struct cdop_certificate_backup *backup;
	size_t n_backup; /* at most CDOP_CERTIFICATE_BACKUPS */
	const struct cdop_certificate_range *range;
	size_t n_ranges;       /* at most CDOP_CERTIFICATE_RANGES */
	uint64_t more_backups; /* that lie in ranges */
	/* Over 1: it goes on from an earlier state.  Backups of what was lost
	 * may hold anything, and nobody here knows of them. */
	uint64_t incarnation;
};

/*
 * The signed note, in arena; signer's name has to be the origin.
 * CDOP_INVALID_ARGUMENT: it is not, or no note can say that.
 * CDOP_RESOURCE_EXHAUSTED: longer than CDOP_NOTE_MAX, or no memory.
 */
CDOP_MUST enum cdop_err cdop_certificate_sign(
    const struct cdop_certificate *certificate,
    const struct cdop_note_signer *signer, struct cdop_arena *arena,
    struct cdop_bytes *ret_note);

struct cdop_certificate_line {
	const char *word;
	const char *says;
};

/*
 * The lines of a note behind the checkpoint and the format, in arena; it
 * believes none of them: cdop_checkpoint_open() says whether it is signed.
 * CDOP_INVALID_ARGUMENT: no certificate.  CDOP_UNIMPLEMENTED: one of a later
 * format.  CDOP_RESOURCE_EXHAUSTED: no memory.
 */
CDOP_MUST enum cdop_err cdop_certificate_parse(struct cdop_bytes file,
    struct cdop_arena *arena, struct cdop_certificate_line **ret_line,
    size_t *ret_n);

#endif
