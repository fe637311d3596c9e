/* What an answer means for what is kept: a refusal loses nothing. */
#include "client/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/notify.h"
#include "tests/unit/client/fixture.h"

#define REGISTER 40
#define AMEND    46

static char reference[] = "T-435A-4N5Y", narrative[] = "typed for an hour";
static char words[] = "case amend";

static Cdop__ClientRequest *
keep(struct fixture *f, uint32_t method, const ProtobufCMessage *body,
    uint8_t *key)
{
	Cdop__ClientRequest *r = cdop_arena_alloc(f->ctx.arena, sizeof(*r));

	spool_new_key(&f->ctx, key);
	cdop__client_request__init(r);
	r->method = method;
	r->request_key.data = key;
	r->request_key.len = CDOP_REQUEST_KEY_LEN;
	r->body.len = protobuf_c_message_get_packed_size(body);
	r->body.data = cdop_arena_alloc(f->ctx.arena, r->body.len);
	(void)protobuf_c_message_pack(body, r->body.data);
	r->at_ms = 1;
	r->words = words;
	assert_int_equal(spool_put(&f->ctx, r), EXIT_OK);
	return r;
}

static Cdop__ClientRequest *
keep_amendment(struct fixture *f, uint8_t *key)
{
	Cdop__CaseAmendRequest amend;

	cdop__case_amend_request__init(&amend);
	amend.reference = reference;
	amend.reason = narrative;
	amend.source = narrative;
	amend.form = cdop_form_new(f->ctx.arena);
	return keep(f, AMEND, &amend.base, key);
}

static size_t
waiting(struct fixture *f)
{
	struct spool_list list;

	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	return list.n;
}

static void
a_refused_change_stays_and_is_marked(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientRequest *back = NULL;
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	Cdop__ClientRequest *r = keep_amendment(f, key);
	const char *name = kept_name(&f->ctx, r);

	assert_string_equal(kept_words(&f->ctx, r), "case amend T-435A-4N5Y");
	(void)cmd_fail(
	    &f->ctx, EXIT_CONFLICT, "changed", NULL, "somebody changed it");
	kept_settle(&f->ctx, r, EXIT_CONFLICT);
	assert_int_equal(strlen(name), KEPT_DIGITS);
	assert_int_equal(kept_find(&f->ctx, name, &back), EXIT_OK);
	assert_true(back->has_refused_ms);
	assert_int_equal(back->refused_exit, EXIT_CONFLICT);
	assert_string_equal(back->refused_words, "somebody changed it");
	assert_int_equal(back->body.len, r->body.len);
	assert_memory_equal(back->body.data, r->body.data, r->body.len);
	/* Applied after all, it goes. */
	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	(void)fixture_profile(f);
	kept_settle(&f->ctx, back, EXIT_OK);
	assert_int_equal(waiting(f), 0);
	assert_int_equal(kept_find(&f->ctx, name, &back), EXIT_NOT_FOUND);
	assert_int_equal(kept_find(&f->ctx, "12", &back), EXIT_USAGE);
	assert_int_equal(
	    kept_find(&f->ctx, "../../identity", &back), EXIT_USAGE);
}

static void
what_has_no_answer_waits_as_it_is(void **state)
{
	static const struct {
		enum exit_code code;
		const char *reason;
		bool open;
	} rows[] = {
	    {EXIT_OUTCOME, NULL, true},
	    {EXIT_UNREACHABLE, NULL, true},
	    {EXIT_UNREACHABLE, "no_room", true},
	    {EXIT_UNREACHABLE, "deadline", true},
	    {EXIT_CONFLICT, "miss_limit", true},
	    {EXIT_CONFLICT, "state", true},
	    {EXIT_SEALED, "sealed", true},
	    {EXIT_INTEGRITY, NULL, true},
	    {EXIT_UNREACHABLE, "too_many", false},
	    {EXIT_INVALID, "too_large", false},
	    {EXIT_CONFLICT, "changed", false},
	    {EXIT_FORBIDDEN, "role", false},
	    {EXIT_SECOND, "second_person", false},
	    {EXIT_OK, NULL, false},
	};

	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->ctx.error.reason = rows[i].reason;
		assert_int_equal(
		    kept_is_open(&f->ctx, rows[i].code), rows[i].open);
	}
}

