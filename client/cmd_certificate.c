/* cdop case erase, cdop certificate: what is gone, and what proves it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/certificate.h"
#include "client/call.h"
#include "client/change.h"
#include "client/families.h"
#include "client/json.h"
#include "client/paged.h"
#include "client/pager.h"
#include "client/print.h"
#include "client/prompt.h"
#include "client/witness.h"

#define COLUMNS 5

/* ---- erase --------------------------------------------------------------- */

static const struct {
	const char *word;
	Cdop__ErasureGround ground;
} grounds[] = {
    {"court_order", CDOP__ERASURE_GROUND__COURT_ORDER},
    {"subject_request", CDOP__ERASURE_GROUND__SUBJECT_REQUEST},
    {"retention_ended", CDOP__ERASURE_GROUND__RETENTION_ENDED},
    {"not_a_case", CDOP__ERASURE_GROUND__NOT_A_CASE},
    {"other", CDOP__ERASURE_GROUND__OTHER_GROUND},
};

#define GROUNDS (sizeof(grounds) / sizeof(grounds[0]))

static const char *
ground_word(const Cdop__Destruction *d)
{
	size_t i;

	for (i = 0; i < GROUNDS; i++)
		if (d->has_ground && grounds[i].ground == d->ground)
			return grounds[i].word;
	return "?";
}

static enum exit_code
read_ground(struct cmd_ctx *ctx, Cdop__ErasureGround *ret_ground)
{
	const char *word = cmd_value(ctx, "--reason");
	size_t i;

	for (i = 0; word != NULL && i < GROUNDS; i++)
		if (strcmp(word, grounds[i].word) == 0) {
			*ret_ground = grounds[i].ground;
			return EXIT_OK;
		}
	return cmd_fail(ctx, EXIT_USAGE, "input_needed",
	    "court_order, subject_request, retention_ended, not_a_case or "
	    "other",
	    word == NULL
		? "--reason is one word: it stays when the case is gone"
		: "--reason: that is not one of the words there are");
}

static enum exit_code
run_erase(struct cmd_ctx *ctx)
{
	Cdop__CaseEraseRequest request;
	Cdop__CaseEraseReply *reply = NULL;
	struct change change;
	enum exit_code code;

	cdop__case_erase_request__init(&request);
	if ((code = read_ground(ctx, &request.ground)) != EXIT_OK ||
	    (code = change_begin(ctx, SEEN_STATE, 0, &change)) != EXIT_OK)
		return code;
	request.reference = change.reference;
	request.version = change.version;
	code = prompt_agree(ctx,
	    cdop_arena_printf(ctx->arena,
		"Ask for case %s to be erased, with all its versions, for ever",
		change.reference));
	if (code != EXIT_OK)
		return code;
	code = call_case_erase(ctx, &request, &reply);
	if (code != EXIT_OK)
		return code;
	if (ctx->g.json) {
		json_line(ctx, "case.erase", &reply->base);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx, "Erased.  Certificate %u follows: cdop certificate list",
	    reply->certificate);
	return EXIT_OK;
}

/* ---- list ---------------------------------------------------------------- */

static void
show_list(struct cmd_ctx *ctx, const Cdop__CertificateGetReply *reply)
{
	static const char *const head[COLUMNS] = {
	    "CERTIFICATE", "OF", "REASON", "ASKED", "ISSUED"};
	const char **cell = cdop_arena_calloc(
	    ctx->arena, reply->n_certificate * COLUMNS + 1, sizeof(*cell));
	const Cdop__Destruction *d;
	const char **row = cell;
	size_t i;

	for (i = 0; cell != NULL && i < reply->n_certificate; i++) {
		d = reply->certificate[i];
		if (ctx->g.json) {
			json_line(ctx, "certificate.list", &d->base);
			continue;
		}
		row[0] = cdop_arena_printf(ctx->arena, "%u", d->number);
		row[1] = d->reference != NULL
		    ? cdop_arena_printf(ctx->arena, "case %s", d->reference)
		    : cdop_arena_printf(
			  ctx->arena, "keys of rotation %u", d->rotation);
		row[2] = d->has_ground ? ground_word(d) : "";
		row[3] = print_time(ctx->arena, d->asked_ms);
		row[4] = d->has_issued_ms ? print_time(ctx->arena, d->issued_ms)
					  : "NOT PROVED YET";
		row += COLUMNS;
	}
	if (cell != NULL && !ctx->g.json && reply->n_certificate > 0)
		print_table(ctx, head, cell, COLUMNS, reply->n_certificate);
}

