/*
 * Calls of any kind, by anybody, against an open registry with cases, people
 * and an act that waits: several to a batch, as they come, and the batch is
 * aborted, so that every input meets the same state.
 *
 * Input: records of a head (who, method, flags, length u16) and so many
 * bytes, which are the body of that call, or with flag 1 a whole Call, or with
 * flag 4 what the body is made of: a message of the type that the call takes.
 * "@REF0000001" to "@REF0000004" stand for references that there are, and
 * "@NUMBER1" and "@HASH---" for what waits for a second person.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "server/base/undo.h"
#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/cases.h"
#include "server/registry/people.h"
#include "server/vault/rows.h"
#include "tests/fuzz/lib/answer.h"
#include "tests/unit/server/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HEAD      5
#define FLAG_RAW  1 /* a whole Call */
#define FLAG_SAME 2 /* the request key of the call before */
#define FLAG_MADE 4 /* a sound message, made of the bytes */
#define CALLS_MAX 12
#define REFS      4
#define REF_MARK  "@REF000000"

static struct world world;
static char *reference[REFS];

/* What an abort has to bring back. */
struct state {
	uint32_t cases, persons, devices, invitations;
	size_t approvals, outcomes;
	uint64_t leaves;
};

static struct state
state_now(void)
{
	return (struct state){
	    .cases = index_count(cases_index(world.reg->cases)),
	    .persons = people_last_person(world.reg->people),
	    .devices = people_last_device(world.reg->people),
	    .invitations = people_n_invitations(world.reg->people),
	    .approvals = approvals_count(world.reg->approvals, world.now_ms),
	    .outcomes = audit_outcomes(world.reg->audit),
	    .leaves = audit_size(world.reg->audit),
	};
}

static void
tidy(void)
{
	world_end(&world);
}

static void
start(void)
{
	static const char *const area[REFS] = {
	    "wirral", "sefton", "wirral", "wirral"};
	Cdop__PersonChangeRequest change;
	struct world_answer answer;
	char reason[] = "a new post", title[] = "Nurse";
	unsigned i;

	world_make(&world);
	(void)atexit(tidy);
	for (i = 0; i < REFS; i++)
		CDOP_ASSERT((reference[i] = world_register(
				 &world, i, area[i])) != NULL &&
		    strlen(reference[i]) == strlen("@REF0000001"));
	cdop__person_change_request__init(&change);
	change.person = WORLD_PARTNER_WIRRAL;
	change.job_title = title;
	change.reason = reason;
	world_call(&world, WORLD_ADMIN_1, CDOP_CALL_PersonChange, &change.base,
	    &answer);
	CDOP_ASSERT(answer.failed == CDOP_OK);
}

static void
put_mark(uint8_t *at, size_t len, const char *mark, const void *what)
{
	const size_t size = strlen(mark);
	size_t i;

	for (i = 0; i + size <= len; i++)
		if (memcmp(at + i, mark, size) == 0)
			memcpy(at + i, what, size);
}

/* The marks become what they stand for, of the same length. */
static void
put_marks(uint8_t *at, size_t len)
{
	static const char *const marks[REFS] = {
	    "@REF0000001", "@REF0000002", "@REF0000003", "@REF0000004"};
	const struct approval *waits;
	size_t i;

	for (i = 0; i < REFS; i++)
		put_mark(at, len, marks[i], reference[i]);
	waits = approvals_at(world.reg->approvals, 0, world.now_ms);
	if (waits == NULL)
		return;
	put_mark(at, len, "@NUMBER1", waits->number);
	put_mark(at, len, "@HASH---------------------------", waits->hash);
}

