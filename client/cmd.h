/*
 * A command of cdop: one const row that says all about it, and what its
 * function is given.  Help, completion, the man page test and the parser
 * read the same rows.
 */
#ifndef CDOP_CLIENT_CMD_H
#define CDOP_CLIENT_CMD_H

#include "cdop/arena.h"
#include "client/exit.h"
#include "registry.pb-c.h"

struct session;

#define CMD_VALUES_MAX 256 /* options on one command line */
#define CMD_POS_MAX    16  /* words that are no options */

/* An option; arg NULL: a flag.  Lists end with name NULL. */
struct cmd_opt {
	const char *name; /* "--from" */
	const char *arg;  /* "FILE" */
	const char *help;
	bool many; /* may stand several times */
};

/* What holds for every command. */
struct cmd_globals {
	const char *context;
	const char *purpose;
	const char *purpose_text;
	const char *use;
	const char *as;
	const char *passphrase_file;
	const char *passphrase_fd;
	const char *timeout;
	const char *receipt; /* FILE for the receipt of the answer */
	uint32_t timeout_ms;
	bool json;
	bool no_input;
	bool no_color;
	bool no_pager;
	bool accessible;
};

/* One finding about a field, as it is shown. */
struct cmd_finding {
	const char *path;
	const char *rule;
	const char *message;
	bool warning;
};

/* Why a command failed; printed once, by cmd_main. */
struct cmd_error {
	const char *reason;  /* stable word; NULL: that of the exit code */
	const char *message; /* never case content */
	const char *next;    /* what to do; may be NULL */
	const struct cmd_finding *finding;
	size_t n_findings;
	uint64_t leaf; /* of the answer that says so, + 1; 0: it is ours */
	const ProtobufCMessage *body; /* what the answer carried, for JSON */
};

struct cmd_ctx {
	const struct cmd *cmd;
	struct cmd_globals g;
	const char *pos[CMD_POS_MAX];
	size_t n_pos;
	const struct cmd_opt *opt[CMD_VALUES_MAX];
	const char *value[CMD_VALUES_MAX];
	size_t n_values;
	struct cdop_arena *arena; /* lives as long as the command */
	struct session *session;  /* NULL before session_open */
	const char *mode;         /* "live", "training"; NULL: not known yet */
	const char *registry;     /* its id in hex, or NULL */
	struct cmd_error error;
	uint64_t request; /* number of the last call; 0: none */
	uint64_t leaf;    /* where that call stands in the log, + 1 */
	bool replayed;    /* the registry had done it before */
};

typedef enum exit_code cmd_fn(struct cmd_ctx *ctx);

#define CMD_HIDDEN 1u /* not in help, man page and completion */
#define CMD_PLAIN  2u /* touches no key and no network */

struct cmd {
	const char *words;    /* "case show" */
	const char *args;     /* "REF"; "" for none */
	const char *summary;  /* one line */
	const char *detail;   /* more, or NULL */
	const char *examples; /* lines, or NULL */
	const struct cmd_opt *opts;
	unsigned min_pos;
	unsigned max_pos;
	unsigned flags;
	const char
	    *purpose; /* command it has its purpose of; NULL: its words */
	cmd_fn *run;
};

/* Parses, runs, prints what went wrong.  The exit code of the program. */
int cmd_main(int argc, char **argv);

/*
 * Sets what went wrong and returns code.  message is formatted into the
 * arena; next may be NULL.
 */
__attribute__((format(printf, 5, 6))) enum exit_code cmd_fail(
    struct cmd_ctx *ctx, enum exit_code code, const char *reason,
    const char *next, const char *fmt, ...);

/* The same of the one thing that may go wrong anywhere. */
enum exit_code cmd_no_memory(struct cmd_ctx *ctx);

/* The value of an option that was given, or NULL; "" for a flag. */
const char *cmd_value(const struct cmd_ctx *ctx, const char *name);
bool cmd_flag(const struct cmd_ctx *ctx, const char *name);

/* The i-th value of an option that may stand several times, or NULL. */
const char *cmd_value_at(const struct cmd_ctx *ctx, const char *name, size_t i);

/* A number without sign; EXIT_USAGE. */
enum exit_code cmd_number(struct cmd_ctx *ctx, const char *what,
    const char *text, uint64_t max, uint64_t *ret_n);

/* The same of what is counted from 1: a 0 would read as none given. */
enum exit_code cmd_numbered(struct cmd_ctx *ctx, const char *what,
    const char *text, uint64_t max, uint64_t *ret_n);

/* The options that every command has. */
extern const struct cmd_opt cmd_globals_opts[];

#endif
