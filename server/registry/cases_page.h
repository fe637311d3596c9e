/*
 * Page tokens: where a long answer goes on.  Sealed under this process's own
 * key and bound to session, person and everything that was asked for: of use
 * to nobody else and for nothing else, and silent about what lies between.
 */
#ifndef CDOP_REGISTRY_CASES_PAGE_H
#define CDOP_REGISTRY_CASES_PAGE_H

#include "cdop/bytes.h"
#include "server/registry/cases.h"

#define CASES_PAGE_PLACE 20 /* bytes that say where; the list's own */
#define CASES_PAGE_LEN   (24 + CASES_PAGE_PLACE + 16)
#define CASES_PAGE_TEXTS 8

/* What a token is for: the call, then what was asked; NULL: not said. */
struct cases_page_of {
	const char *text[CASES_PAGE_TEXTS];
	size_t n;
};

void cases_page_write(const struct cases_act *act,
    const struct cases_page_of *of,
    const uint8_t place[static CASES_PAGE_PLACE],
    uint8_t out[static CASES_PAGE_LEN]);

/* False: not a token of this session for this. */
CDOP_MUST bool cases_page_read(const struct cases_act *act,
    const struct cases_page_of *of, struct cdop_bytes token,
    uint8_t place[static CASES_PAGE_PLACE]);

#endif
