/* Invitations are asked for here and written to a private file. */
#include "client/invite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cdop/invitation.h"
#include "client/call.h"
#include "client/file.h"
#include "client/json.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"

const struct cmd_opt invite_opts[] = {
    {"--name", "NAME", "name of the person", false},
    {"--role", "ROLE", "coordinator, partner, administrator, auditor, ...",
	true},
    {"--area", "AREA", "an area the person works for", true},
    {"--all-areas", NULL, "works for every area", false},
    {"--agency", "ID", "agency of the profile", false},
    {"--job-title", "TEXT", "what the person does", false},
    {"--from", "DATE", "first day of the roles", false},
    {"--until", "DATE", "last day of the roles", false},
    {"--device-for", "PERSON", "a further device of this person", false},
    {"--label", "TEXT", "what the device is called", false},
    {"--device-until", "DATE", "last day of the device", false},
    {"--out", "FILE", "where the invitation goes; it must not be there yet",
	false},
    {NULL, NULL, NULL, false},
};

/* The person's own words, unless there is nobody to ask. */
static enum exit_code
need(struct cmd_ctx *ctx, const char *option, const char *question,
    char **ret_text)
{
	const char *text = cmd_value(ctx, option);
	enum exit_code code = EXIT_OK;

	if (text == NULL)
		code = prompt_need(ctx, question, option, &text);
	if (code == EXIT_OK)
		*ret_text = cdop_arena_strdup(ctx->arena, text);
	return code;
}

/* Made when nothing more is asked of a person, and before it is invited. */
static enum exit_code
begin_file(struct cmd_ctx *ctx, struct file_new *ret_file)
{
	const char *out = cmd_value(ctx, "--out");
	enum exit_code code;

	if ((code = session_open(ctx)) != EXIT_OK || strcmp(out, "-") == 0)
		return code;
	if (file_begin(out, ret_file) == CDOP_OK)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_USAGE, NULL,
	    "say the name of a new file, where you may write",
	    "%s cannot be made: %s; nobody was invited", out, strerror(errno));
}

static enum exit_code
invite_device(
    struct cmd_ctx *ctx, struct file_new *file, Cdop__InviteReply **ret_reply)
{
	Cdop__DeviceInviteRequest request;
	struct people_rights rights;
	enum exit_code code;
	uint64_t person;

	code = cmd_number(ctx, "--device-for", cmd_value(ctx, "--device-for"),
	    UINT32_MAX, &person);
	if (code != EXIT_OK || (code = people_rights(ctx, &rights)) != EXIT_OK)
		return code;
	if (rights.n_grant > 0 || rights.n_area > 0 || rights.all_areas ||
	    rights.agency != NULL || rights.job_title != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop people change PERSON, for those of a person",
		    "a further device has the roles, the areas and the agency "
		    "of its person");
	cdop__device_invite_request__init(&request);
	request.person = (uint32_t)person;
	request.has_device_expires_ms = rights.has_expires;
	request.device_expires_ms = rights.expires_ms;
	code =
	    need(ctx, "--label", "What the device is called", &request.label);
	if (code != EXIT_OK || (code = begin_file(ctx, file)) != EXIT_OK)
		return code;
	return call_device_invite(ctx, &request, ret_reply);
}

static enum exit_code
invite_person(
    struct cmd_ctx *ctx, struct file_new *file, Cdop__InviteReply **ret_reply)
{
	Cdop__PersonInviteRequest request;
	struct people_rights rights;
	enum exit_code code;

	if ((code = people_rights(ctx, &rights)) != EXIT_OK)
		return code;
	if (rights.n_grant == 0)
		return cmd_fail(ctx, EXIT_USAGE, "input_needed",
		    "--role coordinator (or partner, administrator, ...)",
		    "which role is the person to have?");
	cdop__person_invite_request__init(&request);
	code = need(ctx, "--name", "Name of the person", &request.name);
	if (code != EXIT_OK)
		return code;
	request.label = cdop_arena_printf(ctx->arena, "%s",
	    cmd_value(ctx, "--label") != NULL ? cmd_value(ctx, "--label")
					      : "first device");
	request.job_title = rights.job_title;
	request.agency = rights.agency;
	request.area = rights.area;
	request.n_area = rights.n_area;
	request.has_all_areas = rights.all_areas;
	request.all_areas = rights.all_areas;
	request.grant = rights.grant;
	request.n_grant = rights.n_grant;
	request.has_device_expires_ms = rights.has_expires;
	request.device_expires_ms = rights.expires_ms;
	if ((code = begin_file(ctx, file)) != EXIT_OK)
		return code;
	return call_person_invite(ctx, &request, ret_reply);
}

