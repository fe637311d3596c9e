/* cdop people: who may do what, from invitation to revocation. */
#include <string.h>

#include "client/call.h"
#include "client/families.h"
#include "client/invite.h"
#include "client/json.h"
#include "client/paged.h"
#include "client/pager.h"
#include "client/people.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/session.h"
#include "client/show.h"
#include "client/spool.h"

#define COLUMNS 7

static enum exit_code
answer(struct cmd_ctx *ctx, const char *schema, const Cdop__PersonReply *r,
    const char *what)
{
	size_t i;

	if (ctx->g.json) {
		json_line(ctx, schema, &r->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(
	    ctx, "%s: %s, person %u", what, r->person->name, r->person->number);
	for (i = 0; i < r->n_warning; i++)
		print_out(ctx, "WARNING  %s", r->warning[i]);
	if (r->n_handover > 0)
		print_out(ctx, "Cases to hand over: %s",
		    show_joined(ctx, r->handover, r->n_handover, ", "));
	return EXIT_OK;
}

/* ---- activate ---------------------------------------------------- */

static enum exit_code
run_activate(struct cmd_ctx *ctx)
{
	Cdop__PersonActivateRequest request;
	Cdop__PersonActivateReply *reply;
	enum exit_code code;
	const char *typed = cmd_value(ctx, "--comparison");
	uint64_t device;

	code = cmd_number(ctx, "DEVICE", ctx->pos[0], UINT32_MAX, &device);
	if (code != EXIT_OK || (code = session_load(ctx)) != EXIT_OK)
		return code;
	if (typed == NULL) {
		code = prompt_need(ctx,
		    "Comparison string, as it is read out to you",
		    "--comparison TEXT", &typed);
		if (code != EXIT_OK)
			return code;
	}
	cdop__person_activate_request__init(&request);
	request.device = (uint32_t)device;
	request.comparison = cdop_arena_strdup(ctx->arena, typed);
	code = call_person_activate(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	if (ctx->g.json) {
		json_line(ctx, "people.activate", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	if (reply->device_state == CDOP__CREDENTIAL_STATE__CREDENTIAL_PENDING)
		print_out(ctx,
		    "Noted.  Device %u of person %u is active when its owner "
		    "has typed your string, too.",
		    reply->device, reply->person);
	else
		print_out(ctx, "Person %u is %s, device %u is %s.",
		    reply->person,
		    show_state(ctx, &cdop__person_state__descriptor,
			reply->person_state),
		    reply->device,
		    show_state(ctx, &cdop__credential_state__descriptor,
			reply->device_state));
	if (reply->n_similar > 0)
		print_out(ctx, "Perhaps the same human: %s",
		    show_joined(ctx, reply->similar, reply->n_similar, "; "));
	return EXIT_OK;
}

/* ---- suspend, resume, revoke ------------------------------------- */

/*
 * Whoever suspends themselves is hung up on before the answer: that nobody
 * is let in under this device any more is the answer.
 */
static enum exit_code
self_suspended(struct cmd_ctx *ctx, const struct people_target *target,
    const uint8_t *key, enum exit_code lost)
{
	struct cmd_error error = ctx->error;
	json_t *object;

	session_hang_up(ctx);
	if (session_open(ctx) != EXIT_AUTH) {
		ctx->error = error;
		return lost;
	}
	memset(&ctx->error, 0, sizeof(ctx->error));
	spool_drop(ctx, key);
	if (ctx->g.json) {
		object = print_envelope(ctx, "people.suspend", true);
		(void)json_object_update_new(object,
		    json_pack("{s:{s:I},s:b}", "person", "number",
			(json_int_t)target->person, "self", 1));
		print_json(object);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx,
	    "Suspended: yourself, person %u.  Two other administrators can "
	    "lift it; without them cdopd recover-people on the server helps.",
	    target->person);
	return EXIT_OK;
}

static enum exit_code
run_suspend(struct cmd_ctx *ctx)
{
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	struct people_target target;
	ProtobufCMessage *reply = NULL;
	Cdop__SuspendRequest request;
	enum exit_code code;

	if ((code = people_target(ctx, &target)) != EXIT_OK ||
	    (code = people_confirm_last(ctx, &target)) != EXIT_OK)
		return code;
	cdop__suspend_request__init(&request);
	request.person = target.person;
	request.has_device = target.device != 0;
	request.device = target.device;
	request.reason = target.reason;
	spool_new_key(ctx, key);
	code = call_change(ctx, CDOP_CALL_Suspend, &request.base, key, &reply);
	if (code == EXIT_OUTCOME && people_is_self(ctx, &target))
		return self_suspended(ctx, &target, key, code);
	if (code == EXIT_OK && reply == NULL)
		return call_lost(
		    ctx, call_method(CDOP_CALL_Suspend), CONN_BROKEN);
	if (code != EXIT_OK)
		return code;
	return answer(
	    ctx, "people.suspend", (Cdop__PersonReply *)reply, "Suspended");
}

static enum exit_code
run_resume(struct cmd_ctx *ctx)
{
	struct people_target target;
	Cdop__ResumeRequest request;
	Cdop__PersonReply *reply;
	enum exit_code code;

	if ((code = people_target(ctx, &target)) != EXIT_OK)
		return code;
	cdop__resume_request__init(&request);
	request.person = target.person;
	request.has_device = target.device != 0;
	request.device = target.device;
	request.reason = target.reason;
	code = call_resume(ctx, &request, &reply);
	if (code == EXIT_SECOND)
		people_alone(ctx);
	if (code != EXIT_OK)
		return code;
	return answer(ctx, "people.resume", reply, "Active again");
}

static enum exit_code
run_revoke(struct cmd_ctx *ctx)
{
	struct people_target target;
	Cdop__RevokeRequest request;
	Cdop__PersonReply *reply;
	enum exit_code code;
	bool administrator;

	if ((code = people_target(ctx, &target)) != EXIT_OK ||
	    (code = people_confirm(ctx, target.person)) != EXIT_OK)
		return code;
	cdop__revoke_request__init(&request);
	request.person = target.person;
	request.has_device = target.device != 0;
	request.device = target.device;
	request.reason = target.reason;
	code = people_is_administrator(
	    ctx, target.person, target.device, &administrator);
	if (code != EXIT_OK)
		return code;
	code = administrator ? call_administrator_revoke(ctx, &request, &reply)
			     : call_person_revoke(ctx, &request, &reply);
	if (code == EXIT_SECOND)
		people_alone(ctx);
	if (code != EXIT_OK)
		return code;
	return answer(ctx, "people.revoke", reply, "Revoked for ever");
}

/* ---- change and cancel ------------------------------------------- */

static bool
is_a_change(const struct people_rights *rights)
{
	return rights->name != NULL || rights->job_title != NULL ||
	    rights->agency != NULL || rights->n_area > 0 || rights->all_areas ||
	    rights->n_grant > 0 || rights->has_expires;
}

static enum exit_code
run_change(struct cmd_ctx *ctx)
{
	struct people_target target;
	Cdop__PersonChangeRequest request;
	Cdop__PersonReply *reply;
	struct people_rights rights;
	enum exit_code code;

	if ((code = people_rights(ctx, &rights)) != EXIT_OK)
		return code;
	if (!is_a_change(&rights))
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "cdop people change --help", "nothing is to be changed");
	if ((code = people_target(ctx, &target)) != EXIT_OK)
		return code;
	cdop__person_change_request__init(&request);
	request.person = target.person;
	request.reason = target.reason;
	request.name = rights.name;
	request.job_title = rights.job_title;
	request.agency = rights.agency;
	request.area = rights.area;
	request.n_area = rights.n_area;
	request.has_areas_set = rights.n_area > 0 || rights.all_areas;
	request.areas_set = request.has_areas_set;
	request.has_all_areas = request.has_areas_set;
	request.all_areas = rights.all_areas;
	request.grant = rights.grant;
	request.n_grant = rights.n_grant;
	request.has_grants_set = rights.n_grant > 0;
	request.grants_set = request.has_grants_set;
	request.has_device = target.device != 0;
	request.device = target.device;
	request.has_device_expires_ms = rights.has_expires;
	request.device_expires_ms = rights.expires_ms;
	if ((code = call_person_change(ctx, &request, &reply)) != EXIT_OK)
		return code;
	return answer(ctx, "people.change", reply, "Changed");
}

static enum exit_code
run_cancel(struct cmd_ctx *ctx)
{
	Cdop__InvitationCancelRequest request;
	Cdop__PersonReply *reply;
	uint8_t id[16];
	const char *reason;
	enum exit_code code;

	if (cdop_secret_unhex(ctx->pos[0], id, sizeof(id)) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL, "cdop people list",
		    "the number of an invitation has 32 hex digits");
	if ((code = people_reason(ctx, &reason)) != EXIT_OK)
		return code;
	cdop__invitation_cancel_request__init(&request);
	request.invitation_id.data = id;
	request.invitation_id.len = sizeof(id);
	request.reason = cdop_arena_strdup(ctx->arena, reason);
	code = call_invitation_cancel(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	return answer(ctx, "people.cancel", reply, "Invitation cancelled");
}

/* ---- list -------------------------------------------------------- */

static const char *
areas(struct cmd_ctx *ctx, const Cdop__Person *p)
{
	if (p->has_all_areas && p->all_areas)
		return "all";
	return show_joined(ctx, p->area, p->n_area, ", ");
}

static const char *
devices(struct cmd_ctx *ctx, const Cdop__Person *p)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < p->n_device && all != NULL; i++)
		all = cdop_arena_printf(ctx->arena, "%s%s%u %s (%s)", all,
		    i > 0 ? "; " : "", p->device[i]->number,
		    p->device[i]->label,
		    show_state(ctx, &cdop__credential_state__descriptor,
			p->device[i]->state));
	return all != NULL ? all : "";
}

static void
show_people(struct cmd_ctx *ctx, const Cdop__PeopleListReply *reply)
{
	static const char *const head[COLUMNS] = {
	    "PERSON", "NAME", "STATE", "ROLES", "AREAS", "AGENCY", "DEVICES"};
	const char **cell = cdop_arena_calloc(
	    ctx->arena, reply->n_person * COLUMNS + 1, sizeof(*cell));
	const Cdop__Person *p;
	const char **row = cell;
	size_t i;

	for (i = 0; cell != NULL && i < reply->n_person; i++) {
		p = reply->person[i];
		if (ctx->g.json) {
			json_line(ctx, "people.list", &p->base);
			continue;
		}
		row[0] = cdop_arena_printf(ctx->arena, "%u", p->number);
		row[1] = p->name;
		row[2] =
		    show_state(ctx, &cdop__person_state__descriptor, p->state);
		row[3] = show_roles(ctx, p->grant, p->n_grant);
		row[4] = areas(ctx, p);
		row[5] = p->agency;
		row[6] = devices(ctx, p);
		row += COLUMNS;
	}
	if (cell != NULL && !ctx->g.json && reply->n_person > 0)
		print_table(ctx, head, cell, COLUMNS, reply->n_person);
}

static void
show_invitations(struct cmd_ctx *ctx, const Cdop__PeopleListReply *reply)
{
	const Cdop__InvitationEntry *e;
	struct cdop_bytes id;
	size_t i;

	for (i = 0; i < reply->n_invitation; i++) {
		e = reply->invitation[i];
		id.data = e->invitation_id.data;
		id.len = e->invitation_id.len;
		if (ctx->g.json)
			json_line(ctx, "people.invitation", &e->base);
		else
			print_out(ctx,
			    "invitation %s  person %u  \"%s\"  %s  until %s",
			    print_hex(ctx->arena, id), e->person, e->label,
			    e->state, print_time(ctx->arena, e->expires_ms));
	}
	if (reply->more_invitations > 0 && !ctx->g.json)
		print_out(ctx, "... and %u older invitations that are over",
		    reply->more_invitations);
}

static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__PeopleListRequest request;
	Cdop__PeopleListReply *reply;
	struct paged paged = {.of = "people"};
	enum exit_code code;
	size_t i, n = 0, used = 0;
	bool left = false;

	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	(void)session_profile(ctx, &profile); /* or ids instead of names */
	cdop__people_list_request__init(&request);
	request.has_all = true;
	request.all = cmd_flag(ctx, "--all");
	do {
		code = call_people_list(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		pager_start(ctx);
		show_people(ctx, reply);
		show_invitations(ctx, reply);
		n += reply->n_person + reply->n_invitation;
		left = left || reply->more_invitations > 0;
		i = reply->n_person;
		code = paged_took(ctx, &paged,
		    i > 0 ? &reply->person[i - 1]->number : NULL,
		    reply->has_more && reply->more);
		if (code != EXIT_OK)
			return code;
		request.has_after = paged.has_last;
		request.after = paged.last;
		paged_pass(ctx, &used, NULL);
	} while (paged.more);
	if (ctx->g.json)
		print_end_of(ctx, "people.list", n, left);
	return EXIT_OK;
}

static const struct cmd_opt activate_opts[] = {
    {"--comparison", "TEXT", "the string as it was read out", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt target_opts[] = {
    {"--device", "N", "only this device of the person", false},
    {"--reason", "TEXT", "why", false},
    {"--confirm", "PERSON", "the number again, instead of typing it", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt resume_opts[] = {
    {"--device", "N", "only this device of the person", false},
    {"--reason", "TEXT", "why", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt cancel_opts[] = {
    {"--reason", "TEXT", "why", false},
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt list_opts[] = {
    {"--all", NULL, "also who was revoked, and invitations that are over",
	false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_people_rows[] = {
    {"people invite", "", "invite a person, or a further device of one",
	"Writes a file that lets one device enrol, once, for 72 hours.  Send "
	"it by\na second channel.",
	"  cdop people invite --role coordinator --name \"coordinator 12\" "
	"--all-areas --out invite.txt\n"
	"  cdop people invite --device-for 12 --label \"laptop 2\" --out "
	"invite.txt",
	invite_opts, 0, 0, 0, NULL, invite_run},
    {"people activate", "DEVICE", "activate a device that has enrolled",
	"The person reads the comparison string out to you by telephone; you "
	"type it.",
	"  cdop people activate 4", activate_opts, 1, 1, 0, NULL, run_activate},
    {"people suspend", "PERSON", "suspend a person or a device, at once",
	"Everybody may suspend themselves, where a laptop is gone.  The last "
	"active\nadministrator is asked twice: nobody could lift it.",
	"  cdop people suspend 12 --device 14 --reason \"laptop lost\"",
	target_opts, 1, 1, 0, NULL, run_suspend},
    {"people resume", "PERSON", "lift a suspension; takes two people", NULL,
	"  cdop people resume 12 --reason \"laptop found\"", resume_opts, 1, 1,
	0, NULL, run_resume},
    {"people revoke", "PERSON", "revoke a person or a device, for ever",
	"What the person has kept unsent on that device is lost with it.",
	"  cdop people revoke 12 --reason \"left the panel\"", target_opts, 1,
	1, 0, NULL, run_revoke},
    {"people change", "PERSON", "change name, roles, areas; takes two people",
	NULL, "  cdop people change 12 --area wirral --reason \"new post\"",
	people_change_opts, 1, 1, 0, NULL, run_change},
    {"people cancel", "INVITATION", "cancel an invitation that waits",
	"The number of an invitation stands in the list of people.",
	"  cdop people cancel 00112233445566778899aabbccddeeff "
	"--reason \"sent to the wrong address\"",
	cancel_opts, 1, 1, 0, NULL, run_cancel},
    {"people list", "", "everybody, with roles, areas and devices", NULL,
	"  cdop people list --all", list_opts, 0, 0, 0, NULL, run_list},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
