/*
 * The number of each call on the wire, by its name in proto/registry.proto,
 * which is where it is given.
 */
#ifndef CDOP_CALL_H
#define CDOP_CALL_H

enum cdop_call {
#define RPC(Name, name, Req, Rep, req, rep, id, ...) CDOP_CALL_##Name = (id),
#include "rpc_table.inc"
#undef RPC
};

#endif
