/*
 * A file of notifications, CSV or JSON, in any encoding: refused with words,
 * or every row of it becomes a form or is rejected for a reason, and a row's
 * hash is that of what stands in it.
 *
 * Input: a byte for the encoding that is said, then the file.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "client/file.h"
#include "client/import_read.h"
#include "client/import_row.h"
#include "client/json.h"
#include "client/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PROFILE  "packaging/profiles/merseyside.conf"
#define ROWS_MAX 32 /* that are looked at */

static const struct cmd command = {
    "notify", "", "a test", NULL, NULL, NULL, 0, 9, 0, NULL, NULL};
static struct cdop_arena *arena, *for_profile;
static const struct cdop_profile *profile;

static void
start(void)
{
	struct cdop_profile_error error;
	struct cdop_profile *parsed;
	struct cdop_bytes text;

	CDOP_ASSERT(cdop_secret_init() == CDOP_OK);
	CDOP_ASSERT(cdop_arena_new((size_t)64 << 20, &arena) == CDOP_OK);
	CDOP_ASSERT(cdop_arena_new((size_t)8 << 20, &for_profile) == CDOP_OK);
	CDOP_ASSERT(file_read(PROFILE, CDOP_PROFILE_FILE_MAX, for_profile,
			&text) == CDOP_OK);
	CDOP_ASSERT(cdop_profile_parse((const char *)text.data, text.len,
			for_profile, &parsed, &error) == CDOP_OK);
	profile = parsed;
}

/* A context of nobody: no key, no network, nobody to ask. */
static void
start_context(struct cmd_ctx *ctx, struct session *session, uint8_t encoding)
{
	static const struct cmd_opt option = {"--encoding", "NAME", "", false};
	static const char *const names[] = {
	    NULL, "windows-1252", "utf-16", "utf-8", "latin-9"};
	const char *name = names[encoding % 5];

	memset(ctx, 0, sizeof(*ctx));
	memset(session, 0, sizeof(*session));
	json_start(arena);
	ctx->cmd = &command;
	ctx->arena = arena;
	ctx->mode = "training";
	ctx->registry = "11";
	ctx->session = session;
	ctx->g.no_input = true;
	if (name != NULL) {
		ctx->opt[0] = &option;
		ctx->value[0] = name;
		ctx->n_values = 1;
	}
}

static void
try_rows(struct cmd_ctx *ctx, struct import_file *file)
{
	struct import_row *row;
	size_t i;

	CDOP_ASSERT(file->n_rows <= CDOP_IMPORT_ROWS_MAX);
	for (i = 0; i < file->n_rows && i < ROWS_MAX; i++) {
		row = &file->row[i];
		if (import_row_read(ctx, profile, file, row) != EXIT_OK) {
			CDOP_ASSERT(ctx->error.message != NULL);
			return;
		}
		CDOP_ASSERT(
		    row->state != IMPORT_REJECTED || row->n_findings > 0);
		CDOP_ASSERT(
		    row->state == IMPORT_REJECTED || row->n.form != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct import_file file, again;
	static struct session session;
	static struct cmd_ctx ctx;
	char path[64];
	size_t i;
	int fd;

	if (arena == NULL)
		start();
	if (len < 1)
		return 0;
	start_context(&ctx, &session, data[0]);
	fd = memfd_create("import", MFD_CLOEXEC);
	CDOP_ASSERT(
	    fd >= 0 && write(fd, data + 1, len - 1) == (ssize_t)(len - 1));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (import_read(&ctx, path, &file) != EXIT_OK) {
		CDOP_ASSERT(ctx.error.message != NULL);
	} else {
		CDOP_ASSERT(import_read(&ctx, path, &again) == EXIT_OK);
		for (i = 0; i < file.n_rows; i++)
			CDOP_ASSERT(memcmp(file.row[i].hash, again.row[i].hash,
					sizeof(file.row[i].hash)) == 0);
		try_rows(&ctx, &file);
	}
	(void)close(fd);
	cdop_arena_reset(arena);
	return 0;
}
