/*
 * One table of allowed system calls, and Landlock by hand: its header on
 * Debian 12 is older than many kernels it meets.
 */
#include "server/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/base/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_ASAN 1
#endif
#ifndef SANDBOX_ASAN
#define SANDBOX_ASAN 0
#endif

/* Whose list a call is on. */
enum {
	G = 1 << SANDBOX_GATE,
	V = 1 << SANDBOX_VAULT,
	K = 1 << SANDBOX_KDF,
	ALL = G | V | K,
	ASAN = 1 << 7, /* every role, in an ASan build only */
};

/* A look at one argument, where it is cheap and says much. */
enum sandbox_check {
	ANY,
	NO_EXEC,     /* argument 2 has no PROT_EXEC */
	OWN_PROCESS, /* argument 0 is our process id: abort() */
};

struct sandbox_rule {
	unsigned roles;
	enum sandbox_check check;
	int call;
};

static const struct sandbox_rule sandbox_rules[] = {
    /* descriptors it has */
    {ALL, ANY, SCMP_SYS(read)},
    {ALL, ANY, SCMP_SYS(write)},
    {ALL, ANY, SCMP_SYS(readv)},
    {ALL, ANY, SCMP_SYS(writev)},
    {ALL, ANY, SCMP_SYS(close)},
    {ALL, ANY, SCMP_SYS(recvfrom)},
    {ALL, ANY, SCMP_SYS(recvmsg)},
    {ALL, ANY, SCMP_SYS(sendto)},
    {ALL, ANY, SCMP_SYS(sendmsg)},
    {ALL, ANY, SCMP_SYS(shutdown)},
    {ALL, ANY, SCMP_SYS(poll)},
    {ALL, ANY, SCMP_SYS(ppoll)},
    {G | V, ANY, SCMP_SYS(recvmmsg)},
    {G | V, ANY, SCMP_SYS(sendmmsg)},
    {G | V, ANY, SCMP_SYS(epoll_ctl)},
    {G | V, ANY, SCMP_SYS(epoll_wait)},
    {G | V, ANY, SCMP_SYS(epoll_pwait)},
    {G | V, ANY, SCMP_SYS(fcntl)},
    {G, ANY, SCMP_SYS(accept4)},
    {G, ANY, SCMP_SYS(getsockopt)},
    {G, ANY, SCMP_SYS(setsockopt)},
    {G, ANY, SCMP_SYS(getpeername)},
    /* memory that is never code */
    {ALL, NO_EXEC, SCMP_SYS(mmap)},
    {ALL, NO_EXEC, SCMP_SYS(mprotect)},
    {ALL, ANY, SCMP_SYS(munmap)},
    {ALL, ANY, SCMP_SYS(mremap)},
    {ALL, ANY, SCMP_SYS(madvise)},
    {ALL, ANY, SCMP_SYS(brk)},
    {V | K, ANY, SCMP_SYS(mlock)},
    {V | K, ANY, SCMP_SYS(mlock2)},
    {V | K, ANY, SCMP_SYS(munlock)},
    {V, ANY, SCMP_SYS(msync)},
    {V, ANY, SCMP_SYS(mincore)},
    /* time, chance, signals, the end */
    {ALL, ANY, SCMP_SYS(clock_gettime)},
    {ALL, ANY, SCMP_SYS(gettimeofday)},
    {ALL, ANY, SCMP_SYS(time)},
    {ALL, ANY, SCMP_SYS(getrandom)},
    {ALL, ANY, SCMP_SYS(futex)},
    {ALL, ANY, SCMP_SYS(restart_syscall)},
    {ALL, ANY, SCMP_SYS(rt_sigreturn)},
    {ALL, ANY, SCMP_SYS(rt_sigaction)},
    {ALL, ANY, SCMP_SYS(rt_sigprocmask)},
    {ALL, ANY, SCMP_SYS(getpid)},
    {ALL, ANY, SCMP_SYS(gettid)},
    {ALL, OWN_PROCESS, SCMP_SYS(tgkill)},
    {ALL, ANY, SCMP_SYS(exit)},
    {ALL, ANY, SCMP_SYS(exit_group)},
    {V, ANY, SCMP_SYS(nanosleep)},
    {V, ANY, SCMP_SYS(clock_nanosleep)},
    /* files; which ones is Landlock's business */
    {V, ANY, SCMP_SYS(openat)},
    {V, ANY, SCMP_SYS(fstat)},
    {V, ANY, SCMP_SYS(newfstatat)},
    {V, ANY, SCMP_SYS(fstatfs)},
    {V, ANY, SCMP_SYS(lseek)},
    {V, ANY, SCMP_SYS(pread64)},
    {V, ANY, SCMP_SYS(pwrite64)},
    {V, ANY, SCMP_SYS(preadv)},
    {V, ANY, SCMP_SYS(pwritev)},
    {V, ANY, SCMP_SYS(readahead)},
    {V, ANY, SCMP_SYS(fadvise64)},
    {V, ANY, SCMP_SYS(fsync)},
    {V, ANY, SCMP_SYS(fdatasync)},
    {V, ANY, SCMP_SYS(sync_file_range)},
    {V, ANY, SCMP_SYS(ftruncate)},
    {V, ANY, SCMP_SYS(fallocate)},
    {V, ANY, SCMP_SYS(flock)},
    {V, ANY, SCMP_SYS(rename)},
    {V, ANY, SCMP_SYS(renameat)},
    {V, ANY, SCMP_SYS(renameat2)},
    {V, ANY, SCMP_SYS(unlink)},
    {V, ANY, SCMP_SYS(unlinkat)},
    {V, ANY, SCMP_SYS(getdents64)},
    {V, ANY, SCMP_SYS(uname)}, /* LMDB looks for an old ext4 bug */
    {V, ANY, SCMP_SYS(geteuid)},
    {V, ANY, SCMP_SYS(getuid)},
    /* what ASan and its leak check do behind our back */
    {ASAN, ANY, SCMP_SYS(sigaltstack)},
    {ASAN, ANY, SCMP_SYS(sched_yield)},
    {ASAN, ANY, SCMP_SYS(sched_getaffinity)},
    {ASAN, ANY, SCMP_SYS(prctl)},
    {ASAN, ANY, SCMP_SYS(getrlimit)},
    {ASAN, ANY, SCMP_SYS(prlimit64)},
    {ASAN, ANY, SCMP_SYS(clone)},
    {ASAN, ANY, SCMP_SYS(ptrace)},
    {ASAN, ANY, SCMP_SYS(wait4)},
    {ASAN, ANY, SCMP_SYS(getppid)},
    {ASAN, ANY, SCMP_SYS(openat)},
    {ASAN, ANY, SCMP_SYS(open)},
    {ASAN, ANY, SCMP_SYS(readlink)},
    {ASAN, ANY, SCMP_SYS(newfstatat)},
    {ASAN, ANY, SCMP_SYS(fstat)},
    {ASAN, ANY, SCMP_SYS(getdents)},
    {ASAN, ANY, SCMP_SYS(getdents64)},
    {ASAN, ANY, SCMP_SYS(lseek)},
    {ASAN, ANY, SCMP_SYS(ioctl)},
    {ASAN, ANY, SCMP_SYS(pipe2)},
    {ASAN, ANY, SCMP_SYS(set_robust_list)},
};

