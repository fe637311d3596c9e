/* cdop enrol: from an invitation to a device that waits to be activated. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cdop/compare.h"
#include "cdop/invitation.h"
#include "cdop/limits.h"
#include "client/call.h"
#include "client/families.h"
#include "client/file.h"
#include "client/left_behind.h"
#include "client/passphrase.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"

#define OTHER_NAME                                                             \
	"cdop enrol FILE --context OTHER-NAME, or where nobody has its "       \
	"passphrase any more, first: cdop context remove NAME"

static enum exit_code
read_invitation(struct cmd_ctx *ctx, struct cdop_invitation *ret)
{
	struct cdop_bytes file;
	enum cdop_err err;

	err =
	    file_read(ctx->pos[0], CDOP_INVITATION_FILE_MAX, ctx->arena, &file);
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "the invitation %s cannot be read: %s", ctx->pos[0],
		    strerror(errno));
	err = cdop_invitation_parse(file, ctx->arena, ret);
	if (err == CDOP_DATA_LOSS)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    "have the file sent again",
		    "the invitation was changed on its way");
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "the file that cdop people invite, or cdopd init, has made",
		    "%s is not an invitation", ctx->pos[0]);
	if (ret->expires_ms < (uint64_t)time(NULL) * 1000)
		return cmd_fail(ctx, EXIT_AUTH, "invitation_ended",
		    "is the clock of this computer right?  then ask for a new "
		    "one",
		    "by this computer's clock the invitation ended, on %s",
		    print_time(ctx->arena, ret->expires_ms));
	return EXIT_OK;
}

static enum exit_code
device_label(struct cmd_ctx *ctx, const char **ret_label)
{
	char host[65] = "this computer";

	*ret_label = cmd_value(ctx, "--label");
	if (*ret_label != NULL)
		return EXIT_OK;
	(void)gethostname(host, sizeof(host) - 1);
	if (prompt_is_possible(ctx))
		return prompt_line(ctx, "What is this device called",
		    cdop_arena_strdup(ctx->arena, host), ret_label);
	return prompt_impossible(ctx, "a name for this device", "--label");
}

/* A copy in the arena as protobuf-c wants its bytes. */
static bool
copy(struct cmd_ctx *ctx, const uint8_t *from, size_t len,
    ProtobufCBinaryData *to)
{
	to->data = cdop_arena_alloc(ctx->arena, len);
	to->len = len;
	if (to->data == NULL)
		return false;
	memcpy(to->data, from, len);
	return true;
}

static bool
fill_open(struct cmd_ctx *ctx, const struct cdop_invitation *inv,
    const uint8_t *public_key, Cdop__ClientIdentity *open)
{
	size_t i;

	cdop__client_identity__init(open);
	open->created_ms = (uint64_t)time(NULL) * 1000;
	open->has_mode = true;
	open->mode = inv->training ? CDOP__MODE__TRAINING : CDOP__MODE__LIVE;
	open->address = cdop_arena_calloc(
	    ctx->arena, inv->n_address, sizeof(*open->address));
	open->server_key = cdop_arena_calloc(
	    ctx->arena, inv->n_server, sizeof(*open->server_key));
	if (open->address == NULL || open->server_key == NULL)
		return false;
	for (i = 0; i < inv->n_address; i++)
		open->address[i] =
		    cdop_arena_strdup(ctx->arena, inv->address[i]);
	for (i = 0; i < inv->n_server; i++)
		if (!copy(ctx, inv->server[i], 32, &open->server_key[i]))
			return false;
	open->n_address = inv->n_address;
	open->n_server_key = inv->n_server;
	open->has_invitation_id = true;
	return copy(ctx, inv->registry, 16, &open->registry_id) &&
	    copy(ctx, inv->id, 16, &open->invitation_id) &&
	    copy(ctx, public_key, CDOP_KEY_LEN, &open->public_key);
}

/* Keys are made here, written down, and only then shown to anybody. */
static enum exit_code
make_identity(
    struct cmd_ctx *ctx, const struct cdop_invitation *inv, struct identity *id)
{
	struct cdop_bytes passphrase = {NULL, 0};
	uint8_t secret[CDOP_KEY_LEN], public_key[CDOP_KEY_LEN];
	const char *label;
	enum exit_code code;
	bool good;

