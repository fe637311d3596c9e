/*
 * CaseErase sent once more under its key: it waits still, or says which
 * certificate came of it; and of a case that changed meanwhile nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/approvals.h"
#include "server/registry/certificates.h"
#include "server/vault/rows.h"
#include "tests/unit/server/registry/turning.h"
#include "tests/unit/server/rpc/calls.h"

static struct world w;

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

static const struct world_answer *
erase(const char *reference, const uint8_t *key)
{
	Cdop__CaseEraseRequest request;

	cdop__case_erase_request__init(&request);
	request.reference = calls_text(&w, reference);
	request.version = 1;
	request.ground = CDOP__ERASURE_GROUND__COURT_ORDER;
	return calls_under(
	    &w, WORLD_COORDINATOR, CDOP_CALL_CaseErase, &request.base, key);
}

static Cdop__CaseEraseReply *
said(const struct world_answer *answer)
{
	return answer->reply->has_body
	    ? world_body(&w, answer, &cdop__case_erase_reply__descriptor)
	    : NULL;
}

/* How many there are below this number. */
static size_t
certificates_before(uint32_t before)
{
	Cdop__CertificateGetRequest request;
	Cdop__CertificateGetReply *reply;
	struct world_answer answer;

	cdop__certificate_get_request__init(&request);
	request.has_before = true;
	request.before = before;
	world_call(&w, WORLD_AUDITOR, CDOP_CALL_CertificateGet, &request.base,
	    &answer);
	reply =
	    world_body(&w, &answer, &cdop__certificate_get_reply__descriptor);
	return reply->n_certificate;
}

static void
it_waits_once_and_has_one_certificate(void **state)
{
	const struct world_answer *answer;
	const Cdop__CaseEraseReply *reply;
	char *gone = world_register(&w, 1, "sefton");
	uint8_t key[16], number[8];

	(void)state;
	world_key(&w, key);
	answer = erase(gone, key);
	assert_int_equal(answer->reply->status, CDOP_OK);
	assert_int_equal(answer->reply->approval.len, sizeof(number));
	memcpy(number, answer->reply->approval.data, sizeof(number));

	answer = erase(gone, key);
	assert_int_equal(answer->reply->status, CDOP_OK);
	assert_memory_equal(
	    answer->reply->approval.data, number, sizeof(number));
	assert_int_equal(approvals_count(w.reg->approvals, w.now_ms), 1);
	reply = said(answer);
	assert_true(reply == NULL || !reply->has_certificate);

	(void)calls_approve(
	    &w, WORLD_CUSTODIAN, calls_waiting(&w, WORLD_CUSTODIAN), CDOP_OK);
	(void)turning_finish(&w, 8);
	answer = erase(gone, key);
	assert_int_equal(answer->reply->status, CDOP_OK);
	assert_int_equal(approvals_count(w.reg->approvals, w.now_ms), 0);
	reply = said(answer);
	assert_non_null(reply);
	assert_true(reply->has_certificate);
	assert_int_equal(reply->certificate, 1);
	/* A page begins behind the last one of the page before. */
	assert_int_equal(certificates_before(2), 1);
	assert_int_equal(certificates_before(1), 0);
	free(gone);
}

/* The number of the case's own state says nothing of its record. */
static void
what_waits_is_about_the_case_as_it_was(void **state)
{
	char *gone = world_register(&w, 1, "sefton");
	const Cdop__Approval *a;
	uint8_t key[16];

	(void)state;
	world_key(&w, key);
	assert_int_equal(erase(gone, key)->reply->status, CDOP_OK);
	a = calls_waiting(&w, WORLD_CUSTODIAN);
	assert_non_null(a);
	(void)calls_amend(&w, gone, 1, "child.sex", "2", NULL, CDOP_OK);
	assert_string_equal(
	    calls_approve(&w, WORLD_CUSTODIAN, a, CDOP_ABORTED)->reason,
	    "target_changed");
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_OK);
	free(gone);
}

/* The time of one row would tell that there was such a case. */
static void
who_hears_nothing_of_it_costs_no_row(void **state)
{
	char *gone = world_register(&w, 1, "sefton");

	(void)state;
	calls_erase(&w, gone);
	world_begin(&w, 1 << 20, 8);
	assert_int_equal(
	    rows_del(w.rows, certificates_at(w.reg->certificates, 0)->row),
	    CDOP_OK);
	world_commit(&w);
	(void)calls_show(&w, WORLD_COORDINATOR_WIRRAL, gone, CDOP_NOT_FOUND);
	assert_string_equal(calls_reason(), "no_such_case");
	(void)calls_show(&w, WORLD_COORDINATOR, gone, CDOP_NOT_FOUND);
	assert_string_equal(calls_reason(), "case_erased");
	free(gone);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_waits_once_and_has_one_certificate),
	    TEST(what_waits_is_about_the_case_as_it_was),
	    TEST(who_hears_nothing_of_it_costs_no_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
