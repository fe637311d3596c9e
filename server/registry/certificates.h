/*
 * What was destroyed for ever, and what can be proved of it: erased cases,
 * and the epoch keys that rotations destroyed.  Each is a CERTIFICATE row.
 *
 * An erased case has its row from that batch on, and no certificate: its old
 * bytes lie in free pages under a key that there is.  When the rotation that
 * goes with it has ended, with the key destroyed and the store copied, the
 * same transaction signs the certificate (TRUST M3).
 */
#ifndef CDOP_REGISTRY_CERTIFICATES_H
#define CDOP_REGISTRY_CERTIFICATES_H

#include <stdbool.h>

#include "cdop/arena.h"
#include "server/registry/registry.h"

struct certificates;

/* What is kept of each in memory; the row has the rest. */
struct certificates_entry {
	uint64_t row;
	uint64_t case_id; /* 0: of a rotation alone */
	uint32_t number;  /* from 1 on */
	uint32_t rotation;
	uint32_t version;
	uint64_t asked_ms;
	bool issued;
	char *area; /* that owned the case; NULL: none */
};

/* A case that is erased in this batch. */
struct certificates_new {
	uint64_t case_id;
	const char *reference;
	const char *area;
	Cdop__ErasureGround ground;
	uint32_t requester;
	uint32_t approver;
	uint64_t now_ms;
	uint64_t since_ms; /* backups that ended before cannot hold it */
	uint64_t rows;
	uint64_t case_key;
	uint32_t rotation;
};

/* reg is borrowed.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err certificates_new(
    struct registry *reg, struct certificates **ret_certificates);
/* NULL is fine. */
void certificates_free(struct certificates *certificates);

/* A row, while the registry is opened.  CDOP_DATA_LOSS. */
CDOP_MUST enum cdop_err certificates_load(struct certificates *certificates,
    uint64_t row, const Cdop__StoredCertificate *stored);

/* How many there are, and each of them, the oldest first. */
size_t certificates_count(const struct certificates *certificates);
const struct certificates_entry *certificates_at(
    const struct certificates *certificates, size_t i);
/* NULL: there is none. */
const struct certificates_entry *certificates_find(
    const struct certificates *certificates, uint32_t number);

/* Of an erased case, or NULL: its id is never drawn again. */
const struct certificates_entry *certificates_of_case(
    const struct certificates *certificates, uint64_t case_id);

/* The oldest of which nothing is proved yet; NULL: none waits. */
const struct certificates_entry *certificates_waiting(
    const struct certificates *certificates);

/* All of one, in arena.  Errors of rows_get(). */
CDOP_MUST enum cdop_err certificates_read(
    const struct certificates *certificates,
    const struct certificates_entry *entry, struct cdop_arena *arena,
    Cdop__StoredCertificate **ret_stored);

/* Within a batch: what is to be proved later. */
CDOP_MUST enum cdop_err certificates_begin(struct certificates *certificates,
    struct cdop_arena *arena, const struct certificates_new *new,
    uint32_t *ret_number);

/*
 * Within the transaction that ends a rotation, whose copy is the store: signs
 * what waited for it; where nothing did and keys were destroyed, a
 * certificate of that.
 */
CDOP_MUST enum cdop_err certificates_rotation_ended(
    struct certificates *certificates, struct cdop_arena *arena,
    const Cdop__StoredRotation *rotation, uint64_t now_ms);

/* ---- for certificates_issue.c only ---- */

/* The signed note of what stored says, as far as it can be proved. */
CDOP_MUST enum cdop_err certificates_note(struct registry *reg,
    struct cdop_arena *arena, const Cdop__StoredCertificate *stored,
    const Cdop__StoredRotation *rotation, ProtobufCBinaryData *ret_note);

#endif