static enum exit_code
run_list(struct cmd_ctx *ctx)
{
	Cdop__CertificateGetRequest request;
	Cdop__CertificateGetReply *reply;
	struct paged paged = {.of = "certificates", .falls = true};
	enum exit_code code;
	size_t i, n = 0, used = 0;

	cdop__certificate_get_request__init(&request);
	do {
		code = call_certificate_get(ctx, &request, &reply);
		if (code != EXIT_OK)
			return code;
		pager_start(ctx);
		show_list(ctx, reply);
		i = reply->n_certificate;
		n += i;
		code = paged_took(ctx, &paged,
		    i > 0 ? &reply->certificate[i - 1]->number : NULL,
		    reply->has_more && reply->more);
		if (code != EXIT_OK)
			return code;
		request.has_before = paged.has_last;
		request.before = paged.last;
		paged_pass(ctx, &used, NULL);
	} while (paged.more);
	if (ctx->g.json)
		print_end(ctx, "certificate.list", n);
	else if (n == 0)
		print_out(ctx, "Nothing was ever destroyed.");
	return EXIT_OK;
}

/* ---- show ---------------------------------------------------------------- */

static enum exit_code
check_signature(struct cmd_ctx *ctx, struct cdop_bytes note)
{
	enum exit_code code;
	bool has;

	code = witness_has_signed(ctx, note, &has);
	return code != EXIT_OK || has
	    ? code
	    : cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		  "believe none of it, and tell the operator",
		  "the log has not signed this certificate");
}

static void
show_json(struct cmd_ctx *ctx, const Cdop__Destruction *d,
    const struct cdop_certificate_line *line, size_t n)
{
	json_t *object = print_envelope(ctx, "certificate.show", true);
	json_t *lines = json_array(), *one;
	size_t i;

	for (i = 0; i < n; i++) {
		one = json_pack(
		    "{s:s,s:s}", "word", line[i].word, "says", line[i].says);
		(void)json_array_append_new(lines, one);
	}
	(void)json_object_set_new(object, "line", lines);
	(void)json_object_set_new(object, "note",
	    json_stringn((const char *)d->note.data, d->note.len));
	print_json(object);
}

/* Number, when, by whom, the second person, and the label of a backup. */
static const char *
read_gone(struct cmd_ctx *ctx, const char *says)
{
	unsigned long long number, at, by, second;
	const char *text;
	int used = 0;

	if (sscanf(says, "%19llu %19llu %19llu %19llu %n", &number, &at, &by,
		&second, &used) != 4 ||
	    used == 0)
		return says;
	text = cdop_arena_printf(ctx->arena,
	    "backup %llu (%s), said on %s by person %llu and person %llu",
	    number, says + used, print_time(ctx->arena, at), by, second);
	return text != NULL ? text : says;
}

/* A number that a person reads as a key, or as a time; else as it is. */
static const char *
read_as(struct cmd_ctx *ctx, const char *word, const char *says)
{
	const bool is_time =
	    strcmp(word, "issued") == 0 || strcmp(word, "asked") == 0;
	const bool is_key = strcmp(word, "destroyed") == 0 ||
	    strcmp(word, "census") == 0 || strcmp(word, "case-key") == 0;
	unsigned long long number;
	const char *text;
	char *rest;

	if (strcmp(word, "said-destroyed") == 0)
		return read_gone(ctx, says);
	if (!is_time && !is_key)
		return says;
	errno = 0;
	number = strtoull(says, &rest, 10);
	if (errno != 0 || rest == says || (*rest != '\0' && *rest != ' '))
		return says;
	if (is_time)
		text = cdop_arena_printf(ctx->arena, "%s%s%s",
		    print_time(ctx->arena, number),
		    *rest == '\0' ? "" : ", by person", rest);
	else
		text = cdop_arena_printf(ctx->arena, "key %llu/%llu%s%s",
		    number >> 48, number & ((1ull << 48) - 1),
		    *rest == '\0' ? "" : ": ", *rest == '\0' ? "" : rest + 1);
	return text != NULL ? text : says;
}

