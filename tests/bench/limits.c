/*
 * What the machine can do bare, measured beside what is made of it:
 *
 *     limits DIR MS      one JSON object; MS for each figure, files in DIR
 *
 * fdatasync_*   64 KiB written over, or behind the end, until it is on disk
 * lmdb_put_N    rows of 1,200 bytes under growing keys, N to a commit
 * echo_N        1 KiB there and back over loopback TCP, N connections
 * the others    operations of one core
 *
 * All are operations a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLUSH   65536
#define FILE_MB 16
#define ROW     1200
#define PACKET  1024
#define CONNS   64
#define MAP     ((size_t)16 << 30)

static const char *dir;
static double span_us;
static const char *separator = "{";

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
die(const char *what)
{
	fprintf(stderr, "limits: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
must(const char *what, int rc)
{
	if (rc == 0)
		return;
	errno = rc > 0 ? rc : errno;
	die(what);
}

static void
tell(const char *name, double per_s)
{
	printf("%s\"%s\":%.1f", separator, name, per_s);
	separator = ",";
}

/* Times what one call does n of, for as long as was asked. */
static void
measure(const char *name, void (*one)(void), unsigned n)
{
	double since = now_us(), us;
	uint64_t done = 0;

	do {
		one();
		done += n;
		us = now_us() - since;
	} while (us < span_us);
	tell(name, (double)done * 1e6 / us);
}

/* ---- the disk ---------------------------------------------------------- */

static int file = -1;
static off_t file_at, file_turn;

static void
flush_one(void)
{
	static const uint8_t bytes[FLUSH];

	if (pwrite(file, bytes, FLUSH, file_at) != FLUSH ||
	    fdatasync(file) != 0)
		die("fdatasync");
	file_at += FLUSH;
	if (file_turn > 0 && file_at >= file_turn)
		file_at = 0;
}

static void
measure_disk(void)
{
	static const uint8_t bytes[1 << 20];
	char path[4096];
	int i;

	(void)snprintf(path, sizeof(path), "%s/flush", dir);
	file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		die(path);
	measure("fdatasync_append", flush_one, 1);
	if (ftruncate(file, 0) != 0)
		die(path);
	for (i = 0; i < FILE_MB; i++)
		if (pwrite(file, bytes, sizeof(bytes), (off_t)i << 20) !=
		    (ssize_t)sizeof(bytes))
			die(path);
	must(path, fsync(file));
	file_at = 0;
	file_turn = (off_t)FILE_MB << 20;
	measure("fdatasync_overwrite", flush_one, 1);
	close(file);
	(void)unlink(path);
}

/* ---- the store --------------------------------------------------------- */

static MDB_env *env;
static MDB_dbi dbi;
static unsigned batch;
static uint64_t row;

static void
put_batch(void)
{
	static uint8_t value[ROW];
	uint8_t bytes[8];
	MDB_val key = {sizeof(bytes), bytes}, data = {ROW, value};
	MDB_txn *txn;
	unsigned i, k;

	must("lmdb", mdb_txn_begin(env, NULL, 0, &txn));
	for (i = 0; i < batch; i++) {
		row++;
		for (k = 0; k < 8; k++)
			bytes[k] = (uint8_t)(row >> (56 - 8 * k));
		must("lmdb", mdb_put(txn, dbi, &key, &data, MDB_APPEND));
	}
	must("lmdb", mdb_txn_commit(txn));
}

static void
measure_store(unsigned n)
{
	char path[4096], lock[4096 + 8], name[32];
	MDB_txn *txn;

	(void)snprintf(path, sizeof(path), "%s/store", dir);
	(void)snprintf(lock, sizeof(lock), "%s-lock", path);
	(void)snprintf(name, sizeof(name), "lmdb_put_%u", n);
	row = 0;
	batch = n;
	must("lmdb", mdb_env_create(&env));
	must("lmdb", mdb_env_set_mapsize(env, MAP));
	must("lmdb", mdb_env_open(env, path, MDB_NOSUBDIR, 0600));
	must("lmdb", mdb_txn_begin(env, NULL, 0, &txn));
	must("lmdb", mdb_dbi_open(txn, NULL, MDB_CREATE, &dbi));
	must("lmdb", mdb_txn_commit(txn));
	measure(name, put_batch, n);
	mdb_env_close(env);
	(void)unlink(path);
	(void)unlink(lock);
}

/* ---- the cores --------------------------------------------------------- */

