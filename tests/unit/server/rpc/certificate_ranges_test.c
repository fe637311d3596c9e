/*
 * However many backups there are, a certificate speaks of each: the newest
 * have a line of their own, the older ones stand in ranges, and where those
 * are too many it says that nobody knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/certificate.h"
#include "server/registry/backups.h"
#include "server/registry/certificates.h"
#include "server/registry/checkpoints.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

#define OWN CDOP_CERTIFICATE_BACKUPS

static struct world w;

/* As a start finds it; one that was cut off is never known to be whole. */
static void
add(uint32_t number, bool whole, struct cdop_bytes note)
{
	char label[] = "x";
	Cdop__StoredBackup stored;

	cdop__stored_backup__init(&stored);
	stored.number = number;
	stored.label = label;
	stored.person = WORLD_ADMIN_1;
	stored.device = WORLD_ADMIN_1;
	stored.begun_ms = w.now_ms;
	stored.has_ended_ms = whole;
	stored.ended_ms = w.now_ms;
	stored.has_manifest = whole;
	stored.manifest.data = (uint8_t *)(uintptr_t)note.data;
	stored.manifest.len = note.len;
	assert_int_equal(backups_load(w.reg->backups, 0, &stored), CDOP_OK);
}

/* The lines of the certificate of a case that n backups have. */
static size_t
erase_from(uint32_t from, uint32_t n, bool mixed,
    struct cdop_certificate_line **ret_line)
{
	struct cdop_manifest manifest = {.number = 1};
	char *reference = world_register(&w, 1, "wirral");
	Cdop__StoredCertificate *stored;
	struct cdop_bytes note;
	uint32_t i;
	size_t lines;

	assert_int_equal(
	    checkpoints_manifest(w.reg->checkpoints, w.arena, &manifest, &note),
	    CDOP_OK);
	for (i = from; i <= n; i++)
		add(i, !mixed || i % 2 == 0, note);
	calls_erase(&w, reference);
	free(reference);
	(void)turning_finish(&w, 8);
	assert_int_equal(
	    certificates_read(w.reg->certificates,
		certificates_at(w.reg->certificates, 0), w.arena, &stored),
	    CDOP_OK);
	note = (struct cdop_bytes){stored->note.data, stored->note.len};
	assert_int_equal(
	    cdop_certificate_parse(note, w.arena, ret_line, &lines), CDOP_OK);
	return lines;
}

static size_t
erase_with(uint32_t n, bool mixed, struct cdop_certificate_line **ret_line)
{
	return erase_from(1, n, mixed, ret_line);
}

/* How many lines have this word; the last of them. */
static size_t
count(const struct cdop_certificate_line *line, size_t n, const char *word,
    const char **ret_last)
{
	size_t i, found = 0;

	*ret_last = "";
	for (i = 0; i < n; i++)
		if (strcmp(line[i].word, word) == 0) {
			found++;
			*ret_last = line[i].says;
		}
	return found;
}

static int
setup(void **state)
{
	(void)state;
	world_make(&w);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&w);
	return 0;
}

static void
older_ones_stand_in_a_range(void **state)
{
	struct cdop_certificate_line *line;
	const char *last;
	size_t n = erase_with(OWN + 6, false, &line);

	(void)state;
	assert_int_equal(count(line, n, "backup", &last), OWN);
	assert_int_equal(strncmp(last, "7 ", 2), 0);
	assert_int_equal(count(line, n, "backups", &last), 1);
	assert_string_equal(last, "1-6 holds");
	assert_int_equal(count(line, n, "more-backups", &last), 1);
	assert_string_equal(last, "6");
}

/* Who has said it is named, and it is none of those that hold anything. */
static void
one_that_is_said_to_be_destroyed_is_named_apart(void **state)
{
	const struct backups_gone gone = {
	    .number = 1, .by = 4, .second = 9, .now_ms = 1790000000123u};
	struct cdop_certificate_line *line;
	struct cdop_manifest manifest = {.number = 1};
	struct cdop_bytes note;
	const char *last;
	size_t n;

	(void)state;
	assert_int_equal(
	    checkpoints_manifest(w.reg->checkpoints, w.arena, &manifest, &note),
	    CDOP_OK);
	add(1, true, note);
	world_begin(&w, 1u << 20, 64);
	assert_int_equal(
	    backups_destroyed(w.reg->backups, w.arena, &gone), CDOP_OK);
	assert_int_equal(registry_commit(w.reg), CDOP_OK);
	n = erase_from(2, 2, false, &line);
	assert_int_equal(count(line, n, "backup", &last), 1);
	assert_int_equal(strncmp(last, "2 ", 2), 0);
	assert_int_equal(count(line, n, "said-destroyed", &last), 1);
	assert_string_equal(last, "1 1790000000123 4 9 x");
}

/* They made room for others: what was in them nobody knows any more. */
static void
numbers_that_are_missing_stand_as_unknown(void **state)
{
	struct cdop_certificate_line *line;
	struct cdop_manifest manifest = {.number = 1};
	struct cdop_bytes note;
	const char *last;
	size_t n;

	(void)state;
	assert_int_equal(
	    checkpoints_manifest(w.reg->checkpoints, w.arena, &manifest, &note),
	    CDOP_OK);
	add(4, true, note);
	n = erase_from(7, 8, false, &line);
	assert_int_equal(count(line, n, "backup", &last), 3);
	assert_int_equal(strncmp(last, "4 ", 2), 0);
	assert_int_equal(count(line, n, "backups", &last), 2);
	assert_string_equal(last, "1-3 unknown");
	assert_int_equal(count(line, n, "more-backups", &last), 1);
	assert_string_equal(last, "5");
}

static void
where_ranges_are_too_many_nobody_knows(void **state)
{
	struct cdop_certificate_line *line;
	const char *last;
	size_t n = erase_with(OWN + CDOP_CERTIFICATE_RANGES + 10, true, &line);

	(void)state;
	assert_int_equal(
	    count(line, n, "backups", &last), CDOP_CERTIFICATE_RANGES);
	assert_string_equal(last, "1-11 unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		older_ones_stand_in_a_range, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		one_that_is_said_to_be_destroyed_is_named_apart, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		numbers_that_are_missing_stand_as_unknown, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		where_ranges_are_too_many_nobody_knows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
