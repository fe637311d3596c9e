/* cdopd unseal: a passphrase from a person to the parent's control socket. */
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cdop/bytes.h"
#include "server/base/address.h"
#include "server/base/log.h"
#include "server/base/unseal.h"
#include "server/cmd.h"
#include "server/prompt.h"

#define CMD_UNAVAILABLE 69

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

/* The daemon's one line; status by its first word. */
static int
read_answer(int fd)
{
	char line[UNSEAL_LINE_MAX + 1];
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, line + len, sizeof(line) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < sizeof(line) - 1);
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "ok ", 3) == 0) {
		printf("%s\n", line + 3);
		return CMD_OK;
	}
	if (len == 0)
		log_tell("the daemon closed without an answer");
	else
		log_tell("%s", line);
	return CMD_FAILED;
}

/* The request and the answer to it; wipes the passphrase. */
static int
unseal_with(int fd, uint8_t *passphrase, size_t len)
{
	uint8_t request[3 + UNSEAL_PASSPHRASE_MAX];

	request[0] = UNSEAL_VERB;
	cdop_put16(request + 1, (uint16_t)len);
	memcpy(request + 3, passphrase, len);
	explicit_bzero(passphrase, len);
	/* One that does not take it has said why, or closes. */
	(void)send(fd, request, 3 + len, MSG_NOSIGNAL);
	explicit_bzero(request, sizeof(request));
	return read_answer(fd);
}

int
cmd_unseal(int argc, char **argv)
{
	static const char *const longs[] = {"passphrase-stdin", NULL};
	uint8_t passphrase[UNSEAL_PASSPHRASE_MAX];
	bool from_stdin = false;
	struct config conf;
	const char *path;
	enum cdop_err err;
	size_t len = 0;
	int status, fd;

	status = cmd_config(argc, argv, longs, &conf, &path, &from_stdin);
	if (status != CMD_OK)
		return status;
	if ((fd = connect_control(&conf)) < 0) {
		log_tell(
		    "no cdopd answers in %s, or it is not yours", conf.run_dir);
		return CMD_UNAVAILABLE;
	}
	err = from_stdin ? prompt_stdin(passphrase, sizeof(passphrase), &len)
			 : prompt_terminal("Passphrase: ", passphrase,
			       sizeof(passphrase), &len);
	if (err == CDOP_OK) {
		status = unseal_with(fd, passphrase, len);
	} else {
		log_tell(err == CDOP_FAILED_PRECONDITION
			? "no terminal; use --passphrase-stdin"
			: "no passphrase, or over 1024 bytes");
		status = CMD_USAGE;
	}
	close(fd);
	return status;
}
