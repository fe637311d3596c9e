/* What a person typed in, slot keys out. */
#include "server/kdf.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/vault/shares.h"
#include "server/vault/slots.h"

#define KDF_READ_MS 10000 /* from connect to the last byte */

_Static_assert(CONTROL_SHARE_LEN == CDOP_SHARE_LEN, "one share");

/* All of it in one place, locked and wiped. */
struct kdf_secrets {
	uint8_t verb;
	uint8_t typed[UNSEAL_PASSPHRASE_MAX];
	size_t len;
	uint8_t key[CONTROL_SECRET_LEN];
};

/* What a command of cdopd unseal comes to. */
struct kdf_work {
	struct kdf_secrets *secrets;
	int conn;
	int channel;
	const struct control_slot *slots;
	size_t n_slots;
};

static bool
read_exactly(int fd, uint8_t *out, size_t len, uint64_t until_ms)
{
	struct pollfd pfd = {fd, POLLIN, 0};
	uint64_t now;
	ssize_t n;

	while (len > 0) {
		now = clock_ms();
		if (now >= until_ms ||
		    poll(&pfd, 1, (int)(until_ms - now)) <= 0)
			return false;
		n = recv(fd, out, len, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		if (n > 0) {
			out += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool
is_length(uint8_t verb, size_t len)
{
	switch (verb) {
	case UNSEAL_VERB:
		return len > 0 && len <= UNSEAL_PASSPHRASE_MAX;
	case UNSEAL_VERB_KEY:
		return len == SLOTS_KEYFILE;
	case UNSEAL_VERB_SHARE:
		return len == CONTROL_SHARE_LEN;
	case UNSEAL_VERB_LOOK:
		return len == 1;
	default:
		return false;
	}
}

/* verb u8 || len u16 || len bytes */
static bool
read_request(int conn, struct kdf_secrets *secrets)
{
	uint64_t until_ms = clock_ms() + KDF_READ_MS;
	uint8_t head[3];

	if (!read_exactly(conn, head, sizeof(head), until_ms))
		return false;
	secrets->verb = head[0];
	secrets->len = cdop_get16(head + 1);
	if (!is_length(secrets->verb, secrets->len))
		return false;
	return read_exactly(conn, secrets->typed, secrets->len, until_ms);
}

/* Whether it may be tried with what comes under this verb. */
static bool
is_tried(uint8_t verb, const struct control_slot *slot)
{
	if (verb == UNSEAL_VERB_SHARE)
		return slot->kind == SLOTS_KIND_SHARES;
	return verb == UNSEAL_VERB_KEY ? slots_kind_is_file(slot->kind)
				       : slot->kind == SLOTS_KIND_PASSPHRASE;
}

static const char *
called(uint8_t verb)
{
	if (verb == UNSEAL_VERB_SHARE)
		return "share";
	return verb == UNSEAL_VERB_KEY ? "key file" : "passphrase";
}

static enum cdop_err
derive(struct kdf_secrets *secrets, const struct control_slot *slot)
{
	struct cdop_bytes typed = {secrets->typed, secrets->len};
	struct slots_kdf kdf = {
	    .passes = slot->passes, .memory_kib = slot->memory_kib};

	if (secrets->verb == UNSEAL_VERB_KEY)
		return slots_derive_keyfile(typed, secrets->key);
	memcpy(kdf.salt, slot->salt, sizeof(kdf.salt));
	return slots_derive_passphrase(&kdf, typed, secrets->key);
}

/* Whether the vault takes the key that this gives for one slot. */
static enum cdop_err
try_slot(const struct kdf_work *work, const struct control_slot *slot,
    bool *ret_opened)
{
	struct kdf_secrets *secrets = work->secrets;
	enum cdop_err err;

	err = derive(secrets, slot);
	if (err != CDOP_OK)
		return err;
	err = control_offer(work->channel, slot->slot, secrets->key,
	    CONTROL_OPEN_MS, ret_opened);
	explicit_bzero(secrets->key, sizeof(secrets->key));
	return err;
}

__attribute__((format(printf, 2, 3))) static void
answer(int conn, const char *format, ...)
{
	char line[UNSEAL_LINE_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* A person who went away gets no answer. */
	(void)send(conn, line, (size_t)len, MSG_NOSIGNAL);
}

static int
try_all(const struct kdf_work *work)
{
	const uint8_t verb = work->secrets->verb;
	const char *what = called(verb);
	enum cdop_err err, worst = CDOP_OK;
	bool opened = false;
	uint32_t takes = 0; /* KiB: the most that one of them does */
	size_t i, tried = 0;

	for (i = 0; i < work->n_slots; i++) {
		if (!is_tried(verb, &work->slots[i]))
			continue;
		tried++;
		if (work->slots[i].memory_kib > takes)
			takes = work->slots[i].memory_kib;
		err = try_slot(work, &work->slots[i], &opened);
		if (err == CDOP_OK && opened) {
			answer(work->conn, "ok slot %u opened\n",
			    (unsigned)work->slots[i].slot);
			return 0;
		}
		if (err != CDOP_OK)
			worst = err;
	}
	if (tried == 0)
		answer(work->conn, "no slot is opened with a %s\n", what);
	else if (worst == CDOP_OK)
		answer(work->conn, "no slot opens with this %s\n", what);
	else if (worst == CDOP_RESOURCE_EXHAUSTED)
		answer(work->conn,
		    "error not enough memory for cdopd: this %s takes %u MiB\n",
		    what, takes / 1024);
	else
		answer(work->conn, "error slots could not be tried (%s)\n",
		    cdop_err_name(worst));
	return 1;
}

static int
hand_share(const struct kdf_work *work)
{
	struct control_shared shared;
	enum cdop_err err;

	err = control_share(
	    work->channel, work->secrets->typed, CONTROL_OPEN_MS, &shared);
	if (err != CDOP_OK) {
		answer(work->conn, "error the share could not be given (%s)\n",
		    cdop_err_name(err));
		return 1;
	}
	if (shared.opened) {
		answer(work->conn, "ok opened with %u shares\n",
		    (unsigned)shared.need);
		return 0;
	}
	if (shared.verdict == SHARES_TAKEN || shared.verdict == SHARES_TWICE) {
		answer(work->conn, "ok share is %s: %u of %u\n",
		    shares_verdict_words((enum shares_verdict)shared.verdict),
		    (unsigned)shared.have, (unsigned)shared.need);
		return 0;
	}
	answer(work->conn, "no the share is %s\n",
	    shares_verdict_words((enum shares_verdict)shared.verdict));
	return 1;
}

/* For whoever would be asked for it: nobody types in vain. */
static int
look(const struct kdf_work *work)
{
	const uint8_t verb = work->secrets->typed[0];
	size_t i;

	for (i = 0; i < work->n_slots; i++)
		if (is_tried(verb, &work->slots[i])) {
			answer(work->conn, "ok it is wanted\n");
			return 0;
		}
	answer(work->conn, "no slot is opened with a %s\n", called(verb));
	return 1;
}

int
kdf_run(int conn, int channel, const struct control_slot *slots, size_t n_slots)
{
	static struct kdf_secrets secrets;
	const struct kdf_work work = {&secrets, conn, channel, slots, n_slots};
	int status = 1;

	/* Without the lock it may swap for the seconds it lives. */
	(void)mlock(&secrets, sizeof(secrets));
	if (!read_request(conn, &secrets))
		answer(conn, UNSEAL_NOTHING "\n");
	else if (secrets.verb == UNSEAL_VERB_SHARE)
		status = hand_share(&work);
	else if (secrets.verb == UNSEAL_VERB_LOOK)
		status = look(&work);
	else
		status = try_all(&work);
	explicit_bzero(&secrets, sizeof(secrets));
	shutdown(conn, SHUT_RDWR);
	return status;
}
