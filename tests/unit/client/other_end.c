/* What answers; see other_end.h. */
#include "tests/unit/client/other_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/commands.h"

#define METHODS 128

static struct {
	bool welcomed;
	const Cdop__Call *call;
} server;
static struct fixture *f;
static other_end_fn *answer;
static unsigned calls[METHODS];

ProtobufCBinaryData
other_end_pack(const ProtobufCMessage *message)
{
	const size_t len = protobuf_c_message_get_packed_size(message);
	ProtobufCBinaryData out = {
	    .data = cdop_arena_alloc(f->ctx.arena, len + 1)};

	assert_non_null(out.data);
	out.len = protobuf_c_message_pack(message, out.data);
	return out;
}

unsigned
other_end_calls(uint32_t method)
{
	assert_true(method < METHODS);
	return calls[method];
}

void
other_end_start(struct fixture *fixture, other_end_fn *fn)
{
	f = fixture;
	answer = fn;
	memset(&server, 0, sizeof(server));
	memset(calls, 0, sizeof(calls));
	(void)fixture_profile(f);
	assert_int_equal(
	    identity_save(&f->session.identity, f->ctx.arena), CDOP_OK);
}

enum exit_code
other_end_run(const char *words, const char *arg)
{
	size_t i;

	for (i = 0; strcmp(commands_at(i)->words, words) != 0; i++)
		;
	f->ctx.cmd = commands_at(i);
	f->ctx.pos[0] = arg;
	f->ctx.n_pos = arg != NULL ? 1 : 0;
	return f->ctx.cmd->run(&f->ctx);
}

static ProtobufCBinaryData
welcome(void)
{
	char name[] = "cdopd";
	Cdop__Welcome reply;

	cdop__welcome__init(&reply);
	reply.schema_level = 1;
	reply.server = reply.panel = name;
	reply.now_ms = 1790000000000u;
	reply.registry_id = f->session.identity.open->registry_id;
	reply.mode = CDOP__MODE__TRAINING;
	reply.state = CDOP__STATE__OPEN;
	reply.profile_hash.len = sizeof(f->session.profile_hash);
	reply.profile_hash.data = f->session.profile_hash;
	return other_end_pack(&reply.base);
}

static ProtobufCBinaryData
reply_now(void)
{
	Cdop__Reply reply;

	cdop__reply__init(&reply);
	reply.id = server.call->id;
	reply.last = reply.has_count = true;
	reply.count = 1;
	answer(server.call, &reply);
	return other_end_pack(&reply.base);
}

void
other_end_open(void)
{
	server.welcomed = false;
}

void
other_end_take(struct cdop_bytes message)
{
	server.call = cdop__call__unpack(
	    cdop_arena_allocator(f->ctx.arena), message.len, message.data);
	assert_non_null(server.call);
	assert_true(server.call->method < METHODS);
	calls[server.call->method]++;
}

struct cdop_bytes
other_end_say(void)
{
	ProtobufCBinaryData packed = server.welcomed ? reply_now() : welcome();

	server.welcomed = true;
	return (struct cdop_bytes){packed.data, packed.len};
}
