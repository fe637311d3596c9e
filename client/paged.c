/* See paged.h. */
#include "client/paged.h"

#include "client/pager.h"

enum exit_code
paged_took(
    struct cmd_ctx *ctx, struct paged *paged, const uint32_t *last, bool more)
{
	bool on;

	if (last == NULL) {
		paged->more = false;
		return EXIT_OK;
	}
	on = paged->falls ? *last < paged->last : *last > paged->last;
	if (paged->has_last && !on)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL, NULL,
		    "the list of %s does not go on", paged->of);
	paged->has_last = true;
	paged->last = *last;
	paged->more = more && !pager_is_left();
	return EXIT_OK;
}
