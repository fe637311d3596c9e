/* The life of one session, from message 1 to its last byte. */
#include "server/cycle/session.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/frame.h"
#include "cdop/limits.h"
#include "cdop/link.h"
#include "cdop/scan.h"
#include "cdop/secret.h"
#include "registry.pb-c.h"
#include "server/registry/people.h"
#include "server/vault/boot_set.h"
#include "server/vault/lockmem.h"

/* No call is begun over half of it; the other half is for a batch's answers. */
#define OUT_MAX (2u * CDOP_GATE_OUT_MAX)

/*
 * Over IN_WHOLE there is a whole call: then nothing more is wanted before it
 * is worked on.  Below it everything is, or the call would never be whole.
 * What the gate may hand over in the meantime has room behind it.
 */
#define IN_WHOLE (CDOP_MESSAGE_MAX + CDOP_STREAM_VARINT_MAX)
#define IN_MAX   (IN_WHOLE + CDOP_GATE_WINDOW)

/* Told in steps, and the longest frame fits into what is left of a window. */
#define TAKEN_STEP (CDOP_GATE_WINDOW / 4)
/* Between two leaves of a stream that asks for it. */
#define PAUSE_MS 1000
_Static_assert(CDOP_GATE_WINDOW - TAKEN_STEP >= CDOP_FRAME_MAX,
    "a frame may always come when nothing is held");

/* In locked memory. */
struct session_secret {
	struct cdop_noise noise; /* wiped once the handshake is done */
	struct cdop_noise_cipher tx;
	struct cdop_noise_cipher rx;
};

