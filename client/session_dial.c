/* Addresses, keys of the server and PSKs, until one opens. */
#include "client/session_dial.h"

#include <poll.h>

#include "cdop/secret.h"

#define EARLIER_PAUSE_MS 10

/* Of a session with a sealed registry; the name says whose it is. */
static void
use_boot_psk(struct conn_args *args, uint8_t boot[static CDOP_KEY_LEN])
{
	cdop_link_boot_psk(boot, args->link.psk);
	args->link.psk = boot;
	args->opening.kind = CDOP_LINK_BOOT;
	cdop_link_boot_name(args->opening.invitation, boot);
}

static const uint8_t *
psk_of(const Cdop__ClientSecret *secret, int which)
{
	if (which == SESSION_DIAL_NEXT)
		return secret->psk_next.data;
	if (which == SESSION_DIAL_CURRENT)
		return secret->psk.data;
	return secret->psk_earlier[which].data;
}

/* In which order they are tried; false: there are no more. */
static bool
next_psk(const struct session *s, int *which)
{
	const Cdop__ClientSecret *secret = s->identity.secret;

	if (*which == SESSION_DIAL_NEXT) {
		*which = SESSION_DIAL_CURRENT;
		return true;
	}
	/* The newest of those of before is the last of them. */
	if (*which == SESSION_DIAL_CURRENT)
		*which = (int)secret->n_psk_earlier;
	return s->earlier && --*which >= 0;
}

/* One attempt, with a time of its own where it is one of many. */
static enum conn_end
try_psk(struct cmd_ctx *ctx, struct conn_args *args, int which, bool *ret_gone)
{
	struct session *s = ctx->session;
	uint8_t boot[CDOP_KEY_LEN];
	enum conn_end end;
	bool gone = false;

	args->link.psk = psk_of(s->identity.secret, which);
	if (which >= 0) {
		/* The server answers so many strangers in a second. */
		(void)poll(NULL, 0, EARLIER_PAUSE_MS);
		args->connect_by_ms = conn_now_ms() + CONN_CONNECT_MS;
		args->deadline_ms = args->connect_by_ms;
	}
	if (s->boot)
		use_boot_psk(args, boot);
	end = conn_open(args, &s->conn, &gone);
	cdop_secret_wipe(boot, sizeof(boot));
	*ret_gone = *ret_gone || gone;
	return end;
}

/*
 * One address: every pinned key of the server, and for each the next PSK
 * before the current one, so that no reply that was lost locks us out.
 * Neither is ever dropped here (TRUST M9).
 */
static enum conn_end
try_address(
    struct cmd_ctx *ctx, struct conn_args *args, int *ret_psk, bool *ret_gone)
{
	struct session *s = ctx->session;
	enum conn_end end = CONN_UNREACHABLE;
	size_t pin;

	for (pin = 0; pin < s->identity.open->n_server_key; pin++) {
		args->link.server = s->identity.open->server_key[pin].data;
		*ret_psk = s->identity.secret->has_psk_next
		    ? SESSION_DIAL_NEXT
		    : SESSION_DIAL_CURRENT;
		do
			end = try_psk(ctx, args, *ret_psk, ret_gone);
		while (
		    (end == CONN_REFUSED || (s->boot && end == CONN_SEALED)) &&
		    next_psk(s, ret_psk));
		if (end != CONN_PIN && end != CONN_IMPOSTOR)
			break;
	}
	return end;
}

/*
 * Where somebody hung up who then was not there any more it may have died in
 * the midst of the handshake; then once again, before that is called a refusal.
 */
enum conn_end
session_dial(struct cmd_ctx *ctx, struct conn_args *args, int *ret_psk)
{
	const Cdop__ClientIdentity *open = ctx->session->identity.open;
	enum conn_end end = CONN_UNREACHABLE, best = CONN_UNREACHABLE;
	bool gone = true;
	size_t i;
	int round;

	for (round = 0; round < 2 && gone && end != CONN_OK; round++) {
		gone = false;
		best = CONN_UNREACHABLE;
		for (i = 0; i < open->n_address && end != CONN_OK; i++) {
			args->address = open->address[i];
			args->connect_by_ms = conn_now_ms() + CONN_CONNECT_MS;
			args->deadline_ms = args->connect_by_ms;
			end = try_address(ctx, args, ret_psk, &gone);
			if (best == CONN_UNREACHABLE || end == CONN_OK)
				best = end;
		}
	}
	return best;
}
