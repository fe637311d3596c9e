/* Custodians whom a closed registry has no place for, and who says so. */
#include "server/registry/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/boot_set.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/world.h"

static const uint8_t k[32] = {7};
static struct world w;

/* Of the custodian there is. */
static void
put_device(uint32_t number)
{
	const struct rows_new row = {
	    .kind = SCHEMA_KIND_CREDENTIAL, .schema = 1, .version = 1};
	uint8_t comparison[10] = {(uint8_t)number};
	uint8_t invitation[16] = {(uint8_t)number};
	struct world_keys keys = world_keys((enum world_who)number);
	Cdop__StoredCredential device;
	char label[] = "another";
	uint64_t at;

	cdop__stored_credential__init(&device);
	device.number = number;
	device.person = WORLD_CUSTODIAN;
	device.label = label;
	device.public_key = (ProtobufCBinaryData){32, keys.public_key};
	device.psk = (ProtobufCBinaryData){32, keys.psk};
	device.state = CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE;
	device.enrolled_ms = w.now_ms;
	device.comparison = (ProtobufCBinaryData){10, comparison};
	device.invitation_id = (ProtobufCBinaryData){16, invitation};
	device.version = 1;
	assert_int_equal(
	    message_put(w.rows, w.arena, &row, 0, &device.base, &at), CDOP_OK);
}

/* Those of the world and so many; the set is of this commit. */
static void
have_devices(uint32_t more)
{
	static uint32_t next = WORLD_N;

	world_begin(&w, 1u << 20, 128);
	for (; more > 0; more--)
		put_device(next++);
	world_commit(&w);
	world_reopen(&w);
	assert_int_equal(boot_new(w.reg, k, &w.reg->boot), CDOP_OK);
	world_begin(&w, 1u << 16, 16);
	world_commit(&w);
}

static bool
status_warns(const char *words)
{
	struct world_answer answer;
	Cdop__StatusRequest request;
	Cdop__StatusReply *reply;
	size_t i;

	cdop__status_request__init(&request);
	world_call(&w, WORLD_ADMIN_1, CDOP_CALL_Status, &request.base, &answer);
	reply = world_body(&w, &answer, &cdop__status_reply__descriptor);
	for (i = 0; i < reply->n_warning; i++)
		if (strstr(reply->warning[i], words) != NULL)
			return true;
	return false;
}

static void
whoever_has_no_place_is_spoken_of(void **state)
{
	static struct boot_set set;

	(void)state;
	world_make(&w);
	have_devices(BOOT_SET_ENTRIES - 1);
	assert_int_equal(
	    boot_set_open(rows_slots_boot(w.rows), w.reg->id, k, &set),
	    CDOP_OK);
	assert_int_equal(set.n, BOOT_SET_ENTRIES);
	assert_int_equal(boot_left_out(w.reg->boot), 0);
	assert_false(status_warns("find a place"));
	have_devices(2);
	assert_int_equal(boot_left_out(w.reg->boot), 2);
	assert_true(status_warns("more keys than find a place (2): "));
	assert_int_equal(boot_left_out(NULL), 0);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whoever_has_no_place_is_spoken_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
