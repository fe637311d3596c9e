/* Requests and drafts in the state folder. */
#include "client/spool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/file.h"
#include "client/print.h"
#include "client/sealed.h"
#include "client/session.h"

/* A day before the registry refuses it. */
#define OLD_MS   ((uint64_t)(CDOP_REQUEST_KEY_DAYS - 1) * 24 * 60 * 60 * 1000)
#define DATE_LEN 6

#define DRAFTS_MAX 9999

static const struct sealed_kind request_kind = {"cdop-request/1\n\0",
    "cdop-spool/1 request", &cdop__client_request__descriptor};
static const struct sealed_kind draft_kind = {"cdop-draft/1\n\0\0\0",
    "cdop-spool/1 draft", &cdop__client_draft__descriptor};

/* ---- keys -------------------------------------------------------- */

static uint64_t
now_ms(const struct cmd_ctx *ctx)
{
	struct timespec ts;

	if (ctx->session != NULL && ctx->session->welcome != NULL)
		return ctx->session->welcome->now_ms;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
date(const struct cmd_ctx *ctx, uint8_t key[static CDOP_REQUEST_KEY_LEN])
{
	uint8_t ms[8];

	cdop_put64(ms, now_ms(ctx));
	memcpy(key, ms + 2, DATE_LEN);
}

void
spool_new_key(
    const struct cmd_ctx *ctx, uint8_t out[static CDOP_REQUEST_KEY_LEN])
{
	date(ctx, out);
	cdop_secret_random(out + DATE_LEN, CDOP_REQUEST_KEY_LEN - DATE_LEN);
}

bool
spool_key_is_old(
    const struct cmd_ctx *ctx, const uint8_t key[static CDOP_REQUEST_KEY_LEN])
{
	uint8_t ms[8] = {0};

	memcpy(ms + 2, key, DATE_LEN);
	return cdop_get64(ms) + OLD_MS < now_ms(ctx);
}

bool
spool_is_same(const uint8_t one[static CDOP_REQUEST_KEY_LEN],
    const uint8_t two[static CDOP_REQUEST_KEY_LEN])
{
	return memcmp(one + DATE_LEN, two + DATE_LEN,
		   CDOP_REQUEST_KEY_LEN - DATE_LEN) == 0;
}

/* The name of a request's file is its key in hex. */
static bool
key_in_name(const char *path, uint8_t out[static CDOP_REQUEST_KEY_LEN])
{
	const char *slash = strrchr(path, '/');
	char digits[3] = "";
	size_t i;

	slash = slash == NULL ? path : slash + 1;
	if (strspn(slash, "0123456789abcdef") != 2 * CDOP_REQUEST_KEY_LEN)
		return false;
	for (i = 0; i < CDOP_REQUEST_KEY_LEN; i++) {
		memcpy(digits, slash + 2 * i, 2);
		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return true;
}

enum exit_code
spool_date_key(struct cmd_ctx *ctx, uint8_t key[static CDOP_REQUEST_KEY_LEN])
{
	struct spool_list list = {NULL, 0};
	uint8_t kept[CDOP_REQUEST_KEY_LEN];
	enum exit_code code;
	size_t i;

	if ((code = spool_requests(ctx, &list)) != EXIT_OK)
		return code;
	for (i = 0; i < list.n; i++)
		if (key_in_name(list.path[i], kept) &&
		    spool_is_same(kept, key)) {
			memcpy(key, kept, sizeof(kept));
			return EXIT_OK;
		}
	date(ctx, key);
	return EXIT_OK;
}

static const char *
folder(struct cmd_ctx *ctx, const char *name)
{
	return cdop_arena_printf(
	    ctx->arena, "%s/%s", ctx->session->context.state, name);
}

static enum exit_code
cannot_keep(struct cmd_ctx *ctx, enum cdop_err err)
{
	return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
	    "is the disk full?  nothing was sent",
	    "what you typed cannot be kept on this computer (%s)",
	    cdop_err_name(err));
}

static const char *
request_path(struct cmd_ctx *ctx, const uint8_t *key)
{
	struct cdop_bytes k = {key, CDOP_REQUEST_KEY_LEN};

	return cdop_arena_printf(ctx->arena, "%s/%s.request",
	    folder(ctx, "requests"), print_hex(ctx->arena, k));
}

enum exit_code
spool_put(struct cmd_ctx *ctx, const Cdop__ClientRequest *request)
{
	const char *path = request_path(ctx, request->request_key.data);
	enum cdop_err err = file_make_dir(folder(ctx, "requests"));

	if (err == CDOP_OK)
		err = sealed_write(ctx, &request_kind, path, &request->base);
	return err == CDOP_OK ? EXIT_OK : cannot_keep(ctx, err);
}

void
spool_drop(struct cmd_ctx *ctx, const uint8_t key[static CDOP_REQUEST_KEY_LEN])
{
	/* If it stays, retry sends it again and gets the same answer. */
	if (file_remove(request_path(ctx, key)) != CDOP_OK)
		print_note(ctx,
		    "a sent request could not be removed from "
		    "this computer");
}

/* Days; 0 where there is no profile to ask. */
static unsigned
days(struct cmd_ctx *ctx)
{
	const struct cdop_profile *profile;
	struct cmd_error error = ctx->error;
	unsigned n = 0;

	if (session_profile(ctx, &profile) == EXIT_OK)
		n = profile->spool_days;
	ctx->error = error;
	return n;
}

void
spool_applied(
    struct cmd_ctx *ctx, const uint8_t key[static CDOP_REQUEST_KEY_LEN])
{
	const char *path = request_path(ctx, key), *kept;
	struct cdop_bytes k = {key, CDOP_REQUEST_KEY_LEN};

	if (days(ctx) == 0) {
		spool_drop(ctx, key);
		return;
	}
	kept = cdop_arena_printf(ctx->arena, "%s/%s.request",
	    folder(ctx, "sent"), print_hex(ctx->arena, k));
	if (path == NULL || kept == NULL ||
	    file_make_dir(folder(ctx, "sent")) != CDOP_OK ||
	    file_move(path, kept) != CDOP_OK)
		print_note(
		    ctx, "a sent request could not be kept on this computer");
}

/* When it was sent: a file keeps its time when it is moved. */
void
spool_tidy(struct cmd_ctx *ctx)
{
	struct spool_list kept = {NULL, 0};
	struct cmd_error error = ctx->error;
	time_t now = time(NULL), age;
	size_t i;

	if (file_exists(folder(ctx, "sent")) &&
	    spool_sent(ctx, &kept) == EXIT_OK && kept.n > 0) {
		age = (time_t)days(ctx) * 24 * 60 * 60;
		for (i = 0; i < kept.n; i++)
			if (file_time(kept.path[i]) + age <= now &&
			    file_remove(kept.path[i]) != CDOP_OK)
				print_note(ctx,
				    "a sent request could not be removed from "
				    "this computer");
	}
	ctx->error = error;
}

static enum exit_code
list(struct cmd_ctx *ctx, const char *name, const char *suffix,
    struct spool_list *ret)
{
	const char *dir = folder(ctx, name);
	size_t i;

	if (file_list(dir, suffix, ctx->arena, &ret->path, &ret->n) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the folder %s cannot be read", dir);
	for (i = 0; i < ret->n; i++)
		ret->path[i] =
		    cdop_arena_printf(ctx->arena, "%s/%s", dir, ret->path[i]);
	return EXIT_OK;
}

enum exit_code
spool_requests(struct cmd_ctx *ctx, struct spool_list *ret)
{
	return list(ctx, "requests", ".request", ret);
}

enum exit_code
spool_drafts(struct cmd_ctx *ctx, struct spool_list *ret)
{
	return list(ctx, "drafts", ".draft", ret);
}

enum exit_code
spool_sent(struct cmd_ctx *ctx, struct spool_list *ret)
{
	return list(ctx, "sent", ".request", ret);
}

static enum exit_code
get(struct cmd_ctx *ctx, const struct sealed_kind *kind, const char *path,
    ProtobufCMessage **ret)
{
	enum cdop_err err = sealed_read(ctx, kind, path, ret);

	if (err == CDOP_OK)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
	    "it was made with another key of this computer, or is damaged",
	    "a kept entry cannot be opened: %s", strrchr(path, '/') + 1);
}

enum exit_code
spool_get(
    struct cmd_ctx *ctx, const char *path, Cdop__ClientRequest **ret_request)
{
	ProtobufCMessage *message = NULL;
	enum exit_code code = get(ctx, &request_kind, path, &message);
	uint8_t name[CDOP_REQUEST_KEY_LEN];
	Cdop__ClientRequest *r;

	if (code != EXIT_OK)
		return code;
	r = (Cdop__ClientRequest *)message;
	*ret_request = r;
	if (r->request_key.len != CDOP_REQUEST_KEY_LEN)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "a kept entry has no request key");
	/* Dated anew, and cut off before that was written (spool_begin). */
	if ((!r->sent || r->has_refused_ms) && key_in_name(path, name) &&
	    spool_is_same(name, r->request_key.data))
		memcpy(r->request_key.data, name, sizeof(name));
	return EXIT_OK;
}

