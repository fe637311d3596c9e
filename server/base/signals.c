/* Signals into the event loop, or out of the way. */
#include "server/base/signals.h"

#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

static const int signals_heard[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
#define N_HEARD (sizeof(signals_heard) / sizeof(signals_heard[0]))

struct signals {
	signals_fn *fn;
	void *ctx;
	struct event *events[N_HEARD];
};

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	struct signals *signals = arg;

	(void)what;
	signals->fn((int)number, signals->ctx);
}

enum cdop_err
signals_new(struct event_base *base, signals_fn *fn, void *ctx,
    struct signals **ret_signals)
{
	struct signals *signals;
	size_t i;

	if ((signals = calloc(1, sizeof(*signals))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	signals->fn = fn;
	signals->ctx = ctx;
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < N_HEARD; i++) {
		signals->events[i] =
		    evsignal_new(base, signals_heard[i], on_signal, signals);
		if (signals->events[i] != NULL &&
		    evsignal_add(signals->events[i], NULL) == 0)
			continue;
		signals_free(signals);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	*ret_signals = signals;
	return CDOP_OK;
}

void
signals_free(struct signals *signals)
{
	size_t i;

	if (signals == NULL)
		return;
	for (i = 0; i < N_HEARD; i++) {
		if (signals->events[i] != NULL)
			event_free(signals->events[i]);
	}
	free(signals);
}

void
signals_ignore(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

void
signals_default(void)
{
	sigset_t none;
	size_t i;

	for (i = 0; i < N_HEARD; i++)
		signal(signals_heard[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
