/*
 * A backup that somebody has worked on, through `cdopd verify FILE` and
 * `cdopd restore`: its manifest is made to fit, so that nothing but the rows
 * stands in the way.  Whatever is called fine has every row of the registry
 * that it was taken of, and no other.
 *
 * Input: operations of 4 bytes (what, record, place u16), each with what it
 * takes from the bytes behind; or, behind a first byte of 255, the whole file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/backup.h"
#include "server/backup_check.h"
#include "server/base/log.h"
#include "server/store/zeros.h"
#include "server/vault/dump.h"
#include "server/vault/rows_slots.h"
#include "server/vault/rows_start.h"
#include "server/vault/verify_walk.h"
#include "tests/fuzz/lib/quick.h"
#include "tests/unit/server/vault/store_fixture.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RECORDS_MAX 64
#define OPERATION   4u
#define OPS_MAX     12
#define K           2
#define N           4
#define ROOM        (1u << 16)

static struct cdop_backup_record genuine[RECORDS_MAX]; /* END left out */
static size_t n_genuine;
static struct cdop_manifest manifest;
static struct cdop_note_signer signer;
static uint8_t registry[16], secret[32];
static char top[64], path[96], dir[96];
static struct cdop_arena *arena;
static uint64_t all_rows;

/*
 * Stands before the library's: room that is only promised, for to write it
 * takes longer than all the rest.
 */
enum cdop_err
zeros_write(int fd, off_t at, size_t len)
{
	return ftruncate(fd, at + (off_t)len) == 0 ? CDOP_OK : CDOP_DATA_LOSS;
}

/* ---- a genuine one ------------------------------------------------------- */

static void
take(struct store_fixture *f, FILE *file)
{
	const struct walk_budget budget = {.rows = 100, .bytes = SIZE_MAX};
	static uint8_t out[ROOM];
	struct dump *dump;
	size_t len;
	bool end;

	CDOP_ASSERT(dump_begin(f->rows, &dump) == CDOP_OK);
	do
		CDOP_ASSERT(dump_fill(dump, ROOM, &budget, &end) == CDOP_OK);
	while (!end);
	CDOP_ASSERT(dump_last(dump) == CDOP_OK);
	CDOP_ASSERT(dump_describe(dump, arena, &manifest) == CDOP_OK);
	CDOP_ASSERT(
	    dump_end(dump, (struct cdop_bytes){(const uint8_t *)"end", 3}) ==
	    CDOP_OK);
	while ((len = dump_copy(dump, out, sizeof(out))) > 0) {
		CDOP_ASSERT(fwrite(out, 1, len, file) == len);
		dump_drop(dump, len);
	}
	dump_free(dump);
}

static void
keep_records(void)
{
	struct cdop_backup_record record;
	struct cdop_backup *backup;
	uint8_t *copy;

	CDOP_ASSERT(cdop_backup_open(path, &backup) == CDOP_OK);
	memcpy(registry, cdop_backup_registry(backup), sizeof(registry));
	for (;;) {
		CDOP_ASSERT(cdop_backup_next(backup, &record) == CDOP_OK);
		if (record.type == CDOP_BACKUP_END)
			break;
		CDOP_ASSERT(n_genuine < RECORDS_MAX);
		copy = malloc(record.bytes.len + 1);
		CDOP_ASSERT(copy != NULL);
		if (record.bytes.len > 0)
			memcpy(copy, record.bytes.data, record.bytes.len);
		record.bytes.data = copy;
		genuine[n_genuine++] = record;
	}
	cdop_backup_close(backup);
	all_rows = manifest.rows;
}

static void
make_genuine(void)
{
	const struct slots_set_new plan = {.k = K, .n = N};
	struct cdop_share share[SHAMIR_MAX];
	struct store_fixture f;
	uint16_t number;
	uint64_t i;
	FILE *file;

	store_fixture_make(&f);
	store_fixture_begin(&f);
	CDOP_ASSERT(rows_slots_add_set(f.rows, "custodians", &plan, &number,
			share) == CDOP_OK);
	for (i = 1; i <= 3; i++)
		(void)store_fixture_case(&f, i, i == 2 ? "south" : "north");
	store_fixture_commit(&f);
	CDOP_ASSERT(slots_set_combine(share, K, secret) == CDOP_OK);
	file = fopen(path, "wb");
	CDOP_ASSERT(file != NULL);
	take(&f, file);
	CDOP_ASSERT(fclose(file) == 0);
	store_fixture_end(&f);
}

static void
go_away(void)
{
	while (n_genuine > 0)
		free((uint8_t *)(uintptr_t)genuine[--n_genuine].bytes.data);
	cdop_arena_free(arena);
	(void)unlink(path);
	(void)rmdir(top);
}

