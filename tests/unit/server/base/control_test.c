/* Messages between parent and child; descriptors that travel with them. */
#include "server/base/control.h"

#include <fcntl.h>
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

#include "server/base/fds.h"

static int ends[2];
static struct control_msg msg;
static const struct cdop_bytes nothing = {NULL, 0};

static int
open_pair(void **state)
{
	(void)state;
	assert_int_equal(control_pair(ends), CDOP_OK);
	return 0;
}

static int
close_pair(void **state)
{
	(void)state;
	fds_close(ends[0]);
	fds_close(ends[1]);
	return 0;
}

static void
a_message_brings_kind_body_and_descriptor(void **state)
{
	static uint8_t big[CONTROL_BODY_MAX];
	struct cdop_bytes body = {big, sizeof(big)};
	int pipes[2];
	char c = 0;

	(void)state;
	memset(big, 0x5a, sizeof(big));
	assert_int_equal(control_recv(ends[1], &msg), CDOP_NOT_FOUND);
	assert_int_equal(
	    control_send(ends[0], CONTROL_CONFIG, body, -1), CDOP_OK);
	assert_int_equal(control_recv(ends[1], &msg), CDOP_OK);
	assert_int_equal(msg.kind, CONTROL_CONFIG);
	assert_int_equal(msg.fd, -1);
	assert_int_equal(msg.len, sizeof(big));
	assert_memory_equal(msg.body, big, sizeof(big));
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(
	    control_send(ends[0], CONTROL_LINK, nothing, pipes[1]), CDOP_OK);
	close(pipes[1]);
	assert_int_equal(control_wait(ends[1], 1000, &msg), CDOP_OK);
	assert_true(msg.fd >= 0);
	assert_true((fcntl(msg.fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(write(msg.fd, "x", 1), 1);
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(msg.fd);
	close(pipes[0]);
}

static void
waiting_ends_at_its_deadline_and_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(
	    control_wait(ends[1], 20, &msg), CDOP_DEADLINE_EXCEEDED);
	close(ends[0]);
	ends[0] = -1;
	assert_int_equal(control_wait(ends[1], 20, &msg), CDOP_UNAVAILABLE);
	assert_int_equal(
	    control_send(ends[1], CONTROL_PONG, nothing, -1), CDOP_UNAVAILABLE);
}

static void
what_is_no_message_of_ours_is_refused(void **state)
{
	static uint8_t huge[CONTROL_BODY_MAX + 2] = {CONTROL_PING};
	static const uint8_t bad[] = {0, 7, 15, 22, 255};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad); i++) {
		assert_int_equal(send(ends[0], &bad[i], 1, 0), 1);
		assert_int_equal(
		    control_recv(ends[1], &msg), CDOP_INVALID_ARGUMENT);
	}
	assert_int_equal(send(ends[0], huge, sizeof(huge), 0), sizeof(huge));
	assert_int_equal(control_recv(ends[1], &msg), CDOP_INVALID_ARGUMENT);
	assert_int_equal(control_recv(ends[1], &msg), CDOP_NOT_FOUND);
}

