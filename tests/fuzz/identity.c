/*
 * The identity file of a device, changed by somebody: not read, or not
 * opened, unless it is byte for byte what the device wrote.
 *
 * Input: a byte, then the whole file; or with an odd byte pieces (place u16,
 * length u8, bytes) that are laid over a genuine one.
 */
#include "client/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FILE_MAX (1u << 16)

static struct cdop_arena *arena;
static uint8_t genuine[4096];
static size_t genuine_len;

static void
fill(ProtobufCBinaryData *data, size_t len, int c)
{
	data->data = cdop_arena_alloc(arena, len);
	CDOP_ASSERT(data->data != NULL);
	data->len = len;
	memset(data->data, c, len);
}

static void
start(void)
{
	struct cdop_bytes none = {NULL, 0}, bytes;
	struct identity id;
	char path[] = "/tmp/cdop-fuzz-XXXXXX";
	int fd = mkstemp(path);

	CDOP_ASSERT(fd >= 0 && close(fd) == 0);
	CDOP_ASSERT(cdop_secret_init() == CDOP_OK);
	CDOP_ASSERT(cdop_arena_new(1u << 20, &arena) == CDOP_OK);
	memset(&id, 0, sizeof(id));
	id.path = path;
	id.open = cdop_arena_alloc(arena, sizeof(*id.open));
	id.secret = cdop_arena_alloc(arena, sizeof(*id.secret));
	cdop__client_identity__init(id.open);
	cdop__client_secret__init(id.secret);
	fill(&id.open->registry_id, 16, 0x11);
	fill(&id.open->public_key, 32, 0x22);
	fill(&id.secret->static_key, 32, 0x33);
	fill(&id.secret->psk, 32, 0x44);
	id.open->label = cdop_arena_strdup(arena, "test laptop");
	CDOP_ASSERT(identity_protect(&id, none) == CDOP_OK);
	CDOP_ASSERT(identity_save(&id, arena) == CDOP_OK);
	CDOP_ASSERT(file_read(path, sizeof(genuine), arena, &bytes) == CDOP_OK);
	memcpy(genuine, bytes.data, bytes.len);
	genuine_len = bytes.len;
	CDOP_ASSERT(unlink(path) == 0);
}

static struct cdop_bytes
lay_over(struct cdop_bytes in)
{
	uint8_t *file = cdop_arena_alloc(arena, genuine_len);
	size_t at, n;

	CDOP_ASSERT(file != NULL);
	memcpy(file, genuine, genuine_len);
	while (in.len >= 3) {
		at = cdop_get16(in.data) % genuine_len;
		n = in.data[2];
		in.data += 3;
		in.len -= 3;
		n = n < in.len ? n : in.len;
		n = n < genuine_len - at ? n : genuine_len - at;
		memcpy(file + at, in.data, n);
		in.data += n;
		in.len -= n;
	}
	return (struct cdop_bytes){file, genuine_len};
}

static void
try_file(struct cdop_bytes file)
{
	struct cdop_bytes none = {NULL, 0};
	struct identity id;
	char path[64];
	int fd;

	fd = memfd_create("identity", MFD_CLOEXEC);
	CDOP_ASSERT(
	    fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* Argon2id is for passphrases, and nobody types one here. */
	if (identity_load(path, arena, &id) == CDOP_OK &&
	    !identity_has_passphrase(&id) &&
	    identity_unlock(&id, none, arena) == CDOP_OK) {
		CDOP_ASSERT(file.len == genuine_len &&
		    memcmp(file.data, genuine, genuine_len) == 0);
		CDOP_ASSERT(id.secret->psk.len == 32);
		identity_wipe(&id);
	}
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cdop_bytes in = {data + 1, len - 1};

	if (arena == NULL)
		start();
	if (len < 1 || len > FILE_MAX)
		return 0;
	try_file((data[0] & 1) != 0 ? lay_over(in) : in);
	cdop_arena_reset(arena);
	return 0;
}
