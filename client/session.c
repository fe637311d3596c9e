/* Context, identity, connection, profile. */
#include "client/session.h"

#include <string.h>
#include <unistd.h>

#include "cdop/limits.h"
#include "cdop/scan.h"
#include "cdop/text.h"
#include "cdop/version.h"
#include "client/agent.h"
#include "client/call.h"
#include "client/file.h"
#include "client/notices.h"
#include "client/passphrase.h"
#include "client/print.h"
#include "client/receipt.h"
#include "client/session_dial.h"
#include "client/show.h"
#include "client/term.h"
#include "client/turn.h"

#define SCHEMA_LEVEL 1
#define TRIES        3
#define STALE_MS     60000 /* the registry closes idle sessions */

bool
session_is_training(const struct cmd_ctx *ctx)
{
	return ctx->mode != NULL && strcmp(ctx->mode, "training") == 0;
}

static void
set_mode(struct cmd_ctx *ctx, const struct identity *id)
{
	struct cdop_bytes registry = {
	    id->open->registry_id.data, id->open->registry_id.len};

	if (id->open->has_mode)
		ctx->mode = id->open->mode == CDOP__MODE__TRAINING ? "training"
								   : "live";
	ctx->registry = print_hex(ctx->arena, registry);
}

static void
still_waiting(void *arg)
{
	if (isatty(STDERR_FILENO) == 1)
		print_note(arg, "waiting for the registry");
}

enum exit_code
session_load(struct cmd_ctx *ctx)
{
	struct session *s;
	enum exit_code code;
	enum cdop_err err;

	if (ctx->session != NULL)
		return EXIT_OK;
	s = cdop_arena_alloc(ctx->arena, sizeof(*s));
	if (s == NULL)
		return cmd_no_memory(ctx);
	if ((code = context_choose(ctx, &s->context)) != EXIT_OK)
		return code;
	err = identity_load(s->context.identity, ctx->arena, &s->identity);
	if (err == CDOP_DATA_LOSS)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    "ask for a new device invitation, then: cdop enrol FILE",
		    "the identity file of '%s' is damaged", s->context.name);
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the identity file of '%s' cannot be read",
		    s->context.name);
	ctx->session = s;
	set_mode(ctx, &s->identity);
	conn_on_wait(still_waiting, ctx);
	return EXIT_OK;
}

/* A passphrase that was typed a while ago still counts. */
static bool
open_with_agent(struct cmd_ctx *ctx)
{
	struct identity *id = &ctx->session->identity;
	uint8_t key[CDOP_KEY_LEN];
	bool good;

	if (!identity_has_passphrase(id) || !agent_key(ctx, id->salt, key))
		return false;
	good = identity_unlock_key(id, key, ctx->arena) == CDOP_OK;
	cdop_secret_wipe(key, sizeof(key));
	return good;
}

static enum exit_code
unlock_failed(struct cmd_ctx *ctx, enum cdop_err err)
{
	if (err == CDOP_UNAUTHENTICATED)
		return cmd_fail(ctx, EXIT_AUTH, "passphrase",
		    "forgotten: ask an administrator for a new device "
		    "invitation",
		    "the passphrase is wrong, or the identity file was "
		    "changed");
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
	    "the identity file cannot be opened (%s)", cdop_err_name(err));
}

static const char *
what_is_opened(struct cmd_ctx *ctx)
{
	const char *mode = "not enrolled yet";

	if (ctx->mode != NULL)
		mode = session_is_training(ctx) ? "TRAINING" : "LIVE";
	return cdop_arena_printf(
	    ctx->arena, "%s (%s)", ctx->session->context.name, mode);
}

enum exit_code
session_unlock_anew(struct cmd_ctx *ctx)
{
	struct cdop_bytes passphrase = {NULL, 0};
	enum cdop_err err = CDOP_UNAUTHENTICATED;
	struct identity *id;
	enum exit_code code;
	int tries;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	id = &ctx->session->identity;
	if (!identity_has_passphrase(id)) {
		if (ctx->mode != NULL && !session_is_training(ctx))
			return cmd_fail(ctx, EXIT_AUTH, NULL, NULL,
			    "an identity without passphrase is for training "
			    "only");
		err = identity_unlock(id, passphrase, ctx->arena);
		return err == CDOP_OK ? EXIT_OK : unlock_failed(ctx, err);
	}
	for (tries = passphrase_is_typed(ctx) ? TRIES : 1;
	     tries > 0 && err == CDOP_UNAUTHENTICATED; tries--) {
		code = passphrase_get(ctx, what_is_opened(ctx), &passphrase);
		if (code != EXIT_OK)
			return code;
		err = identity_unlock(id, passphrase, ctx->arena);
		if (err == CDOP_UNAUTHENTICATED &&
		    cdop_text_keyboard(passphrase) != NULL)
			print_note(ctx, "%s", cdop_text_keyboard(passphrase));
		if (err == CDOP_UNAUTHENTICATED && tries > 1)
			print_note(ctx, "that is not it: type it again");
	}
	return err == CDOP_OK ? EXIT_OK : unlock_failed(ctx, err);
}

