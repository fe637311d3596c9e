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
erase_with(uint32_t n, bool mixed, struct cdop_certificate_line **ret_line)
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
	for (i = 1; i <= n; i++)
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
		where_ranges_are_too_many_nobody_knows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
