/* nonce 24 || sealed place 20 || tag 16 */
#include "server/registry/cases_page.h"

#include <string.h>

#include "cdop/secret.h"
#include "server/registry/actor.h"

static void
hash_context(const struct cases_act *act, const struct cases_page_of *of,
    uint8_t out[static 32])
{
	struct cdop_bytes part[2 + CASES_PAGE_TEXTS];
	uint8_t person[4];
	const char *text;
	size_t i;

	CDOP_ASSERT(of->n <= CASES_PAGE_TEXTS);
	cdop_put32(person, act->actor->person);
	part[0].data = act->actor->session;
	part[0].len = sizeof(act->actor->session);
	part[1].data = person;
	part[1].len = sizeof(person);
	for (i = 0; i < of->n; i++) {
		text = of->text[i] == NULL ? "" : of->text[i];
		part[2 + i].data = (const uint8_t *)text;
		part[2 + i].len = strlen(text) + 1;
	}
	cdop_secret_hash(out, 32, NULL, "cdop-page/1", part, 2 + of->n);
}

void
cases_page_write(const struct cases_act *act, const struct cases_page_of *of,
    const uint8_t place[static CASES_PAGE_PLACE],
    uint8_t out[static CASES_PAGE_LEN])
{
	uint8_t context[32];
	struct cdop_bytes ad = {context, sizeof(context)};
	struct cdop_bytes in = {place, CASES_PAGE_PLACE};

	hash_context(act, of, context);
	cdop_secret_random(out, CDOP_XNONCE_LEN);
	cdop_secret_seal(
	    cases_page_key(act->cases), out, ad, in, out + CDOP_XNONCE_LEN);
}

bool
cases_page_read(const struct cases_act *act, const struct cases_page_of *of,
    struct cdop_bytes token, uint8_t place[static CASES_PAGE_PLACE])
{
	uint8_t context[32];
	struct cdop_bytes ad = {context, sizeof(context)}, in;

	if (token.len != CASES_PAGE_LEN)
		return false;
	hash_context(act, of, context);
	in.data = token.data + CDOP_XNONCE_LEN;
	in.len = CASES_PAGE_LEN - CDOP_XNONCE_LEN;
	return cdop_secret_unseal(cases_page_key(act->cases), token.data, ad,
		   in, place) == CDOP_OK;
}
