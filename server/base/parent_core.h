/*
 * The parent's own state, for parent.c and parent_hear.c and nobody else.
 */
#ifndef CDOP_BASE_PARENT_CORE_H
#define CDOP_BASE_PARENT_CORE_H

#include <event2/util.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/base/control.h"
#include "server/base/deaths.h"
#include "server/base/parent.h"
#include "server/base/setup.h"
#include "server/base/unseal.h"
#include "server/base/watch.h"

#define PARENT_EXIT_SYSTEM 71

struct event;
struct event_base;
struct signals;

enum parent_role {
	PARENT_GATE,
	PARENT_VAULT,
	PARENT_ROLES,
};

struct parent;

struct parent_child {
	struct parent *parent;
	enum parent_role role;
	pid_t pid; /* 0: not running */
	int control;
	struct event *event;
	struct watch watch;
	bool hung; /* ended by us for its silence */
};

struct parent {
	struct event_base *base;
	struct signals *signals;
	struct event *tick;
	struct event *stop_timer;
	struct event *unseal_event;
	const struct parent_args *args;
	struct config conf; /* in force */
	struct setup setup;
	struct parent_child children[PARENT_ROLES];
	uint64_t gates; /* started so far */
	uint64_t links; /* made so far; the number of the last */
	uint64_t held_back;
	struct deaths deaths;
	struct unseal unseal;
	uint64_t published_ms; /* the last try at metrics_file */
	bool unpublished;      /* it failed, which was said */
	char state[CONTROL_STATE_MAX];
	bool announced;
	bool stopping;
	int status;
};

const char *parent_role_name(enum parent_role role);

/* Stops whatever the outcome; the first reason keeps its status. */
void parent_stop(struct parent *parent, int status);

/* What a child says; arg is the struct parent_child. */
void parent_hear(evutil_socket_t fd, short what, void *arg);

#endif