static uint8_t plain[PACKET], sealed[PACKET + 16], key[32], nonce[24];
static uint8_t sign_key[64], verify_key[32], signature[64], point[32];

static void
seal(void)
{
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(
	    sealed, NULL, plain, PACKET, NULL, 0, NULL, nonce, key);
}

static void
multiply(void)
{
	if (crypto_scalarmult(sealed, key, point) != 0)
		die("x25519");
}

static void
sign(void)
{
	(void)crypto_sign_detached(signature, NULL, plain, 256, sign_key);
}

static void
verify(void)
{
	if (crypto_sign_verify_detached(signature, plain, 256, verify_key) != 0)
		die("ed25519");
}

static void
hash(void)
{
	(void)crypto_generichash(sealed, 32, plain, 64, key, sizeof(key));
}

static void
measure_cores(void)
{
	if (sodium_init() < 0)
		die("sodium");
	randombytes_buf(key, sizeof(key));
	(void)crypto_scalarmult_base(point, key);
	(void)crypto_sign_keypair(verify_key, sign_key);
	measure("xchacha20_1k", seal, 1);
	measure("x25519", multiply, 1);
	measure("ed25519_sign", sign, 1);
	measure("ed25519_verify", verify, 1);
	measure("blake2b_64", hash, 1);
}

/* ---- the loopback ------------------------------------------------------ */

static struct pollfd conn[CONNS];
static unsigned n_conn;

static void
move(int fd, ssize_t (*how)(int, void *, size_t))
{
	size_t at = 0;
	ssize_t n;

	for (; at < PACKET; at += (size_t)n) {
		n = how(fd, plain + at, PACKET - at);
		if (n <= 0)
			exit(1);
	}
}

static ssize_t
put(int fd, void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL);
}

static void
wait_for_some(void)
{
	if (poll(conn, n_conn, -1) < 0)
		exit(1);
}

/* The other end; it goes with its parent. */
static void
echo(int listener)
{
	unsigned i;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < n_conn; i++) {
		conn[i].fd = accept(listener, NULL, NULL);
		conn[i].events = POLLIN;
	}
	for (;;) {
		wait_for_some();
		for (i = 0; i < n_conn; i++)
			if (conn[i].revents != 0) {
				move(conn[i].fd, read);
				move(conn[i].fd, put);
			}
	}
}

static unsigned echoed;

static void
echo_turn(void)
{
	unsigned i;

	wait_for_some();
	for (i = 0; i < n_conn; i++)
		if (conn[i].revents != 0) {
			move(conn[i].fd, read);
			echoed++;
			move(conn[i].fd, put);
		}
}

static int
listen_at(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(at, 0, sizeof(*at));
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)at, sizeof(*at)) != 0 ||
	    listen(listener, CONNS) != 0 ||
	    getsockname(listener, (struct sockaddr *)at, &len) != 0)
		die("loopback");
	return listener;
}

static void
measure_echo(unsigned n)
{
	struct sockaddr_in at;
	int listener = listen_at(&at), one = 1;
	char name[32];
	double since, us;
	unsigned i;
	pid_t pid;

	n_conn = n;
	if ((pid = fork()) == 0)
		echo(listener);
	for (i = 0; i < n; i++) {
		conn[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		conn[i].events = POLLIN;
		if (conn[i].fd < 0 ||
		    connect(conn[i].fd, (struct sockaddr *)&at, sizeof(at)) !=
			0 ||
		    setsockopt(conn[i].fd, IPPROTO_TCP, TCP_NODELAY, &one,
			sizeof(one)) != 0)
			die("loopback");
		move(conn[i].fd, put);
	}
	echoed = 0;
	since = now_us();
	do {
		echo_turn();
		us = now_us() - since;
	} while (us < span_us);
	(void)snprintf(name, sizeof(name), "echo_%u", n);
	tell(name, echoed * 1e6 / us);
	(void)kill(pid, SIGKILL);
	for (i = 0; i < n; i++)
		close(conn[i].fd);
	close(listener);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "limits DIR MS\n");
		return 2;
	}
	(void)signal(SIGCHLD, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	dir = argv[1];
	span_us = strtod(argv[2], NULL) * 1000;
	measure_disk();
	measure_store(1);
	measure_store(10);
	measure_store(64);
	measure_cores();
	measure_echo(1);
	measure_echo(8);
	measure_echo(64);
	printf("}\n");
	return 0;
}
