/*
 * cdop audit who-read and exposure: who has seen one case, and what one
 * person has seen.
 */
#include <string.h>

#include "client/audit_ask.h"
#include "client/audit_words.h"
#include "client/csv_out.h"
#include "client/exposure_show.h"
#include "client/families.h"
#include "client/json.h"
#include "client/pager.h"
#include "client/paper.h"
#include "client/print.h"
#include "client/purpose.h"
#include "client/reference.h"
#include "client/show.h"

/* Address space for what is counted: what is touched is memory. */
#define RECORDS_MAX ((size_t)1 << 30)

/* ---- exposure ----------------------------------------------------------- */

/* Messages of a stream, each forgotten when it has been looked at. */
struct passing {
	struct cdop_arena *kept; /* what is to be shown of them */
	size_t used;             /* of the command's arena, behind the first */
};

static enum exit_code
too_much(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
	    "take it in parts: --since and --until",
	    "there is more than fits into memory: nothing is shown of it");
}

struct counting {
	struct passing passing;
	struct exposure x;
};

static enum exit_code
count_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditListReply *reply = (const Cdop__AuditListReply *)part;
	struct counting *c = arg;
	size_t i;

	for (i = 0; i < reply->n_entry; i++)
		if (exposure_add(&c->x, reply->entry[i]) != CDOP_OK)
			return too_much(ctx);
	audit_ask_passed(ctx, &c->passing.used);
	return EXIT_OK;
}

static void
show_exposure(const struct exposure_report *report, enum audit_format format)
{
	switch (format) {
	case AUDIT_TEXT:
		exposure_show_text(report);
		return;
	case AUDIT_CSV:
		exposure_show_csv(report);
		return;
	case AUDIT_JSON:
		exposure_show_json(report);
		return;
	}
}

static enum exit_code
exposure_request(struct cmd_ctx *ctx, Cdop__AuditListRequest *request,
    enum audit_format *ret_format)
{
	const char *device = cmd_value(ctx, "--device");
	enum exit_code code;
	uint64_t n = 0;

	if ((code = audit_ask_format(ctx, ret_format)) != EXIT_OK ||
	    (code = audit_ask_begin(ctx, request)) != EXIT_OK)
		return code;
	if (device != NULL) {
		code = cmd_number(ctx, "--device", device, UINT32_MAX, &n);
		request->has_device = true;
		request->device = (uint32_t)n;
	}
	if (code != EXIT_OK || (code = paper_begin(ctx)) != EXIT_OK)
		return code;
	request->has_person = true;
	return audit_ask_person(ctx, ctx->pos[0], &request->person);
}

static enum exit_code
run_exposure(struct cmd_ctx *ctx)
{
	Cdop__AuditListRequest request;
	struct exposure_report report = {.ctx = ctx};
	struct counting c = {.passing = {NULL, 0}};
	enum audit_format format;
	enum exit_code code;

	code = exposure_request(ctx, &request, &format);
	if (code != EXIT_OK)
		return code;
	if (cdop_arena_new(RECORDS_MAX, &c.passing.kept) != CDOP_OK)
		return too_much(ctx);
	exposure_init(&c.x, c.passing.kept, request.person);
	report.x = &c.x;
	report.device = request.has_device ? request.device : 0;
	code = audit_ask(ctx, &request, count_part, &c);
	if (code == EXIT_OK)
		show_exposure(&report, format);
	cdop_arena_free(c.passing.kept);
	return code;
}

/* ---- who read a case ---------------------------------------------------- */

/* The entries about one case, as they came: newest first. */
struct readers {
	struct passing passing;
	const char *reference;
	Cdop__AuditEntry **entry;
	size_t n;
	size_t cap;
};

