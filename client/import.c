/* Sending a file: several rows on the way, every answer to its row. */
#include "client/import.h"

#include <string.h>
#include <time.h>

#include "client/call.h"
#include "client/import_keys.h"
#include "client/import_read.h"
#include "client/import_rejects.h"
#include "client/import_row.h"
#include "client/import_tell.h"
#include "client/kept.h"
#include "client/print.h"
#include "client/receipt.h"
#include "client/session.h"
#include "client/show.h"
#include "client/spool.h"
#include "client/term.h"

#define WINDOW     24 /* rows on the way at a time */
#define TRIES      5
#define RECONNECTS 8
#define PAUSE_NS   500000000
#define GRACE_MS   2000

/* ---- sending ----------------------------------------------------- */

/* stdin cannot be read again: its rows are kept like single requests. */
static enum exit_code
keep_row(struct import *im, struct import_row *row, struct cdop_bytes body)
{
	Cdop__ClientRequest r;

	if (!im->file.is_stdin || row->n.dry_run)
		return EXIT_OK;
	cdop__client_request__init(&r);
	r.method = CDOP_CALL_NotificationRegister;
	r.request_key.data = row->n.key;
	r.request_key.len = sizeof(row->n.key);
	memcpy(&r.body.data, &body.data, sizeof(r.body.data));
	r.body.len = body.len;
	memcpy(&r.purpose, &im->send.purpose, sizeof(r.purpose));
	memcpy(&r.purpose_text, &im->send.purpose_text, sizeof(r.purpose_text));
	r.at_ms = (uint64_t)time(NULL) * 1000;
	memcpy(&r.words, &im->ctx->cmd->words, sizeof(r.words));
	r.has_sent = true;
	r.sent = true;
	return spool_put(im->ctx, &r);
}

/* The call of a row: the same bytes whenever it is made. */
static enum exit_code
make_call(struct import *im, struct import_row *row, struct call_send *ret_send)
{
	Cdop__NotificationRegisterRequest request;
	uint8_t *packed;

	*ret_send = im->send;
	notify_request(&row->n, &request);
	ret_send->body.len =
	    cdop__notification_register_request__get_packed_size(&request);
	packed = cdop_arena_alloc(im->ctx->arena, ret_send->body.len);
	if (packed == NULL)
		return cmd_no_memory(im->ctx);
	(void)cdop__notification_register_request__pack(&request, packed);
	ret_send->body.data = packed;
	ret_send->request_key = row->n.key;
	ret_send->dry = row->n.dry_run;
	return EXIT_OK;
}

static enum exit_code
send_row(struct import *im, struct import_row *row)
{
	struct call_send send;
	enum exit_code code;
	enum conn_end end;
	size_t used;

	overrides_prune(im->ctx, &row->n.overrides, row->n.form);
	used = cdop_arena_used(im->ctx->arena);
	if ((code = make_call(im, row, &send)) != EXIT_OK)
		return code;
	if ((code = keep_row(im, row, send.body)) != EXIT_OK)
		return code;
	end = call_begin(im->ctx, &send);
	row->call = send.id;
	row->state = IMPORT_SENT;
	row->tries++;
	im->on_the_way++;
	if (end != CONN_OK)
		return call_lost(im->ctx, send.method, end);
	/* There are thousands of them: it is on its way, or can be made again.
	 */
	cdop_arena_rewind(im->ctx->arena, used);
	return EXIT_OK;
}

/* Fills the window; rows that are no notification never leave. */
static enum exit_code
send_some(struct import *im)
{
	enum exit_code code = EXIT_OK;
	struct import_row *row;

	while (code == EXIT_OK && im->on_the_way < WINDOW &&
	    im->next < im->file.n_rows && !im->halt && !term_is_stopped()) {
		row = &im->file.row[im->next++];
		if (row->state == IMPORT_REJECTED)
			im->rejected++;
		else if (row->state == IMPORT_ACCEPTED)
			im->accepted++; /* long ago: its key is forgotten */
		else
			code = send_row(im, row);
	}
	import_tell(im);
	return code;
}

