/* cdop audit list, by, show: the log in plain words. */
#include <string.h>

#include "client/answered.h"
#include "client/audit_ask.h"
#include "client/audit_show.h"
#include "client/audit_words.h"
#include "client/families.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/print.h"
#include "client/reference.h"
#include "client/show.h"

/* How one listing shows its entries. */
struct listing {
	const char *reference; /* the case that was asked about, or NULL */
	size_t n;
	size_t used; /* a log is longer than memory */
};

static enum exit_code
show_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditListReply *reply = (const Cdop__AuditListReply *)part;
	struct listing *listing = arg;
	size_t i;

	pager_start(ctx);
	if (pager_is_left())
		return EXIT_STOPPED;
	for (i = 0; i < reply->n_entry; i++, listing->n++) {
		if (!ctx->g.json) {
			audit_show_entry(
			    ctx, reply->entry[i], listing->reference);
			continue;
		}
		audit_show_object(ctx, print_envelope(ctx, "audit.list", true),
		    reply->entry[i]);
	}
	audit_ask_passed(ctx, &listing->used);
	return EXIT_OK;
}

/* --limit and --device, and the answer as it comes. */
static enum exit_code
list(struct cmd_ctx *ctx, Cdop__AuditListRequest *request)
{
	struct listing listing = {request->reference, 0, 0};
	const char *limit = cmd_value(ctx, "--limit");
	const char *device = cmd_value(ctx, "--device");
	enum exit_code code = EXIT_OK;
	uint64_t n = 0;

	if (limit != NULL) {
		code = cmd_number(ctx, "--limit", limit, 1000000, &n);
		if (code == EXIT_OK && n == 0)
			return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
			    "--limit: one at least");
		request->has_limit = true;
		request->limit = (uint32_t)n;
	}
	if (code == EXIT_OK && device != NULL) {
		code = cmd_number(ctx, "--device", device, UINT32_MAX, &n);
		request->has_device = true;
		request->device = (uint32_t)n;
	}
	if (code == EXIT_OK)
		code = audit_ask(ctx, request, show_part, &listing);
	if (code == EXIT_OK && ctx->g.json)
		print_end(ctx, "audit.list", listing.n);
	else if (code == EXIT_OK && listing.n == 0)
		print_note(ctx, "No entry of the log is like that.");
	return code;
}

static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	const char *person = cmd_value(ctx, "--person");
	Cdop__AuditListRequest request;
	enum exit_code code;

	code = audit_ask_begin(ctx, &request);
	if (code == EXIT_OK && cmd_value(ctx, "--case") != NULL)
		code = reference_read(
		    ctx, cmd_value(ctx, "--case"), &request.reference);
	if (code == EXIT_OK && person != NULL) {
		request.has_person = true;
		code = audit_ask_person(ctx, person, &request.person);
	}
	return code != EXIT_OK ? code : list(ctx, &request);
}

static enum exit_code
run_by(struct cmd_ctx *ctx)
{
	Cdop__AuditListRequest request;
	enum exit_code code;

	if ((code = audit_ask_begin(ctx, &request)) != EXIT_OK)
		return code;
	request.has_person = true;
	code = audit_ask_person(ctx, ctx->pos[0], &request.person);
	return code != EXIT_OK ? code : list(ctx, &request);
}

/* ---- one entry ---------------------------------------------------------- */

static void
show_line(struct cmd_ctx *ctx, const char *label, const char *words)
{
	if (words != NULL && *words != '\0')
		print_out(ctx, "  %-14s %s", label, words);
}

static const char *
living_words(struct cmd_ctx *ctx, const Cdop__Released *r)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < r->n_living && all != NULL; i++)
		all = cdop_arena_printf(ctx->arena, "%s%s%s %u", all,
		    i > 0 ? ", " : "", r->living[i]->kind, r->living[i]->n);
	return all;
}

