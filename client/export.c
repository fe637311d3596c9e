/* Checks an exported log, tile by tile. */
#include "client/export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cdop/leaf.h"
#include "cdop/logproof.h"
#include "cdop/secret.h"
#include "cdop/tile.h"
#include "client/file.h"

#define PATH_LEN   4096
#define BUNDLE_MAX (CDOP_TILE_WIDTH * (CDOP_TILE_ENTRY_HEAD + CDOP_LEAF_LEN))

/* The tile of a level that is being filled. */
struct level {
	uint64_t tile;
	unsigned n;
	uint8_t hash[CDOP_TILE_LEN];
};

/* A statement: the note, and what it says where a key could be followed. */
struct said {
	struct cdop_bytes note;
	struct cdop_statement what;
	bool followed;
	bool met; /* the tree that it goes on from */
};

/* How far a folder has been gone through. */
struct walk {
	struct cmd_ctx *ctx;
	const char *folder;
	struct export_log log;
	uint64_t leaves;
	struct level *level; /* CDOP_TILE_LEVELS */
	struct said *said;
	size_t n_said;
	size_t told;               /* statements whose leaf was met */
	struct cdop_note_key *key; /* the given one, and those it leads to */
	size_t n_key;
	struct export_held *held;
	size_t n_held;
};

/* ---- files --------------------------------------------------------------- */

static enum exit_code
broken(struct walk *w, const char *path, const char *why)
{
	return cmd_fail(w->ctx, EXIT_INTEGRITY, NULL,
	    "keep the folder as it is, and ask for another export", "%s: %s",
	    path, why);
}

static enum exit_code
read_file(struct walk *w, const char *path, size_t max, struct cdop_bytes *ret)
{
	char whole[PATH_LEN];
	enum cdop_err err;
	int len;

	len = snprintf(whole, sizeof(whole), "%s/%s", w->folder, path);
	if (len < 0 || (size_t)len >= sizeof(whole))
		return cmd_fail(w->ctx, EXIT_USAGE, NULL, NULL,
		    "the name of the folder is too long");
	err = file_read(whole, max, w->ctx->arena, ret);
	if (err == CDOP_NOT_FOUND)
		return broken(w, path, "the log has it, the folder has not");
	if (err == CDOP_RESOURCE_EXHAUSTED)
		return broken(w, path, "longer than any such file");
	if (err != CDOP_OK)
		return broken(w, path, "it cannot be read");
	return EXIT_OK;
}

static bool
has_file(const struct walk *w, const char *path)
{
	char whole[PATH_LEN];
	int len;

	len = snprintf(whole, sizeof(whole), "%s/%s", w->folder, path);
	return len > 0 && (size_t)len < sizeof(whole) && file_exists(whole);
}

/* ---- statements ---------------------------------------------------------- */

/* The registry of "registry id/incarnation". */
static bool
registry_of(const char *origin, uint8_t ret_registry[static 16])
{
	char hex[33];

	if (strlen(origin) < 34 || origin[32] != '/')
		return false;
	memcpy(hex, origin, 32);
	hex[32] = '\0';
	return cdop_secret_unhex(hex, ret_registry, 16) == CDOP_OK;
}

/* One statement: on to the key it names, or passed over as an older one. */
static enum exit_code
follow(struct walk *w, const char *path, struct said *said)
{
	uint8_t registry[16];
	enum cdop_err err;

	if (!registry_of(w->log.key.name, registry))
		return broken(w, path, "the key is of no registry");
	err =
	    cdop_statement_open(said->note, registry, &w->log.key, &said->what);
	if (err == CDOP_NOT_FOUND)
		return EXIT_OK;
	if (err != CDOP_OK)
		return broken(w, path,
		    err == CDOP_DATA_LOSS ? "a signature does not hold"
					  : "no statement of this registry");
	said->followed = true;
	w->log.key = said->what.key;
	w->key[w->n_key++] = w->log.key;
	return EXIT_OK;
}

