/*
 * Where to listen: "tcp 192.0.2.1:4433", "tcp [::1]:0", "unix PATH".  Names
 * are not looked up: a daemon must not start differently when DNS is down.
 */
#ifndef CDOP_BASE_ADDRESS_H
#define CDOP_BASE_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#include "cdop/err.h"

#define ADDRESS_TEXT_MAX 128 /* of address_text, with its NUL */

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/*
 * A line of the configuration.  A Unix path that is not absolute lies in
 * run_dir.  CDOP_INVALID_ARGUMENT.
 */
CDOP_MUST enum cdop_err address_parse(
    const char *text, const char *run_dir, struct address *ret_address);

/*
 * A bound, listening, non-blocking, closed-on-exec socket.  A Unix path gets
 * socket_mode; a socket that lies there and that nobody listens on is
 * replaced.  CDOP_ALREADY_EXISTS when the address is in use;
 * CDOP_UNAVAILABLE with errno otherwise.
 */
CDOP_MUST enum cdop_err address_listen(
    const struct address *address, uint32_t socket_mode, int *ret_fd);

/* The address a socket is really bound to, as address_parse reads it. */
void address_text(int fd, char out[static ADDRESS_TEXT_MAX]);

/* Removes the path of a Unix socket; nothing for TCP. */
void address_unlink(const struct address *address);

#endif
