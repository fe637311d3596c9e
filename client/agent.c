/* The agent: asked over a private socket, gone when its time is up. */
#include "client/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/conn.h"
#include "client/file.h"
#include "client/session.h"

#define ASK_KEY  'K' /* then the salt; the answer is the key */
#define ASK_STOP 'S'
#define ASK_LEN  (1 + CDOP_SALT_LEN)
#define LOOK_MS  60000 /* is the login session still there? */
#define ASKER_MS 1000
#define AGENT_FD 3 /* where it listens, and all it has beside the usual */

/* What is held; on pages of its own, which are locked. */
struct held {
	uint8_t salt[CDOP_SALT_LEN];
	uint8_t key[CDOP_KEY_LEN];
};

static const char *
folder(struct cmd_ctx *ctx)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (dir == NULL || dir[0] != '/')
		return NULL;
	return cdop_arena_printf(ctx->arena, "%s/cdop", dir);
}

static bool
address(struct cmd_ctx *ctx, struct sockaddr_un *addr)
{
	const char *dir = folder(ctx), *path;

	if (dir == NULL)
		return false;
	path = cdop_arena_printf(
	    ctx->arena, "%s/%s.agent", dir, ctx->session->context.name);
	if (path == NULL || strlen(path) >= sizeof(addr->sun_path))
		return false;
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	memcpy(addr->sun_path, path, strlen(path) + 1);
	return true;
}

static bool
is_own(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    peer.uid == geteuid();
}

/* ---- asking ------------------------------------------------------ */

static int
connect_agent(struct cmd_ctx *ctx)
{
	struct timeval tv = {.tv_sec = 1};
	struct sockaddr_un addr;
	int fd;

	if (!address(ctx, &addr))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    !is_own(fd)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool
ask(struct cmd_ctx *ctx, char what, const uint8_t *salt, uint8_t *out,
    size_t len)
{
	uint8_t request[ASK_LEN] = {0};
	bool good;
	int fd;

	if ((fd = connect_agent(ctx)) < 0)
		return false;
	request[0] = (uint8_t)what;
	if (salt != NULL)
		memcpy(request + 1, salt, CDOP_SALT_LEN);
	good = send(fd, request, sizeof(request), MSG_NOSIGNAL) ==
		(ssize_t)sizeof(request) &&
	    recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
	(void)close(fd);
	return good;
}

bool
agent_key(struct cmd_ctx *ctx, const uint8_t salt[static CDOP_SALT_LEN],
    uint8_t ret_key[static CDOP_KEY_LEN])
{
	return ask(ctx, ASK_KEY, salt, ret_key, CDOP_KEY_LEN);
}

bool
agent_stop(struct cmd_ctx *ctx)
{
	uint8_t done;

	return ask(ctx, ASK_STOP, NULL, &done, 1);
}

/* ---- the agent itself -------------------------------------------- */

/* Where it listens: the name is the next one's as soon as that has begun. */
struct place {
	const char *path;
	struct stat own;
};

/* As long as the socket is open nothing else gets its number. */
static bool
is_there(const struct place *place)
{
	struct stat st;

	return lstat(place->path, &st) == 0 && st.st_ino == place->own.st_ino &&
	    st.st_dev == place->own.st_dev;
}

/* Before anybody is told so. */
static void
forget(const struct place *place, struct held *held)
{
	cdop_secret_wipe(held, sizeof(*held));
	if (is_there(place))
		(void)unlink(place->path);
}

/* One asker; true when it is to end. */
static bool
serve(int fd, const struct place *place, struct held *held)
{
	struct timeval tv = {.tv_usec = ASKER_MS * 1000 / 2};
	uint8_t request[ASK_LEN];

	if (!is_own(fd))
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (recv(fd, request, sizeof(request), MSG_WAITALL) !=
	    (ssize_t)sizeof(request))
		return false;
	if (request[0] == ASK_STOP) {
		forget(place, held);
		(void)send(fd, "", 1, MSG_NOSIGNAL);
		return true;
	}
	if (request[0] == ASK_KEY &&
	    cdop_secret_equal(request + 1, held->salt, CDOP_SALT_LEN))
		(void)send(fd, held->key, CDOP_KEY_LEN, MSG_NOSIGNAL);
	return false;
}

static void
loop(int fd, const struct place *place, struct held *held, unsigned seconds)
{
	uint64_t end = conn_now_ms() + (uint64_t)seconds * 1000, now;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool done = false;
	int asker;

	while (!done && (now = conn_now_ms()) < end && is_there(place)) {
		if (poll(&p, 1,
			(int)(end - now < LOOK_MS ? end - now : LOOK_MS)) <= 0)
			continue;
		asker = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (asker < 0)
			continue;
		/* It may be over since: poll does not count the sleep. */
		done = conn_now_ms() >= end || serve(asker, place, held);
		(void)close(asker);
	}
}

/* A process of its own, away from the terminal that started it. */
__attribute__((noreturn)) static void
become_agent(struct cmd_ctx *ctx, int fd, const char *path, struct held *held,
    unsigned seconds)
{
	struct place place = {.path = path};
	int null;

	(void)setsid();
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_IGN);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NAME, "cdop agent");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") != 0 || path == NULL ||
	    lstat(path, &place.own) != 0)
		_exit(1);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	/* Nothing else of this command lives on here, nor what it was given. */
	if (dup2(fd, AGENT_FD) < 0 || close_range(AGENT_FD + 1, ~0U, 0) != 0)
		_exit(1);
	fd = AGENT_FD;
	identity_wipe(&ctx->session->identity);
	cdop_arena_free(ctx->arena);
	loop(fd, &place, held, seconds);
	forget(&place, held);
	_exit(0);
}