static void
what_was_filed_waits_elsewhere(void **state)
{
	struct fixture *f = *state;
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	Cdop__ClientRequest *r = keep_amendment(f, key);

	f->ctx.error.reason = "second_person";
	kept_settle(&f->ctx, r, EXIT_SECOND);
	assert_int_equal(waiting(f), 0);
}

/* ---- drafts ------------------------------------------------------ */

static char kind[] = "correction", area[] = "wirral", why[] = "lived there";
static char twin[] = "T-SQND-F8FC", source[] = "portal row 7";

static void
look_at_draft(struct fixture *f, const uint8_t *key)
{
	struct spool_list list;
	Cdop__ClientDraft *draft;
	struct notify n;

	assert_int_equal(spool_drafts(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
	assert_int_equal(
	    spool_get_draft(&f->ctx, list.path[0], &draft), EXIT_OK);
	assert_int_equal(notify_new(&f->ctx, &n), EXIT_OK);
	notify_take(&n, draft);
	assert_memory_equal(n.key, key, sizeof(n.key));
	assert_string_equal(n.form_kind, kind);
	assert_string_equal(n.owner_area, area);
	assert_string_equal(n.owner_reason, why);
	assert_string_equal(n.source, source);
	assert_int_equal(n.n_decisions, 1);
	assert_string_equal(n.decision[0]->reference, twin);
	assert_int_equal(n.decision[0]->decision, CDOP__DECISION__NEW_SIBLING);
	assert_string_equal(n.decision[0]->reason, why);
	spool_drop_draft(&f->ctx, spool_draft_number(list.path[0]));
}

static void
a_notification(struct fixture *f, struct notify *n)
{
	assert_int_equal(notify_new(&f->ctx, n), EXIT_OK);
	n->form_kind = kind;
	n->owner_area = area;
	n->owner_reason = why;
	n->source = source;
	assert_int_equal(
	    notify_decide(&f->ctx, n, twin, CDOP__DECISION__NEW_SIBLING, why),
	    EXIT_OK);
}

static void
a_draft_keeps_all_that_was_said(void **state)
{
	struct fixture *f = *state;
	struct notify n;

	a_notification(f, &n);
	assert_int_equal(notify_keep(&f->ctx, &n), EXIT_OK);
	look_at_draft(f, n.key);
}

static void
a_refused_notification_becomes_a_draft(void **state)
{
	struct fixture *f = *state;
	Cdop__NotificationRegisterRequest request;
	Cdop__ClientRequest *r;
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	struct notify n;

	a_notification(f, &n);
	notify_request(&n, &request);
	r = keep(f, REGISTER, &request.base, key);
	f->ctx.error.reason = "possible_duplicate";
	kept_settle(&f->ctx, r, EXIT_DUPLICATE);
	assert_int_equal(waiting(f), 0);
	look_at_draft(f, key);
}

static void
the_command_line_goes_before_a_draft(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientDraft draft;
	struct notify n;

	fixture_option(f, "--owner", "sefton");
	assert_int_equal(notify_new(&f->ctx, &n), EXIT_OK);
	cdop__client_draft__init(&draft);
	draft.form = n.form;
	draft.owner_area = area;
	draft.owner_reason = why;
	notify_take(&n, &draft);
	assert_string_equal(n.owner_area, "sefton");
	assert_null(n.owner_reason);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(a_refused_change_stays_and_is_marked),
	    WITH(what_has_no_answer_waits_as_it_is),
	    WITH(what_was_filed_waits_elsewhere),
	    WITH(a_draft_keeps_all_that_was_said),
	    WITH(a_refused_notification_becomes_a_draft),
	    WITH(the_command_line_goes_before_a_draft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
