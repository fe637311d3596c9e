/*
 * What a vault does to keep and seal, and nothing else: plays a tape (tape.h)
 * over a copy of the file that the vault had when it began.
 *
 *     bare TAPE DATA.MDB COMMITS      one JSON object
 *
 * The same functions of libsodium, nettle and LMDB in the same order, with the
 * same lengths and row numbers, and so many commits, each of which waits for
 * the disk: without a link, a gate, protobuf, rules, an index, and without a
 * client to wait for.  So no vault that makes these calls one after another,
 * and commits as often, can be faster; one that hashed less for a row, or
 * sealed on other cores meanwhile, could.  COMMITS: at the most as many as
 * were taped; fewer are as if more calls had come in time for each.  DATA.MDB
 * is written to.
 *
 * seconds, cpu_s     of all of it; of that on the core
 * commits            how many
 * p50_us, p99_us     from one commit to the next
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tape.h"

#define TEXT_MAX ((size_t)1 << 20)
#define MAP      ((size_t)64 << 30)
#define AHEAD_MB 256 /* of zeros: no commit waits for the file to grow */

static uint8_t text[TEXT_MAX + 64], also[4096]; /* 64: a tag and more */
static uint8_t key[64], nonce[24], sign_key[64], signature[64];
static crypto_generichash_state blake2b;
static struct sha256_ctx sha256;
static struct hmac_sha256_ctx hmac;
static size_t hash_len = 32;
static MDB_env *env;
static MDB_txn *txn;
static MDB_cursor *cursor;
static MDB_dbi dbi;
static double *spans, last_us;
static size_t n_spans;
static size_t taped, wanted, passed; /* commits: all, to be made, so far */

