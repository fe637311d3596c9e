/* cdop audit list: the log in plain words. */
#include <string.h>
#include <time.h>

#include "cdop/date.h"
#include "cdop/fields.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/print.h"
#include "client/purpose.h"
#include "client/reference.h"
#include "client/session.h"
#include "client/show.h"
#include "client/terms.h"

static const char *
class_words(struct cmd_ctx *ctx, uint32_t classes)
{
	const char *all = "";
	unsigned bit;

	for (bit = 1; bit <= 10; bit++)
		if ((classes & (1u << bit)) != 0)
			all = cdop_arena_printf(ctx->arena, "%s%s%s", all,
			    all[0] != '\0' ? ", " : "",
			    cdop_fields_class_name(1u << bit));
	return all[0] != '\0' ? all : "no field";
}

/* What a call did, as a sentence goes on after a name. */
static const struct {
	const char *call;
	const char *words;
} deeds[] = {
    {"Status", "looked at the state of the registry"},
    {"WhoAmI", "looked at own rights"},
    {"Enrol", "enrolled a device"},
    {"PskTurn", "turned the key of the device"},
    {"ProfileGet", "read the profile"},
    {"ProfileDiff", "compared a profile"},
    {"ProfileApply", "changed the profile"},
    {"PersonInvite", "invited a person"},
    {"DeviceInvite", "invited a device"},
    {"PersonActivate", "activated a device"},
    {"Suspend", "suspended"},
    {"Resume", "lifted a suspension"},
    {"PersonRevoke", "revoked"},
    {"AdministratorRevoke", "revoked an administrator"},
    {"PersonChange", "changed rights"},
    {"PeopleList", "listed people"},
    {"InvitationCancel", "cancelled an invitation"},
    {"ApprovalList", "looked at what waits for approval"},
    {"Approve", "was the second person"},
    {"NotificationRegister", "registered a notification"},
    {"NotificationCorrect", "corrected a notification"},
    {"NotificationMove", "moved a notification"},
    {"CaseShow", "looked at it"},
    {"CaseList", "listed cases"},
    {"CaseFind", "searched"},
    {"CaseAmend", "amended it"},
    {"CaseHistory", "looked at its history"},
    {"CaseWithdraw", "withdrew it"},
    {"CaseReinstate", "took it up again"},
    {"CaseOwner", "changed the owner"},
    {"CaseInterest", "marked an interested area"},
    {"CaseResponsible", "set who is responsible"},
    {"CaseLinkAdd", "linked cases"},
    {"DuplicatePairs", "looked at possible duplicates"},
    {"Ask", "asked"},
    {"AuditList", "read the log"},
};

static const char *
deed(const char *call)
{
	size_t i;

	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(deeds[i].call, call) == 0)
			return deeds[i].words;
	return call; /* an event of the registry is words already */
}

static const char *
outcome_words(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	const char *words =
	    exit_words((unsigned)exit_code_of(e->outcome, NULL, false));

	if (strcmp(e->call, "Ask") == 0 && e->answered == CDOP_OK)
		return e->n_released > 0 ? ", told \"known to you\""
					 : ", told \"not known to you\"";
	if (e->outcome == CDOP_OK)
		return "";
	return cdop_arena_printf(ctx->arena, ": refused, %s", words);
}

static const char *
who(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	if (!e->has_person)
		return "-";
	return cdop_arena_printf(ctx->arena, "%s (%s%s%s)",
	    e->person_name != NULL
		? e->person_name
		: cdop_arena_printf(ctx->arena, "person %u", e->person),
	    e->has_role ? purpose_role_word(ctx->arena, e->role) : "no role",
	    e->device_label != NULL ? ", " : "",
	    e->device_label != NULL ? e->device_label : "");
}

static const char *
use_word(const Cdop__AuditEntry *e)
{
	static const char *const words[] = {
	    "", "on screen", "printed", "to a file", "to a program"};
	unsigned use = e->has_use ? (unsigned)e->use : 0;

	return use < 5 ? words[use] : "";
}

