/* Datagrams to the service manager. */
#include "server/base/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOTIFY_TEXT_MAX 512

static int notify_fd = -1;
static uint64_t notify_watchdog;

static int
notify_connect(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	socklen_t size;
	int fd;

	if (len < 2 || len >= sizeof(un.sun_path))
		return -1;
	if (path[0] != '/' && path[0] != '@')
		return -1;
	memcpy(un.sun_path, path, len);
	if (path[0] == '@')
		un.sun_path[0] = '\0'; /* abstract */
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&un, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *watchdog = getenv("WATCHDOG_USEC");

	if (path != NULL)
		notify_fd = notify_connect(path);
	if (notify_fd >= 0 && watchdog != NULL)
		notify_watchdog = strtoull(watchdog, NULL, 10) / 2000;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_send(const char *format, ...)
{
	char text[NOTIFY_TEXT_MAX];
	va_list args;
	int len;

	if (notify_fd < 0)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(text))
		(void)send(notify_fd, text, (size_t)len, MSG_NOSIGNAL);
}

uint64_t
notify_watchdog_ms(void)
{
	return notify_watchdog;
}
