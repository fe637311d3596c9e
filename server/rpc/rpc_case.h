/*
 * Cases as the wire has them: what the handlers of cases share.
 */
#ifndef CDOP_RPC_RPC_CASE_H
#define CDOP_RPC_RPC_CASE_H

#include "server/registry/cases_edit.h"
#include "server/registry/cases_page.h"
#include "server/registry/cases_register.h"
#include "server/rpc/ctx.h"

/* An act of the caller of ctx. */
void rpc_case_act(struct rpc_ctx *ctx, struct cases_act *ret_act);

/* What became of it, into ctx: reason, words, violations.  Returns err. */
enum cdop_err rpc_case_end(
    struct rpc_ctx *ctx, const struct cases_act *act, enum cdop_err err);

/* A copy in the arena; NULL for NULL; sets *failed where there is no room. */
char *rpc_case_text(struct rpc_ctx *ctx, const char *text, bool *failed);

/* Copies of n texts; NULL where n is 0 or *failed was set. */
char **rpc_case_texts(
    struct rpc_ctx *ctx, const char *const *text, size_t n, bool *failed);

/*
 * The call is about the case in this slot, whatever others it names: what was
 * said lies under the key of this one.
 */
void rpc_case_about(
    struct rpc_ctx *ctx, const struct cases_act *act, uint32_t slot);

/* Names the case in a slot as left or changed, with classes. */
void rpc_case_release(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t slot, uint32_t classes);

/* What of a case left, or which of its forms was changed. */
struct rpc_case_left {
	uint32_t classes;
	const uint32_t *instance;
	size_t n_instance;
	const struct cdop_living *living;
	size_t n_living;
};

/* The same with all of that; it is copied. */
void rpc_case_release_forms(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t slot, const struct rpc_case_left *left);

/* Missing and candidates as the wire has them; NULL with n 0 or failed. */
Cdop__Missing **rpc_case_missing(
    struct rpc_ctx *ctx, const struct cdop_missing_list *list, bool *failed);

/* Names every candidate as left, too. */
Cdop__Candidate **rpc_case_candidates(struct rpc_ctx *ctx,
    const struct cases_act *act, const struct cases_question *question,
    bool *failed);

/* The wire's decisions; NULL: no memory. */
const struct cases_decision *rpc_case_decisions(
    struct rpc_ctx *ctx, Cdop__DuplicateDecision *const *from, size_t n);

/* Terms of a duplicate check; none where nobody was sought. */
void rpc_case_terms(struct rpc_ctx *ctx, const struct duplicates_child *sought,
    const Cdop__Form *form);

/*
 * The case that a repeated request was about, and whether the caller may
 * still see it.  It is named as left.  False: it is not there any more.
 */
bool rpc_case_replayed(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t *ret_slot, bool *ret_seen);

/* What a repeated change answers. */
CDOP_MUST enum cdop_err rpc_case_change_again(
    struct rpc_ctx *ctx, Cdop__ChangeReply *rep);

/* The token of a page that there is, copied into a reply; false is failed. */
bool rpc_case_page(struct rpc_ctx *ctx,
    const uint8_t token[static CASES_PAGE_LEN], ProtobufCBinaryData *ret_page,
    bool *failed);

/* What the request key gets again. */
void rpc_case_applied(struct rpc_ctx *ctx, const struct cases_act *act,
    uint32_t slot, uint64_t version, uint32_t number);

/*
 * How an edit ends: applied, checked, or refused with or without a body.
 * Returns err, or what went wrong with the reply.
 */
enum cdop_err rpc_case_edit_end(struct rpc_ctx *ctx, struct cases_act *act,
    const struct cases_edit *edit, Cdop__ChangeReply *rep, enum cdop_err err);

/* A summary as a list shows it; NULL: no memory. */
Cdop__CaseSummary *rpc_case_summary(
    struct rpc_ctx *ctx, struct cases_act *act, uint32_t slot, bool names);

/* Into `to`: each value of a record with who gave it. */
void rpc_case_sources(struct rpc_ctx *ctx, const Cdop__StoredForm *stored,
    Cdop__FormInstance *to, bool *failed);

#endif
