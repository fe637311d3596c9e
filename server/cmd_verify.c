/*
 * cdopd verify DIR: opens every row of a registry that is not running and
 * says what each finding is.  cdopd verify FILE: the same of a backup, which
 * is the proof that it can be restored.  It prints no content and changes
 * nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/backup_check.h"
#include "server/base/control.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/offline_key.h"
#include "server/registry/tree_verify.h"
#include "server/vault/verify.h"
#include "server/workplace.h"

/* sysexits.h has no word for "ran, and found something"; PEERS' table has. */
#define EXIT_FOUND 16

#define ARENA (1u << 20)

struct verify {
	struct offline_from from;
	struct offline_key key;
	const char *vkey; /* of the log that has to have signed a backup */
	bool is_backup;
	struct backup_check check; /* of a backup */
	struct verify_log tree;    /* the log as it is looked at in any case */
};

static const char usage_text[] =
    "usage: cdopd verify DIR|FILE [--key VKEY] " OFFLINE_KEY_USAGE;

static void
print_line(void *ctx, const char *line)
{
	(void)ctx;
	puts(line);
}

/* In the process of the walk; what is wrong is said there. */
static enum cdop_err
unlock(void *ctx, const struct slots_info *slots, size_t n, size_t *slot,
    uint8_t ret_k[static 32])
{
	struct verify *verify = ctx;
	enum cdop_err err;

	err = offline_key_next(&verify->key, slots, n, slot, ret_k);
	if (err == CDOP_NOT_FOUND && *slot == SIZE_MAX)
		log_tell("no slot of that kind: %s",
		    verify->is_backup
			? "a backup opens with --shares, or --share-file FILE "
			  "for each"
			: verify->from.key_file == NULL
			? "name one with --key-file FILE"
			: "leave --key-file out");
	return err;
}

static int
usage(const char *why)
{
	log_tell("verify: %s", why);
	log_usage(usage_text);
	return CMD_USAGE;
}

static const char *
why(enum cdop_err err)
{
	if (err == CDOP_UNAUTHENTICATED)
		return "that key, passphrase or these shares do not open it";
	if (err == CDOP_FAILED_PRECONDITION)
		return "in use: stop cdopd first";
	if (err == CDOP_NOT_FOUND)
		return "no registry there";
	return offline_words(err);
}

/* What a drill has to show for itself. */
static void
report_backup(const struct verify *verify, const struct verify_result *result)
{
	const unsigned long long number = verify->check.manifest.number;

	printf("proof  %s\n", result->proof);
	if (verify->vkey == NULL)
		puts("who has signed its manifest was not looked at: --key "
		     "VKEY, the log's, which cdop audit export prints");
	printf("it can be restored; say so: cdop backup proved %llu %s\n",
	    number, result->proof);
}

static int
report(const struct verify *verify, enum cdop_err err,
    const struct verify_result *result)
{
	if (err == CDOP_ABORTED)
		return CMD_FAILED; /* no key, and why was said */
	if (err != CDOP_OK) {
		log_tell("%s: %s",
		    verify->from.called != NULL ? verify->from.called
						: verify->from.dir,
		    why(err));
		return err == CDOP_NOT_FOUND ? CONTROL_EXIT_CONFIG : CMD_FAILED;
	}
	printf("%llu rows, %llu fine, %llu findings\n",
	    (unsigned long long)result->rows, (unsigned long long)result->fine,
	    (unsigned long long)result->findings);
	puts(result->findings == 0 ? "fine" : "NOT FINE");
	if (result->findings == 0 && verify->is_backup)
		report_backup(verify, result);
	return result->findings == 0 ? CMD_OK : EXIT_FOUND;
}

/* ---- the log of a backup ------------------------------------------------- */

/* It has to be the one that the manifest has signed. */
static enum cdop_err
begin_log(void *ctx, const struct verify_tree *tree, verify_walk_fn *say,
    void *say_ctx)
{
	const struct verify *verify = ctx;
	const struct cdop_checkpoint *said = &verify->check.manifest.checkpoint;

	if (tree->size != said->size ||
	    memcmp(tree->root, said->root, sizeof(said->root)) != 0)
		say(say_ctx, true,
		    "the log is not the one that the manifest has signed");
	return verify->tree.begin(verify->tree.ctx, tree, say, say_ctx);
}