/* ---- one that was worked on ---------------------------------------------- */

struct worked {
	struct cdop_backup_record record[2 * RECORDS_MAX];
	size_t n;
};

static void
insert(struct worked *w, size_t at, const struct cdop_backup_record *record)
{
	const struct cdop_backup_record copy = *record;

	if (w->n == 2 * RECORDS_MAX)
		return;
	memmove(w->record + at + 1, w->record + at,
	    (w->n - at) * sizeof(w->record[0]));
	w->record[at] = copy;
	w->n++;
}

static void
drop(struct worked *w, size_t at)
{
	w->n--;
	memmove(w->record + at, w->record + at + 1,
	    (w->n - at) * sizeof(w->record[0]));
}

/* A copy of the row with other bytes from a place on. */
static void
change(struct cdop_backup_record *record, size_t at, struct cdop_bytes bytes)
{
	const size_t len = record->bytes.len;
	uint8_t *copy = cdop_arena_alloc(arena, len + 1);

	CDOP_ASSERT(copy != NULL);
	if (len == 0)
		return;
	memcpy(copy, record->bytes.data, len);
	at %= len;
	if (bytes.len > len - at)
		bytes.len = len - at;
	if (bytes.len > 0)
		memcpy(copy + at, bytes.data, bytes.len);
	record->bytes.data = copy;
}

static void
operate(struct worked *w, const uint8_t *op, struct cdop_bytes *in)
{
	struct cdop_backup_record *record = &w->record[op[1] % w->n];
	struct cdop_backup_record other;
	const size_t at = cdop_get16(op + 2);
	struct cdop_bytes bytes = *in;

	switch (op[0] % 7) {
	case 0:
		drop(w, op[1] % w->n);
		return;
	case 1: /* there twice, or under another number */
		other = *record;
		other.number += at % 4;
		insert(w, at % (w->n + 1), &other);
		return;
	case 2: /* in the place of another */
		other = *record;
		*record = w->record[at % w->n];
		w->record[at % w->n] = other;
		return;
	case 3:
		other = (struct cdop_backup_record){
		    .type = CDOP_BACKUP_GONE, .number = record->number};
		insert(w, at % (w->n + 1), &other);
		return;
	case 4:
		record->number ^= (uint64_t)1 << at % 64;
		return;
	case 5: /* shorter */
		if (record->bytes.len > 1)
			record->bytes.len -= at % record->bytes.len;
		return;
	default:
		bytes.len = bytes.len < op[0] ? bytes.len : op[0];
		change(record, at, bytes);
		in->data += bytes.len;
		in->len -= bytes.len;
	}
}

static void
put_record(
    FILE *file, const struct cdop_backup_record *record, struct cdop_bytes *all)
{
	uint8_t head[CDOP_BACKUP_RECORD];

	cdop_backup_record_write(record, head);
	CDOP_ASSERT(fwrite(head, 1, sizeof(head), file) == sizeof(head));
	if (record->bytes.len > 0)
		CDOP_ASSERT(fwrite(record->bytes.data, 1, record->bytes.len,
				file) == record->bytes.len);
	all->len += sizeof(head) + record->bytes.len;
}

/* The hash of what stands in the file until now. */
static void
hash_file(uint8_t sum[static 32])
{
	struct cdop_backup_record record = {.type = CDOP_BACKUP_ROW};
	struct cdop_backup *backup;

	CDOP_ASSERT(cdop_backup_open(path, &backup) == CDOP_OK);
	while (record.type != CDOP_BACKUP_END)
		if (cdop_backup_next(backup, &record) != CDOP_OK)
			break;
	if (record.type == CDOP_BACKUP_END)
		memcpy(sum, cdop_backup_sha256(backup), 32);
	cdop_backup_close(backup);
}

/* Twice: what the hash is over is known when it was written. */
static void
write_file(const struct worked *w, uint64_t rows)
{
	struct cdop_manifest said = manifest;
	struct cdop_backup_record end = {.type = CDOP_BACKUP_END};
	uint8_t head[CDOP_BACKUP_HEAD];
	struct cdop_bytes all;
	unsigned round;
	FILE *file;
	size_t i;

	said.rows = rows;
	cdop_backup_head_write(registry, head);
	for (round = 0; round < 2; round++) {
		all = (struct cdop_bytes){NULL, sizeof(head)};
		file = fopen(path, "wb");
		CDOP_ASSERT(file != NULL);
		CDOP_ASSERT(
		    fwrite(head, 1, sizeof(head), file) == sizeof(head));
		for (i = 0; i < w->n; i++)
			put_record(file, &w->record[i], &all);
		said.bytes = all.len;
		CDOP_ASSERT(cdop_manifest_sign(
				&said, &signer, arena, &end.bytes) == CDOP_OK);
		put_record(file, &end, &all);
		CDOP_ASSERT(fclose(file) == 0);
		hash_file(said.sha256);
	}
}

