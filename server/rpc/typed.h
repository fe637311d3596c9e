/*
 * What a request is about, from its bytes: what was refused early is not
 * unpacked, and a refusal is to take no memory for it.
 */
#ifndef CDOP_RPC_TYPED_H
#define CDOP_RPC_TYPED_H

#include "server/rpc/ctx.h"

struct people;

/* Its first reference, before anybody has looked for it; empty: none. */
struct cdop_bytes typed_reference(
    const struct rpc_method *method, struct cdop_bytes request);

/*
 * The person that a call about people or a case names, by the number, a device
 * or an invitation; 0: none, or nobody that there is.  method NULL: of a later
 * version.
 */
uint32_t typed_subject(const struct people *people,
    const struct rpc_method *method, struct cdop_bytes request);

#endif
