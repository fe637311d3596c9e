/* Questions that wait for a second person, in the state folder. */
#include "client/asked.h"

#include <string.h>

#include "client/file.h"
#include "client/print.h"
#include "client/sealed.h"
#include "client/session.h"

#define SUFFIX ".request"

static const struct sealed_kind kind = {"cdop-asked/1\n\0\0\0",
    "cdop-spool/1 asked", &cdop__client_request__descriptor};

static const char *
folder(struct cmd_ctx *ctx)
{
	return cdop_arena_printf(
	    ctx->arena, "%s/asked", ctx->session->context.state);
}

static const char *
path_of(struct cmd_ctx *ctx, const Cdop__ClientRequest *request)
{
	struct cdop_bytes key = {
	    request->request_key.data, request->request_key.len};
	const char *dir = folder(ctx);

	return dir == NULL ? NULL
			   : cdop_arena_printf(ctx->arena, "%s/%s" SUFFIX, dir,
				 print_hex(ctx->arena, key));
}

enum exit_code
asked_put(struct cmd_ctx *ctx, const Cdop__ClientRequest *request)
{
	const char *path = path_of(ctx, request);

	if (path == NULL || file_make_dir(folder(ctx)) != CDOP_OK ||
	    sealed_write(ctx, &kind, path, &request->base) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
		    "is the disk full?  nothing was sent",
		    "what you typed cannot be kept on this computer");
	return EXIT_OK;
}

enum exit_code
asked_list(struct cmd_ctx *ctx, const char ***ret_path, size_t *ret_n)
{
	const char *dir = folder(ctx), **name;
	size_t i;

	if (dir == NULL ||
	    file_list(dir, SUFFIX, ctx->arena, &name, ret_n) != CDOP_OK)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the folder of kept questions cannot be read");
	for (i = 0; i < *ret_n; i++) {
		name[i] = cdop_arena_printf(ctx->arena, "%s/%s", dir, name[i]);
		if (name[i] == NULL)
			return cmd_no_memory(ctx);
	}
	*ret_path = name;
	return EXIT_OK;
}

enum exit_code
asked_get(
    struct cmd_ctx *ctx, const char *path, Cdop__ClientRequest **ret_request)
{
	ProtobufCMessage *message = NULL;

	if (sealed_read(ctx, &kind, path, &message) != CDOP_OK)
		return cmd_fail(ctx, EXIT_INTEGRITY, NULL,
		    "remove the file and ask again",
		    "%s is damaged, or of another device", path);
	*ret_request = (Cdop__ClientRequest *)message;
	return EXIT_OK;
}

void
asked_drop(struct cmd_ctx *ctx, const Cdop__ClientRequest *request)
{
	const char *path = path_of(ctx, request);

	if (path == NULL || file_remove(path) != CDOP_OK)
		print_note(
		    ctx, "a question could not be removed from this computer");
}