static enum exit_code
read_statements(struct walk *w)
{
	enum exit_code code;
	char path[32];

	w->said = cdop_arena_calloc(
	    w->ctx->arena, CDOP_STATEMENTS_MAX, sizeof(*w->said));
	w->key = cdop_arena_calloc(
	    w->ctx->arena, CDOP_STATEMENTS_MAX + 1, sizeof(*w->key));
	if (w->said == NULL || w->key == NULL)
		return cmd_no_memory(w->ctx);
	w->key[w->n_key++] = w->log.key;
	for (;; w->n_said++) {
		(void)snprintf(
		    path, sizeof(path), "statement/%zu", w->n_said + 1);
		if (!has_file(w, path))
			return EXIT_OK;
		if (w->n_said == CDOP_STATEMENTS_MAX)
			return broken(w, path, "too many statements");
		code = read_file(
		    w, path, CDOP_STATEMENT_MAX, &w->said[w->n_said].note);
		if (code == EXIT_OK)
			code = follow(w, path, &w->said[w->n_said]);
		if (code != EXIT_OK)
			return code;
	}
}

static enum exit_code
read_checkpoint(struct walk *w)
{
	struct cdop_bytes file = {NULL, 0};
	enum exit_code code;
	enum cdop_err err;

	code = read_file(w, "checkpoint", CDOP_NOTE_MAX, &file);
	if (code != EXIT_OK)
		return code;
	err = cdop_checkpoint_open(file, &w->log.key, &w->log.checkpoint);
	if (err == CDOP_NOT_FOUND)
		return broken(w, "checkpoint",
		    "signed by another key than this one, and no statement "
		    "leads from it to that");
	if (err == CDOP_DATA_LOSS)
		return broken(w, "checkpoint", "the signature does not hold");
	if (err != CDOP_OK)
		return broken(w, "checkpoint", "it is no signed checkpoint");
	return EXIT_OK;
}

/* ---- what somebody holds ------------------------------------------------- */

/* Nothing of it is believed but what the log's key has signed. */
static enum cdop_err
open_held(struct export_held *held, const struct cdop_note_key *key,
    struct cdop_logproof *proof)
{
	struct cdop_bytes leaf = {proof->extra, CDOP_LEAF_LEN};
	uint8_t hash[CDOP_MERKLE_HASH];

	if (cdop_logproof_parse(held->text, proof) != CDOP_OK)
		return cdop_checkpoint_open(held->text, key, &held->tree);
	if (proof->extra_len < CDOP_LEAF_LEN)
		return CDOP_INVALID_ARGUMENT;
	cdop_merkle_leaf(hash, leaf);
	return cdop_logproof_check(proof, hash, key, &held->tree);
}

static enum exit_code
not_this_log(struct walk *w, const struct export_held *held, const char *why)
{
	return cmd_fail(w->ctx, EXIT_INTEGRITY, "log_forked",
	    "keep both as they are; where a restore lost a part of the log, a "
	    "statement says so",
	    "%s: the log has signed it, and %s", held->name, why);
}

static enum exit_code
read_held(struct walk *w, struct export_held *held)
{
	struct cdop_logproof *proof;
	enum cdop_err err = CDOP_NOT_FOUND;
	size_t i;

	proof = cdop_arena_alloc(w->ctx->arena, sizeof(*proof));
	if (proof == NULL)
		return cmd_no_memory(w->ctx);
	for (i = 0; i < w->n_key && err == CDOP_NOT_FOUND; i++)
		err = open_held(held, &w->key[i], proof);
	if (err == CDOP_NOT_FOUND)
		return broken(w, held->name,
		    "signed by no key of this log from --key on");
	if (err == CDOP_DATA_LOSS)
		return broken(w, held->name, "it does not hold by itself");
	if (err != CDOP_OK)
		return broken(
		    w, held->name, "neither a checkpoint nor a receipt");
	if (held->tree.size > w->log.checkpoint.size)
		return not_this_log(w, held, "this one is shorter");
	return EXIT_OK;
}

static enum exit_code
read_all_held(struct walk *w)
{
	enum exit_code code = EXIT_OK;
	size_t i;

	for (i = 0; i < w->n_held && code == EXIT_OK; i++)
		code = read_held(w, &w->held[i]);
	return code;
}

/* ---- hashes -------------------------------------------------------------- */

