/* One connection: in by frames, out by a bounded queue, closed by one way. */
#include "server/gate/link.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cdop/limits.h"
#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/log.h"

#define LINK_HEAD       2     /* u16 length of a frame */
#define LINK_SENT_STEP  65536 /* a SENT this often: each wakes the vault */
#define LINK_CLOSING_MS 5000
#define LINK_LINGER_MS  2000
#define LINK_STUCK_MS   60000 /* for one frame to leave */
/* The vault stops at CDOP_GATE_OUT_MAX, but a batch may be under way. */
#define LINK_QUEUE_MAX  ((size_t)2 * CDOP_GATE_OUT_MAX)
#define LINK_QUEUES_MAX ((size_t)64 * CDOP_GATE_OUT_MAX) /* of all together */

enum link_step {
	STEP_TAKEN, /* something was consumed: go on */
	STEP_MORE,  /* not whole yet */
	STEP_STALL, /* the vault has no room, for all or for this one */
	STEP_END,   /* closed */
};

static const char *
why_word(enum link_why why)
{
	static const char *const words[] = {
	    [LINK_CLIENT] = "client",
	    [LINK_VAULT] = "vault",
	    [LINK_DISCARDED] = "discarded",
	    [LINK_LOST] = "vault-gone",
	    [LINK_PREAMBLE] = "preamble",
	    [LINK_LENGTH] = "length",
	    [LINK_MAC1] = "mac1",
	    [LINK_HANDSHAKE] = "handshake-deadline",
	    [LINK_SLOW_FRAME] = "frame-deadline",
	    [LINK_IDLE] = "idle",
	    [LINK_HARD] = "too-old",
	    [LINK_SLOW_READER] = "slow-reader",
	    [LINK_BUDGET] = "handshake-budget",
	    [LINK_ROOM] = "no-room",
	    [LINK_STOP] = "stop",
	};

	return words[why];
}

static bool
is_garbage(enum link_why why)
{
	return why == LINK_PREAMBLE || why == LINK_LENGTH || why == LINK_MAC1 ||
	    why == LINK_HANDSHAKE;
}

/* ---- in ---- */

/* The vault is full: read no more until link_resume. */
static void
stall(struct link *link)
{
	link->is_stalled = true;
	event_del(link->read);
}

static void
leave_half_open(struct link *link)
{
	if (!link->is_half_open)
		return;
	link->is_half_open = false;
	TAILQ_REMOVE(&link->hub->half_open, link, half);
	link->hub->n_half_open--;
}

static enum link_step
close_step(struct link *link, enum link_why why)
{
	link_close(link, why);
	return STEP_END;
}

/* Which of the server's keys the client knows; HUB_KEYS_MAX: none. */
static size_t
find_key(const struct link *link, struct cdop_bytes body)
{
	const struct hub *hub = link->hub;
	size_t i;

	for (i = 0; i < hub->n_keys; i++) {
		if (cdop_link_mac1_check(
			hub->mac1_keys[i], link->preamble, body))
			return i;
	}
	return HUB_KEYS_MAX;
}

/*
 * OPEN: the preamble, then where from.  The number is given here and not when
 * somebody connects: numbers grow in the order in which the vault hears them,
 * and who connected first may speak last.
 */
static bool
announce(struct link *link, uint8_t which)
{
	struct hub *hub = link->hub;
	uint8_t text[CDOP_LINK_PREAMBLE_LEN + LIMITS_FROM_MAX];
	struct cdop_bytes bytes = {text, 0};
	size_t len = strlen(link->from);

	memcpy(text, link->preamble, CDOP_LINK_PREAMBLE_LEN);
	memcpy(text + CDOP_LINK_PREAMBLE_LEN, link->from, len);
	bytes.len = CDOP_LINK_PREAMBLE_LEN + len;
	if (!hub_send(hub, hub->next_conn, IPC_OPEN, which, bytes))
		return false;
	link->conn = hub->next_conn++;
	link->announced = true;
	LIST_INSERT_HEAD(&hub->buckets[link->conn % HUB_BUCKETS], link, bucket);
	return true;
}

/*
 * Message 1.  Nothing of a stranger reaches the vault before he has shown
 * that he knows the server's public key and his address has a handshake
 * left.  A sealed vault has no key to show; it answers with a hint.
 */
