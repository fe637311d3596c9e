/*
 * The verbs of cdopd, one function each: argv from the verb on, exit status
 * back.  main.c has the table.
 */
#ifndef CDOP_SERVER_CMD_H
#define CDOP_SERVER_CMD_H

#include <stdbool.h>
#include <stddef.h>

struct config;

/* Exit statuses of sysexits.h that verbs use; see also control.h. */
#define CMD_OK     0
#define CMD_FAILED 1
#define CMD_USAGE  64

#define CMD_CONF_PATH "/etc/cdopd/cdopd.conf"

typedef int cmd_fn(int argc, char **argv);

/*
 * Reads "-f FILE" (default CMD_CONF_PATH) and loads it.  The flags named in
 * longs ("passphrase-stdin", NULL at the end; may be NULL) set ret_flags[i].
 * What is wrong is said on stderr; returns CMD_OK, CMD_USAGE or 78.
 */
int cmd_config(int argc, char **argv, const char *const longs[],
    struct config *ret_conf, const char **ret_path, bool ret_flags[]);

/*
 * Is what was said for an option a line of text that may be kept?  What is
 * kept and is no UTF-8 could be shown to nobody.  NULL, where it was not
 * said, is good; false: said why.
 */
bool cmd_is_line(const char *option, const char *text, size_t max);

/* Is the option named in a usage, whole?  --key is not --key-file. */
bool cmd_is_named(const char *usage, const char *option);

/*
 * Says what is wrong with argv[i] of a verb, by its usage, which names every
 * option, and then says that, too.  CMD_USAGE.
 */
int cmd_wrong(
    const char *verb, const char *usage, int argc, char **argv, int i);

/* The parent: everything is started from here. */
int cmd_run(int argc, char **argv);

/* The two children; only the parent starts them. */
int cmd_role_gate(int argc, char **argv);
int cmd_role_vault(int argc, char **argv);

/* Asks for a passphrase and opens a sealed registry that runs here. */
int cmd_unseal(int argc, char **argv);

/* Makes a registry; needs no configuration. */
int cmd_init(int argc, char **argv);

/* Invites new administrators offline, when too few are left. */
int cmd_recover(int argc, char **argv);

/* Marks a registry of an earlier day as one to go on from, offline. */
int cmd_accept(int argc, char **argv);

/* What opens a registry: looks, adds, tries, removes, offline. */
int cmd_slot(int argc, char **argv);
/* Another root for one that somebody had, with other slots, offline. */
int cmd_renew(int argc, char **argv);
/* Makes a registry of a backup and marks it, offline. */
int cmd_restore(int argc, char **argv);

/* Looks at what is around the registry; exit 16 where that is not right. */
int cmd_check(int argc, char **argv);

/* Opens every row offline; exit 16 where something was found. */
int cmd_verify(int argc, char **argv);

#endif