/* A copy that stays: of a list of many cases this one alone. */
static Cdop__AuditEntry *
keep_one(const struct readers *r, const Cdop__AuditEntry *from)
{
	struct cdop_arena *kept = r->passing.kept;
	Cdop__Released *one[1];
	Cdop__AuditEntry e = *from;
	uint8_t *data;
	size_t i, len;

	e.n_released = 0;
	for (i = 0; i < from->n_released && e.n_released == 0; i++) {
		one[0] = from->released[i];
		e.n_released = strcmp(one[0]->reference, r->reference) == 0;
	}
	e.released = one;
	len = cdop__audit_entry__get_packed_size(&e);
	if ((data = cdop_arena_alloc(kept, len)) == NULL)
		return NULL;
	(void)cdop__audit_entry__pack(&e, data);
	return cdop__audit_entry__unpack(cdop_arena_allocator(kept), len, data);
}

static bool
make_room(struct readers *r, size_t n)
{
	Cdop__AuditEntry **more;

	if (r->n + n <= r->cap)
		return true;
	r->cap = (r->cap + n) * 2;
	more = cdop_arena_calloc(r->passing.kept, r->cap, sizeof(*more));
	if (more == NULL)
		return false;
	if (r->n > 0)
		memcpy(more, r->entry, r->n * sizeof(*more));
	r->entry = more;
	return true;
}

static enum exit_code
keep_part(struct cmd_ctx *ctx, const ProtobufCMessage *part, void *arg)
{
	const Cdop__AuditListReply *reply = (const Cdop__AuditListReply *)part;
	struct readers *r = arg;
	size_t i;

	if (!make_room(r, reply->n_entry))
		return too_much(ctx);
	for (i = 0; i < reply->n_entry; i++) {
		r->entry[r->n] = keep_one(r, reply->entry[i]);
		if (r->entry[r->n++] == NULL)
			return too_much(ctx);
	}
	audit_ask_passed(ctx, &r->passing.used);
	return EXIT_OK;
}

/* What left of the case; NULL: it was named, and nothing left. */
static const Cdop__Released *
left(const Cdop__AuditEntry *e)
{
	return e->n_released > 0 ? e->released[0] : NULL;
}

/* The code's label, and what was said in words where it wants that. */
static const char *
purpose_words(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	const char *said = audit_words_said(ctx, e->purpose_text);
	const char *label;

	label = e->purpose != NULL ? show_code(ctx, "purpose", e->purpose) : "";
	return said == NULL
	    ? label
	    : cdop_arena_printf(ctx->arena, "%s: %s", label, said);
}

/* Whole lines: what is cut off here would be evidence. */
static void
read_text(struct cmd_ctx *ctx, const struct readers *r)
{
	const Cdop__AuditEntry *e;
	const Cdop__Released *of;
	const char *why, *use;
	size_t i;

	pager_start(ctx);
	print_mode(ctx);
	paper_head(ctx);
	for (i = r->n; i-- > 0;) {
		e = r->entry[i];
		of = left(e);
		why = purpose_words(ctx, e);
		use = audit_words_use(e);
		print_out(ctx, "%s  %s  %s%s%s%s%s%s  %s",
		    print_time(ctx->arena, e->at_ms), audit_words_who(ctx, e),
		    audit_words_deed(ctx, e), audit_words_outcome(ctx, e),
		    *use != '\0' ? ", " : "", use,
		    *why != '\0' ? "  for: " : "", why,
		    of == NULL ? "nothing left"
			       : audit_words_classes(ctx, of->classes));
	}
	print_note(ctx, "%zu entr%s about %s", r->n, r->n == 1 ? "y" : "ies",
	    r->reference);
}

