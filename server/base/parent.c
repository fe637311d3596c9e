/*
 * The parent's loop: deaths, restarts, stopping.  What children say is taken
 * in parent_hear.c; what may take long or may be hostile is done elsewhere.
 */
#include "server/base/parent.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/child.h"
#include "server/base/clock.h"
#include "server/base/fds.h"
#include "server/base/ipc.h"
#include "server/base/log.h"
#include "server/base/notify.h"
#include "server/base/parent_core.h"
#include "server/base/sandbox.h"
#include "server/base/signals.h"

#define PARENT_TICK_MS    2000
#define PARENT_PUBLISH_MS 10000

static const struct cdop_bytes nothing = {NULL, 0};

void
parent_stop(struct parent *parent, int status)
{
	struct timeval tv = clock_timeval((uint64_t)parent->conf.stop_s * 1000);
	bool alone = true;
	size_t i;

	if (parent->stopping)
		return;
	parent->stopping = true;
	parent->status = status;
	notify_send("STOPPING=1");
	for (i = 0; i < PARENT_ROLES; i++) {
		struct parent_child *child = &parent->children[i];

		if (child->pid == 0)
			continue;
		alone = false;
		/* One that cannot be told is told by the timer. */
		if (control_send(child->control, CONTROL_STOP, nothing, -1) !=
		    CDOP_OK)
			kill(child->pid, SIGKILL);
	}
	if (alone)
		event_base_loopbreak(parent->base);
	else
		event_add(parent->stop_timer, &tv);
}

static void
on_stop_timer(evutil_socket_t fd, short what, void *arg)
{
	struct parent *parent = arg;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < PARENT_ROLES; i++) {
		if (parent->children[i].pid == 0)
			continue;
		log_warning("stop.deadline", "child=%s",
		    parent_role_name(parent->children[i].role));
		kill(parent->children[i].pid, SIGKILL);
	}
}

/* Starts one child with its end of a link. */
static enum cdop_err
start_child(struct parent_child *child, int link)
{
	struct parent *parent = child->parent;
	struct control_start start = {
	    .conf = parent->conf, .link = parent->links};
	struct child_args args = {
	    parent_role_name(child->role), &start, {link}, 1};
	const struct setup *setup = &parent->setup;
	enum cdop_err err;
	uint32_t i;

	if (child->role == PARENT_GATE) {
		start.first_conn = ++parent->gates << 40;
		start.n_listen = setup->n_listen;
		for (i = 0; i < setup->n_listen; i++)
			args.fds[args.n_fds++] = setup->listen_fds[i];
	} else {
		start.has_key = setup->key_fd >= 0;
		start.has_credential = setup->credential_fd >= 0;
		start.has_boot = setup->boot_fd >= 0;
		start.held_back = parent->held_back;
		args.fds[args.n_fds++] = setup->key_fd;
		args.fds[args.n_fds++] = setup->note_fd;
		args.fds[args.n_fds++] = setup->credential_fd;
		args.fds[args.n_fds++] = setup->boot_fd;
		control_note_set(setup->note, 0);
		metrics_set(&setup->note->metrics, METRIC_OPEN, 0);
		parent->unseal.n_slots = 0;
		parent->unseal.heard = false;
	}
	if ((err = child_spawn(&args, &child->pid, &child->control)) != CDOP_OK)
		return err;
	metrics_add(&setup->note->metrics,
	    child->role == PARENT_GATE ? METRIC_GATE_STARTS
				       : METRIC_VAULT_STARTS,
	    1);
	child->hung = false;
	watch_begin(&child->watch, clock_ms());
	child->event = event_new(parent->base, child->control,
	    EV_READ | EV_PERSIST, parent_hear, child);
	if (child->event == NULL || event_add(child->event, NULL) < 0)
		return CDOP_RESOURCE_EXHAUSTED;
	log_info("child.started", "child=%s pid=%d",
	    parent_role_name(child->role), (int)child->pid);
	return CDOP_OK;
}

/*
 * A new link whenever one of them is new: its sibling gets the other end and
 * drops all sessions, so that none outlives its vault or its gate.
 */
static void
ensure_children(struct parent *parent)
{
	struct cdop_bytes number = {
	    (const uint8_t *)&parent->links, sizeof(parent->links)};
	enum cdop_err err;
	int link[2];
	size_t i;

	if (parent->children[PARENT_GATE].pid != 0 &&
	    parent->children[PARENT_VAULT].pid != 0)
		return;
	err = ipc_pair(link);
	if (err != CDOP_OK) {
		log_error("link.failed", "error=%s", cdop_err_name(err));
		parent_stop(parent, PARENT_EXIT_SYSTEM);
		return;
	}
	parent->links++;
	for (i = 0; err == CDOP_OK && i < PARENT_ROLES; i++) {
		struct parent_child *child = &parent->children[i];

		if (child->pid == 0)
			err = start_child(child, link[i]);
		else if (control_send(child->control, CONTROL_LINK, number,
			     link[i]) != CDOP_OK)
			kill(child->pid, SIGKILL); /* then both are new */
	}
	fds_close(link[0]);
	fds_close(link[1]);
	if (err != CDOP_OK) {
		log_error("child.failed", "error=%s", cdop_err_name(err));
		parent_stop(parent, PARENT_EXIT_SYSTEM);
	}
}

