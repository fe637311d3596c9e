/*
 * What the parent opens once and keeps over every restart of a child:
 * listening sockets, the key file's descriptor, the shared note.
 */
#ifndef CDOP_BASE_SETUP_H
#define CDOP_BASE_SETUP_H

#include "server/base/address.h"
#include "server/base/config.h"
#include "server/base/control.h"

/* The name of the credential that is a slot's key. */
#define SETUP_CREDENTIAL "cdopd.key"

struct setup {
	struct address addresses[CONFIG_LISTEN_MAX];
	int listen_fds[CONFIG_LISTEN_MAX];
	uint32_t n_listen;
	int control_fd;    /* UNSEAL_SOCKET, listening */
	int key_fd;        /* never read here; -1: no key_file */
	int boot_fd;       /* likewise; -1: no boot_key_file */
	int credential_fd; /* likewise; -1: the manager gave none */
	int note_fd;
	struct control_note *note;
	char problem[256]; /* for a person, where setup_open fails */
};

/*
 * Opens the key file, becomes the configuration's user, makes run_dir, looks
 * whether the registry's directories are there and closed to others, binds.
 * CDOP_INVALID_ARGUMENT: something a person has to put right, in problem;
 * the caller still calls setup_close.
 */
CDOP_MUST enum cdop_err setup_open(
    const struct config *conf, struct setup *ret_setup);

/* Closes everything and takes the Unix sockets away. */
void setup_close(struct setup *setup, const struct config *conf);

#endif
