/* Leaves: how they are laid out, put down, found again and remembered. */
#include "server/registry/audit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/leaf.h"
#include "cdop/merkle.h"
#include "cdop/sha256.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/audit_row.h"
#include "server/registry/cases.h"
#include "server/registry/leaf_clock.h"
#include "server/registry/message.h"
#include "server/registry/outcomes.h"
#include "server/registry/search_key.h"
#include "server/registry/tree.h"
#include "server/store/schema.h"
#include "server/vault/fresh.h"
#include "server/vault/rows.h"
#include "server/vault/rows_scan.h"

/* Opened by one walk: what is found fits a message, and memory too. */
#define WALK_BYTES ((size_t)1 << 20)

struct audit {
	struct registry *reg;
	struct outcomes *outcomes; /* what request keys did */
	struct leaf_clock clock;
};

/* The two secrets that salt a leaf's commitments. */
struct leaf_secrets {
	uint8_t leaf[FRESH_LEN];
	/* Under the case key; without one the same. */
	uint8_t case_[FRESH_LEN];
	uint8_t request_salt[CDOP_LEAF_SALT_LEN]; /* a receipt shows it */
};

enum cdop_err
audit_new(struct registry *reg, struct audit **ret_audit)
{
	struct audit *audit;
	enum cdop_err err;

	audit = calloc(1, sizeof(*audit));
	if (audit == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	audit->reg = reg;
	if ((err = outcomes_new(reg->undo, &audit->outcomes)) != CDOP_OK) {
		free(audit);
		return err;
	}
	*ret_audit = audit;
	return CDOP_OK;
}

void
audit_free(struct audit *audit)
{
	if (audit == NULL)
		return;
	outcomes_free(audit->outcomes);
	free(audit);
}

enum cdop_err
audit_load_leaf(struct audit *audit, uint64_t now_ms, struct cdop_bytes plain,
    struct cdop_arena *arena, bool *ret_more)
{
	Cdop__StoredLeaf *leaf;
	const Cdop__StoredWords *words;
	enum cdop_err err = CDOP_OK;

	leaf = cdop__stored_leaf__unpack(
	    cdop_arena_allocator(arena), plain.len, plain.data);
	if (leaf == NULL || leaf->leaf.len != CDOP_LEAF_LEN)
		return CDOP_DATA_LOSS;
	words = leaf->words;
	if (words->at_ms > audit->clock.last_ms)
		audit->clock.last_ms = words->at_ms;
	cases_load_leaf(audit->reg->cases, words, audit->clock.last_ms);
	if (words->stored != NULL && words->has_person)
		err = outcomes_add(audit->outcomes, words->person, words->at_ms,
		    words->stored);
	/* By the time of leaves: a wall clock that is ahead is no reason. */
	if (now_ms > audit->clock.last_ms)
		now_ms = audit->clock.last_ms;
	*ret_more = words->at_ms + OUTCOMES_KEEP_MS >= now_ms;
	return err;
}

uint64_t
audit_time(struct audit *audit, uint64_t wall_ms, uint64_t boot_ms)
{
	return leaf_clock_now(&audit->clock, wall_ms, boot_ms);
}

void
audit_say_day(struct audit *audit, uint64_t day_ms)
{
	audit->clock.said_ms = day_ms;
}

const struct leaf_clock *
audit_clock(const struct audit *audit)
{
	return &audit->clock;
}

uint64_t
audit_size(const struct audit *audit)
{
	return rows_next_leaf(audit->reg->rows);
}

size_t
audit_outcomes(const struct audit *audit)
{
	return outcomes_count(audit->outcomes);
}

/* ---- the leaf ---------------------------------------------------------- */

static void
salt_of(const uint8_t secret[static 32], const char *label, uint8_t *out)
{
	crypto_generichash(
	    out, 32, (const uint8_t *)label, strlen(label), secret, 32);
}

static void
commitment(const uint8_t secret[static 32], const char *label,
    const struct cdop_bytes *values, size_t n, uint8_t *out)
{
	uint8_t salt[CDOP_LEAF_SALT_LEN];

	salt_of(secret, label, salt);
	cdop_leaf_commit(out, salt, values, n);
	sodium_memzero(salt, sizeof(salt));
}

static struct cdop_bytes
text_bytes(const char *text)
{
	struct cdop_bytes bytes;

	bytes.data = (const uint8_t *)(text == NULL ? "" : text);
	bytes.len = text == NULL ? 0 : strlen(text);
	return bytes;
}

static void
commit_outcome(const struct audit_entry *entry,
    const struct leaf_secrets *secrets, struct cdop_leaf *leaf)
{
	struct cdop_bytes values[2];
	uint8_t status[2];
	uint8_t counts[12];

	cdop_put16(status, (uint16_t)entry->outcome);
	values[0] = (struct cdop_bytes){status, sizeof(status)};
	values[1] = text_bytes(entry->reason);
	commitment(secrets->leaf, "outcome", values, 2,
	    leaf->commitment[CDOP_LEAF_OUTCOME]);
	cdop_put32(counts, (uint32_t)entry->n_released);
	cdop_put64(counts + 4, entry->count);
	values[0] = (struct cdop_bytes){counts, sizeof(counts)};
	commitment(secrets->leaf, "counts", values, 1,
	    leaf->commitment[CDOP_LEAF_COUNTS]);
}

/* References joined by newlines, and the two texts with a zero between. */
static enum cdop_err
commit_case(const struct audit_entry *entry, const struct leaf_secrets *secrets,
    struct cdop_arena *arena, struct cdop_leaf *leaf)
{
	struct cdop_bytes reason[3], *refs;
	size_t i, n = 0;

	refs =
	    cdop_arena_calloc(arena, entry->n_released * 2 + 1, sizeof(*refs));
	if (refs == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < entry->n_released; i++) {
		if (i > 0)
			refs[n++] = text_bytes("\n");
		refs[n++] = text_bytes(entry->released[i].reference);
	}
	commitment(
	    secrets->case_, "case", refs, n, leaf->commitment[CDOP_LEAF_CASE]);
	reason[0] = text_bytes(entry->purpose_text);
	reason[1] = (struct cdop_bytes){(const uint8_t *)"", 1};
	reason[2] = text_bytes(entry->reason_text);
	commitment(secrets->case_, "reason", reason, 3,
	    leaf->commitment[CDOP_LEAF_REASON]);
	return CDOP_OK;
}

static enum cdop_err
make_leaf(const struct audit *audit, const struct audit_entry *entry,
    const struct leaf_secrets *secrets, struct cdop_arena *arena, uint8_t *leaf)
{
	struct cdop_leaf plain = {.kind = CDOP_LEAF_CALL};
	enum cdop_err err;

	if (entry->call >= AUDIT_EVENT_INIT)
		plain.kind = CDOP_LEAF_EVENT;
	plain.answered = (uint16_t)entry->answered;
	plain.call = entry->call;
	plain.index = rows_next_leaf(audit->reg->rows);
	plain.time_ms = entry->time_ms;
	plain.size_before = plain.index;
	if (entry->actor != NULL) {
		memcpy(plain.actor, entry->actor->fingerprint,
		    sizeof(plain.actor));
		memcpy(plain.session, entry->actor->session,
		    sizeof(plain.session));
	}
	if (entry->statement.len > 0) {
		plain.kind = CDOP_LEAF_STATEMENT;
		cdop_sha256(
		    plain.commitment[CDOP_LEAF_REQUEST], entry->statement);
		cdop_leaf_write(&plain, leaf);
		return CDOP_OK;
	}
	cdop_leaf_commit(plain.commitment[CDOP_LEAF_REQUEST],
	    secrets->request_salt, &entry->request, 1);
	commit_outcome(entry, secrets, &plain);
	if ((err = commit_case(entry, secrets, arena, &plain)) != CDOP_OK)
		return err;
	cdop_leaf_write(&plain, leaf);
	return CDOP_OK;
}

/* ---- what stands beside it --------------------------------------------- */

/* The part that dies with the case key. */
static enum cdop_err
seal_case_box(const struct audit *audit, const struct audit_entry *entry,
    const struct leaf_secrets *secrets, struct cdop_arena *arena,
    Cdop__StoredLeaf *stored)
{
	Cdop__CaseBox box;
	struct cdop_bytes context, plain, sealed;
	uint8_t index[8];
	uint8_t secret[32];
	uint8_t *packed;
	enum cdop_err err;

	if (entry->case_key == 0)
		return CDOP_OK;
	cdop__case_box__init(&box);
	memcpy(secret, secrets->case_, sizeof(secret));
	box.secret.data = secret;
	box.secret.len = sizeof(secret);
	box.purpose_text = audit_row_text(entry->purpose_text);
	box.reason = audit_row_text(entry->reason_text);
	packed = cdop_arena_alloc(arena, cdop__case_box__get_packed_size(&box));
	if (packed == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	plain.len = cdop__case_box__pack(&box, packed);
	plain.data = packed;
	sodium_memzero(secret, sizeof(secret));
	cdop_put64(index, rows_next_leaf(audit->reg->rows));
	context = (struct cdop_bytes){index, sizeof(index)};
	err = rows_box_seal(
	    audit->reg->rows, entry->case_key, context, plain, arena, &sealed);
	if (err != CDOP_OK)
		return err;
	stored->has_case_box = true;
	stored->case_box.data = (uint8_t *)(uintptr_t)sealed.data;
	stored->case_box.len = sealed.len;
	stored->has_case_box_key = true;
	stored->case_box_key = entry->case_key;
	return CDOP_OK;
}

static enum cdop_err
put_row(struct registry *reg, uint8_t kind, uint32_t version,
    const ProtobufCMessage *message, struct cdop_arena *arena)
{
	const struct rows_new row = {
	    .kind = kind,
	    .schema = 1,
	    .version = version,
	};
	uint64_t number;

	return message_put(reg->rows, arena, &row, 0, message, &number);
}

/* Terms, and a purpose in words that belongs to no one case. */
static enum cdop_err
put_terms(const struct audit *audit, const struct audit_entry *entry,
    uint64_t index, struct cdop_arena *arena)
{
	Cdop__StoredTerms terms;
	Cdop__StoredTerm *term;
	enum cdop_err err;
	size_t i;
	bool words = entry->case_key == 0 && entry->purpose_text != NULL;

	if (entry->n_terms == 0 && !words)
		return CDOP_OK;
	err = search_key_turn(audit->reg, arena, entry->time_ms);
	if (err != CDOP_OK)
		return err;
	cdop__stored_terms__init(&terms);
	terms.leaf_index = index;
	terms.at_ms = entry->time_ms;
	terms.term =
	    cdop_arena_calloc(arena, entry->n_terms, sizeof(*terms.term));
	term = cdop_arena_calloc(arena, entry->n_terms, sizeof(*term));
	if (terms.term == NULL || term == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < entry->n_terms; i++) {
		cdop__stored_term__init(&term[i]);
		term[i].kind = audit_row_borrow(entry->terms[i].kind);
		term[i].value = audit_row_borrow(entry->terms[i].value);
		terms.term[i] = &term[i];
	}
	terms.n_term = entry->n_terms;
	if (words)
		terms.purpose_text = audit_row_text(entry->purpose_text);
	return put_row(audit->reg, SCHEMA_KIND_TERMS, 0, &terms.base, arena);
}

/* Of an act that is about no case; it is kept as long as the log. */
static enum cdop_err
put_reason(const struct audit *audit, const struct audit_entry *entry,
    uint64_t index, struct cdop_arena *arena)
{
	Cdop__StoredReason reason;

	cdop__stored_reason__init(&reason);
	reason.leaf_index = index;
	reason.at_ms = entry->time_ms;
	if (!entry->keep_reason)
		return CDOP_OK;
	if ((reason.text = audit_row_text(entry->reason_text)) == NULL)
		return CDOP_OK;
	return put_row(audit->reg, SCHEMA_KIND_REASON, 0, &reason.base, arena);
}

static enum cdop_err
put_leaf(struct audit *audit, const struct audit_entry *entry,
    const struct leaf_secrets *secrets, struct cdop_arena *arena, uint8_t *leaf)
{
	struct registry *reg = audit->reg;
	Cdop__StoredLeaf stored;
	Cdop__StoredWords words;
	uint8_t secret[32], hash[32];
	enum cdop_err err;

	if ((err = make_leaf(audit, entry, secrets, arena, leaf)) != CDOP_OK)
		return err;
	if ((err = audit_row_words(entry, arena, &words)) != CDOP_OK)
		return err;
	cdop__stored_leaf__init(&stored);
	stored.leaf.data = leaf;
	stored.leaf.len = CDOP_LEAF_LEN;
	memcpy(secret, secrets->leaf, sizeof(secret));
	stored.secret.data = secret;
	stored.secret.len = sizeof(secret);
	stored.words = &words;
	err = seal_case_box(audit, entry, secrets, arena, &stored);
	if (err == CDOP_OK)
		err = put_row(reg, SCHEMA_KIND_LEAF,
		    (uint32_t)rows_next_leaf(reg->rows), &stored.base, arena);
	sodium_memzero(secret, sizeof(secret));
	if (err != CDOP_OK)
		return err;
	cdop_merkle_leaf(hash, (struct cdop_bytes){leaf, CDOP_LEAF_LEN});
	rows_set_leaf_hash(reg->rows, hash);
	return tree_append(reg->tree, hash);
}

enum cdop_err
audit_append(struct audit *audit, struct cdop_arena *arena,
    const struct audit_entry *entry, struct audit_receipt *ret_receipt)
{
	struct leaf_secrets secrets;
	struct audit_receipt receipt;
	enum cdop_err err;

	err = undo_save(audit->reg->undo, &audit->clock.last_ms,
	    sizeof(audit->clock.last_ms));
	if (err != CDOP_OK)
		return err;
	fresh_take(secrets.leaf);
	if (entry->case_key != 0)
		fresh_take(secrets.case_);
	else
		memcpy(secrets.case_, secrets.leaf, sizeof(secrets.case_));
	salt_of(secrets.leaf, "request", secrets.request_salt);
	memcpy(receipt.request_salt, secrets.request_salt,
	    sizeof(receipt.request_salt));
	receipt.index = rows_next_leaf(audit->reg->rows);
	err = put_leaf(audit, entry, &secrets, arena, receipt.leaf);
	sodium_memzero(&secrets, sizeof(secrets));
	if (err != CDOP_OK)
		return err;
	err = put_terms(audit, entry, receipt.index, arena);
	if (err == CDOP_OK)
		err = put_reason(audit, entry, receipt.index, arena);
	if (err != CDOP_OK)
		return err;
	audit->clock.last_ms = entry->time_ms;
	if (entry->stored != NULL && entry->actor != NULL) {
		err = outcomes_add(audit->outcomes, entry->actor->person,
		    entry->time_ms, entry->stored);
		if (err != CDOP_OK)
			return err;
		outcomes_forget(audit->outcomes, entry->time_ms);
	}
	if (ret_receipt != NULL)
		*ret_receipt = receipt;
	sodium_memzero(&receipt, sizeof(receipt));
	return CDOP_OK;
}

/* ---- looking back ------------------------------------------------------ */

enum cdop_err
audit_outcome(const struct audit *audit, uint32_t person,
    const uint8_t key[static 16], struct cdop_arena *arena,
    const Cdop__StoredOutcome **ret_stored)
{
	return outcomes_find(audit->outcomes, person, key, arena, ret_stored);
}

void
audit_request_hash(
    uint8_t out[static 32], uint32_t method, struct cdop_bytes request)
{
	crypto_generichash_state state;
	uint8_t id[4];

	cdop_put32(id, method);
	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, id, sizeof(id));
	if (request.len > 0)
		crypto_generichash_update(&state, request.data, request.len);
	crypto_generichash_final(&state, out, 32);
}

struct walk {
	struct cdop_arena *arena;
	audit_visit visit;
	void *ctx;
	size_t budget;
	size_t used; /* of the arena when it began */
	uint64_t at;
	bool stopped; /* there may be older ones */
};

static enum cdop_err
walk_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct walk *walk = ctx;
	struct audit_leaf found;
	Cdop__StoredLeaf *leaf;
	struct cdop_bytes data;
	enum cdop_err err;

	walk->at = head->number;
	if (--walk->budget == 0)
		walk->stopped = true;
	if (head->kind == SCHEMA_KIND_LEAF) {
		err = rows_item_open(item, walk->arena, &data);
		if (err != CDOP_OK)
			return err;
		leaf = cdop__stored_leaf__unpack(
		    cdop_arena_allocator(walk->arena), data.len, data.data);
		if (leaf == NULL || leaf->leaf.len != CDOP_LEAF_LEN)
			return CDOP_DATA_LOSS;
		found = (struct audit_leaf){
		    .index = cdop_get64(leaf->leaf.data + 8),
		    .row = head->number,
		    .stored = leaf,
		};
		if (!walk->visit(walk->ctx, &found))
			walk->stopped = true;
		if (cdop_arena_used(walk->arena) - walk->used > WALK_BYTES)
			walk->stopped = true;
	}
	*ret_stop = walk->stopped;
	return CDOP_OK;
}