	if ((code = device_label(ctx, &label)) != EXIT_OK)
		return code;
	if (cmd_flag(ctx, "--no-passphrase") && !inv->training)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "--no-passphrase is for training registries");
	if (!cmd_flag(ctx, "--no-passphrase")) {
		code = passphrase_new(ctx, label, &passphrase);
		if (code != EXIT_OK)
			return code;
	}
	id->open = cdop_arena_alloc(ctx->arena, sizeof(*id->open));
	id->secret = cdop_arena_alloc(ctx->arena, sizeof(*id->secret));
	if (id->open == NULL || id->secret == NULL)
		return cmd_no_memory(ctx);
	cdop_secret_random(secret, sizeof(secret));
	cdop_secret_public(public_key, secret);
	cdop__client_secret__init(id->secret);
	good = fill_open(ctx, inv, public_key, id->open) &&
	    copy(ctx, secret, sizeof(secret), &id->secret->static_key) &&
	    copy(ctx, inv->psk, sizeof(inv->psk), &id->secret->psk);
	cdop_secret_wipe(secret, sizeof(secret));
	id->open->label = cdop_arena_strdup(ctx->arena, label);
	if (!good || id->open->label == NULL ||
	    identity_protect(id, passphrase) != CDOP_OK)
		return cmd_no_memory(ctx);
	return EXIT_OK;
}

static enum exit_code
save(struct cmd_ctx *ctx)
{
	if (identity_save(&ctx->session->identity, ctx->arena) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, "is the disk full?",
		    "the identity cannot be written");
	return EXIT_OK;
}

/* Nobody else may have made one here while it was typed. */
static enum exit_code
save_new(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;
	enum exit_code code;

	if ((code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = file_exists(s->context.identity)
	    ? cmd_fail(ctx, EXIT_USAGE, NULL, OTHER_NAME,
		  "there is a context '%s' already", s->context.name)
	    : save(ctx);
	session_release(ctx);
	return code;
}

static void
set_mode(struct cmd_ctx *ctx, const struct cdop_invitation *inv)
{
	struct cdop_bytes id = {inv->registry, sizeof(inv->registry)};

	ctx->mode = inv->training ? "training" : "live";
	ctx->registry = print_hex(ctx->arena, id);
}

/*
 * A file that is there already is either this enrolment, cut off and begun
 * again with the same key, or somebody's identity: never written over.
 */
static enum exit_code
take_up(struct cmd_ctx *ctx, const struct cdop_invitation *inv)
{
	const Cdop__ClientIdentity *open;
	enum exit_code code;

	ctx->session = NULL;
	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	open = ctx->session->identity.open;
	if (!open->has_invitation_id ||
	    memcmp(open->invitation_id.data, inv->id, 16) != 0)
		return cmd_fail(ctx, EXIT_USAGE, NULL, OTHER_NAME,
		    "there is a context '%s' already",
		    ctx->session->context.name);
	return session_unlock(ctx);
}

static enum exit_code
prepare(struct cmd_ctx *ctx, const struct cdop_invitation *inv)
{
	struct session *s = cdop_arena_alloc(ctx->arena, sizeof(*s));
	enum exit_code code;

	if (s == NULL)
		return cmd_no_memory(ctx);
	if (ctx->g.context == NULL)
		ctx->g.context = inv->training ? "training" : "live";
	code = context_of(ctx, ctx->g.context, &s->context);
	if (code != EXIT_OK)
		return code;
	set_mode(ctx, inv);
	if (file_exists(s->context.identity))
		return take_up(ctx, inv);
	s->identity.path = s->context.identity;
	code = make_identity(ctx, inv, &s->identity);
	if (code != EXIT_OK)
		return code;
	ctx->session = s;
	return save_new(ctx);
}

/* What Enrol answered becomes the identity; the invitation is done with. */
static enum exit_code
finish(struct cmd_ctx *ctx, const Cdop__EnrolReply *reply,
    const uint8_t *client_random)
{
	Cdop__ClientIdentity *open = ctx->session->identity.open;
	Cdop__ClientSecret *secret = ctx->session->identity.secret;
	uint8_t *next = cdop_arena_alloc(ctx->arena, CDOP_KEY_LEN);
	char text[CDOP_COMPARE_TEXT];
	uint8_t bytes[CDOP_COMPARE_LEN];
	enum exit_code code;
	size_t i;

	for (i = 0; i < reply->n_server_key; i++)
		if (reply->server_key[i].len != CDOP_KEY_LEN)
			next = NULL;
	if (next == NULL || reply->server_random.len != 32)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the answer to the enrolment is not one");
	cdop_link_psk_next(next, secret->psk.data, client_random,
	    reply->server_random.data, conn_hash(ctx->session->conn));
	secret->has_psk_next = true;
	secret->psk_next.data = next;
	secret->psk_next.len = CDOP_KEY_LEN;
	cdop_compare_bytes(bytes, conn_hash(ctx->session->conn));
	cdop_compare_text(text, bytes);
	secret->comparison = cdop_arena_strdup(ctx->arena, text);
	secret->has_turned_ms = true;
	secret->turned_ms = (uint64_t)time(NULL) * 1000;
	if (reply->n_server_key > 0) {
		open->server_key = reply->server_key;
		open->n_server_key = reply->n_server_key;
	}
	open->has_invitation_id = false;
	open->has_person = open->has_device = true;
	open->person = reply->person;
	open->device = reply->device;
	open->name = reply->name;
	open->role = reply->role;
	open->n_role = reply->n_role;
	open->panel = ctx->session->welcome->panel;
	code = witness_pin(ctx, reply);
	return code != EXIT_OK ? code : save(ctx);
}

static void
show(struct cmd_ctx *ctx, const Cdop__EnrolReply *reply)
{
	const char *text = ctx->session->identity.secret->comparison;
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, "enrol", true);
		(void)json_object_update_new(object,
		    json_pack("{s:s,s:I,s:I,s:s,s:s}", "context",
			ctx->session->context.name, "person",
			(json_int_t)reply->person, "device",
			(json_int_t)reply->device, "name", reply->name,
			"comparison", text));
		print_json(object);
		return;
	}
	print_mode(ctx);
	print_out(ctx,
	    "Enrolled: %s, person %u, device %u (\"%s\"), context '%s'.",
	    reply->name, reply->person, reply->device,
	    ctx->session->identity.open->label, ctx->session->context.name);
	print_out(ctx,
	    "It waits for activation.  Read this out by telephone to the "
	    "person who\nactivates it, and send it in no other way:\n\n"
	    "    device %u   %s\n",
	    reply->device, text);
}

