/*
 * Preloaded into a daemon, writes down which functions of libsodium, nettle
 * and LMDB it calls, with lengths and numbers of rows and without a byte of
 * what is in them: into the file TAPE, of TAPE_MAX entries, for the process
 * whose number stands in it.  Mapped before the walls stand, so it asks for
 * nothing once they do.  protobuf is left out: what it does depends on more
 * than lengths.
 */
#include "tape.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct tape *tape;
static uint64_t own_pid;
static unsigned inside; /* LMDB calls itself: that is not to be played */

__attribute__((constructor)) static void
map_tape(void)
{
	const char *path = getenv("TAPE");
	size_t len = sizeof(*tape) + TAPE_MAX * sizeof(tape->entry[0]);
	void *map;
	int fd;

	own_pid = (uint64_t)getpid();
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map != MAP_FAILED)
		tape = map;
}

static bool
is_on(void)
{
	return inside == 0 && tape != NULL &&
	    *(const volatile uint64_t *)&tape->pid == own_pid;
}

static void
note(enum tape_op op, uint64_t key, size_t len, unsigned long long also)
{
	uint64_t n;

	if (!is_on())
		return;
	n = tape->n++;
	if (n < TAPE_MAX)
		tape->entry[n] = (struct tape_entry){.key = key,
		    .len = (uint32_t)len,
		    .also = (uint32_t)also,
		    .op = op};
}

static void *
real(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (symbol == NULL)
		abort();
	return symbol;
}

