/* Whom a command is about, and what is to be so. */
#include "client/people.h"

#include <stdio.h>
#include <string.h>

#include "client/area.h"
#include "client/call.h"
#include "client/prompt.h"
#include "client/purpose.h"
#include "client/session.h"
#include "client/terms.h"

#define MANY_MAX 64

const struct cmd_opt people_change_opts[] = {
    {"--name", "NAME", "name of the person", false},
    {"--job-title", "TEXT", "what the person does", false},
    {"--agency", "ID", "agency of the profile", false},
    {"--role", "ROLE", "a role; several make the whole list", true},
    {"--area", "AREA", "an area; several make the whole list", true},
    {"--all-areas", NULL, "works for every area", false},
    {"--from", "DATE", "first day of the roles", false},
    {"--until", "DATE", "last day of the roles", false},
    {"--device", "N", "whose expiry changes", false},
    {"--device-until", "DATE", "last day of the device", false},
    {"--reason", "TEXT", "why", false},
    {NULL, NULL, NULL, false},
};

enum exit_code
people_reason(struct cmd_ctx *ctx, const char **ret_reason)
{
	enum exit_code code;

	*ret_reason = cmd_value(ctx, "--reason");
	if (*ret_reason != NULL && (*ret_reason)[0] != '\0')
		return EXIT_OK;
	if ((code = session_load(ctx)) != EXIT_OK)
		return code;
	return prompt_need(ctx, "Reason", "--reason TEXT", ret_reason);
}

enum exit_code
people_target(struct cmd_ctx *ctx, struct people_target *ret_target)
{
	const char *reason;
	enum exit_code code;
	uint64_t n = 0;

	code = cmd_number(ctx, "PERSON", ctx->pos[0], UINT32_MAX, &n);
	if (code != EXIT_OK)
		return code;
	ret_target->person = (uint32_t)n;
	n = 0;
	if (cmd_value(ctx, "--device") != NULL) {
		code = cmd_numbered(ctx, "--device", cmd_value(ctx, "--device"),
		    UINT32_MAX, &n);
		if (code != EXIT_OK)
			return code;
	}
	ret_target->device = (uint32_t)n;
	if ((code = people_reason(ctx, &reason)) != EXIT_OK)
		return code;
	ret_target->reason = cdop_arena_strdup(ctx->arena, reason);
	return EXIT_OK;
}

static enum exit_code
type_again(struct cmd_ctx *ctx, uint32_t person, const char *question)
{
	const char *typed = cmd_value(ctx, "--confirm");
	enum exit_code code;
	char want[16];

	(void)snprintf(want, sizeof(want), "%u", person);
	if (typed == NULL) {
		code = prompt_is_possible(ctx)
		    ? prompt_need(ctx, question, NULL, &typed)
		    : prompt_impossible(ctx,
			  "the person's number (typed again)",
			  "--confirm PERSON");
		if (code != EXIT_OK)
			return code;
	}
	if (strcmp(typed, want) != 0)
		return cmd_fail(ctx, EXIT_STOPPED, NULL, NULL,
		    "that is another number: nothing was done");
	return EXIT_OK;
}

enum exit_code
people_confirm(struct cmd_ctx *ctx, uint32_t person)
{
	return type_again(
	    ctx, person, "For ever.  Type the person's number again");
}

bool
people_is_self(struct cmd_ctx *ctx, const struct people_target *target)
{
	const Cdop__ClientIdentity *own = ctx->session->identity.open;

	return own->has_person && own->person == target->person &&
	    (target->device == 0 ||
		(own->has_device && own->device == target->device));
}

void
people_alone(struct cmd_ctx *ctx)
{
	const struct cmd_error filed = ctx->error;
	Cdop__StatusRequest request;
	Cdop__StatusReply *reply;
	enum exit_code code;

	cdop__status_request__init(&request);
	code = call_status(ctx, &request, &reply);
	ctx->error = filed;
	if (code == EXIT_OK && reply->has_administrators_active &&
	    reply->administrators_active < 2)
		ctx->error.next =
		    "no other administrator is active who could: cdopd "
		    "recover-people on the server";
}

