/*
 * A log that a client meets, session after session, in a fixture: leaves, the
 * keys that sign for it, and what a registry that has it answers.
 */
#ifndef CDOP_TESTS_SEEN_LOG_H
#define CDOP_TESTS_SEEN_LOG_H

#include "cdop/merkle.h"
#include "cdop/statement.h"
#include "tests/unit/client/fixture.h"

#define LEAVES_MAX 64

/* A log and the keys that sign for it, as a registry has them. */
struct log {
	uint8_t leaf[LEAVES_MAX][CDOP_MERKLE_HASH];
	struct cdop_note_signer signer;
	uint8_t seed;
	uint16_t incarnation;
	ProtobufCBinaryData statement[8];
	size_t n_statement;
};

/* Leaves of a story; the same story has the same leaves. */
void log_make(struct fixture *f, struct log *log, uint8_t story);

/* The key of a seed in an incarnation; the log goes on under it. */
void log_sign_as(const struct fixture *f, struct log *log, uint8_t seed,
    uint16_t incarnation, struct cdop_note_signer *ret);

/* The checkpoint of its first leaves, and the same signed. */
void log_checkpoint(struct log *log, uint64_t size, struct cdop_checkpoint *c);
void log_sign(struct fixture *f, struct log *log, uint64_t size,
    ProtobufCBinaryData *ret);

/* A statement: the log goes on under another key from this size on. */
void log_go_on(struct fixture *f, struct log *log,
    enum cdop_statement_kind kind, uint64_t from, uint8_t seed);

/* What enrolling is answered when the log has so many leaves. */
void log_enrolled(
    struct fixture *f, struct log *log, uint64_t size, Cdop__EnrolReply *ret);

/* And enrolled with it. */
void log_enrol(struct fixture *f, struct log *log, uint64_t size);

/* Hello, and the Welcome of a registry with this log. */
void log_connect(struct fixture *f, struct log *log, uint64_t size);

/* A whole session; the second connection where the first asks for it. */
enum exit_code log_meet(struct fixture *f, struct log *log, uint64_t size);

void log_reason_is(const struct fixture *f, const char *reason);

/* Notes that are kept, of pairs. */
size_t log_kept(struct fixture *f, const char *suffix);

#endif
