/*
 * The service manager's readiness protocol, as sd_notify(3) documents it,
 * without its library: datagrams of lines to $NOTIFY_SOCKET.
 */
#ifndef CDOP_BASE_NOTIFY_H
#define CDOP_BASE_NOTIFY_H

#include <stdint.h>

/*
 * Reads NOTIFY_SOCKET and WATCHDOG_USEC and takes them out of the
 * environment, so that no child speaks in our name.  Nothing set: every
 * call below does nothing.
 */
void notify_init(void);

/* "READY=1", "STATUS=..."; the caller's newlines separate assignments. */
__attribute__((format(printf, 1, 2))) void notify_send(const char *format, ...);

/* How often WATCHDOG=1 is wanted, in milliseconds: half of it; 0: never. */
uint64_t notify_watchdog_ms(void);

#endif