/*
 * Somebody who forgot a passphrase enrols anew: what waits under the old
 * key can be opened by nothing else, and is named (RECORDS, "Four days").
 */
static void
tell_left_behind(struct cmd_ctx *ctx)
{
	const ProtobufCBinaryData *here =
	    &ctx->session->identity.open->registry_id;
	struct cmd_error error = ctx->error;
	struct context old;
	struct identity id;
	const char **name;
	size_t n = 0, i;

	if (context_list(ctx, &name, &n) != EXIT_OK)
		n = 0;
	for (i = 0; i < n; i++) {
		if (strcmp(name[i], ctx->session->context.name) == 0 ||
		    context_of(ctx, name[i], &old) != EXIT_OK ||
		    identity_load(old.identity, ctx->arena, &id) != CDOP_OK ||
		    memcmp(id.open->registry_id.data, here->data, here->len) !=
			0)
			continue;
		(void)left_behind_tell(ctx, &old);
		print_note(ctx,
		    "  cdop context remove %s, if its passphrase "
		    "is lost",
		    old.name);
	}
	ctx->error = error;
}

/* Somebody who enrols anew works on in the old one, unless told. */
static void
tell_current(struct cmd_ctx *ctx)
{
	const char *name = ctx->session->context.name;
	const char *current = context_current(ctx);

	if (current != NULL && strcmp(current, name) != 0)
		print_note(ctx,
		    "the usual context is still '%s'; to work in this one: "
		    "cdop context use %s",
		    current, name);
}

/* From the connection under the invitation to the identity on disk. */
static enum exit_code
enrol_held(struct cmd_ctx *ctx, Cdop__EnrolReply **ret_reply)
{
	Cdop__EnrolRequest request;
	uint8_t random[32];
	enum exit_code code;

	if (!ctx->session->identity.open->has_invitation_id)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop whoami",
		    "another cdop on this computer has just enrolled it");
	if ((code = session_connect(ctx)) != EXIT_OK) {
		if (code == EXIT_AUTH)
			ctx->error.next = "used twice, used up or ended: ask "
					  "for a new invitation";
		return code;
	}
	cdop_secret_random(random, sizeof(random));
	cdop__enrol_request__init(&request);
	request.client_random.data = random;
	request.client_random.len = sizeof(random);
	request.label = ctx->session->identity.open->label;
	code = call_enrol(ctx, &request, ret_reply);
	if (code == EXIT_OUTCOME)
		ctx->error.next = "run it again with the same file: it goes on";
	return code != EXIT_OK ? code : finish(ctx, *ret_reply, random);
}

static enum exit_code
run_enrol(struct cmd_ctx *ctx)
{
	struct cdop_invitation inv;
	Cdop__EnrolReply *reply = NULL;
	enum exit_code code;

	if ((code = read_invitation(ctx, &inv)) != EXIT_OK)
		return code;
	code = prepare(ctx, &inv);
	cdop_secret_wipe(inv.psk, sizeof(inv.psk));
	if (code != EXIT_OK || (code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = enrol_held(ctx, &reply);
	session_release(ctx);
	if (code != EXIT_OK)
		return code;
	if (context_current(ctx) == NULL)
		(void)context_set_current(ctx, ctx->session->context.name);
	show(ctx, reply);
	tell_current(ctx);
	tell_left_behind(ctx);
	return EXIT_OK;
}

static const struct cmd_opt enrol_opts[] = {
    {"--label", "TEXT", "what this device is called", false},
    {"--no-passphrase", NULL, "training only: keys without passphrase", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_enrol_rows[] = {
    {"enrol", "FILE", "enrol this computer with an invitation",
	"Keys are made here and never leave this computer.  If the line "
	"drops,\nrun it again with the same file: it goes on.",
	"  cdop enrol invitation.txt --label \"Liverpool laptop 2\"",
	enrol_opts, 1, 1, 0, NULL, run_enrol},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
