/* PskTurn and what the identity file keeps of it (TRUST M9). */
#include "client/turn.h"

#include <string.h>
#include <time.h>

#include "cdop/invitation.h"
#include "cdop/link.h"
#include "client/call.h"
#include "client/session.h"

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

static enum exit_code
save(struct cmd_ctx *ctx)
{
	witness_copy(ctx);
	if (identity_save(&ctx->session->identity, ctx->arena) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, "is the disk full?",
		    "the identity file cannot be written");
	return EXIT_OK;
}

/* Among those of before, which lie in the arena; the oldest makes room. */
static bool
keep_earlier(struct cmd_ctx *ctx, const ProtobufCBinaryData *psk)
{
	Cdop__ClientSecret *secret = ctx->session->identity.secret;
	size_t n = secret->n_psk_earlier, drop;
	ProtobufCBinaryData *list;

	list = cdop_arena_calloc(ctx->arena, n + 1, sizeof(*list));
	if (list == NULL)
		return false;
	drop = n < IDENTITY_EARLIER_MAX ? 0 : n + 1 - IDENTITY_EARLIER_MAX;
	if (n > drop)
		memcpy(list, secret->psk_earlier + drop,
		    (n - drop) * sizeof(*list));
	list[n - drop] = *psk;
	secret->psk_earlier = list;
	secret->n_psk_earlier = n - drop + 1;
	return true;
}

enum exit_code
turn_adopt(struct cmd_ctx *ctx)
{
	Cdop__ClientSecret *secret = ctx->session->identity.secret;

	if (!keep_earlier(ctx, &secret->psk))
		return cmd_no_memory(ctx);
	/* If this is lost, the next session finds the key under next again. */
	secret->psk = secret->psk_next;
	secret->has_psk_next = false;
	return save(ctx);
}

enum exit_code
turn_back(struct cmd_ctx *ctx, size_t i)
{
	Cdop__ClientSecret *secret = ctx->session->identity.secret;
	const ProtobufCBinaryData found = secret->psk_earlier[i];

	secret->n_psk_earlier--;
	memmove(&secret->psk_earlier[i], &secret->psk_earlier[i + 1],
	    (secret->n_psk_earlier - i) * sizeof(found));
	if (!keep_earlier(ctx, &secret->psk) ||
	    (secret->has_psk_next && !keep_earlier(ctx, &secret->psk_next)))
		return cmd_no_memory(ctx);
	secret->psk = found;
	secret->has_psk_next = false;
	secret->has_turned_ms = false; /* to be turned soon */
	return save(ctx);
}

static bool
is_pinned(const Cdop__ClientIdentity *open, const Cdop__Welcome *w)
{
	size_t i;

	if (open->n_server_key != w->n_server_key)
		return false;
	for (i = 0; i < w->n_server_key; i++)
		if (memcmp(open->server_key[i].data, w->server_key[i].data,
			CDOP_KEY_LEN) != 0)
			return false;
	return true;
}

enum exit_code
turn_pin(struct cmd_ctx *ctx)
{
	Cdop__ClientIdentity *open = ctx->session->identity.open;
	const Cdop__Welcome *w = ctx->session->welcome;
	size_t i;

	/* An older server says none; Enrol pins what an enrolment brings. */
	if (w->n_server_key == 0 || open->has_invitation_id)
		return EXIT_OK;
	for (i = 0; i < w->n_server_key; i++)
		if (w->server_key[i].len != CDOP_KEY_LEN ||
		    w->n_server_key > CDOP_INVITATION_SERVERS)
			return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
			    "what the registry calls its keys are none");
	if (is_pinned(open, w))
		return EXIT_OK;
	open->server_key = w->server_key;
	open->n_server_key = w->n_server_key;
	return save(ctx);
}

/* The call itself, and what comes of it on disk. */
static enum exit_code
make_next(struct cmd_ctx *ctx)
{
	Cdop__ClientSecret *secret;
	Cdop__PskTurnRequest request;
	Cdop__PskTurnReply *reply;
	uint8_t random[32], *next;
	enum exit_code code;

	cdop_secret_random(random, sizeof(random));
	cdop__psk_turn_request__init(&request);
	request.client_random.data = random;
	request.client_random.len = sizeof(random);
	code = call_psk_turn(ctx, &request, &reply);
	if (code == EXIT_OUTCOME)
		ctx->error.next = "nothing is lost: run it again";
	if (code != EXIT_OK)
		return code;
	next = cdop_arena_alloc(ctx->arena, CDOP_KEY_LEN);
	if (next == NULL || reply->server_random.len != 32)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the answer to the new key is not one");
	secret = ctx->session->identity.secret;
	cdop_link_psk_next(next, secret->psk.data, random,
	    reply->server_random.data, conn_hash(ctx->session->conn));
	secret->has_psk_next = true;
	secret->psk_next.data = next;
	secret->psk_next.len = CDOP_KEY_LEN;
	secret->has_turned_ms = true;
	secret->turned_ms = (uint64_t)time(NULL) * 1000;
	return save(ctx);
}

/*
 * Another process may have turned it since this session began: its key is
 * taken up first, and the one after it made on a session of that.
 */
static enum exit_code
turn_held(struct cmd_ctx *ctx)
{
	enum exit_code code;

	if (ctx->session->identity.secret->has_psk_next)
		session_hang_up(ctx);
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	code = make_next(ctx);
	if (code != EXIT_CONFLICT)
		return code;
	session_hang_up(ctx);
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	return make_next(ctx);
}

enum exit_code
turn_now(struct cmd_ctx *ctx)
{
	enum exit_code code;

	if ((code = session_unlock(ctx)) != EXIT_OK ||
	    (code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = turn_held(ctx);
	session_release(ctx);
	return code;
}

static bool
is_due(const Cdop__ClientSecret *secret)
{
	uint64_t now = (uint64_t)time(NULL) * 1000;

	return !secret->has_psk_next &&
	    (!secret->has_turned_ms || secret->turned_ms + DAY_MS <= now);
}

void
turn_if_due(struct cmd_ctx *ctx)
{
	const struct session *s = ctx->session;
	struct cmd_error error = ctx->error;

	if (s == NULL || s->conn == NULL || s->identity.secret == NULL ||
	    s->welcome == NULL || s->welcome->credential_pending ||
	    !is_due(s->identity.secret))
		return;
	if (session_hold(ctx) != EXIT_OK) {
		ctx->error = error;
		return; /* tomorrow is early enough */
	}
	if (is_due(s->identity.secret)) /* as it is on disk now */
		(void)turn_held(ctx);
	session_release(ctx);
	ctx->error = error;
}
