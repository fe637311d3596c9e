/*
 * Two answers that must not be told apart are not told apart by what is kept
 * of them either, but by the true outcome inside the sealed row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/logproof.h"
#include "cdop/reference.h"
#include "server/registry/audit.h"
#include "server/store/schema.h"
#include "server/vault/rows_scan.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	w.receipt = true;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

struct last {
	struct cdop_bytes data;
	Cdop__StoredLeaf *leaf;
};

static enum cdop_err
take_last(void *ctx, const struct rows_head *head, struct rows_item *item,
    bool *ret_stop)
{
	struct last *last = ctx;

	assert_int_equal(head->kind, SCHEMA_KIND_LEAF);
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
	return last;
}

struct trace {
	uint8_t leaf[256];
	size_t row_len;
	uint8_t reply[2048];
	size_t reply_len;
	uint32_t outcome;
	uint8_t extra[512]; /* of the receipt */
	size_t extra_len;
	size_t receipt_len; /* without what follows from the index */
	char origin[64];
};

static size_t
digits(uint64_t n)
{
	return n < 10 ? 1 : 1 + digits(n / 10);
}

static size_t
bits(uint64_t n)
{
	return n == 0 ? 0 : (n & 1) + bits(n >> 1);
}

/*
 * A receipt without index, time, hashes and random.  A single call is the last
 * leaf of its tree, and its path has a hash for each bit of its index.
 */
static void
trace_receipt(const Cdop__Reply *reply, struct trace *trace)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_logproof proof;
	struct cdop_note note;

	assert_true(reply->has_receipt);
	assert_int_equal(
	    cdop_logproof_parse(
		(struct cdop_bytes){reply->receipt.data, reply->receipt.len},
		&proof),
	    CDOP_OK);
	assert_int_equal(cdop_note_parse(proof.checkpoint, &note), CDOP_OK);
	assert_int_equal(
	    cdop_checkpoint_parse(note.text, &checkpoint), CDOP_OK);
	assert_int_equal(proof.index, reply->leaf_index);
	assert_int_equal(checkpoint.size, proof.index + 1);
	assert_int_equal(proof.proof.n, bits(proof.index));
	trace->receipt_len = reply->receipt.len - digits(proof.index) -
	    digits(checkpoint.size) - 45 * proof.proof.n;
	assert_int_equal(proof.extra_len, 256 + 32);
	trace->extra_len = proof.extra_len;
	memcpy(trace->extra, proof.extra, proof.extra_len);
	memset(trace->extra + 8, 0, 24);   /* index, time, tree size */
	memset(trace->extra + 80, 0, 160); /* commitments */
	memset(trace->extra + 256, 0, 32); /* the salt of the request */
	assert_true(strlen(checkpoint.origin) < sizeof(trace->origin));
	memcpy(trace->origin, checkpoint.origin, strlen(checkpoint.origin));
}

/* What is left of a call when index, time, hashes and random are gone. */
static struct trace
trace_of(const struct world_answer *answer)
{
	struct trace trace = {0};
	Cdop__Reply reply = *answer->reply;
	struct last last = last_leaf();

	memcpy(trace.leaf, last.leaf->leaf.data, sizeof(trace.leaf));
	memset(trace.leaf + 8, 0, 24);
	memset(trace.leaf + 80, 0, 160);
	trace.row_len = last.data.len;
	trace.outcome = last.leaf->words->outcome;
	trace_receipt(&reply, &trace);
	/* The leaf of the receipt is the one on the disk. */
	assert_memory_equal(trace.extra, trace.leaf, sizeof(trace.leaf));
	reply.has_receipt = false;
	/* One byte as a varint, so that the rest is not moved. */
	reply.leaf_index = 0;
	assert_true(
	    cdop__reply__get_packed_size(&reply) <= sizeof(trace.reply));
	trace.reply_len = cdop__reply__pack(&reply, trace.reply);
	return trace;
}

static void
assert_alike(const struct trace *foreign, const struct trace *none)
{
	assert_int_equal(foreign->outcome, CDOP_PERMISSION_DENIED);
	assert_int_equal(none->outcome, CDOP_NOT_FOUND);
	assert_int_equal(foreign->row_len, none->row_len);
	assert_memory_equal(foreign->leaf, none->leaf, sizeof(none->leaf));
	assert_int_equal(foreign->reply_len, none->reply_len);
	assert_memory_equal(foreign->reply, none->reply, none->reply_len);
	assert_int_equal(foreign->extra_len, none->extra_len);
	assert_memory_equal(foreign->extra, none->extra, none->extra_len);
	assert_int_equal(foreign->receipt_len, none->receipt_len);
	assert_string_equal(foreign->origin, none->origin);
}

static struct trace
ask(const char *family)
{
	Cdop__AskRequest request;
	struct world_answer answer;

	cdop__ask_request__init(&request);
	request.family_name = calls_text(&w, family);
	request.birth_date = calls_text(&w, "2024-05-14");
	w.now_ms += 3600000;
	world_call(
	    &w, WORLD_PARTNER_WIRRAL, CDOP_CALL_Ask, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return trace_of(&answer);
}

static void
an_ask_about_a_foreign_child_leaves_the_trace_of_none(void **state)
{
	Cdop__Form *form = world_form(&w, 1, "sefton");
	struct trace foreign, none;

	(void)state;
	none = ask("Ferncastle");
	calls_put(&w, form, "child.family_name", "Ferncastle");
	(void)calls_new(&w, WORLD_COORDINATOR, form);
	foreign = ask("Ferncastle");
	assert_alike(&foreign, &none);
}

static struct trace
show(const char *reference)
{
	(void)calls_show(
	    &w, WORLD_COORDINATOR_WIRRAL, reference, CDOP_NOT_FOUND);
	return trace_of(calls_answer());
}

static void
a_foreign_case_leaves_the_trace_of_none(void **state)
{
	char *reference = world_register(&w, 2, "sefton");
	char never[CDOP_REFERENCE_TEXT];
	struct trace foreign, none;

	(void)state;
	/* Drawn at random: not the one there is, but for one in 21 milliard. */
	assert_true(cdop_reference_make(4711, true, never));
	foreign = show(reference);
	none = show(never);
	assert_alike(&foreign, &none);
	free(reference);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		an_ask_about_a_foreign_child_leaves_the_trace_of_none),
	    cmocka_unit_test(a_foreign_case_leaves_the_trace_of_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
