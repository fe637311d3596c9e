/*
 * The vault as a process, with the test as its parent and its gate: what it
 * says when a gate talks nonsense, and what it forgets.
 */
#include "server/cycle/vault.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/control.h"
#include "server/base/fds.h"
#include "server/base/ipc.h"
#include "server/base/log.h"
#include "server/base/undo.h"
#include "server/vault/rows_slots.h"
#include "server/vault/shares.h"
#include "tests/unit/server/world.h"

#define WAIT_MS    20000
#define FIRST_LINK 7

static const struct cdop_bytes nothing;

static struct {
	struct world world;
	pid_t pid;
	int control; /* the parent's end */
	int link;    /* the gate's */
	struct control_msg msg;
	struct cdop_share share[SHAMIR_MAX];
	int said;             /* its log */
	uint64_t *forward_ms; /* its clock of sessions, and ours */
} t;

/* In place of libc's: that clock alone goes as the test says. */
int
clock_gettime(clockid_t id, struct timespec *ret_time)
{
	long rc = syscall(SYS_clock_gettime, id, ret_time);

	if (id == CLOCK_BOOTTIME && t.forward_ms != NULL)
		ret_time->tv_sec += (time_t)(*t.forward_ms / 1000);
	return (int)rc;
}

static void
be_the_vault(int control, int link)
{
	static struct config conf;
	struct vault_fds fds = {.control = control,
	    .link = link,
	    .link_number = FIRST_LINK,
	    .key = -1,
	    .credential = -1,
	    .boot = -1};

	(void)close(t.control);
	(void)close(t.link);
	log_init("vault", LOG_LEVEL_INFO);
	(void)snprintf(conf.data_dir, sizeof(conf.data_dir), "%s", t.world.dir);
	conf.map_size_gib = 1;
	conf.handshake_s = 10;
	conf.idle_s = 900;
	fds.note = mmap(NULL, sizeof(*fds.note), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_exit(fds.note == MAP_FAILED ? 99 : vault_main(&conf, &fds));
}

/* Two of four people. */
static void
deal(void)
{
	const struct slots_set_new plan = {
	    .k = 2, .n = 4, .holder = {"Dora Director"}};
	uint16_t number;

	undo_begin(t.world.undo);
	assert_int_equal(rows_begin(t.world.rows, 1u << 16, 64), CDOP_OK);
	assert_int_equal(rows_slots_add_set(t.world.rows, "custodians", &plan,
			     &number, t.share),
	    CDOP_OK);
	assert_int_equal(rows_commit(t.world.rows), CDOP_OK);
	undo_commit(t.world.undo);
}

static int
setup(void **state)
{
	int control[2], link[2], said[2];

	(void)state;
	t.forward_ms = mmap(NULL, sizeof(*t.forward_ms), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(t.forward_ms != MAP_FAILED);
	*t.forward_ms = 0;
	assert_int_equal(pipe(said), 0);
	world_make(&t.world);
	deal();
	world_close(&t.world); /* it has the store for itself */
	assert_int_equal(control_pair(control), CDOP_OK);
	assert_int_equal(ipc_pair(link), CDOP_OK);
	t.control = control[0];
	t.link = link[0];
	t.pid = fork();
	assert_true(t.pid >= 0);
	if (t.pid == 0) {
		assert_int_equal(dup2(said[1], STDERR_FILENO), STDERR_FILENO);
		be_the_vault(control[1], link[1]);
	}
	(void)close(said[1]);
	t.said = said[0];
	(void)close(control[1]);
	(void)close(link[1]);
	return 0;
}

static int
teardown(void **state)
{
	int status;

	(void)state;
	assert_int_equal(
	    control_send(t.control, CONTROL_STOP, nothing, -1), CDOP_OK);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	fds_close(t.control);
	fds_close(t.link);
	fds_close(t.said);
	assert_int_equal(munmap(t.forward_ms, sizeof(*t.forward_ms)), 0);
	t.forward_ms = NULL;
	world_open(&t.world);
	world_end(&t.world);
	return 0;
}

/* The next word of the vault but for what it says of itself at the start. */
static enum control_kind
hear(void)
{
	do
		assert_int_equal(
		    control_wait(t.control, WAIT_MS, &t.msg), CDOP_OK);
	while (t.msg.kind == CONTROL_READY || t.msg.kind == CONTROL_SLOTS ||
	    t.msg.kind == CONTROL_STATE);
	return (enum control_kind)t.msg.kind;
}

static void
hear_lost(uint64_t number)
{
	uint64_t said;

	assert_int_equal(hear(), CONTROL_LOST);
	assert_int_equal(t.msg.len, sizeof(said));
	memcpy(&said, t.msg.body, sizeof(said));
	assert_int_equal(said, number);
	/* And says it once, however long nobody comes. */
	assert_int_equal(
	    control_send(t.control, CONTROL_PING, nothing, -1), CDOP_OK);
	assert_int_equal(hear(), CONTROL_PONG);
}

static void
a_gate_that_talks_nonsense_is_said_to_be_lost(void **state)
{
	uint64_t number = FIRST_LINK + 1;
	struct cdop_bytes body = {(const uint8_t *)&number, sizeof(number)};
	int link[2];

	(void)state;
	assert_int_equal(send(t.link, "nonsense", 8, MSG_NOSIGNAL), 8);
	hear_lost(FIRST_LINK);
	/* The next one is listened to, and no better. */
	assert_int_equal(ipc_pair(link), CDOP_OK);
	assert_int_equal(
	    control_send(t.control, CONTROL_LINK, body, link[1]), CDOP_OK);
	fds_close(link[1]);
	fds_close(t.link);
	t.link = link[0];
	assert_int_equal(send(t.link, "nonsense", 8, MSG_NOSIGNAL), 8);
	hear_lost(FIRST_LINK + 1);
}

static void
a_gate_that_is_gone_is_said_to_be_lost(void **state)
{
	(void)state;
	fds_close(t.link);
	t.link = -1;
	hear_lost(FIRST_LINK);
}

/* Until the vault has said it. */
static void
wait_for(const char *event)
{
	struct pollfd polled = {.fd = t.said, .events = POLLIN};
	static char text[1u << 16];
	size_t len = 0;
	ssize_t n;

	do {
		assert_int_equal(poll(&polled, 1, WAIT_MS), 1);
		n = read(t.said, text + len, sizeof(text) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
		text[len] = '\0';
	} while (strstr(text, event) == NULL);
}

static void
a_share_is_forgotten_after_an_hour_though_nobody_comes(void **state)
{
	uint8_t packed[CONTROL_SHARE_LEN];
	struct control_shared shared;
	int channel[2], i;

	(void)state;
	cdop_share_pack(&t.share[2], packed);
	assert_int_equal(control_pair(channel), CDOP_OK);
	assert_int_equal(
	    control_send(t.control, CONTROL_UNSEAL, nothing, channel[1]),
	    CDOP_OK);
	fds_close(channel[1]);
	for (i = 0; i < 2; i++) {
		assert_int_equal(
		    control_share(channel[0], packed, WAIT_MS, &shared),
		    CDOP_OK);
		assert_int_equal(
		    shared.verdict, i == 0 ? SHARES_TAKEN : SHARES_TWICE);
		assert_int_equal(shared.have, 1);
	}
	*t.forward_ms = SHARES_KEPT_MS + 1000;
	wait_for("shares.forgotten n=1");
	fds_close(channel[0]);
}

/* Reading a large registry takes longer than a vault may be silent. */
static void
one_that_begins_to_open_says_so_before_it_reads(void **state)
{
	uint8_t packed[CONTROL_SHARE_LEN];
	struct control_shared shared;
	int channel[2], i;

	(void)state;
	assert_int_equal(control_pair(channel), CDOP_OK);
	assert_int_equal(
	    control_send(t.control, CONTROL_UNSEAL, nothing, channel[1]),
	    CDOP_OK);
	fds_close(channel[1]);
	for (i = 0; i < 2; i++) {
		cdop_share_pack(&t.share[i], packed);
		assert_int_equal(
		    control_share(channel[0], packed, WAIT_MS, &shared),
		    CDOP_OK);
	}
	assert_int_equal(shared.opened, 1);
	fds_close(channel[0]);
	assert_int_equal(hear(), CONTROL_OPENING);
	assert_int_equal(control_wait(t.control, WAIT_MS, &t.msg), CDOP_OK);
	assert_int_equal(t.msg.kind, CONTROL_STATE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_gate_that_talks_nonsense_is_said_to_be_lost),
	    TEST(a_gate_that_is_gone_is_said_to_be_lost),
	    TEST(a_share_is_forgotten_after_an_hour_though_nobody_comes),
	    TEST(one_that_begins_to_open_says_so_before_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
