/*
 * What the commands share that open a registry without its daemon: the
 * memory for keys, where a slot's key comes from, invitation files.
 */
#ifndef CDOP_SERVER_OFFLINE_H
#define CDOP_SERVER_OFFLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

#define OFFLINE_ADDRESSES 8
#define OFFLINE_SHARES    16

struct keystore;
struct lockmem;
struct people_invitation;
struct registry;
struct rows;
struct slots_kdf;
struct undo;

struct offline {
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct cdop_arena *arena;
	uint16_t slot;        /* that opened it, */
	uint16_t shares;      /* and with which: bit x - 1 for share x */
	struct rows *rows;    /* the command's, and closed here */
	struct registry *reg; /* likewise */
};

/* Where a passphrase comes from; both empty: the terminal. */
struct offline_passphrase {
	const char *file; /* its first line */
	bool from_stdin;
};

/*
 * Everything but rows and reg.  What is wrong is said on stderr; the caller
 * closes in any case.
 */
CDOP_MUST enum cdop_err offline_open(struct offline *offline);
void offline_close(struct offline *offline);

/* Which registry, and what opens it. */
struct offline_from {
	const char *dir;
	const char *called; /* in words to the person; NULL: dir */
	const char *key_file;
	const char *share_file[OFFLINE_SHARES];
	size_t n_share_file;
	bool shares; /* typed, one after the other */
	/* Where none of these is said. */
	struct offline_passphrase passphrase;
};

/*
 * After offline_open(): rows unsealed through a slot that it opens, registry
 * loaded.  false: said why.
 */
bool offline_load(
    struct offline *offline, const struct offline_from *from, uint64_t now_ms);

/* Registry and rows closed; it may load again. */
void offline_shut(struct offline *offline);

/* As offline_load(), through the slot of a number, with its K. */
bool offline_load_with(struct offline *offline, const struct offline_from *from,
    uint16_t number, const uint8_t k[static 32], uint64_t now_ms);

/* K of a key file, into 32 bytes of locked memory.  Says what is wrong. */
CDOP_MUST enum cdop_err offline_key_file(
    const char *path, uint8_t ret_k[static 32]);

/*
 * A key file that is to be made is there already: it is used, if it is one.
 * false: said that it is not.
 */
bool offline_key_is_there(const char *path);

/*
 * A key file that root has made is read by the daemon, whose the directory of
 * the data is: it is given to that user.
 */
void offline_give_key(int fd, const char *dir);

/*
 * Whether a key file lies on the file system of the data: whoever takes the
 * disk has both then.  Says what is wrong.
 */
CDOP_MUST enum cdop_err offline_is_beside(
    const char *key_file, const char *dir, bool *ret_beside);

/*
 * Says why a directory, which the person called so, is not opened, and what
 * to do.  The other one says it of a file in it that stops it, and whether
 * there is such a file.
 */
void offline_tell_why(const char *called, const char *dir, enum cdop_err err);
bool offline_tell_file(const char *called, const char *dir);

/* What became of it, for people: what is done next, where that is known. */
const char *offline_words(enum cdop_err err);

/* For a key file that lies so, and --degraded was not said. */
void offline_tell_beside(const char *key_file, const char *dir);

/*
 * A passphrase, at most max bytes; prompt is for the terminal.  Says what is
 * wrong.  The caller wipes it.
 */
CDOP_MUST enum cdop_err offline_read_passphrase(
    const struct offline_passphrase *from, const char *prompt,
    uint8_t *ret_text, size_t max, size_t *ret_len);

/* A whole file of at most max bytes, in arena.  Says what is wrong. */
CDOP_MUST enum cdop_err offline_read_file(const char *path, size_t max,
    struct cdop_arena *arena, struct cdop_bytes *ret_file);

/* Can a client make something of them?  Says of which it cannot. */
bool offline_addresses(const char *const *address, size_t n);

/* A new file, 0600, that must not be there yet.  -1: said why; errno. */
int offline_create(const char *path);

/* Closes what was made to be written, and takes it away.  fd -1: nothing. */
void offline_discard(int fd, const char *path);

/*
 * Writes, syncs and closes.  false: said why, and half a file does not stay:
 * it is worth nothing, and in the way of the next one.
 */
bool offline_write(int fd, const char *path, struct cdop_bytes bytes);

/*
 * Writes the invitation file of one who was invited into fd and closes it.
 * false: likewise.
 */
bool offline_invite(struct offline *offline,
    const struct people_invitation *invitation, const char *const *address,
    size_t n_address, int fd, const char *path);

#endif