static void
read_csv(struct cmd_ctx *ctx, const struct readers *r)
{
	static const char *const head[] = {"index", "at_utc", "at_local",
	    "person", "who", "call", "what", "outcome", "purpose", "use",
	    "classes", "area", "jurisdiction"};
	const Cdop__AuditEntry *e;
	const Cdop__Released *of;
	size_t i;

	csv_out_line(stdout, head, sizeof(head) / sizeof(head[0]));
	for (i = r->n; i-- > 0;) {
		e = r->entry[i];
		of = left(e);
		const char *const cell[] = {
		    cdop_arena_printf(
			ctx->arena, "%llu", (unsigned long long)e->index),
		    print_utc(ctx->arena, e->at_ms),
		    print_local(ctx->arena, e->at_ms),
		    cdop_arena_printf(ctx->arena, "%u", e->person),
		    audit_words_who(ctx, e),
		    e->call,
		    audit_words_deed(ctx, e),
		    audit_words_outcome(ctx, e),
		    purpose_words(ctx, e),
		    audit_words_use(e),
		    of == NULL ? "nothing"
			       : audit_words_classes(ctx, of->classes),
		    of != NULL ? of->owner_area : NULL,
		    of != NULL ? of->jurisdiction : NULL,
		};

		csv_out_line(stdout, cell, sizeof(cell) / sizeof(cell[0]));
	}
}

static void
read_json(struct cmd_ctx *ctx, const struct readers *r)
{
	const Cdop__AuditEntry *e;
	json_t *object;
	size_t i;

	for (i = r->n; i-- > 0;) {
		e = r->entry[i];
		object = print_envelope(ctx, "audit.who-read", true);
		json_merge(ctx, object, &e->base);
		(void)json_object_set_new(object, "at_local",
		    json_string(print_local(ctx->arena, e->at_ms)));
		print_json(object);
	}
	print_end(ctx, "audit.who-read", r->n);
}

static void
show_readers(
    struct cmd_ctx *ctx, const struct readers *r, enum audit_format format)
{
	switch (format) {
	case AUDIT_TEXT:
		read_text(ctx, r);
		return;
	case AUDIT_CSV:
		read_csv(ctx, r);
		return;
	case AUDIT_JSON:
		read_json(ctx, r);
		return;
	}
}

static enum exit_code
run_who_read(struct cmd_ctx *ctx)
{
	Cdop__AuditListRequest request;
	struct readers r = {.n = 0};
	enum audit_format format;
	enum exit_code code;

	if ((code = audit_ask_format(ctx, &format)) != EXIT_OK ||
	    (code = audit_ask_begin(ctx, &request)) != EXIT_OK ||
	    (code = reference_read(ctx, ctx->pos[0], &request.reference)) !=
		EXIT_OK ||
	    (code = paper_begin(ctx)) != EXIT_OK)
		return code;
	r.reference = request.reference;
	if (cdop_arena_new(RECORDS_MAX, &r.passing.kept) != CDOP_OK)
		return too_much(ctx);
	code = audit_ask(ctx, &request, keep_part, &r);
	if (code == EXIT_OK)
		show_readers(ctx, &r, format);
	cdop_arena_free(r.passing.kept);
	return code;
}

static const struct cmd_opt who_read_opts[] = {
    AUDIT_ASK_DAYS,
    AUDIT_ASK_FORMAT,
    PAPER_OPTS,
    {NULL, NULL, NULL, false},
};

static const struct cmd_opt exposure_opts[] = {
    AUDIT_ASK_DAYS,
    {"--device", "N", "with this device alone", false},
    AUDIT_ASK_FORMAT,
    PAPER_OPTS,
    {NULL, NULL, NULL, false},
};

const struct cmd cmd_exposure_rows[] = {
    {"audit who-read", "REF", "who has seen or changed a case, oldest first",
	NULL,
	"  cdop audit who-read K7M4-QX2Q --since 2026-11-01\n"
	"  cdop audit who-read K7M4-QX2Q --format csv --out readers.csv",
	who_read_opts, 1, 1, 0, NULL, run_who_read},
    {"audit exposure", "PERSON",
	"what a person has read: the figures of a breach report",
	"PERSON is a number or a name.  Children and living people are "
	"counted, by\nclass of what was read, by area and by jurisdiction, "
	"on a screen and in\ncopies apart.  With --format csv a line for each "
	"record.",
	"  cdop audit exposure 31\n"
	"  cdop audit exposure 31 --since 2025-01-01 --format csv --out "
	"breach.csv",
	exposure_opts, 1, 1, 0, NULL, run_exposure},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
