/* The invitation file: comes back as written, and every slip is found. */
#include "cdop/invitation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/limits.h"
#include "cdop/secret.h"

static int
setup(void **state)
{
	struct cdop_arena *arena;

	if (cdop_secret_init() != CDOP_OK ||
	    cdop_arena_new((size_t)64 << 20, &arena) != CDOP_OK)
		return -1;
	*state = arena;
	return 0;
}

static int
teardown(void **state)
{
	cdop_arena_free(*state);
	return 0;
}

static void
sample(struct cdop_invitation *inv)
{
	memset(inv, 0, sizeof(*inv));
	memset(inv->registry, 1, 16);
	memset(inv->server, 2, sizeof(inv->server));
	memset(inv->id, 3, 16);
	memset(inv->psk, 4, 32);
	inv->training = true;
	inv->name = "coordinator 12, Zo\xc3\xab";
	inv->address[0] = "cdop.example:4433";
	inv->address[1] = "unix:/run/cdopd/link.sock";
	inv->n_address = 2;
	inv->n_server = 2;
	inv->expires_ms = 1795424707042;
}

static struct cdop_bytes
written(struct cdop_arena *arena)
{
	struct cdop_invitation inv;
	struct cdop_bytes file = {NULL, 0};

	sample(&inv);
	assert_int_equal(cdop_invitation_write(&inv, arena, &file), CDOP_OK);
	return file;
}

static void
is_sample(struct cdop_arena *arena, struct cdop_bytes file)
{
	struct cdop_invitation want, got;

	sample(&want);
	assert_int_equal(cdop_invitation_parse(file, arena, &got), CDOP_OK);
	assert_memory_equal(got.registry, want.registry, 16);
	assert_memory_equal(got.id, want.id, 16);
	assert_memory_equal(got.psk, want.psk, 32);
	assert_memory_equal(got.server, want.server, sizeof(want.server));
	assert_int_equal(got.n_server, 2);
	assert_int_equal(got.n_address, 2);
	assert_string_equal(got.address[1], want.address[1]);
	assert_string_equal(got.name, want.name);
	assert_true(got.training);
	assert_int_equal(got.expires_ms, want.expires_ms);
}

static void
what_is_written_is_read(void **state)
{
	is_sample(*state, written(*state));
}

/* Mail turns line ends, and puts blank lines behind. */
static void
mail_does_no_harm(void **state)
{
	struct cdop_bytes file = written(*state), mailed;
	uint8_t out[CDOP_INVITATION_FILE_MAX];
	size_t i, n = 0;

	for (i = 0; i < file.len; i++) {
		if (file.data[i] == '\n')
			out[n++] = '\r';
		out[n++] = file.data[i];
	}
	memcpy(out + n, "\r\n\r\n", 4);
	mailed.data = out;
	mailed.len = n + 4;
	is_sample(*state, mailed);
	mailed.data = file.data;
	mailed.len = file.len - 1; /* the last line end is gone */
	is_sample(*state, mailed);
}

static void
every_slip_is_found(void **state)
{
	struct cdop_bytes file = written(*state), slipped;
	struct cdop_invitation inv;
	uint8_t copy[CDOP_INVITATION_FILE_MAX];
	size_t i;

	slipped.data = copy;
	slipped.len = file.len;
	for (i = 0; i < file.len; i++) {
		memcpy(copy, file.data, file.len);
		copy[i] ^= 1;
		/* Hex of either case, so case alone is no slip. */
		assert_int_not_equal(
		    cdop_invitation_parse(slipped, *state, &inv), CDOP_OK);
	}
}

static void
every_cut_is_refused(void **state)
{
	struct cdop_bytes file = written(*state), cut = {file.data, 0};
	struct cdop_invitation inv;

	for (cut.len = 0; cut.len + 1 < file.len; cut.len++)
		assert_int_not_equal(
		    cdop_invitation_parse(cut, *state, &inv), CDOP_OK);
}