/* As it is now: another process may have sent it since it was read. */
static enum exit_code
read_again(struct cmd_ctx *ctx, Cdop__ClientRequest *r)
{
	const char *path = request_path(ctx, r->request_key.data);
	Cdop__ClientRequest *now;
	enum exit_code code;

	if (path == NULL || !file_exists(path))
		return cmd_fail(ctx, EXIT_UNREACHABLE, "busy",
		    "cdop retry --list",
		    "another cdop on this computer has taken it up");
	if ((code = spool_get(ctx, path, &now)) != EXIT_OK)
		return code;
	r->has_sent = now->has_sent;
	r->sent = now->sent;
	return EXIT_OK;
}

static enum exit_code
begin(struct cmd_ctx *ctx, Cdop__ClientRequest *r, bool anew)
{
	const char *from = request_path(ctx, r->request_key.data), *to;
	enum exit_code code;

	if ((code = read_again(ctx, r)) != EXIT_OK)
		return code;
	if (r->has_sent && r->sent && !anew)
		return EXIT_OK;
	date(ctx, r->request_key.data);
	to = request_path(ctx, r->request_key.data);
	/* First the name, so that it is never there twice. */
	if (file_move(from, to) != CDOP_OK)
		return cannot_keep(ctx, CDOP_UNAVAILABLE);
	r->has_sent = true;
	r->sent = true;
	return spool_put(ctx, r);
}

