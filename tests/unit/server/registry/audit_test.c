/*
 * Leaves: their bytes against the table in audit.h, with every commitment
 * made again by libsodium alone; what dies with a case key; walking back.
 */
#include "server/registry/audit.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/actor.h"
#include "server/registry/leaf_clock.h"
#include "server/registry/people.h"
#include "server/vault/rows_keys.h"
#include "server/vault/rows_scan.h"
#include "tests/unit/server/world.h"

#define DAY_MS 86400000ull
#define CASE   0xca5eu

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static uint64_t
append(const struct audit_entry *entry)
{
	struct audit_receipt receipt;

	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    audit_append(w.reg->audit, w.arena, entry, &receipt), CDOP_OK);
	world_commit(&w);
	return receipt.index;
}

static bool
is_known(uint32_t person, const uint8_t key[static 16])
{
	const Cdop__StoredOutcome *stored;

	assert_int_equal(
	    audit_outcome(w.reg->audit, person, key, w.arena, &stored),
	    CDOP_OK);
	return stored != NULL;
}

struct last {
	uint64_t number;
	struct cdop_bytes data;
	Cdop__StoredLeaf *leaf;
};

static enum cdop_err
take_last(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct last *last = ctx;

	assert_int_equal(head->kind, SCHEMA_KIND_LEAF);
	last->number = head->number;
	*ret_stop = true;
	return rows_item_open(item, w.arena, &last->data);
}

/* The newest leaf as it lies on the disk. */
static struct last
last_leaf(void)
{
	struct last last = {0};

	assert_int_equal(rows_scan_log(w.rows, 0, take_last, &last), CDOP_OK);
	last.leaf = cdop__stored_leaf__unpack(
	    cdop_arena_allocator(w.arena), last.data.len, last.data.data);
	assert_non_null(last.leaf);
	assert_int_equal(last.leaf->leaf.len, 256);
	assert_int_equal(last.leaf->secret.len, 32);
	return last;
}

/* HMAC-SHA256 under BLAKE2b-256(label), keyed with the secret. */
static void
assert_commits(const uint8_t *field, const uint8_t *secret, const char *label,
    const void *value, size_t len)
{
	uint8_t salt[32], want[32];

	crypto_generichash(salt, sizeof(salt), (const uint8_t *)label,
	    strlen(label), secret, 32);
	crypto_auth_hmacsha256(want, value, len, salt);
	assert_memory_equal(field, want, sizeof(want));
}

/* ---- the layout -------------------------------------------------------- */

static void
a_leaf_lies_as_the_table_says(void **state)
{
	static const uint8_t request[] = "bytes of a request";
	static const uint8_t zeros[16];
	static const char *const reference[2] = {"CD-1", "CD-2"};
	struct audit_released released[2] = {
	    {.reference = reference[0], .classes = 6, .owner_area = "wirral"},
	    {.reference = reference[1], .classes = 2},
	};
	struct actor actor;
	struct audit_entry entry = {.call = CDOP_CALL_CaseFind,
	    .actor = &actor,
	    .request = {request, sizeof(request)},
	    .answered = CDOP_NOT_FOUND,
	    .outcome = CDOP_PERMISSION_DENIED,
	    .reason = "area",
	    .purpose = "case_work",
	    .purpose_text = "why it was asked",
	    .released = released,
	    .n_released = 2,
	    .count = 0x0102030405060708};
	uint8_t head[32], hash[32], prefixed[257] = {0};
	const uint8_t *leaf, *secret;
	struct last last;
	uint64_t index;

	(void)state;
	people_actor(w.reg->people, WORLD_PARTNER_WIRRAL, w.now_ms, &actor);
	memset(actor.session, 0x5e, sizeof(actor.session));
	entry.time_ms = w.now_ms + 1;
	index = append(&entry);
	last = last_leaf();
	leaf = last.leaf->leaf.data;
	secret = last.leaf->secret.data;

	memset(head, 0, sizeof(head));
	head[0] = 1;              /* version */
	head[1] = 1;              /* a call */
	head[3] = CDOP_NOT_FOUND; /* as it was answered */
	cdop_put32(head + 4, entry.call);
	cdop_put64(head + 8, index);
	cdop_put64(head + 16, entry.time_ms);
	cdop_put64(head + 24, index);
	assert_memory_equal(leaf, head, 32);
	assert_memory_equal(leaf + 32, actor.fingerprint, 32);
	assert_memory_equal(leaf + 64, actor.session, 16);
	assert_commits(leaf + 80, secret, "request", request, sizeof(request));
	assert_commits(leaf + 112, secret, "case", "CD-1\nCD-2", 9);
	assert_commits(leaf + 144, secret, "outcome", "\0\7area", 6);
	assert_commits(
	    leaf + 176, secret, "counts", "\0\0\0\2\1\2\3\4\5\6\7\x8", 12);
	assert_commits(leaf + 208, secret, "reason", "why it was asked\0", 17);
	assert_memory_equal(leaf + 240, zeros, 16);

	/* RFC 6962: the head row carries SHA-256(0x00 || leaf). */
	memcpy(prefixed + 1, leaf, 256);
	crypto_hash_sha256(hash, prefixed, sizeof(prefixed));
	assert_memory_equal(rows_leaf_hash(w.rows), hash, 32);
	assert_int_equal(audit_size(w.reg->audit), index + 1);
}

