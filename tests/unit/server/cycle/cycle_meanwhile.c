/* Called by LMDB's name. */
#include "tests/unit/server/cycle/cycle_meanwhile.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void (*meanwhile)(void);
void (*meanwhile_always)(void);
bool (*meanwhile_fails)(void);

int mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags);

int
mdb_put(void *txn, unsigned table, void *key, void *data, unsigned flags)
{
	int (*real)(void *, unsigned, void *, void *, unsigned);
	void (*now)(void) = meanwhile;
	void *p;

	meanwhile = NULL;
	if (meanwhile_always != NULL)
		meanwhile_always();
	if (now != NULL) {
		now();
	} else if (meanwhile_fails != NULL && meanwhile_fails()) {
		meanwhile_fails = NULL;
		return EINVAL;
	}
	p = dlsym(RTLD_NEXT, "mdb_put");
	memcpy(&real, &p, sizeof(real));
	return real(txn, table, key, data, flags);
}

const Cdop__Reply *
meanwhile_joined(struct fixture *f, struct fixture_client *first,
    struct fixture_client *second, void (*fn)(void), bool (*fails)(void))
{
	const Cdop__Reply *reply;

	meanwhile = fn;
	meanwhile_fails = fails;
	fixture_turn(f);
	assert_null(meanwhile);
	assert_null(meanwhile_fails);
	fixture_answers(f, first, 1, 1);
	reply = fixture_reply(f, second);
	assert_non_null(reply);
	return reply;
}

void
meanwhile_over(void)
{
	meanwhile = NULL;
	meanwhile_always = NULL;
	meanwhile_fails = NULL;
}
