/* Acts that wait for their second person; see approvals.h. */
#include "server/registry/approvals.h"

#include <string.h>

#include "cdop/role.h"
#include "cdop/second.h"
#include "cdop/secret.h"
#include "server/base/undo.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"

#define SCHEMA    1
#define SWEEP_MAX 8 /* rows one request may have to delete */
#define TABLE_MAX ((size_t)64 << 10)
/* A request of a megabyte (a profile), its words and what surrounds them. */
#define ENTRY_MAX ((size_t)2 << 20)

/* Each has its memory, so that what is gone is wiped. */
struct entry {
	struct cdop_arena *arena; /* NULL: free */
	struct approval approval; /* first in its life: asked_ms */
};

struct approvals {
	struct registry *reg;
	struct cdop_arena *arena;
	struct entry entries[APPROVALS_MAX];
	uint64_t latest_ms; /* what has expired stays so */
};

enum cdop_err
approvals_new(struct registry *reg, struct approvals **ret_approvals)
{
	struct cdop_arena *arena;
	struct approvals *approvals;
	enum cdop_err err;

	err = cdop_arena_new(sizeof(*approvals) + TABLE_MAX, &arena);
	if (err != CDOP_OK)
		return err;
	approvals = cdop_arena_alloc(arena, sizeof(*approvals));
	if (approvals == NULL) {
		cdop_arena_free(arena);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	approvals->reg = reg;
	approvals->arena = arena;
	*ret_approvals = approvals;
	return CDOP_OK;
}

void
approvals_free(struct approvals *approvals)
{
	size_t i;

	if (approvals == NULL)
		return;
	for (i = 0; i < APPROVALS_MAX; i++)
		cdop_arena_free(approvals->entries[i].arena);
	cdop_arena_free(approvals->arena);
}

static void
hash_of(const struct approvals *approvals, const struct approval *approval,
    uint8_t out[static 32])
{
	const struct cdop_second second = {
	    .registry = approvals->reg->id,
	    .method = approval->method,
	    .requester = approval->requester,
	    .request_key = approval->request_key,
	    .request = approval->request,
	    .target_version = approval->target_version,
	};

	cdop_second_hash(out, &second);
}

static struct entry *
free_entry(struct approvals *approvals)
{
	size_t i;

	for (i = 0; i < APPROVALS_MAX; i++)
		if (approvals->entries[i].arena == NULL)
			return &approvals->entries[i];
	return NULL;
}

static bool
copy_bytes(
    struct cdop_arena *arena, struct cdop_bytes from, struct cdop_bytes *to)
{
	uint8_t *data;

	data = cdop_arena_alloc(arena, from.len);
	if (data == NULL)
		return false;
	if (from.len > 0)
		memcpy(data, from.data, from.len);
	to->data = data;
	to->len = from.len;
	return true;
}

static bool
copy_words(struct cdop_arena *arena, const char *const *words, size_t n,
    struct approval *to)
{
	size_t i;

	if (n > APPROVALS_WORDS_MAX)
		return false;
	for (i = 0; i < n; i++) {
		to->words[i] = cdop_arena_strdup(arena, words[i]);
		if (to->words[i] == NULL)
			return false;
	}
	to->n_words = n;
	return true;
}

/* ---- opening the registry ---------------------------------------------- */

static bool
take(struct cdop_arena *arena, const Cdop__StoredApproval *stored,
    struct approval *to)
{
	struct cdop_bytes request = {stored->request.data, stored->request.len};

	if (!message_take_bytes(stored->number, to->number, 8) ||
	    !message_take_bytes(stored->request_key, to->request_key, 16) ||
	    !message_take_bytes(
		stored->target_version, to->target_version, 32) ||
	    !message_take_bytes(stored->hash, to->hash, 32) ||
	    !copy_bytes(arena, request, &to->request) ||
	    !copy_words(
		arena, (const char *const *)stored->words, stored->n_words, to))
		return false;
	if (stored->purpose != NULL) {
		to->purpose = cdop_arena_strdup(arena, stored->purpose);
		if (to->purpose == NULL)
			return false;
	}
	to->method = stored->method;
	to->requester = stored->requester;
	to->requester_device = stored->requester_device;
	to->asked_ms = stored->asked_ms;
	to->expires_ms = stored->expires_ms;
	to->role = 1u << (uint32_t)stored->role;
	return true;
}

enum cdop_err
approvals_load(struct approvals *approvals, uint64_t row,
    const Cdop__StoredApproval *stored)
{
	struct entry *entry = free_entry(approvals);
	struct cdop_arena *arena;
	uint8_t hash[32];
	enum cdop_err err;

	if (entry == NULL || (uint32_t)stored->role > 27)
		return CDOP_DATA_LOSS;
	if ((err = cdop_arena_new(ENTRY_MAX, &arena)) != CDOP_OK)
		return err;
	memset(&entry->approval, 0, sizeof(entry->approval));
	if (!take(arena, stored, &entry->approval)) {
		cdop_arena_free(arena);
		return CDOP_DATA_LOSS;
	}
	hash_of(approvals, &entry->approval, hash);
	if (!cdop_secret_equal(hash, entry->approval.hash, sizeof(hash))) {
		cdop_arena_free(arena);
		return CDOP_DATA_LOSS;
	}
	entry->approval.row = row;
	entry->arena = arena;
	return CDOP_OK;
}

/* ---- looking ----------------------------------------------------------- */

static bool
waits(struct approvals *approvals, const struct entry *entry, uint64_t now_ms)
{
	if (now_ms > approvals->latest_ms)
		approvals->latest_ms = now_ms;
	return entry->arena != NULL &&
	    approvals->latest_ms < entry->approval.expires_ms;
}

const struct approval *
approvals_find(struct approvals *approvals, const uint8_t number[static 8],
    uint64_t now_ms)
{
	const struct entry *entry;
	size_t i;

	for (i = 0; i < APPROVALS_MAX; i++) {
		entry = &approvals->entries[i];
		if (waits(approvals, entry, now_ms) &&
		    memcmp(entry->approval.number, number, 8) == 0)
			return &entry->approval;
	}
	return NULL;
}

size_t
approvals_count(struct approvals *approvals, uint64_t now_ms)
{
	size_t i, n = 0;

	for (i = 0; i < APPROVALS_MAX; i++)
		n += waits(approvals, &approvals->entries[i], now_ms);
	return n;
}

/* Ordered by time asked, then by number. */
static bool
is_behind(
    const struct approval *a, uint64_t asked_ms, const uint8_t number[static 8])
{
	if (a->asked_ms != asked_ms)
		return a->asked_ms > asked_ms;
	return memcmp(a->number, number, sizeof(a->number)) > 0;
}

const struct approval *
approvals_next(struct approvals *approvals, uint64_t asked_ms,
    const uint8_t number[static 8], uint64_t now_ms)
{
	const struct approval *next = NULL, *a;
	size_t i;

	for (i = 0; i < APPROVALS_MAX; i++) {
		a = &approvals->entries[i].approval;
		if (waits(approvals, &approvals->entries[i], now_ms) &&
		    is_behind(a, asked_ms, number) &&
		    (next == NULL || is_behind(next, a->asked_ms, a->number)))
			next = a;
	}
	return next;
}

const struct approval *
approvals_at(struct approvals *approvals, size_t i, uint64_t now_ms)
{
	static const uint8_t first[8];
	const struct approval *a;

	a = approvals_next(approvals, 0, first, now_ms);
	for (; a != NULL && i > 0; i--)
		a = approvals_next(approvals, a->asked_ms, a->number, now_ms);
	return a;
}

/* ---- filing ------------------------------------------------------------ */

static bool
has_place(struct approvals *approvals, const struct approval_ask *ask)
{
	size_t max = ask->actor->role == CDOP_ROLE_ADMINISTRATOR
	    ? APPROVALS_MAX
	    : APPROVALS_MAX - APPROVALS_KEPT;

	return approvals_count(approvals, ask->now_ms) < max;
}

static enum cdop_err
put_row(struct approvals *approvals, struct cdop_arena *arena,
    struct approval *approval)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_APPROVAL,
	    .schema = SCHEMA,
	    .version = 1,
	};
	Cdop__StoredApproval out;
	uint32_t role = 0;

	while (role < 27 && (approval->role & (1u << role)) == 0)
		role++;
	cdop__stored_approval__init(&out);
	out.number.data = approval->number;
	out.number.len = sizeof(approval->number);
	out.method = approval->method;
	out.requester = approval->requester;
	out.requester_device = approval->requester_device;
	out.request_key.data = approval->request_key;
	out.request_key.len = sizeof(approval->request_key);
	out.request.data = (uint8_t *)(uintptr_t)approval->request.data;
	out.request.len = approval->request.len;
	out.target_version.data = approval->target_version;
	out.target_version.len = sizeof(approval->target_version);
	out.hash.data = approval->hash;
	out.hash.len = sizeof(approval->hash);
	out.asked_ms = approval->asked_ms;
	out.expires_ms = approval->expires_ms;
	out.role = (Cdop__Role)role;
	out.words = (char **)(uintptr_t)approval->words;
	out.n_words = approval->n_words;
	out.purpose = (char *)(uintptr_t)approval->purpose;
	return message_put(
	    approvals->reg->rows, arena, &row, 0, &out.base, &approval->row);
}

