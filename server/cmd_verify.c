/*
 * cdopd verify DIR: opens every row of a registry that is not running and
 * says what each finding is.  It prints no content and changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "server/base/control.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/offline_key.h"
#include "server/registry/tree_verify.h"
#include "server/vault/verify.h"

/* sysexits.h has no word for "ran, and found something"; PEERS' table has. */
#define EXIT_FOUND 16

struct verify {
	struct offline_from from;
	struct offline_key key;
};

static const char usage_text[] = "usage: cdopd verify DIR " OFFLINE_KEY_USAGE;

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
		    verify->from.key_file == NULL
			? "name one with --key-file FILE"
			: "leave --key-file out");
	return err;
}

static int
usage(void)
{
	log_tell("%s", usage_text);
	return CMD_USAGE;
}

static const char *
why(enum cdop_err err)
{
	if (err == CDOP_UNAUTHENTICATED)
		return "that key or passphrase does not open it";
	if (err == CDOP_FAILED_PRECONDITION)
		return "in use: stop cdopd first";
	if (err == CDOP_NOT_FOUND)
		return "no registry there";
	return cdop_err_name(err);
}

static int
report(const struct verify *verify, enum cdop_err err,
    const struct verify_result *result)
{
	if (err == CDOP_ABORTED)
		return CMD_FAILED; /* no key, and why was said */
	if (err != CDOP_OK) {
		log_tell("%s: %s", verify->from.dir, why(err));
		return err == CDOP_NOT_FOUND ? CONTROL_EXIT_CONFIG : CMD_FAILED;
	}
	printf("%llu rows, %llu fine, %llu findings\n",
	    (unsigned long long)result->rows, (unsigned long long)result->fine,
	    (unsigned long long)result->findings);
	puts(result->findings == 0 ? "fine" : "NOT FINE");
	return result->findings == 0 ? CMD_OK : EXIT_FOUND;
}

static int
run(struct verify *verify)
{
	struct tree_verify *tree;
	struct verify_log log;
	struct verify_args args = {
	    .dir = verify->from.dir,
	    .unlock = unlock,
	    .line = print_line,
	    .ctx = verify,
	    .log = &log,
	};
	struct verify_result result;
	enum cdop_err err;

	memset(&result, 0, sizeof(result));
	if ((err = tree_verify_new(&tree)) == CDOP_OK) {
		log = tree_verify_log(tree);
		err = verify_dir(&args, &result);
		tree_verify_free(tree);
	}
	return report(verify, err, &result);
}

int
cmd_verify(int argc, char **argv)
{
	struct verify verify;
	struct offline_from *from = &verify.from;
	int i;

	memset(&verify, 0, sizeof(verify));
	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' && from->dir == NULL)
			from->dir = argv[i];
		else if (!offline_key_take(from, argc, argv, &i))
			return usage();
	}
	if (from->dir == NULL)
		return usage();
	offline_key_init(&verify.key, from);
	i = run(&verify);
	offline_key_wipe(&verify.key);
	return i;
}
