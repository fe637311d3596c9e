/*
 * An exported log in a folder from anybody, as `cdop audit verify` goes
 * through it: tiles, bundles of entries, statements, the checkpoint, and
 * what somebody holds beside it.  A genuine one is spoilt
 * before its hashes are made, so that they fit, and behind that.  Whatever
 * is called whole has the root of its entries, under the key that was asked
 * for, or one that its statements lead to.
 *
 * Input: how long it is, what kinds of statement it has, then operations,
 * each with what it takes from the bytes behind.
 */
#include "client/export.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdop/call.h"
#include "cdop/leaf.h"
#include "cdop/logproof.h"
#include "cdop/secret.h"
#include "cdop/tile.h"
#include "client/file.h"
#include "tests/fuzz/lib/answer.h"
#include "tests/fuzz/lib/quick.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LEAVES_MAX 600
#define STATEMENTS 3
#define KEYS       (STATEMENTS + 1)
#define FILES_MAX  16
#define OPS_MAX    16
#define HELD_MAX   4
#define TWICE_MAX  (1u << 20)
#define ARENA_MAX  ((size_t)64 << 20)

struct file {
	char path[CDOP_TILE_PATH_MAX];
	struct cdop_bytes bytes;
	bool gone;
};

struct log {
	size_t n;
	struct cdop_bytes entry[LEAVES_MAX];
	uint8_t hash[LEAVES_MAX][CDOP_MERKLE_HASH];
	struct cdop_note_signer signer[KEYS]; /* one after the other */
	size_t n_keys;
	size_t told[STATEMENTS]; /* leaf of each */
	struct cdop_bytes note[STATEMENTS];
	struct file file[FILES_MAX];
	size_t n_files;
	struct export_held held[HELD_MAX];
	size_t n_held;
};

static const uint8_t registry[16] = {0xab, 1, 2, 3};
static struct cdop_arena *arena;
static struct answer_bytes input;
static struct log whole;
static char top[64];