/* What is in hand against the file of it. */
static enum exit_code
check_tile(struct walk *w, unsigned level)
{
	size_t used = cdop_arena_used(w->ctx->arena);
	struct level *l = &w->level[level];
	char path[CDOP_TILE_PATH_MAX];
	struct cdop_bytes file = {NULL, 0};
	enum exit_code code;

	cdop_tile_path(level, l->tile, l->n, path);
	code = read_file(w, path, sizeof(l->hash), &file);
	if (code != EXIT_OK)
		return code;
	if (file.len == 0 || file.len != l->n * (size_t)CDOP_MERKLE_HASH ||
	    memcmp(file.data, l->hash, file.len) != 0)
		return broken(w, path, "does not fit what is below it");
	cdop_arena_rewind(w->ctx->arena, used);
	return EXIT_OK;
}

/* A hash more, and upwards where it completes a tile. */
static enum exit_code
append(struct walk *w, const uint8_t *hash)
{
	uint8_t up[CDOP_MERKLE_HASH];
	enum exit_code code;
	struct level *l;
	unsigned level;

	memcpy(up, hash, sizeof(up));
	for (level = 0;; level++) {
		CDOP_ASSERT(level < CDOP_TILE_LEVELS);
		l = &w->level[level];
		memcpy(
		    l->hash + l->n * (size_t)CDOP_MERKLE_HASH, up, sizeof(up));
		if (++l->n < CDOP_TILE_WIDTH)
			return EXIT_OK;
		if ((code = check_tile(w, level)) != EXIT_OK)
			return code;
		cdop_tile_hash(l->hash, CDOP_TILE_HEIGHT, up);
		l->tile++;
		l->n = 0;
	}
}

/* The root of a log is made of what the unfinished tiles hold. */
static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index,
    uint8_t ret_hash[static CDOP_MERKLE_HASH])
{
	struct walk *w = ctx;
	struct cdop_tile_place place;
	const struct level *l;

	cdop_tile_find(height, index, &place);
	l = &w->level[place.level];
	CDOP_ASSERT(place.tile == l->tile &&
	    place.first + (1u << place.height) <= l->n);
	cdop_tile_hash(l->hash + place.first * (size_t)CDOP_MERKLE_HASH,
	    place.height, ret_hash);
	return CDOP_OK;
}

static bool
has_root(struct walk *w, const uint8_t *want)
{
	uint8_t root[CDOP_MERKLE_HASH];

	return cdop_merkle_root(w->leaves, fetch, w, root) == CDOP_OK &&
	    memcmp(root, want, sizeof(root)) == 0;
}

/* ---- leaves -------------------------------------------------------------- */

/*
 * Before the next leaf: is this the tree that the next statement goes on
 * from?  Between it and the leaf of a statement that is no mere turn of the
 * key may lie the sign-ins of those who stated it.
 */
static bool
goes_on_from_here(struct walk *w)
{
	struct said *said = &w->said[w->told];

	if (w->told == w->n_said || !said->followed ||
	    said->what.from.size != w->leaves)
		return true;
	said->met = has_root(w, said->what.from.root);
	return said->met;
}

static bool
is_told(struct walk *w, const struct cdop_leaf *leaf)
{
	const struct said *said = &w->said[w->told];

	if (w->told == w->n_said ||
	    !cdop_leaf_is_of_statement(leaf, said->note))
		return false;
	w->told++;
	if (!said->followed)
		return true;
	return said->met &&
	    (said->what.kind != CDOP_STATEMENT_KEY ||
		said->what.from.size == w->leaves);
}

/* Was this the tree that somebody holds a note of? */
static enum exit_code
check_held(struct walk *w)
{
	size_t i;

	for (i = 0; i < w->n_held; i++)
		if (w->held[i].tree.size == w->leaves && w->leaves > 0 &&
		    !has_root(w, w->held[i].tree.root))
			return not_this_log(
			    w, &w->held[i], "this is another log");
	return EXIT_OK;
}

