/* Forbidden calls, one by one; each returns what the kernel said. */
#include "tests/unit/server/base/tries.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/base/sandbox.h"

struct tries_world tries_world;

static long
try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long
try_create(void)
{
	return open(tries_world.outside, O_RDWR | O_CREAT, 0600);
}

static long
try_openat2(void)
{
	return syscall(SYS_openat2, AT_FDCWD, tries_world.outside, NULL, 0);
}

static long
try_old_open(void)
{
#ifdef SYS_open
	return syscall(SYS_open, "/etc/passwd", O_RDONLY);
#else
	return try_openat2(); /* newer machines never had it */
#endif
}

static long
try_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
try_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static long
try_connect(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};

	return connect(
	    tries_world.socket, (const struct sockaddr *)&un, sizeof(un));
}

static long
try_bind(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/x"};

	return bind(
	    tries_world.socket, (const struct sockaddr *)&un, sizeof(un));
}

static long
try_listen(void)
{
	return listen(tries_world.socket, 1);
}

static long
try_accept(void)
{
	return accept4(tries_world.listening, NULL, NULL, SOCK_NONBLOCK);
}

static long
try_exec(void)
{
	char *const argv[] = {NULL};

	return execve("/bin/true", argv, argv);
}

static long
try_execveat(void)
{
	return syscall(SYS_execveat, 0, "", NULL, NULL, AT_EMPTY_PATH);
}

static long
try_fork(void)
{
#ifdef SYS_fork
	return syscall(SYS_fork);
#else
	return syscall(SYS_clone3, NULL, 0);
#endif
}

static long
try_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static long
try_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0);
}

static long
try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long
try_mprotect_exec(void)
{
	return syscall(SYS_mprotect, NULL, 0, PROT_READ | PROT_EXEC);
}

static long
try_mmap_exec(void)
{
	return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long
try_pkey_mprotect(void)
{
	return syscall(SYS_pkey_mprotect, NULL, 0, PROT_EXEC, 0);
}

static long
try_kill(void)
{
	return kill(getpid(), 0);
}

static long
try_tgkill_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long
try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long
try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long
try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long
try_memfd(void)
{
	return syscall(SYS_memfd_create, "x", 0);
}

static long
try_other_memory(void)
{
	return process_vm_readv(getppid(), NULL, 0, NULL, 0, 0);
}

static long
try_mount(void)
{
	return syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
}

static long
try_unshare(void)
{
	return syscall(SYS_unshare, 0);
}

static long
try_setuid(void)
{
	return syscall(SYS_setuid, 0);
}

static long
try_keyctl(void)
{
	return syscall(SYS_keyctl, 0);
}

static long
try_chmod(void)
{
	return chmod(tries_world.inside, 0644);
}

static long
try_link(void)
{
	return link(tries_world.inside, tries_world.outside);
}

static long
try_symlink(void)
{
	return symlink("/etc/passwd", tries_world.outside);
}

static long
try_unlink_outside(void)
{
	return unlink(tries_world.outside);
}

static long
try_rename_out(void)
{
	return rename(tries_world.inside, tries_world.outside);
}

static long
try_truncate(void)
{
	return truncate(tries_world.outside, 0);
}

static long
try_setrlimit(void)
{
	struct rlimit big = {1, 1};

	return setrlimit(RLIMIT_CORE, &big);
}

static long
try_reboot(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL);
}

#define G   (1U << SANDBOX_GATE)
#define V   (1U << SANDBOX_VAULT)
#define K   (1U << SANDBOX_KDF)
#define ALL (G | V | K)

/* By the number that another calling convention has for it (x32). */
static long
try_other_abi(void)
{
	return syscall(0x40000000 + SYS_getpid);
}

const struct tries_row tries_forbidden[] = {
    {"openat", try_open, G | K, true},
    {"creating open", try_create, G | K, true},
    {"open", try_old_open, ALL, true},
    {"openat2", try_openat2, ALL, false},
    {"socket inet", try_inet, ALL, false},
    {"socket unix", try_unix, ALL, false},
    {"socketpair", try_pair, ALL, false},
    {"connect", try_connect, ALL, false},
    {"bind", try_bind, ALL, false},
    {"listen", try_listen, ALL, false},
    {"accept4", try_accept, V | K, false},
    {"execve", try_exec, ALL, false},
    {"execveat", try_execveat, ALL, false},
    {"fork", try_fork, ALL, false},
    {"clone", try_clone, ALL, true},
    {"clone3", try_clone3, ALL, false},
    {"ptrace", try_ptrace, ALL, true},
    {"mprotect exec", try_mprotect_exec, ALL, false},
    {"mmap exec", try_mmap_exec, ALL, false},
    {"pkey_mprotect", try_pkey_mprotect, ALL, false},
    {"kill", try_kill, ALL, false},
    {"tgkill parent", try_tgkill_parent, ALL, false},
    {"prctl", try_prctl, ALL, true},
    {"io_uring_setup", try_io_uring, ALL, false},
    {"bpf", try_bpf, ALL, false},
    {"memfd_create", try_memfd, ALL, false},
    {"process_vm_readv", try_other_memory, ALL, false},
    {"mount", try_mount, ALL, false},
    {"unshare", try_unshare, ALL, false},
    {"setuid", try_setuid, ALL, false},
    {"keyctl", try_keyctl, ALL, false},
    {"chmod", try_chmod, ALL, false},
    {"link", try_link, ALL, false},
    {"symlink", try_symlink, ALL, false},
    {"unlink", try_unlink_outside, G | K, false},
    {"rename", try_rename_out, G | K, false},
    {"truncate", try_truncate, ALL, false},
    {"setrlimit", try_setrlimit, ALL, true},
    {"reboot", try_reboot, ALL, false},
    {"another ABI", try_other_abi, ALL, false},
};

const size_t tries_n_forbidden =
    sizeof(tries_forbidden) / sizeof(tries_forbidden[0]);

try_fn *const tries_files[TRIES_FILES] = {
    try_open, try_create, try_unlink_outside, try_rename_out};
