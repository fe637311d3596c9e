/* The control socket and the child that derives keys. */
#include "server/base/unseal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/address.h"
#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/base/signals.h"

/*
 * Sixteen slots of 1 GiB and 8 passes on a slow machine, and a vault that
 * reads its registry then.
 */
#define UNSEAL_SECONDS_MAX (300 + CONTROL_OPEN_MS / 1000)
#define UNSEAL_FIRST_FD    3
#define UNSEAL_EXIT_FAILED 71

enum cdop_err
unseal_listen(const char *run_dir, int *ret_fd)
{
	struct address address;
	enum cdop_err err;

	err = address_parse("unix " UNSEAL_SOCKET, run_dir, &address);
	if (err != CDOP_OK)
		return err;
	return address_listen(&address, 0600, ret_fd);
}

void
unseal_unlink(const char *run_dir)
{
	struct address address;

	if (address_parse("unix " UNSEAL_SOCKET, run_dir, &address) == CDOP_OK)
		address_unlink(&address);
}

void
unseal_slots(struct unseal *unseal, const struct control_msg *msg)
{
	struct cdop_bytes body = {msg->body, msg->len};

	if (control_parse_slots(body, unseal->slots, &unseal->n_slots) !=
	    CDOP_OK)
		unseal->n_slots = 0;
	unseal->heard = true;
}

static bool
is_allowed(int conn)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	return getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid());
}

/* One line, if the other side takes it. */
static void
refuse(int conn, const char *line)
{
	char text[UNSEAL_LINE_MAX];
	int len = snprintf(text, sizeof(text), "error %s\n", line);

	/* A peer that has gone has nothing to be told. */
	(void)send(conn, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* In the forked child; does not come back. */
static void
unseal_child(const struct unseal *unseal, int conn, int channel)
{
	int fds[2] = {conn, channel};
	bool landlock;

	signals_default();
	signal(SIGPIPE, SIG_IGN);
	log_init("unseal", LOG_LEVEL_INFO);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    fds_place(fds, 2, UNSEAL_FIRST_FD) != CDOP_OK)
		_exit(UNSEAL_EXIT_FAILED);
	alarm(UNSEAL_SECONDS_MAX);
	if (sandbox_enter(SANDBOX_KDF, NULL, 0, &landlock) != CDOP_OK)
		_exit(UNSEAL_EXIT_FAILED);
	_exit(unseal->fn(UNSEAL_FIRST_FD, UNSEAL_FIRST_FD + 1, unseal->slots,
	    unseal->n_slots));
}

static void
spawn(struct unseal *unseal, int conn, int vault_control)
{
	struct cdop_bytes nothing = {NULL, 0};
	enum cdop_err err;
	int channel[2];
	pid_t pid = -1;

	if (control_pair(channel) != CDOP_OK) {
		refuse(conn, "no resources");
		return;
	}
	err = control_send(vault_control, CONTROL_UNSEAL, nothing, channel[1]);
	if (err == CDOP_OK && (pid = fork()) == 0)
		unseal_child(unseal, conn, channel[0]);
	if (pid > 0)
		unseal->pid = pid;
	else
		refuse(conn, "the vault cannot be reached");
	fds_close(channel[0]);
	fds_close(channel[1]);
}

void
unseal_serve(struct unseal *unseal, int listen_fd, int vault_control)
{
	static struct log_limit limit = {.per_minute = 10};
	int conn;

	conn = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn < 0)
		return;
	if (!is_allowed(conn))
		log_limited(&limit, "control.refused", NULL);
	else if (vault_control < 0 || !unseal->heard)
		refuse(conn, "the vault is not ready");
	else if (unseal->n_slots == 0)
		refuse(conn, "it is open: there is nothing to unseal");
	else
		spawn(unseal, conn, vault_control);
	fds_close(conn); /* a child that took it has its own */
}