/* Signed is each of them: the one that was asked for says its number. */
static enum exit_code
check_number(struct cmd_ctx *ctx, uint32_t number,
    const struct cdop_certificate_line *line, size_t n)
{
	const char *want = cdop_arena_printf(ctx->arena, "%" PRIu32, number);
	size_t i;

	for (i = 0; i < n && strcmp(line[i].word, "number") != 0; i++)
		;
	if (i < n && want != NULL && strcmp(line[i].says, want) == 0)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
	    "believe none of it, and tell the operator",
	    "certificate %" PRIu32 " was asked for, and this is number %s",
	    number, i < n ? print_one_line(ctx->arena, line[i].says) : "?");
}

static enum exit_code
show_one(struct cmd_ctx *ctx, const Cdop__Destruction *d, uint32_t number)
{
	struct cdop_bytes note = {d->note.data, d->note.len};
	struct cdop_certificate_line *line;
	bool names_backup = false;
	enum exit_code code;
	size_t i, n;

	if ((code = check_signature(ctx, note)) != EXIT_OK)
		return code;
	if (cdop_certificate_parse(note, ctx->arena, &line, &n) != CDOP_OK)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "that is no certificate that this cdop can read");
	if ((code = check_number(ctx, number, line, n)) != EXIT_OK)
		return code;
	if (ctx->g.json) {
		show_json(ctx, d, line, n);
		return EXIT_OK;
	}
	print_mode(ctx);
	print_out(ctx, "Signed by the log of this registry:");
	for (i = 0; i < n; i++) {
		names_backup = names_backup ||
		    strcmp(line[i].word, "backup") == 0 ||
		    strcmp(line[i].word, "backups") == 0;
		print_out(ctx, "  %-12s %s",
		    print_one_line(ctx->arena, line[i].word),
		    print_one_line(
			ctx->arena, read_as(ctx, line[i].word, line[i].says)));
	}
	print_out(ctx, "It proves nothing of what is called outside.");
	/* It is of its day; the list is of today. */
	if (names_backup)
		print_out(ctx,
		    "Which of these backups are said to be destroyed since "
		    "then: cdop backup list");
	return EXIT_OK;
}

static enum exit_code
run_show(struct cmd_ctx *ctx)
{
	Cdop__CertificateGetRequest request;
	Cdop__CertificateGetReply *reply;
	enum exit_code code;
	uint64_t number;

	cdop__certificate_get_request__init(&request);
	code = cmd_number(ctx, "NUMBER", ctx->pos[0], UINT32_MAX, &number);
	if (code != EXIT_OK)
		return code;
	request.has_number = true;
	request.number = (uint32_t)number;
	if ((code = call_certificate_get(ctx, &request, &reply)) != EXIT_OK)
		return code;
	if (reply->n_certificate != 1 || !reply->certificate[0]->has_note)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the answer has no certificate");
	return show_one(ctx, reply->certificate[0], request.number);
}

static const struct cmd_opt erase_opts[] = {
    {"--reason", "WORD", "court_order, subject_request, retention_ended, ...",
	false},
    {"--seen", "N", "the version you saw (of the last case show)", false},
    {"--yes", NULL, "do not ask", false}, {NULL, NULL, NULL, false}};

const struct cmd cmd_certificate_rows[] = {
    {"case erase", "REF", "erase a case for ever; takes a custodian",
	"The reason is one word: court_order, subject_request, "
	"retention_ended,\nnot_a_case or other. A custodian approves it, who "
	"is shown the reference and\nthat no hold is on it. The certificate "
	"follows when the area's key has turned\nand the store is copied.",
	"  cdop case erase K7M4-QX2Q --reason court_order", erase_opts, 1, 1, 0,
	"case", run_erase},
    {"certificate list", "", "what was destroyed, and what is proved of it",
	NULL, "  cdop certificate list", NULL, 0, 0, 0, NULL, run_list},
    {"certificate show", "NUMBER", "a certificate of destruction",
	"It names the backups that still hold what was destroyed, and what "
	"it does not\nprove. There is none before the store has been copied.",
	"  cdop certificate show 3", NULL, 1, 1, 0, NULL, run_show},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};