static void
free_arena(void *ctx, uint64_t arg)
{
	(void)arg;
	cdop_arena_free(ctx);
}

/*
 * The same request again is the one that waits: its first reply was lost.
 * NULL: none; *ret_other: the key waits with another request.
 */
static const struct approval *
find_same(struct approvals *approvals, const struct approval_ask *ask,
    bool *ret_other, size_t *ret_mine)
{
	const struct approval *a;
	const struct approval *same = NULL;
	size_t i;

	*ret_other = false;
	*ret_mine = 0;
	for (i = 0; i < APPROVALS_MAX; i++) {
		a = &approvals->entries[i].approval;
		if (!waits(approvals, &approvals->entries[i], ask->now_ms) ||
		    a->requester != ask->actor->person)
			continue;
		++*ret_mine;
		if (memcmp(a->request_key, ask->request_key, 16) != 0)
			continue;
		if (a->method == ask->method &&
		    a->request.len == ask->request.len &&
		    memcmp(a->request.data, ask->request.data,
			a->request.len) == 0)
			same = a;
		else
			*ret_other = true;
	}
	return same;
}

static bool
fill(struct approvals *approvals, struct cdop_arena *arena,
    const struct approval_ask *ask, struct approval *to)
{
	cdop_secret_random(to->number, sizeof(to->number));
	to->method = ask->method;
	to->requester = ask->actor->person;
	to->requester_device = ask->actor->device;
	to->role = ask->actor->role;
	memcpy(to->request_key, ask->request_key, sizeof(to->request_key));
	memcpy(to->target_version, ask->target_version,
	    sizeof(to->target_version));
	to->asked_ms = ask->now_ms;
	to->expires_ms = ask->now_ms + ask->ttl_s * (uint64_t)1000;
	if (!copy_bytes(arena, ask->request, &to->request) ||
	    !copy_words(arena, ask->words, ask->n_words, to))
		return false;
	if (ask->purpose != NULL) {
		to->purpose = cdop_arena_strdup(arena, ask->purpose);
		if (to->purpose == NULL)
			return false;
	}
	hash_of(approvals, to, to->hash);
	return true;
}

