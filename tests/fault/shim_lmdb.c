/*
 * Calls of LMDB that fail: the linker puts these in the place of those that
 * the program calls, and LMDB's own go on.  Nothing of lmdb.h is needed.
 */
#include <errno.h>

#include "tests/fault/shim_core.h"

/* As lmdb.h has them. */
#define MAP_FULL     (-30792)
#define READERS_FULL (-30790)

#define WRAP(name, types, args, full)                                          \
	int __real_##name types;                                               \
	int __wrap_##name types;                                               \
	int __wrap_##name types                                                \
	{                                                                      \
		return fails(#name) ? code(full) : __real_##name args;         \
	}

static bool
fails(const char *name)
{
	return shim_due(SHIM_LMDB, name);
}

static int
code(int full)
{
	return shim_kind() == SHIM_LMDB_FULL ? full : EIO;
}

WRAP(mdb_env_create, (void **env), (env), ENOMEM)
WRAP(mdb_env_set_mapsize, (void *env, size_t len), (env, len), ENOMEM)
WRAP(mdb_env_open, (void *env, const char *path, unsigned flags, unsigned mode),
    (env, path, flags, mode), ENOMEM)
WRAP(mdb_txn_begin, (void *env, void *parent, unsigned flags, void **txn),
    (env, parent, flags, txn), READERS_FULL)
WRAP(mdb_dbi_open, (void *txn, const char *name, unsigned flags, unsigned *dbi),
    (txn, name, flags, dbi), ENOMEM)
WRAP(mdb_dbi_flags, (void *txn, unsigned dbi, unsigned *flags),
    (txn, dbi, flags), ENOMEM)
WRAP(mdb_put, (void *txn, unsigned dbi, void *key, void *data, unsigned flags),
    (txn, dbi, key, data, flags), MAP_FULL)
WRAP(mdb_del, (void *txn, unsigned dbi, void *key, void *data),
    (txn, dbi, key, data), MAP_FULL)
WRAP(mdb_cursor_open, (void *txn, unsigned dbi, void **cursor),
    (txn, dbi, cursor), ENOMEM)
WRAP(mdb_cursor_get, (void *cursor, void *key, void *data, int op),
    (cursor, key, data, op), ENOMEM)
WRAP(mdb_stat, (void *txn, unsigned dbi, void *stat), (txn, dbi, stat), ENOMEM)

int __real_mdb_txn_commit(void *txn);
void mdb_txn_abort(void *txn);
int __wrap_mdb_txn_commit(void *txn);

/* It consumes the handle, whatever it says. */
int
__wrap_mdb_txn_commit(void *txn)
{
	if (shim_due(SHIM_COMMIT, "mdb_txn_commit")) {
		if (shim_kind() == SHIM_LIE) {
			mdb_txn_abort(txn);
			return 0;
		}
		(void)__real_mdb_txn_commit(txn);
		return EIO;
	}
	if (fails("mdb_txn_commit")) {
		mdb_txn_abort(txn);
		return code(MAP_FULL);
	}
	return __real_mdb_txn_commit(txn);
}
