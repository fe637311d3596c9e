/*
 * cdopd restore killed, and its disk failing, at each call that it makes to
 * the disk: what is in the directory is nothing that opens, or a registry that
 * waits for two administrators; and the same command makes it whole.
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/backup.h"
#include "cdop/share.h"
#include "server/cmd.h"
#include "server/registry/actor.h"
#include "server/registry/backups.h"
#include "server/registry/custody_act.h"
#include "server/registry/people.h"
#include "server/vault/rows_slots.h"
#include "server/vault/shamir.h"
#include "tests/unit/server/cut.h"
#include "tests/unit/server/cut_calls.h"
#include "tests/unit/server/scratch.h"
#include "tests/unit/server/share_files.h"
#include "tests/unit/server/world.h"

/* What a child and its parent both see. */
struct shared {
	int code; /* calls fail with it; 0: the process dies */
	int status;
	uint32_t calls;
};

static struct shared *shared;

static struct world w;
static uint8_t k[32]; /* of the slot of shares */
static char top[64];
static char file[96], dir[96];
static struct share_files shares;
/* Backups whose manifest the log has truly signed, and of another log. */
static char forged[2][96];
static char said[96];    /* what the last of those was told */
static char left_out[8]; /* an administrator, by number */

/* ---- a backup ------------------------------------------------------------ */

static void
add_shares(void)
{
	struct shamir_share part[SHARE_FILES];
	size_t i;

	share_files_make(&shares, &w, top);
	for (i = 0; i < SHARE_FILES; i++) {
		part[i].x = shares.share[i].x;
		memcpy(part[i].y, shares.share[i].y, sizeof(part[i].y));
	}
	assert_int_equal(shamir_combine(part, SHARE_FILES, k), CDOP_OK);
}

static enum backups_fault
in_a_batch(uint32_t *number, struct backups_piece *piece)
{
	static const struct actor ada = {
	    .person = WORLD_ADMIN_1, .device = WORLD_ADMIN_1};
	enum backups_fault fault;
	enum cdop_err err;

	world_begin(&w, 1u << 19, 32);
	err = *number == 0
	    ? backups_begin(w.reg->backups, w.arena, &ada, "monday", w.now_ms,
		  number, &fault)
	    : backups_take(w.reg->backups, w.arena, *number, piece, &fault);
	assert_int_equal(err, CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	return fault;
}

static void
take_backup(void)
{
	static uint8_t out[1u << 16];
	struct backups_piece piece = {.out = out, .max = sizeof(out)};
	uint32_t number = 0;
	FILE *to;

	to = fopen(file, "we");
	assert_non_null(to);
	do {
		while (backups_pump(w.reg->backups, 1000))
			;
		(void)in_a_batch(&number, &piece);
		assert_int_equal(
		    fwrite(piece.out, 1, piece.len, to), piece.len);
	} while (!piece.end);
	assert_int_equal(fclose(to), 0);
}

/* The bytes of the backup, with a manifest of another size or root behind. */
static void
forge(const char *path, bool is_size)
{
	const struct backups_entry *entry = backups_at(w.reg->backups, 0);
	struct cdop_backup_record record = {.type = CDOP_BACKUP_END};
	static uint8_t bytes[1u << 20];
	uint8_t head[CDOP_BACKUP_RECORD];
	struct cdop_manifest manifest;
	struct cdop_note_signer signer;
	FILE *f;

	assert_int_equal(
	    cdop_manifest_parse(entry->manifest, w.arena, &manifest), CDOP_OK);
	if (is_size)
		manifest.checkpoint.size++;
	else
		manifest.checkpoint.root[31] ^= 1;
	assert_int_equal(
	    cdop_note_signer_init(&signer, manifest.checkpoint.origin,
		CDOP_NOTE_ED25519, w.reg->log_seed),
	    CDOP_OK);
	assert_int_equal(
	    cdop_manifest_sign(&manifest, &signer, w.arena, &record.bytes),
	    CDOP_OK);
	cdop_backup_record_write(&record, head);
	assert_in_range(manifest.bytes, 1, sizeof(bytes));
	f = fopen(file, "re");
	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, manifest.bytes, f), manifest.bytes);
	assert_int_equal(fclose(f), 0);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, manifest.bytes, f), manifest.bytes);
	assert_int_equal(fwrite(head, 1, sizeof(head), f), sizeof(head));
	assert_int_equal(fwrite(record.bytes.data, 1, record.bytes.len, f),
	    record.bytes.len);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	scratch_dir(top, sizeof(top), "restore");
	(void)snprintf(file, sizeof(file), "%s/file", top);
	(void)snprintf(dir, sizeof(dir), "%s/data", top);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	world_make(&w);
	free(world_register(&w, 1, "wirral"));
	add_shares();
	take_backup();
	for (i = 0; i < 2; i++) {
		(void)snprintf(
		    forged[i], sizeof(forged[i]), "%s/forged-%zu", top, i);
		forge(forged[i], i == 0);
	}
	(void)snprintf(said, sizeof(said), "%s/said", top);
	(void)snprintf(left_out, sizeof(left_out), "%d", WORLD_ADMIN_2);
	world_close(&w);
	return 0;
}

static void
remove_all(const char *const *names, size_t n)
{
	char path[128];
	size_t i;

	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, names[i]);
		if (unlink(path) != 0)
			(void)rmdir(path);
	}
}