enum exit_code
session_unlock(struct cmd_ctx *ctx)
{
	enum exit_code code;

	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	if (ctx->session->identity.secret != NULL || open_with_agent(ctx))
		return EXIT_OK;
	return session_unlock_anew(ctx);
}

/* ---- connecting -------------------------------------------------- */

static enum exit_code
pack_hello(struct cmd_ctx *ctx, struct cdop_bytes *ret)
{
	const Cdop__ClientIdentity *open;
	Cdop__Hello hello;
	uint8_t *out;

	cdop__hello__init(&hello);
	hello.schema_level = SCHEMA_LEVEL;
	hello.client = cdop_arena_printf(ctx->arena, "cdop %s", CDOP_VERSION);
	open = ctx->session->identity.open;
	hello.has_server_key = open->n_server_key > 0;
	if (hello.has_server_key)
		hello.server_key = open->server_key[open->n_server_key - 1];
	if (ctx->session->witness != NULL)
		witness_hello(ctx->session->witness, &hello);
	out = cdop_arena_alloc(ctx->arena, CDOP_LINK_HELLO_MAX);
	if (hello.client == NULL || out == NULL ||
	    cdop__hello__get_packed_size(&hello) > CDOP_LINK_HELLO_MAX)
		return cmd_no_memory(ctx);
	ret->len = cdop__hello__pack(&hello, out);
	ret->data = out;
	return EXIT_OK;
}

/* From the profile that was kept; a closed registry tells nothing. */
static const char *
whom_to_ring(struct cmd_ctx *ctx)
{
	struct cmd_error error = ctx->error;
	const struct cdop_profile *profile;
	const char *contact = "the technical contact of the panel";

	if (session_profile(ctx, &profile) == EXIT_OK)
		contact = profile->technical_contact;
	ctx->error = error;
	return cdop_arena_printf(ctx->arena, "ring %s", contact);
}

/* Where it was looked for; doctor does not send to itself. */
static const char *
is_it_there(struct cmd_ctx *ctx)
{
	const Cdop__ClientIdentity *me = ctx->session->identity.open;

	return cdop_arena_printf(ctx->arena,
	    "does it run, and is the network there, to %s?%s",
	    show_joined(ctx, me->address, me->n_address, " or "),
	    strcmp(ctx->cmd->words, "doctor") == 0 ? ""
						   : "  cdop doctor looks");
}

static enum exit_code
connect_failed(struct cmd_ctx *ctx, enum conn_end end)
{
	if (ctx->session->boot && (end == CONN_PIN || end == CONN_REFUSED))
		return cmd_fail(ctx, EXIT_CONFLICT, "not_sealed", "cdop status",
		    "the registry takes no share now");
	if (ctx->session->boot && end == CONN_SEALED)
		return cmd_fail(ctx, EXIT_SEALED, "sealed", whom_to_ring(ctx),
		    "the registry is closed, and takes no share from here: "
		    "this device is no custodian's, or the server has no boot "
		    "key");
	switch (end) {
	case CONN_SEALED:
		return cmd_fail(ctx, EXIT_SEALED, "sealed", whom_to_ring(ctx),
		    "the registry is closed and waits for its key");
	case CONN_REFUSED:
		return cmd_fail(ctx, EXIT_AUTH, NULL,
		    "try once more in a minute (whoever asked when its disk "
		    "failed is held back so long); then ask an administrator: "
		    "cdop people list; where the registry was restored: cdop "
		    "trust restore",
		    "the registry does not accept this device (not known, "
		    "suspended, revoked or expired)");
	case CONN_PIN:
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    "try once more in a minute; if it stays so, ring the "
		    "technical contact of the panel",
		    "whoever answers there hung up without showing that it "
		    "holds the registry's key: it has another one, or there "
		    "were too many connections from here in a minute");
	case CONN_IMPOSTOR:
	case CONN_BROKEN:
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    "do not go on; ring the technical contact of the panel",
		    "whoever answers there does not hold the registry's key");
	case CONN_ADDRESS:
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the address of the registry is not an address");
	case CONN_TIMEOUT:
		if (term_is_stopped())
			return EXIT_STOPPED;
		return cmd_fail(ctx, EXIT_UNREACHABLE, NULL,
		    cdop_arena_printf(ctx->arena,
			"was it started?  with many cases it reads for a "
			"minute first; else: %s",
			is_it_there(ctx)),
		    "no answer from the registry in time");
	case CONN_OK:
	case CONN_UNREACHABLE:
	case CONN_CLOSED:
	case CONN_MEMORY:
	case CONN_UNSEEN:
	default:
		break;
	}
	if (term_is_stopped())
		return EXIT_STOPPED;
	return cmd_fail(ctx, EXIT_UNREACHABLE, NULL, is_it_there(ctx),
	    "no answer from the registry");
}