/* ---- answers ----------------------------------------------------- */

static struct import_row *
row_of(struct import *im, uint64_t call)
{
	size_t i;

	for (i = im->next; i > 0; i--)
		if (im->file.row[i - 1].call == call &&
		    im->file.row[i - 1].state == IMPORT_SENT)
			return &im->file.row[i - 1];
	return NULL;
}

static void
reject_duplicate(struct import *im, struct import_row *row,
    const Cdop__NotificationRegisterReply *reply)
{
	const char *words = "possible duplicate";
	const Cdop__Candidate *c;
	size_t i;

	for (i = 0; reply != NULL && i < reply->n_candidate; i++) {
		c = reply->candidate[i];
		words = cdop_arena_printf(im->ctx->arena, "%s%s %s (%s)", words,
		    i == 0 ? " of" : ",", c->reference,
		    show_joined(im->ctx, c->reason, c->n_reason, "; "));
	}
	words = cdop_arena_printf(im->ctx->arena,
	    "%s. Decide: decision=join:REF, new:twin or new:other, with "
	    "decision_reason",
	    words);
	import_row_reject_word(im->ctx, row, "duplicate.undecided", words);
}

/* It has not been looked at, so it is no reject. */
static void
leave_open(struct import *im, struct import_row *row, enum exit_code code)
{
	const struct cmd_error *error = &im->ctx->error;

	row->state = IMPORT_OPEN;
	row->open = error->message;
	/* What failed on one row says nothing about the others. */
	if (error->reason == NULL || strcmp(error->reason, "failed") != 0)
		im->halt = true;
	if (im->later != EXIT_OK)
		return;
	im->later = code;
	im->later_error = *error;
}

/* What the registry said about a row.  *ret_again: it is to be sent again. */
static void
judge(struct import *im, struct import_row *row, const Cdop__Reply *reply,
    bool *ret_again)
{
	struct cmd_ctx *ctx = im->ctx;
	const Cdop__NotificationRegisterReply *body;
	enum exit_code code;

	body = (const Cdop__NotificationRegisterReply *)call_body(
	    ctx, im->send.method, reply);
	memset(&ctx->error, 0, sizeof(ctx->error));
	code = call_judge(ctx, im->send.method, reply);
	row->leaf = ctx->leaf;
	*ret_again = false;
	if (code == EXIT_OK && body != NULL) {
		row->state = IMPORT_ACCEPTED;
		row->reference = body->reference;
		im->accepted++;
		row->reply = body;
		row->replayed = reply->has_replayed && reply->replayed;
	} else if (code != EXIT_OK && kept_is_open(ctx, code)) {
		leave_open(im, row, code);
	} else if (code == EXIT_DUPLICATE && body != NULL &&
	    import_row_decide(ctx, row, body->candidate, body->n_candidate)) {
		*ret_again = true;
	} else if (code == EXIT_DUPLICATE) {
		reject_duplicate(im, row, body);
	} else if (ctx->error.n_findings > 0 &&
	    import_row_accept(
		ctx, row, ctx->error.finding, ctx->error.n_findings)) {
		*ret_again = true;
	} else if (ctx->error.n_findings > 0) {
		import_row_reject(
		    row, ctx->error.finding, ctx->error.n_findings);
	} else {
		import_row_reject_word(ctx, row,
		    reply->reason != NULL ? reply->reason : exit_reason(code),
		    ctx->error.message != NULL ? ctx->error.message
					       : "the answer is empty");
	}
	memset(&ctx->error, 0, sizeof(ctx->error));
}

/* The receipt of a row that was accepted; it takes more memory than the row. */
static enum exit_code
take_receipt(
    struct import *im, struct import_row *row, const Cdop__Reply *reply)
{
	const size_t used = cdop_arena_used(im->ctx->arena);
	struct call_send send;
	enum exit_code code;

	if (row->state != IMPORT_ACCEPTED)
		return EXIT_OK;
	code = make_call(im, row, &send);
	if (code == EXIT_OK)
		code = receipt_take(im->ctx, &send, reply);
	if (code == EXIT_OK)
		cdop_arena_rewind(im->ctx->arena, used);
	return code;
}