#define N_RULES (sizeof(sandbox_rules) / sizeof(sandbox_rules[0]))

static int
add_rule(scmp_filter_ctx filter, const struct sandbox_rule *rule)
{
	switch (rule->check) {
	case ANY:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, rule->call, 0);
	case NO_EXEC:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, rule->call, 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	case OWN_PROCESS:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, rule->call, 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	}
	return -EINVAL;
}

/* ASan builds name the call that a list lacks before they die of it. */
static void
on_sigsys(int number, siginfo_t *info, void *context)
{
	(void)context;
	log_error("sandbox.forbidden", "call=%d", info->si_syscall);
	_exit(128 + number);
}

static enum cdop_err
enter_seccomp(enum sandbox_role role)
{
	unsigned mask = 1U << role;
	struct sigaction trap = {
	    .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
	scmp_filter_ctx filter;
	size_t i;
	int r;

	filter =
	    seccomp_init(SANDBOX_ASAN ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return CDOP_INTERNAL;
	if (SANDBOX_ASAN) {
		mask |= ASAN;
		(void)sigaction(SIGSYS, &trap, NULL);
	}
	r = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A binary tree: some calls are made for every packet. */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; r == 0 && i < N_RULES; i++) {
		if ((sandbox_rules[i].roles & mask) != 0)
			r = add_rule(filter, &sandbox_rules[i]);
	}
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r == 0 ? CDOP_OK : CDOP_INTERNAL;
}

/*
 * Landlock, as kernel documentation has it up to ABI 7.  Names that
 * Debian's header lacks are ours.
 */
#define LL_TRUNCATE  (1ULL << 14) /* from ABI 3 */
#define LL_IOCTL_DEV (1ULL << 15) /* from ABI 5 */
#define LL_NET       3ULL         /* bind and connect TCP, from ABI 4 */
#define LL_SCOPES    3ULL         /* abstract sockets, signals, from ABI 6 */

struct landlock_rules {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* All that a kernel of this ABI can forbid. */
static struct landlock_rules
landlock_all(long abi)
{
	struct landlock_rules all = {0, 0, 0};

	all.fs = (1ULL << 13) - 1;
	if (abi >= 2)
		all.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all.fs |= LL_TRUNCATE;
	if (abi >= 4)
		all.net = LL_NET;
	if (abi >= 5)
		all.fs |= LL_IOCTL_DEV;
	if (abi >= 6)
		all.scoped = LL_SCOPES;
	return all;
}

/* What may be done in a directory of ours: regular files, no devices. */
static const uint64_t landlock_own = LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_REFER | LL_TRUNCATE;

static enum cdop_err
allow_beneath(int rules, const char *dir, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = access};
	long r;

	beneath.parent_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return CDOP_NOT_FOUND;
	r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
	    &beneath, 0);
	close(beneath.parent_fd);
	return r == 0 ? CDOP_OK : CDOP_INTERNAL;
}