/* That another value stands behind the word, with a check that is right. */
static void
refuses_value(struct cdop_arena *arena, const char *word, const char *value)
{
	struct cdop_bytes file = written(arena), all;
	char copy[CDOP_INVITATION_FILE_MAX], *at, *check;
	struct cdop_invitation inv;
	uint8_t hash[32];
	size_t i, n;

	memcpy(copy, file.data, file.len);
	copy[file.len] = '\0';
	at = strstr(copy, word) + strlen(word);
	n = strcspn(at, "\n");
	memmove(at + strlen(value), at + n, strlen(at + n) + 1);
	memcpy(at, value, strlen(value));
	check = strstr(copy, "check ") + strlen("check ");
	all.data = (const uint8_t *)copy;
	all.len = (size_t)(check - copy) - strlen("check ");
	cdop_secret_hash(hash, sizeof(hash), NULL, "", &all, 1);
	for (i = 0; i < 8; i++)
		(void)snprintf(check + 2 * i, 4, "%02x\n", hash[i]);
	all.len = strlen(copy);
	assert_int_equal(
	    cdop_invitation_parse(all, arena, &inv), CDOP_INVALID_ARGUMENT);
}

static void
a_value_that_is_none_is_refused(void **state)
{
	refuses_value(*state, "mode ", "lively");
	refuses_value(*state, "expires ", "1795424707042x");
	refuses_value(*state, "expires ", "-1");
	refuses_value(*state, "expires ", "99999999999999999999999");
}

static void
one_for_nobody_is_refused(void **state)
{
	struct cdop_bytes file = {NULL, 0};
	struct cdop_invitation inv;

	refuses_value(*state, "name ", "");
	sample(&inv);
	inv.name = "";
	assert_int_equal(
	    cdop_invitation_write(&inv, *state, &file), CDOP_INVALID_ARGUMENT);
}

static void
what_cannot_stand_on_a_line_is_not_written(void **state)
{
	struct cdop_bytes file = {NULL, 0};
	struct cdop_invitation inv;

	sample(&inv);
	inv.name = "two\nlines";
	assert_int_equal(
	    cdop_invitation_write(&inv, *state, &file), CDOP_INVALID_ARGUMENT);
	sample(&inv);
	inv.n_address = 0;
	assert_int_equal(
	    cdop_invitation_write(&inv, *state, &file), CDOP_INVALID_ARGUMENT);
	sample(&inv);
	inv.n_server = 3;
	assert_int_equal(
	    cdop_invitation_write(&inv, *state, &file), CDOP_INVALID_ARGUMENT);
	assert_null(file.data);
}

static void
a_stranger_s_file_is_refused(void **state)
{
	static const char *const files[] = {"", "\n", "cdop-invitation 1\n",
	    "cdop-invitation 2\ncheck 0000000000000000\n",
	    "cdop-invitation 1\ncheck 0000000000000000\n",
	    "cdop-invitation 1\nregistry 00\n"};
	struct cdop_invitation inv;
	struct cdop_bytes file;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		file.data = (const uint8_t *)files[i];
		file.len = strlen(files[i]);
		assert_int_not_equal(
		    cdop_invitation_parse(file, *state, &inv), CDOP_OK);
	}
	file.data = (const uint8_t *)"cdop-invitation 1\0x";
	file.len = 19;
	assert_int_equal(
	    cdop_invitation_parse(file, *state, &inv), CDOP_INVALID_ARGUMENT);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(what_is_written_is_read),
	    WITH(mail_does_no_harm),
	    WITH(every_slip_is_found),
	    WITH(every_cut_is_refused),
	    WITH(a_value_that_is_none_is_refused),
	    WITH(one_for_nobody_is_refused),
	    WITH(what_cannot_stand_on_a_line_is_not_written),
	    WITH(a_stranger_s_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
