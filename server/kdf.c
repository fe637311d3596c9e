/* Passphrase in, slot keys out. */
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
#include "server/vault/slots.h"

#define KDF_READ_MS   10000  /* from connect to the last byte */
#define KDF_ANSWER_MS 120000 /* the vault opens rows and builds its index */

/* All of it in one place, locked and wiped. */
struct kdf_secrets {
	uint8_t passphrase[UNSEAL_PASSPHRASE_MAX];
	size_t len;
	uint8_t key[CONTROL_SECRET_LEN];
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

/* verb u8 || len u16 || len bytes */
static bool
read_request(int conn, struct kdf_secrets *secrets)
{
	uint64_t until_ms = clock_ms() + KDF_READ_MS;
	uint8_t head[3];

	if (!read_exactly(conn, head, sizeof(head), until_ms))
		return false;
	secrets->len = cdop_get16(head + 1);
	if (head[0] != UNSEAL_VERB || secrets->len == 0 ||
	    secrets->len > sizeof(secrets->passphrase))
		return false;
	return read_exactly(conn, secrets->passphrase, secrets->len, until_ms);
}

/* Whether the vault takes the key this passphrase gives for one slot. */
static enum cdop_err
try_slot(struct kdf_secrets *secrets, int channel,
    const struct control_slot *slot, bool *ret_opened)
{
	struct cdop_bytes passphrase = {secrets->passphrase, secrets->len};
	struct slots_kdf kdf = {
	    .passes = slot->passes, .memory_kib = slot->memory_kib};
	enum cdop_err err;

	memcpy(kdf.salt, slot->salt, sizeof(kdf.salt));
	err = slots_derive_passphrase(&kdf, passphrase, secrets->key);
	if (err != CDOP_OK)
		return err;
	err = control_offer(
	    channel, slot->slot, secrets->key, KDF_ANSWER_MS, ret_opened);
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
try_all(struct kdf_secrets *secrets, int conn, int channel,
    const struct control_slot *slots, size_t n_slots)
{
	enum cdop_err err, worst = CDOP_OK;
	bool opened = false;
	size_t i;

	for (i = 0; i < n_slots; i++) {
		err = try_slot(secrets, channel, &slots[i], &opened);
		if (err == CDOP_OK && opened) {
			answer(conn, "ok slot %u opened\n",
			    (unsigned)slots[i].slot);
			return 0;
		}
		if (err != CDOP_OK)
			worst = err;
	}
	if (worst == CDOP_OK)
		answer(conn, "no slot opens with this passphrase\n");
	else
		answer(conn, "error slots could not be tried (%s)\n",
		    cdop_err_name(worst));
	return 1;
}

int
kdf_run(int conn, int channel, const struct control_slot *slots, size_t n_slots)
{
	static struct kdf_secrets secrets;
	int status = 1;

	/* Without the lock it may swap for the seconds it lives. */
	(void)mlock(&secrets, sizeof(secrets));
	if (read_request(conn, &secrets))
		status = try_all(&secrets, conn, channel, slots, n_slots);
	else
		answer(conn, "error no passphrase came\n");
	explicit_bzero(&secrets, sizeof(secrets));
	shutdown(conn, SHUT_RDWR);
	return status;
}
