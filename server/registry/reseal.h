/*
 * What the registry has to do with a copy of the store under other keys: the
 * case boxes inside leaves, and the keys that its tables name (adr/0019).
 */
#ifndef CDOP_REGISTRY_RESEAL_H
#define CDOP_REGISTRY_RESEAL_H

#include "server/vault/copy.h"

struct registry;

/* Fills in who opens leaves and who follows the switch; ctx is reg. */
void reseal_prepare(struct registry *reg, struct copy_plan *plan);

#endif
