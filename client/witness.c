/* What is known of the log, and whether a session fits it. */
#include "client/witness.h"

#include <inttypes.h>
#include <string.h>

#include "cdop/secret.h"
#include "client/file.h"
#include "client/print.h"
#include "client/receipt.h"
#include "client/sealed.h"
#include "client/session.h"

#define RING "ring the technical contact; keep this computer as it is"

static const struct sealed_kind kind = {"cdop-witness/1\n\0",
    "cdop-spool/1 witness", &cdop__client_witness__descriptor};

static const char *
path_of(struct cmd_ctx *ctx)
{
	return cdop_arena_printf(
	    ctx->arena, "%s/witness", ctx->session->context.state);
}

/* ---- reading and writing ------------------------------------------------- */

/* The log's key of an incarnation; false: it is none. */
static bool
key_of(const struct cmd_ctx *ctx, const ProtobufCBinaryData *key,
    uint32_t incarnation, struct cdop_note_key *ret_key)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];

	if (key->len != CDOP_NOTE_PUBLIC_LEN || incarnation == 0 ||
	    incarnation > UINT16_MAX)
		return false;
	cdop_checkpoint_origin(ctx->session->identity.open->registry_id.data,
	    (uint16_t)incarnation, origin);
	return cdop_note_key_init(
		   ret_key, origin, CDOP_NOTE_ED25519, key->data) == CDOP_OK;
}

/* The file, or what the identity says where that is gone. */
static const Cdop__ClientWitness *
read_kept(struct cmd_ctx *ctx)
{
	const Cdop__ClientSecret *secret = ctx->session->identity.secret;
	ProtobufCMessage *message = NULL;
	const char *path = path_of(ctx);
	enum cdop_err err;

	if (path == NULL)
		return NULL;
	err = sealed_read(ctx, &kind, path, &message);
	if (err == CDOP_OK)
		return (const Cdop__ClientWitness *)message;
	if (err != CDOP_NOT_FOUND)
		print_note(ctx,
		    "what this computer knew of the log cannot be read; the "
		    "older copy beside the keys is used");
	return secret->witness;
}

static bool
take_kept(
    struct cmd_ctx *ctx, const Cdop__ClientWitness *kept, struct witness *w)
{
	if (!key_of(ctx, &kept->key, kept->incarnation, &w->key))
		return false;
	w->incarnation = (uint16_t)kept->incarnation;
	w->statements = kept->statements;
	w->followed = kept->statement;
	w->n_followed = kept->n_statement;
	w->lost = kept->lost_key;
	w->n_lost = kept->n_lost_key;
	if (!kept->has_size || kept->root.len != CDOP_MERKLE_HASH)
		return true;
	w->has_seen = true;
	w->seen.size = kept->size;
	memcpy(w->seen.root, kept->root.data, CDOP_MERKLE_HASH);
	memcpy(w->seen.origin, w->key.name, sizeof(w->seen.origin));
	w->note.data = kept->checkpoint.data;
	w->note.len = kept->has_checkpoint ? kept->checkpoint.len : 0;
	return true;
}

enum exit_code
witness_has_signed(struct cmd_ctx *ctx, struct cdop_bytes note, bool *ret_has)
{
	struct cdop_checkpoint checkpoint;
	struct cdop_note_key *key;
	enum exit_code code;
	size_t i, n;

	*ret_has = ctx->session->witness == NULL;
	if (*ret_has)
		return EXIT_OK;
	code = witness_keys(ctx, ctx->session->witness, &key, &n);
	for (i = 0; code == EXIT_OK && i < n && !*ret_has; i++)
		*ret_has =
		    cdop_checkpoint_open(note, &key[i], &checkpoint) == CDOP_OK;
	return code;
}

/* Somebody else's note, in the place of the newest receipt. */
static enum exit_code
take_compared(struct cmd_ctx *ctx, struct witness *w)
{
	struct cdop_note_key *key;
	enum exit_code code;
	size_t i, n;

	if ((code = witness_keys(ctx, w, &key, &n)) != EXIT_OK)
		return code;
	w->receipt_note = ctx->session->compared;
	for (i = 0; i < n && !w->has_receipt; i++)
		w->has_receipt = cdop_checkpoint_open(w->receipt_note, &key[i],
				     &w->receipt) == CDOP_OK;
	if (w->has_receipt)
		return EXIT_OK;
	return cmd_fail(ctx, EXIT_INTEGRITY, "not_signed",
	    "a checkpoint of this registry, as cdop audit witness writes one",
	    "no key that the log ever had here has signed that note");
}

