/* Descriptor passing and placing. */
#include "server/base/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_PLACE_MAX 32

enum cdop_err
fds_errno(void)
{
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
		return CDOP_RESOURCE_EXHAUSTED;
	return CDOP_UNAVAILABLE;
}

void
fds_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* Root may go over the system's bound; everybody else takes what is left. */
static void
set_buffer(int fd, int force, int polite, int size)
{
	if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, polite, &size, sizeof(size));
}

enum cdop_err
fds_pair(int buffer, int ret_fds[2])
{
	int fds[2], i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		0, fds) < 0)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < 2; i++) {
		set_buffer(fds[i], SO_SNDBUFFORCE, SO_SNDBUF, buffer);
		set_buffer(fds[i], SO_RCVBUFFORCE, SO_RCVBUF, buffer);
		ret_fds[i] = fds[i];
	}
	return CDOP_OK;
}

union fds_control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

enum cdop_err
fds_send(int fd, struct cdop_bytes head, struct cdop_bytes body, int passed)
{
	union fds_control control;
	struct cmsghdr *cmsg;
	struct msghdr msg;
	struct iovec iov[2];
	ssize_t n;

	memset(&control, 0, sizeof(control));
	memset(&msg, 0, sizeof(msg));
	/* sendmsg only reads; iovec has no const form. */
	memcpy(&iov[0].iov_base, &head.data, sizeof(void *));
	memcpy(&iov[1].iov_base, &body.data, sizeof(void *));
	iov[0].iov_len = head.len;
	iov[1].iov_len = body.len;
	msg.msg_iov = iov;
	msg.msg_iovlen = 2;
	if (passed >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fds_errno();
	return (size_t)n == head.len + body.len ? CDOP_OK : CDOP_INTERNAL;
}

/*
 * The one descriptor of a message.  Padding leaves room for a second, which
 * a peer that means harm can fill: then both are closed.
 */
static enum cdop_err
take_passed(struct msghdr *msg, int *ret_passed)
{
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fds[2] = {-1, -1};
	size_t len;

	*ret_passed = -1;
	if (cmsg == NULL)
		return CDOP_OK;
	if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
		return CDOP_INVALID_ARGUMENT;
	len = cmsg->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(cmsg), len < sizeof(fds) ? len : sizeof(fds));
	*ret_passed = fds[0];
	if (len == sizeof(int) && (msg->msg_flags & MSG_CTRUNC) == 0)
		return CDOP_OK;
	fds_close(fds[0]);
	fds_close(fds[1]);
	return CDOP_INVALID_ARGUMENT;
}

enum cdop_err
fds_recv(int fd, uint8_t *buf, size_t size, size_t *ret_len, int *ret_passed)
{
	union fds_control control;
	struct msghdr msg;
	struct iovec iov;
	int passed;
	ssize_t n;

	memset(&msg, 0, sizeof(msg));
	iov.iov_base = buf;
	iov.iov_len = size;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = control.bytes;
	msg.msg_controllen = sizeof(control.bytes);
	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && fds_errno() == CDOP_RESOURCE_EXHAUSTED)
		return CDOP_NOT_FOUND;
	if (n <= 0)
		return CDOP_UNAVAILABLE;
	if (take_passed(&msg, &passed) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		fds_close(passed);
		return CDOP_INVALID_ARGUMENT;
	}
	*ret_len = (size_t)n;
	*ret_passed = passed;
	return CDOP_OK;
}

enum cdop_err
fds_place(const int fds[], size_t n, int first)
{
	int high[FDS_PLACE_MAX];
	int above = first + FDS_PLACE_MAX;
	size_t i;

	CDOP_ASSERT(n <= FDS_PLACE_MAX);
	/* First out of each other's way, then down to their places. */
	for (i = 0; i < n; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, above);
		if (fds[i] >= 0 && high[i] < 0)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	if (close_range((unsigned)first, (unsigned)above - 1, 0) < 0)
		return CDOP_INTERNAL;
	for (i = 0; i < n; i++) {
		if (high[i] >= 0 && dup2(high[i], first + (int)i) < 0)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	if (close_range((unsigned)first + (unsigned)n, ~0U, 0) < 0)
		return CDOP_INTERNAL;
	return CDOP_OK;
}