enum cdop_err
session_new(struct lockmem *mem, uint64_t conn, struct cdop_bytes opening,
    uint64_t boot_ms, struct session **ret_session)
{
	struct session *session;
	size_t said, i;
	uint8_t c;
	enum cdop_err err;

	if (opening.len < CDOP_LINK_PREAMBLE_LEN)
		return CDOP_INVALID_ARGUMENT;
	if ((err = cdop_link_preamble_check(opening.data)) != CDOP_OK)
		return err;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	session->conn = conn;
	session->mem = mem;
	session->born_ms = boot_ms;
	session->active_ms = boot_ms;
	memcpy(session->preamble, opening.data, CDOP_LINK_PREAMBLE_LEN);
	said = opening.len - CDOP_LINK_PREAMBLE_LEN;
	if (said >= sizeof(session->said_by_gate))
		said = sizeof(session->said_by_gate) - 1;
	/* It stands in the log, and has to be text whatever the gate says. */
	for (i = 0; i < said; i++) {
		c = opening.data[CDOP_LINK_PREAMBLE_LEN + i];
		session->said_by_gate[i] =
		    (char)(c >= 0x20 && c < 0x7f ? c : '?');
	}
	session->secret = lockmem_alloc(mem, sizeof(*session->secret));
	if (session->secret == NULL) {
		free(session);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	session->peer.said_by_gate = session->said_by_gate;
	*ret_session = session;
	return CDOP_OK;
}

void
session_free(struct session *session)
{
	struct session_more *more;

	if (session == NULL)
		return;
	lockmem_free(session->mem, session->secret, sizeof(*session->secret));
	cdop_stream_free(session->in);
	cdop_stream_free(session->out);
	while ((more = session_more_take(session, UINT64_MAX)) != NULL)
		session_more_free(more);
	cdop_secret_wipe(session, sizeof(*session));
	free(session);
}

/* Whoever can name a PSK of the set; the rest is a stranger to it. */
static bool
is_of(const struct boot_set *set, const struct cdop_link_opening *opening)
{
	uint8_t name[CDOP_LINK_INVITATION_LEN];
	bool found = false;
	size_t i;

	if (opening->kind != CDOP_LINK_BOOT)
		return false;
	for (i = 0; i < set->n; i++) {
		cdop_link_boot_name(name, set->entry[i].psk);
		found |=
		    cdop_secret_equal(name, opening->invitation, sizeof(name));
	}
	return found;
}

/* As people_psks(). */
static void
boot_psks(const struct boot_set *set, const uint8_t key[static 32],
    uint8_t ret_psks[static 2][32], uint32_t *ret_device)
{
	size_t i, n = 0;

	cdop_secret_random(ret_psks, (size_t)2 * 32);
	*ret_device = 0;
	for (i = 0; i < set->n && n < 2; i++) {
		if (!cdop_secret_equal(set->entry[i].public_key, key, 32))
			continue;
		memcpy(ret_psks[n++], set->entry[i].psk, 32);
		*ret_device = set->entry[i].device;
	}
}

enum cdop_err
session_message1(struct session *session, const struct session_server *server,
    struct cdop_bytes message, uint8_t *out)
{
	struct cdop_link_opening opening;
	struct cdop_link_args args;
	enum cdop_err err;

	memset(&args, 0, sizeof(args));
	args.s = server->secret[session->server_key];
	args.s_pub = server->public[session->server_key];
	if (args.s == NULL)
		return CDOP_UNAUTHENTICATED;
	args.registry = server->registry_id;
	args.preamble = session->preamble;
	err = cdop_link_server(&session->secret->noise, &args);
	if (err != CDOP_OK)
		return err;
	err = cdop_link_read1(&session->secret->noise, message, &opening);
	if (err != CDOP_OK)
		return err;
	session->boot = opening.kind == CDOP_LINK_BOOT;
	if (server->boot != NULL && !is_of(server->boot, &opening))
		return CDOP_UNAVAILABLE;
	if (server->boot == NULL && session->boot)
		return CDOP_UNAUTHENTICATED;
	err = cdop_link_write2(&session->secret->noise, out);
	if (err != CDOP_OK)
		return err;
	session->invitation = opening.kind == CDOP_LINK_INVITATION;
	memcpy(session->peer.invitation, opening.invitation,
	    sizeof(session->peer.invitation));
	session->state = SESSION_WAITS_3;
	return CDOP_OK;
}

static enum cdop_err
read_hello(struct session *session, struct cdop_bytes packed)
{
	Cdop__Hello *hello;
	enum cdop_err err;

	err = cdop_scan_message(
	    &cdop__hello__descriptor, packed, CDOP_SCAN_LENIENT, NULL);
	if (err != CDOP_OK)
		return err;
	hello = cdop__hello__unpack(NULL, packed.len, packed.data);
	if (hello == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	session->seen_size = hello->has_seen_size ? hello->seen_size : 0;
	session->receipt_size =
	    hello->has_receipt_size ? hello->receipt_size : 0;
	session->seen_statements =
	    hello->has_seen_statements ? hello->seen_statements : 0;
	if (hello->has_server_key &&
	    hello->server_key.len == sizeof(session->peer.server_key))
		memcpy(session->peer.server_key, hello->server_key.data,
		    sizeof(session->peer.server_key));
	cdop__hello__free_unpacked(hello, NULL);
	return CDOP_OK;
}

/* Handshake done: ciphers, names of the session, empty streams. */
static enum cdop_err
begin_transport(struct session *session)
{
	struct session_secret *secret = session->secret;
	enum cdop_err err;

	err = cdop_noise_split(
	    &secret->noise, &secret->tx, &secret->rx, session->peer.handshake);
	if (err != CDOP_OK)
		return err;
	cdop_link_session_id(session->peer.session, session->peer.handshake);
	if ((err = cdop_stream_new(IN_MAX, &session->in)) != CDOP_OK)
		return err;
	if ((err = cdop_stream_new(OUT_MAX, &session->out)) != CDOP_OK)
		return err;
	session->state = SESSION_OPENING;
	return CDOP_OK;
}

enum cdop_err
session_message3(struct session *session, const struct session_server *server,
    struct cdop_bytes message)
{
	uint8_t payload[CDOP_LINK_HELLO_LEN];
	uint8_t psks[CDOP_LINK_PSKS][CDOP_KEY_LEN];
	struct cdop_bytes rest, hello;
	const uint8_t *key;
	size_t which = 0;
	enum cdop_err err;

	err = cdop_link_read3_begin(
	    &session->secret->noise, message, &rest, &key);
	if (err != CDOP_OK)
		return err;
	memcpy(session->peer.public_key, key, CDOP_KEY_LEN);
	if (server->boot != NULL)
		boot_psks(server->boot, key, psks, &session->peer.device);
	else if (session->invitation)
		people_invitation_psks(server->people, session->peer.invitation,
		    server->now_ms, psks);
	else
		people_psks(server->people, key, server->now_ms, psks,
		    &session->peer.device);
	err = cdop_link_read3_finish(&session->secret->noise, rest,
	    (const uint8_t(*)[CDOP_KEY_LEN])psks, payload, &hello, &which);
	if (err == CDOP_OK)
		people_psk_id(session->peer.psk_id, psks[which]);
	cdop_secret_wipe(psks, sizeof(psks));
	if (err != CDOP_OK)
		return err;
	if ((err = read_hello(session, hello)) != CDOP_OK)
		return err;
	return begin_transport(session);
}

enum cdop_err
session_frame(struct session *session, struct cdop_bytes message)
{
	enum cdop_err err;

	/* Never from a gate that keeps to its window. */
	if (message.len > CDOP_GATE_WINDOW - session->untold)
		return CDOP_RESOURCE_EXHAUSTED;
	err = cdop_link_open(&session->secret->rx, message, session->in);
	if (err == CDOP_OK)
		session->untold += (uint32_t)message.len;
	return err;
}

uint32_t
session_taken(struct session *session)
{
	uint32_t taken = session->untold;

	if (taken < TAKEN_STEP || cdop_stream_held(session->in) > IN_WHOLE)
		return 0;
	session->untold = 0;
	return taken;
}

enum cdop_err
session_next(struct session *session, struct cdop_bytes *ret_message)
{
	return cdop_stream_next(session->in, ret_message);
}

void
session_consume(struct session *session)
{
	cdop_stream_consume(session->in);
}

enum cdop_err
session_look(
    struct session *session, struct cdop_bytes *ret_message, size_t *ret_ahead)
{
	enum cdop_err err;

	if (session->ahead == 0 &&
	    (err = session_next(session, ret_message)) != CDOP_OK)
		return err;
	*ret_ahead = session->ahead;
	if (!cdop_stream_peek(session->in, ret_ahead, ret_message))
		*ret_message = (struct cdop_bytes){NULL, 0};
	return CDOP_OK;
}

enum cdop_err
session_put(struct session *session, struct cdop_bytes message)
{
	return cdop_stream_put(session->out, message);
}

enum cdop_err
session_seal(
    struct session *session, uint8_t *room, struct cdop_bytes *ret_frame)
{
	enum cdop_err err;
	size_t len;

	err = cdop_link_seal(&session->secret->tx, session->out, room, &len);
	if (err != CDOP_OK)
		return err;
	/* The gate puts the length in front itself. */
	ret_frame->data = room + CDOP_FRAME_HEAD;
	ret_frame->len = len == 0 ? 0 : len - CDOP_FRAME_HEAD;
	return CDOP_OK;
}

void
session_note_partial(struct session *session, uint64_t boot_ms)
{
	struct cdop_bytes message;

	if (session_next(session, &message) != CDOP_OK ||
	    message.data != NULL || cdop_stream_held(session->in) == 0)
		session->partial_ms = 0;
	else if (session->partial_ms == 0)
		session->partial_ms = boot_ms;
}

size_t
session_queued(const struct session *session)
{
	return session->out == NULL ? 0 : cdop_stream_held(session->out);
}

enum cdop_err
session_more_add(struct session *session, struct cdop_bytes message,
    const struct dispatch_result *result, uint64_t boot_ms)
{
	struct session_more *more, **end;

	more = malloc(sizeof(*more) + message.len);
	if (more == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	more->next = NULL;
	more->cursor = result->next;
	more->after_ms = result->next.pause ? boot_ms + PAUSE_MS : 0;
	more->count = result->stream_count;
	more->len = message.len;
	memcpy(more->message, message.data, message.len);
	for (end = &session->more; *end != NULL; end = &(*end)->next)
		;
	*end = more;
	session->n_more++;
	return CDOP_OK;
}

const struct session_more *
session_more_next(const struct session *session, uint64_t boot_ms)
{
	const struct session_more *more = session->more;

	while (more != NULL && boot_ms < more->after_ms)
		more = more->next;
	return more;
}

struct session_more *
session_more_take(struct session *session, uint64_t boot_ms)
{
	const struct session_more *which = session_more_next(session, boot_ms);
	struct session_more **at = &session->more, *more;

	if (which == NULL)
		return NULL;
	while (*at != which)
		at = &(*at)->next;
	more = *at;
	*at = more->next;
	session->n_more--;
	return more;
}

void
session_more_free(struct session_more *more)
{
	if (more == NULL)
		return;
	cdop_secret_wipe(more->message, more->len);
	free(more);
}
