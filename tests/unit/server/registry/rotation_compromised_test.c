/*
 * Keys that somebody had: what he kept opens everything before and nothing
 * after, whatever has moved since; a root waits for its holders, and is made
 * on the host or given up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/certificate.h"
#include "server/registry/audit.h"
#include "server/registry/certificates.h"
#include "server/registry/rotation_copy.h"
#include "server/registry/rotation_renew.h"
#include "server/registry/rotation_step.h"
#include "server/store/db.h"
#include "server/vault/rows_core.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define WIRRAL   4
#define KEYS_MAX 256

static struct world w;
static char *wirral[WIRRAL], *sefton;

static int
setup(void **state)
{
	unsigned i;

	(void)state;
	world_make(&w);
	for (i = 0; i < WIRRAL; i++)
		wirral[i] = world_register(&w, i, "wirral");
	sefton = world_register(&w, WIRRAL, "sefton");
	return 0;
}

static int
teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < WIRRAL; i++)
		free(wirral[i]);
	free(sefton);
	world_end(&w);
	return 0;
}

/* ---- who kept keys ------------------------------------------------------ */

static struct envelope_key kept[KEYS_MAX];
static struct envelope_ring kept_ring;
static size_t n_kept;

static void
keep(const uint8_t raw[static 32])
{
	assert_true(n_kept < KEYS_MAX);
	envelope_key_init(&kept[n_kept++], raw);
}

/* The keys of cases that lie in an area now; NULL: of all. */
static void
keep_cases(const char *area)
{
	const struct keystore_entry *entry;
	uint8_t *k;
	size_t i;

	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	for (i = 0; i < keystore_places(w.ks); i++) {
		entry = keystore_at(w.ks, i);
		if (entry->scope != SCHEMA_CASE ||
		    (area != NULL &&
			strcmp(keystore_area(w.ks, entry->area), area) != 0))
			continue;
		assert_int_equal(
		    rows_core_case_key(w.rows, entry, &k), CDOP_OK);
		keep(k);
		memset(k, 0, 32);
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
}

static void
keep_all(void)
{
	uint64_t id;
	size_t i;

	keep(keystore_raw(w.ks, 0));
	for (i = 0; keystore_held(w.ks, i, &id); i++)
		keep(keystore_raw(w.ks, id));
	keep_cases(NULL);
	kept_ring = *keystore_ring(w.ks);
}

/* Rows that any of them opens, with heads read by this ring. */
static size_t
opened(const struct envelope_ring *ring, size_t *ret_all)
{
	static uint8_t out[ENVELOPE_ROW_MAX];
	struct envelope_head head;
	struct cdop_bytes row, data;
	uint64_t number = 0;
	size_t i, n = 0, all = 0;

	assert_int_equal(db_begin_read(w.rows->db, &w.rows->txn), CDOP_OK);
	for (; db_next(w.rows->txn, number, &number, &row) == CDOP_OK;
	     number++) {
		all += row.data[0] == 1;
		if (row.data[0] != 1 ||
		    envelope_head_parse(ring, row, number, &head) !=
			ENVELOPE_FINE)
			continue;
		for (i = 0; i < n_kept; i++)
			if (envelope_unseal(ring, &kept[i], &head, row, out,
				&data) == ENVELOPE_FINE) {
				n++;
				break;
			}
	}
	db_abort(w.rows->txn);
	w.rows->txn = NULL;
	if (ret_all != NULL)
		*ret_all = all;
	return n;
}

static size_t
opened_now(void)
{
	return opened(keystore_ring(w.ks), NULL);
}

/* ---- areas -------------------------------------------------------------- */

/* To another area, under the key that it has. */
static void
move(const char *reference, const char *area)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = 1;
	request.area = calls_text(&w, area);
	request.reason = calls_text(&w, "a test");
	(void)calls_change(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseOwner, &request.base, CDOP_OK);
}

static void
an_area_leaves_no_key_of_a_case_that_it_had(void **state)
{
	size_t before;

	(void)state;
	n_kept = 0;
	keep(keystore_raw(w.ks, turning_newest(&w, "wirral")));
	keep_cases("wirral");
	before = opened_now();
	assert_true(before >= WIRRAL * (1 + 3));
	/* One has left since, with its key; another is amended meanwhile. */
	move(wirral[0], "sefton");
	(void)turning_begin_compromised(&w, "wirral");
	assert_int_equal(turning_step(&w, 1), CDOP_OK);
	(void)calls_amend(&w, wirral[1], 1, "child.sex", "2", NULL, CDOP_OK);
	assert_true(opened_now() > 0);
	(void)turning_finish(&w, 2);
	assert_int_equal(opened_now(), 0);
	turning_all_readable(&w);
	world_reopen(&w);
	assert_int_equal(opened_now(), 0);
	turning_all_readable(&w);
}