static struct cdop_bytes
copy_of(const void *data, size_t len)
{
	uint8_t *copy = cdop_arena_alloc(arena, len + 1);

	CDOP_ASSERT(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	return (struct cdop_bytes){copy, len};
}

static size_t
two_bytes(void)
{
	const size_t high = answer_byte(&input);

	return high << 8 | answer_byte(&input);
}

/* ---- hashes -------------------------------------------------------------- */

/* Of 2^height leaves; ctx are those of all. */
static enum cdop_err
fetch(void *ctx, unsigned height, uint64_t index,
    uint8_t ret_hash[static CDOP_MERKLE_HASH])
{
	const uint8_t(*hash)[CDOP_MERKLE_HASH] = ctx;
	uint8_t pair[2 * CDOP_MERKLE_HASH];

	if (height <= CDOP_TILE_HEIGHT) {
		cdop_tile_hash(hash[index << height], height, ret_hash);
		return CDOP_OK;
	}
	CDOP_ASSERT(height == CDOP_TILE_HEIGHT + 1);
	cdop_tile_hash(hash[index << height], CDOP_TILE_HEIGHT, pair);
	cdop_tile_hash(hash[(index << height) + CDOP_TILE_WIDTH],
	    CDOP_TILE_HEIGHT, pair + CDOP_MERKLE_HASH);
	cdop_tile_hash(pair, 1, ret_hash);
	return CDOP_OK;
}

static void
root_of(struct log *log, size_t n, uint8_t root[static CDOP_MERKLE_HASH])
{
	CDOP_ASSERT(cdop_merkle_root(n, fetch, log->hash, root) == CDOP_OK);
}

static struct cdop_checkpoint
tree_of(struct log *log, size_t n, const char *origin)
{
	struct cdop_checkpoint tree;

	memset(&tree, 0, sizeof(tree));
	memcpy(tree.origin, origin, strlen(origin) + 1);
	tree.size = n;
	root_of(log, n, tree.root);
	return tree;
}

/* ---- a log --------------------------------------------------------------- */

static void
make_signers(struct log *log)
{
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	uint8_t seed[CDOP_NOTE_SEED_LEN] = {1};
	uint16_t i;

	for (i = 0; i < KEYS; i++) {
		/* The second statement is of a restore. */
		cdop_checkpoint_origin(registry, i < 2 ? 1 : 2, origin);
		seed[1] = (uint8_t)i;
		CDOP_ASSERT(cdop_note_signer_init(&log->signer[i], origin,
				CDOP_NOTE_ED25519, seed) == CDOP_OK);
	}
}

static void
make_leaf(struct log *log, size_t i, const struct cdop_bytes *note)
{
	uint8_t out[CDOP_LEAF_LEN];
	struct cdop_leaf leaf = {
	    .kind = CDOP_LEAF_CALL, .call = CDOP_CALL_Status};

	leaf.index = leaf.size_before = i;
	leaf.time_ms = 1795424707042 + i * 1000;
	if (note != NULL) {
		leaf.kind = CDOP_LEAF_STATEMENT;
		leaf.call = 0;
		crypto_hash_sha256(
		    leaf.commitment[CDOP_LEAF_REQUEST], note->data, note->len);
	}
	cdop_leaf_write(&leaf, out);
	log->entry[i] = copy_of(out, sizeof(out));
}

/* Of the tree before that leaf; a byte of the input may have it otherwise. */
static void
make_statement(struct log *log, size_t k, size_t at)
{
	static uint8_t out[CDOP_STATEMENT_MAX];
	static const char by[] = "1 Ada Adminson", why[] = "once a year";
	const struct cdop_note_signer *from = &log->signer[k];
	struct cdop_statement said;
	size_t len;

	memset(&said, 0, sizeof(said));
	said.kind = k == 1 ? CDOP_STATEMENT_RESTORE : CDOP_STATEMENT_KEY;
	memcpy(said.registry, registry, sizeof(registry));
	said.incarnation = k == 0 ? 1 : 2;
	said.key = log->signer[k + 1].key;
	said.from = tree_of(log, at, from->key.name);
	said.time_ms = 1795424707042;
	said.by[0] = (struct cdop_bytes){(const uint8_t *)by, strlen(by)};
	said.n_by = 1;
	said.reason = (struct cdop_bytes){(const uint8_t *)why, strlen(why)};
	CDOP_ASSERT(cdop_statement_sign(&said, from, &log->signer[k + 1], out,
			&len) == CDOP_OK);
	log->note[k] = copy_of(out, len);
	log->told[k] = at;
}

/* n leaves, of which each statement is one, a third of the way apart. */
static void
make_log(struct log *log, size_t n, size_t statements)
{
	size_t i, k = 0;

	memset(log, 0, sizeof(*log));
	make_signers(log);
	for (i = 0; i < n; i++) {
		if (k < statements && i == (k + 1) * n / (STATEMENTS + 1)) {
			make_statement(log, k, i);
			make_leaf(log, i, &log->note[k++]);
		} else {
			make_leaf(log, i, NULL);
		}
		cdop_merkle_leaf(log->hash[i], log->entry[i]);
	}
	log->n = n;
	log->n_keys = k + 1;
}

/* ---- as files ------------------------------------------------------------ */

static struct file *
add_file(struct log *log, const char *path, struct cdop_bytes bytes)
{
	struct file *file = &log->file[log->n_files++];

	CDOP_ASSERT(log->n_files <= FILES_MAX);
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	file->bytes = bytes;
	return file;
}

static void
add_bundle(struct log *log, size_t tile, unsigned width)
{
	const size_t first = tile * CDOP_TILE_WIDTH;
	char path[CDOP_TILE_PATH_MAX];
	size_t i, len = 0, max = 0;
	uint8_t *out;

	for (i = 0; i < width; i++)
		max += CDOP_TILE_ENTRY_HEAD + log->entry[first + i].len;
	out = cdop_arena_alloc(arena, max + 1);
	CDOP_ASSERT(out != NULL);
	for (i = 0; i < width; i++)
		CDOP_ASSERT(cdop_tile_entry_write(log->entry[first + i], out,
				max, &len) == CDOP_OK);
	cdop_tile_entries_path(tile, width, path);
	(void)add_file(log, path, (struct cdop_bytes){out, len});
	cdop_tile_path(0, tile, width, path);
	(void)add_file(log, path,
	    copy_of(log->hash[first], width * (size_t)CDOP_MERKLE_HASH));
}

/* The level above, of whole tiles. */
static void
add_upper(struct log *log)
{
	const unsigned width = cdop_tile_width(1, 0, log->n);
	uint8_t hashes[LEAVES_MAX / CDOP_TILE_WIDTH][CDOP_MERKLE_HASH];
	char path[CDOP_TILE_PATH_MAX];
	unsigned i;

	if (width == 0)
		return;
	for (i = 0; i < width; i++)
		cdop_tile_hash(log->hash[i * CDOP_TILE_WIDTH], CDOP_TILE_HEIGHT,
		    hashes[i]);
	cdop_tile_path(1, 0, width, path);
	(void)add_file(
	    log, path, copy_of(hashes, width * (size_t)CDOP_MERKLE_HASH));
}

static void
make_files(struct log *log)
{
	const struct cdop_note_signer *last = &log->signer[log->n_keys - 1];
	struct cdop_checkpoint tree = tree_of(log, log->n, last->key.name);
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	size_t len, tile;
	char path[32];

	CDOP_ASSERT(cdop_checkpoint_sign(&tree, last, note, &len) == CDOP_OK);
	(void)add_file(log, "checkpoint", copy_of(note, len));
	for (tile = 0; tile * CDOP_TILE_WIDTH < log->n; tile++)
		add_bundle(log, tile, cdop_tile_width(0, tile, log->n));
	add_upper(log);
	for (tile = 0; tile + 1 < log->n_keys; tile++) {
		(void)snprintf(path, sizeof(path), "statement/%zu", tile + 1);
		(void)add_file(log, path, log->note[tile]);
	}
}

static void
path_of(const struct file *file, char out[static 160])
{
	(void)snprintf(out, 160, "%s/%s", top, file->path);
}

static void
put_file(const struct file *file)
{
	char path[160], *slash;

	if (file->gone)
		return;
	path_of(file, path);
	if (file_put(path, &file->bytes, 1) == CDOP_OK)
		return;
	slash = strrchr(path, '/');
	*slash = '\0';
	CDOP_ASSERT(file_make_dir(path) == CDOP_OK);
	*slash = '/';
	CDOP_ASSERT(file_put(path, &file->bytes, 1) == CDOP_OK);
}

static void
take_away(const struct file *file)
{
	char path[160];

	path_of(file, path);
	(void)unlink(path);
}

/* ---- what is done to it -------------------------------------------------- */

/* Other bytes from a place on, or an end there. */
static struct cdop_bytes
spoil(struct cdop_bytes bytes)
{
	const uint8_t how = answer_byte(&input);
	size_t at = two_bytes();
	struct cdop_bytes some = answer_some(&input, how >> 2);
	uint8_t *copy;

	if (how % 4 == 1) /* something else */
		return copy_of(some.data, some.len);
	if (how % 4 == 2 && bytes.len < TWICE_MAX) { /* twice */
		copy = cdop_arena_alloc(arena, 2 * bytes.len + 1);
		CDOP_ASSERT(copy != NULL);
		if (bytes.len > 0) {
			memcpy(copy, bytes.data, bytes.len);
			memcpy(copy + bytes.len, bytes.data, bytes.len);
		}
		return (struct cdop_bytes){copy, 2 * bytes.len};
	}
	bytes = copy_of(bytes.data, bytes.len);
	if (bytes.len == 0)
		return bytes;
	at %= bytes.len;
	if (how % 4 == 3) {
		bytes.len = at;
		return bytes;
	}
	if (some.len > bytes.len - at)
		some.len = bytes.len - at;
	if (some.len > 0)
		memcpy(
		    (uint8_t *)(uintptr_t)bytes.data + at, some.data, some.len);
	return bytes;
}

/* Before the hashes are made: the log says it, and signs it. */
static void
spoil_entry(struct log *log)
{
	const size_t at = two_bytes();
	size_t i;

	if (log->n == 0)
		return;
	i = at % log->n;
	log->entry[i] = spoil(log->entry[i]);
	if (log->entry[i].len > 2 * CDOP_LEAF_LEN)
		log->entry[i].len = 2 * CDOP_LEAF_LEN;
	cdop_merkle_leaf(log->hash[i], log->entry[i]);
}

static void
spoil_file(struct log *log)
{
	struct file *file = &log->file[answer_byte(&input) % log->n_files];
	const struct file *other;
	const uint8_t what = answer_byte(&input);

	switch (what % 4) {
	case 0:
		file->gone = true;
		return;
	case 1:
		other = &log->file[answer_byte(&input) % log->n_files];
		file->bytes = other->bytes;
		return;
	default:
		file->bytes = spoil(file->bytes);
	}
}

static struct cdop_bytes
receipt_of(struct log *log, size_t leaf)
{
	static uint8_t out[CDOP_LOGPROOF_MAX(CDOP_CHECKPOINT_NOTE_MAX)];
	const struct cdop_bytes entry = log->entry[leaf];
	static struct cdop_logproof proof;
	size_t len;

	if (entry.len > CDOP_LOGPROOF_EXTRA_MAX)
		return entry;
	memcpy(proof.extra, entry.data, entry.len);
	proof.extra_len = entry.len;
	proof.index = leaf;
	proof.checkpoint = log->file[0].bytes;
	CDOP_ASSERT(cdop_merkle_prove_inclusion(leaf, log->n, fetch, log->hash,
			&proof.proof) == CDOP_OK);
	if (cdop_logproof_write(&proof, out, sizeof(out), &len) != CDOP_OK)
		return entry;
	return copy_of(out, len);
}

/* A note of its beginning, or a receipt, as it was or spoilt. */
static void
hold(struct log *log)
{
	const uint8_t what = answer_byte(&input);
	const size_t at = two_bytes();
	struct export_held *held = &log->held[log->n_held];
	struct cdop_note_signer *by = &log->signer[what / 4 % log->n_keys];
	struct cdop_checkpoint tree;
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	size_t len;

	if (log->n_held == HELD_MAX || log->n == 0)
		return;
	log->n_held++;
	held->name = "held";
	if (what % 4 < 2) {
		held->text = receipt_of(log, at % log->n);
	} else {
		tree = tree_of(log, at % (log->n + 1), by->key.name);
		CDOP_ASSERT(
		    cdop_checkpoint_sign(&tree, by, note, &len) == CDOP_OK);
		held->text = copy_of(note, len);
	}
	if (what % 2 == 1)
		held->text = spoil(held->text);
}

/* ---- what becomes of it -------------------------------------------------- */

/* Counted once more, by other means: the bundles as they lie there. */
static void
must_hold(struct log *log, const struct export_log *found)
{
	struct cdop_bytes rest, entry;
	uint8_t root[CDOP_MERKLE_HASH];
	size_t i, n = 0;

	for (i = 0; i < log->n_files; i++) {
		if (strncmp(log->file[i].path, "tile/entries/", 13) != 0)
			continue;
		rest = log->file[i].bytes;
		while (rest.len > 0 && n < found->checkpoint.size) {
			CDOP_ASSERT(
			    cdop_tile_entry_next(&rest, &entry) == CDOP_OK);
			cdop_merkle_leaf(log->hash[n++], entry);
		}
	}
	CDOP_ASSERT(n == found->checkpoint.size);
	root_of(log, n, root);
	CDOP_ASSERT(memcmp(root, found->checkpoint.root, sizeof(root)) == 0);
	for (i = 0; i < log->n_keys; i++)
		if (memcmp(&log->signer[i].key, &found->key,
			sizeof(found->key)) == 0)
			break;
	/* A key that somebody led to. */
	CDOP_ASSERT(i < log->n_keys);
}

static enum exit_code
verify(struct log *log, unsigned key)
{
	struct cmd_ctx ctx;
	struct export_log found;
	enum exit_code code;
	size_t i;

	memset(&ctx, 0, sizeof(ctx));
	ctx.arena = arena;
	for (i = 0; i < log->n_files; i++)
		put_file(&log->file[i]);
	code = export_verify(&ctx, top, &log->signer[key % log->n_keys].key,
	    log->held, log->n_held, &found);
	if (code == EXIT_OK)
		must_hold(log, &found);
	else
		CDOP_ASSERT(
		    code == EXIT_INTEGRITY && ctx.error.message != NULL);
	for (i = 0; i < log->n_files; i++)
		take_away(&log->file[i]);
	return code;
}

static void
go_away(void)
{
	(void)!file_remove_tree(top);
	cdop_arena_free(arena);
}

static const size_t sizes[] = {0, 1, 4, 5, 17, 255, 256, 257, 300, 512, 530};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	size_t i, k;

	(void)argc;
	(void)argv;
	CDOP_ASSERT(cdop_secret_init() == CDOP_OK);
	CDOP_ASSERT(cdop_arena_new(ARENA_MAX, &arena) == CDOP_OK);
	(void)snprintf(top, sizeof(top), "%s/cdop-fuzz-XXXXXX", quick_top());
	CDOP_ASSERT(mkdtemp(top) != NULL);
	(void)atexit(go_away);
	/* Untouched each has to pass. */
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (k = 0; k <= STATEMENTS; k++) {
			make_log(&whole, sizes[i], k);
			make_files(&whole);
			CDOP_ASSERT(verify(&whole, 0) == EXIT_OK);
			cdop_arena_reset(arena);
		}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const size_t n = sizeof(sizes) / sizeof(sizes[0]);
	unsigned ops, key;
	uint8_t how;

	input = (struct answer_bytes){data, len};
	how = answer_byte(&input);
	make_log(
	    &whole, sizes[how % n], answer_byte(&input) % (STATEMENTS + 1));
	key = answer_byte(&input) % 4;
	for (ops = answer_byte(&input) % 4; ops > 0; ops--)
		spoil_entry(&whole);
	make_files(&whole);
	for (ops = 0; ops < OPS_MAX && input.len > 0; ops++)
		if (answer_byte(&input) % 4 == 0)
			hold(&whole);
		else
			spoil_file(&whole);
	(void)verify(&whole, key);
	cdop_arena_reset(arena);
	return 0;
}