enum exit_code
spool_begin(struct cmd_ctx *ctx, Cdop__ClientRequest *r, bool anew)
{
	enum exit_code code;

	if (r->has_sent && r->sent && !anew)
		return EXIT_OK;
	/* Two that date it are two requests to the registry. */
	if ((code = session_hold(ctx)) != EXIT_OK)
		return code;
	code = begin(ctx, r, anew);
	session_release(ctx);
	return code;
}

enum exit_code
spool_get_draft(
    struct cmd_ctx *ctx, const char *path, Cdop__ClientDraft **ret_draft)
{
	ProtobufCMessage *message = NULL;
	enum exit_code code = get(ctx, &draft_kind, path, &message);

	if (code == EXIT_OK)
		*ret_draft = (Cdop__ClientDraft *)message;
	return code;
}

static const char *
draft_path(struct cmd_ctx *ctx, unsigned number)
{
	return cdop_arena_printf(
	    ctx->arena, "%s/%u.draft", folder(ctx, "drafts"), number);
}

enum exit_code
spool_no_draft(struct cmd_ctx *ctx)
{
	return cmd_fail(ctx, EXIT_NOT_FOUND, NULL, "cdop retry --list",
	    "there is no such draft on this computer");
}

static enum exit_code
lock_draft(struct cmd_ctx *ctx, const char *path, struct lock *ret_hold)
{
	const char *lock = cdop_arena_printf(ctx->arena, "%s.lock", path);

	if (path == NULL || lock == NULL)
		return cmd_no_memory(ctx);
	return lock_take(ctx, lock, "goes on with this draft", 0, ret_hold);
}

enum exit_code
spool_hold_draft(struct cmd_ctx *ctx, unsigned number, struct lock *ret_hold)
{
	const char *path = draft_path(ctx, number);
	struct lock hold;
	enum exit_code code;

	if (path == NULL || !file_exists(path))
		return spool_no_draft(ctx);
	if ((code = lock_draft(ctx, path, &hold)) != EXIT_OK)
		return code;
	/* Sent by whoever had it until now. */
	if (!file_exists(path)) {
		lock_drop(&hold, true);
		return spool_no_draft(ctx);
	}
	*ret_hold = hold;
	return EXIT_OK;
}

/* Its lock outlives a draft that was sent, until its command ends. */
static bool
is_free(struct cmd_ctx *ctx, unsigned number, struct lock *ret_hold)
{
	const char *path = draft_path(ctx, number);
	struct cmd_error error = ctx->error;
	bool is;

	is = path != NULL && !file_exists(path) &&
	    lock_draft(ctx, path, ret_hold) == EXIT_OK;
	ctx->error = error;
	return is;
}

/* A free number is free for one process only: in a hold. */
static enum cdop_err
put_draft(struct cmd_ctx *ctx, const Cdop__ClientDraft *draft, unsigned *number,
    struct lock *ret_hold)
{
	unsigned n = *number;
	enum cdop_err err;

	if (n == 0)
		do
			if (++n > DRAFTS_MAX)
				return CDOP_RESOURCE_EXHAUSTED;
		while (!is_free(ctx, n, ret_hold));
	err = sealed_write(ctx, &draft_kind, draft_path(ctx, n), &draft->base);
	if (err != CDOP_OK && *number == 0)
		lock_drop(ret_hold, true);
	else
		*number = n;
	return err;
}

enum exit_code
spool_put_draft(struct cmd_ctx *ctx, const Cdop__ClientDraft *draft,
    unsigned *number, struct lock *hold)
{
	enum cdop_err err = file_make_dir(folder(ctx, "drafts"));
	struct lock taken = {.fd = -1};
	enum exit_code code;

	if (err != CDOP_OK)
		return cannot_keep(ctx, err);
	if ((code = session_hold(ctx)) != EXIT_OK)
		return code;
	err = put_draft(ctx, draft, number, &taken);
	session_release(ctx);
	if (err != CDOP_OK)
		return cannot_keep(ctx, err);
	if (taken.fd >= 0 && hold != NULL)
		*hold = taken;
	else if (taken.fd >= 0)
		lock_drop(&taken, true);
	return EXIT_OK;
}

void
spool_drop_draft(struct cmd_ctx *ctx, unsigned number)
{
	if (number != 0 && file_remove(draft_path(ctx, number)) != CDOP_OK)
		print_note(ctx, "draft %u could not be removed", number);
}

unsigned
spool_draft_number(const char *path)
{
	const char *name = strrchr(path, '/');

	return (unsigned)strtoul(name == NULL ? path : name + 1, NULL, 10);
}