/*
 * Whose request the vault died of, as far as its own words go.  Ended from
 * outside (SIGKILL, SIGTERM) it is nobody's.
 */
static void
note_culprit(struct parent *parent, const struct parent_child *child, int st)
{
	uint64_t credential = control_note_get(parent->setup.note);
	bool own = WIFSIGNALED(st) && WTERMSIG(st) != SIGKILL &&
	    WTERMSIG(st) != SIGTERM;

	parent->held_back = own || child->hung ? credential : 0;
	if (parent->held_back != 0)
		log_warning("credential.held", "credential=%llu",
		    (unsigned long long)parent->held_back);
}

static void
judge_death(struct parent *parent, enum parent_role role, int st)
{
	int code = WIFEXITED(st) ? WEXITSTATUS(st) : -1;
	size_t n;

	if (parent->stopping)
		return;
	if (code == CONTROL_EXIT_DATA || code == CONTROL_EXIT_CONFIG) {
		log_error("child.refused",
		    "child=%s status=%d note=\"see its last line; not "
		    "started again\"",
		    parent_role_name(role), code);
		parent_stop(parent, code);
		return;
	}
	n = deaths_count(&parent->deaths, clock_ms());
	if (n <= parent->conf.restarts)
		return;
	log_error("child.restarts",
	    "child=%s deaths=%zu note=\"too many in a minute, giving up\"",
	    parent_role_name(role), n);
	parent_stop(parent, CONTROL_EXIT_RESTARTS);
}

static void
bury_child(struct parent_child *child, int st)
{
	struct parent *parent = child->parent;

	/* Its last words may explain the death. */
	if (child->event != NULL) {
		parent_hear(child->control, EV_READ, child);
		event_free(child->event);
		child->event = NULL;
	}
	log_info("child.ended", "child=%s pid=%d status=%d signal=%d",
	    parent_role_name(child->role), (int)child->pid,
	    WIFEXITED(st) ? WEXITSTATUS(st) : -1,
	    WIFSIGNALED(st) ? WTERMSIG(st) : 0);
	fds_close(child->control);
	child->control = -1;
	child->pid = 0;
	child->watch.ready = false;
	if (child->role == PARENT_VAULT)
		note_culprit(parent, child, st);
	judge_death(parent, child->role, st);
}

static void
reap(struct parent *parent)
{
	size_t i, running = 0;
	pid_t pid;
	int st;

	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		for (i = 0; i < PARENT_ROLES; i++)
			if (parent->children[i].pid == pid)
				bury_child(&parent->children[i], st);
		if (parent->unseal.pid == pid) {
			parent->unseal.pid = 0;
			event_add(parent->unseal_event, NULL); /* next */
		}
	}
	if (!parent->stopping)
		ensure_children(parent);
	for (i = 0; i < PARENT_ROLES; i++)
		running += parent->children[i].pid != 0;
	if (parent->stopping && running == 0)
		event_base_loopbreak(parent->base);
}

/* A monitor that is not told anything is no reason to stop. */
static void
publish(struct parent *parent)
{
	const char *path = parent->conf.metrics_file;
	bool failed;

	parent->published_ms = clock_ms();
	if (path[0] == '\0')
		return;
	metrics_set(
	    &parent->setup.note->metrics, METRIC_WRITTEN_MS, clock_wall_ms());
	failed = metrics_publish(&parent->setup.note->metrics, path) != CDOP_OK;
	if (failed && !parent->unpublished)
		log_warning("metrics.failed", "file=%s problem=%s", path,
		    strerror(errno));
	parent->unpublished = failed;
}

static void
parent_reload(struct parent *parent)
{
	struct cdop_bytes body = {
	    (const uint8_t *)&parent->conf, sizeof(parent->conf)};
	struct config_error error;
	struct config fresh;
	char waiting[200];
	size_t i;

	if (config_load(parent->args->conf_path, &fresh, &error) != CDOP_OK) {
		log_error("reload.refused", "file=%s problem=%s",
		    parent->args->conf_path, error.text);
		return;
	}
	config_reload(&parent->conf, &fresh, waiting, sizeof(waiting));
	log_set_level((enum log_level)parent->conf.log_level);
	for (i = 0; i < PARENT_ROLES; i++) {
		if (parent->children[i].pid == 0)
			continue;
		/* A full socket: it hears of it on the next HUP. */
		if (control_send(parent->children[i].control, CONTROL_CONFIG,
			body, -1) != CDOP_OK)
			log_warning("reload.unheard", "child=%s",
			    parent_role_name(parent->children[i].role));
	}
	publish(parent);
	log_info("reload.done", "wait_for_restart=%s", waiting);
}

static void
on_signal(int number, void *ctx)
{
	struct parent *parent = ctx;

	if (number == SIGCHLD) {
		reap(parent);
	} else if (number == SIGHUP) {
		parent_reload(parent);
	} else {
		log_info("stop", "signal=%d", number);
		parent_stop(parent, 0);
	}
}