static void
an_event_of_the_daemon_names_nobody(void **state)
{
	static const uint8_t zeros[48];
	struct audit_entry entry = {
	    .call = AUDIT_EVENT_REFUSED, .time_ms = w.now_ms, .count = 17};
	const Cdop__StoredWords *words;
	struct last last;

	(void)state;
	(void)append(&entry);
	last = last_leaf();
	words = last.leaf->words;
	assert_int_equal(last.leaf->leaf.data[1], 2);
	assert_memory_equal(last.leaf->leaf.data + 32, zeros, 48);
	assert_commits(last.leaf->leaf.data + 80, last.leaf->secret.data,
	    "request", "", 0);
	assert_commits(last.leaf->leaf.data + 208, last.leaf->secret.data,
	    "reason", "\0", 1);
	assert_false(words->has_person);
	assert_false(words->has_role);
	assert_int_equal(words->count, 17);
	assert_false(last.leaf->has_case_box);
}

/* The same entry twice: nothing that is committed to can be compared. */
static void
equal_entries_have_no_commitment_in_common(void **state)
{
	struct audit_entry entry = {
	    .call = CDOP_CALL_Status, .time_ms = w.now_ms};
	uint8_t one[256], two[256];
	size_t at;

	(void)state;
	(void)append(&entry);
	memcpy(one, last_leaf().leaf->leaf.data, sizeof(one));
	(void)append(&entry);
	memcpy(two, last_leaf().leaf->leaf.data, sizeof(two));
	for (at = 80; at < 240; at += 32)
		assert_memory_not_equal(one + at, two + at, 32);
}

/* ---- the case box ------------------------------------------------------ */

static enum cdop_err
open_box(const struct last *last, uint64_t index, Cdop__CaseBox **ret_box)
{
	struct cdop_bytes box, context, data;
	uint8_t number[8];
	enum cdop_err err;

	cdop_put64(number, index);
	context = (struct cdop_bytes){number, sizeof(number)};
	box = (struct cdop_bytes){
	    last->leaf->case_box.data, last->leaf->case_box.len};
	world_begin(&w, 1u << 20, 64);
	err = rows_box_open(
	    w.rows, last->leaf->case_box_key, context, box, w.arena, &data);
	world_roll_back(&w);
	if (err != CDOP_OK)
		return err;
	*ret_box = cdop__case_box__unpack(
	    cdop_arena_allocator(w.arena), data.len, data.data);
	assert_non_null(*ret_box);
	return CDOP_OK;
}

static bool
holds(struct cdop_bytes data, const char *text)
{
	return memmem(data.data, data.len, text, strlen(text)) != NULL;
}

