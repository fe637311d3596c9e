/* The identity file: comes back as it went, or not at all. */
#include "client/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "tests/unit/client/fixture.h"

static struct cdop_bytes
phrase(const char *text)
{
	struct cdop_bytes bytes = {(const uint8_t *)text, strlen(text)};

	return bytes;
}

static void
save(struct fixture *f)
{
	assert_int_equal(
	    identity_save(&f->session.identity, f->ctx.arena), CDOP_OK);
}

static void
what_is_saved_comes_back(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity, back;

	assert_int_equal(
	    identity_protect(id, phrase("correct horse")), CDOP_OK);
	id->secret->has_psk_next = true;
	id->secret->psk_next = id->secret->static_key;
	save(f);
	assert_int_equal(identity_load(id->path, f->ctx.arena, &back), CDOP_OK);
	assert_true(identity_has_passphrase(&back));
	assert_null(back.secret);
	assert_string_equal(back.open->label, "test laptop");
	assert_int_equal(
	    identity_unlock(&back, phrase("correct horse"), f->ctx.arena),
	    CDOP_OK);
	assert_memory_equal(back.secret->psk.data, id->secret->psk.data, 32);
	assert_true(back.secret->has_psk_next);
}

static void
another_passphrase_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity, back;

	assert_int_equal(
	    identity_protect(id, phrase("correct horse")), CDOP_OK);
	save(f);
	assert_int_equal(identity_load(id->path, f->ctx.arena, &back), CDOP_OK);
	assert_int_equal(
	    identity_unlock(&back, phrase("correct house"), f->ctx.arena),
	    CDOP_UNAUTHENTICATED);
	assert_null(back.secret);
	assert_true(cdop_secret_is_zero(back.key, CDOP_KEY_LEN));
}

/* Sealed by us, but no key is of that length. */
static void
a_key_that_is_too_short_is_none(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity, back;
	ProtobufCBinaryData *const keys[] = {
	    &id->secret->psk, &id->secret->static_key};
	size_t i;

	for (i = 0; i < 2; i++) {
		keys[i]->len--;
		save(f);
		keys[i]->len++;
		assert_int_equal(
		    identity_load(id->path, f->ctx.arena, &back), CDOP_OK);
		assert_int_equal(
		    identity_unlock_key(&back, id->key, f->ctx.arena),
		    CDOP_DATA_LOSS);
	}
}

/* Reads it with the key in hand, so that no try costs an Argon2. */
static bool
opens(struct fixture *f, const char *path, const uint8_t *key)
{
	struct identity back;

	if (identity_load(path, f->ctx.arena, &back) != CDOP_OK)
		return false;
	return identity_unlock_key(&back, key, f->ctx.arena) == CDOP_OK;
}

static void
every_changed_byte_is_noticed(void **state)
{
	struct fixture *f = *state;
	const struct identity *id = &f->session.identity;
	struct cdop_bytes file;
	const char *path;
	uint8_t *copy;
	size_t i;

	save(f);
	assert_int_equal(
	    file_read(id->path, 65536, f->ctx.arena, &file), CDOP_OK);
	assert_true(opens(f, id->path, id->key));
	copy = cdop_arena_alloc(f->ctx.arena, file.len);
	for (i = 0; i < file.len; i++) {
		memcpy(copy, file.data, file.len);
		copy[i] ^= (uint8_t)(1u << (i % 8));
		path = fixture_file(f, "changed", copy, file.len);
		assert_false(opens(f, path, id->key));
	}
}

static void
a_cut_or_longer_file_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct identity *id = &f->session.identity;
	struct cdop_bytes file;
	uint8_t more[4096];
	const char *path;
	size_t len;

	save(f);
	assert_int_equal(
	    file_read(id->path, 65536, f->ctx.arena, &file), CDOP_OK);
	for (len = 0; len < file.len; len += 7) {
		path = fixture_file(f, "cut", file.data, len);
		assert_false(opens(f, path, id->key));
	}
	assert_true(file.len < sizeof(more));
	memcpy(more, file.data, file.len);
	more[file.len] = 0;
	path = fixture_file(f, "longer", more, file.len + 1);
	assert_false(opens(f, path, id->key));
}

