/* cdop audit list: the log in plain words. */
#include <string.h>
#include <time.h>

#include "cdop/date.h"
#include "client/audit_words.h"
#include "client/call.h"
#include "client/families.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/print.h"
#include "client/reference.h"
#include "client/session.h"
#include "client/show.h"
#include "client/terms.h"

/* How one listing shows its entries. */
struct listing {
	const char *reference; /* the case that was asked about, or NULL */
	size_t n;
};

/* What left; of a list that names the case that was asked for, that alone. */
static void
show_released(struct cmd_ctx *ctx, const Cdop__AuditEntry *e,
    const struct listing *listing)
{
	const Cdop__Released *r;
	size_t i, others = 0;

	for (i = 0; i < e->n_released; i++) {
		r = e->released[i];
		if (listing->reference != NULL &&
		    strcmp(r->reference, listing->reference) != 0) {
			others++;
			continue;
		}
		print_out(ctx, "          %s  %s%s%s", r->reference,
		    audit_words_classes(ctx, r->classes),
		    r->owner_area != NULL ? "  " : "",
		    r->owner_area != NULL ? show_area(ctx, r->owner_area) : "");
	}
	if (others > 0)
		print_out(ctx, "          and %zu other%s", others,
		    others == 1 ? "" : "s");
	if (e->named != NULL)
		print_out(ctx, "          %s  nothing left", e->named);
}

static void
show_more(struct cmd_ctx *ctx, const char *before, const char *words)
{
	if (words != NULL)
		print_out(ctx, "          %s%s", before, words);
}

static void
show_entry(struct cmd_ctx *ctx, const Cdop__AuditEntry *e,
    const struct listing *listing)
{
	print_out(ctx, "%6llu  %s  %s  %s%s%s%s%s%s",
	    (unsigned long long)e->index, print_time(ctx->arena, e->at_ms),
	    audit_words_who(ctx, e), audit_words_deed(ctx, e),
	    audit_words_outcome(ctx, e), e->purpose != NULL ? "  for: " : "",
	    e->purpose != NULL ? show_code(ctx, "purpose", e->purpose) : "",
	    audit_words_use(e)[0] != '\0' ? "  " : "", audit_words_use(e));
	show_released(ctx, e, listing);
	if (e->n_term_kind > 0)
		print_out(ctx, "          searched by %s",
		    show_joined(ctx, e->term_kind, e->n_term_kind, ", "));
	show_more(ctx, "about ", audit_words_about(ctx, e));
	show_more(
	    ctx, "for, in words: ", audit_words_said(ctx, e->purpose_text));
	show_more(ctx, "because: ", audit_words_said(ctx, e->reason_text));
	show_more(
	    ctx, "number ", audit_words_hex(ctx, e->has_approval, e->approval));
	show_more(
	    ctx, "profile ", audit_words_hex(ctx, e->has_digest, e->digest));
	show_more(ctx, "", audit_words_count(ctx, e));
}

static enum exit_code
show_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditListReply *reply = (const Cdop__AuditListReply *)part;
	struct listing *listing = arg;
	json_t *object;
	size_t i;

	pager_start(ctx);
	if (pager_is_left())
		return EXIT_STOPPED;
	for (i = 0; i < reply->n_entry; i++, listing->n++) {
		if (!ctx->g.json) {
			show_entry(ctx, reply->entry[i], listing);
			continue;
		}
		object = print_envelope(ctx, "audit.list", true);
		json_merge(ctx, object, &reply->entry[i]->base);
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
	struct listing listing = {NULL, 0};
	uint64_t number = 0;

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
	if (session_profile(ctx, &profile) != EXIT_OK)
		ctx->error.message = NULL; /* codes instead of labels */
	listing.reference = request.reference;
	code = call_stream(ctx, 70, &request.base, show_part, &listing);
	if (code == EXIT_STOPPED && pager_is_left()) {
		session_hang_up(ctx); /* the rest would still come */
		return EXIT_OK;
	}
	if (code == EXIT_OK && ctx->g.json)
		print_end(ctx, "audit.list", listing.n);
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