static double
now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
die(const char *what, int rc)
{
	fprintf(stderr, "bare: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

static void
must(const char *what, int rc)
{
	if (rc != 0)
		die(what, rc);
}

/* ---- the file ---- */

static void
go_ahead(const char *path)
{
	static const uint8_t zeros[1 << 20];
	MDB_envinfo info;
	off_t at;
	int fd, i;

	must(path, mdb_env_info(env, &info));
	at = (off_t)(info.me_last_pgno + 1) * 4096;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(path, errno);
	for (i = 0; i < AHEAD_MB; i++)
		if (pwrite(fd, zeros, sizeof(zeros),
			at + (off_t)i * (off_t)sizeof(zeros)) !=
		    (ssize_t)sizeof(zeros))
			die(path, errno);
	if (fsync(fd) != 0)
		die(path, errno);
	(void)close(fd);
}

static void
open_file(const char *path)
{
	must("lmdb", mdb_env_create(&env));
	must("lmdb", mdb_env_set_mapsize(env, MAP));
	must(path, mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600));
	must(path, mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
	must(path, mdb_dbi_open(txn, NULL, 0, &dbi));
	must(path, mdb_txn_commit(txn));
	txn = NULL;
	go_ahead(path);
}

/* ---- what is played ---- */

/* Is it one of those that are made?  They lie evenly; the last is. */
static bool
is_due(void)
{
	passed++;
	return passed * wanted / taped != (passed - 1) * wanted / taped;
}

static void
commit(void)
{
	double now;

	if (!is_due())
		return;
	must("commit", mdb_txn_commit(txn));
	txn = NULL;
	now = now_us(CLOCK_MONOTONIC);
	spans[n_spans++] = now - last_us;
	last_us = now;
}

static void
abort_txn(void)
{
	mdb_txn_abort(txn);
	txn = NULL;
}

static void
play_store(const struct tape_entry *e)
{
	uint8_t number[8];
	MDB_val k = {sizeof(number), number}, v = {e->len, text};
	unsigned i;

	for (i = 0; i < 8; i++)
		number[i] = (uint8_t)(e->key >> (56 - 8 * i));
	switch (e->op) {
	case TAPE_BEGIN:
		if (txn == NULL)
			must("begin", mdb_txn_begin(env, NULL, e->also, &txn));
		break;
	case TAPE_COMMIT:
		commit();
		break;
	case TAPE_ABORT: /* what is with it in one is kept */
		if (wanted == taped)
			abort_txn();
		break;
	case TAPE_PUT:
		must("put", mdb_put(txn, dbi, &k, &v, e->also));
		break;
	case TAPE_DEL:
		must("del", mdb_del(txn, dbi, &k, NULL));
		break;
	case TAPE_CURSOR_OPEN:
		must("cursor", mdb_cursor_open(txn, dbi, &cursor));
		break;
	case TAPE_CURSOR_CLOSE:
		mdb_cursor_close(cursor);
		break;
	case TAPE_CURSOR_GET: /* what is not there was not there, too */
		(void)mdb_cursor_get(cursor, &k, &v, (MDB_cursor_op)e->also);
		break;
	default:
		die("no such entry", EINVAL);
	}
}

static void
play_hash(const struct tape_entry *e)
{
	uint8_t out[64];

	switch (e->op) {
	case TAPE_BLAKE2B:
		(void)crypto_generichash(out, 32, text, e->len, key, e->also);
		break;
	case TAPE_BLAKE2B_INIT:
		hash_len = e->len;
		(void)crypto_generichash_init(&blake2b, key, e->also, hash_len);
		break;
	case TAPE_BLAKE2B_UPDATE:
		(void)crypto_generichash_update(&blake2b, text, e->len);
		break;
	case TAPE_BLAKE2B_FINAL:
		(void)crypto_generichash_final(&blake2b, out, hash_len);
		break;
	case TAPE_SHA256_UPDATE:
		sha256_update(&sha256, e->len, text);
		break;
	case TAPE_SHA256_DIGEST:
		sha256_digest(&sha256, SHA256_DIGEST_SIZE, out);
		break;
	case TAPE_HMAC_KEY:
		hmac_sha256_set_key(&hmac, e->len, key);
		break;
	case TAPE_HMAC_UPDATE:
		hmac_sha256_update(&hmac, e->len, text);
		break;
	default:
		hmac_sha256_digest(&hmac, SHA256_DIGEST_SIZE, out);
		break;
	}
}

/* To open costs what to seal does. */
static void
play(const struct tape_entry *e)
{
	switch (e->op) {
	case TAPE_LINK_AEAD:
		(void)crypto_aead_chacha20poly1305_ietf_encrypt(
		    text, NULL, text, e->len, also, e->also, NULL, nonce, key);
		break;
	case TAPE_AEAD:
		(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
		    text, NULL, text, e->len, also, e->also, NULL, nonce, key);
		break;
	case TAPE_STREAM:
		(void)crypto_stream_xchacha20_xor(
		    text, text, e->len, nonce, key);
		break;
	case TAPE_RANDOM:
		randombytes_buf(text, e->len);
		break;
	case TAPE_SIGN:
		(void)crypto_sign_detached(
		    signature, NULL, text, e->len, sign_key);
		break;
	default:
		if (e->op >= TAPE_BEGIN)
			play_store(e);
		else
			play_hash(e);
		break;
	}
}

/* ---- all of it ---- */

static const struct tape *
read_tape(const char *path)
{
	const struct tape *tape;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path, errno);
	tape = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (tape == MAP_FAILED)
		die(path, errno);
	if (tape->n == 0 || tape->n > TAPE_MAX ||
	    sizeof(*tape) + tape->n * sizeof(tape->entry[0]) >
		(size_t)st.st_size)
		die(path, ERANGE);
	return tape;
}

/* Nothing on it is longer than there is room for; how often it commits. */
static size_t
look_over(const char *path, const struct tape *tape)
{
	size_t commits = 0;
	uint64_t i;

	for (i = 0; i < tape->n; i++) {
		const struct tape_entry *e = &tape->entry[i];

		if (e->op == 0 || e->op >= TAPE_OPS || e->len > TEXT_MAX ||
		    (e->op <= TAPE_AEAD && e->also > sizeof(also)) ||
		    (e->op <= TAPE_BLAKE2B_INIT && e->op >= TAPE_BLAKE2B &&
			e->also > sizeof(key)))
			die(path, EINVAL);
		commits += e->op == TAPE_COMMIT;
	}
	if (commits == 0)
		die(path, ENODATA);
	return commits;
}

static int
by_length(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

int
main(int argc, char **argv)
{
	const struct tape *tape;
	double cpu, began;
	uint64_t i;

	if (argc != 4 || (wanted = strtoul(argv[3], NULL, 10)) == 0) {
		fprintf(stderr, "bare TAPE DATA.MDB COMMITS\n");
		return 2;
	}
	tape = read_tape(argv[1]);
	taped = look_over(argv[1], tape);
	if (wanted > taped)
		wanted = taped;
	spans = calloc(wanted, sizeof(*spans));
	if (sodium_init() < 0 || spans == NULL)
		die("sodium", ENOMEM);
	(void)crypto_sign_keypair(key, sign_key);
	hmac_sha256_set_key(&hmac, 32, key);
	sha256_init(&sha256);
	(void)crypto_generichash_init(&blake2b, key, 32, 32);
	open_file(argv[2]);
	cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
	began = last_us = now_us(CLOCK_MONOTONIC);
	for (i = 0; i < tape->n; i++)
		play(&tape->entry[i]);
	cpu = now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	qsort(spans, n_spans, sizeof(*spans), by_length);
	printf("{\"seconds\":%.6f,\"cpu_s\":%.6f,\"commits\":%zu,"
	       "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
	    (last_us - began) / 1e6, cpu / 1e6, n_spans, spans[n_spans / 2],
	    spans[(n_spans - 1) * 99 / 100]);
	mdb_env_close(env);
	return 0;
}