/* Calls the function of this name of the library, which is looked for once. */
#define REAL(name, ...)                                                        \
	__extension__({                                                        \
		static __typeof__(name) *there;                                \
		if (there == NULL)                                             \
			*(void **)&there = real(#name);                        \
		there(__VA_ARGS__);                                            \
	})

/* ---- libsodium ---- */

#define AEAD_ENCRYPT(name, op)                                                 \
	int name(unsigned char *c, unsigned long long *clen,                   \
	    const unsigned char *m, unsigned long long mlen,                   \
	    const unsigned char *ad, unsigned long long adlen,                 \
	    const unsigned char *nsec, const unsigned char *npub,              \
	    const unsigned char *k)                                            \
	{                                                                      \
		note(op, 0, mlen, adlen);                                      \
		return REAL(name, c, clen, m, mlen, ad, adlen, nsec, npub, k); \
	}

#define AEAD_DECRYPT(name, op)                                                 \
	int name(unsigned char *m, unsigned long long *mlen,                   \
	    unsigned char *nsec, const unsigned char *c,                       \
	    unsigned long long clen, const unsigned char *ad,                  \
	    unsigned long long adlen, const unsigned char *npub,               \
	    const unsigned char *k)                                            \
	{                                                                      \
		note(op, 0, clen > 16 ? clen - 16 : 0, adlen);                 \
		return REAL(name, m, mlen, nsec, c, clen, ad, adlen, npub, k); \
	}

AEAD_ENCRYPT(crypto_aead_xchacha20poly1305_ietf_encrypt, TAPE_AEAD)
AEAD_DECRYPT(crypto_aead_xchacha20poly1305_ietf_decrypt, TAPE_AEAD)
AEAD_ENCRYPT(crypto_aead_chacha20poly1305_ietf_encrypt, TAPE_LINK_AEAD)
AEAD_DECRYPT(crypto_aead_chacha20poly1305_ietf_decrypt, TAPE_LINK_AEAD)

int
crypto_stream_xchacha20_xor(unsigned char *c, const unsigned char *m,
    unsigned long long len, const unsigned char *n, const unsigned char *k)
{
	note(TAPE_STREAM, 0, len, 0);
	return REAL(crypto_stream_xchacha20_xor, c, m, len, n, k);
}

int
crypto_generichash(unsigned char *out, size_t outlen, const unsigned char *in,
    unsigned long long inlen, const unsigned char *key, size_t keylen)
{
	note(TAPE_BLAKE2B, 0, inlen, keylen);
	return REAL(crypto_generichash, out, outlen, in, inlen, key, keylen);
}

int
crypto_generichash_init(crypto_generichash_state *state,
    const unsigned char *key, const size_t keylen, const size_t outlen)
{
	note(TAPE_BLAKE2B_INIT, 0, outlen, keylen);
	return REAL(crypto_generichash_init, state, key, keylen, outlen);
}

int
crypto_generichash_update(crypto_generichash_state *state,
    const unsigned char *in, unsigned long long inlen)
{
	note(TAPE_BLAKE2B_UPDATE, 0, inlen, 0);
	return REAL(crypto_generichash_update, state, in, inlen);
}

int
crypto_generichash_final(
    crypto_generichash_state *state, unsigned char *out, const size_t outlen)
{
	note(TAPE_BLAKE2B_FINAL, 0, outlen, 0);
	return REAL(crypto_generichash_final, state, out, outlen);
}

void
randombytes_buf(void *const buf, const size_t size)
{
	note(TAPE_RANDOM, 0, size, 0);
	REAL(randombytes_buf, buf, size);
}

int
crypto_sign_detached(unsigned char *sig, unsigned long long *siglen,
    const unsigned char *m, unsigned long long mlen, const unsigned char *sk)
{
	note(TAPE_SIGN, 0, mlen, 0);
	return REAL(crypto_sign_detached, sig, siglen, m, mlen, sk);
}

/* ---- nettle ---- */

/* Its own names, which its headers write over. */
#define REAL_AS(name, as, ...)                                                 \
	__extension__({                                                        \
		static __typeof__(name) *there;                                \
		if (there == NULL)                                             \
			*(void **)&there = real(as);                           \
		there(__VA_ARGS__);                                            \
	})

void
sha256_update(struct sha256_ctx *ctx, size_t length, const uint8_t *data)
{
	note(TAPE_SHA256_UPDATE, 0, length, 0);
	REAL_AS(sha256_update, "nettle_sha256_update", ctx, length, data);
}

void
sha256_digest(struct sha256_ctx *ctx, size_t length, uint8_t *digest)
{
	note(TAPE_SHA256_DIGEST, 0, 0, 0);
	REAL_AS(sha256_digest, "nettle_sha256_digest", ctx, length, digest);
}

void
hmac_sha256_set_key(
    struct hmac_sha256_ctx *ctx, size_t key_length, const uint8_t *key)
{
	note(TAPE_HMAC_KEY, 0, key_length, 0);
	inside++; /* it hashes with what is above */
	REAL_AS(hmac_sha256_set_key, "nettle_hmac_sha256_set_key", ctx,
	    key_length, key);
	inside--;
}

void
hmac_sha256_update(
    struct hmac_sha256_ctx *ctx, size_t length, const uint8_t *data)
{
	note(TAPE_HMAC_UPDATE, 0, length, 0);
	inside++;
	REAL_AS(
	    hmac_sha256_update, "nettle_hmac_sha256_update", ctx, length, data);
	inside--;
}

void
hmac_sha256_digest(struct hmac_sha256_ctx *ctx, size_t length, uint8_t *digest)
{
	note(TAPE_HMAC_DIGEST, 0, 0, 0);
	inside++;
	REAL_AS(hmac_sha256_digest, "nettle_hmac_sha256_digest", ctx, length,
	    digest);
	inside--;
}

/* ---- LMDB ---- */

static uint64_t
number_of(const MDB_val *key)
{
	const uint8_t *bytes;
	uint64_t number = 0;
	size_t i;

	if (key == NULL || key->mv_size != 8)
		return 0;
	bytes = key->mv_data;
	for (i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* The first that is used, and not the one that a re-seal copies to. */
static bool
is_of(const MDB_env *env)
{
	return tape != NULL && tape->env == (uintptr_t)env;
}

static void
note_store(MDB_txn *txn, enum tape_op op, const MDB_val *key, size_t len,
    unsigned also)
{
	if (is_of(mdb_txn_env(txn)))
		note(op, number_of(key), len, also);
}

#define INSIDE(call)                                                           \
	__extension__({                                                        \
		int rc;                                                        \
		inside++;                                                      \
		rc = (call);                                                   \
		inside--;                                                      \
		rc;                                                            \
	})

int
mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
	if (is_on() && tape->env == 0)
		tape->env = (uintptr_t)env;
	if (is_of(env))
		note(TAPE_BEGIN, 0, 0, flags);
	return INSIDE(REAL(mdb_txn_begin, env, parent, flags, txn));
}

int
mdb_txn_commit(MDB_txn *txn)
{
	note_store(txn, TAPE_COMMIT, NULL, 0, 0);
	return INSIDE(REAL(mdb_txn_commit, txn));
}

void
mdb_txn_abort(MDB_txn *txn)
{
	note_store(txn, TAPE_ABORT, NULL, 0, 0);
	inside++;
	REAL(mdb_txn_abort, txn);
	inside--;
}

int
mdb_put(
    MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned int flags)
{
	note_store(txn, TAPE_PUT, key, data->mv_size, flags);
	return INSIDE(REAL(mdb_put, txn, dbi, key, data, flags));
}

int
mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
	note_store(txn, TAPE_DEL, key, 0, 0);
	return INSIDE(REAL(mdb_del, txn, dbi, key, data));
}

int
mdb_cursor_open(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor)
{
	note_store(txn, TAPE_CURSOR_OPEN, NULL, 0, 0);
	return INSIDE(REAL(mdb_cursor_open, txn, dbi, cursor));
}

void
mdb_cursor_close(MDB_cursor *cursor)
{
	note_store(mdb_cursor_txn(cursor), TAPE_CURSOR_CLOSE, NULL, 0, 0);
	inside++;
	REAL(mdb_cursor_close, cursor);
	inside--;
}

/* What goes in is a number only where one is looked for. */
int
mdb_cursor_get(
    MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op)
{
	bool looks = op == MDB_SET || op == MDB_SET_KEY || op == MDB_SET_RANGE;

	note_store(
	    mdb_cursor_txn(cursor), TAPE_CURSOR_GET, looks ? key : NULL, 0, op);
	return INSIDE(REAL(mdb_cursor_get, cursor, key, data, op));
}
