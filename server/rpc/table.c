/*
 * The one table of calls, made from the service block of registry.proto and
 * nothing else.  A call without a handler is an undefined reference here.
 */
#include "cdop/role.h"
#include "server/rpc/ctx.h"

/* Thunks that know the message types. */
#define RPC(Name, snake, Req, Rep, req_c, rep_c, ID, ROLES, SCOPE, STATES,     \
    PURPOSE, TXN, AUDIT, SECOND, TTL, USE)                                     \
	static enum cdop_err call_##snake(                                     \
	    struct rpc_ctx *ctx, const void *req, void *rep)                   \
	{                                                                      \
		return rpc_##snake(ctx, req, rep);                             \
	}                                                                      \
	static void init_##snake(void *rep)                                    \
	{                                                                      \
		rep_c##__init(rep);                                            \
	}
#include "rpc_table.inc"
#undef RPC

#define RPC(Name, snake, Req, Rep, req_c, rep_c, ID, ROLES, SCOPE, STATES,     \
    PURPOSE, TXN, AUDIT, SECOND, TTL, USE)                                     \
	{                                                                      \
	    .name = #Name,                                                     \
	    .id = ID,                                                          \
	    .roles = ROLES,                                                    \
	    .scope = SCOPE,                                                    \
	    .states = STATES,                                                  \
	    .purpose = PURPOSE,                                                \
	    .txn = TXN,                                                        \
	    .audit = AUDIT,                                                    \
	    .second = SECOND,                                                  \
	    .ttl_s = TTL,                                                      \
	    .use = USE,                                                        \
	    .request = &req_c##__descriptor,                                   \
	    .reply = &rep_c##__descriptor,                                     \
	    .reply_init = init_##snake,                                        \
	    .handler = call_##snake,                                           \
	},
static const struct rpc_method methods[] = {
#include "rpc_table.inc"
};
#undef RPC

#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

const struct rpc_method *
rpc_method_find(uint32_t id)
{
	size_t i;

	for (i = 0; i < N_METHODS; i++)
		if (methods[i].id == id)
			return &methods[i];
	return NULL;
}

const struct rpc_method *
rpc_method_all(size_t *ret_n)
{
	*ret_n = N_METHODS;
	return methods;
}