static enum link_step
take_first(struct link *link, struct cdop_bytes body)
{
	uint8_t which = IPC_MAC1_UNCHECKED;
	size_t key;

	if (!link->announced) {
		if (link->hub->n_keys > 0) {
			if ((key = find_key(link, body)) == HUB_KEYS_MAX)
				return close_step(link, LINK_MAC1);
			which = (uint8_t)key;
		}
		if (!link->counted &&
		    !limits_handshake(
			link->hub->limits, link->source, clock_ms()))
			return close_step(link, LINK_BUDGET);
		link->counted = true;
		if (!announce(link, which))
			return STEP_STALL;
	}
	body.len = CDOP_LINK_MESSAGE1_LEN;
	if (!hub_send(link->hub, link->conn, IPC_FRAME, 0, body))
		return STEP_STALL;
	link->state = LINK_WAIT_THIRD;
	return STEP_TAKEN;
}

/* Message 3: from here on whole frames of any length, and another clock. */
static enum link_step
take_third(struct link *link, struct cdop_bytes body)
{
	uint8_t *in;

	if ((in = malloc(LINK_HEAD + CDOP_FRAME_MAX)) == NULL)
		return close_step(link, LINK_ROOM);
	if (!hub_send(link->hub, link->conn, IPC_FRAME, 0, body)) {
		free(in);
		return STEP_STALL;
	}
	memcpy(in, link->in, link->in_len);
	link->in = in;
	link->in_size = LINK_HEAD + CDOP_FRAME_MAX;
	link->state = LINK_STREAM;
	link->deadline_ms = 0;
	leave_half_open(link);
	return STEP_TAKEN;
}

/* The rest of what a client sends at once waits on its side of the socket. */
static enum link_step
take_stream(struct link *link, struct cdop_bytes body)
{
	if (link->given + body.len > CDOP_GATE_WINDOW ||
	    !hub_send(link->hub, link->conn, IPC_FRAME, 0, body))
		return STEP_STALL;
	link->given += (uint32_t)body.len;
	return STEP_TAKEN;
}

static enum link_step
take_frame(struct link *link, struct cdop_bytes body)
{
	if (link->state == LINK_WAIT_FIRST)
		return take_first(link, body);
	if (link->state == LINK_WAIT_THIRD)
		return take_third(link, body);
	return take_stream(link, body);
}

static bool
is_length_good(const struct link *link, size_t len)
{
	if (link->state == LINK_WAIT_FIRST)
		return len == CDOP_LINK_FRAME1_LEN;
	if (link->state == LINK_WAIT_THIRD)
		return len == CDOP_LINK_MESSAGE3_LEN;
	/* Shorter cannot be decrypted, and would cost the vault a packet. */
	return len > CDOP_TAG_LEN;
}

static enum link_step
step_preamble(struct link *link, const uint8_t *at)
{
	if (cdop_link_preamble_check(at) != CDOP_OK)
		return close_step(link, LINK_PREAMBLE);
	memcpy(link->preamble, at, CDOP_LINK_PREAMBLE_LEN);
	link->in_at += CDOP_LINK_PREAMBLE_LEN;
	link->state = LINK_WAIT_FIRST;
	return STEP_TAKEN;
}

/* Peek, check the length, take it whole or not at all. */
static enum link_step
step(struct link *link)
{
	const uint8_t *at = link->in + link->in_at;
	size_t have = link->in_len - link->in_at;
	struct cdop_bytes body;
	enum link_step taken;

	if (link->state == LINK_WAIT_PREAMBLE)
		return have < CDOP_LINK_PREAMBLE_LEN ? STEP_MORE
						     : step_preamble(link, at);
	if (have < LINK_HEAD)
		return STEP_MORE;
	body.data = at + LINK_HEAD;
	body.len = cdop_get16(at);
	if (!is_length_good(link, body.len))
		return close_step(link, LINK_LENGTH);
	if (have < LINK_HEAD + body.len)
		return STEP_MORE;
	link->frame_ms = 0; /* whole: what it waits for now is not its client */
	taken = take_frame(link, body);
	if (taken != STEP_TAKEN)
		return taken;
	link->in_at += LINK_HEAD + body.len;
	link->heard_ms = clock_ms();
	return STEP_TAKEN;
}

/* Takes what is whole; the rest moves to the front. */
static void
parse(struct link *link)
{
	enum link_step taken;

	do
		taken = step(link);
	while (taken == STEP_TAKEN);
	if (taken == STEP_END)
		return;
	link->in_len -= link->in_at;
	memmove(link->in, link->in + link->in_at, link->in_len);
	link->in_at = 0;
	if (taken == STEP_STALL)
		stall(link);
	else if (link->in_len > 0 && link->frame_ms == 0)
		link->frame_ms = clock_ms() + (uint64_t)CDOP_REQUEST_S * 1000;
}

