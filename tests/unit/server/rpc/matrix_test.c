/*
 * Role by call by area: every cell is executed, through dispatch, on an open
 * registry (threats T17, T18).
 *
 * The sheet tests/vectors/policy.txt says who gets past the policy line of
 * which call; it is written by hand (--print shows what the program does), so
 * that a rule that changes shows in two places.  For calls about cases the
 * cells of a coordinator of one area are run against a case of that area, of
 * another, of the holding area and of none: the last three read alike to the
 * byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/reference.h"
#include "cdop/role.h"
#include "tests/unit/paper.h"
#include "tests/unit/server/world.h"

#define SHEET "tests/vectors/policy.txt"

static struct world world;

/* A body of the right type for any call, about `reference` where it has one. */
static const ProtobufCMessage *
body_of(const struct rpc_method *method, const char *reference)
{
	const ProtobufCMessageDescriptor *desc = method->request;
	const ProtobufCFieldDescriptor *field;
	ProtobufCMessage *body;
	unsigned i;

	body = cdop_arena_alloc(world.arena, desc->sizeof_message);
	assert_non_null(body);
	protobuf_c_message_init(desc, body);
	for (i = 0; i < desc->n_fields; i++) {
		void *at;

		field = &desc->fields[i];
		at = (char *)body + field->offset;
		if (field->label != PROTOBUF_C_LABEL_REQUIRED)
			continue;
		if (field->type == PROTOBUF_C_TYPE_STRING)
			*(char **)at = cdop_arena_strdup(world.arena,
			    strcmp(field->name, "reference") == 0  ? reference
				: strcmp(field->name, "area") == 0 ? "liverpool"
								   : "test");
		else if (field->type == PROTOBUF_C_TYPE_BYTES)
			*(ProtobufCBinaryData *)at = (ProtobufCBinaryData){
			    8, (uint8_t *)cdop_arena_alloc(world.arena, 8)};
		else if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			*(void **)at = world_form(&world, 600, "wirral");
		else if (field->type == PROTOBUF_C_TYPE_UINT32)
			*(uint32_t *)at = 9999;
		else if (field->type == PROTOBUF_C_TYPE_UINT64)
			*(uint64_t *)at = 1;
	}
	return body;
}

/* One letter: y past the policy line, - not that role, x not active. */
static char
cell(const struct rpc_method *method, enum world_who who)
{
	const uint32_t open = world.reg->state;
	struct world_answer answer;
	const char *reason;

	cdop_arena_reset(world.arena);
	/* A call that is for another state alone is made in that one. */
	if ((method->states & open) == 0)
		world.reg->state = method->states;
	world_call(&world, who, method->id, body_of(method, "NOSUCH"), &answer);
	world.reg->state = open;
	if (answer.failed != CDOP_OK)
		fail_msg("%s by %s: the batch had to be aborted: %s",
		    method->name, world_name(who),
		    cdop_err_name(answer.failed));
	reason = answer.reply->reason == NULL ? "" : answer.reply->reason;
	if (answer.reply->status == CDOP_UNAUTHENTICATED &&
	    strcmp(reason, "ended") == 0) {
		assert_true(answer.result.close);
		return 'x';
	}
	assert_false(answer.result.close);
	if (answer.reply->status == CDOP_PERMISSION_DENIED &&
	    strcmp(reason, "role") == 0)
		return '-';
	assert_string_not_equal(reason, "state");
	return 'y';
}

static void
render(char *out, size_t size)
{
	const struct rpc_method *method;
	size_t i, n, len = 0;
	int who;

	method = rpc_method_all(&n);
	for (i = 0; i < n; i++, method++) {
		len += (size_t)snprintf(
		    out + len, size - len, "%-20s", method->name);
		for (who = 0; who < WORLD_N; who++)
			len += (size_t)snprintf(out + len, size - len, " %c",
			    cell(method, (enum world_who)who));
		len += (size_t)snprintf(out + len, size - len, "\n");
	}
	assert_true(len < size);
}

static void
every_role_and_call_is_as_the_sheet_says(void **state)
{
	static char found[16384];
	char *sheet, *body;

	(void)state;
	render(found, sizeof(found));
	sheet = paper_read(SHEET);
	/* The head of the sheet ends at its first empty line. */
	body = strstr(sheet, "\n\n");
	assert_non_null(body);
	assert_string_equal(body + 2, found);
	free(sheet);
}

/* The reply, less what differs between any two replies. */
static size_t
bare(const struct world_answer *answer, uint8_t *out, size_t size)
{
	Cdop__Reply reply = *answer->reply;
	size_t len;

	reply.leaf_index = 0;
	len = cdop__reply__get_packed_size(&reply);
	assert_true(len < size);
	return cdop__reply__pack(&reply, out);
}

static bool
has_reference(const struct rpc_method *method)
{
	return protobuf_c_message_descriptor_get_field_by_name(
		   method->request, "reference") != NULL;
}

static void
area_cell(const struct rpc_method *method, const char *none, const char *own,
    const char *other, const char *holding)
{
	const char *const refs[] = {none, other, holding, own};
	struct world_answer answer;
	uint8_t first[4096], this[4096];
	size_t i, first_len = 0, len;

	/* Misses are counted by the hour. */
	world.now_ms += 2 * 3600u * 1000u;
	for (i = 0; i < 4; i++) {
		cdop_arena_reset(world.arena);
		world_call(&world, WORLD_COORDINATOR_WIRRAL, method->id,
		    body_of(method, refs[i]), &answer);
		assert_int_equal(answer.failed, CDOP_OK);
		if (i == 3) {
			if (answer.reply->status == CDOP_NOT_FOUND &&
			    strcmp(method->name, "NotificationMove") != 0 &&
			    strcmp(method->name, "NotificationCorrect") != 0 &&
			    strcmp(method->name, "CaseLinkAdd") != 0)
				fail_msg(
				    "%s: own case is not found", method->name);
			continue;
		}
		if (answer.reply->status != CDOP_NOT_FOUND)
			fail_msg("%s: case %zu answers %u (%s)", method->name,
			    i, answer.reply->status, answer.reply->reason);
		len = bare(&answer, this, sizeof(this));
		if (i == 0) {
			first_len = len;
			memcpy(first, this, len);
			continue;
		}
		assert_int_equal(len, first_len);
		assert_memory_equal(first, this, len);
	}
}

static void
another_areas_case_reads_like_none(void **state)
{
	const struct rpc_method *method;
	char *own, *other, *holding;
	char none[CDOP_REFERENCE_TEXT];
	size_t i, n, cells = 0;

	(void)state;
	cdop_arena_reset(world.arena);
	own = world_register(&world, 1, "wirral");
	other = world_register(&world, 2, "sefton");
	holding = world_register(&world, 3, "halton");
	/* A reference of the right form that nobody has. */
	for (i = 1; !cdop_reference_make(i, true, none); i++)
		;
	method = rpc_method_all(&n);
	for (i = 0; i < n; i++, method++) {
		if (method->scope != CDOP_SCOPE_AREA || !has_reference(method))
			continue;
		area_cell(method, none, own, other, holding);
		cells++;
	}
	assert_true(cells >= 11);
	free(own);
	free(other);
	free(holding);
}

static int
setup(void **state)
{
	(void)state;
	world_make(&world);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&world);
	return 0;
}

int
main(int argc, char **argv)
{
	static char found[16384];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_role_and_call_is_as_the_sheet_says),
	    cmocka_unit_test(another_areas_case_reads_like_none),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		world_make(&world);
		render(found, sizeof(found));
		fputs(found, stdout);
		world_end(&world);
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