static enum cdop_err
fill_landlock(int rules, uint64_t handled, const char *const dirs[], size_t n)
{
	enum cdop_err err = CDOP_OK;
	size_t i;

	for (i = 0; err == CDOP_OK && i < n; i++)
		err = allow_beneath(rules, dirs[i], landlock_own & handled);
	/* ASan's leak check reads /proc, its symbolizer the program. */
	if (err == CDOP_OK && SANDBOX_ASAN)
		err = allow_beneath(rules, "/",
		    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
	return err;
}

/* Its version; below 1: there is none. */
static long
landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
}

bool
sandbox_has_landlock(void)
{
	return landlock_abi() >= 1;
}

static enum cdop_err
enter_landlock(const char *const dirs[], size_t n, bool *ret_landlock)
{
	struct landlock_rules all;
	enum cdop_err err;
	long abi = landlock_abi();
	int rules;

	if (abi < 1) {
		*ret_landlock = false;
		return CDOP_OK;
	}
	all = landlock_all(abi);
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (rules < 0)
		return CDOP_INTERNAL;
	err = fill_landlock(rules, all.fs, dirs, n);
	if (err == CDOP_OK &&
	    syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		err = CDOP_INTERNAL;
	close(rules);
	if (err == CDOP_OK)
		*ret_landlock = true;
	return err;
}

enum cdop_err
sandbox_harden(void)
{
	struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return CDOP_INTERNAL;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return CDOP_INTERNAL;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return CDOP_INTERNAL;
	return CDOP_OK;
}

enum cdop_err
sandbox_enter(enum sandbox_role role, const char *const dirs[], size_t n,
    bool *ret_landlock)
{
	enum cdop_err err;
	bool landlock;

	if ((err = sandbox_harden()) != CDOP_OK)
		return err;
	if ((err = enter_landlock(dirs, n, &landlock)) != CDOP_OK)
		return err;
	if ((err = enter_seccomp(role)) != CDOP_OK)
		return err;
	*ret_landlock = landlock;
	return CDOP_OK;
}

bool
sandbox_is_off(pid_t pid)
{
	char path[32], text[4096];
	const char *at;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	at = strstr(text, "\nSeccomp:\t");
	return at != NULL && at[10] == '0';
}