/* own is the entry's from here on, or freed. */
static enum cdop_err
add(struct approvals *approvals, struct cdop_arena *scratch,
    struct cdop_arena *own, const struct approval_ask *ask, struct entry *entry)
{
	struct undo *undo = approvals->reg->undo;
	enum cdop_err err;

	if ((err = undo_call(undo, free_arena, own, 0)) != CDOP_OK) {
		cdop_arena_free(own);
		return err;
	}
	/* A failure from here on takes the batch back, and own with it. */
	if ((err = undo_save(undo, entry, sizeof(*entry))) != CDOP_OK)
		return err;
	memset(entry, 0, sizeof(*entry));
	entry->arena = own;
	if (!fill(approvals, own, ask, &entry->approval))
		return CDOP_RESOURCE_EXHAUSTED;
	return put_row(approvals, scratch, &entry->approval);
}

static enum cdop_err
drop(struct approvals *approvals, struct entry *entry)
{
	struct undo *undo = approvals->reg->undo;
	enum cdop_err err;

	err = rows_del(approvals->reg->rows, entry->approval.row);
	if (err == CDOP_OK)
		err = undo_save(undo, entry, sizeof(*entry));
	if (err == CDOP_OK)
		err = undo_defer(undo, free_arena, entry->arena, 0);
	if (err == CDOP_OK)
		entry->arena = NULL;
	return err;
}