/* What it is for: keys of cases outlive a turn that only wraps them. */
static void
a_mere_turn_leaves_them(void **state)
{
	(void)state;
	n_kept = 0;
	keep(keystore_raw(w.ks, turning_newest(&w, "wirral")));
	keep_cases("wirral");
	(void)turning_begin(&w, "wirral");
	(void)turning_finish(&w, 2);
	assert_true(opened_now() >= WIRRAL * 3);
}

static char said[2048]; /* newest first */

static bool
take_leaf(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	size_t *len = ctx;

	if (words->call != AUDIT_EVENT_KEYS &&
	    words->call != AUDIT_EVENT_ROOT &&
	    words->call != AUDIT_EVENT_KEY_GONE)
		return true;
	/* Each key of an area has one, too. */
	if (words->call == AUDIT_EVENT_KEY_GONE &&
	    strchr(words->reason, ':') != NULL &&
	    strncmp(words->reason, "epochs:", 7) != 0)
		return true;
	*len += (size_t)snprintf(said + *len, sizeof(said) - *len, "%u %s\n",
	    words->call, words->reason != NULL ? words->reason : "");
	assert_true(*len < sizeof(said));
	return true;
}

static const char *
said_now(void)
{
	uint64_t cursor = 0;
	size_t len = 0;

	said[0] = '\0';
	do
		assert_int_equal(audit_walk(w.reg->audit, w.arena, &cursor, 256,
				     take_leaf, &len),
		    CDOP_OK);
	while (cursor != 0);
	return said;
}

/* What a line of the newest certificate says; "": there is no such line. */
static const char *
certified(const char *word)
{
	const struct certificates *all = w.reg->certificates;
	struct cdop_certificate_line *line;
	Cdop__StoredCertificate *stored;
	size_t i, n;

	assert_true(certificates_count(all) > 0);
	assert_int_equal(certificates_read(all,
			     certificates_at(all, certificates_count(all) - 1),
			     w.arena, &stored),
	    CDOP_OK);
	assert_int_equal(
	    cdop_certificate_parse(
		(struct cdop_bytes){stored->note.data, stored->note.len},
		w.arena, &line, &n),
	    CDOP_OK);
	for (i = 0; i < n; i++)
		if (strcmp(line[i].word, word) == 0)
			return line[i].says;
	return "";
}

static void
log_and_certificate_say_why(void **state)
{
	(void)state;
	(void)turning_begin_compromised(&w, NULL);
	(void)turning_finish(&w, 2);
	assert_string_equal(said_now(),
	    "1010 done\n1010 resealed\n1010 rewrapped\n1010 compromised\n");
	assert_string_equal(certified("cause"), "compromised");
	assert_string_equal(certified("root"), "");
	assert_string_not_equal(certified("destroyed"), "");
	(void)turning_begin(&w, "wirral");
	(void)turning_finish(&w, 2);
	assert_string_equal(certified("cause"), "");
}

static void
of_all_areas_nothing_but_the_root_is_left(void **state)
{
	size_t all, before;

	(void)state;
	n_kept = 0;
	keep_all();
	/* All but the epoch keys: those are under the root. */
	kept[0] = kept[1];
	before = opened(&kept_ring, &all);
	assert_true(before > all - 20);
	(void)turning_begin_compromised(&w, NULL);
	(void)turning_finish(&w, 2);
	assert_int_equal(opened_now(), 0);
}

/* ---- the root ----------------------------------------------------------- */

static Cdop__StoredRotation *
newest(void)
{
	Cdop__StoredRotation *stored;

	assert_int_equal(rotation_read(w.reg->rotation,
			     rotation_at(w.reg->rotation, 0), w.arena, &stored),
	    CDOP_OK);
	return stored;
}

static void
a_root_waits_for_its_holders(void **state)
{
	(void)state;
	(void)turning_begin_renewal(&w);
	assert_true(rotation_waits(w.reg->rotation));
	assert_false(rotation_step_due(w.reg->rotation));
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
	assert_false(rotation_step_due(w.reg->rotation));
	assert_int_equal(newest()->until_ms, w.now_ms + ROTATION_WAIT_MS);
	world_reopen(&w);
	assert_true(rotation_waits(w.reg->rotation));
	assert_false(rotation_step_due(w.reg->rotation));
	(void)calls_amend(&w, wirral[0], 1, "child.sex", "2", NULL, CDOP_OK);
}