/* One answer.  A refusal of the whole session ends the import. */
static enum exit_code
take_answer(struct import *im)
{
	uint64_t by = conn_now_ms() + im->ctx->g.timeout_ms + GRACE_MS;
	struct import_row *row;
	Cdop__Reply *reply;
	enum exit_code code;
	enum conn_end end;
	bool again;

	end = call_next(im->ctx, by, &reply);
	if (end != CONN_OK)
		return call_lost(im->ctx, im->send.method, end);
	row = row_of(im, reply->id);
	if (row == NULL)
		return EXIT_OK;
	im->on_the_way--;
	if (reply->status == CDOP_UNAUTHENTICATED ||
	    reply->status == CDOP_PERMISSION_DENIED ||
	    reply->status == CDOP_UNAVAILABLE) {
		row->state = IMPORT_READY;
		return call_judge(im->ctx, im->send.method, reply);
	}
	judge(im, row, reply, &again);
	if (again) {
		code = import_keys_save(im->ctx, &im->file);
		return code == EXIT_OK ? send_row(im, row) : code;
	}
	if ((code = take_receipt(im, row, reply)) != EXIT_OK)
		return code;
	if (im->file.is_stdin && !row->n.dry_run &&
	    row->state == IMPORT_ACCEPTED)
		spool_applied(im->ctx, row->n.key);
	else if (im->file.is_stdin && !row->n.dry_run &&
	    row->state == IMPORT_REJECTED)
		spool_drop(im->ctx, row->n.key);
	if (row->state == IMPORT_REJECTED)
		im->rejected++;
	import_tell(im);
	import_tell_progress(im);
	return EXIT_OK;
}

/* ---- all --------------------------------------------------------- */

/* The rows of the file that was read, each with its key. */
static enum exit_code
prepare(struct import *im, const struct cdop_profile *profile)
{
	struct cmd_ctx *ctx = im->ctx;
	enum exit_code code;
	size_t i;

	/* The registry's clock dates the keys of the rows. */
	if ((code = session_open(ctx)) != EXIT_OK)
		return code;
	code = import_keys_take(ctx, &im->file);
	if (code == EXIT_OK)
		code = import_rejects_check(ctx, &im->file);
	for (i = 0; i < im->file.n_rows && code == EXIT_OK; i++)
		code =
		    import_row_read(ctx, profile, &im->file, &im->file.row[i]);
	if (code != EXIT_OK || (code = session_open(ctx)) != EXIT_OK)
		return code;
	im->send.method = call_method(CDOP_CALL_NotificationRegister);
	return call_prepare(ctx, &im->send);
}

/* A dead connection is opened again; keys make that safe. */
static enum exit_code
reconnect(struct import *im, enum exit_code code)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	size_t i;

	if (code != EXIT_OUTCOME && code != EXIT_AUTH)
		return code;
	session_hang_up(im->ctx);
	for (i = 0; i < im->next; i++)
		if (im->file.row[i].state == IMPORT_SENT)
			im->file.row[i].state = IMPORT_READY;
	im->on_the_way = 0;
	for (i = 0; i < RECONNECTS; i++) {
		code = session_open(im->ctx);
		if (code != EXIT_UNREACHABLE || term_is_stopped())
			break;
		(void)nanosleep(&pause, NULL);
	}
	return code;
}

static enum exit_code
send_left(struct import *im)
{
	enum exit_code code = EXIT_OK;
	size_t i;

	for (i = 0; i < im->next && code == EXIT_OK; i++)
		if (im->file.row[i].state == IMPORT_READY)
			code = send_row(im, &im->file.row[i]);
	return code;
}