/* Removes some that have expired, in the open transaction. */
static enum cdop_err
sweep(struct approvals *approvals, uint64_t now_ms)
{
	struct entry *entry;
	size_t i, n = 0;
	enum cdop_err err;

	for (i = 0; i < APPROVALS_MAX && n < SWEEP_MAX; i++) {
		entry = &approvals->entries[i];
		if (entry->arena == NULL || waits(approvals, entry, now_ms))
			continue;
		if ((err = drop(approvals, entry)) != CDOP_OK)
			return err;
		n++;
	}
	return CDOP_OK;
}

enum cdop_err
approvals_file(struct approvals *approvals, struct cdop_arena *arena,
    const struct approval_ask *ask, uint8_t ret_number[static 8])
{
	const struct approval *same;
	struct cdop_arena *own;
	struct entry *entry;
	bool other;
	size_t mine;
	enum cdop_err err;

	same = find_same(approvals, ask, &other, &mine);
	if (same != NULL) {
		memcpy(ret_number, same->number, sizeof(same->number));
		return CDOP_OK;
	}
	if (other)
		return CDOP_ALREADY_EXISTS;
	if (mine >= APPROVALS_PERSON_MAX || !has_place(approvals, ask))
		return CDOP_FAILED_PRECONDITION;
	err = sweep(approvals, ask->now_ms);
	if (err != CDOP_OK)
		return err;
	entry = free_entry(approvals);
	if (entry == NULL)
		return CDOP_FAILED_PRECONDITION;
	if ((err = cdop_arena_new(ENTRY_MAX, &own)) != CDOP_OK)
		return err;
	if ((err = add(approvals, arena, own, ask, entry)) != CDOP_OK)
		return err;
	memcpy(ret_number, entry->approval.number, 8);
	return CDOP_OK;
}

/* ---- dropping ---------------------------------------------------------- */

enum cdop_err
approvals_drop(struct approvals *approvals, const uint8_t number[static 8])
{
	struct entry *entry;
	size_t i;

	for (i = 0; i < APPROVALS_MAX; i++) {
		entry = &approvals->entries[i];
		if (entry->arena != NULL &&
		    memcmp(entry->approval.number, number, 8) == 0)
			return drop(approvals, entry);
	}
	return CDOP_NOT_FOUND;
}

enum cdop_err
approvals_drop_all(struct approvals *approvals, size_t *ret_n)
{
	struct entry *entry;
	enum cdop_err err;
	size_t i;

	*ret_n = 0;
	for (i = 0; i < APPROVALS_MAX; i++) {
		entry = &approvals->entries[i];
		if (entry->arena == NULL)
			continue;
		if ((err = drop(approvals, entry)) != CDOP_OK)
			return err;
		++*ret_n;
	}
	return CDOP_OK;
}
