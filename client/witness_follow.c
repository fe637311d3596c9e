/* From one key of the log to the next, statement by statement. */
#include <string.h>

#include "client/session.h"
#include "client/witness.h"

/* How far it has come. */
struct walk {
	struct cdop_note_key key;
	uint16_t incarnation;
	uint32_t statements;
	ProtobufCBinaryData *followed;
	size_t n_followed;
	bool parted;    /* from what was followed before */
	bool owes;      /* the restore that has taken that back */
	size_t parting; /* where, among what is followed */
	struct cdop_note_key parting_key;
	struct cdop_checkpoint common; /* of both ways */
};

static bool
begin(struct cmd_ctx *ctx, const struct witness *w, struct walk *walk)
{
	size_t room = w->n_followed + ctx->session->welcome->n_statement + 1;

	memset(walk, 0, sizeof(*walk));
	walk->followed =
	    cdop_arena_calloc(ctx->arena, room, sizeof(*walk->followed));
	if (walk->followed == NULL)
		return false;
	if (w->from_start) {
		walk->key = w->pinned;
		walk->incarnation = w->pinned_incarnation;
		walk->statements = w->pinned_statements;
		return true;
	}
	walk->key = w->key;
	walk->incarnation = w->incarnation;
	walk->statements = w->statements;
	walk->n_followed = w->n_followed;
	if (w->n_followed > 0)
		memcpy(walk->followed, w->followed,
		    w->n_followed * sizeof(*walk->followed));
	return true;
}

/* Is there one that was followed in the place of the next? */
static bool
is_beside(const struct witness *w, const struct walk *walk)
{
	return w->from_start && !walk->parted &&
	    walk->n_followed < w->n_followed;
}

static bool
was_followed(const struct witness *w, const struct walk *walk,
    const ProtobufCBinaryData *note)
{
	const ProtobufCBinaryData *ours;

	if (!is_beside(w, walk))
		return false;
	ours = &w->followed[walk->n_followed];
	return ours->len == note->len &&
	    memcmp(ours->data, note->data, note->len) == 0;
}

/*
 * Here it goes another way than what was followed, and only a restore can have
 * taken that back.  It stands here; or, where ours was a restore or a recovery
 * itself, behind what the log said that had none: a later backup was taken
 * after it.  Both logs are the same up to where the first of them parted, and
 * no further.  False: one key has turned to two.
 */
static bool
part(const struct witness *w, struct walk *walk,
    const uint8_t registry[static 16], const struct cdop_statement *theirs)
{
	const ProtobufCBinaryData *note = &w->followed[walk->n_followed];
	struct cdop_bytes file = {note->data, note->len};
	struct cdop_statement ours;

	walk->parted = walk->owes = true;
	walk->parting = walk->n_followed;
	walk->parting_key = walk->key;
	walk->common = theirs->from;
	if (cdop_statement_open(file, registry, &walk->key, &ours) != CDOP_OK ||
	    ours.kind == CDOP_STATEMENT_KEY)
		return theirs->kind == CDOP_STATEMENT_RESTORE;
	if (ours.from.size < walk->common.size)
		walk->common = ours.from;
	return true;
}

/* What lies behind `from` is lost: what was seen of it is seen no more. */
static void
lose(struct witness *w, const struct cdop_checkpoint *from)
{
	if (!w->has_seen || w->seen.size <= from->size)
		return;
	w->seen = *from;
	w->has_seen = from->size > 0;
	w->note.len = 0;
}

static void
step(struct walk *walk, const struct cdop_statement *s,
    const ProtobufCBinaryData *note)
{
	walk->key = s->key;
	walk->incarnation = s->incarnation;
	walk->statements++;
	walk->followed[walk->n_followed++] = *note;
}

/* Of what a restore has taken back only the keys count: receipts have them. */
static void
keep_lost(struct cmd_ctx *ctx, struct witness *w, const struct walk *walk)
{
	const uint8_t *registry = ctx->session->identity.open->registry_id.data;
	struct cdop_note_key key = walk->parting_key;
	size_t i, room = w->n_lost + w->n_followed;
	char **lost = cdop_arena_calloc(ctx->arena, room, sizeof(*lost));
	struct cdop_statement s;
	struct cdop_bytes file;

	if (lost == NULL)
		return;
	if (w->n_lost > 0)
		memcpy(lost, w->lost, w->n_lost * sizeof(*lost));
	w->lost = lost;
	for (i = walk->parting; i < w->n_followed; i++) {
		file.data = w->followed[i].data;
		file.len = w->followed[i].len;
		if (cdop_statement_open(file, registry, &key, &s) != CDOP_OK)
			break;
		key = s.key;
		lost[w->n_lost] =
		    (char *)(uintptr_t)witness_vkey(ctx->arena, &key);
		w->n_lost += lost[w->n_lost] != NULL;
	}
	while (w->n_lost > WITNESS_LOST_MAX) {
		w->lost++;
		w->n_lost--;
	}
}

