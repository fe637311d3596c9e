/* Statements about the log, shown. */
#include "client/statement.h"

#include "client/json.h"
#include "client/print.h"

void
statement_print(
    struct cmd_ctx *ctx, const char *schema, const Cdop__StatementReply *reply)
{
	if (ctx->g.json)
		json_line(ctx, schema, &reply->base);
	else if (reply->has_statement)
		print_out(ctx, "%.*s", (int)reply->statement.len,
		    (const char *)reply->statement.data);
}
