/* What the files cases_*.c share and nobody else needs. */
#ifndef CDOP_REGISTRY_CASES_INNER_H
#define CDOP_REGISTRY_CASES_INNER_H

#include "server/registry/cases.h"

struct access_limits *cases_inner_limits(struct cases *cases);

#endif
