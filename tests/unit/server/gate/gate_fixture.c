/* The other side of everything a gate talks to. */
#include "tests/unit/server/gate/gate_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/link.h"
#include "cdop/secret.h"
#include "server/base/address.h"
#include "server/base/log.h"
#include "server/base/signals.h"
#include "server/gate/gate.h"

#define PATIENCE_MS 5000

void
gate_fixture_init(struct gate_fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	memset(f, 0, sizeof(*f));
	assert_int_equal(cdop_secret_init(), CDOP_OK);
	config_init(&f->conf);
	f->conf.log_level = LOG_LEVEL_ERROR;
	f->conf.gate_source_connections = CDOP_GATE_CONNS_MAX;
	f->conf.gate_source_handshakes = 0;
	f->conf.gate_source_garbage = 0;
	snprintf(f->path, sizeof(f->path), "%s/gate.%d",
	    tmp != NULL ? tmp : P_tmpdir, (int)getpid());
	memset(f->keys[0], 0x11, IPC_KEY_LEN);
	memset(f->keys[1], 0x22, IPC_KEY_LEN);
	assert_int_equal(ipc_inbox_new(&f->inbox), CDOP_OK);
}

static void
run_gate(const struct gate_fixture *f, struct gate_args *args)
{
	struct rlimit limit = {f->max_fds, f->max_fds};

	log_init("gate", (enum log_level)f->conf.log_level);
	signals_ignore();
	if (f->max_fds > 0)
		setrlimit(RLIMIT_NOFILE, &limit);
	exit(gate_main(args)); /* and no leak, where that is looked for */
}

static int
listen_on(const char *text, struct address *ret_address)
{
	int fd;

	assert_int_equal(address_parse(text, "/", ret_address), CDOP_OK);
	assert_int_equal(address_listen(ret_address, 0600, &fd), CDOP_OK);
	return fd;
}

void
gate_fixture_start(struct gate_fixture *f)
{
	static struct control_msg msg;
	struct gate_args args = {.conf = &f->conf, .n_listen = 2};
	struct sockaddr_in in;
	struct address address;
	socklen_t len = sizeof(in);
	int control[2], link[2];
	char text[128];

	args.listen[0] = listen_on("tcp 127.0.0.1:0", &address);
	assert_int_equal(
	    getsockname(args.listen[0], (struct sockaddr *)&in, &len), 0);
	f->port = ntohs(in.sin_port);
	snprintf(text, sizeof(text), "unix %s", f->path);
	args.listen[1] = listen_on(text, &address);
	assert_int_equal(control_pair(control), CDOP_OK);
	assert_int_equal(ipc_pair(link), CDOP_OK);
	args.control = control[1];
	args.link = link[1];
	args.first_conn = FIXTURE_FIRST_CONN;
	f->control = control[0];
	f->link = link[0];
	fflush(NULL); /* the child exits in earnest */
	assert_true((f->pid = fork()) >= 0);
	if (f->pid == 0) {
		close(f->control);
		close(f->link);
		run_gate(f, &args);
	}
	close(args.listen[0]);
	close(args.listen[1]);
	close(control[1]);
	close(link[1]);
	assert_int_equal(control_wait(f->control, PATIENCE_MS, &msg), CDOP_OK);
	assert_int_equal(msg.kind, CONTROL_READY);
}

void
gate_fixture_say(struct gate_fixture *f, uint64_t conn, enum ipc_kind kind,
    const void *data, size_t len)
{
	struct ipc_packet packet = {conn, (uint8_t)kind, 0, {data, len}};
	struct pollfd pfd = {f->link, POLLOUT, 0};
	enum cdop_err err;

	if (kind == IPC_KEYS)
		packet.arg = (uint8_t)(len / IPC_KEY_LEN);
	while ((err = ipc_send(f->link, &packet)) == CDOP_RESOURCE_EXHAUSTED)
		assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(err, CDOP_OK);
}

void
gate_fixture_say_keys(struct gate_fixture *f, uint8_t n)
{
	gate_fixture_say(f, 0, IPC_KEYS, f->keys, (size_t)n * IPC_KEY_LEN);
}

void
gate_fixture_begin(struct gate_fixture *f)
{
	gate_fixture_start(f);
	gate_fixture_say_keys(f, 2);
}