static void
show_entry(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	const Cdop__Released *r;
	size_t i;

	print_out(ctx, "%6llu  %s  %s  %s%s%s%s%s%s%s",
	    (unsigned long long)e->index, print_time(ctx->arena, e->at_ms),
	    who(ctx, e), deed(e->call), outcome_words(ctx, e),
	    e->purpose != NULL ? "  for: " : "",
	    e->purpose != NULL ? show_code(ctx, "purpose", e->purpose) : "",
	    use_word(e)[0] != '\0' ? "  " : "", use_word(e),
	    e->reason != NULL
		? cdop_arena_printf(ctx->arena, "  [%s]", e->reason)
		: "");
	for (i = 0; i < e->n_released; i++) {
		r = e->released[i];
		print_out(ctx, "          %s  %s%s%s", r->reference,
		    class_words(ctx, r->classes),
		    r->owner_area != NULL ? "  " : "",
		    r->owner_area != NULL ? show_area(ctx, r->owner_area) : "");
	}
	if (e->named != NULL)
		print_out(ctx, "          %s  nothing left", e->named);
	if (e->n_term_kind > 0)
		print_out(ctx, "          searched by %s",
		    show_joined(ctx, e->term_kind, e->n_term_kind, ", "));
	if (e->has_subject_person)
		print_out(ctx, "          about person %u", e->subject_person);
	if (e->has_count)
		print_out(
		    ctx, "          %llu times", (unsigned long long)e->count);
}

static enum exit_code
show_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditListReply *reply = (const Cdop__AuditListReply *)part;
	size_t i, *n = arg;
	json_t *object;

	for (i = 0; i < reply->n_entry; i++, ++*n) {
		if (!ctx->g.json) {
			show_entry(ctx, reply->entry[i]);
			continue;
		}
		object = json_message(ctx, &reply->entry[i]->base);
		(void)json_object_set_new(object, "at_local",
		    json_string(
			print_local(ctx->arena, reply->entry[i]->at_ms)));
		print_json(object);
	}
	return EXIT_OK;
}

/* The first instant of a day where this computer stands, or the next day's. */
static enum exit_code
day_ms(struct cmd_ctx *ctx, const char *option, bool next, bool *ret_has,
    uint64_t *ret_ms)
{
	struct cdop_date date;
	enum exit_code code;
	struct tm tm;
	char *day;

	if ((code = terms_day(ctx, option, &day)) != EXIT_OK || day == NULL)
		return code;
	if (cdop_date_parse(day, &date) != CDOP_OK)
		return EXIT_USAGE;
	memset(&tm, 0, sizeof(tm));
	tm.tm_year = date.year - 1900;
	tm.tm_mon = date.month - 1;
	tm.tm_mday = date.day + (next ? 1 : 0);
	tm.tm_isdst = -1;
	*ret_has = true;
	*ret_ms = (uint64_t)mktime(&tm) * 1000;
	return EXIT_OK;
}

static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	Cdop__AuditListRequest request;
	enum exit_code code;
	bool since = false, until = false;
	uint64_t number = 0;
	size_t n = 0;

	cdop__audit_list_request__init(&request);
	if ((code = day_ms(ctx, "--since", false, &since, &request.since_ms)) !=
		EXIT_OK ||
	    (code = day_ms(ctx, "--until", true, &until, &request.until_ms)) !=
		EXIT_OK)
		return code;
	request.has_since_ms = since;
	request.has_until_ms = until;
	if (cmd_value(ctx, "--person") != NULL) {
		code = cmd_number(ctx, "--person", cmd_value(ctx, "--person"),
		    UINT32_MAX, &number);
		request.has_person = true;
		request.person = (uint32_t)number;
	}
	if (code == EXIT_OK && cmd_value(ctx, "--limit") != NULL) {
		code = cmd_number(ctx, "--limit", cmd_value(ctx, "--limit"),
		    1000000, &number);
		request.has_limit = true;
		request.limit = (uint32_t)number;
	}
	if (code == EXIT_OK && cmd_value(ctx, "--case") != NULL)
		code = reference_read(
		    ctx, cmd_value(ctx, "--case"), &request.reference);
	if (code != EXIT_OK)
		return code;
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	if (!ctx->g.json && session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL; /* codes instead of labels */
	code = call_stream(ctx, 70, &request.base, show_part, &n);
	if (code == EXIT_OK && ctx->g.json)
		print_end(n);
	return code;
}

static const struct cmd_opt list_opts[] = {
    {"--since", "DATE", "from this day on", false},
    {"--until", "DATE", "up to this day", false},
    {"--person", "N", "acts of this person, and about it", false},
    {"--case", "REF", "entries that name this case", false},
    {"--limit", "N", "at most so many, newest first", false},
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_audit_rows[] = {
    {"audit list", "", "who did what, who saw what, who was refused", NULL,
	"  cdop audit list --case K7M4-QX2R --since 2026-11-01\n"
	"  cdop audit list --person 12 --json",
	list_opts, 0, 0, 0, NULL, run_list},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
