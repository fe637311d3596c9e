/* An export that a registry sends: what is none is said, and made of none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "client/export.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "cdop/leaf.h"
#include "cdop/tile.h"
#include "client/file.h"
#include "tests/unit/client/fixture.h"

static uint8_t
    many[(CDOP_TILE_WIDTH + 1) * (CDOP_TILE_ENTRY_HEAD + CDOP_LEAF_LEN)];

/* A part with one of each, which are changed by the tests. */
struct part {
	Cdop__AuditExportReply reply;
	Cdop__AuditTile tile, *tiles[1];
	Cdop__AuditBundle bundle, *bundles[1];
	ProtobufCBinaryData statements[1];
};

static void
make(struct part *part)
{
	cdop__audit_export_reply__init(&part->reply);
	cdop__audit_tile__init(&part->tile);
	cdop__audit_bundle__init(&part->bundle);
	part->tile.hashes = (ProtobufCBinaryData){CDOP_MERKLE_HASH, many};
	part->bundle.entries =
	    (ProtobufCBinaryData){CDOP_TILE_ENTRY_HEAD + CDOP_LEAF_LEN, many};
	part->statements[0] = (ProtobufCBinaryData){3, many};
	part->tiles[0] = &part->tile;
	part->bundles[0] = &part->bundle;
	part->reply.has_checkpoint = true;
	part->reply.checkpoint = (ProtobufCBinaryData){5, many};
	part->reply.n_tile = part->reply.n_bundle = part->reply.n_statement = 1;
	part->reply.tile = part->tiles;
	part->reply.bundle = part->bundles;
	part->reply.statement = part->statements;
}

static enum exit_code
begin(struct fixture *f, const char *name, struct export_sink *sink)
{
	return export_begin(&f->ctx,
	    cdop_arena_printf(f->ctx.arena, "%s/%s", f->dir, name), sink);
}

static bool
is_there(struct fixture *f, const char *path)
{
	return file_exists(
	    cdop_arena_printf(f->ctx.arena, "%s/%s", f->dir, path));
}

static void
the_checkpoint_comes_last(void **state)
{
	struct fixture *f = *state;
	struct export_sink sink;
	struct part part;

	make(&part);
	assert_int_equal(begin(f, "log", &sink), EXIT_OK);
	assert_int_equal(
	    export_part(&f->ctx, &part.reply.base, &sink), EXIT_OK);
	assert_true(is_there(f, "log/statement/1"));
	assert_true(is_there(f, "log/tile/0/000.p/1"));
	assert_true(is_there(f, "log/tile/entries/000.p/1"));
	assert_false(is_there(f, "log/checkpoint"));
	part.reply.has_checkpoint = false;
	part.reply.n_statement = 0;
	part.tile.number = part.bundle.number = 7;
	assert_int_equal(
	    export_part(&f->ctx, &part.reply.base, &sink), EXIT_OK);
	assert_true(is_there(f, "log/tile/0/007.p/1"));
	assert_int_equal(export_end(&f->ctx, &sink), EXIT_OK);
	assert_true(is_there(f, "log/checkpoint"));
	assert_int_equal(begin(f, "log", &sink), EXIT_USAGE);
}

static void
no_checkpoint(struct part *part)
{
	part->reply.has_checkpoint = false;
}

static void
level(struct part *part)
{
	part->tile.level = CDOP_TILE_LEVELS;
}

static void
no_hashes(struct part *part)
{
	part->tile.hashes.len = 0;
}

static void
half_a_hash(struct part *part)
{
	part->tile.hashes.len += CDOP_MERKLE_HASH / 2;
}

static void
too_many_hashes(struct part *part)
{
	part->tile.hashes.len = CDOP_TILE_LEN + CDOP_MERKLE_HASH;
}

static void
a_tile_behind_all(struct part *part)
{
	part->tile.number = CDOP_MERKLE_SIZE_MAX;
}

static void
no_entries(struct part *part)
{
	part->bundle.entries.len = 0;
}

static void
half_an_entry(struct part *part)
{
	part->bundle.entries.len += 1;
}

static void
too_many_entries(struct part *part)
{
	part->bundle.entries.len = sizeof(many);
}

static void
a_bundle_behind_all(struct part *part)
{
	part->bundle.number = CDOP_MERKLE_SIZE_MAX;
}

static void
what_is_no_export_has_no_checkpoint(void **state)
{
	static void (*const spoil[])(struct part *) = {no_checkpoint, level,
	    no_hashes, half_a_hash, too_many_hashes, a_tile_behind_all,
	    no_entries, half_an_entry, too_many_entries, a_bundle_behind_all};
	struct fixture *f = *state;
	struct export_sink sink;
	struct part part;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		make(&part);
		spoil[i](&part);
		(void)snprintf(name, sizeof(name), "log-%zu", i);
		assert_int_equal(begin(f, name, &sink), EXIT_OK);
		assert_int_equal(export_part(&f->ctx, &part.reply.base, &sink),
		    EXIT_UNEXPECTED);
		assert_non_null(strstr(f->ctx.error.message, "is no export"));
	}
	/* A second checkpoint, and none at all. */
	make(&part);
	assert_int_equal(begin(f, "twice", &sink), EXIT_OK);
	assert_int_equal(export_end(&f->ctx, &sink), EXIT_UNEXPECTED);
	assert_int_equal(
	    export_part(&f->ctx, &part.reply.base, &sink), EXIT_OK);
	assert_int_equal(
	    export_part(&f->ctx, &part.reply.base, &sink), EXIT_UNEXPECTED);
	assert_false(is_there(f, "twice/checkpoint"));
}

static void
more_statements_than_a_registry_has_are_none(void **state)
{
	struct fixture *f = *state;
	struct export_sink sink;
	struct part part;

	make(&part);
	assert_int_equal(begin(f, "log", &sink), EXIT_OK);
	sink.statements = CDOP_STATEMENTS_MAX;
	assert_int_equal(
	    export_part(&f->ctx, &part.reply.base, &sink), EXIT_UNEXPECTED);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(the_checkpoint_comes_last),
	    WITH(what_is_no_export_has_no_checkpoint),
	    WITH(more_statements_than_a_registry_has_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