static enum exit_code
send_all(struct import *im)
{
	enum exit_code code = EXIT_OK;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		code = send_left(im);
		while (code == EXIT_OK) {
			code = send_some(im);
			if (code != EXIT_OK || im->on_the_way == 0)
				break;
			code = take_answer(im);
		}
		if (code == EXIT_OK && im->later != EXIT_OK) {
			im->ctx->error = im->later_error;
			return im->later;
		}
		if (code == EXIT_OK || term_is_stopped())
			return code;
		if (tries + 1 < TRIES &&
		    (code = reconnect(im, code)) != EXIT_OK)
			return code;
	}
	return code;
}

/* The file of those that were not taken.  *ret_path: somebody's to delete. */
static enum exit_code
rejects(struct import *im, size_t left, const char **ret_path)
{
	struct cmd_ctx *ctx = im->ctx;
	enum exit_code code = EXIT_OK;

	if (cmd_flag(ctx, "--dry-run"))
		return EXIT_OK;
	if (left > 0 && import_rejects_is_input(ctx, &im->file))
		return EXIT_OK; /* it has rows that never left */
	if (im->rejected > 0)
		code = import_rejects_write(ctx, &im->file, ret_path);
	else if (left == 0)
		*ret_path = import_rejects_done(ctx, &im->file);
	return code == EXIT_OK ? import_keys_save(ctx, &im->file) : code;
}

/*
 * How it goes on, after what is to be done first.  Of stdin there is no more
 * than the requests that were kept: whoever has the rest sends it.
 */
static const char *
go_on(const struct import *im, const char *first)
{
	struct cdop_arena *arena = im->ctx->arena;
	const char *words = "the same command again: no row is taken twice";

	if (im->file.is_stdin && im->next < im->file.n_rows)
		words = cdop_arena_printf(arena,
		    "cdop retry, and send the rows from row %u on, which were "
		    "not sent",
		    im->file.row[im->next].number);
	else if (im->file.is_stdin)
		words = "cdop retry";
	/* That of one lost call speaks of that call. */
	if (first == NULL || strncmp(first, "cdop retry", 10) == 0)
		return words;
	return cdop_arena_printf(arena, "%s; then %s", first, words);
}

static enum exit_code
conclude(struct import *im, enum exit_code code)
{
	struct cmd_ctx *ctx = im->ctx;
	struct cmd_error error = ctx->error;
	const char *path = NULL;
	size_t left = im->file.n_rows - im->accepted - im->rejected;
	enum exit_code kept;

	kept = import_keys_save(ctx, &im->file);
	if (kept == EXIT_OK)
		kept = rejects(im, left, &path);
	if (kept != EXIT_OK && code == EXIT_OK)
		return kept;
	ctx->error = error;
	if (code == EXIT_OK && left > 0)
		code = cmd_fail(ctx, EXIT_STOPPED, NULL, NULL, "stopped");
	import_tell_sum(im, path, left);
	if (code != EXIT_OK && left > 0) {
		ctx->error.next = go_on(im, ctx->error.next);
		return code;
	}
	if (code != EXIT_OK)
		return code;
	if (im->rejected > 0)
		return cmd_fail(ctx, EXIT_PARTIAL, NULL,
		    path != NULL ? "correct the rejects file and send it"
				 : NULL,
		    "%zu row%s not accepted", im->rejected,
		    im->rejected == 1 ? " was" : "s were");
	return EXIT_OK;
}

static enum exit_code
run(struct import *im, const struct cdop_profile *profile)
{
	enum exit_code code;

	if ((code = prepare(im, profile)) != EXIT_OK)
		return code;
	print_mode(im->ctx);
	code = send_all(im);
	import_tell(im);
	return conclude(im, code);
}

enum exit_code
import_run(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, const char *path)
{
	static struct import im; /* over the limit of a frame */
	enum exit_code code;
	struct lock lock;

	memset(&im, 0, sizeof(im));
	im.ctx = ctx;
	progress_begin(&im.progress);
	if ((code = import_read(ctx, path, &im.file)) != EXIT_OK)
		return code;
	if (im.file.is_stdin) /* its keys are of this run alone */
		return run(&im, profile);
	if ((code = import_keys_lock(ctx, &im.file, &lock)) != EXIT_OK)
		return code;
	code = run(&im, profile);
	lock_drop(&lock, true);
	return code;
}
