/*
 * The vault as a process, with the test as its parent and its gate: what it
 * says when a gate talks nonsense.
 */
#include "server/cycle/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/control.h"
#include "server/base/fds.h"
#include "server/base/ipc.h"
#include "server/base/log.h"
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
} t;

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
	log_init("vault", LOG_LEVEL_ERROR);
	(void)snprintf(conf.data_dir, sizeof(conf.data_dir), "%s", t.world.dir);
	conf.map_size_gib = 1;
	conf.handshake_s = 10;
	conf.idle_s = 900;
	fds.note = mmap(NULL, sizeof(*fds.note), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_exit(fds.note == MAP_FAILED ? 99 : vault_main(&conf, &fds));
}

static int
setup(void **state)
{
	int control[2], link[2];

	(void)state;
	world_make(&t.world);
	world_close(&t.world); /* it has the store for itself */
	assert_int_equal(control_pair(control), CDOP_OK);
	assert_int_equal(ipc_pair(link), CDOP_OK);
	t.control = control[0];
	t.link = link[0];
	t.pid = fork();
	assert_true(t.pid >= 0);
	if (t.pid == 0)
		be_the_vault(control[1], link[1]);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_gate_that_talks_nonsense_is_said_to_be_lost),
	    TEST(a_gate_that_is_gone_is_said_to_be_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
