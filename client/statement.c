/* Statements about the log, shown. */
#include "client/statement.h"

#include "client/json.h"
#include "client/print.h"

void
statement_print(
    struct cmd_ctx *ctx, const char *schema, const Cdop__StatementReply *reply)
{
	json_t *object;

	if (ctx->g.json) {
		object = print_envelope(ctx, schema, true);
		json_merge(ctx, object, &reply->base);
		print_json(object);
	} else if (reply->has_statement) {
		print_out(ctx, "%.*s", (int)reply->statement.len,
		    (const char *)reply->statement.data);
	}
}
