/* Messages between parent and children: one kind byte and a body. */
#include "server/base/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/fds.h"

#define CONTROL_BUFFER   (256 << 10)
#define CONTROL_SLOT_LEN (2 + 1 + CONTROL_SALT_LEN + 4 + 4)

_Static_assert(
    sizeof(struct control_start) <= CONTROL_BODY_MAX, "start in one message");
_Static_assert(CONTROL_SLOTS_MAX *CONTROL_SLOT_LEN <= CONTROL_BODY_MAX,
    "all slots in one message");

enum cdop_err
control_pair(int ret_fds[2])
{
	return fds_pair(CONTROL_BUFFER, ret_fds);
}

enum cdop_err
control_send(int fd, enum control_kind kind, struct cdop_bytes body, int passed)
{
	uint8_t head = (uint8_t)kind;

	CDOP_ASSERT(body.len <= CONTROL_BODY_MAX);
	return fds_send(fd, (struct cdop_bytes){&head, 1}, body, passed);
}

static bool
is_kind(uint8_t kind)
{
	return (kind >= CONTROL_START && kind <= CONTROL_PING) ||
	    (kind >= CONTROL_READY && kind <= CONTROL_OPENING);
}

enum cdop_err
control_recv(int fd, struct control_msg *ret_msg)
{
	uint8_t *body = ret_msg->body;
	enum cdop_err err;
	size_t len;
	int passed;

	err = fds_recv(fd, body, sizeof(ret_msg->body), &len, &passed);
	if (err != CDOP_OK)
		return err;
	if (!is_kind(body[0])) {
		fds_close(passed);
		return CDOP_INVALID_ARGUMENT;
	}
	ret_msg->kind = (enum control_kind)body[0];
	ret_msg->fd = passed;
	ret_msg->len = len - 1;
	memmove(body, body + 1, len - 1);
	return CDOP_OK;
}