static const char *
instance_words(struct cmd_ctx *ctx, const Cdop__Released *r)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < r->n_instance && all != NULL; i++)
		all = r->instance[i] == 0
		    ? cdop_arena_printf(
			  ctx->arena, "%s%scase record", all, i > 0 ? ", " : "")
		    : cdop_arena_printf(ctx->arena, "%s%snotification %u", all,
			  i > 0 ? ", " : "", r->instance[i]);
	return all;
}

static void
show_case_left(struct cmd_ctx *ctx, const Cdop__Released *r)
{
	print_out(ctx, "case %s", r->reference);
	show_line(ctx, "what left", audit_words_classes(ctx, r->classes));
	show_line(ctx, "forms", instance_words(ctx, r));
	show_line(ctx, "living people", living_words(ctx, r));
	if (r->owner_area != NULL)
		show_line(ctx, "area", show_area(ctx, r->owner_area));
	show_line(ctx, "jurisdiction", r->jurisdiction);
}

/* The entry that was asked for, and whether it came. */
struct one {
	uint64_t index;
	bool came;
};

static enum exit_code
show_one(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditListReply *reply = (const Cdop__AuditListReply *)part;
	const Cdop__AuditEntry *e;
	Cdop__AuditEntry head;
	struct one *one = arg;
	enum exit_code code;
	size_t i;

	if (reply->n_entry == 0)
		return EXIT_OK;
	e = reply->entry[0];
	code = answered_number(ctx, "entry", one->index, e->index);
	if (code != EXIT_OK)
		return code;
	one->came = true;
	if (ctx->g.json) {
		audit_show_object(
		    ctx, print_envelope(ctx, "audit.show", true), e);
		return EXIT_OK;
	}
	head = *e;
	head.n_released = 0; /* they follow, at length */
	audit_show_entry(ctx, &head, NULL);
	show_line(ctx, "in UTC", print_utc(ctx->arena, e->at_ms));
	for (i = 0; i < e->n_released; i++)
		show_case_left(ctx, e->released[i]);
	return EXIT_OK;
}

static enum exit_code
run_show(struct cmd_ctx *ctx)
{
	Cdop__AuditListRequest request;
	struct one one = {0, false};
	enum exit_code code;

	cdop__audit_list_request__init(&request);
	request.has_index = true;
	code = cmd_number(
	    ctx, "INDEX", ctx->pos[0], UINT64_MAX / 2, &request.index);
	if (code != EXIT_OK)
		return code;
	one.index = request.index;
	code = audit_ask(ctx, &request, show_one, &one);
	if (code != EXIT_OK || one.came)
		return code;
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL, "tell the operator",
	    "the answer has no entry");
}

#define FEW_OPTS                                                               \
	{"--device", "N", "with this device alone", false},                    \
	{                                                                      \
		"--limit", "N", "at most so many, newest first", false         \
	}

static const struct cmd_opt list_opts[] = {
    AUDIT_ASK_DAYS,
    {"--person", "PERSON", "acts of this person, and about it", false},
    {"--case", "REF", "entries that name this case", false},
    FEW_OPTS,
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt by_opts[] = {
    AUDIT_ASK_DAYS,
    FEW_OPTS,
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_audit_rows[] = {
    {"audit list", "", "who did what, who saw what, who was refused", NULL,
	"  cdop audit list --case K7M4-QX2Q --since 2026-11-01\n"
	"  cdop audit list --person 12 --json",
	list_opts, 0, 0, 0, NULL, run_list},
    {"audit by", "PERSON", "what a person did, and had done to them",
	"PERSON is a number or a name.",
	"  cdop audit by 31 --since 2026-11-01\n"
	"  cdop audit by \"Wendy Wirral\"",
	by_opts, 1, 1, 0, NULL, run_by},
    {"audit show", "INDEX", "one entry of the log, whole", NULL,
	"  cdop audit show 4711", NULL, 1, 1, 0, NULL, run_show},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
