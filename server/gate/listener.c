/* accept(2), and when not to. */
#include "server/gate/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/gate/link.h"

#define LISTENER_TURN    16   /* accepts before others have a turn */
#define LISTENER_REST_MS 1000 /* when descriptors have run out */

struct listener {
	struct hub *hub;
	int fd;
	struct event *event;
	struct event *rested;
	bool is_on;
	bool is_resting; /* out of descriptors */
	bool is_stopped;
};

/* Unix: who; TCP: no waiting for more to send. */
static uint32_t
prepare(int fd, const struct sockaddr_storage *peer)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred ucred = {0, 0, 0};
	int on = 1;

	if (peer->ss_family != AF_INET && peer->ss_family != AF_INET6) {
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len) < 0)
			return UINT32_MAX;
		return ucred.uid;
	}
	/* Both are comfort: a connection works without. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return 0;
}

static void
admit(struct hub *hub, int fd, const struct sockaddr_storage *peer)
{
	static struct log_limit limit = {.per_minute = 10};
	struct limits_source *source;
	char from[LIMITS_FROM_MAX];
	uint32_t uid = prepare(fd, peer);
	enum cdop_err err;

	limits_from(peer, uid, from);
	err = limits_accept(hub->limits, peer, uid, clock_ms(), &source);
	if (err != CDOP_OK) {
		log_limited(&limit, "link.refused", "from=%s why=%s", from,
		    err == CDOP_PERMISSION_DENIED ? "penalty" : "too-many");
		fds_close(fd);
		return;
	}
	if (link_open(hub, fd, source, from) == CDOP_OK)
		return;
	limits_release(source);
	fds_close(fd);
}

/*
 * No descriptor is left: accept would fail at once and for ever, and the
 * loop would spin.
 */
static void
rest(struct listener *listener)
{
	static struct log_limit limit = {.per_minute = 2};
	struct timeval tv = clock_timeval(LISTENER_REST_MS);

	log_limited(&limit, "listener.rests", "problem=%s", strerror(errno));
	listener->is_resting = true;
	event_add(listener->rested, &tv);
	listener_update(listener);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	listener->is_resting = false;
	listener_update(listener);
}

static bool
is_passing(int number)
{
	return number == EAGAIN || number == EINTR || number == ECONNABORTED ||
	    number == EPROTO || number == EPERM;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct sockaddr_storage peer;
	socklen_t len;
	size_t n;
	int conn;

	(void)what;
	for (n = 0; n < LISTENER_TURN && hub_has_room(listener->hub); n++) {
		len = sizeof(peer);
		memset(&peer, 0, sizeof(peer));
		conn = accept4((int)fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn < 0) {
			if (!is_passing(errno))
				rest(listener);
			return;
		}
		admit(listener->hub, conn, &peer);
	}
	listener_update(listener);
}

void
listener_update(struct listener *listener)
{
	bool on = !listener->is_resting && !listener->is_stopped &&
	    hub_has_room(listener->hub);

	if (on == listener->is_on)
		return;
	listener->is_on = on;
	if (on)
		event_add(listener->event, NULL);
	else
		event_del(listener->event);
}

void
listener_stop(struct listener *listener)
{
	listener->is_stopped = true;
	listener_update(listener);
}

enum cdop_err
listener_new(struct hub *hub, int fd, struct listener **ret_listener)
{
	struct listener *listener;

	if ((listener = calloc(1, sizeof(*listener))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	listener->hub = hub;
	listener->fd = fd;
	listener->event =
	    event_new(hub->base, fd, EV_READ | EV_PERSIST, on_accept, listener);
	listener->rested = event_new(hub->base, -1, 0, on_rested, listener);
	if (listener->event == NULL || listener->rested == NULL) {
		listener_free(listener);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	*ret_listener = listener;
	return CDOP_OK;
}

void
listener_free(struct listener *listener)
{
	if (listener == NULL)
		return;
	if (listener->event != NULL)
		event_free(listener->event);
	if (listener->rested != NULL)
		event_free(listener->rested);
	free(listener);
}
