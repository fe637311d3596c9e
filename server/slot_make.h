/*
 * What opens a new slot: a key file, a credential, a passphrase typed twice,
 * or shares on sheets.  For cdopd slot add and cdopd renew-root; which root it
 * is to open is theirs.
 */
#ifndef CDOP_SERVER_SLOT_MAKE_H
#define CDOP_SERVER_SLOT_MAKE_H

#include "server/offline_key.h"

#define SLOT_MAKE_KINDS 4
#define SLOT_MAKE_PATH  1024

#define SLOT_MAKE_USAGE                                                        \
	"--new-key-file FILE [--degraded], --new-credential FILE,\n"           \
	"            --new-passphrase [--new-passphrase-file FILE]\n"          \
	"                [--kdf-memory MIB] [--kdf-passes N],\n"               \
	"            --new-shares K/N --out DIR [--holder NAME ...]"

struct lockmem;

/* As they were typed; of each kind one. */
struct slot_make_args {
	const char *label; /* NULL: the name of its kind */
	const char *key_file;
	const char *dir; /* of the data, which a key is not to lie beside */
	bool is_registry_degraded;
	bool degraded; /* it may */
	const char *credential;
	bool is_passphrase;
	struct offline_passphrase passphrase;
	uint32_t kdf_passes;
	uint32_t kdf_memory_mib;
	bool is_shares;
	struct slots_set_new plan;
	size_t n_holder;
	const char *out; /* a directory for the shares */
};

void slot_make_args_init(struct slot_make_args *ret_args);

/* A whole number of at most max. */
bool slot_make_number(const char *value, uint32_t max, uint32_t *ret_n);

/* An argument with a value; false: it is none of these, or a bad one. */
bool slot_make_take(
    struct slot_make_args *args, const char *name, const char *value);

/* Which kinds are asked for, the first that starts by itself. */
size_t slot_make_kinds(const struct slot_make_args *args,
    enum slots_kind ret_kind[static SLOT_MAKE_KINDS]);

/* Shares can be made as they were asked for.  false: said why not. */
bool slot_make_check(const struct slot_make_args *args);

/*
 * The directory for sheets and invitations, made where it is not there, which
 * *ret_made says; inside the data it is refused.  false: said why.
 */
bool slot_make_out(const char *out, const char *dir, bool *ret_made);

/* One that is being made. */
struct slot_make {
	const struct slot_make_args *args;
	struct lockmem *mem;
	struct rows *rows; /* whose slots it may not open */
	bool degraded;     /* a key file beside the data, as it was allowed */
	struct slots_new slot;
	uint8_t *k;                          /* locked; of shares at the end */
	struct cdop_share share[SHAMIR_MAX]; /* for whoever makes the set */
	int fd[SHAMIR_MAX];
	bool made_out; /* the directory of sheets, by us */
	/* Of sheets; of a key file that was made the first. */
	char path[SHAMIR_MAX][SLOT_MAKE_PATH];
};

/*
 * Asks for its secret, or makes it; of shares the files that they will be in.
 * others: a store whose slots it may not open.  false: said why, and
 * slot_make_end() is due as well.
 */
bool slot_make_begin(struct slot_make *make, const struct slot_make_args *args,
    enum slots_kind kind, struct lockmem *mem, struct rows *others);

/*
 * The shares on their sheets, read back from there into make->k.  false: said
 * why.
 */
bool slot_make_sheets(struct slot_make *make, const struct registry *reg,
    const struct slots_set *set);

/* Wipes; files that were made stay where they are to be kept. */
void slot_make_end(struct slot_make *make, bool keep);

#endif