static size_t
count_fds(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A peer that passes more than one, or passes where none belongs. */
static void
descriptors_nobody_asked_for_are_closed(void **state)
{
	union {
		char bytes[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control;

	uint8_t kind = CONTROL_PING;
	struct iovec iov = {&kind, 1};
	struct msghdr hdr;
	struct cmsghdr *cmsg;
	int fds[3] = {0, 1, 2};
	size_t before;

	(void)state;
	memset(&control, 0, sizeof(control));
	memset(&hdr, 0, sizeof(hdr));
	hdr.msg_iov = &iov;
	hdr.msg_iovlen = 1;
	hdr.msg_control = control.bytes;
	hdr.msg_controllen = sizeof(control.bytes);
	cmsg = CMSG_FIRSTHDR(&hdr);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
	before = count_fds();
	assert_int_equal(sendmsg(ends[0], &hdr, 0), 1);
	assert_int_equal(control_recv(ends[1], &msg), CDOP_INVALID_ARGUMENT);
	assert_int_equal(count_fds(), before);
}

static void
slots_travel_unchanged_and_bounded(void **state)
{
	struct control_slot slots[CONTROL_SLOTS_MAX], got[CONTROL_SLOTS_MAX];
	struct cdop_bytes body;
	size_t n, i;

	(void)state;
	memset(slots, 0, sizeof(slots));
	memset(got, 0, sizeof(got));
	for (i = 0; i < CONTROL_SLOTS_MAX; i++) {
		slots[i].slot = (uint16_t)(i * 1000);
		slots[i].kind = (uint8_t)(i % 5);
		memset(slots[i].salt, (int)i, sizeof(slots[i].salt));
		slots[i].passes = (uint32_t)i;
		slots[i].memory_kib = 1U << 20;
	}
	assert_int_equal(
	    control_send_slots(ends[0], slots, CONTROL_SLOTS_MAX), CDOP_OK);
	assert_int_equal(control_recv(ends[1], &msg), CDOP_OK);
	assert_int_equal(msg.kind, CONTROL_SLOTS);
	body.data = msg.body;
	body.len = msg.len;
	assert_int_equal(control_parse_slots(body, got, &n), CDOP_OK);
	assert_int_equal(n, CONTROL_SLOTS_MAX);
	assert_memory_equal(got, slots, sizeof(slots));
	body.len--;
	assert_int_equal(
	    control_parse_slots(body, got, &n), CDOP_INVALID_ARGUMENT);
	body.len = (CONTROL_SLOTS_MAX + 1) * 27;
	assert_int_equal(
	    control_parse_slots(body, got, &n), CDOP_INVALID_ARGUMENT);
	assert_int_equal(control_send_slots(ends[0], NULL, 0), CDOP_OK);
	assert_int_equal(control_recv(ends[1], &msg), CDOP_OK);
	body.len = msg.len;
	assert_int_equal(control_parse_slots(body, got, &n), CDOP_OK);
	assert_int_equal(n, 0);
}

static void
an_offered_key_is_answered(void **state)
{
	uint8_t secret[CONTROL_SECRET_LEN];
	struct control_offered got;
	bool opened = false;
	pid_t pid;
	int st;

	(void)state;
	memset(secret, 0x77, sizeof(secret));
	assert_int_equal(control_offer_recv(ends[1], &got), CDOP_NOT_FOUND);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		if (control_offer(ends[0], 513, secret, 5000, &opened) !=
		    CDOP_OK)
			_exit(1);
		_exit(opened ? 42 : 43);
	}
	while (control_offer_recv(ends[1], &got) == CDOP_NOT_FOUND)
		usleep(1000);
	assert_false(got.is_share);
	assert_int_equal(got.slot, 513);
	assert_memory_equal(got.secret, secret, sizeof(secret));
	assert_int_equal(control_offer_answer(ends[1], true), CDOP_OK);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 42);
	/* No answer: the offer ends by itself. */
	assert_int_equal(control_offer(ends[0], 1, secret, 20, &opened),
	    CDOP_DEADLINE_EXCEEDED);
	assert_int_equal(control_offer_recv(ends[1], &got), CDOP_OK);
	/* Something else than an offer. */
	assert_int_equal(send(ends[0], secret, 5, 0), 5);
	assert_int_equal(
	    control_offer_recv(ends[1], &got), CDOP_INVALID_ARGUMENT);
	close(ends[0]);
	ends[0] = -1;
	assert_int_equal(control_offer_recv(ends[1], &got), CDOP_UNAVAILABLE);
}

static void
a_share_is_answered_with_how_many_there_are(void **state)
{
	const struct control_shared said = {false, 3, 2, 5};
	uint8_t share[CONTROL_SHARE_LEN];
	struct control_shared heard;
	struct control_offered got;
	pid_t pid;
	int st;

	(void)state;
	memset(share, 0x66, sizeof(share));
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		if (control_share(ends[0], share, 5000, &heard) != CDOP_OK)
			_exit(1);
		_exit(heard.opened || heard.verdict != 3 || heard.have != 2 ||
		    heard.need != 5);
	}
	while (control_offer_recv(ends[1], &got) == CDOP_NOT_FOUND)
		usleep(1000);
	assert_true(got.is_share);
	assert_memory_equal(got.secret, share, sizeof(share));
	assert_int_equal(control_share_answer(ends[1], &said), CDOP_OK);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 0);
}

static void
the_note_outlives_who_wrote_it(void **state)
{
	struct control_note *note;
	pid_t pid;

	(void)state;
	note = mmap(NULL, sizeof(*note), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(note != MAP_FAILED);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		control_note_set(note, 0x1234567890abcdef);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(control_note_get(note) == 0x1234567890abcdef);
	munmap(note, sizeof(*note));
}

/* The child of fds_place lists what it has. */
static void
a_child_gets_its_descriptors_in_place_and_no_others(void **state)
{
	int fds[3], pipes[2], st, fd;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	/* Crossed: what goes to 4 is 5 now, and the other way round. */
	fds[0] = dup2(pipes[1], 5);
	fds[1] = -1;
	fds[2] = dup2(pipes[0], 3);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		if (fds_place(fds, 3, 3) != CDOP_OK)
			_exit(1);
		for (fd = 3; fd < 200; fd++)
			if ((fcntl(fd, F_GETFD) >= 0) != (fd == 3 || fd == 5))
				_exit(fd);
		if (fcntl(3, F_GETFD) != 0 || write(3, "a", 1) != 1)
			_exit(2);
		_exit(fcntl(5, F_GETFL) == O_RDONLY ? 0 : 210);
	}
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(WEXITSTATUS(st), 0);
	close(3);
	close(5);
	if (pipes[0] != 3 && pipes[0] != 5)
		close(pipes[0]);
	if (pipes[1] != 3 && pipes[1] != 5)
		close(pipes[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_message_brings_kind_body_and_descriptor, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		waiting_ends_at_its_deadline_and_at_the_end, open_pair,
		close_pair),
	    cmocka_unit_test_setup_teardown(
		what_is_no_message_of_ours_is_refused, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		descriptors_nobody_asked_for_are_closed, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		slots_travel_unchanged_and_bounded, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		an_offered_key_is_answered, open_pair, close_pair),
	    cmocka_unit_test_setup_teardown(
		a_share_is_answered_with_how_many_there_are, open_pair,
		close_pair),
	    cmocka_unit_test(the_note_outlives_who_wrote_it),
	    cmocka_unit_test(
		a_child_gets_its_descriptors_in_place_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
