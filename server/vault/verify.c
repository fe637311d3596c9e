/* The parent of the walk: a child reads, this one reports. */
#include "server/vault/verify.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/undo.h"
#include "server/store/dir.h"
#include "server/store/pages.h"
#include "server/vault/dump.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_start.h"
#include "server/vault/verify_walk.h"

#define LINE       512
#define LOCKED     (1u << 19)
#define UNDO_BYTES 4096

/* The first byte of each line that the child writes. */
enum {
	FINDING = 'F',
	SAID = 'I',
	RESULT = 'R',
	PROOF = 'P',
};

/* ---- The child ---- */

struct child {
	const struct verify_args *args;
	int fd;
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
};

static void
send_line(const struct child *child, char what, const char *text)
{
	char line[LINE];
	size_t done, len;
	ssize_t n;
	int rc;

	rc = snprintf(line, sizeof(line), "%c%.500s\n", what, text);
	if (rc < 0)
		return;
	len = (size_t)rc;
	for (done = 0; done < len; done += (size_t)n) {
		n = write(child->fd, line + done, len - done);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return;
	}
}

static void
on_page(void *ctx, const char *finding)
{
	send_line(ctx, FINDING, finding);
}

static void
on_row(void *ctx, bool is_finding, const char *line)
{
	send_line(ctx, is_finding ? FINDING : SAID, line);
}