/* Whether it answers; asks it, and ends one that has not for too long. */
static bool
watch_child(struct parent_child *child)
{
	uint64_t now = clock_ms(), hang_ms = child->parent->args->hang_ms;
	enum watch_verdict verdict;

	if (child->pid == 0)
		return false;
	verdict = watch_look(
	    &child->watch, now, hang_ms == 0 ? WATCH_HANG_MS : hang_ms);
	if (verdict == WATCH_ASK &&
	    control_send(child->control, CONTROL_PING, nothing, -1) == CDOP_OK)
		watch_asked(&child->watch, now);
	if (verdict == WATCH_HANGS) {
		log_error("child.hangs", "child=%s pid=%d",
		    parent_role_name(child->role), (int)child->pid);
		child->hung = true;
		kill(child->pid, SIGKILL);
	}
	return watch_is_well(&child->watch, verdict);
}

/* The manager's watchdog is fed while both answer, and not by our own loop. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct parent *parent = arg;
	bool well = true;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < PARENT_ROLES; i++)
		well = watch_child(&parent->children[i]) && well;
	if (well && notify_watchdog_ms() > 0)
		notify_send("WATCHDOG=1");
	if (clock_ms() - parent->published_ms >= PARENT_PUBLISH_MS)
		publish(parent);
}

static void
on_unseal(evutil_socket_t fd, short what, void *arg)
{
	struct parent *parent = arg;
	const struct parent_child *vault = &parent->children[PARENT_VAULT];

	(void)what;
	unseal_serve(
	    &parent->unseal, (int)fd, vault->watch.ready ? vault->control : -1);
	/* One at a time: Argon2id takes up to 1 GiB.  The rest waits. */
	if (parent->unseal.pid != 0)
		event_del(parent->unseal_event);
}

static enum cdop_err
parent_events(struct parent *parent)
{
	uint64_t ms = notify_watchdog_ms();
	struct timeval tv;
	enum cdop_err err;

	if ((parent->base = event_base_new()) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	err = signals_new(parent->base, on_signal, parent, &parent->signals);
	if (err != CDOP_OK)
		return err;
	parent->tick = event_new(parent->base, -1, EV_PERSIST, on_tick, parent);
	parent->stop_timer =
	    event_new(parent->base, -1, 0, on_stop_timer, parent);
	parent->unseal_event = event_new(parent->base, parent->setup.control_fd,
	    EV_READ | EV_PERSIST, on_unseal, parent);
	if (parent->tick == NULL || parent->stop_timer == NULL ||
	    parent->unseal_event == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	tv = clock_timeval(ms > 0 && ms < PARENT_TICK_MS ? ms : PARENT_TICK_MS);
	if (event_add(parent->tick, &tv) < 0 ||
	    event_add(parent->unseal_event, NULL) < 0)
		return CDOP_RESOURCE_EXHAUSTED;
	return CDOP_OK;
}

static struct parent *
parent_new(const struct parent_args *args)
{
	struct parent *parent;
	size_t i;

	if ((parent = calloc(1, sizeof(*parent))) == NULL)
		return NULL;
	parent->args = args;
	parent->conf = *args->conf;
	parent->unseal.fn = args->unseal;
	for (i = 0; i < PARENT_ROLES; i++) {
		parent->children[i].parent = parent;
		parent->children[i].role = (enum parent_role)i;
		parent->children[i].control = -1;
	}
	return parent;
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static void
parent_free(struct parent *parent)
{
	size_t i;

	for (i = 0; i < PARENT_ROLES; i++) {
		if (parent->children[i].pid != 0)
			kill(parent->children[i].pid, SIGKILL);
		free_event(parent->children[i].event);
		fds_close(parent->children[i].control);
	}
	if (parent->unseal.pid != 0)
		kill(parent->unseal.pid, SIGKILL);
	free_event(parent->tick);
	free_event(parent->stop_timer);
	free_event(parent->unseal_event);
	signals_free(parent->signals);
	if (parent->base != NULL)
		event_base_free(parent->base);
	setup_close(&parent->setup, &parent->conf);
	free(parent);
}

int
parent_run(const struct parent_args *args)
{
	struct parent *parent = parent_new(args);
	int status = PARENT_EXIT_SYSTEM;

	if (parent == NULL)
		return status;
	notify_init();
	if (setup_open(&parent->conf, &parent->setup) != CDOP_OK) {
		log_error("start.refused", "problem=%s", parent->setup.problem);
		parent_free(parent);
		return CONTROL_EXIT_CONFIG;
	}
	if (sandbox_harden() == CDOP_OK && parent_events(parent) == CDOP_OK) {
		ensure_children(parent);
		if (!parent->stopping || parent->children[0].pid != 0 ||
		    parent->children[1].pid != 0)
			event_base_dispatch(parent->base);
		status = parent->status;
		/* It is not to be taken for one that runs. */
		metrics_set(&parent->setup.note->metrics, METRIC_OPEN, 0);
		publish(parent);
	}
	log_info("parent.ended", "status=%d", status);
	parent_free(parent);
	return status;
}