static void
after_72_hours_it_is_given_up(void **state)
{
	(void)state;
	(void)turning_begin_renewal(&w);
	w.now_ms += ROTATION_WAIT_MS - 1;
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
	assert_false(rotation_step_due(w.reg->rotation));
	w.now_ms++;
	assert_int_equal(
	    rotation_copy_tend(w.reg->rotation, w.now_ms), CDOP_OK);
	assert_true(rotation_step_due(w.reg->rotation));
	/* Nobody makes it on the host any more. */
	assert_int_equal(
	    turning_begin_renew(&w, "late"), CDOP_FAILED_PRECONDITION);
	(void)turning_finish(&w, 1);
	assert_true(newest()->given_up);
	assert_string_equal(said_now(), "1010 given_up\n");
	assert_int_equal(certificates_count(w.reg->certificates), 0);
}

static void
another_rotation_has_it_given_up(void **state)
{
	(void)state;
	assert_int_equal(turning_begin_renewal(&w), 1);
	assert_int_equal(turning_begin(&w, "wirral"), 2);
	assert_false(rotation_waits(w.reg->rotation));
	(void)turning_finish(&w, 2);
	world_reopen(&w);
	assert_string_equal(said_now(),
	    "1010 done\n1010 copied\n1010 rewrapped\n1010 turned\n"
	    "1010 given_up\n");
}

static void
nobody_makes_one_that_two_have_not_asked_for(void **state)
{
	(void)state;
	assert_int_equal(
	    turning_begin_renew(&w, "alone"), CDOP_FAILED_PRECONDITION);
	(void)turning_begin_root(&w);
	assert_int_equal(
	    turning_begin_renew(&w, "alone"), CDOP_FAILED_PRECONDITION);
	(void)turning_finish(&w, 1);
}

static void
all_that_the_root_led_to_opens_nothing(void **state)
{
	char wanted[256];
	size_t all, rows, before;

	(void)state;
	n_kept = 0;
	keep_all();
	before = opened(&kept_ring, &all);
	assert_int_equal(before, all);
	(void)turning_begin_renewal(&w);
	turning_renew(&w);
	world_open(&w);
	assert_int_equal(opened(&kept_ring, &rows), 0);
	assert_int_equal(opened_now(), 0);
	assert_true(rows >= all);
	assert_int_equal(rows_slots(w.rows), 2);
	assert_int_equal(rows_slot(w.rows, 0)->number, 3);
	/* The daemon that starts then writes it down, and counts. */
	assert_true(rotation_step_due(w.reg->rotation));
	(void)turning_finish(&w, 2);
	assert_int_equal(opened_now(), 0);
	turning_all_readable(&w);
	(void)snprintf(wanted, sizeof(wanted),
	    "1010 done\n1011 epochs:%zu\n1011 ring\n1011 root\n1010 copied\n"
	    "1010 renewed\n1012 \n",
	    newest()->n_leaving);
	assert_string_equal(said_now(), wanted);
	assert_string_equal(certified("cause"), "compromised");
	assert_string_equal(certified("root"), "renewed");
	assert_true(newest()->n_destroyed >= 5);
	assert_true(newest()->n_census >= 5);
	world_reopen(&w);
	turning_all_readable(&w);
	(void)calls_amend(&w, wirral[0], 1, "child.sex", "2", NULL, CDOP_OK);
	assert_non_null(calls_show(&w, WORLD_COORDINATOR, sefton, CDOP_OK));
}

/* Killed after it was noted and before there is another file. */
static void
what_was_begun_on_the_host_is_begun_again(void **state)
{
	(void)state;
	(void)turning_begin_renewal(&w);
	assert_int_equal(turning_begin_renew(&w, "first"), CDOP_OK);
	world_reopen(&w);
	assert_true(rotation_waits(w.reg->rotation));
	assert_false(rotation_step_due(w.reg->rotation));
	turning_renew(&w);
	world_open(&w);
	(void)turning_finish(&w, 2);
	turning_all_readable(&w);
	assert_string_equal(certified("root"), "renewed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_area_leaves_no_key_of_a_case_that_it_had),
	    TEST(a_mere_turn_leaves_them),
	    TEST(log_and_certificate_say_why),
	    TEST(of_all_areas_nothing_but_the_root_is_left),
	    TEST(a_root_waits_for_its_holders),
	    TEST(after_72_hours_it_is_given_up),
	    TEST(another_rotation_has_it_given_up),
	    TEST(nobody_makes_one_that_two_have_not_asked_for),
	    TEST(all_that_the_root_led_to_opens_nothing),
	    TEST(what_was_begun_on_the_host_is_begun_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
