/* What the scanner lets pass costs no more memory than a request has. */
#include "cdop/arena.h"
#include "cdop/limits.h"
#include "cdop/scan.h"
#include "cdop/varint.h"
#include "registry.pb-c.h"
#include "tests/unit/proto/pair.h"

/* The length of field id as an empty message, or of one that holds inner. */
static size_t
put_message(uint8_t *out, uint32_t id, const uint8_t *inner, size_t len)
{
	size_t at;

	at = cdop_varint_write(out, id << 3 | 2);
	at += cdop_varint_write(out + at, len);
	if (len > 0)
		memcpy(out + at, inner, len);
	return at + len;
}

/* Every message of desc there is, empty, and as often as may be. */
static size_t
fill(const ProtobufCMessageDescriptor *desc, uint8_t *out, size_t max,
    size_t *fields)
{
	const ProtobufCFieldDescriptor *field;
	size_t i, n, len;

	len = 0;
	for (i = 0; i < desc->n_fields; i++) {
		field = &desc->fields[i];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		n = field->label == PROTOBUF_C_LABEL_REPEATED
		    ? CDOP_SCAN_REPEAT_MAX
		    : 1;
		for (; n > 0 && *fields > 0 && len + 16 < max; n--) {
			len += put_message(out + len, field->id, NULL, 0);
			(*fields)--;
		}
	}
	return len;
}

static void
the_dearest_forms_stay_within_their_memory(void **state)
{
	static uint8_t bytes[CDOP_MESSAGE_MAX];
	const ProtobufCMessageDescriptor *desc = &cdop__form__descriptor;
	struct cdop_arena *arena;
	size_t len, fields;

	(void)state;
	fields = CDOP_SCAN_FIELDS_MAX;
	len = fill(desc, bytes, sizeof(bytes), &fields);
	assert_true(len > 1000);
	assert_int_equal(cdop_arena_new(CDOP_REQUEST_ARENA, &arena), CDOP_OK);
	/* Unpacked whether or not the scanner would have let it pass. */
	(void)protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(arena), len, bytes);
	printf("%zu bytes cost %zu\n", len, cdop_arena_used(arena));
	assert_true(cdop_arena_used(arena) < CDOP_REQUEST_ARENA / 2);
	cdop_arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_dearest_forms_stay_within_their_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
