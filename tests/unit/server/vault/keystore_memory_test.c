/*
 * The key table without memory: each call for it fails once, and the table is
 * as it was.  And with as many keys as it has places for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/undo.h"
#include "server/vault/keystore.h"
#include "server/vault/keystore_inner.h"
#include "server/vault/lockmem.h"

#define LOCKED   (256u << 10)
#define UNDO_MAX (1u << 20)
#define EPOCH    1u
#define KEYS     5000u /* over one chunk, and the map grows on the way */
#define PLACES   ((uint32_t)KEYSTORE_CHUNK * KEYSTORE_CHUNKS - 1)

static struct lockmem *mem;
static struct undo *undo;
static struct keystore *ks;

/* ---- memory -------------------------------------------------------------- */

static unsigned calls, fail_at; /* 0: none fails */

/* What stood there before: the sanitizer's, or the C library's. */
extern void *__interceptor_malloc(size_t len) __attribute__((weak));
extern void *__interceptor_calloc(size_t n, size_t len) __attribute__((weak));
extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t n, size_t len);

static bool
fails(void)
{
	return fail_at != 0 && ++calls == fail_at;
}

void *
malloc(size_t len)
{
	if (fails())
		return NULL;
	return __interceptor_malloc != NULL ? __interceptor_malloc(len)
					    : __libc_malloc(len);
}

void *
calloc(size_t n, size_t len)
{
	if (fails())
		return NULL;
	return __interceptor_calloc != NULL ? __interceptor_calloc(n, len)
					    : __libc_calloc(n, len);
}

/* ---- the table ----------------------------------------------------------- */

static int
setup(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(lockmem_new(LOCKED, &mem, &why), CDOP_OK);
	assert_int_equal(undo_new(UNDO_MAX, &undo), CDOP_OK);
	ks = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fail_at = 0;
	keystore_free(ks);
	assert_int_equal(lockmem_used(mem), 0);
	undo_free(undo);
	lockmem_destroy(mem);
	return 0;
}

static enum cdop_err
put(uint64_t id)
{
	const struct keystore_entry entry = {.id = id,
	    .wrapped_by = id == EPOCH ? 0 : EPOCH,
	    .row = id + 100,
	    .scope = id == EPOCH ? SCHEMA_LOG : SCHEMA_CASE};

	return keystore_put(ks, &entry);
}

static void
without_memory_there_is_no_table(void **state)
{
	enum cdop_err err;

	(void)state;
	calls = 0;
	fail_at = 1;
	err = keystore_new(mem, undo, &ks);
	fail_at = 0;
	assert_int_equal(err, CDOP_RESOURCE_EXHAUSTED);
	assert_null(ks);
	assert_int_equal(keystore_new(mem, undo, &ks), CDOP_OK);
}

/* Whichever call it is, only that key is not put, and is the next time. */
static void
a_key_that_finds_no_memory_is_put_later(void **state)
{
	unsigned at, failed;
	uint64_t id;

	(void)state;
	for (at = 1; at <= 8; at++) {
		assert_int_equal(keystore_new(mem, undo, &ks), CDOP_OK);
		calls = 0;
		fail_at = at;
		failed = 0;
		for (id = EPOCH; id <= KEYS; id++) {
			if (put(id) == CDOP_OK)
				continue;
			failed++;
			assert_null(keystore_find(ks, id));
			assert_int_equal(keystore_count(ks), id - 1);
			assert_int_equal(put(id), CDOP_OK);
		}
		fail_at = 0;
		/* A map and four larger ones, and two chunks. */
		assert_int_equal(failed, at <= 7 ? 1 : 0);
		assert_int_equal(keystore_count(ks), KEYS);
		assert_int_equal(keystore_find(ks, EPOCH)->wraps, KEYS - 1);
		keystore_free(ks);
		ks = NULL;
	}
}

static void
it_has_an_end(void **state)
{
	uint32_t n;
	size_t i;

	(void)state;
	assert_int_equal(keystore_new(mem, undo, &ks), CDOP_OK);
	assert_int_equal(put(EPOCH), CDOP_OK);
	n = ks->n;
	ks->n = PLACES;
	assert_int_equal(put(EPOCH + 1), CDOP_RESOURCE_EXHAUSTED);
	assert_int_equal(put(EPOCH), CDOP_OK); /* that is there */
	ks->n = n;
	/* And gives back all that it has. */
	for (i = 1; i < KEYSTORE_CHUNKS; i++) {
		ks->chunks[i] = malloc(1);
		assert_non_null(ks->chunks[i]);
	}
	keystore_lock(ks);
	assert_null(ks->chunks[0]);
	assert_null(ks->chunks[KEYSTORE_CHUNKS - 1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_memory_there_is_no_table),
	    TEST(a_key_that_finds_no_memory_is_put_later),
	    TEST(it_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