enum exit_code
witness_load(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;
	const Cdop__ClientSecret *secret = s->identity.secret;
	const Cdop__ClientWitness *kept;
	struct witness *w;

	s->witness = NULL;
	if (!secret->has_checkpoint_key)
		return EXIT_OK;
	if ((w = cdop_arena_alloc(ctx->arena, sizeof(*w))) == NULL)
		return cmd_no_memory(ctx);
	memset(w, 0, sizeof(*w));
	w->pinned_incarnation =
	    (uint16_t)(secret->has_incarnation ? secret->incarnation : 1);
	w->pinned_statements = secret->has_statements ? secret->statements : 0;
	if (!key_of(ctx, &secret->checkpoint_key, w->pinned_incarnation,
		&w->pinned))
		return EXIT_OK;
	w->key = w->pinned;
	w->incarnation = w->pinned_incarnation;
	w->statements = w->pinned_statements;
	kept = read_kept(ctx);
	if (kept != NULL && !take_kept(ctx, kept, w))
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, RING,
		    "what this computer knows of the log is not whole");
	s->witness = w;
	if (s->compared.len > 0)
		return take_compared(ctx, w);
	w->has_receipt = receipt_newest(ctx, w, &w->receipt, &w->receipt_note);
	return EXIT_OK;
}

static void
to_message(const struct witness *w, Cdop__ClientWitness *m)
{
	cdop__client_witness__init(m);
	memcpy(&m->key.data, &(const uint8_t *){w->key.public},
	    sizeof(m->key.data));
	m->key.len = CDOP_NOTE_PUBLIC_LEN;
	m->incarnation = w->incarnation;
	m->statements = w->statements;
	m->has_size = m->has_root = w->has_seen;
	m->size = w->seen.size;
	memcpy(&m->root.data, &(const uint8_t *){w->seen.root},
	    sizeof(m->root.data));
	m->root.len = CDOP_MERKLE_HASH;
	m->has_checkpoint = w->note.len > 0;
	memcpy(&m->checkpoint.data, &w->note.data, sizeof(m->checkpoint.data));
	m->checkpoint.len = w->note.len;
	m->statement = w->followed;
	m->n_statement = w->n_followed;
	m->lost_key = w->lost;
	m->n_lost_key = w->n_lost;
}

static enum exit_code
save(struct cmd_ctx *ctx)
{
	const char *path = path_of(ctx);
	Cdop__ClientWitness m;

	to_message(ctx->session->witness, &m);
	if (path == NULL ||
	    file_make_dir(ctx->session->context.state) != CDOP_OK ||
	    sealed_write(ctx, &kind, path, &m.base) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, "is the disk full?",
		    "what was seen of the log cannot be written down");
	return EXIT_OK;
}

void
witness_copy(struct cmd_ctx *ctx)
{
	struct session *s = ctx->session;
	Cdop__ClientWitness *m;

	if (s->witness == NULL ||
	    (m = cdop_arena_alloc(ctx->arena, sizeof(*m))) == NULL)
		return;
	to_message(s->witness, m);
	m->n_statement = 0; /* the file has them */
	s->identity.secret->witness = m;
}

/* ---- a session ----------------------------------------------------------- */

void
witness_hello(const struct witness *w, Cdop__Hello *hello)
{
	hello->has_seen_statements = true;
	hello->seen_statements =
	    w->from_start ? w->pinned_statements : w->statements;
	hello->has_seen_size = hello->has_seen_hash = w->has_seen;
	hello->seen_size = w->seen.size;
	memcpy(&hello->seen_hash.data, &(const uint8_t *){w->seen.root},
	    sizeof(hello->seen_hash.data));
	hello->seen_hash.len = CDOP_MERKLE_HASH;
	hello->has_receipt_size = w->has_receipt;
	hello->receipt_size = w->receipt.size;
}

/* Does the log of now begin as the one of this checkpoint? */
static bool
begins_with(const struct cdop_checkpoint *old,
    const struct cdop_checkpoint *now, const ProtobufCBinaryData *hash,
    size_t n)
{
	struct cdop_merkle_proof proof;
	size_t i;

	if (n > CDOP_MERKLE_PROOF_MAX)
		return false;
	for (i = 0; i < n; i++) {
		if (hash[i].len != CDOP_MERKLE_HASH)
			return false;
		memcpy(proof.hash[i], hash[i].data, CDOP_MERKLE_HASH);
	}
	proof.n = n;
	return cdop_merkle_check_consistency(old->size, old->root, now->size,
		   now->root, &proof) == CDOP_OK;
}