static struct held *
hold(const struct identity *identity)
{
	struct held *held;

	held = mmap(NULL, sizeof(*held), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (held == MAP_FAILED)
		return NULL;
	(void)madvise(held, sizeof(*held), MADV_DONTDUMP);
	memcpy(held->salt, identity->salt, CDOP_SALT_LEN);
	memcpy(held->key, identity->key, CDOP_KEY_LEN);
	return held;
}

/* Nothing is said to be held that is not, so its first word is waited for. */
static bool
has_begun(pid_t pid, int fd)
{
	char word;
	ssize_t n;

	do
		n = read(fd, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		(void)waitpid(pid, NULL, 0);
	return n == 1;
}

static int
listen_at(const struct sockaddr_un *addr)
{
	mode_t old;
	int fd, rc;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)unlink(addr->sun_path);
	old = umask(077);
	rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	(void)umask(old);
	if (rc != 0 || listen(fd, 4) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

enum exit_code
agent_start(struct cmd_ctx *ctx, unsigned seconds)
{
	struct sockaddr_un addr;
	struct held *held;
	int fd, word[2];
	bool good;
	pid_t pid;

	if (!address(ctx, &addr) || file_make_dir(folder(ctx)) != CDOP_OK)
		return cmd_fail(ctx, EXIT_USAGE, NULL,
		    "log in to a session that has XDG_RUNTIME_DIR",
		    "there is no private place for this login session");
	(void)agent_stop(ctx);
	held = hold(&ctx->session->identity);
	fd = listen_at(&addr);
	if (held == NULL || fd < 0 || pipe2(word, O_CLOEXEC) != 0)
		return cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
		    "the agent cannot listen");
	pid = fork();
	if (pid == 0) {
		(void)close(word[0]);
		/* Locks do not pass a fork. */
		if (mlock(held, sizeof(*held)) != 0 ||
		    write(word[1], "", 1) != 1)
			_exit(1);
		(void)close(word[1]);
		become_agent(ctx, fd, strdup(addr.sun_path), held, seconds);
	}
	(void)close(fd);
	(void)close(word[1]);
	cdop_secret_wipe(held, sizeof(*held));
	(void)munmap(held, sizeof(*held));
	good = pid > 0 && has_begun(pid, word[0]);
	(void)close(word[0]);
	if (good)
		return EXIT_OK;
	(void)unlink(addr.sun_path);
	return pid < 0 ? cmd_fail(ctx, EXIT_UNEXPECTED, NULL, NULL,
			     "no process for the agent")
		       : cmd_fail(ctx, EXIT_UNEXPECTED, NULL,
			     "look at ulimit -l: a page has to be locked",
			     "nothing is held: its memory cannot be locked");
}
