/* What the verbs of cdopd share: their arguments and the configuration. */
#include "server/cmd.h"

#include <string.h>

#include "cdop/text.h"
#include "server/base/control.h"
#include "server/base/log.h"

/* One flag of a verb; false where it is not among longs. */
static bool
take_flag(const char *arg, const char *const longs[], bool ret_flags[])
{
	size_t i;

	if (longs == NULL || strncmp(arg, "--", 2) != 0)
		return false;
	for (i = 0; longs[i] != NULL; i++) {
		if (strcmp(arg + 2, longs[i]) == 0) {
			ret_flags[i] = true;
			return true;
		}
	}
	return false;
}

bool
cmd_is_line(const char *option, const char *text, size_t max)
{
	if (text == NULL || cdop_text_is_line(text, max))
		return true;
	log_tell("%s: one line of UTF-8 text, of at most %zu characters and "
		 "without control characters",
	    option, max);
	return false;
}

bool
cmd_is_named(const char *usage, const char *option)
{
	const size_t len = strlen(option);
	const char *at = usage;

	while ((at = strstr(at, option)) != NULL) {
		if (strchr(" ])},\n", at[len]) != NULL)
			return true;
		at += len;
	}
	return false;
}

static void
tell_wrong(const char *verb, const char *usage, int argc, char **argv, int i)
{
	const char *arg = argv[i];

	if (arg[0] != '-')
		log_tell("%s: a word too many: %s", verb, arg);
	else if (!cmd_is_named(usage, arg))
		log_tell("%s: no such option: %s", verb, arg);
	else if (i + 1 >= argc)
		log_tell("%s: %s wants a value", verb, arg);
	else
		log_tell("%s: %s cannot be %s, or stands too often", verb, arg,
		    argv[i + 1]);
}

int
cmd_wrong(const char *verb, const char *usage, int argc, char **argv, int i)
{
	tell_wrong(verb, usage, argc, argv, i);
	log_usage(usage);
	return CMD_USAGE;
}

int
cmd_config(int argc, char **argv, const char *const longs[],
    struct config *ret_conf, const char **ret_path, bool ret_flags[])
{
	const char *path = CMD_CONF_PATH;
	struct config_error error;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0 && i + 1 < argc) {
			path = argv[++i];
		} else if (!take_flag(argv[i], longs, ret_flags)) {
			tell_wrong(argv[0], "-f ", argc, argv, i);
			log_tell("a configuration is named with -f FILE; see "
				 "cdopd --help");
			return CMD_USAGE;
		}
	}
	if (config_load(path, ret_conf, &error) != CDOP_OK) {
		log_tell("%s: %s%s", path, error.text,
		    strcmp(path, CMD_CONF_PATH) == 0
			? "; -f FILE names another one"
			: "");
		return CONTROL_EXIT_CONFIG;
	}
	*ret_path = path;
	return CMD_OK;
}