static const char *
check_growth(const struct witness *w, const Cdop__Welcome *welcome,
    const struct cdop_checkpoint *now)
{
	if (!w->has_seen)
		return NULL;
	if (now->size < w->seen.size)
		return "it has fewer entries than this computer has seen";
	if (!begins_with(
		&w->seen, now, welcome->consistency, welcome->n_consistency))
		return "it does not begin with what this computer has seen";
	return NULL;
}

/* And does it have what the newest receipt says that it had? */
static const char *
check_receipt(const struct cmd_ctx *ctx, const struct witness *w,
    const Cdop__Welcome *welcome, const struct cdop_checkpoint *now)
{
	bool compared = ctx->session->compared.len > 0;

	if (!w->has_receipt)
		return NULL;
	if (now->size < w->receipt.size)
		return compared
		    ? "it has fewer entries than that note"
		    : "it has fewer entries than a receipt of this computer";
	if (!begins_with(&w->receipt, now, welcome->receipt_consistency,
		welcome->n_receipt_consistency))
		return compared ? "it does not begin with what that note says"
				: "it does not begin with what a receipt of "
				  "this computer says";
	return NULL;
}

/* Why the checkpoint is none that follows; NULL: it is one. */
static const char *
check_checkpoint(const struct witness *w, const Cdop__Welcome *welcome,
    struct cdop_checkpoint *ret_now)
{
	struct cdop_bytes note = {
	    welcome->checkpoint.data, welcome->checkpoint.len};

	if (!welcome->has_checkpoint)
		return "it is not shown at all";
	switch ((int)cdop_checkpoint_open(note, &w->key, ret_now)) {
	case CDOP_OK:
		return check_growth(w, welcome, ret_now);
	case CDOP_NOT_FOUND:
		return "another key has signed it";
	case CDOP_DATA_LOSS:
		return "its signature does not hold";
	default:
		return "its checkpoint is none";
	}
}

static enum exit_code
forked(struct cmd_ctx *ctx, struct cdop_bytes mine, const char *why)
{
	const Cdop__Welcome *welcome = ctx->session->welcome;
	struct cdop_bytes theirs = {
	    welcome->checkpoint.data, welcome->checkpoint.len};
	const char *path;

	if (!welcome->has_checkpoint)
		theirs = (struct cdop_bytes){(const uint8_t *)"(none)\n", 7};
	path = witness_keep(ctx, "fork", mine, theirs);
	return cmd_fail(ctx, EXIT_INTEGRITY, "log_forked", RING,
	    "the log is not the one that this computer knows: %s.  Both notes "
	    "are kept in %s.*",
	    why, path != NULL ? path : "(not kept: is the disk full?)");
}

/* Who says what, for whoever has to ask them. */
static void
say_statement(struct cmd_ctx *ctx, const struct cdop_statement *s)
{
	const char *by = "";
	size_t i;

	for (i = 0; i < s->n_by && by != NULL; i++)
		by = cdop_arena_printf(ctx->arena, "%s%s%.*s", by,
		    i > 0 ? " and " : "", (int)s->by[i].len,
		    (const char *)s->by[i].data);
	print_note(ctx,
	    "In words: %s, %s by %s.  The reason given: %.*s\n"
	    "The log goes on behind its first %" PRIu64 " entries.",
	    print_time(ctx->arena, s->time_ms),
	    s->kind == CDOP_STATEMENT_RESTORE
		? "a backup was put in the registry's place"
		: "new administrators were invited on the server",
	    by != NULL ? by : "?", (int)s->reason.len,
	    (const char *)s->reason.data, s->from.size);
}