/* As many as it has in the end: the manifest is to fit. */
static uint64_t
count(const struct worked *w)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < w->n; i++)
		n += w->record[i].type == CDOP_BACKUP_ROW ? 1 : UINT64_MAX;
	return n;
}

/* ---- what becomes of it -------------------------------------------------- */

static void
on_row(void *ctx, bool is_finding, const char *line)
{
	unsigned *findings = ctx;

	*findings += is_finding;
	CDOP_ASSERT(strlen(line) < 200);
}

/* Opens through the shares; false: it does not, or something is found. */
static bool
is_fine(uint64_t *ret_rows)
{
	struct rows_args args = {
	    .dir = dir, .map_bytes = STORE_FIXTURE_MAP, .read_only = true};
	struct rows *rows = NULL;
	struct lockmem *mem;
	unsigned findings = 0;
	uint64_t fine;
	const char *why;
	enum cdop_err err;

	CDOP_ASSERT(lockmem_new(1u << 19, &mem, &why) == CDOP_OK);
	CDOP_ASSERT(undo_new(4096, &args.undo) == CDOP_OK);
	CDOP_ASSERT(keystore_new(mem, args.undo, &args.ks) == CDOP_OK);
	err = rows_open(&args, &rows);
	if (err == CDOP_OK)
		err = rows_start_root(rows, 0, secret);
	if (err == CDOP_OK)
		err =
		    verify_walk(rows, on_row, &findings, NULL, ret_rows, &fine);
	rows_close(rows);
	keystore_free(args.ks);
	undo_free(args.undo);
	lockmem_destroy(mem);
	return err == CDOP_OK && findings == 0;
}

static void
clear(void)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	char file[128];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		(void)unlink(file);
	}
	CDOP_ASSERT(rmdir(dir) == 0);
}

static bool
judge(void)
{
	struct backup_check check;
	uint64_t rows = 0;
	bool fine;

	CDOP_ASSERT(mkdir(dir, 0700) == 0);
	fine =
	    backup_check_load(path, dir, NULL, arena, &check) && is_fine(&rows);
	if (fine)
		CDOP_ASSERT(rows == all_rows);
	clear();
	return fine;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct worked as_it_was;
	uint8_t seed[CDOP_NOTE_SEED_LEN] = {9};

	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	CDOP_ASSERT(cdop_arena_new(16u << 20, &arena) == CDOP_OK);
	(void)snprintf(top, sizeof(top), "%s/cdop-fuzz-XXXXXX", quick_top());
	CDOP_ASSERT(mkdtemp(top) != NULL);
	(void)snprintf(path, sizeof(path), "%s/file", top);
	(void)snprintf(dir, sizeof(dir), "%s/dir", top);
	make_genuine();
	keep_records();
	memcpy(as_it_was.record, genuine, n_genuine * sizeof(genuine[0]));
	as_it_was.n = n_genuine;
	cdop_checkpoint_origin(registry, 1, manifest.checkpoint.origin);
	manifest.number = 1;
	manifest.taken_ms = 1795424707042;
	/* Its epochs lay in the arena, and nothing here asks for them. */
	manifest.n_epochs = 0;
	CDOP_ASSERT(cdop_note_signer_init(&signer, manifest.checkpoint.origin,
			CDOP_NOTE_ED25519, seed) == CDOP_OK);
	(void)atexit(go_away);
	/* Untouched it has to pass. */
	write_file(&as_it_was, count(&as_it_was));
	CDOP_ASSERT(judge());
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct worked w;
	struct cdop_bytes in = {data, len};
	const uint8_t *op;
	unsigned ops;
	FILE *file;

	if (len > 0 && data[0] == 255) {
		file = fopen(path, "wb");
		CDOP_ASSERT(file != NULL);
		CDOP_ASSERT(fwrite(data + 1, 1, len - 1, file) == len - 1);
		CDOP_ASSERT(fclose(file) == 0);
	} else {
		memcpy(w.record, genuine, n_genuine * sizeof(genuine[0]));
		w.n = n_genuine;
		for (ops = 0; ops < OPS_MAX && in.len >= OPERATION && w.n > 1;
		     ops++) {
			op = in.data;
			in.data += OPERATION;
			in.len -= OPERATION;
			operate(&w, op, &in);
		}
		write_file(&w, count(&w));
	}
	(void)judge();
	cdop_arena_reset(arena);
	return 0;
}
