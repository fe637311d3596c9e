/*
 * A cdopd one of whose children was taken over: the real parent, and in the
 * place of the gate or the vault somebody who tries what can be tried there.
 * EVIL in the environment says what.
 */
#ifndef CDOP_TESTS_EVIL_H
#define CDOP_TESTS_EVIL_H

#include "server/base/control.h"

/*
 * A line on stderr, "EVIL ...", without what stdio asks of the kernel: a gate
 * may not even look at its own descriptors.
 */
__attribute__((format(printf, 1, 2))) void evil_say(const char *fmt, ...);

/*
 * The gate, behind its walls: a proxy that looks for the words of EVIL_WORDS
 * (with ',' between them) in all that passes, and does what deed says.
 */
int evil_gate(const struct control_start *start, const char *deed);

/*
 * The forbidden call number n in this role, behind its walls; it should not
 * come back.  Past the last one: says so, and waits to be ended.
 */
int evil_walls(const struct control_start *start, bool is_vault, uint64_t n);

#endif