static void
it_is_private_and_never_the_same_twice(void **state)
{
	struct fixture *f = *state;
	const struct identity *id = &f->session.identity;
	struct cdop_bytes one, two;
	struct stat st;

	save(f);
	assert_int_equal(stat(id->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
	    file_read(id->path, 65536, f->ctx.arena, &one), CDOP_OK);
	save(f);
	assert_int_equal(
	    file_read(id->path, 65536, f->ctx.arena, &two), CDOP_OK);
	assert_int_equal(one.len, two.len);
	assert_memory_not_equal(
	    one.data + one.len - 64, two.data + two.len - 64, 64);
}

/* Who has the file tries passphrases on machines of his own. */
static void
each_guess_costs_what_it_should_and_serves_one_file(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity, first;

	assert_int_equal(identity_protect(id, phrase("correct")), CDOP_OK);
	save(f);
	assert_int_equal(
	    identity_load(id->path, f->ctx.arena, &first), CDOP_OK);
	assert_in_range(first.passes, 3, UINT32_MAX);
	assert_in_range(first.memory_kib, 64u << 10, UINT32_MAX);
	assert_int_equal(identity_protect(id, phrase("correct")), CDOP_OK);
	assert_memory_not_equal(first.salt, id->salt, sizeof(id->salt));
}

/* A key more or less is no other length: how often it turned is not seen. */
static void
its_length_does_not_say_what_is_in_it(void **state)
{
	struct fixture *f = *state;
	const struct identity *id = &f->session.identity;
	struct stat one, two;

	save(f);
	assert_int_equal(stat(id->path, &one), 0);
	id->secret->has_psk_next = true;
	id->secret->psk_next = id->secret->static_key;
	save(f);
	assert_int_equal(stat(id->path, &two), 0);
	assert_int_equal(one.st_size, two.st_size);
}

static void
what_it_held_is_wiped(void **state)
{
	struct fixture *f = *state;
	struct identity *id = &f->session.identity, back;
	const uint8_t *key, *psk;

	save(f);
	assert_int_equal(identity_load(id->path, f->ctx.arena, &back), CDOP_OK);
	assert_int_equal(
	    identity_unlock_key(&back, id->key, f->ctx.arena), CDOP_OK);
	key = back.secret->static_key.data;
	psk = back.secret->psk.data;
	assert_false(cdop_secret_is_zero(key, CDOP_KEY_LEN));
	identity_wipe(&back);
	assert_true(cdop_secret_is_zero(key, CDOP_KEY_LEN));
	assert_true(cdop_secret_is_zero(psk, CDOP_KEY_LEN));
	assert_true(cdop_secret_is_zero(back.key, CDOP_KEY_LEN));
}

static void
no_key_stands_in_the_file(void **state)
{
	struct fixture *f = *state;
	const struct identity *id = &f->session.identity;
	struct cdop_bytes file;

	save(f);
	assert_int_equal(
	    file_read(id->path, 65536, f->ctx.arena, &file), CDOP_OK);
	assert_null(
	    memmem(file.data, file.len, id->secret->static_key.data, 16));
	assert_null(memmem(file.data, file.len, id->secret->psk.data, 16));
	assert_null(memmem(file.data, file.len, id->key, 16));
}

static void
subkeys_differ_by_label(void **state)
{
	struct fixture *f = *state;
	uint8_t one[32], two[32], again[32];

	identity_subkey(&f->session.identity, "one", one);
	identity_subkey(&f->session.identity, "two", two);
	identity_subkey(&f->session.identity, "one", again);
	assert_memory_not_equal(one, two, 32);
	assert_memory_equal(one, again, 32);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(what_is_saved_comes_back),
	    WITH(another_passphrase_opens_nothing),
	    WITH(every_changed_byte_is_noticed),
	    WITH(a_key_that_is_too_short_is_none),
	    WITH(a_cut_or_longer_file_is_refused),
	    WITH(it_is_private_and_never_the_same_twice),
	    WITH(each_guess_costs_what_it_should_and_serves_one_file),
	    WITH(its_length_does_not_say_what_is_in_it),
	    WITH(what_it_held_is_wiped),
	    WITH(no_key_stands_in_the_file),
	    WITH(subkeys_differ_by_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
