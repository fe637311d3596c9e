/*
 * A scripted day, each call of it aborted at every point: memory afterwards
 * is what a start from the disk makes (TRUST M11).
 *
 * A call is aborted by giving it less and less memory, so that it stops at
 * every allocation it makes, and once after it has done everything.  The
 * registry is then opened a second time from a copy of the file, and both are
 * compared, table by table.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/registry/approvals.h"
#include "server/registry/audit.h"
#include "server/registry/cases.h"
#include "server/registry/checkpoints.h"
#include "server/registry/people.h"
#include "server/registry/tree.h"
#include "server/vault/rows.h"
#include "tests/unit/server/scratch.h"
#include "tests/unit/server/world.h"

/* Of one call; the step grows so that a call has some twenty points. */
#define BUDGET_FIRST 256
#define BUDGET_MAX   (4u << 20)

static struct world day;

/* ---- a second one from the disk ----------------------------------------- */

static void
copy_file(const char *from_dir, const char *to_dir, const char *name)
{
	static uint8_t buf[1 << 16];
	char from[128], to[128];
	ssize_t len;
	int in, out;

	(void)snprintf(from, sizeof(from), "%s/%s", from_dir, name);
	(void)snprintf(to, sizeof(to), "%s/%s", to_dir, name);
	in = open(from, O_RDONLY);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && out >= 0);
	while ((len = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)len), len);
	assert_int_equal(len, 0);
	close(in);
	close(out);
}

static void
same_people(const struct people *a, const struct people *b)
{
	const struct people_device *x, *y;
	const struct people_person *p, *q;
	uint32_t i;

	assert_int_equal(people_last_person(a), people_last_person(b));
	assert_int_equal(people_last_device(a), people_last_device(b));
	assert_int_equal(people_n_invitations(a), people_n_invitations(b));
	for (i = 1; i <= people_last_person(a); i++) {
		p = people_person(a, i);
		q = people_person(b, i);
		assert_int_equal(p->row, q->row);
		assert_int_equal(p->version, q->version);
		assert_int_equal(p->state, q->state);
		assert_int_equal(p->n_grants, q->n_grants);
		assert_int_equal(p->n_areas, q->n_areas);
		assert_string_equal(p->name, q->name);
	}
	for (i = 1; i <= people_last_device(a); i++) {
		x = people_device(a, i);
		y = people_device(b, i);
		assert_int_equal(x->row, y->row);
		assert_int_equal(x->version, y->version);
		assert_int_equal(x->state, y->state);
		assert_int_equal(x->has_next, y->has_next);
		assert_memory_equal(x->psk, y->psk, 32);
		assert_memory_equal(x->psk_next, y->psk_next, 32);
	}
}

static void
same_approvals(struct approvals *a, struct approvals *b, uint64_t now_ms)
{
	const struct approval *x, *y;
	size_t i, n;

	n = approvals_count(a, now_ms);
	assert_int_equal(n, approvals_count(b, now_ms));
	for (i = 0; i < n; i++) {
		x = approvals_at(a, i, now_ms);
		y = approvals_at(b, i, now_ms);
		assert_memory_equal(x->number, y->number, 8);
		assert_memory_equal(x->hash, y->hash, 32);
		assert_int_equal(x->row, y->row);
	}
}

/* Root, signature, and every hash of the incomplete tiles. */
static void
same_log(const struct registry *a, const struct registry *b)
{
	struct cdop_bytes x = checkpoints_note(a->checkpoints);
	struct cdop_bytes y = checkpoints_note(b->checkpoints);
	uint8_t p[CDOP_MERKLE_HASH], q[CDOP_MERKLE_HASH];
	uint64_t i;

	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
	assert_int_equal(tree_size(a->tree), tree_size(b->tree));
	for (i = 0; i < tree_size(a->tree); i++) {
		assert_int_equal(tree_fetch(a->tree, 0, i, p), CDOP_OK);
		assert_int_equal(tree_fetch(b->tree, 0, i, q), CDOP_OK);
		assert_memory_equal(p, q, sizeof(p));
	}
}

static void
memory_is_what_the_disk_makes(void)
{
	struct world again = day;

	scratch_dir(again.dir, sizeof(again.dir), "again");
	copy_file(day.dir, again.dir, "data.mdb");
	again.reg = NULL;
	world_open(&again);
	same_log(day.reg, again.reg);
	same_people(day.reg->people, again.reg->people);
	same_approvals(day.reg->approvals, again.reg->approvals, day.now_ms);
	assert_true(index_equal(
	    cases_index(day.reg->cases), cases_index(again.reg->cases)));
	assert_int_equal(
	    audit_size(day.reg->audit), audit_size(again.reg->audit));
	assert_int_equal(
	    audit_outcomes(day.reg->audit), audit_outcomes(again.reg->audit));
	assert_int_equal(day.reg->config_row, again.reg->config_row);
	assert_int_equal(day.reg->profile_version, again.reg->profile_version);
	assert_int_equal(day.reg->state, again.reg->state);
	assert_memory_equal(day.reg->profile_hash, again.reg->profile_hash, 32);
	assert_memory_equal(
	    rows_leaf_hash(day.rows), rows_leaf_hash(again.rows), 32);
	world_close(&again);
	world_unlink(&again);
}

