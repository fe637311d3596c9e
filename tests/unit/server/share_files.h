/*
 * A slot of shares in a world's registry, and its shares as custodians have
 * them: a file each.
 */
#ifndef CDOP_TESTS_SHARE_FILES_H
#define CDOP_TESTS_SHARE_FILES_H

#include "cdop/share.h"
#include "server/vault/shamir.h"
#include "tests/unit/server/world.h"

#define SHARE_FILES 2 /* so many of four open it */

struct share_files {
	char path[SHARE_FILES][96];
	struct cdop_share share[SHAMIR_MAX];
};

/* In this folder, by Ada. */
void share_files_make(
    struct share_files *files, struct world *world, const char *folder);
void share_files_remove(const struct share_files *files);

#endif