/* Shown beside what this computer holds; both are kept for ever. */
static enum exit_code
restored(struct cmd_ctx *ctx)
{
	const struct witness *w = ctx->session->witness;
	const struct cdop_statement *s = &w->waiting;
	struct cdop_bytes mine = witness_mine(ctx, w);
	size_t i;

	(void)witness_keep(ctx, "restore", mine, w->waiting_note);
	for (i = 0; i < w->n_passed; i++)
		print_note(ctx, "%.*s", (int)w->passed[i].len,
		    (const char *)w->passed[i].data);
	print_note(ctx, "%.*s", (int)w->waiting_note.len,
	    (const char *)w->waiting_note.data);
	print_note(
	    ctx, "this computer holds:\n\n%.*s", (int)mine.len, mine.data);
	say_statement(ctx, s);
	if (w->from_start)
		print_note(ctx,
		    "it has followed a statement that this one does not know "
		    "of, another restore or a turn of the key: ask what "
		    "became of that log");
	return cmd_fail(ctx, EXIT_INTEGRITY, "log_restored",
	    "look at it, ask who is named there, and then: cdop trust restore",
	    "the log goes on from elsewhere (%s of %s)",
	    cdop_statement_kind_name(s->kind),
	    print_time(ctx->arena, s->time_ms));
}

/* A restore may have taken back a key that was followed. */
static bool
may_begin_anew(const struct witness *w)
{
	return !w->from_start && w->statements > w->pinned_statements;
}

static enum exit_code
check_all(struct cmd_ctx *ctx, bool *ret_again)
{
	const Cdop__Welcome *welcome = ctx->session->welcome;
	struct witness *w = ctx->session->witness;
	bool may_ask_again = may_begin_anew(w);
	struct cdop_checkpoint now;
	const char *why;

	switch (witness_follow(ctx, w, false)) {
	case WITNESS_WAITS:
		return restored(ctx);
	case WITNESS_BROKEN:
		why = "its statements do not follow from the key it had";
		break;
	case WITNESS_THERE:
	default:
		why = check_checkpoint(w, welcome, &now);
		break;
	}
	if (why != NULL) {
		*ret_again = may_ask_again;
		return may_ask_again ? EXIT_OK
				     : forked(ctx, witness_mine(ctx, w), why);
	}
	if ((why = check_receipt(ctx, w, welcome, &now)) != NULL)
		return forked(ctx, w->receipt_note, why);
	w->has_seen = now.size > 0;
	w->seen = now;
	w->note.data = welcome->checkpoint.data;
	w->note.len = welcome->checkpoint.len;
	return save(ctx);
}

enum exit_code
witness_check(struct cmd_ctx *ctx, bool *ret_again)
{
	const Cdop__Welcome *welcome = ctx->session->welcome;
	struct witness *w = ctx->session->witness;
	enum exit_code code;

	*ret_again = false;
	/* Until it is accepted nobody is told what the log is. */
	if (w == NULL || welcome->state == CDOP__STATE__RESTORED)
		return EXIT_OK;
	code = check_all(ctx, ret_again);
	if (*ret_again)
		w->from_start = true;
	return code;
}

enum exit_code
witness_accept(struct cmd_ctx *ctx)
{
	struct witness *w = ctx->session->witness;

	if (witness_follow(ctx, w, true) == WITNESS_BROKEN)
		return forked(
		    ctx, witness_mine(ctx, w), "its statements do not follow");
	return save(ctx);
}

enum exit_code
witness_pin(struct cmd_ctx *ctx, const Cdop__EnrolReply *reply)
{
	struct session *s = ctx->session;
	Cdop__ClientSecret *secret = s->identity.secret;
	const Cdop__Welcome *welcome = s->welcome;
	enum exit_code code;
	const char *why;

	secret->has_checkpoint_key = reply->has_checkpoint_key;
	secret->checkpoint_key = reply->checkpoint_key;
	secret->has_incarnation = welcome->has_incarnation;
	secret->incarnation = welcome->incarnation;
	secret->has_statements = reply->has_statements;
	secret->statements = reply->statements;
	if ((code = witness_load(ctx)) != EXIT_OK)
		return code;
	/* Each registry signs its log: who shows none hides it. */
	if (s->witness == NULL)
		why = "no key of the log came with it";
	else
		why = check_checkpoint(s->witness, welcome, &s->witness->seen);
	if (why != NULL)
		return cmd_fail(ctx, EXIT_INTEGRITY, "log_forked", RING,
		    "the log that was shown is not of the key that came with "
		    "the enrolment: %s",
		    why);
	s->witness->has_seen = s->witness->seen.size > 0;
	s->witness->note.data = welcome->checkpoint.data;
	s->witness->note.len = welcome->checkpoint.len;
	witness_copy(ctx);
	return save(ctx);
}
