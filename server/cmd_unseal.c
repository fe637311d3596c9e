/* cdopd unseal: what a person has, to the parent's control socket. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/address.h"
#include "server/base/log.h"
#include "server/cmd.h"
#include "server/offline_key.h"
#include "server/share_read.h"

#define CMD_UNAVAILABLE 69

static const char usage_text[] =
    "usage: cdopd unseal [-f FILE] " OFFLINE_KEY_USAGE;

/* Not a socket that somebody else put there to be told the passphrase. */
static bool
is_ours(int fd, const char *user)
{
	const struct passwd *daemon = user[0] != '\0' ? getpwnam(user) : NULL;
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid() ||
		(daemon != NULL && peer.uid == daemon->pw_uid));
}

static int
connect_control(const struct config *conf)
{
	struct address address;
	int fd;

	if (address_parse("unix " UNSEAL_SOCKET, conf->run_dir, &address) !=
	    CDOP_OK)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address.sa, address.len) ==
		0 &&
	    is_ours(fd, conf->user))
		return fd;
	close(fd);
	return -1;
}

/* The daemon's one line, without its end; empty: there was none. */
static void
read_line(int fd, char ret_line[static UNSEAL_LINE_MAX + 1])
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, ret_line + len, UNSEAL_LINE_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < UNSEAL_LINE_MAX);
	ret_line[len] = '\0';
	ret_line[strcspn(ret_line, "\n")] = '\0';
}

/* Status by its first word. */
static int
tell_answer(uint8_t verb, const char *line)
{
	const bool is_look = verb == UNSEAL_VERB_LOOK;

	if (strncmp(line, "ok ", 3) == 0) {
		if (!is_look)
			printf("%s\n", line + 3);
		return CMD_OK;
	}
	if (is_look && strcmp(line, UNSEAL_NOTHING) == 0) {
		log_tell("the daemon that runs is of an older release than "
			 "this program: it still takes what opens it, and "
			 "systemctl restart cdopd puts the new one in its "
			 "place");
		return CMD_OK;
	}
	log_tell(
	    "%s", *line != '\0' ? line : "the daemon closed without an answer");
	return CMD_FAILED;
}

/* One request and the answer to it; wipes the secret. */
static int
unseal_with(
    const struct config *conf, uint8_t verb, uint8_t *secret, size_t len)
{
	uint8_t request[3 + UNSEAL_PASSPHRASE_MAX];
	char line[UNSEAL_LINE_MAX + 1];
	int fd;

	if ((fd = connect_control(conf)) < 0) {
		log_tell("no cdopd answers in %s, or it is not yours",
		    conf->run_dir);
		explicit_bzero(secret, len);
		return CMD_UNAVAILABLE;
	}
	request[0] = verb;
	cdop_put16(request + 1, (uint16_t)len);
	memcpy(request + 3, secret, len);
	explicit_bzero(secret, len);
	/* One that does not take it has said why, or closes. */
	(void)send(fd, request, 3 + len, MSG_NOSIGNAL);
	explicit_bzero(request, sizeof(request));
	read_line(fd, line);
	close(fd);
	return tell_answer(verb, line);
}

/* Before somebody is asked for what comes under this verb. */
static int
look(const struct config *conf, uint8_t verb)
{
	return unseal_with(conf, UNSEAL_VERB_LOOK, &verb, 1);
}

static int
unseal_passphrase(
    const struct config *conf, const struct offline_passphrase *from)
{
	uint8_t passphrase[UNSEAL_PASSPHRASE_MAX];
	size_t len = 0;
	int status;

	if (from->file == NULL && !from->from_stdin &&
	    (status = look(conf, UNSEAL_VERB)) != CMD_OK)
		return status;
	if (offline_read_passphrase(from, "Passphrase: ", passphrase,
		sizeof(passphrase), &len) != CDOP_OK)
		return CMD_USAGE;
	return unseal_with(conf, UNSEAL_VERB, passphrase, len);
}

static int
unseal_key_file(const struct config *conf, const char *path)
{
	uint8_t file[SLOTS_KEYFILE + 1];
	ssize_t len;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	len = fd < 0 ? -1 : read(fd, file, sizeof(file));
	if (fd >= 0)
		close(fd);
	if (len == SLOTS_KEYFILE)
		return unseal_with(conf, UNSEAL_VERB_KEY, file, SLOTS_KEYFILE);
	log_tell("%s: %s", path,
	    len < 0 ? strerror(errno)
		    : "not a key file, which has exactly 32 random bytes");
	cdop_secret_wipe(file, sizeof(file));
	return CMD_USAGE;
}

static int
unseal_share(const struct config *conf, struct cdop_share *share)
{
	uint8_t packed[CDOP_SHARE_LEN];

	cdop_share_pack(share, packed);
	cdop_secret_wipe(share, sizeof(*share));
	return unseal_with(conf, UNSEAL_VERB_SHARE, packed, sizeof(packed));
}

/* One after the other; whoever comes later goes on where this ends. */
static int
unseal_shares(const struct config *conf, const struct offline_from *from)
{
	struct cdop_share share;
	enum cdop_err err;
	int status = CMD_OK;
	size_t i;

	for (i = 0; i < from->n_share_file && status == CMD_OK; i++)
		status = share_read_file(from->share_file[i], &share) == CDOP_OK
		    ? unseal_share(conf, &share)
		    : CMD_USAGE;
	if (!from->shares || status != CMD_OK ||
	    (status = look(conf, UNSEAL_VERB_SHARE)) != CMD_OK)
		return status;
	err = share_read_terminal(&share);
	if (err == CDOP_OK)
		return unseal_share(conf, &share);
	if (err == CDOP_ABORTED)
		log_tell("no share was given");
	return CMD_USAGE;
}

int
cmd_unseal(int argc, char **argv)
{
	struct offline_from from;
	char *rest[4];
	struct config conf;
	const char *path;
	int i, n = 0, status;

	memset(&from, 0, sizeof(from));
	for (i = 0; i < argc && n < 4; i++) {
		if (i > 0 && offline_key_take(&from, argc, argv, &i))
			continue;
		if (i > 0 && strncmp(argv[i], "--", 2) == 0)
			return cmd_wrong("unseal", usage_text, argc, argv, i);
		rest[n++] = argv[i];
	}
	status = cmd_config(n, rest, NULL, &conf, &path, NULL);
	if (status != CMD_OK)
		return status;
	if (from.key_file != NULL)
		return unseal_key_file(&conf, from.key_file);
	if (from.n_share_file > 0 || from.shares)
		return unseal_shares(&conf, &from);
	return unseal_passphrase(&conf, &from.passphrase);
}
