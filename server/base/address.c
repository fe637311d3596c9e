/* Listening addresses: text to socket and back. */
#include "server/base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/base/fds.h"

#define ADDRESS_BACKLOG 512

static enum cdop_err
parse_port(const char *text, in_port_t *ret_port)
{
	unsigned long port;
	size_t len = strlen(text);

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return CDOP_INVALID_ARGUMENT;
	port = strtoul(text, NULL, 10);
	if (port > 65535)
		return CDOP_INVALID_ARGUMENT;
	*ret_port = htons((uint16_t)port);
	return CDOP_OK;
}

/* "192.0.2.1:4433" or "[2001:db8::1]:4433" */
static enum cdop_err
parse_tcp(const char *text, struct address *ret_address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ret_address->sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret_address->sa;
	const char *colon = strrchr(text, ':');
	bool is_v6 = text[0] == '[';
	char host[INET6_ADDRSTRLEN];
	size_t len;

	if (colon == NULL)
		return CDOP_INVALID_ARGUMENT;
	len = (size_t)(colon - text);
	if (is_v6 && (len < 2 || text[len - 1] != ']'))
		return CDOP_INVALID_ARGUMENT;
	text += is_v6 ? 1 : 0;
	len -= is_v6 ? 2 : 0;
	if (len >= sizeof(host))
		return CDOP_INVALID_ARGUMENT;
	memcpy(host, text, len);
	host[len] = '\0';
	if (is_v6) {
		in6->sin6_family = AF_INET6;
		ret_address->len = sizeof(*in6);
		if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
			return CDOP_INVALID_ARGUMENT;
		return parse_port(colon + 1, &in6->sin6_port);
	}
	in->sin_family = AF_INET;
	ret_address->len = sizeof(*in);
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return CDOP_INVALID_ARGUMENT;
	return parse_port(colon + 1, &in->sin_port);
}

static enum cdop_err
parse_unix(const char *path, const char *run_dir, struct address *ret_address)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&ret_address->sa;
	bool absolute = path[0] == '/';
	int n;

	if (path[0] == '\0')
		return CDOP_INVALID_ARGUMENT;
	un->sun_family = AF_UNIX;
	ret_address->len = sizeof(*un);
	n = snprintf(un->sun_path, sizeof(un->sun_path), "%s%s%s",
	    absolute ? "" : run_dir, absolute ? "" : "/", path);
	if (n < 0 || (size_t)n >= sizeof(un->sun_path))
		return CDOP_INVALID_ARGUMENT;
	return CDOP_OK;
}

enum cdop_err
address_parse(
    const char *text, const char *run_dir, struct address *ret_address)
{
	struct address address;
	enum cdop_err err;

	memset(&address, 0, sizeof(address));
	if (strncmp(text, "tcp ", 4) == 0)
		err = parse_tcp(text + 4, &address);
	else if (strncmp(text, "unix ", 5) == 0)
		err = parse_unix(text + 5, run_dir, &address);
	else
		err = CDOP_INVALID_ARGUMENT;
	if (err == CDOP_OK)
		*ret_address = address;
	return err;
}

/* A socket file that a killed daemon left; one that answers is kept. */
static enum cdop_err
clear_path(const struct address *address)
{
	const struct sockaddr_un *un = (const void *)&address->sa;
	struct stat st;
	int fd, r;

	if (lstat(un->sun_path, &st) < 0)
		return CDOP_OK;
	if (!S_ISSOCK(st.st_mode))
		return CDOP_ALREADY_EXISTS;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return CDOP_UNAVAILABLE;
	r = connect(fd, (const struct sockaddr *)un, address->len);
	if (r == 0 || errno != ECONNREFUSED) {
		fds_close(fd);
		return CDOP_ALREADY_EXISTS;
	}
	fds_close(fd);
	return unlink(un->sun_path) == 0 ? CDOP_OK : CDOP_UNAVAILABLE;
}

/* The file has its mode from its first moment: umask, not chmod after. */
static int
bind_with_mode(int fd, const struct address *address, uint32_t socket_mode)
{
	mode_t old = umask(~(mode_t)socket_mode & 0777);
	int r = bind(fd, (const struct sockaddr *)&address->sa, address->len);

	umask(old);
	return r;
}

enum cdop_err
address_listen(const struct address *address, uint32_t socket_mode, int *ret_fd)
{
	int family = address->sa.ss_family, on = 1, fd;
	enum cdop_err err;

	if (family == AF_UNIX && (err = clear_path(address)) != CDOP_OK)
		return err;
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return CDOP_UNAVAILABLE;
	if (family != AF_UNIX &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		goto out;
	/* An IPv6 address means IPv6: "[::]" does not also take IPv4. */
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		goto out;
	if (bind_with_mode(fd, address, socket_mode) < 0)
		goto out;
	if (listen(fd, ADDRESS_BACKLOG) < 0)
		goto out;
	*ret_fd = fd;
	return CDOP_OK;
out:
	err = errno == EADDRINUSE ? CDOP_ALREADY_EXISTS : CDOP_UNAVAILABLE;
	fds_close(fd);
	return err;
}

void
address_text(int fd, char out[static ADDRESS_TEXT_MAX])
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} a;

	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN];

	memset(&a, 0, sizeof(a));
	snprintf(out, ADDRESS_TEXT_MAX, "unknown");
	if (getsockname(fd, &a.sa, &len) < 0)
		return;
	if (a.sa.sa_family == AF_UNIX)
		snprintf(out, ADDRESS_TEXT_MAX, "unix %.*s",
		    (int)sizeof(a.un.sun_path), a.un.sun_path);
	if (a.sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof(host));
		snprintf(out, ADDRESS_TEXT_MAX, "tcp %s:%u", host,
		    ntohs(a.in.sin_port));
	}
	if (a.sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof(host));
		snprintf(out, ADDRESS_TEXT_MAX, "tcp [%s]:%u", host,
		    ntohs(a.in6.sin6_port));
	}
}

void
address_unlink(const struct address *address)
{
	const struct sockaddr_un *un = (const void *)&address->sa;

	if (address->sa.ss_family == AF_UNIX)
		(void)unlink(un->sun_path);
}
