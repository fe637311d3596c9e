/*
 * The call table against the papers: PROTOCOL.md and protobuf-c's own
 * service descriptor.  With --print it writes the table PROTOCOL.md holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/role.h"
#include "server/rpc/ctx.h"
#include "tests/unit/paper.h"

#define PAPER "proto/PROTOCOL.md"
#define BEGIN "<!-- calls: compared with the program by a test -->\n"
#define HEAD                                                                   \
	"| id | call | roles | states | needs | second |\n"                    \
	"| --- | --- | --- | --- | --- | --- |\n"
#define END "<!-- end of calls -->\n"

struct word {
	uint32_t bit;
	const char *word;
};

static const struct word roles[] = {
    {CDOP_ROLE_COORDINATOR, "coordinator"},
    {CDOP_ROLE_PARTNER, "partner"},
    {CDOP_ROLE_PANEL_MEMBER, "panel member"},
    {CDOP_ROLE_ANALYST, "analyst"},
    {CDOP_ROLE_ADMINISTRATOR, "administrator"},
    {CDOP_ROLE_CUSTODIAN, "custodian"},
    {CDOP_ROLE_AUDITOR, "auditor"},
    {CDOP_ROLE_ANY, "any"},
    {CDOP_ROLE_PENDING, "pending"},
    {CDOP_ROLE_INVITED, "invited"},
};
static const struct word states[] = {
    {CDOP_STATE_SETUP, "setup"},
    {CDOP_STATE_SEALED, "sealed"},
    {CDOP_STATE_RESTORED, "restored"},
    {CDOP_STATE_OPEN, "open"},
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void
add(char *out, size_t size, const char *text)
{
	size_t len = strlen(out);

	assert_true(len + strlen(text) < size);
	memcpy(out + len, text, strlen(text) + 1);
}

static void
add_words(
    char *out, size_t size, uint32_t mask, const struct word *words, size_t n)
{
	bool first = true;
	size_t i;

	for (i = 0; i < n; i++) {
		if ((mask & words[i].bit) == 0)
			continue;
		if (!first)
			add(out, size, ", ");
		add(out, size, words[i].word);
		first = false;
		mask &= ~words[i].bit;
	}
	/* A bit without a word here would be a rule that nobody reads. */
	assert_int_equal(mask, 0);
}

static void
add_needs(char *out, size_t size, const struct rpc_method *method)
{
	const char *sep = "";

	if (method->purpose) {
		add(out, size, "purpose");
		sep = ", ";
	}
	if (method->txn == CDOP_TXN_WRITE && method->scope != CDOP_SCOPE_SELF) {
		add(out, size, sep);
		add(out, size, "key");
		sep = ", ";
	}
	if (method->use) {
		add(out, size, sep);
		add(out, size, "use");
	}
}

static void
add_second(char *out, size_t size, const struct rpc_method *method)
{
	char hours[32];

	if (method->second == 0)
		return;
	add_words(out, size, method->second, roles, N(roles));
	if (method->ttl_s >= 3600)
		snprintf(hours, sizeof(hours), ", %u h", method->ttl_s / 3600);
	else
		snprintf(hours, sizeof(hours), ", %u min", method->ttl_s / 60);
	add(out, size, hours);
}

static void
render(char *out, size_t size)
{
	const struct rpc_method *method;
	char id[16];
	size_t i, n;

	out[0] = '\0';
	add(out, size, HEAD);
	method = rpc_method_all(&n);
	for (i = 0; i < n; i++, method++) {
		snprintf(id, sizeof(id), "| %u | ", method->id);
		add(out, size, id);
		add(out, size, method->name);
		add(out, size, " | ");
		add_words(out, size, method->roles, roles, N(roles));
		add(out, size, " | ");
		add_words(out, size, method->states, states, N(states));
		add(out, size, " | ");
		add_needs(out, size, method);
		add(out, size, " | ");
		add_second(out, size, method);
		add(out, size, " |\n");
	}
}

static void
the_paper_has_the_table_of_the_program(void **state)
{
	static char table[65536];

	(void)state;
	render(table, sizeof(table));
	paper_has(PAPER, BEGIN, END, table);
}

static void
the_table_agrees_with_the_service_descriptor(void **state)
{
	const ProtobufCServiceDescriptor *service = &cdop__registry__descriptor;
	const struct rpc_method *method;
	const ProtobufCMethodDescriptor *theirs;
	size_t i, n;

	(void)state;
	method = rpc_method_all(&n);
	assert_int_equal(n, service->n_methods);
	for (i = 0; i < n; i++) {
		theirs = protobuf_c_service_descriptor_get_method_by_name(
		    service, method[i].name);
		assert_non_null(theirs);
		assert_ptr_equal(theirs->input, method[i].request);
		assert_ptr_equal(theirs->output, method[i].reply);
		assert_ptr_equal(rpc_method_find(method[i].id), &method[i]);
		assert_non_null(method[i].handler);
	}
}

static void
what_is_not_in_the_table_is_nothing(void **state)
{
	uint32_t id;
	size_t i, n, found = 0;

	(void)state;
	rpc_method_all(&n);
	for (id = 0; id < 5000; id++)
		if (rpc_method_find(id) != NULL)
			found++;
	assert_int_equal(found, n);
	assert_null(rpc_method_find(0));
	assert_null(rpc_method_find(UINT32_MAX));
	for (i = 0; i < n; i++)
		assert_true(rpc_method_all(&n)[i].roles != 0);
}

/* Administrators and custodians reach no call about cases, nor the reverse. */
static void
no_key_role_reaches_a_case(void **state)
{
	const struct rpc_method *method;
	size_t i, n;

	(void)state;
	method = rpc_method_all(&n);
	for (i = 0; i < n; i++) {
		if (method[i].scope == CDOP_SCOPE_AREA ||
		    method[i].scope == CDOP_SCOPE_ASK) {
			assert_int_equal(method[i].roles & CDOP_ROLES_KEYS, 0);
			assert_int_equal(method[i].roles & CDOP_ROLE_ANY, 0);
			assert_int_equal(
			    method[i].roles & CDOP_ROLE_AUDITOR, 0);
			assert_int_equal(method[i].states, CDOP_STATE_OPEN);
			assert_true(method[i].purpose);
		}
		if (method[i].scope == CDOP_SCOPE_LOG)
			assert_int_equal(method[i].roles, CDOP_ROLE_AUDITOR);
	}
}

int
main(int argc, char **argv)
{
	static char table[65536];
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_paper_has_the_table_of_the_program),
	    cmocka_unit_test(the_table_agrees_with_the_service_descriptor),
	    cmocka_unit_test(what_is_not_in_the_table_is_nothing),
	    cmocka_unit_test(no_key_role_reaches_a_case),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		render(table, sizeof(table));
		fputs(table, stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
