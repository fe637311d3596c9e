/*
 * The one piece of memory that never goes to swap or into a core: root,
 * epoch keys, header and digest key, link keys, session ciphers, PSKs in
 * use.  Not for messages or the index.
 *
 * Guard pages stand on both sides.  The lock is believed only when the
 * kernel shows it (VmLck).  A fork does not get it.
 */
#ifndef CDOP_VAULT_LOCKMEM_H
#define CDOP_VAULT_LOCKMEM_H

#include <stddef.h>

#include "cdop/err.h"

#define LOCKMEM_MAX (1u << 20)

struct lockmem;

/*
 * bytes, rounded up to pages, at most LOCKMEM_MAX.  Where the lock fails
 * *ret_why says what limit to raise (a literal) and the result is
 * CDOP_FAILED_PRECONDITION: do not start.  CDOP_RESOURCE_EXHAUSTED: no memory.
 */
CDOP_MUST enum cdop_err lockmem_new(
    size_t bytes, struct lockmem **ret_mem, const char **ret_why);

/* Wipes all of it.  NULL is fine. */
void lockmem_destroy(struct lockmem *mem);

/* len zeroed bytes, aligned to 16; NULL: none left. */
void *lockmem_alloc(struct lockmem *mem, size_t len);

/* Wipes and gives back what lockmem_alloc(mem, len) gave.  NULL is fine. */
void lockmem_free(struct lockmem *mem, void *p, size_t len);

/* Bytes handed out now. */
size_t lockmem_used(const struct lockmem *mem);

#endif
