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

struct outcome {
	struct outcome *next; /* in its bucket */
	TAILQ_ENTRY(outcome) age;
	uint32_t person;
	uint64_t at_ms;
	Cdop__StoredOutcome *stored;
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

	i = bucket_of(
	    outcomes, outcome->person, outcome->stored->request_key.data);
	outcome->next = outcomes->bucket[i];
	outcomes->bucket[i] = outcome;
}

static void
drop(struct outcomes *outcomes, struct outcome *outcome)
{
	struct outcome **at;
	size_t i;

	i = bucket_of(
	    outcomes, outcome->person, outcome->stored->request_key.data);
	for (at = &outcomes->bucket[i]; *at != outcome; at = &(*at)->next)
		CDOP_ASSERT(*at != NULL);
	*at = outcome->next;
	TAILQ_REMOVE(&outcomes->by_age, outcome, age);
	outcomes->n--;
	cdop__stored_outcome__free_unpacked(outcome->stored, NULL);
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

/* Four to a bucket, and the table doubles.  A full heap only slows it. */
static void
grow(struct outcomes *outcomes)
{
	struct outcome **bucket, *outcome;
	size_t n = outcomes->n_buckets * 2;

	if (outcomes->n < outcomes->n_buckets * 4)
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

static Cdop__StoredOutcome *
copy_of(const Cdop__StoredOutcome *stored)
{
	Cdop__StoredOutcome *copy;
	uint8_t *packed;
	size_t len;

	packed = malloc(cdop__stored_outcome__get_packed_size(stored) + 1);
	if (packed == NULL)
		return NULL;
	len = cdop__stored_outcome__pack(stored, packed);
	copy = cdop__stored_outcome__unpack(NULL, len, packed);
	free(packed);
	return copy;
}

enum cdop_err
outcomes_add(struct outcomes *outcomes, uint32_t person, uint64_t at_ms,
    const Cdop__StoredOutcome *stored)
{
	struct outcome *outcome, *newest;
	enum cdop_err err;

	if (stored->request_key.len != CDOP_REQUEST_KEY_LEN)
		return CDOP_DATA_LOSS;
	if (outcomes_find(outcomes, person, stored->request_key.data) != NULL)
		return CDOP_OK;
	outcome = calloc(1, sizeof(*outcome));
	if (outcome == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	outcome->person = person;
	outcome->at_ms = at_ms;
	outcome->stored = copy_of(stored);
	err = outcome->stored == NULL ? CDOP_RESOURCE_EXHAUSTED
				      : undo_call(outcomes->undo, take_back,
					    outcomes, (uintptr_t)outcome);
	if (err != CDOP_OK) {
		cdop__stored_outcome__free_unpacked(outcome->stored, NULL);
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

const Cdop__StoredOutcome *
outcomes_find(const struct outcomes *outcomes, uint32_t person,
    const uint8_t key[static 16])
{
	const struct outcome *outcome;

	outcome = outcomes->bucket[bucket_of(outcomes, person, key)];
	for (; outcome != NULL; outcome = outcome->next)
		if (outcome->person == person &&
		    memcmp(outcome->stored->request_key.data, key,
			CDOP_REQUEST_KEY_LEN) == 0)
			return outcome->stored;
	return NULL;
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