/* What was killed leaves the place it worked in until the next one comes. */
static void
empty(void)
{
	static const char *const names[] = {
	    "data/data.mdb", "data/lock.mdb", "data"};
	static const char *const made[] = {
	    "data.mdb", "lock.mdb", "commit-failed", "held"};
	char path[512];
	struct stat st;
	glob_t found;
	size_t i, n;

	(void)snprintf(path, sizeof(path), "%s/cdopd-restore.*", dir);
	if (glob(path, 0, NULL, &found) == 0) {
		for (i = 0; i < found.gl_pathc; i++) {
			for (n = 0; n < sizeof(made) / sizeof(made[0]); n++) {
				(void)snprintf(path, sizeof(path), "%s/%s",
				    found.gl_pathv[i], made[n]);
				(void)unlink(path);
			}
			assert_int_equal(rmdir(found.gl_pathv[i]), 0);
		}
		globfree(&found);
	}
	remove_all(names, sizeof(names) / sizeof(names[0]));
	assert_int_not_equal(stat(dir, &st), 0);
}

static int
teardown(void **state)
{
	static const char *const names[] = {
	    "file", "share-0", "share-1", "forged-0", "forged-1", "said"};

	(void)state;
	empty();
	remove_all(names, sizeof(names) / sizeof(names[0]));
	assert_int_equal(rmdir(top), 0);
	world_open(&w);
	world_end(&w);
	return munmap(shared, sizeof(*shared));
}

/* ---- restoring ----------------------------------------------------------- */

static int
restore_of(char *from)
{
	char *argv[] = {(char *)(uintptr_t) "restore", from, dir,
	    (char *)(uintptr_t) "--by", (char *)(uintptr_t) "Olga",
	    (char *)(uintptr_t) "--reason", (char *)(uintptr_t) "disk",
	    (char *)(uintptr_t) "--suspend", left_out,
	    (char *)(uintptr_t) "--share-file", shares.path[0],
	    (char *)(uintptr_t) "--share-file", shares.path[1]};

	return cmd_restore(sizeof(argv) / sizeof(argv[0]), argv);
}

static int
restore(void)
{
	return restore_of(file);
}

static void
forged_child(uint32_t at)
{
	if (freopen("/dev/null", "w", stdout) == NULL ||
	    freopen(said, "w", stderr) == NULL)
		_exit(2);
	cut_begin(0, 0);
	shared->status = restore_of(forged[at]);
	cut_end();
}

static void
child(uint32_t at)
{
	/* What it says is other tests'. */
	if (freopen("/dev/null", "w", stdout) == NULL ||
	    freopen("/dev/null", "w", stderr) == NULL)
		_exit(2);
	cut_begin(at, shared->code);
	shared->status = restore();
	shared->calls = cut_calls();
	cut_end();
}

/* Nothing that opens (false), or what waits for two administrators. */
static bool
is_restored(void)
{
	struct world other = w;
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if (stat(path, &st) != 0)
		return false;
	/* And under no other name, which would outlive an erasure. */
	assert_int_equal(st.st_nlink, 1);
	(void)snprintf(other.dir, sizeof(other.dir), "%.48s/data", top);
	memcpy(other.k, k, sizeof(k));
	world_open(&other);
	assert_int_equal(registry_state(other.reg), CDOP__STATE__RESTORED);
	assert_int_equal(rows_incarnation(other.rows), 2);
	/* With the mark, and never behind it. */
	assert_int_equal(people_person(other.reg->people, WORLD_ADMIN_2)->state,
	    CDOP__PERSON_STATE__PERSON_SUSPENDED);
	world_close(&other);
	return true;
}

static void
again(void)
{
	assert_false(cut_child(0, child));
	assert_int_equal(shared->status, CMD_OK);
	assert_true(is_restored());
}

static void
killed_at_any_call_it_is_nothing_or_waits_for_two(void **state)
{
	uint32_t at;
	bool died = true, is_whole;

	(void)state;
	for (at = 1; died; at++) {
		shared->code = 0;
		died = cut_child(at, child);
		is_whole = is_restored();
		assert_true(died || (is_whole && shared->status == CMD_OK));
		/* Again, over what was left. */
		if (!is_whole)
			again();
		empty();
	}
	assert_in_range(at, 10, 1000);
}

static void
failing_at_any_call_nothing_stays_or_it_waits_for_two(void **state)
{
	static const int codes[] = {ENOSPC, EIO};
	struct stat st;
	uint32_t at;
	size_t c;

	(void)state;
	for (c = 0; c < sizeof(codes) / sizeof(codes[0]); c++)
		for (at = 1, shared->calls = 1; at <= shared->calls; at++) {
			shared->code = codes[c];
			assert_false(cut_child(at, child));
			if (!is_restored()) {
				assert_int_equal(shared->status, CMD_FAILED);
				assert_int_not_equal(stat(dir, &st), 0);
				again();
			}
			empty();
		}
}

/* Whoever has the key of the log, or took it from another day of it. */
static void
one_of_another_state_of_the_log_is_refused(void **state)
{
	char words[512];
	struct stat st;
	size_t len;
	uint32_t i;
	FILE *f;

	(void)state;
	for (i = 0; i < 2; i++) {
		shared->status = CMD_OK;
		assert_false(cut_child(i, forged_child));
		assert_int_equal(shared->status, CMD_FAILED);
		assert_int_not_equal(stat(dir, &st), 0);
		f = fopen(said, "re");
		assert_non_null(f);
		len = fread(words, 1, sizeof(words) - 1, f);
		words[len] = '\0';
		assert_int_equal(fclose(f), 0);
		assert_non_null(strstr(words,
		    "the log in it is not the one that its manifest has "
		    "signed"));
	}
	again();
	empty();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(killed_at_any_call_it_is_nothing_or_waits_for_two),
	    cmocka_unit_test(
		failing_at_any_call_nothing_stays_or_it_waits_for_two),
	    cmocka_unit_test(one_of_another_state_of_the_log_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
