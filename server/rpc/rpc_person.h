/*
 * Persons as the wire has them: shared by the handlers that answer with
 * one.
 */
#ifndef CDOP_RPC_RPC_PERSON_H
#define CDOP_RPC_RPC_PERSON_H

#include "server/registry/people_act.h"
#include "server/rpc/ctx.h"

/* An act of the caller of ctx, to be done at once. */
void rpc_person_act(struct rpc_ctx *ctx, struct people_act *ret_act);

/* What became of an act, into ctx: reason, words, field.  Returns err. */
enum cdop_err rpc_person_end(
    struct rpc_ctx *ctx, const struct people_act *act, enum cdop_err err);

/*
 * A person with all devices, in the arena.  CDOP_NOT_FOUND,
 * CDOP_RESOURCE_EXHAUSTED.
 */
CDOP_MUST enum cdop_err rpc_person_fill(
    struct rpc_ctx *ctx, uint32_t person, Cdop__Person **ret_person);

/* The wire's grants, as the tables have them.  CDOP_RESOURCE_EXHAUSTED. */
CDOP_MUST enum cdop_err rpc_person_grants(struct rpc_ctx *ctx,
    Cdop__RoleGrant *const *from, size_t n,
    const struct people_grant **ret_grants);

/* One line for people: 3 "Ann Example"; or nobody. */
const char *rpc_person_name(struct rpc_ctx *ctx, uint32_t person);

/* Names of roles: "administrator, auditor". */
const char *rpc_person_roles(struct rpc_ctx *ctx, uint32_t mask);

/* 2026-11-23 for an instant: the day where the panel is. */
const char *rpc_person_day(struct rpc_ctx *ctx, uint64_t at_ms);
/* The last day of what ends at that instant, usually the midnight behind it. */
const char *rpc_person_last_day(struct rpc_ctx *ctx, uint64_t until_ms);

/*
 * "person 4, "Bo Example", may be the same human" for each of at most ten.
 * Sets *ret_lines and returns how many.
 */
size_t rpc_person_similar(
    struct rpc_ctx *ctx, uint32_t person, char ***ret_lines);

#endif