/* Lingering: what still comes is thrown away until the client closes. */
static void
read_away(struct link *link)
{
	uint8_t away[4096];
	ssize_t n = recv(link->fd, away, sizeof(away), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && fds_errno() == CDOP_UNAVAILABLE))
		link_close(link, LINK_VAULT);
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;
	size_t room = link->in_size - link->in_len;
	ssize_t n = -1;

	(void)what;
	if (link->state == LINK_LINGER) {
		read_away(link);
		return;
	}
	if (link->state >= LINK_CLOSING || link->is_stalled)
		return;
	errno = EAGAIN;
	if (room > 0)
		n = recv((int)fd, link->in + link->in_len, room, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && fds_errno() == CDOP_UNAVAILABLE)) {
		link_close(link, LINK_CLIENT);
		return;
	}
	link->in_len += n > 0 ? (size_t)n : 0;
	parse(link);
}

/* ---- out ---- */

/* False: it is closed. */
static bool
has_room(struct link *link, size_t len)
{
	struct hub *hub = link->hub;

	if (link->out.queued + len > LINK_QUEUE_MAX)
		link_close(link, LINK_SLOW_READER);
	while (link->state != LINK_DEAD && hub->queued + len > LINK_QUEUES_MAX)
		link_close(hub_slowest(hub, link), LINK_SLOW_READER);
	return link->state != LINK_DEAD;
}

void
link_queue(struct link *link, struct cdop_bytes message)
{
	struct hub *hub = link->hub;
	size_t len = OUTQ_HEAD + message.len;

	if (link->state >= LINK_CLOSING || message.len == 0)
		return;
	link->answered = link->state == LINK_STREAM;
	if (!has_room(link, len))
		return;
	if (outq_push(&link->out, message) != CDOP_OK) {
		link_close(link, LINK_ROOM);
		return;
	}
	hub->queued += len;
	if (!link->is_dirty) {
		link->is_dirty = true;
		TAILQ_INSERT_TAIL(&hub->dirty, link, dirty);
	}
}

static void
report_sent(struct link *link)
{
	uint8_t count[4];
	struct cdop_bytes bytes = {count, sizeof(count)};

	if (link->out.written < LINK_SENT_STEP || !link->announced)
		return;
	cdop_put32(count, link->out.written);
	if (hub_send(link->hub, link->conn, IPC_SENT, 0, bytes))
		link->out.written = 0;
}

/* Everything is written: half-close, and wait for the client's close. */
static void
linger(struct link *link)
{
	if (shutdown(link->fd, SHUT_WR) < 0) {
		link_close(link, LINK_VAULT);
		return;
	}
	link->state = LINK_LINGER;
	link->deadline_ms = clock_ms() + LINK_LINGER_MS;
	event_add(link->read, NULL);
}

void
link_flush(struct link *link)
{
	size_t before = link->out.queued, frames;
	uint64_t now = clock_ms();

	if (link->state == LINK_DEAD)
		return;
	if (outq_write(&link->out, link->fd, &frames) != CDOP_OK) {
		link_close(link, LINK_CLIENT);
		return;
	}
	link->hub->queued -= before - link->out.queued;
	if (frames > 0) {
		link->heard_ms = now;
		link->stuck_ms = 0;
	}
	report_sent(link);
	if (!outq_is_empty(&link->out)) {
		if (link->stuck_ms == 0)
			link->stuck_ms = now + LINK_STUCK_MS;
		event_add(link->write, NULL);
	} else if (link->state == LINK_CLOSING) {
		linger(link);
	}
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	link_flush(arg);
}

void
link_mute(struct link *link)
{
	if (link->state >= LINK_CLOSING)
		return;
	link->is_stalled = false;
	event_del(link->read);
}

void
link_finish(struct link *link)
{
	if (link->state >= LINK_CLOSING)
		return;
	link_mute(link);
	leave_half_open(link);
	link->state = LINK_CLOSING;
	link->deadline_ms = clock_ms() + LINK_CLOSING_MS;
	link_flush(link);
}

