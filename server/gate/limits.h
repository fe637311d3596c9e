/*
 * What one source of connections may take: a bounded table of addresses
 * with their counts.  It slows a stranger down and protects nothing else;
 * the vault has its own bounds and believes none of these.
 */
#ifndef CDOP_GATE_LIMITS_H
#define CDOP_GATE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "cdop/err.h"

#define LIMITS_FROM_MAX 64 /* "[2001:db8::1]:4433" or "unix uid=1000", NUL */

struct config;
struct limits;
struct limits_source; /* lives while it has connections, or is remembered */

/* conf is borrowed and read at every call: a reload counts at once. */
CDOP_MUST enum cdop_err limits_new(
    const struct config *conf, struct limits **ret_limits);

/* NULL is fine. */
void limits_free(struct limits *limits);

/*
 * A connection from peer, or from uid where it is a Unix socket.  An IPv6
 * source is its /64.  CDOP_RESOURCE_EXHAUSTED: too many from there, or the
 * table is full of live ones; CDOP_PERMISSION_DENIED: it serves a penalty.
 */
CDOP_MUST enum cdop_err limits_accept(struct limits *limits,
    const struct sockaddr_storage *peer, uint32_t uid, uint64_t now_ms,
    struct limits_source **ret_source);

/* That connection is gone. */
void limits_release(struct limits_source *source);

/* One handshake of its budget; false when that is spent. */
bool limits_handshake(
    struct limits *limits, struct limits_source *source, uint64_t now_ms);

/* It sent what is no handshake; true when that earned a penalty. */
bool limits_garbage(
    struct limits *limits, struct limits_source *source, uint64_t now_ms);

/* Where from, as text, for logs. */
void limits_from(const struct sockaddr_storage *peer, uint32_t uid,
    char out[static LIMITS_FROM_MAX]);

#endif
