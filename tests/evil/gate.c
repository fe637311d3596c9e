/*
 * A gate that was taken over.  It has what a gate has: sockets of clients,
 * the link to the vault, a line to the parent, and time.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cdop/link.h"
#include "cdop/secret.h"
#include "server/base/fds.h"
#include "server/base/ipc.h"
#include "server/base/sandbox.h"
#include "tests/evil/evil.h"

#define CLIENTS  24
#define WORDS    16
#define RECORDED 64 /* frames of a session, for another day */
#define HEAD     2
#define BUFFER   (HEAD + CDOP_FRAME_MAX)

struct client {
	int fd; /* -1: free */
	uint64_t conn;
	bool opened;
	unsigned frames;
	uint8_t in[BUFFER];
	size_t in_len;
	uint8_t held[CDOP_FRAME_MAX]; /* a frame that comes later */
	size_t held_len;
};

struct record {
	size_t len;
	uint8_t bytes[512];
};

static struct {
	const char *deed;
	const struct control_start *start;
	int link;
	uint64_t next_conn;
	struct client client[CLIENTS];
	char words[1024];
	const char *word[WORDS];
	size_t n_words;
	unsigned long passed, seen;
	/* The first session, as it was said. */
	uint8_t preamble[CDOP_LINK_PREAMBLE_LEN];
	struct record record[RECORDED];
	size_t n_record;
	bool recorded;
	struct ipc_inbox *inbox;
} g;

static bool
does(const char *deed)
{
	return strcmp(g.deed, deed) == 0;
}

/* ---- what it reads ------------------------------------------------------- */

static void
look_for_words(struct cdop_bytes bytes)
{
	size_t i;

	g.passed++;
	for (i = 0; i < g.n_words; i++) {
		if (memmem(bytes.data, bytes.len, g.word[i],
			strlen(g.word[i])) == NULL)
			continue;
		g.seen++;
		evil_say("reads a word");
	}
}

/* ---- to the vault -------------------------------------------------------- */

/* Waits a little where the vault does not keep up. */
static void
say(uint64_t conn, uint8_t kind, uint8_t arg, struct cdop_bytes bytes)
{
	const struct ipc_packet packet = {conn, kind, arg, bytes};
	struct pollfd room = {g.link, POLLOUT, 0};
	unsigned tries;

	for (tries = 0; tries < 100; tries++) {
		if (ipc_send(g.link, &packet) != CDOP_RESOURCE_EXHAUSTED)
			return;
		(void)poll(&room, 1, 20);
	}
}

static void
say_number(uint64_t conn, uint8_t kind, uint32_t n)
{
	uint8_t bytes[4];

	cdop_put32(bytes, n);
	say(conn, kind, 0, (struct cdop_bytes){bytes, sizeof(bytes)});
}

static void
say_noise(uint64_t conn, uint8_t kind, size_t len)
{
	static uint8_t noise[4096];

	cdop_secret_random(noise, len);
	say(conn, kind, noise[0], (struct cdop_bytes){noise, len});
}

/* The session of before, under a number of its own. */
static void
play_again(void)
{
	uint64_t conn = ++g.next_conn;
	size_t i;

	say(conn, IPC_OPEN, 0,
	    (struct cdop_bytes){g.preamble, sizeof(g.preamble)});
	for (i = 0; i < g.n_record; i++)
		say(conn, IPC_FRAME, 0,
		    (struct cdop_bytes){g.record[i].bytes, g.record[i].len});
}

static void
record(const struct client *client, struct cdop_bytes frame)
{
	struct record *to = &g.record[g.n_record];

	if (g.recorded || client != &g.client[0] || g.n_record == RECORDED ||
	    frame.len > sizeof(to->bytes))
		return;
	to->len = frame.len;
	memcpy(to->bytes, frame.data, frame.len);
	g.n_record++;
}

/* Packets of every kind about connections that are others'. */
static void
forge(const struct client *client)
{
	unsigned i;

	for (i = 0; i < 8; i++) {
		say_noise(client->conn + i % 3, IPC_FRAME, 1 + 64 * i);
		say_noise(client->conn + 100 + i, IPC_FRAME, 64);
	}
	say_number(client->conn, IPC_SENT, UINT32_MAX);
	say_number(client->conn + 1, IPC_SENT, 7);
	say_noise(client->conn, IPC_DISCARDED, 0);
	say_noise(client->conn, IPC_OPEN, 64);
	say_noise(1, IPC_OPEN, 8);
}

static void
break_rules(void)
{
	static const uint8_t packets[][20] = {{0}, {255, 255},
	    {0, 0, 0, 0, 0, 0, 0, 1, 99},
	    {0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 255, 255, 255, 255}};
	size_t i;

	for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
		(void)!write(g.link, packets[i], 4 + 5 * i);
}

static void
flood(void)
{
	unsigned i;

	for (i = 0; i < 3000; i++) {
		say_noise(++g.next_conn, IPC_OPEN, 8);
		say_noise(g.next_conn, IPC_FRAME, 65);
	}
}

