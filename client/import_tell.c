/* What is said of a file while it is sent, and at its end. */
#include "client/import_tell.h"

#include <string.h>

#include "client/json.h"
#include "client/print.h"

void
import_tell_progress(struct import *im)
{
	if (progress_is_due(&im->progress))
		progress_say(im->ctx, "%zu of %zu rows",
		    im->accepted + im->rejected, im->file.n_rows);
}

static json_t *
findings_json(const struct import_row *row)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < row->n_findings; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s,s:s}", "path", row->finding[i].path,
			"rule", row->finding[i].rule, "severity",
			row->finding[i].warning ? "warning" : "error",
			"message", row->finding[i].message));
	return list;
}

/* The envelope, with the call that row was. */
static json_t *
envelope(struct import *im, const struct import_row *row, bool ok)
{
	struct cmd_ctx *ctx = im->ctx;
	uint64_t request = ctx->request, leaf = ctx->leaf;
	json_t *object;

	ctx->request = row->call;
	ctx->leaf = row->leaf;
	object = print_envelope(ctx, "notify.row", ok);
	(void)json_object_set_new(object, "row", json_integer(row->number));
	ctx->request = request;
	ctx->leaf = leaf;
	return object;
}

static void
tell_rejected(struct import *im, const struct import_row *row)
{
	const struct cmd_finding *f;
	json_t *object;
	size_t i;

	if (im->ctx->g.json) {
		object = envelope(im, row, false);
		(void)json_object_set_new(
		    object, "findings", findings_json(row));
		print_json(object);
		return;
	}
	for (i = 0; i < row->n_findings; i++) {
		f = &row->finding[i];
		print_out(im->ctx, "%s: row %u: %s%s%s%s [%s]", im->file.path,
		    row->number, f->warning ? "WARNING " : "", f->path,
		    f->path[0] != '\0' ? ": " : "", f->message, f->rule);
	}
}

static bool
is_wanted_today(const Cdop__NotificationRegisterReply *reply)
{
	size_t i;

	for (i = 0; i < reply->n_missing; i++)
		if (strcmp(reply->missing[i]->when, "today") == 0)
			return true;
	return false;
}

static void
tell_accepted(struct import *im, const struct import_row *row)
{
	const Cdop__NotificationRegisterReply *reply = row->reply;
	const char *withdrawn;
	json_t *object;
	size_t i;

	if (is_wanted_today(reply)) {
		im->wanting++;
		im->unseen += reply->has_out_of_sight && reply->out_of_sight;
	}
	if (!im->ctx->g.json) {
		print_out(im->ctx, "%s: row %u: %s %s%s%s%s", im->file.path,
		    row->number,
		    row->n.dry_run && !row->replayed ? "would be accepted"
			: reply->has_joined && reply->joined ? "joined to"
							     : "registered",
		    reply->reference != NULL ? reply->reference : "",
		    reply->owner_words != NULL ? "  owner: " : "",
		    notify_owner(reply),
		    row->replayed ? "  (it had arrived)" : "");
		withdrawn = notify_withdrawn(im->ctx, reply);
		if (withdrawn[0] != '\0')
			print_out(im->ctx, "%s: row %u: %s", im->file.path,
			    row->number, withdrawn);
		for (i = 0; i < reply->n_forward_to; i++)
			print_out(im->ctx, "%s: row %u: to forward to: %s",
			    im->file.path, row->number, reply->forward_to[i]);
		return;
	}
	object = envelope(im, row, true);
	(void)json_object_set_new(
	    object, "replayed", json_boolean(row->replayed));
	json_merge(im->ctx, object, &reply->base);
	print_json(object);
}

static void
tell_open(struct import *im, const struct import_row *row)
{
	const char *why = row->open != NULL ? row->open : "";
	json_t *object;

	if (!im->ctx->g.json) {
		print_out(im->ctx, "%s: row %u: not taken yet: %s",
		    im->file.path, row->number, why);
		return;
	}
	object = envelope(im, row, false);
	(void)json_object_set_new(object, "open", json_string(why));
	print_json(object);
}

/* False: it is not known yet what became of it. */
static bool
tell(struct import *im, const struct import_row *row)
{
	if (row->state == IMPORT_ACCEPTED)
		tell_accepted(im, row);
	else if (row->state == IMPORT_REJECTED && im->told < im->next)
		tell_rejected(im, row);
	else if (row->state == IMPORT_OPEN)
		tell_open(im, row);
	else
		return false;
	return true;
}

/*
 * Answers come in any order; they are told in the order of the file.  What it
 * takes to tell of one is given back: as JSON it is tens of kilobytes.
 */
void
import_tell(struct import *im)
{
	size_t used;

	for (; im->told < im->file.n_rows; im->told++) {
		used = cdop_arena_used(im->ctx->arena);
		if (!tell(im, &im->file.row[im->told]))
			return;
		cdop_arena_rewind(im->ctx->arena, used);
	}
}

/* Where somebody can go on from here. */
static void
tell_wanting(struct import *im)
{
	size_t seen = im->wanting - im->unseen;

	if (cmd_flag(im->ctx, "--dry-run")) {
		if (im->wanting > 0)
			print_out(im->ctx,
			    "something is missing today in %zu of them: say "
			    "in the file what is known",
			    im->wanting);
		return;
	}
	if (seen > 0)
		print_out(im->ctx,
		    "something is missing today in %zu of them: cdop case "
		    "show REF",
		    seen);
	if (im->unseen > 0)
		print_out(im->ctx,
		    "something is missing today in %zu that you may not see: "
		    "the owner's coordinators go on with them",
		    im->unseen);
}

void
import_tell_sum(struct import *im, const char *path, size_t left)
{
	struct cmd_ctx *ctx = im->ctx;
	json_t *object;

	if (!ctx->g.json) {
		print_out(ctx, "%zu %s, %zu not%s%s%s%s", im->accepted,
		    cmd_flag(ctx, "--dry-run") ? "would be accepted"
					       : "accepted",
		    im->rejected, path != NULL ? " (" : "",
		    path != NULL ? path : "",
		    path != NULL
			? ", only you can read it: delete it when done)"
			: "",
		    left == 0 ? ""
			      : cdop_arena_printf(ctx->arena,
				    "; %zu not sent, or not answered", left));
		tell_wanting(im);
		if (im->file.n_rows == 0)
			print_note(ctx,
			    "there is no row in %s: nothing was sent",
			    im->file.path);
		return;
	}
	object = print_envelope(ctx, "notify.row", im->rejected + left == 0);
	(void)json_object_update_new(object,
	    json_pack("{s:I,s:I,s:I,s:I,s:s?,s:b,s:I}", "accepted",
		(json_int_t)im->accepted, "rejected", (json_int_t)im->rejected,
		"missing_today", (json_int_t)im->wanting, "open",
		(json_int_t)left, "rejects", path, "end", 1, "count",
		(json_int_t)(im->accepted + im->rejected)));
	print_json(object);
}