static enum cdop_err
row_of_log(void *ctx, const struct rows_head *head, struct cdop_bytes data)
{
	const struct verify *verify = ctx;

	return verify->tree.row(verify->tree.ctx, head, data);
}

static void
end_log(void *ctx)
{
	const struct verify *verify = ctx;

	verify->tree.end(verify->tree.ctx);
}

/* ---- the walk ------------------------------------------------------------ */

static int
walk(struct verify *verify)
{
	struct verify_log log = {verify, begin_log, row_of_log, end_log};
	struct verify_args args = {
	    .dir = verify->from.dir,
	    .unlock = unlock,
	    .line = print_line,
	    .ctx = verify,
	    .log = verify->is_backup ? &log : &verify->tree,
	    .manifest = verify->is_backup ? verify->check.note
					  : (struct cdop_bytes){NULL, 0},
	};
	struct tree_verify *tree;
	struct verify_result result;
	enum cdop_err err;

	memset(&result, 0, sizeof(result));
	if ((err = tree_verify_new(&tree)) == CDOP_OK) {
		verify->tree = tree_verify_log(tree);
		err = verify_dir(&args, &result);
		tree_verify_free(tree);
	}
	return report(verify, err, &result);
}

/* Where a backup is unpacked: sealed rows, and taken away in any case. */
static bool
make_place(void)
{
	const char *top = getenv("TMPDIR");

	if (top == NULL)
		top = "/var/tmp";
	if (workplace_make(top, "verify") == CDOP_OK)
		return true;
	log_tell("%s: a directory to unpack it in cannot be made there: %s",
	    top, strerror(errno));
	return false;
}

static bool
take_key(const struct verify *verify, struct cdop_note_key *key)
{
	struct cdop_bytes text = {(const uint8_t *)verify->vkey, 0};

	if (verify->vkey == NULL)
		return true;
	text.len = strlen(verify->vkey);
	if (cdop_note_key_parse(text, key) == CDOP_OK &&
	    key->type == CDOP_NOTE_ED25519)
		return true;
	log_tell("--key: this is not the key of a log, which is one word like "
		 "name/1+c74f20a3+ARpc...");
	return false;
}

static int
backup(struct verify *verify, struct cdop_arena *arena)
{
	const char *path = verify->from.dir;
	struct cdop_note_key key;
	int status;

	if (!take_key(verify, &key))
		return CMD_USAGE;
	if (!make_place())
		return CMD_FAILED;
	if (!backup_check_load(path, workplace_path(),
		verify->vkey == NULL ? NULL : &key, arena, &verify->check)) {
		workplace_remove();
		return verify->check.not_seen ? CMD_FAILED : EXIT_FOUND;
	}
	backup_check_print(&verify->check, path);
	verify->from.called = path;
	verify->from.dir = workplace_path();
	verify->is_backup = true;
	status = walk(verify);
	workplace_remove();
	return status;
}

static int
run(struct verify *verify)
{
	struct cdop_arena *arena;
	struct stat st;
	int status;

	/* What no start opens is none of the walk's, nor is its passphrase. */
	if (offline_tell_file(verify->from.dir, verify->from.dir))
		return EXIT_FOUND;
	if (stat(verify->from.dir, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (verify->vkey == NULL)
			return walk(verify);
		return usage("--key is of a backup, which the log has signed: "
			     "nothing in a directory is held against it");
	}
	if (cdop_arena_new(ARENA, &arena) != CDOP_OK) {
		log_tell("not enough memory");
		return CMD_FAILED;
	}
	status = backup(verify, arena);
	cdop_arena_free(arena);
	return status;
}

int
cmd_verify(int argc, char **argv)
{
	struct verify verify;
	struct offline_from *from = &verify.from;
	int i;

	memset(&verify, 0, sizeof(verify));
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--key") == 0 && i + 1 < argc)
			verify.vkey = argv[++i];
		else if (argv[i][0] != '-' && from->dir == NULL)
			from->dir = argv[i];
		else if (!offline_key_take(from, argc, argv, &i))
			return cmd_wrong("verify", usage_text, argc, argv, i);
	}
	if (from->dir == NULL)
		return usage("DIR or FILE is needed");
	offline_key_init(&verify.key, from);
	i = run(&verify);
	offline_key_wipe(&verify.key);
	return i;
}