/* The first message decides whether anything may be shown at all. */
static enum exit_code
check_welcome(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;
	const Cdop__ClientIdentity *open = s->identity.open;
	const Cdop__Welcome *w;
	struct cdop_bytes message;

	if (conn_next(s->conn, conn_now_ms() + ctx->g.timeout_ms, &message) !=
	    CONN_OK)
		return connect_failed(ctx, CONN_BROKEN);
	if (cdop_scan_message(&cdop__welcome__descriptor, message,
		CDOP_SCAN_LENIENT, NULL) != CDOP_OK ||
	    (s->welcome =
		    cdop__welcome__unpack(cdop_arena_allocator(ctx->arena),
			message.len, message.data)) == NULL)
		return connect_failed(ctx, CONN_BROKEN);
	conn_done(s->conn);
	w = s->welcome;
	if (w->registry_id.len != open->registry_id.len ||
	    memcmp(w->registry_id.data, open->registry_id.data,
		w->registry_id.len) != 0)
		return connect_failed(ctx, CONN_BROKEN);
	if (open->has_mode && open->mode != w->mode)
		return cmd_fail(ctx, EXIT_USAGE, "mode_mismatch",
		    "nothing was sent; ring the technical contact",
		    "this context is %s and the registry says it is %s",
		    session_is_training(ctx) ? "training" : "live",
		    w->mode == CDOP__MODE__TRAINING ? "training" : "live");
	return EXIT_OK;
}

/* Is the profile with this hash the one in force? */
static bool
is_announced(const struct session *s)
{
	const Cdop__Welcome *w = s->welcome;

	return w->profile_hash.len == sizeof(s->profile_hash) &&
	    memcmp(s->profile_hash, w->profile_hash.data,
		sizeof(s->profile_hash)) == 0;
}

/* *ret_psk: which PSK it was that opened. */
static enum exit_code
connect_any(struct cmd_ctx *ctx, int *ret_psk)
{
	struct session *s = ctx->session;
	const Cdop__ClientIdentity *open = s->identity.open;
	struct conn_args args;
	enum conn_end end;
	enum exit_code code;

	memset(&args, 0, sizeof(args));
	if ((code = pack_hello(ctx, &args.hello)) != EXIT_OK)
		return code;
	args.link.s = s->identity.secret->static_key.data;
	args.link.s_pub = open->public_key.data;
	args.link.registry = open->registry_id.data;
	args.opening.kind = CDOP_LINK_ENROLLED;
	if (open->has_invitation_id) {
		args.opening.kind = CDOP_LINK_INVITATION;
		memcpy(args.opening.invitation, open->invitation_id.data,
		    CDOP_LINK_INVITATION_LEN);
	}
	end = session_dial(ctx, &args, ret_psk);
	s->refused = end == CONN_REFUSED;
	return end == CONN_OK ? EXIT_OK : connect_failed(ctx, end);
}

/* One connection whose Welcome is sound; the log is not looked at yet. */
static enum exit_code
connect_once(struct cmd_ctx *ctx, int *ret_psk)
{
	struct session *s = ctx->session;
	enum exit_code code;

	if ((code = connect_any(ctx, ret_psk)) != EXIT_OK)
		return code;
	cdop_link_session_id(s->link_id, conn_hash(s->conn));
	s->next_id = 1;
	s->used_ms = conn_now_ms();
	return check_welcome(ctx);
}

/* With the keys that are on disk, which nobody else turns meanwhile. */
static enum exit_code
connect_held(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;
	bool again = false;
	int psk = SESSION_DIAL_CURRENT;
	enum exit_code code;

	if ((code = witness_load(ctx)) != EXIT_OK)
		return code;
	code = connect_once(ctx, &psk);
	if (code == EXIT_OK)
		code = witness_check(ctx, &again);
	if (code == EXIT_OK && again) {
		session_hang_up(ctx);
		code = connect_once(ctx, &psk);
		if (code == EXIT_OK)
			code = witness_check(ctx, &again);
	}
	if (code == EXIT_OK)
		code = receipt_look_again(ctx);
	if (code != EXIT_OK) {
		session_hang_up(ctx);
		return code;
	}
	/* It was read before there was anybody to ask. */
	if (s->profile != NULL && !is_announced(s))
		s->profile = NULL;
	notices_show(ctx, strcmp(ctx->cmd->words, "status") == 0);
	if ((code = turn_pin(ctx)) != EXIT_OK)
		return code;
	if (psk == SESSION_DIAL_NEXT)
		return turn_adopt(ctx);
	return psk >= 0 ? turn_back(ctx, (size_t)psk) : EXIT_OK;
}