void
gate_fixture_end(struct gate_fixture *f)
{
	if (f->pid > 0 && waitpid(f->pid, NULL, WNOHANG) == 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
}

void
gate_fixture_taken(struct gate_fixture *f, uint64_t conn, uint32_t len)
{
	uint8_t bytes[4];

	cdop_put32(bytes, len);
	gate_fixture_say(f, conn, IPC_TAKEN, bytes, sizeof(bytes));
}

void
gate_fixture_stop(struct gate_fixture *f)
{
	struct cdop_bytes none = {NULL, 0};
	int st;

	assert_int_equal(
	    control_send(f->control, CONTROL_STOP, none, -1), CDOP_OK);
	close(f->link);
	assert_int_equal(waitpid(f->pid, &st, 0), f->pid);
	if (!WIFEXITED(st) || WEXITSTATUS(st) != 0)
		fail_msg("the gate ended with status %#x", (unsigned)st);
	close(f->control);
	unlink(f->path);
	ipc_inbox_free(f->inbox);
}

static int
patient(int fd)
{
	struct timeval tv = {PATIENCE_MS / 1000, 0};

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	return fd;
}

int
gate_fixture_connect(const struct gate_fixture *f)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(f->port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	return patient(fd);
}

int
gate_fixture_connect_unix(const struct gate_fixture *f)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, f->path, sizeof(f->path));
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	return patient(fd);
}

static void
write_all(int fd, const uint8_t *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return; /* closed: what is read will tell */
		data += n;
		len -= (size_t)n;
	}
}

void
gate_fixture_greet(const struct gate_fixture *f, int fd, size_t which)
{
	uint8_t bytes[CDOP_LINK_FIRST_LEN], key[CDOP_KEY_LEN];
	uint8_t *message = bytes + CDOP_LINK_PREAMBLE_LEN + 2;

	cdop_link_preamble(bytes);
	cdop_put16(bytes + CDOP_LINK_PREAMBLE_LEN, CDOP_LINK_FRAME1_LEN);
	memset(message, 0xe1, CDOP_LINK_MESSAGE1_LEN);
	cdop_link_mac1_key(key, f->keys[which]);
	cdop_link_mac1(message + CDOP_LINK_MESSAGE1_LEN, key, bytes, message);
	write_all(fd, bytes, sizeof(bytes));
}

void
gate_fixture_send(int fd, size_t len, uint8_t fill)
{
	static uint8_t bytes[2 + CDOP_FRAME_MAX];

	cdop_put16(bytes, (uint16_t)len);
	memset(bytes + 2, fill, len);
	write_all(fd, bytes, 2 + len);
}

uint64_t
gate_fixture_handshake(struct gate_fixture *f, int fd)
{
	uint64_t conn;

	gate_fixture_greet(f, fd, 0);
	conn = gate_fixture_next(f)->conn;
	gate_fixture_expect(f, IPC_FRAME, conn);
	gate_fixture_send(fd, CDOP_LINK_MESSAGE3_LEN, 3);
	gate_fixture_expect(f, IPC_FRAME, conn);
	return conn;
}

const struct ipc_packet *
gate_fixture_next(struct gate_fixture *f)
{
	struct pollfd pfd = {f->link, POLLIN, 0};

	while (f->at_inbox == f->n_inbox) {
		if (poll(&pfd, 1, PATIENCE_MS) != 1)
			fail_msg("nothing came to the vault");
		f->at_inbox = 0;
		assert_int_equal(ipc_recv_many(f->link, f->inbox, IPC_INBOX_MAX,
				     &f->n_inbox),
		    CDOP_OK);
	}
	return ipc_inbox_get(f->inbox, f->at_inbox++);
}

const struct ipc_packet *
gate_fixture_expect(struct gate_fixture *f, enum ipc_kind kind, uint64_t conn)
{
	const struct ipc_packet *packet = gate_fixture_next(f);

	assert_int_equal(packet->kind, kind);
	assert_true(packet->conn == conn);
	return packet;
}

void
gate_fixture_expect_silence(struct gate_fixture *f, int ms)
{
	struct pollfd pfd = {f->link, POLLIN, 0};

	assert_int_equal(f->at_inbox, f->n_inbox);
	assert_int_equal(poll(&pfd, 1, ms), 0);
}

bool
gate_fixture_is_closed(int fd, int ms)
{
	struct pollfd pfd = {fd, POLLIN, 0};
	char c;

	if (poll(&pfd, 1, ms) != 1)
		return false;
	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) <= 0;
}

void
gate_fixture_read(int fd, void *out, size_t len)
{
	assert_int_equal(recv(fd, out, len, MSG_WAITALL), len);
}