/* Waits for something to read; CDOP_DEADLINE_EXCEEDED. */
static enum cdop_err
wait_readable(int fd, uint64_t until_ms)
{
	struct pollfd pfd = {fd, POLLIN, 0};
	uint64_t now;
	int n;

	do {
		now = clock_ms();
		n = poll(&pfd, 1, now < until_ms ? (int)(until_ms - now) : 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return CDOP_INTERNAL;
	return n == 0 ? CDOP_DEADLINE_EXCEEDED : CDOP_OK;
}

enum cdop_err
control_wait(int fd, int timeout_ms, struct control_msg *ret_msg)
{
	uint64_t until_ms = clock_ms() + (unsigned)timeout_ms;
	enum cdop_err err;

	do {
		if ((err = wait_readable(fd, until_ms)) != CDOP_OK)
			return err;
		err = control_recv(fd, ret_msg);
	} while (err == CDOP_NOT_FOUND);
	return err;
}

enum cdop_err
control_send_state(int fd, enum control_kind kind, const char *state)
{
	uint8_t body[CONTROL_STATE_MAX];
	struct cdop_bytes bytes = {body, strlen(state)};

	CDOP_ASSERT(bytes.len < sizeof(body));
	memcpy(body, state, bytes.len);
	return control_send(fd, kind, bytes, -1);
}

enum cdop_err
control_send_slots(int fd, const struct control_slot *slots, size_t n)
{
	uint8_t body[CONTROL_SLOTS_MAX * CONTROL_SLOT_LEN];
	struct cdop_bytes bytes = {body, n * CONTROL_SLOT_LEN};
	uint8_t *at = body;
	size_t i;

	CDOP_ASSERT(n <= CONTROL_SLOTS_MAX);
	for (i = 0; i < n; i++, at += CONTROL_SLOT_LEN) {
		cdop_put16(at, slots[i].slot);
		at[2] = slots[i].kind;
		memcpy(at + 3, slots[i].salt, CONTROL_SALT_LEN);
		cdop_put32(at + 19, slots[i].passes);
		cdop_put32(at + 23, slots[i].memory_kib);
	}
	return control_send(fd, CONTROL_SLOTS, bytes, -1);
}

enum cdop_err
control_parse_slots(struct cdop_bytes body,
    struct control_slot ret_slots[static CONTROL_SLOTS_MAX], size_t *ret_n)
{
	size_t n = body.len / CONTROL_SLOT_LEN, i;
	const uint8_t *at = body.data;

	if (body.len % CONTROL_SLOT_LEN != 0 || n > CONTROL_SLOTS_MAX)
		return CDOP_INVALID_ARGUMENT;
	for (i = 0; i < n; i++, at += CONTROL_SLOT_LEN) {
		ret_slots[i].slot = cdop_get16(at);
		ret_slots[i].kind = at[2];
		memcpy(ret_slots[i].salt, at + 3, CONTROL_SALT_LEN);
		ret_slots[i].passes = cdop_get32(at + 19);
		ret_slots[i].memory_kib = cdop_get32(at + 23);
	}
	*ret_n = n;
	return CDOP_OK;
}

/* A bare message on the channel of an unsealing. */
static enum cdop_err
control_fixed(int fd, const uint8_t *data, size_t len)
{
	struct cdop_bytes none = {NULL, 0};

	return fds_send(fd, (struct cdop_bytes){data, len}, none, -1);
}

/* Sends what is offered and waits for len bytes of an answer. */
static enum cdop_err
ask(int fd, struct cdop_bytes offer, int timeout_ms, uint8_t *ret_answer,
    size_t answer_len)
{
	uint8_t answer[8];
	enum cdop_err err;
	size_t len;
	int passed;

	if ((err = control_fixed(fd, offer.data, offer.len)) != CDOP_OK)
		return err;
	if ((err = wait_readable(fd, clock_ms() + (unsigned)timeout_ms)) !=
	    CDOP_OK)
		return err;
	err = fds_recv(fd, answer, sizeof(answer), &len, &passed);
	if (err != CDOP_OK)
		return err;
	fds_close(passed);
	if (len != answer_len || answer[0] > 1)
		return CDOP_INVALID_ARGUMENT;
	memcpy(ret_answer, answer, len);
	return CDOP_OK;
}

enum cdop_err
control_offer(int fd, uint16_t slot,
    const uint8_t secret[static CONTROL_SECRET_LEN], int timeout_ms,
    bool *ret_opened)
{
	uint8_t offer[CONTROL_OFFER_LEN], answer;
	enum cdop_err err;

	cdop_put16(offer, slot);
	memcpy(offer + 2, secret, CONTROL_SECRET_LEN);
	err = ask(fd, (struct cdop_bytes){offer, sizeof(offer)}, timeout_ms,
	    &answer, 1);
	explicit_bzero(offer, sizeof(offer));
	if (err == CDOP_OK)
		*ret_opened = answer == 1;
	return err;
}

enum cdop_err
control_share(int fd, const uint8_t share[static CONTROL_SHARE_LEN],
    int timeout_ms, struct control_shared *ret_shared)
{
	uint8_t answer[4];
	enum cdop_err err;

	err = ask(fd, (struct cdop_bytes){share, CONTROL_SHARE_LEN}, timeout_ms,
	    answer, sizeof(answer));
	if (err == CDOP_OK)
		*ret_shared = (struct control_shared){
		    answer[0] == 1, answer[1], answer[2], answer[3]};
	return err;
}

enum cdop_err
control_offer_recv(int fd, struct control_offered *ret_offered)
{
	uint8_t offer[CONTROL_SHARE_LEN + 1];
	enum cdop_err err;
	size_t len;
	int passed;

	err = fds_recv(fd, offer, sizeof(offer), &len, &passed);
	if (err != CDOP_OK)
		return err;
	fds_close(passed);
	if (len == CONTROL_OFFER_LEN) {
		ret_offered->is_share = false;
		ret_offered->slot = cdop_get16(offer);
		memcpy(ret_offered->secret, offer + 2, CONTROL_SECRET_LEN);
	} else if (len == CONTROL_SHARE_LEN) {
		ret_offered->is_share = true;
		memcpy(ret_offered->secret, offer, CONTROL_SHARE_LEN);
	} else {
		err = CDOP_INVALID_ARGUMENT;
	}
	explicit_bzero(offer, sizeof(offer));
	return err;
}

enum cdop_err
control_offer_answer(int fd, bool opened)
{
	uint8_t answer = opened ? 1 : 0;

	return control_fixed(fd, &answer, 1);
}

enum cdop_err
control_share_answer(int fd, const struct control_shared *shared)
{
	const uint8_t answer[4] = {shared->opened ? 1 : 0, shared->verdict,
	    shared->have, shared->need};

	return control_fixed(fd, answer, sizeof(answer));
}

void
control_note_set(struct control_note *note, uint64_t credential)
{
	atomic_store_explicit(
	    &note->credential, credential, memory_order_relaxed);
}

uint64_t
control_note_get(struct control_note *note)
{
	return atomic_load_explicit(&note->credential, memory_order_relaxed);
}