enum exit_code
session_connect(struct cmd_ctx *ctx)
{
	enum exit_code code;

	if ((code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = connect_held(ctx);
	session_release(ctx);
	return code;
}

enum exit_code
session_open(struct cmd_ctx *ctx)
{
	enum exit_code code;

	if ((code = session_unlock(ctx)) != EXIT_OK)
		return code;
	/* Somebody may have been typing for a long time. */
	if (ctx->session->conn != NULL &&
	    conn_now_ms() > ctx->session->used_ms + STALE_MS)
		session_hang_up(ctx);
	if (ctx->session->conn != NULL)
		return EXIT_OK;
	if (ctx->session->identity.open->has_invitation_id)
		return cmd_fail(ctx, EXIT_AUTH, NULL, "cdop enrol FILE",
		    "enrolment of '%s' is not finished",
		    ctx->session->context.name);
	return session_connect(ctx);
}

enum exit_code
session_open_sealed(struct cmd_ctx *ctx)
{
	int psk;
	enum exit_code code;

	if ((code = session_unlock(ctx)) != EXIT_OK ||
	    (code = session_hold(ctx)) != EXIT_OK)
		return code;
	ctx->session->boot = true;
	code = connect_once(ctx, &psk);
	session_release(ctx);
	return code;
}

void
session_hang_up(struct cmd_ctx *ctx)
{
	conn_close(ctx->session->conn);
	ctx->session->conn = NULL;
}

void
session_close(struct cmd_ctx *ctx)
{
	if (ctx->session == NULL)
		return;
	session_hang_up(ctx);
	identity_wipe(&ctx->session->identity);
}

/* ---- the profile ----------------------------------------------------------
 */

/* Sets the hash of the session, too. */
static bool
is_in_force(struct cmd_ctx *ctx, struct cdop_bytes text)
{
	struct session *s = ctx->session;

	cdop_secret_hash(
	    s->profile_hash, sizeof(s->profile_hash), NULL, "", &text, 1);
	return s->welcome == NULL || is_announced(s);
}

/* Asks the registry and keeps a copy for the day the link is down. */
static enum exit_code
fetch_profile(
    struct cmd_ctx *ctx, const char *path, struct cdop_bytes *ret_text)
{
	Cdop__ProfileGetRequest request;
	Cdop__ProfileGetReply *reply;
	enum exit_code code;

	cdop__profile_get_request__init(&request);
	code = call_profile_get(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	ret_text->data = reply->text.data;
	ret_text->len = reply->text.len;
	if (!is_in_force(ctx, *ret_text))
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the profile is not the one the registry announced");
	if (file_make_dir(ctx->session->context.state) != CDOP_OK ||
	    file_replace(path, ret_text, 1) != CDOP_OK)
		print_note(ctx, "the profile could not be kept");
	return EXIT_OK;
}

enum exit_code
session_profile(struct cmd_ctx *ctx, const struct cdop_profile **ret_profile)
{
	struct session *s = ctx->session;
	struct cdop_profile_error error;
	struct cdop_bytes text;
	enum exit_code code;
	const char *path;

	if (s->profile != NULL) {
		*ret_profile = s->profile;
		return EXIT_OK;
	}
	path = cdop_arena_printf(ctx->arena, "%s/profile", s->context.state);
	if (path == NULL)
		return cmd_no_memory(ctx);
	if (file_read(path, CDOP_PROFILE_FILE_MAX, ctx->arena, &text) !=
		CDOP_OK ||
	    !is_in_force(ctx, text)) {
		if (s->conn == NULL)
			return cmd_fail(ctx, EXIT_UNREACHABLE, NULL,
			    "connect once: cdop status",
			    "the areas and agencies of this panel are not "
			    "known here yet");
		code = fetch_profile(ctx, path, &text);
		if (code != EXIT_OK)
			return code;
	}
	if (cdop_profile_parse((const char *)text.data, text.len, ctx->arena,
		&s->profile, &error) != CDOP_OK)
		return cmd_fail(ctx, EXIT_VERSION, NULL,
		    "is this cdop older than the registry?",
		    "the profile of the registry cannot be read");
	*ret_profile = s->profile;
	return EXIT_OK;
}