static struct cdop_bytes
envelope(const uint8_t *head, struct cdop_bytes body)
{
	static char purpose[] = "case_work";
	struct cdop_bytes out;
	Cdop__Call call;
	uint8_t key[16], *packed;
	size_t n_methods;
	const struct rpc_method *methods = rpc_method_all(&n_methods);

	cdop__call__init(&call);
	call.id = 1;
	call.method = methods[head[1] % n_methods].id;
	if ((head[2] & FLAG_SAME) != 0)
		world.next_key--;
	world_key(&world, key);
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.purpose = purpose;
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	call.has_body = true;
	call.body =
	    (ProtobufCBinaryData){body.len, (uint8_t *)(uintptr_t)body.data};
	packed =
	    cdop_arena_alloc(world.arena, cdop__call__get_packed_size(&call));
	CDOP_ASSERT(packed != NULL);
	out.len = cdop__call__pack(&call, packed);
	out.data = packed;
	return out;
}

static struct cdop_bytes
made(const uint8_t *head, struct cdop_bytes bytes)
{
	struct answer_bytes of = {bytes.data, bytes.len};
	size_t n_methods;
	const struct rpc_method *methods = rpc_method_all(&n_methods);

	return answer_pack(world.arena,
	    answer_make(
		&of, world.arena, methods[head[1] % n_methods].request));
}

static void
check_reply(const struct dispatch_result *result)
{
	const Cdop__Reply *reply;

	CDOP_ASSERT(result->reply.len <= CDOP_MESSAGE_MAX);
	reply = cdop__reply__unpack(cdop_arena_allocator(world.arena),
	    result->reply.len, result->reply.data);
	CDOP_ASSERT(reply != NULL && reply->has_leaf_index);
	CDOP_ASSERT(reply->status <= 16);
	CDOP_ASSERT(reply->last == (result->next.at == 0));
}

/* False: the batch is to be aborted. */
static bool
call_once(const uint8_t *head, struct cdop_bytes bytes)
{
	struct dispatch_request request;
	struct dispatch_peer peer;
	struct dispatch_result result;
	uint8_t *copy;

	if ((head[2] & (FLAG_MADE | FLAG_RAW)) == FLAG_MADE)
		bytes = made(head, bytes);
	copy = cdop_arena_alloc(world.arena, bytes.len);
	CDOP_ASSERT(copy != NULL);
	if (bytes.len > 0)
		memcpy(copy, bytes.data, bytes.len);
	put_marks(copy, bytes.len);
	bytes.data = copy;
	memset(&request, 0, sizeof(request));
	memset(&peer, 0, sizeof(peer));
	peer.device = head[0] % WORLD_N;
	peer.said_by_gate = "\xff\xfe not what it seems";
	memset(peer.public_key, head[0], sizeof(peer.public_key));
	memset(peer.invitation, head[0], sizeof(peer.invitation));
	request.peer = &peer;
	request.message =
	    (head[2] & FLAG_RAW) != 0 ? bytes : envelope(head, bytes);
	request.now_ms = world.now_ms;
	do {
		cdop_arena_set_budget(world.arena, CDOP_REQUEST_ARENA);
		if (dispatch_call(world.reg, world.arena, &request, &result) !=
		    CDOP_OK)
			return false;
		cdop_arena_set_budget(world.arena, 0);
		check_reply(&result);
		request.stream = result.next;
		request.stream_count = result.stream_count;
	} while (result.next.at != 0);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool started;
	struct state before, after;
	struct cdop_bytes bytes;
	const uint8_t *head;
	int n;

	if (!started)
		start();
	started = true;
	before = state_now();
	undo_begin(world.undo);
	CDOP_ASSERT(rows_begin(world.rows, 8u << 20, 256) == CDOP_OK);
	for (n = 0; n < CALLS_MAX && len >= HEAD; n++) {
		head = data;
		bytes.data = data + HEAD;
		bytes.len = cdop_get16(data + 3);
		if (bytes.len > len - HEAD)
			bytes.len = len - HEAD;
		data += HEAD + bytes.len;
		len -= HEAD + bytes.len;
		if (!call_once(head, bytes))
			break;
	}
	rows_abort(world.rows);
	undo_rollback(world.undo);
	cdop_arena_reset(world.arena);
	after = state_now();
	CDOP_ASSERT(memcmp(&before, &after, sizeof(before)) == 0);
	return 0;
}