static void
take(struct cmd_ctx *ctx, struct witness *w, const struct walk *walk)
{
	if (walk->parted)
		keep_lost(ctx, w, walk);
	w->key = walk->key;
	w->incarnation = walk->incarnation;
	w->statements = walk->statements;
	w->followed = walk->followed;
	w->n_followed = walk->n_followed;
	w->from_start = false;
}

static void
wait_for(struct witness *w, const struct walk *walk,
    const struct cdop_statement *s, struct cdop_bytes note)
{
	w->waits = true;
	w->waiting = *s;
	w->waiting_note = note;
	w->passed = walk->followed + walk->parting;
	w->n_passed = walk->owes ? walk->n_followed - walk->parting : 0;
}

/*
 * One statement.  What is passed on the way to the restore that has to come
 * is shown, and taken, with that.
 */
static enum witness_way
walk_one(struct cmd_ctx *ctx, struct witness *w, struct walk *walk,
    const ProtobufCBinaryData *note, bool *accept)
{
	const uint8_t *registry = ctx->session->identity.open->registry_id.data;
	struct cdop_bytes file = {note->data, note->len};
	struct cdop_statement s;
	bool known = was_followed(w, walk, note);

	if (cdop_statement_open(file, registry, &walk->key, &s) != CDOP_OK)
		return WITNESS_BROKEN;
	if (!known && is_beside(w, walk) && !part(w, walk, registry, &s))
		return WITNESS_BROKEN;
	if (!known && s.kind != CDOP_STATEMENT_KEY &&
	    (!walk->owes || s.kind == CDOP_STATEMENT_RESTORE)) {
		if (!*accept) {
			wait_for(w, walk, &s, file);
			return WITNESS_WAITS;
		}
		*accept = false;
		lose(w,
		    walk->owes && walk->common.size < s.from.size
			? &walk->common
			: &s.from);
		walk->owes = false;
	}
	step(walk, &s, note);
	return WITNESS_THERE;
}

enum witness_way
witness_follow(struct cmd_ctx *ctx, struct witness *witness, bool accept)
{
	const Cdop__Welcome *welcome = ctx->session->welcome;
	enum witness_way way = WITNESS_THERE;
	bool open = accept; /* one of them may still be taken */
	struct walk walk;
	size_t i;

	memset(&walk, 0, sizeof(walk));
	witness->waits = false;
	if (!begin(ctx, witness, &walk))
		return WITNESS_BROKEN;
	for (i = 0; i < welcome->n_statement && way == WITNESS_THERE; i++)
		way = walk_one(
		    ctx, witness, &walk, &welcome->statement[i], &open);
	/* Not all that was followed, and no restore that says why. */
	if (way == WITNESS_THERE && (walk.owes || is_beside(witness, &walk)))
		way = WITNESS_BROKEN;
	/* Until a person has said yes to it nothing has changed. */
	if (way == WITNESS_THERE || (way == WITNESS_WAITS && accept && !open))
		take(ctx, witness, &walk);
	return way;
}

enum exit_code
witness_keys(struct cmd_ctx *ctx, const struct witness *w,
    struct cdop_note_key **ret_key, size_t *ret_n)
{
	const size_t n = w->n_followed + 2;
	struct cdop_statement s;
	struct cdop_note_key *key;
	struct cdop_bytes file;
	size_t i;

	if ((key = cdop_arena_calloc(ctx->arena, n, sizeof(*key))) == NULL)
		return cmd_no_memory(ctx);
	key[n - 1] = w->pinned;
	for (i = 0; i < w->n_followed; i++) {
		file.data = w->followed[i].data;
		file.len = w->followed[i].len;
		if (cdop_statement_open(file,
			ctx->session->identity.open->registry_id.data,
			&key[n - 1 - i], &s) != CDOP_OK)
			return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
			    "what this computer knows of the log is not whole");
		key[n - 2 - i] = s.key;
	}
	/* Where the file was lost it is not the last of the statements. */
	key[0] = w->key;
	*ret_key = key;
	*ret_n = n;
	return EXIT_OK;
}

const char *
witness_vkey(struct cdop_arena *arena, const struct cdop_note_key *key)
{
	char text[CDOP_NOTE_VKEY_MAX];

	cdop_note_key_write(key, text);
	return cdop_arena_strdup(arena, text);
}