/* A reset: what the kernel still holds is not sent either. */
static void
reset_at_close(struct link *link)
{
	struct linger none = {1, 0};

	(void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void
link_lose(struct link *link)
{
	/* An end in order, at this point, is how the vault refuses. */
	if (!link->answered)
		reset_at_close(link);
	link_close(link, LINK_LOST);
}

void
link_discard(struct link *link)
{
	reset_at_close(link);
	link->no_word = true;
	link_close(link, LINK_DISCARDED);
}

/* ---- its life ---- */

void
link_resume(struct link *link)
{
	if (link->state == LINK_DEAD)
		return;
	report_sent(link);
	if (!link->is_stalled)
		return;
	link->is_stalled = false;
	event_add(link->read, NULL);
	event_active(link->read, EV_READ, 0); /* what it has is not new */
}

void
link_taken(struct link *link, uint32_t len)
{
	link->given -= len < link->given ? len : link->given;
	link_resume(link);
}

void
link_check(struct link *link, uint64_t now_ms)
{
	uint64_t idle_ms = (uint64_t)link->hub->conf.idle_s * 1000;

	if (link->deadline_ms != 0 && now_ms >= link->deadline_ms)
		link_close(link,
		    link->state < LINK_STREAM ? LINK_HANDSHAKE : LINK_VAULT);
	else if (now_ms >= link->hard_ms)
		link_close(link, LINK_HARD);
	else if (link->stuck_ms != 0 && now_ms >= link->stuck_ms)
		link_close(link, LINK_SLOW_READER);
	else if (link->frame_ms != 0 && now_ms >= link->frame_ms)
		link_close(link, LINK_SLOW_FRAME);
	else if (now_ms >= link->heard_ms + idle_ms)
		link_close(link, LINK_IDLE);
}

static void
log_close(const struct link *link, enum link_why why, bool penalty)
{
	static struct log_limit limit = {.per_minute = 20};

	if (penalty)
		log_limited(&limit, "source.refused", "from=%s for_s=%u",
		    link->from, link->hub->conf.gate_penalty_s);
	if (is_garbage(why) || why == LINK_BUDGET)
		log_limited(&limit, "link.refused", "from=%s why=%s",
		    link->from, why_word(why));
	else
		log_debug("link.closed", "conn=%llu from=%s why=%s",
		    (unsigned long long)link->conn, link->from, why_word(why));
}

void
link_close(struct link *link, enum link_why why)
{
	struct hub *hub = link->hub;
	bool penalty;

	if (link->state == LINK_DEAD)
		return;
	link->state = LINK_DEAD;
	penalty = is_garbage(why) &&
	    limits_garbage(hub->limits, link->source, clock_ms());
	log_close(link, why, penalty);
	event_del(link->read);
	event_del(link->write);
	fds_close(link->fd);
	limits_release(link->source);
	hub->queued -= link->out.queued;
	outq_clear(&link->out);
	leave_half_open(link);
	if (link->is_dirty)
		TAILQ_REMOVE(&hub->dirty, link, dirty);
	if (link->announced)
		LIST_REMOVE(link, bucket);
	TAILQ_REMOVE(&hub->links, link, all);
	hub->n_links--;
	TAILQ_INSERT_TAIL(&hub->graves, link, all);
	if (link->announced && !link->no_word)
		hub_owe(hub, link->conn, IPC_CLOSED);
	hub_bury_later(hub);
}

void
link_free(struct link *link)
{
	if (link->read != NULL)
		event_free(link->read);
	if (link->write != NULL)
		event_free(link->write);
	if (link->in != link->small)
		free(link->in);
	free(link);
}

static void
enlist(struct hub *hub, struct link *link)
{
	struct link *oldest;

	/* Strangers make room for strangers, not for those who work. */
	while (hub->n_half_open >= hub->conf.gate_half_open) {
		oldest = TAILQ_FIRST(&hub->half_open);
		link_close(oldest, LINK_ROOM);
	}
	TAILQ_INSERT_TAIL(&hub->links, link, all);
	TAILQ_INSERT_TAIL(&hub->half_open, link, half);
	hub->n_links++;
	hub->n_half_open++;
}

enum cdop_err
link_open(
    struct hub *hub, int fd, struct limits_source *source, const char *from)
{
	uint64_t now = clock_ms();
	struct link *link;

	if ((link = calloc(1, sizeof(*link))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	link->in = link->small;
	link->in_size = sizeof(link->small);
	link->read =
	    event_new(hub->base, fd, EV_READ | EV_PERSIST, on_read, link);
	link->write = event_new(hub->base, fd, EV_WRITE, on_write, link);
	if (link->read == NULL || link->write == NULL ||
	    event_add(link->read, NULL) < 0) {
		link_free(link);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	link->hub = hub;
	link->fd = fd;
	link->source = source;
	link->is_half_open = true;
	link->deadline_ms = now + (uint64_t)hub->conf.handshake_s * 1000;
	link->hard_ms = now + (uint64_t)CDOP_SESSION_HARD_S * 1000;
	link->heard_ms = now;
	memcpy(link->from, from, strnlen(from, sizeof(link->from) - 1));
	outq_init(&link->out);
	enlist(hub, link);
	return CDOP_OK;
}
