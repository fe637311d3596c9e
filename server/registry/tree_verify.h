/*
 * All leaves and all tiles against the head row's root: what `cdopd verify`
 * looks for in the rows of the log.  Each finding has words of its own and
 * none has content.
 *
 * It holds 64 bytes for a leaf and hashes everything anew.
 */
#ifndef CDOP_REGISTRY_TREE_VERIFY_H
#define CDOP_REGISTRY_TREE_VERIFY_H

#include "server/vault/verify.h"

struct tree_verify;

CDOP_MUST enum cdop_err tree_verify_new(struct tree_verify **ret_verify);

/* NULL is fine. */
void tree_verify_free(struct tree_verify *verify);

/* What verify_dir() calls. */
struct verify_log tree_verify_log(struct tree_verify *verify);

#endif