static void
free_text_of_a_case_lies_under_its_key_alone(void **state)
{
	struct audit_released released = {.reference = "CD-7"};
	struct audit_entry entry = {.call = CDOP_CALL_CaseAmend,
	    .time_ms = w.now_ms,
	    .released = &released,
	    .n_released = 1,
	    .purpose_text = "police asked",
	    .reason_text = "typed wrongly"};
	static const char reason[] = "police asked\0typed wrongly";
	Cdop__CaseBox *box = NULL;
	struct rows_head head;
	struct cdop_bytes data;
	struct last last;
	uint64_t index;
	const uint8_t *leaf;
	uint8_t salt[32], guess[32];
	enum cdop_err err;

	(void)state;
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    rows_keys_case_new(w.rows, CASE, "wirral", &entry.case_key),
	    CDOP_OK);
	world_commit(&w);
	index = append(&entry);
	last = last_leaf();
	leaf = last.leaf->leaf.data;
	assert_true(last.leaf->has_case_box);
	assert_int_equal(last.leaf->case_box_key, entry.case_key);
	assert_false(holds(last.data, "police"));
	assert_false(holds(last.data, "typed"));

	assert_int_equal(open_box(&last, index, &box), CDOP_OK);
	assert_int_equal(box->secret.len, 32);
	assert_string_equal(box->purpose_text, "police asked");
	assert_string_equal(box->reason, "typed wrongly");
	assert_commits(leaf + 112, box->secret.data, "case", "CD-7", 4);
	assert_commits(
	    leaf + 208, box->secret.data, "reason", reason, sizeof(reason) - 1);

	/* Whoever has the log key alone cannot test a guess. */
	crypto_generichash(salt, sizeof(salt), (const uint8_t *)"case", 4,
	    last.leaf->secret.data, 32);
	crypto_auth_hmacsha256(guess, (const uint8_t *)"CD-7", 4, salt);
	assert_memory_not_equal(leaf + 112, guess, 32);

	/* It is bound to its leaf. */
	assert_int_equal(open_box(&last, index + 1, &box), CDOP_DATA_LOSS);

	/* No row beside it has the words, which would outlive the case. */
	world_begin(&w, 1u << 20, 64);
	err = rows_get(w.rows, last.number + 1, w.arena, &head, &data);
	world_roll_back(&w);
	assert_true(err != CDOP_OK ||
	    (head.kind != SCHEMA_KIND_TERMS &&
		head.kind != SCHEMA_KIND_REASON));
}

static void
the_case_box_dies_with_the_case_key(void **state)
{
	struct audit_entry entry = {.call = CDOP_CALL_CaseAmend,
	    .time_ms = w.now_ms,
	    .reason_text = "gone"};
	Cdop__CaseBox *box = NULL;
	struct last last;
	uint64_t index;

	(void)state;
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    rows_keys_case_new(w.rows, CASE + 1, "wirral", &entry.case_key),
	    CDOP_OK);
	world_commit(&w);
	index = append(&entry);
	last = last_leaf();
	assert_int_equal(open_box(&last, index, &box), CDOP_OK);
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    rows_keys_case_destroy(w.rows, entry.case_key), CDOP_OK);
	world_commit(&w);
	assert_int_equal(open_box(&last, index, &box), CDOP_NOT_FOUND);
	world_reopen(&w);
	assert_int_equal(open_box(&last, index, &box), CDOP_NOT_FOUND);
	/* The leaf itself stays. */
	assert_int_equal(cdop_get64(last_leaf().leaf->leaf.data + 8), index);
}

/* ---- terms ------------------------------------------------------------- */

