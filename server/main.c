/* cdopd: argv to one of the verbs below. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cdop/inherited.h"
#include "cdop/secret.h"
#include "cdop/version.h"
#include "server/base/config.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/cmd.h"
#include "server/offline_key.h"

struct verb {
	const char *name;
	cmd_fn *run;
	const char *usage; /* NULL: not for people */
	const char *help;
	bool asks; /* and does nothing: its answer is all there is of it */
};

static const struct verb verbs[] = {
    {"init", cmd_init, "DIR --mode live|training --profile FILE ...",
	"make a registry: slots, invitations, recovery sheet", false},
    {"run", cmd_run, "[-f FILE]", "start the daemon; stays in front", false},
    {"unseal", cmd_unseal, "[-f FILE] " OFFLINE_KEY_USAGE,
	"open a sealed registry that runs here", false},
    {"check", cmd_check, "[-f FILE] [--json]",
	"what is not right on this host, and how it is mended", true},
    {"slot", cmd_slot, "list|add|test|remove|sheet DIR ...",
	"offline: what opens a registry", false},
    {"verify", cmd_verify, "DIR|FILE [--key VKEY] " OFFLINE_KEY_USAGE,
	"open every row of a registry that is not running, or of a backup",
	true},
    {"restore", cmd_restore, "FILE DIR --by NAME --reason TEXT ...",
	"offline: make a registry of a backup, to be accepted by two people",
	false},
    {"recover-people", cmd_recover, "DIR --by NAME --by NAME ...",
	"offline: invite new administrators when too few are left", false},
    {"renew-root", cmd_renew, "DIR --by NAME --reason TEXT ...",
	"offline: another root and slots, when somebody had the ones there "
	"are",
	false},
    {"accept-rollback", cmd_accept, "DIR --by NAME --reason TEXT ...",
	"offline: go on from an older database than the anchor knows", false},
    {"gate", cmd_role_gate, NULL, NULL, false},
    {"vault", cmd_role_vault, NULL, NULL, false},
};

static void
print_usage(FILE *out)
{
	size_t i;

	fputs("usage: cdopd VERB ...\n\n", out);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (verbs[i].usage != NULL)
			fprintf(out, "  cdopd %s %s\n      %s\n", verbs[i].name,
			    verbs[i].usage, verbs[i].help);
	}
	fputs("  cdopd -T [-f FILE]\n      print the configuration in force\n"
	      "  cdopd --version | --help\n\n"
	      "FILE is " CMD_CONF_PATH " unless given.\n",
	    out);
}

static int
run_verb(const struct verb *verb, int argc, char **argv)
{
	char *ask[] = {argv[0], NULL, NULL};
	bool help = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") != 0)
			continue;
		help = true;
		ask[1] = argv[i];
	}
	/* A usage that stands for more is the verb's own. */
	if (help && verb->usage != NULL && strstr(verb->usage, "...") == NULL) {
		printf("usage: cdopd %s %s\n\n%s\n", verb->name, verb->usage,
		    verb->help);
		return CMD_OK;
	}
	/* Every verb is told a passphrase, or what it opens. */
	if (sandbox_harden() != CDOP_OK) {
		log_tell("this process cannot be kept from dumping core");
		return CMD_FAILED;
	}
	/* What cannot be written is said, and what was begun is cleared away.
	 */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	return help ? verb->run(2, ask) : verb->run(argc, argv);
}

static int
print_config(int argc, char **argv)
{
	static struct config conf;
	const char *path;
	int status;

	status = cmd_config(argc, argv, NULL, &conf, &path, NULL);
	if (status == CMD_OK)
		config_print(&conf, stdout);
	return status;
}

/* An answer that nobody has is none; what was done is done without it. */
static int
written(int status, bool asks)
{
	if (status != CMD_OK || (fflush(stdout) == 0 && ferror(stdout) == 0))
		return status;
	log_tell("the answer cannot be written to standard output");
	return asks ? CMD_FAILED : status;
}

static bool
asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
	    strcmp(word, "help") == 0;
}

static int
no_such_verb(const char *word)
{
	log_tell("%s: no such verb; see cdopd --help", word);
	return CMD_USAGE;
}

/* cdopd help slot, as cdopd slot --help. */
static int
tell_help(int argc, char **argv)
{
	static char flag[] = "--help";
	char *ask[] = {NULL, flag, NULL};
	size_t i;

	if (argc < 3) {
		print_usage(stdout);
		return CMD_OK;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[2], verbs[i].name) == 0 &&
		    verbs[i].usage != NULL) {
			ask[0] = argv[2];
			return run_verb(&verbs[i], 2, ask);
		}
	return no_such_verb(argv[2]);
}

int
main(int argc, char **argv)
{
	size_t i;

	if (cdop_inherited_settle() != CDOP_OK)
		return CMD_FAILED; /* and nowhere to say so */
	if (argc < 2) {
		print_usage(stderr);
		return CMD_USAGE;
	}
	if (cdop_secret_init() != CDOP_OK) {
		log_tell("no random source");
		return CMD_FAILED;
	}
	if (strcmp(argv[1], "-T") == 0)
		return written(print_config(argc - 1, argv + 1), true);
	if (strcmp(argv[1], "--version") == 0) {
		puts("cdopd " CDOP_VERSION);
		return written(CMD_OK, true);
	}
	if (asks_for_help(argv[1]))
		return written(tell_help(argc, argv), true);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return written(run_verb(&verbs[i], argc - 1, argv + 1),
			    verbs[i].asks);
	}
	return no_such_verb(argv[1]);
}