/* ---- a call, aborted everywhere and then made --------------------------- */

static void
aborted_everywhere(enum world_who who, uint32_t method,
    const ProtobufCMessage *body, struct world_answer *answer)
{
	size_t budget, n = 0;
	bool whole = false;

	for (budget = BUDGET_FIRST; !whole && budget < BUDGET_MAX;
	     budget += budget / 3) {
		day.abort = true;
		day.budget = budget;
		world_call(&day, who, method, body, answer);
		whole = answer->failed == CDOP_OK &&
		    answer->packed_status == CDOP_OK;
		day.abort = false;
		day.budget = 0;
		n++;
		/* Each abort against the tables; the disk has not changed. */
		memory_is_what_the_disk_makes();
	}
	assert_true(n > 5);
	world_call(&day, who, method, body, answer);
	assert_int_equal(answer->failed, CDOP_OK);
	assert_int_equal(answer->reply->status, CDOP_OK);
	memory_is_what_the_disk_makes();
}

static void
a_case_registered_amended_and_moved(void **state)
{
	Cdop__NotificationRegisterRequest registering;
	Cdop__NotificationRegisterReply *registered;
	Cdop__CaseAmendRequest amending;
	Cdop__CaseOwnerRequest moving;
	Cdop__CaseWithdrawRequest withdrawing;
	struct world_answer answer;
	char *reference;
	char reason[] = "typing error", source[] = "telephone";
	char area[] = "sefton", path[] = "birth.weight_grams", grams[] = "3200";
	struct cdop_violations violations = {0};

	(void)state;
	cdop__notification_register_request__init(&registering);
	registering.form = world_form(&day, 1, "wirral");
	aborted_everywhere(WORLD_COORDINATOR, 40, &registering.base, &answer);
	registered = world_body(
	    &day, &answer, &cdop__notification_register_reply__descriptor);
	reference = strdup(registered->reference);
	cdop__case_amend_request__init(&amending);
	amending.reference = reference;
	amending.version = 1;
	amending.form = cdop_form_new(day.arena);
	assert_int_equal(cdop_form_put(amending.form, path, grams,
			     day.reg->profile, day.arena, &violations),
	    CDOP_OK);
	amending.reason = reason;
	amending.source = source;
	aborted_everywhere(WORLD_COORDINATOR, 46, &amending.base, &answer);
	cdop__case_owner_request__init(&moving);
	moving.reference = reference;
	moving.version = 1;
	moving.area = area;
	moving.reason = reason;
	aborted_everywhere(WORLD_COORDINATOR, 50, &moving.base, &answer);
	cdop__case_withdraw_request__init(&withdrawing);
	withdrawing.reference = reference;
	withdrawing.version = 2;
	withdrawing.reason = reason;
	aborted_everywhere(WORLD_COORDINATOR, 48, &withdrawing.base, &answer);
	free(reference);
}

static void
people_invited_suspended_and_approved(void **state)
{
	Cdop__PersonInviteRequest inviting;
	Cdop__RoleGrant grant, *grants[1] = {&grant};
	Cdop__SuspendRequest suspending;
	Cdop__ResumeRequest resuming;
	struct world_answer answer;
	char name[] = "Somebody New", label[] = "laptop", reason[] = "asked";

	(void)state;
	cdop__role_grant__init(&grant);
	grant.role = CDOP__ROLE__AUDITOR;
	cdop__person_invite_request__init(&inviting);
	inviting.name = name;
	inviting.label = label;
	inviting.n_grant = 1;
	inviting.grant = grants;
	aborted_everywhere(WORLD_ADMIN_1, 10, &inviting.base, &answer);
	cdop__suspend_request__init(&suspending);
	suspending.person = WORLD_ANALYST;
	suspending.reason = reason;
	aborted_everywhere(WORLD_ADMIN_1, 13, &suspending.base, &answer);
	cdop__resume_request__init(&resuming);
	resuming.person = WORLD_ANALYST;
	resuming.reason = reason;
	aborted_everywhere(WORLD_ADMIN_1, 14, &resuming.base, &answer);
}

static int
setup(void **state)
{
	(void)state;
	world_make(&day);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end(&day);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_case_registered_amended_and_moved),
	    cmocka_unit_test(people_invited_suspended_and_approved),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