static void
what_was_searched_for_stands_in_the_terms_row(void **state)
{
	struct audit_term terms[1] = {{"child.family_name", "Sampleton"}};
	struct audit_entry entry = {.call = CDOP_CALL_CaseFind,
	    .time_ms = w.now_ms,
	    .purpose_text = "by telephone",
	    .terms = terms,
	    .n_terms = 1};
	Cdop__StoredTerms *stored;
	struct rows_head head;
	struct cdop_bytes data;
	struct last last;
	uint64_t index;

	(void)state;
	index = append(&entry);
	last = last_leaf();
	assert_false(holds(last.data, "Sampleton"));
	assert_false(holds(last.data, "telephone"));
	assert_int_equal(last.leaf->words->n_term_kind, 1);
	assert_string_equal(
	    last.leaf->words->term_kind[0], "child.family_name");

	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    rows_get(w.rows, last.number + 1, w.arena, &head, &data), CDOP_OK);
	world_roll_back(&w);
	assert_int_equal(head.kind, SCHEMA_KIND_TERMS);
	stored = cdop__stored_terms__unpack(
	    cdop_arena_allocator(w.arena), data.len, data.data);
	assert_non_null(stored);
	assert_int_equal(stored->leaf_index, index);
	assert_string_equal(stored->term[0]->value, "Sampleton");
	assert_string_equal(stored->purpose_text, "by telephone");
}

/* ---- going back -------------------------------------------------------- */

struct visits {
	uint64_t next; /* index that has to come */
	size_t n;
	size_t stop_at; /* 0: never */
};

static bool
visit(void *ctx, const struct audit_leaf *leaf)
{
	struct visits *visits = ctx;

	assert_non_null(leaf->stored->words);
	assert_int_equal(leaf->index, visits->next);
	visits->next--;
	visits->n++;
	return visits->stop_at == 0 || visits->n % visits->stop_at != 0;
}

static void
a_walk_goes_on_where_it_stopped(void **state)
{
	struct audit_entry entry = {
	    .call = CDOP_CALL_Status, .time_ms = w.now_ms};
	static const size_t budgets[] = {1, 7, 1000};
	uint64_t cursor, size;
	size_t i;

	(void)state;
	for (i = 0; i < 25; i++)
		(void)append(&entry);
	size = audit_size(w.reg->audit);
	for (i = 0; i < 6; i++) {
		struct visits visits = {
		    .next = size - 1, .stop_at = i < 3 ? 0 : 4};

		cursor = 0;
		do {
			size_t before = visits.n;

			assert_int_equal(
			    audit_walk(w.reg->audit, w.arena, &cursor,
				budgets[i % 3], visit, &visits),
			    CDOP_OK);
			assert_true(visits.n - before <= budgets[i % 3]);
			cdop_arena_reset(w.arena);
		} while (cursor != 0);
		assert_int_equal(visits.n, size);
	}
}

static void
a_batch_that_failed_leaves_no_leaf(void **state)
{
	uint8_t key[16], hash[32] = {0};
	Cdop__StoredOutcome stored;
	struct actor actor;
	struct audit_entry entry = {.call = CDOP_CALL_NotificationRegister,
	    .time_ms = w.now_ms + DAY_MS,
	    .actor = &actor,
	    .stored = &stored};
	uint64_t size = audit_size(w.reg->audit);

	(void)state;
	people_actor(w.reg->people, WORLD_COORDINATOR, w.now_ms, &actor);
	world_key(&w, key);
	cdop__stored_outcome__init(&stored);
	stored.request_key = (ProtobufCBinaryData){sizeof(key), key};
	stored.request_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    audit_append(w.reg->audit, w.arena, &entry, NULL), CDOP_OK);
	assert_true(is_known(actor.person, key));
	world_roll_back(&w);
	assert_int_equal(audit_size(w.reg->audit), size);
	assert_false(is_known(actor.person, key));
	assert_int_equal(audit_time(w.reg->audit, w.now_ms, 0), w.now_ms);
}

/* ---- time -------------------------------------------------------------- */

