/* The file of versions that were shown. */
#include "client/seen.h"

#include <string.h>

#include "cdop/limits.h"
#include "client.pb-c.h"
#include "client/call.h"
#include "client/file.h"
#include "client/print.h"
#include "client/sealed.h"
#include "client/session.h"

#define FORMS_MAX 64 /* notifications of one case */

static const struct sealed_kind kind = {"cdop-seen/1\n\0\0\0\0",
    "cdop-spool/1 seen", &cdop__client_seen__descriptor};

static const char *
path_of(struct cmd_ctx *ctx)
{
	return cdop_arena_printf(
	    ctx->arena, "%s/seen", ctx->session->context.state);
}

/* What is kept, with room for one more case; empty where nothing is. */
static Cdop__ClientSeen *
load(struct cmd_ctx *ctx)
{
	ProtobufCMessage *message = NULL;
	const char *path = path_of(ctx);
	Cdop__ClientSeenCase **list;
	Cdop__ClientSeen *kept;

	list = cdop_arena_calloc(
	    ctx->arena, CDOP_SEEN_CASES_MAX + 1, sizeof(*list));
	kept = cdop_arena_alloc(ctx->arena, sizeof(*kept));
	if (path == NULL || list == NULL || kept == NULL)
		return NULL;
	cdop__client_seen__init(kept);
	/* What cannot be opened was never shown to this device. */
	if (sealed_read(ctx, &kind, path, &message) == CDOP_OK) {
		*kept = *(const Cdop__ClientSeen *)message;
		if (kept->n_seen > CDOP_SEEN_CASES_MAX)
			kept->n_seen = CDOP_SEEN_CASES_MAX;
		if (kept->n_seen > 0)
			memcpy(list, kept->seen, kept->n_seen * sizeof(*list));
	}
	kept->seen = list;
	return kept;
}

static size_t
find(const Cdop__ClientSeen *kept, const char *reference)
{
	size_t i;

	for (i = 0; i < kept->n_seen; i++)
		if (strcmp(kept->seen[i]->reference, reference) == 0)
			break;
	return i;
}

static uint64_t
version_in(const Cdop__ClientSeenCase *seen, enum seen_part part,
    uint32_t notification)
{
	size_t i;

	if (part == SEEN_STATE)
		return seen->has_state ? seen->state : 0;
	if (part == SEEN_RECORD)
		return seen->has_record ? seen->record : 0;
	for (i = 0; i < seen->n_notification; i++)
		if (seen->notification[i]->number == notification)
			return seen->notification[i]->version;
	return 0;
}

uint64_t
seen_version(struct cmd_ctx *ctx, const char *reference, enum seen_part part,
    uint32_t notification)
{
	const Cdop__ClientSeen *kept = load(ctx);
	size_t i;

	if (kept == NULL || (i = find(kept, reference)) == kept->n_seen)
		return 0;
	return version_in(kept->seen[i], part, notification);
}

/* The entry of a case, moved to the front; a new one where there is none. */
static Cdop__ClientSeenCase *
take(struct cmd_ctx *ctx, Cdop__ClientSeen *kept, const char *reference)
{
	size_t i = find(kept, reference);
	Cdop__ClientSeenCase *seen;
	Cdop__ClientSeenForm **forms;

	seen = i < kept->n_seen ? kept->seen[i] : NULL;
	if (seen == NULL) {
		seen = cdop_arena_alloc(ctx->arena, sizeof(*seen));
		if (seen == NULL)
			return NULL;
		cdop__client_seen_case__init(seen);
		seen->reference = cdop_arena_strdup(ctx->arena, reference);
		if (seen->reference == NULL)
			return NULL;
		kept->n_seen++;
	}
	forms = cdop_arena_calloc(ctx->arena, FORMS_MAX, sizeof(*forms));
	if (forms == NULL)
		return NULL;
	if (seen->n_notification > FORMS_MAX)
		seen->n_notification = FORMS_MAX;
	if (seen->n_notification > 0)
		memcpy(forms, seen->notification,
		    seen->n_notification * sizeof(*forms));
	seen->notification = forms;
	memmove(kept->seen + 1, kept->seen, i * sizeof(*kept->seen));
	kept->seen[0] = seen;
	if (kept->n_seen > CDOP_SEEN_CASES_MAX)
		kept->n_seen = CDOP_SEEN_CASES_MAX;
	return seen;
}

static void
put_notification(struct cmd_ctx *ctx, Cdop__ClientSeenCase *seen,
    uint32_t number, uint64_t version)
{
	Cdop__ClientSeenForm *form;
	size_t i;

	for (i = 0; i < seen->n_notification; i++)
		if (seen->notification[i]->number == number)
			break;
	form = cdop_arena_alloc(ctx->arena, sizeof(*form));
	if (form == NULL || i == FORMS_MAX)
		return; /* it is asked about, when it is to be corrected */
	cdop__client_seen_form__init(form);
	form->number = number;
	form->version = version;
	seen->notification[i] = form;
	seen->n_notification += i == seen->n_notification;
}

