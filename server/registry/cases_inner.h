/* What the files cases_*.c share and nobody else needs. */
#ifndef CDOP_REGISTRY_CASES_INNER_H
#define CDOP_REGISTRY_CASES_INNER_H

#include "server/registry/cases.h"

struct access_limits *cases_inner_limits(struct cases *cases);

/* How far old summaries are renewed: cases_renew.c's. */
struct cases_renewal {
	uint32_t next;  /* slot */
	uint32_t n_old; /* there were at the start */
};

struct cases_renewal *cases_inner_renewal(struct cases *cases);

#endif