static void
leaf_time_never_goes_back(void **state)
{
	struct audit_entry entry = {.call = CDOP_CALL_Status};

	(void)state;
	w.now_ms += DAY_MS;
	entry.time_ms = w.now_ms;
	(void)append(&entry);
	assert_int_equal(
	    audit_time(w.reg->audit, w.now_ms + 5, 0), w.now_ms + 5);
	assert_int_equal(audit_clock(w.reg->audit)->behind_ms, 0);
	assert_int_equal(audit_time(w.reg->audit, w.now_ms - 5, 0), w.now_ms);
	assert_int_equal(audit_clock(w.reg->audit)->behind_ms, 5);
	world_reopen(&w);
	assert_int_equal(audit_time(w.reg->audit, w.now_ms - 7, 0), w.now_ms);
	assert_int_equal(audit_clock(w.reg->audit)->behind_ms, 7);
}

/* Else nothing would expire until a clock that was set back is right. */
static void
time_goes_on_while_the_clock_is_behind(void **state)
{
	struct audit_entry entry = {.call = CDOP_CALL_Status};
	uint64_t last;

	(void)state;
	w.now_ms += 10 * DAY_MS;
	last = w.now_ms;
	entry.time_ms = last;
	(void)append(&entry);
	assert_int_equal(audit_time(w.reg->audit, last - DAY_MS, 1000), last);
	entry.time_ms = audit_time(w.reg->audit, last - DAY_MS + 600, 1600);
	assert_int_equal(entry.time_ms, last + 300);
	(void)append(&entry);
	assert_int_equal(
	    audit_time(w.reg->audit, last - DAY_MS + 1000, 2000), last + 500);
	/* At half the speed, so that the clock comes up with it. */
	assert_int_equal(
	    audit_time(w.reg->audit, last + DAY_MS, 1000 + 2 * DAY_MS),
	    last + DAY_MS);
	assert_int_equal(audit_clock(w.reg->audit)->behind_ms, 0);
	w.now_ms = last + DAY_MS;
}

/*
 * A key may be dated a day ahead and is good for 30 days from then: a start
 * in the hour before that has to know it still.
 */
static void
a_key_is_known_after_a_start_as_long_as_it_is_good(void **state)
{
	Cdop__StoredOutcome stored;
	uint8_t key[16], hash[32] = {0};
	struct actor actor;
	struct audit_entry entry = {.call = CDOP_CALL_NotificationRegister,
	    .actor = &actor,
	    .stored = &stored};
	struct audit_entry plain = {.call = CDOP_CALL_Status};
	size_t i;

	(void)state;
	people_actor(w.reg->people, WORLD_COORDINATOR, w.now_ms, &actor);
	w.now_ms += DAY_MS;
	world_key(&w, key);
	w.now_ms -= DAY_MS / 2;
	cdop__stored_outcome__init(&stored);
	stored.request_key = (ProtobufCBinaryData){sizeof(key), key};
	stored.request_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	entry.time_ms = w.now_ms;
	(void)append(&entry);
	/* Others behind it, as old. */
	plain.time_ms = w.now_ms;
	for (i = 0; i < 3; i++)
		(void)append(&plain);
	w.now_ms += 30 * DAY_MS + DAY_MS / 2 - 3600000;
	world_reopen(&w);
	assert_true(is_known(WORLD_COORDINATOR, key));
	/* A start under a wrong clock: it would be applied once more. */
	w.now_ms += 3650 * DAY_MS;
	world_reopen(&w);
	assert_true(is_known(WORLD_COORDINATOR, key));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_leaf_lies_as_the_table_says),
	    cmocka_unit_test(an_event_of_the_daemon_names_nobody),
	    cmocka_unit_test(equal_entries_have_no_commitment_in_common),
	    cmocka_unit_test(free_text_of_a_case_lies_under_its_key_alone),
	    cmocka_unit_test(the_case_box_dies_with_the_case_key),
	    cmocka_unit_test(what_was_searched_for_stands_in_the_terms_row),
	    cmocka_unit_test(a_walk_goes_on_where_it_stopped),
	    cmocka_unit_test(a_batch_that_failed_leaves_no_leaf),
	    cmocka_unit_test(leaf_time_never_goes_back),
	    cmocka_unit_test(time_goes_on_while_the_clock_is_behind),
	    cmocka_unit_test(
		a_key_is_known_after_a_start_as_long_as_it_is_good),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