/* Lies of the vault's, told to the parent. */
static void
lie_to_parent(void)
{
	struct cdop_bytes words = {(const uint8_t *)"open", 4};
	unsigned kind;

	for (kind = CONTROL_START; kind <= CONTROL_OPENING; kind++)
		if (kind <= CONTROL_PING || kind >= CONTROL_READY)
			(void)!control_send(CONTROL_FD, (enum control_kind)kind,
			    words, kind % 2 == 0 ? g.link : -1);
}

/* To a vault that has not asked for it, or another client's. */
static void
pass_up(struct client *client, struct cdop_bytes frame)
{
	static uint8_t other[CDOP_FRAME_MAX];
	const bool is_call = ++client->frames > 2;
	size_t i;

	look_for_words(frame);
	record(client, frame);
	if (does("drop") && is_call && client->frames % 3 == 0) {
		evil_say("keeps a frame");
		return;
	}
	if (does("reorder") && is_call && client->held_len == 0) {
		memcpy(client->held, frame.data, frame.len);
		client->held_len = frame.len;
		evil_say("keeps a frame");
		return;
	}
	if (does("flip") && is_call) {
		memcpy(other, frame.data, frame.len);
		other[client->frames % frame.len] ^= 1;
		frame.data = other;
	}
	say(client->conn, IPC_FRAME, 0, frame);
	if (client->held_len > 0)
		say(client->conn, IPC_FRAME, 0,
		    (struct cdop_bytes){client->held, client->held_len});
	client->held_len = 0;
	if (does("replay") && is_call)
		say(client->conn, IPC_FRAME, 0, frame);
	if (does("cross")) {
		say(client->conn - 1, IPC_FRAME, 0, frame);
		say(client->conn + 1, IPC_FRAME, 0, frame);
	}
	for (i = 0; does("cross") && i < CLIENTS; i++)
		if (g.client[i].fd >= 0 && &g.client[i] != client)
			say(g.client[i].conn, IPC_FRAME, 0, frame);
	if (does("forge"))
		forge(client);
	if (does("rules") && is_call)
		break_rules();
	if (does("parent") && is_call)
		lie_to_parent();
}

/* ---- clients ------------------------------------------------------------- */

static void
hang_up(struct client *client)
{
	if (client->fd < 0)
		return;
	if (client->opened)
		say(client->conn, IPC_CLOSED, 0, (struct cdop_bytes){NULL, 0});
	if (client == &g.client[0] && g.n_record > 2)
		g.recorded = true;
	(void)close(client->fd);
	client->fd = -1;
}

static void
take_in(int listening)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	size_t i;

	if (fd < 0)
		return;
	for (i = 0; i < CLIENTS && g.client[i].fd >= 0; i++)
		;
	if (i == CLIENTS) {
		(void)close(fd);
		return;
	}
	memset(&g.client[i], 0, sizeof(g.client[i]));
	g.client[i].fd = fd;
}

static void
drop(struct client *client, size_t used)
{
	client->in_len -= used;
	memmove(client->in, client->in + used, client->in_len);
}

/* Where from is the gate's word, and so is which key it was. */
static void
open_one(struct client *client)
{
	static const char lie[] = "unix uid=0 pid=1 user=root admin=yes";
	uint8_t text[CDOP_LINK_PREAMBLE_LEN + sizeof(lie)];
	struct cdop_bytes bytes = {text, CDOP_LINK_PREAMBLE_LEN};

	if (does("old") && g.recorded)
		play_again();
	if (does("flood"))
		flood();
	client->conn = ++g.next_conn;
	client->opened = true;
	memcpy(text, client->in, CDOP_LINK_PREAMBLE_LEN);
	if (!g.recorded)
		memcpy(g.preamble, text, sizeof(g.preamble));
	memcpy(text + bytes.len, lie, sizeof(lie) - 1);
	if (does("lie"))
		bytes.len += sizeof(lie) - 1;
	say(client->conn, IPC_OPEN, does("lie-key") ? 1 : 0, bytes);
	drop(client, CDOP_LINK_PREAMBLE_LEN);
}

static void
take_frames(struct client *client)
{
	struct cdop_bytes frame;
	size_t len;

	if (!client->opened && client->in_len >= CDOP_LINK_PREAMBLE_LEN)
		open_one(client);
	while (client->opened && client->in_len >= HEAD) {
		len = cdop_get16(client->in);
		if (client->in_len < HEAD + len)
			return;
		frame = (struct cdop_bytes){client->in + HEAD, len};
		/* Behind message 1 stands what is for the gate. */
		if (client->frames == 0 && frame.len > CDOP_LINK_MESSAGE1_LEN)
			frame.len = CDOP_LINK_MESSAGE1_LEN;
		pass_up(client, frame);
		if (client->fd < 0)
			return;
		drop(client, HEAD + len);
	}
}

static void
hear_client(struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len,
	    sizeof(client->in) - client->in_len, 0);

	if (n <= 0) {
		hang_up(client);
		return;
	}
	client->in_len += (size_t)n;
	take_frames(client);
}