enum exit_code
people_confirm_last(struct cmd_ctx *ctx, const struct people_target *target)
{
	Cdop__StatusRequest request;
	Cdop__StatusReply *reply;
	bool administrator;
	enum exit_code code;

	/* A number that is said again has to be right, whoever it is. */
	if (cmd_value(ctx, "--confirm") != NULL)
		return type_again(ctx, target->person, "");
	if ((code = session_load(ctx)) != EXIT_OK ||
	    !people_is_self(ctx, target))
		return code;
	cdop__status_request__init(&request);
	if ((code = call_status(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (!reply->has_administrators_active ||
	    reply->administrators_active > 1)
		return EXIT_OK;
	code = people_is_administrator(
	    ctx, target->person, target->device, &administrator);
	/* Who may not list people is none. */
	if (code != EXIT_OK || !administrator) {
		memset(&ctx->error, 0, sizeof(ctx->error));
		return EXIT_OK;
	}
	return type_again(ctx, target->person,
	    "You are the last active administrator: only cdopd recover-people "
	    "on the server would help.  Type your number");
}

/* What was never active has no power that it takes two to end. */
static bool
has_power(const Cdop__Person *person, uint32_t device)
{
	Cdop__CredentialState state;
	size_t i;

	if (person->state == CDOP__PERSON_STATE__PERSON_INVITED)
		return false;
	for (i = 0; device != 0 && i < person->n_device; i++) {
		state = person->device[i]->state;
		if (person->device[i]->number == device)
			return state ==
			    CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE ||
			    state ==
			    CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED;
	}
	return true;
}

enum exit_code
people_is_administrator(
    struct cmd_ctx *ctx, uint32_t person, uint32_t device, bool *ret_is)
{
	Cdop__PeopleListRequest request;
	Cdop__PeopleListReply *reply;
	const Cdop__Person *p;
	enum exit_code code;
	size_t i;

	cdop__people_list_request__init(&request);
	request.has_after = true;
	request.after = person > 0 ? person - 1 : 0;
	code = call_people_list(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	*ret_is = false;
	if (reply->n_person == 0 || reply->person[0]->number != person)
		return EXIT_OK; /* the registry says that there is none */
	p = reply->person[0];
	for (i = 0; i < p->n_grant; i++)
		if (p->grant[i]->role == CDOP__ROLE__ADMINISTRATOR)
			*ret_is = has_power(p, device);
	return EXIT_OK;
}

static enum exit_code
take_grants(struct cmd_ctx *ctx, struct people_rights *r)
{
	Cdop__RoleGrant *grant;
	enum exit_code code;
	bool has_from = false, has_until = false;
	uint64_t from = 0, until = 0;
	const char *word;

	if ((code = terms_day_begins(ctx, "--from", 0, &has_from, &from)) !=
		EXIT_OK ||
	    (code = terms_day_begins(ctx, "--until", 1, &has_until, &until)) !=
		EXIT_OK)
		return code;
	if ((has_from || has_until) && cmd_value(ctx, "--role") == NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "--role, once for each role",
		    "--from and --until are days of roles");
	while ((word = cmd_value_at(ctx, "--role", r->n_grant)) != NULL) {
		grant = cdop_arena_alloc(ctx->arena, sizeof(*grant));
		if (grant == NULL || r->n_grant == MANY_MAX)
			return cmd_fail(
			    ctx, EXIT_USAGE, NULL, NULL, "too many roles");
		cdop__role_grant__init(grant);
		code = purpose_role(ctx, word, &grant->role);
		if (code != EXIT_OK)
			return code;
		grant->has_from_ms = has_from;
		grant->from_ms = from;
		grant->has_until_ms = has_until;
		grant->until_ms = until;
		r->grant[r->n_grant++] = grant;
	}
	return EXIT_OK;
}

enum exit_code
people_rights(struct cmd_ctx *ctx, struct people_rights *ret_rights)
{
	struct people_rights r;
	enum exit_code code;

	memset(&r, 0, sizeof(r));
	r.grant = cdop_arena_calloc(ctx->arena, MANY_MAX, sizeof(*r.grant));
	r.area = cdop_arena_calloc(ctx->arena, MANY_MAX, sizeof(*r.area));
	if (r.grant == NULL || r.area == NULL)
		return cmd_no_memory(ctx);
	r.name = terms_copy(ctx, "--name");
	r.job_title = terms_copy(ctx, "--job-title");
	r.agency = terms_copy(ctx, "--agency");
	r.all_areas = cmd_flag(ctx, "--all-areas");
	if (r.all_areas && cmd_value(ctx, "--area") != NULL)
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "one of these: --area AREA, or --all-areas");
	code = area_read_all(ctx, r.area, MANY_MAX, &r.n_area);
	if (code != EXIT_OK || (code = take_grants(ctx, &r)) != EXIT_OK ||
	    (code = terms_day_begins(ctx, "--device-until", 1, &r.has_expires,
		 &r.expires_ms)) != EXIT_OK)
		return code;
	*ret_rights = r;
	return EXIT_OK;
}
