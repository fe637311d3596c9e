/*
 * The parent's own socket, run_dir/control.sock: a person on this host
 * types what opens a sealed registry: a passphrase, or a share.
 *
 * Nothing secret passes the gate, and the parent itself never reads the
 * connection: a short-lived child takes it over, derives the slot keys and
 * gives them to the vault (TRUST-DECISIONS M5, M6).
 *
 *     client to us    verb u8 || len u16 || len bytes
 *                     verb 1: a passphrase; 2: the bytes of a key file;
 *                     3: a packed share; 4: one byte, the verb that
 *                     would come: is it wanted at all?
 *     we to client    one line: "ok ...", "no ..." or "error ..."
 */
#ifndef CDOP_BASE_UNSEAL_H
#define CDOP_BASE_UNSEAL_H

#include <sys/types.h>

#include "cdop/err.h"
#include "server/base/control.h"

#define UNSEAL_SOCKET         "control.sock"
#define UNSEAL_VERB           1 /* a passphrase */
#define UNSEAL_VERB_KEY       2
#define UNSEAL_VERB_SHARE     3
#define UNSEAL_VERB_LOOK      4
#define UNSEAL_PASSPHRASE_MAX 1024
#define UNSEAL_LINE_MAX       200

/* The answer to what is none of the above; of older daemons, to a look, too. */
#define UNSEAL_NOTHING "error nothing came that opens a slot"

/*
 * The work of the child: reads the request from conn, answers it there,
 * offers keys on channel (control_offer).  Returns the exit status.
 */
typedef int unseal_fn(
    int conn, int channel, const struct control_slot *slots, size_t n_slots);

struct unseal {
	unseal_fn *fn;
	struct control_slot slots[CONTROL_SLOTS_MAX];
	size_t n_slots;
	bool heard; /* of the slots of the vault that runs now */
	pid_t pid;  /* of the child at work; 0: none */
};

/* The listening socket, mode 0600.  Results of address_listen. */
CDOP_MUST enum cdop_err unseal_listen(const char *run_dir, int *ret_fd);
void unseal_unlink(const char *run_dir);

/* The slots the vault speaks of in CONTROL_SLOTS. */
void unseal_slots(struct unseal *unseal, const struct control_msg *msg);

/*
 * Takes one connection from listen_fd.  Anybody but root and our own user
 * is closed without a word.  Where there is something to unseal, a child
 * with the connection, a channel to the vault and nothing else is forked
 * into its sandbox, with minutes to live; unseal->pid is then the caller's
 * to reap and set to 0, before the next call.  vault_control is -1 while the
 * vault is not ready.
 */
void unseal_serve(struct unseal *unseal, int listen_fd, int vault_control);

#endif