/* NULL: it is the leaf that belongs here. */
static const char *
fault_of(struct walk *w, struct cdop_bytes entry)
{
	struct cdop_leaf leaf;

	if (cdop_leaf_parse(entry, &leaf) != CDOP_OK)
		return "no leaf of a registry";
	if (leaf.index != w->leaves || leaf.size_before != w->leaves)
		return "it says that its place is another one";
	if (leaf.time_ms < w->log.last_ms)
		return "it is older than the one before it";
	if (!goes_on_from_here(w))
		return "a statement goes on from another tree at this place";
	if (leaf.kind == CDOP_LEAF_STATEMENT && !is_told(w, &leaf))
		return "the statement of it is not here, or of another tree";
	if (w->leaves == 0)
		w->log.first_ms = leaf.time_ms;
	w->log.last_ms = leaf.time_ms;
	return NULL;
}

static enum exit_code
check_entry(struct walk *w, const char *path, struct cdop_bytes entry)
{
	const char *fault = fault_of(w, entry);
	uint8_t hash[CDOP_MERKLE_HASH];
	enum exit_code code;
	char words[96];

	if (fault != NULL) {
		(void)snprintf(words, sizeof(words), "entry %" PRIu64 ": %s",
		    w->leaves, fault);
		return broken(w, path, words);
	}
	cdop_merkle_leaf(hash, entry);
	code = append(w, hash);
	w->leaves++;
	return code == EXIT_OK ? check_held(w) : code;
}

/* Takes the entries of one bundle, so many and no more. */
static enum exit_code
check_bundle(
    struct walk *w, const char *path, unsigned width, struct cdop_bytes rest)
{
	struct cdop_bytes entry;
	enum exit_code code;
	unsigned i;

	for (i = 0; i < width; i++) {
		if (rest.len == 0 ||
		    cdop_tile_entry_next(&rest, &entry) != CDOP_OK)
			return broken(w, path, "it is cut");
		code = check_entry(w, path, entry);
		if (code != EXIT_OK)
			return code;
	}
	return rest.len == 0 ? EXIT_OK
			     : broken(w, path, "more entries than the log has");
}

static enum exit_code
check_all(struct walk *w)
{
	const uint64_t size = w->log.checkpoint.size;
	size_t used = cdop_arena_used(w->ctx->arena);
	char path[CDOP_TILE_PATH_MAX];
	struct cdop_bytes file = {NULL, 0};
	enum exit_code code;
	unsigned width, level;
	uint64_t tile;

	for (tile = 0; w->leaves < size; tile++) {
		width = cdop_tile_width(0, tile, size);
		cdop_tile_entries_path(tile, width, path);
		code = read_file(w, path, BUNDLE_MAX, &file);
		if (code == EXIT_OK)
			code = check_bundle(w, path, width, file);
		if (code != EXIT_OK)
			return code;
		cdop_arena_rewind(w->ctx->arena, used);
	}
	for (level = 0; level < CDOP_TILE_LEVELS; level++) {
		if (w->level[level].n == 0)
			continue;
		if ((code = check_tile(w, level)) != EXIT_OK)
			return code;
	}
	return EXIT_OK;
}

enum exit_code
export_verify(struct cmd_ctx *ctx, const char *folder,
    const struct cdop_note_key *key, struct export_held *held, size_t n_held,
    struct export_log *ret_log)
{
	struct walk w = {.ctx = ctx,
	    .folder = folder,
	    .log.key = *key,
	    .held = held,
	    .n_held = n_held};
	enum exit_code code;

	if (!file_exists(folder))
		return cmd_fail(ctx, EXIT_USAGE, NULL, NULL,
		    "there is no folder %s", folder);
	w.level =
	    cdop_arena_calloc(ctx->arena, CDOP_TILE_LEVELS, sizeof(*w.level));
	if (w.level == NULL)
		return cmd_no_memory(ctx);
	if ((code = read_statements(&w)) != EXIT_OK ||
	    (code = read_checkpoint(&w)) != EXIT_OK ||
	    (code = read_all_held(&w)) != EXIT_OK ||
	    (code = check_all(&w)) != EXIT_OK)
		return code;
	if (!has_root(&w, w.log.checkpoint.root))
		return broken(
		    &w, "checkpoint", "its root is not that of the entries");
	if (w.told < w.n_said)
		return broken(
		    &w, "statement", "there are more than the log has");
	w.log.statements = w.n_said;
	*ret_log = w.log;
	return EXIT_OK;
}