static enum exit_code
fill(struct cmd_ctx *ctx, const Cdop__InviteReply *reply,
    struct cdop_invitation *inv)
{
	const Cdop__ClientIdentity *me = ctx->session->identity.open;
	size_t i;

	memset(inv, 0, sizeof(*inv));
	if (reply->psk.len != 32 || reply->invitation_id.len != 16)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the answer is no invitation");
	memcpy(inv->registry, me->registry_id.data, 16);
	memcpy(inv->id, reply->invitation_id.data, 16);
	memcpy(inv->psk, reply->psk.data, 32);
	inv->training = session_is_training(ctx);
	inv->expires_ms = reply->expires_ms;
	inv->name = cmd_value(ctx, "--name");
	if (inv->name == NULL)
		inv->name =
		    cdop_arena_printf(ctx->arena, "person %u", reply->person);
	for (i = 0; i < me->n_address && i < CDOP_INVITATION_ADDRESSES; i++)
		inv->address[inv->n_address++] = me->address[i];
	for (i = 0; i < reply->n_server_key && i < CDOP_INVITATION_SERVERS &&
	     reply->server_key[i].len == 32;
	     i++)
		memcpy(inv->server[inv->n_server++], reply->server_key[i].data,
		    32);
	return EXIT_OK;
}

static enum exit_code
write_file(struct cmd_ctx *ctx, struct file_new *new,
    const Cdop__InviteReply *reply, struct cdop_bytes *ret_text)
{
	const char *out = cmd_value(ctx, "--out");
	struct cdop_invitation inv;
	struct cdop_bytes text = {NULL, 0};
	enum exit_code code;
	enum cdop_err err;

	if ((code = fill(ctx, reply, &inv)) != EXIT_OK)
		return code;
	err = cdop_invitation_write(&inv, ctx->arena, &text);
	cdop_secret_wipe(inv.psk, sizeof(inv.psk));
	if (err == CDOP_OK && new->path != NULL)
		err = file_finish(new, &text, 1);
	*ret_text = text;
	if (err != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
		    "cdop people cancel, then invite again",
		    "the invitation was made and cannot be written to %s", out);
	return EXIT_OK;
}

/* With out "-" the invitation itself goes to stdout, in JSON as "text". */
static void
show(struct cmd_ctx *ctx, const char *out, const Cdop__InviteReply *reply,
    struct cdop_bytes file)
{
	struct cdop_bytes id = {
	    reply->invitation_id.data, reply->invitation_id.len};
	bool here = strcmp(out, "-") == 0;
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, "people.invite", true);
		(void)json_object_update_new(object,
		    json_pack("{s:I,s:s,s:s,s:s?}", "person",
			(json_int_t)reply->person, "invitation_id",
			print_hex(ctx->arena, id), "expires",
			print_utc(ctx->arena, reply->expires_ms), "file",
			here ? NULL : out));
		if (here)
			(void)json_object_set_new(object, "text",
			    json_stringn((const char *)file.data, file.len));
		print_json(object);
		return;
	}
	if (here)
		print_out(
		    ctx, "%.*s", (int)file.len - 1, (const char *)file.data);
	print_mode(ctx);
	print_note(ctx,
	    "Invitation for person %u in %s, until %s, for one device, "
	    "once.\nSend it by a second channel: whoever has it first may "
	    "enrol.",
	    reply->person, out, print_time(ctx->arena, reply->expires_ms));
	if (reply->n_similar > 0)
		print_note(ctx, "Perhaps the same human: %s",
		    show_joined(ctx, reply->similar, reply->n_similar, "; "));
}

enum exit_code
invite_run(struct cmd_ctx *ctx)
{
	const char *out = cmd_value(ctx, "--out");
	Cdop__InviteReply *reply = NULL;
	struct cdop_bytes text = {NULL, 0};
	struct file_new new = {NULL, -1};
	enum exit_code code;

	if (out == NULL)
		return cmd_fail(ctx, EXIT_USAGE, "input_needed",
		    "--out invite.txt", "where is the invitation to go?");
	if (strcmp(out, "-") != 0 && file_exists(out))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "say the name of a new file", "%s is there already", out);
	code = cmd_value(ctx, "--device-for") != NULL
	    ? invite_device(ctx, &new, &reply)
	    : invite_person(ctx, &new, &reply);
	if (code == EXIT_OK)
		code = write_file(ctx, &new, reply, &text);
	file_give_up(&new);
	if (code == EXIT_OK)
		show(ctx, out, reply, text);
	return code;
}