enum cdop_err
audit_walk(struct audit *audit, struct cdop_arena *arena, uint64_t *cursor,
    size_t budget, audit_visit visit, void *ctx)
{
	struct walk walk = {
	    .arena = arena,
	    .visit = visit,
	    .ctx = ctx,
	    .budget = budget,
	    .used = cdop_arena_used(arena),
	};
	enum cdop_err err;

	err = rows_scan_log(audit->reg->rows, *cursor, walk_row, &walk);
	if (err != CDOP_OK)
		return err;
	*cursor = walk.stopped ? walk.at : 0;
	return CDOP_OK;
}

/* ---- one leaf ---------------------------------------------------------- */

struct probe {
	struct cdop_arena *arena;
	bool found;
	uint64_t index;
};

static enum cdop_err
probe_row(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct probe *probe = ctx;
	Cdop__StoredLeaf *leaf;
	struct cdop_bytes data;
	enum cdop_err err;

	if (head->kind != SCHEMA_KIND_LEAF)
		return CDOP_OK;
	if ((err = rows_item_open(item, probe->arena, &data)) != CDOP_OK)
		return err;
	leaf = cdop__stored_leaf__unpack(
	    cdop_arena_allocator(probe->arena), data.len, data.data);
	if (leaf == NULL || leaf->leaf.len != CDOP_LEAF_LEN)
		return CDOP_DATA_LOSS;
	probe->found = true;
	probe->index = cdop_get64(leaf->leaf.data + 8);
	*ret_stop = true;
	return CDOP_OK;
}

enum cdop_err
audit_seek(struct audit *audit, struct cdop_arena *arena, uint64_t index,
    uint64_t *ret_cursor)
{
	size_t mark = cdop_arena_used(arena);
	uint64_t low = 1, high = UINT64_MAX, middle;
	struct probe probe = {.arena = arena};
	enum cdop_err err;

	if (index >= audit_size(audit))
		return CDOP_NOT_FOUND;
	/* The last leaf below high is this one or a later one. */
	while (high - low > 1) {
		middle = low + (high - low) / 2;
		probe.found = false;
		err =
		    rows_scan_log(audit->reg->rows, middle, probe_row, &probe);
		cdop_arena_rewind(arena, mark);
		if (err != CDOP_OK)
			return err;
		if (probe.found && probe.index >= index)
			high = middle;
		else
			low = middle;
	}
	*ret_cursor = high;
	return CDOP_OK;
}