static void
put(struct client *client, const uint8_t *data, size_t len)
{
	struct pollfd room = {client->fd, POLLOUT, 0};
	ssize_t n;

	while (len > 0) {
		n = send(client->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && poll(&room, 1, 2000) <= 0)
			return;
		n = n < 0 ? 0 : n;
		data += n;
		len -= (size_t)n;
	}
}

static void
pass_down(struct client *client, struct cdop_bytes frame)
{
	static uint8_t out[BUFFER];
	const size_t len = HEAD + frame.len;

	look_for_words(frame);
	cdop_put16(out, (uint16_t)frame.len);
	memcpy(out + HEAD, frame.data, frame.len);
	if (does("down-flip") && client->frames > 2)
		out[HEAD + frame.len / 2] ^= 1;
	put(client, out, len);
	if (does("down-replay") && client->frames > 2)
		put(client, out, len);
	say_number(client->conn, IPC_SENT, (uint32_t)frame.len);
}

static void
hear_packet(const struct ipc_packet *packet)
{
	size_t i;

	for (i = 0; i < CLIENTS; i++) {
		if (g.client[i].fd < 0 || g.client[i].conn != packet->conn)
			continue;
		if (packet->kind == IPC_FRAME)
			pass_down(&g.client[i], packet->bytes);
		else if (packet->kind == IPC_CLOSE)
			hang_up(&g.client[i]);
	}
	/* What was to be thrown away is kept, and this is a lie. */
	if (packet->kind == IPC_DISCARD)
		say_noise(packet->conn, IPC_DISCARDED, 0);
}

/* ---- the loop ------------------------------------------------------------ */

static bool
hear_parent(void)
{
	static struct control_msg msg;
	struct cdop_bytes none = {NULL, 0};
	enum cdop_err err;

	while ((err = control_recv(CONTROL_FD, &msg)) == CDOP_OK) {
		if (msg.kind == CONTROL_PING)
			(void)!control_send(CONTROL_FD, CONTROL_PONG, none, -1);
		if (msg.kind == CONTROL_STOP)
			return false;
		if (msg.kind == CONTROL_LINK && msg.fd >= 0) {
			fds_close(g.link);
			g.link = msg.fd;
			msg.fd = -1;
		}
		fds_close(msg.fd);
	}
	return err == CDOP_NOT_FOUND;
}

static void
hear_vault(void)
{
	size_t i, n;

	if (ipc_recv_many(g.link, g.inbox, IPC_INBOX_MAX, &n) != CDOP_OK)
		return;
	for (i = 0; i < n; i++)
		hear_packet(ipc_inbox_get(g.inbox, i));
}

/* One look at everybody; false: the parent is gone, or says stop. */
static bool
turn(void)
{
	struct pollfd at[2 + CONFIG_LISTEN_MAX + CLIENTS];
	const uint32_t n_listen = g.start->n_listen;
	struct client *of[CLIENTS];
	size_t i, n = 0, first;

	at[n++] = (struct pollfd){CONTROL_FD, POLLIN, 0};
	at[n++] = (struct pollfd){g.link, POLLIN, 0};
	for (i = 0; i < n_listen; i++)
		at[n++] =
		    (struct pollfd){CONTROL_LISTEN_FD + (int)i, POLLIN, 0};
	first = n;
	for (i = 0; i < CLIENTS; i++) {
		if (g.client[i].fd < 0)
			continue;
		of[n - first] = &g.client[i];
		at[n++] = (struct pollfd){g.client[i].fd, POLLIN, 0};
	}
	(void)poll(at, n, 1000);
	if ((at[0].revents != 0 && !hear_parent()))
		return false;
	if (at[1].revents != 0)
		hear_vault();
	for (i = 0; i < n_listen; i++)
		if (at[2 + i].revents != 0)
			take_in(at[2 + i].fd);
	for (i = first; i < n; i++)
		if (at[i].revents != 0 && of[i - first]->fd == at[i].fd)
			hear_client(of[i - first]);
	return true;
}

static void
take_words(void)
{
	const char *text = getenv("EVIL_WORDS");
	char *save = NULL, *word;

	if (text == NULL)
		return;
	(void)snprintf(g.words, sizeof(g.words), "%s", text);
	for (word = strtok_r(g.words, ",", &save);
	     word != NULL && g.n_words < WORDS;
	     word = strtok_r(NULL, ",", &save))
		g.word[g.n_words++] = word;
}

int
evil_gate(const struct control_start *start, const char *deed)
{
	struct cdop_bytes none = {NULL, 0};
	bool landlock;
	size_t i;

	g.deed = deed;
	g.start = start;
	g.link = CONTROL_LINK_FD;
	g.next_conn = start->first_conn;
	for (i = 0; i < CLIENTS; i++)
		g.client[i].fd = -1;
	take_words();
	if (ipc_inbox_new(&g.inbox) != CDOP_OK ||
	    sandbox_enter(SANDBOX_GATE, NULL, 0, &landlock) != CDOP_OK ||
	    control_send(CONTROL_FD, CONTROL_READY, none, -1) != CDOP_OK)
		return 1;
	while (turn())
		;
	evil_say("%s: %lu frames passed, %lu with a word in them", deed,
	    g.passed, g.seen);
	return 0;
}