static void
put(Cdop__ClientSeenCase *seen, enum seen_part part, uint64_t version)
{
	if (part == SEEN_STATE) {
		seen->has_state = true;
		seen->state = version;
	} else if (part == SEEN_RECORD) {
		seen->has_record = true;
		seen->record = version;
	}
}

/*
 * Reads, changes and writes the file while no other process does.  What is
 * not remembered is asked about later: no reason to fail now.
 */
static Cdop__ClientSeen *
begin(struct cmd_ctx *ctx)
{
	struct cmd_error error = ctx->error;
	Cdop__ClientSeen *kept;

	if (session_hold(ctx) != EXIT_OK) {
		ctx->error = error;
		return NULL;
	}
	if ((kept = load(ctx)) == NULL)
		session_release(ctx);
	return kept;
}

static void
finish(struct cmd_ctx *ctx, const Cdop__ClientSeen *kept)
{
	const char *path = path_of(ctx);

	if (path == NULL ||
	    file_make_dir(ctx->session->context.state) != CDOP_OK ||
	    sealed_write(ctx, &kind, path, &kept->base) != CDOP_OK)
		print_note(ctx,
		    "which version was shown cannot be remembered on this "
		    "computer");
	session_release(ctx);
}

void
seen_case(struct cmd_ctx *ctx, const Cdop__Case *shown, bool newest)
{
	Cdop__ClientSeen *kept = begin(ctx);
	Cdop__ClientSeenCase *seen;
	const Cdop__FormInstance *form;
	size_t i;

	if (kept == NULL)
		return;
	seen = take(ctx, kept, shown->reference);
	if (seen != NULL) {
		put(seen, SEEN_STATE, shown->version);
		if (newest && shown->record != NULL)
			put(seen, SEEN_RECORD, shown->record->version);
		/* Beside a record they are the newest; one alone may be old. */
		for (i = 0; (newest || shown->record != NULL) &&
		     i < shown->n_notification;
		     i++) {
			form = shown->notification[i];
			if (form->form != NULL) /* not its head alone */
				put_notification(
				    ctx, seen, form->number, form->version);
		}
	}
	finish(ctx, kept);
}

/* ---- one's own changes ------------------------------------------- */

static void
registered(struct cmd_ctx *ctx, Cdop__ClientSeen *kept,
    const Cdop__NotificationRegisterReply *reply)
{
	Cdop__ClientSeenCase *seen;

	/* Joined to a case, one has seen nothing of the rest of it. */
	if (reply->reference == NULL || (reply->has_joined && reply->joined) ||
	    (reply->has_dry_run && reply->dry_run) ||
	    (seen = take(ctx, kept, reply->reference)) == NULL)
		return;
	put(seen, SEEN_STATE, 1);
	put(seen, SEEN_RECORD, 1);
	put_notification(ctx, seen, 1, 1);
}

static uint32_t
corrected_number(struct cmd_ctx *ctx, struct cdop_bytes body)
{
	const Cdop__NotificationCorrectRequest *request =
	    cdop__notification_correct_request__unpack(
		cdop_arena_allocator(ctx->arena), body.len, body.data);

	return request != NULL ? request->notification : 0;
}

static void
changed(struct cmd_ctx *ctx, Cdop__ClientSeen *kept, uint32_t method,
    struct cdop_bytes body, const Cdop__ChangeReply *reply)
{
	Cdop__ClientSeenCase *seen = take(ctx, kept, reply->reference);
	uint32_t number = 0;

	if (seen == NULL)
		return;
	if (method == CDOP_CALL_NotificationCorrect)
		number = corrected_number(ctx, body);
	if (number > 0)
		put_notification(ctx, seen, number, reply->version);
	else if (method == CDOP_CALL_CaseAmend)
		put(seen, SEEN_RECORD, reply->version);
	/* A link names no version: others may have changed it before. */
	else if ((method != CDOP_CALL_CaseLinkAdd &&
		     method != CDOP_CALL_CaseLinkEnd) ||
	    version_in(seen, SEEN_STATE, 0) + 1 == reply->version)
		put(seen, SEEN_STATE, reply->version);
}

void
seen_applied(struct cmd_ctx *ctx, uint32_t method, struct cdop_bytes body,
    const ProtobufCMessage *reply)
{
	const struct call_method *m = call_method(method);
	Cdop__ClientSeen *kept;

	if (m == NULL || reply == NULL ||
	    (method != CDOP_CALL_NotificationRegister &&
		m->reply != &cdop__change_reply__descriptor))
		return;
	if ((kept = begin(ctx)) == NULL)
		return;
	if (method == CDOP_CALL_NotificationRegister)
		registered(
		    ctx, kept, (const Cdop__NotificationRegisterReply *)reply);
	else
		changed(
		    ctx, kept, method, body, (const Cdop__ChangeReply *)reply);
	finish(ctx, kept);
}