/* The file itself, before LMDB maps it. */
static enum cdop_err
look_at_pages(struct child *child)
{
	char path[PATH_MAX];
	uint64_t pages;
	int n;

	n = snprintf(path, sizeof(path), "%s/data.mdb", child->args->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return CDOP_INVALID_ARGUMENT;
	if (dir_is_marked(child->args->dir))
		send_line(child, SAID,
		    "the last commit failed: what it wanted is not there");
	return pages_check(
	    path, dir_is_marked(child->args->dir), on_page, child, &pages);
}

static enum cdop_err
open_sealed(struct child *child)
{
	struct rows_args args = {.dir = child->args->dir,
	    .map_bytes = child->args->map_bytes,
	    .read_only = true};
	const char *why;
	enum cdop_err err;

	err = lockmem_new(LOCKED, &child->mem, &why);
	if (err != CDOP_OK) {
		send_line(child, SAID, why);
		return CDOP_RESOURCE_EXHAUSTED; /* and nobody has it in use */
	}
	if ((err = undo_new(UNDO_BYTES, &child->undo)) != CDOP_OK)
		return err;
	err = keystore_new(child->mem, child->undo, &child->ks);
	if (err != CDOP_OK)
		return err;
	args.ks = child->ks;
	args.undo = child->undo;
	return rows_open(&args, &child->rows);
}

/* One slot after the other that may be meant. */
static enum cdop_err
try_slots(struct child *child, const struct slots_info *slots, size_t n)
{
	uint8_t k[ENVELOPE_KEY];
	enum cdop_err err, tried = CDOP_UNAUTHENTICATED;
	size_t i, slot = SIZE_MAX;

	for (i = 0; i < n && tried == CDOP_UNAUTHENTICATED; i++) {
		err = child->args->unlock(child->args->ctx, slots, n, &slot, k);
		if (err == CDOP_NOT_FOUND && i > 0)
			break;
		if (err != CDOP_OK)
			return CDOP_ABORTED;
		tried = slot >= n ? CDOP_INVALID_ARGUMENT
				  : rows_start_root(child->rows, slot, k);
		sodium_memzero(k, sizeof(k));
	}
	return tried;
}

static enum cdop_err
unlock(struct child *child)
{
	struct slots_info *slots;
	enum cdop_err err;
	size_t i, n;

	n = rows_slots(child->rows);
	slots = calloc(n, sizeof(*slots));
	if (slots == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < n; i++)
		slots[i] = *rows_slot(child->rows, i);
	err = try_slots(child, slots, n);
	free(slots);
	if (err == CDOP_DATA_LOSS)
		send_line(child, FINDING, rows_finding(child->rows));
	return err;
}

static void
send_proof(const struct child *child)
{
	uint8_t proof[CDOP_MANIFEST_PROOF];
	char text[CDOP_MANIFEST_PROOF_TEXT];

	if (child->args->manifest.len == 0)
		return;
	dump_proof(child->rows, child->args->manifest, proof);
	cdop_manifest_proof_write(proof, text);
	send_line(child, PROOF, text);
}

static enum cdop_err
child_run(struct child *child)
{
	char text[64];
	uint64_t rows, fine;
	enum cdop_err err;

	if ((err = look_at_pages(child)) != CDOP_OK)
		return err;
	if ((err = open_sealed(child)) != CDOP_OK)
		return err;
	if ((err = unlock(child)) != CDOP_OK)
		return err;
	err = verify_walk(
	    child->rows, on_row, child, child->args->log, &rows, &fine);
	if (err != CDOP_OK)
		return err;
	(void)snprintf(text, sizeof(text), "%llu %llu",
	    (unsigned long long)rows, (unsigned long long)fine);
	send_line(child, RESULT, text);
	send_proof(child);
	return CDOP_OK;
}

/* ---- The parent ---- */

static void
take_line(const struct verify_args *args, char *line,
    struct verify_result *result, bool *ret_ended)
{
	char *rest;

	switch (line[0]) {
	case FINDING:
		result->findings++;
		args->line(args->ctx, line + 1);
		break;
	case SAID:
		args->line(args->ctx, line + 1);
		break;
	case RESULT:
		result->rows = strtoull(line + 1, &rest, 10);
		result->fine = strtoull(rest, NULL, 10);
		*ret_ended = true;
		break;
	case PROOF:
		(void)snprintf(result->proof, sizeof(result->proof), "%.*s",
		    (int)sizeof(result->proof) - 1, line + 1);
		break;
	default:
		break;
	}
}

/* Everything that the child says, until it ends; true: it came to an end. */
static bool
listen_to(int fd, const struct verify_args *args, struct verify_result *result)
{
	char buf[2 * LINE], *end;
	size_t have, len;
	ssize_t n;
	bool ended;

	ended = false;
	have = 0;
	for (;;) {
		n = read(fd, buf + have, sizeof(buf) - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return ended;
		have += (size_t)n;
		while ((end = memchr(buf, '\n', have)) != NULL) {
			*end = '\0';
			take_line(args, buf, result, &ended);
			len = (size_t)(end + 1 - buf);
			memmove(buf, end + 1, have - len);
			have -= len;
		}
		if (have == sizeof(buf))
			return ended; /* no line of ours is that long */
	}
}

static void
say(const struct verify_args *args, struct verify_result *result,
    const char *line)
{
	result->findings++;
	args->line(args->ctx, line);
}

/* What the child's end means. */
static enum cdop_err
judge(const struct verify_args *args, int status, bool ended,
    struct verify_result *result)
{
	char line[160];
	int code;

	if (WIFSIGNALED(status)) {
		(void)snprintf(line, sizeof(line),
		    "the walk was ended by signal %d (%s): the database file "
		    "is damaged",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
		say(args, result, line);
		return CDOP_OK;
	}
	code = WEXITSTATUS(status);
	if (code == CDOP_DATA_LOSS || (code == CDOP_OK && !ended)) {
		say(args, result,
		    "the registry cannot be read further: the database file "
		    "is damaged");
		return CDOP_OK;
	}
	switch (code) {
	case CDOP_OK:
	case CDOP_INVALID_ARGUMENT:
	case CDOP_NOT_FOUND:
	case CDOP_ABORTED:
	case CDOP_PERMISSION_DENIED:
	case CDOP_RESOURCE_EXHAUSTED:
	case CDOP_FAILED_PRECONDITION:
	case CDOP_UNAUTHENTICATED:
		return (enum cdop_err)code;
	default:
		/* A sanitizer or an assertion: the walk did not end. */
		say(args, result, "the walk ended before its time");
		return CDOP_OK;
	}
}

static void
child_end(struct child *child, enum cdop_err err)
{
	rows_close(child->rows);
	keystore_free(child->ks);
	undo_free(child->undo);
	lockmem_destroy(child->mem);
	_exit((int)err);
}

enum cdop_err
verify_dir(const struct verify_args *args, struct verify_result *ret_result)
{
	struct verify_result result = {0};
	struct child child = {.args = args};
	enum cdop_err err;
	int fds[2], status;
	bool ended;
	pid_t pid, parent;

	if (pipe(fds) != 0)
		return CDOP_RESOURCE_EXHAUSTED;
	parent = getpid();
	pid = fork();
	if (pid == -1) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return CDOP_RESOURCE_EXHAUSTED;
	}
	if (pid == 0) {
		(void)close(fds[0]);
		child.fd = fds[1];
		/* What it reads is taken away when the other one goes. */
		if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 ||
		    getppid() != parent)
			_exit((int)CDOP_INTERNAL);
		child_end(&child, child_run(&child));
	}
	(void)close(fds[1]);
	ended = listen_to(fds[0], args, &result);
	(void)close(fds[0]);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return CDOP_INTERNAL;
	err = judge(args, status, ended, &result);
	if (err == CDOP_OK)
		*ret_result = result;
	return err;
}
