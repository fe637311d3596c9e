/* Request keys in a hash table, with a list from oldest to newest. */
#include "server/registry/outcomes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cdop/limits.h"
#include "server/base/undo.h"

#define BUCKETS_FIRST 1024
#define FORGET_STEP   4

/* There is one for every change of a month, so it is kept small. */
struct outcome {
	struct outcome *next; /* in its bucket */
	TAILQ_ENTRY(outcome) age;
	uint64_t at_ms;
	uint32_t person;
	uint32_t len;
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	uint8_t packed[]; /* StoredOutcome */
};

struct outcomes {
	struct undo *undo;
	struct outcome **bucket;
	size_t n_buckets; /* a power of two */
	size_t n;
	TAILQ_HEAD(outcomes_by_age, outcome) by_age; /* oldest first */
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

enum cdop_err
outcomes_new(struct undo *undo, struct outcomes **ret_outcomes)
{
	struct outcomes *outcomes;

	outcomes = calloc(1, sizeof(*outcomes));
	if (outcomes == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	outcomes->bucket = calloc(BUCKETS_FIRST, sizeof(*outcomes->bucket));
	if (outcomes->bucket == NULL) {
		free(outcomes);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	outcomes->undo = undo;
	outcomes->n_buckets = BUCKETS_FIRST;
	TAILQ_INIT(&outcomes->by_age);
	randombytes_buf(outcomes->hash_key, sizeof(outcomes->hash_key));
	*ret_outcomes = outcomes;
	return CDOP_OK;
}

static size_t
bucket_of(const struct outcomes *outcomes, uint32_t person,
    const uint8_t key[static 16])
{
	uint8_t in[20];
	uint64_t out;

	memcpy(in, &person, 4);
	memcpy(in + 4, key, 16);
	crypto_shorthash((uint8_t *)&out, in, sizeof(in), outcomes->hash_key);
	return (size_t)out & (outcomes->n_buckets - 1);
}

static void
link_in(struct outcomes *outcomes, struct outcome *outcome)
{
	size_t i;

	i = bucket_of(outcomes, outcome->person, outcome->key);
	outcome->next = outcomes->bucket[i];
	outcomes->bucket[i] = outcome;
}

static void
drop(struct outcomes *outcomes, struct outcome *outcome)
{
	struct outcome **at;
	size_t i;

	i = bucket_of(outcomes, outcome->person, outcome->key);
	for (at = &outcomes->bucket[i]; *at != outcome; at = &(*at)->next)
		CDOP_ASSERT(*at != NULL);
	*at = outcome->next;
	TAILQ_REMOVE(&outcomes->by_age, outcome, age);
	outcomes->n--;
	free(outcome);
}

void
outcomes_free(struct outcomes *outcomes)
{
	struct outcome *outcome;

	if (outcomes == NULL)
		return;
	while ((outcome = TAILQ_FIRST(&outcomes->by_age)) != NULL)
		drop(outcomes, outcome);
	free(outcomes->bucket);
	free(outcomes);
}

/* One to a bucket, and the table doubles.  A full heap only slows it. */
static void
grow(struct outcomes *outcomes)
{
	struct outcome **bucket, *outcome;
	size_t n = outcomes->n_buckets * 2;

	if (outcomes->n < outcomes->n_buckets)
		return;
	bucket = calloc(n, sizeof(*bucket));
	if (bucket == NULL)
		return;
	free(outcomes->bucket);
	outcomes->bucket = bucket;
	outcomes->n_buckets = n;
	TAILQ_FOREACH(outcome, &outcomes->by_age, age)
		link_in(outcomes, outcome);
}

static void
take_back(void *ctx, uint64_t arg)
{
	drop(ctx, (struct outcome *)(uintptr_t)arg);
}

static struct outcome *
copy_of(uint32_t person, uint64_t at_ms, const Cdop__StoredOutcome *stored)
{
	size_t len = cdop__stored_outcome__get_packed_size(stored);
	struct outcome *outcome;

	outcome = malloc(sizeof(*outcome) + len);
	if (outcome == NULL)
		return NULL;
	outcome->person = person;
	outcome->at_ms = at_ms;
	outcome->len = (uint32_t)len;
	memcpy(outcome->key, stored->request_key.data, sizeof(outcome->key));
	(void)cdop__stored_outcome__pack(stored, outcome->packed);
	return outcome;
}

static struct outcome *
find(const struct outcomes *outcomes, uint32_t person,
    const uint8_t key[static 16])
{
	struct outcome *outcome;

	outcome = outcomes->bucket[bucket_of(outcomes, person, key)];
	for (; outcome != NULL; outcome = outcome->next)
		if (outcome->person == person &&
		    memcmp(outcome->key, key, sizeof(outcome->key)) == 0)
			break;
	return outcome;
}

enum cdop_err
outcomes_add(struct outcomes *outcomes, uint32_t person, uint64_t at_ms,
    const Cdop__StoredOutcome *stored)
{
	struct outcome *outcome, *newest;
	enum cdop_err err;

	if (stored->request_key.len != CDOP_REQUEST_KEY_LEN)
		return CDOP_DATA_LOSS;
	if (find(outcomes, person, stored->request_key.data) != NULL)
		return CDOP_OK;
	outcome = copy_of(person, at_ms, stored);
	if (outcome == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err =
	    undo_call(outcomes->undo, take_back, outcomes, (uintptr_t)outcome);
	if (err != CDOP_OK) {
		free(outcome);
		return err;
	}
	grow(outcomes);
	link_in(outcomes, outcome);
	newest = TAILQ_LAST(&outcomes->by_age, outcomes_by_age);
	/* A start reads the log backwards. */
	if (newest != NULL && newest->at_ms > at_ms)
		TAILQ_INSERT_HEAD(&outcomes->by_age, outcome, age);
	else
		TAILQ_INSERT_TAIL(&outcomes->by_age, outcome, age);
	outcomes->n++;
	return CDOP_OK;
}

enum cdop_err
outcomes_find(const struct outcomes *outcomes, uint32_t person,
    const uint8_t key[static 16], struct cdop_arena *arena,
    const Cdop__StoredOutcome **ret_stored)
{
	const struct outcome *outcome = find(outcomes, person, key);

	*ret_stored = NULL;
	if (outcome == NULL)
		return CDOP_OK;
	*ret_stored = cdop__stored_outcome__unpack(
	    cdop_arena_allocator(arena), outcome->len, outcome->packed);
	return *ret_stored == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

void
outcomes_forget(struct outcomes *outcomes, uint64_t now_ms)
{
	struct outcome *outcome;
	int i;

	for (i = 0; i < FORGET_STEP; i++) {
		outcome = TAILQ_FIRST(&outcomes->by_age);
		if (outcome == NULL ||
		    outcome->at_ms + OUTCOMES_KEEP_MS >= now_ms)
			return;
		drop(outcomes, outcome);
	}
}

size_t
outcomes_count(const struct outcomes *outcomes)
{
	return outcomes->n;
}
