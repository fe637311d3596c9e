/* Reading the arguments of cdopd init. */
#include "server/init_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/cmd.h"
#include "server/confirm.h"
#include "server/offline.h"
#include "server/vault/slots.h"

static int
usage(const char *why, const char *more)
{
	log_tell("init: %s%s", why, more);
	log_tell("usage: cdopd init DIR --mode live|training --profile FILE "
		 "--slot keyfile:PATH --slot passphrase --address ADDRESS "
		 "...; cdopd init --help says the rest");
	return CMD_USAGE;
}

static int
help(void)
{
	fputs("usage: cdopd init DIR OPTIONS\n"
	      "\n"
	      "Makes a registry in DIR, which is made (0700) or is empty.\n"
	      "\n"
	      "  --mode live|training      for ever\n"
	      "  --profile FILE            the panel's profile, "
	      "cdop-profile(5)\n"
	      "  --slot keyfile:PATH       a slot; the file is made unless it "
	      "is there\n"
	      "  --slot passphrase         another slot; both are needed\n"
	      "  --passphrase-file FILE    its first line; else it is asked "
	      "for, twice\n"
	      "  --passphrase-stdin        the first line of standard input\n"
	      "  --kdf-memory MIB          of the passphrase, 8 to 1024 "
	      "(256)\n"
	      "  --kdf-passes N            1 to 8 (4)\n"
	      "  --address ADDRESS         where clients reach it: HOST:PORT "
	      "or unix:/PATH; up to 8\n"
	      "  --admin NAME              whom to invite; 2 to 4\n"
	      "  --out DIR                 for the invitations and the "
	      "recovery sheet (.)\n"
	      "  --degraded                allow a key file on the file "
	      "system of DIR\n"
	      "  --confirm TEXT            \"" CONFIRM_UNDERSTAND
	      "\", instead of typing it\n"
	      "  --yes-i-understand        the same\n",
	    stdout);
	return CMD_OK;
}

static bool
take_slot(struct init_args *args, const char *value)
{
	if (strncmp(value, "keyfile:", 8) == 0 && value[8] != '\0' &&
	    args->key_file == NULL) {
		args->key_file = value + 8;
		return true;
	}
	if (strcmp(value, "passphrase") == 0 && !args->passphrase_slot) {
		args->passphrase_slot = true;
		return true;
	}
	return false;
}

static bool
take_mode(struct init_args *args, const char *value)
{
	if (strcmp(value, "live") == 0)
		args->mode = REGISTRY_LIVE;
	else if (strcmp(value, "training") == 0)
		args->mode = REGISTRY_TRAINING;
	else
		return false;
	return true;
}

static bool
take_number(const char *value, uint32_t min, uint32_t max, uint32_t *out)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno != 0 || *value < '0' || *value > '9' || *end != '\0' ||
	    n < min || n > max)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* An option with a value.  false: not one, or a wrong value. */
static bool
take_value(struct init_args *args, const char *name, const char *value)
{
	if (strcmp(name, "--profile") == 0)
		args->profile = value;
	else if (strcmp(name, "--mode") == 0)
		return take_mode(args, value);
	else if (strcmp(name, "--slot") == 0)
		return take_slot(args, value);
	else if (strcmp(name, "--passphrase-file") == 0)
		args->passphrase.file = value;
	else if (strcmp(name, "--out") == 0)
		args->out = value;
	else if (strcmp(name, "--confirm") == 0)
		args->confirm = value;
	else if (strcmp(name, "--kdf-passes") == 0)
		return take_number(
		    value, 1, SLOTS_PASSES_MAX, &args->kdf_passes);
	else if (strcmp(name, "--kdf-memory") == 0)
		return take_number(
		    value, 8, SLOTS_MEMORY_MAX / 1024, &args->kdf_memory_mib);
	else if (strcmp(name, "--admin") == 0 &&
	    args->n_admin < SETUP_ADMINS_MAX)
		args->admin[args->n_admin++] = value;
	else if (strcmp(name, "--address") == 0 &&
	    args->n_address < OFFLINE_ADDRESSES)
		args->address[args->n_address++] = value;
	else
		return false;
	return true;
}

static bool
take_flag(struct init_args *args, const char *name)
{
	if (strcmp(name, "--degraded") == 0)
		args->degraded = true;
	else if (strcmp(name, "--passphrase-stdin") == 0)
		args->passphrase.from_stdin = true;
	else if (strcmp(name, "--yes-i-understand") == 0)
		args->confirm = CONFIRM_UNDERSTAND;
	else
		return false;
	return true;
}

/* Why this one was not taken. */
static const char *
wrong(const char *name, bool has_value)
{
	static const struct {
		const char *name;
		const char *wants;
	} values[] = {
	    {"--mode", ": live or training"},
	    {"--slot", ": keyfile:PATH or passphrase, each once"},
	    {"--kdf-memory", ": 8 to 1024 MiB"},
	    {"--kdf-passes", ": 1 to 8"},
	    {"--admin", ": at most 4"},
	    {"--address", ": at most 8"},
	    {"--profile", ""},
	    {"--passphrase-file", ""},
	    {"--out", ""},
	    {"--confirm", ""},
	};

	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].name, name) == 0)
			return has_value ? values[i].wants : " needs a value";
	return name[0] == '-' ? ": no such option" : ": DIR was named before";
}

int
init_args_parse(struct init_args *args, int argc, char **argv)
{
	int i;

	memset(args, 0, sizeof(*args));
	args->out = ".";
	args->kdf_passes = SLOTS_PASSES;
	args->kdf_memory_mib = SLOTS_MEMORY / 1024;
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			args->is_help = true;
			return help();
		}
		if (argv[i][0] != '-' && args->dir == NULL)
			args->dir = argv[i];
		else if (take_flag(args, argv[i]))
			continue;
		else if (i + 1 < argc && take_value(args, argv[i], argv[i + 1]))
			i++;
		else
			return usage(argv[i], wrong(argv[i], i + 1 < argc));
	}
	if (args->dir == NULL || args->profile == NULL || args->mode == 0)
		return usage("DIR, --mode and --profile are needed", "");
	if (args->key_file == NULL || !args->passphrase_slot)
		return usage("two slots of different kinds are needed: --slot "
			     "keyfile:PATH --slot passphrase",
		    "");
	if (args->n_address == 0)
		return usage("--address: where the clients reach it, "
			     "HOST:PORT or unix:/PATH",
		    "");
	if (!offline_addresses(args->address, args->n_address))
		return CMD_USAGE;
	if (args->n_admin == 0) {
		args->admin[0] = "administrator 1";
		args->admin[1] = "administrator 2";
		args->n_admin = 2;
	}
	if (args->n_admin < 2)
		return usage("--admin: two administrators at least", "");
	return CMD_OK;
}
