/* Called by LMDB's name. */
#include "tests/unit/server/cycle/cycle_meanwhile.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

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

void
meanwhile_over(void)
{
	meanwhile = NULL;
	meanwhile_always = NULL;
	meanwhile_fails = NULL;
}
