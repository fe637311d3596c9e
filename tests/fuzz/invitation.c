/*
 * An invitation file from anybody: refused, or every part of it is within its
 * bounds, and what is written of it is read as the same.
 */
#include "cdop/invitation.h"

#include <string.h>

#include "cdop/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK "check "
#define HEX   16

static void
check(const struct cdop_invitation *said)
{
	size_t i;

	CDOP_ASSERT(said->n_address > 0 &&
	    said->n_address <= CDOP_INVITATION_ADDRESSES);
	CDOP_ASSERT(
	    said->n_server > 0 && said->n_server <= CDOP_INVITATION_SERVERS);
	CDOP_ASSERT(said->name != NULL && said->name[0] != '\0');
	for (i = 0; i < said->n_address; i++)
		CDOP_ASSERT(said->address[i][0] != '\0');
}

static void
try_file(struct cdop_bytes in, struct cdop_arena *arena)
{
	struct cdop_invitation said, again;
	struct cdop_bytes first, second;

	if (cdop_invitation_parse(in, arena, &said) != CDOP_OK)
		return;
	check(&said);
	CDOP_ASSERT(cdop_invitation_write(&said, arena, &first) == CDOP_OK);
	CDOP_ASSERT(first.len <= in.len + 1); /* the last line may be open */
	CDOP_ASSERT(cdop_invitation_parse(first, arena, &again) == CDOP_OK);
	CDOP_ASSERT(cdop_invitation_write(&again, arena, &second) == CDOP_OK);
	CDOP_ASSERT(first.len == second.len &&
	    memcmp(first.data, second.data, first.len) == 0);
}

/* The same with a check that is right: else all ends at it. */
static void
try_checked(struct cdop_bytes in, struct cdop_arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[32], *file;
	size_t at = in.len, i;

	for (i = 0; i + strlen(CHECK) <= in.len; i++)
		if (memcmp(in.data + i, CHECK, strlen(CHECK)) == 0)
			at = i;
	file = cdop_arena_alloc(arena, in.len + strlen(CHECK) + HEX + 1);
	CDOP_ASSERT(file != NULL);
	memcpy(file, in.data, at);
	in = (struct cdop_bytes){file, at};
	cdop_secret_hash(hash, sizeof(hash), NULL, "", &in, 1);
	memcpy(file + at, CHECK, strlen(CHECK));
	at += strlen(CHECK);
	for (i = 0; i < HEX; i++)
		file[at++] = (uint8_t)
		    digits[i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15];
	file[at++] = '\n';
	try_file((struct cdop_bytes){file, at}, arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct cdop_arena *arena;
	struct cdop_bytes in = {data, len};

	if (arena == NULL)
		CDOP_ASSERT(cdop_secret_init() == CDOP_OK &&
		    cdop_arena_new(1u << 20, &arena) == CDOP_OK);
	if (len > 1u << 16)
		return 0;
	try_file(in, arena);
	try_checked(in, arena);
	cdop_arena_reset(arena);
	return 0;
}
