/* Opening a registry without its daemon; see offline.h. */
#include "server/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cdop/invitation.h"
#include "cdop/secret.h"
#include "server/base/log.h"
#include "server/base/undo.h"
#include "server/ended.h"
#include "server/offline_key.h"
#include "server/prompt.h"
#include "server/registry/link_key.h"
#include "server/registry/people.h"
#include "server/store/dir.h"
#include "server/store/files.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_slots.h"

#define UNDO_MAX    ((size_t)64 << 20)
#define ARENA_MAX   ((size_t)256 << 20)
#define ADDRESS_MAX 255
#define UNIX_MAX    sizeof(((struct sockaddr_un *)NULL)->sun_path)

enum cdop_err
offline_open(struct offline *offline)
{
	const char *why = "";
	enum cdop_err err;

	ended_explain();
	memset(offline, 0, sizeof(*offline));
	if ((err = cdop_secret_init()) != CDOP_OK) {
		log_tell("the system gives no random numbers");
		return err;
	}
	err = lockmem_new(LOCKMEM_MAX, &offline->mem, &why);
	if (err != CDOP_OK) {
		log_tell("%s", why);
		return err;
	}
	if ((err = undo_new(UNDO_MAX, &offline->undo)) == CDOP_OK)
		err = cdop_arena_new(ARENA_MAX, &offline->arena);
	if (err == CDOP_OK)
		err = keystore_new(offline->mem, offline->undo, &offline->ks);
	if (err != CDOP_OK)
		log_tell("not enough memory");
	return err;
}

void
offline_close(struct offline *offline)
{
	registry_free(offline->reg);
	rows_close(offline->rows);
	keystore_free(offline->ks);
	undo_free(offline->undo);
	cdop_arena_free(offline->arena);
	lockmem_destroy(offline->mem);
	memset(offline, 0, sizeof(*offline));
}

/* ---- reading ----------------------------------------------------------- */

/* At most max bytes.  -1: said why, and nothing is left in out. */
static ssize_t
read_all(const char *path, uint8_t *out, size_t max)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		log_tell("%s: %s", path, strerror(errno));
		return -1;
	}
	do {
		n = read(fd, out + len, max - len);
		len += n > 0 ? (size_t)n : 0;
	} while (
	    (n > 0 && len < max) || (n < 0 && errno == EINTR && !ended_was()));
	close(fd);
	if (n < 0) {
		log_tell("%s: cannot be read", path);
		cdop_secret_wipe(out, len);
		return -1;
	}
	return (ssize_t)len;
}

enum cdop_err
offline_read_file(const char *path, size_t max, struct cdop_arena *arena,
    struct cdop_bytes *ret_file)
{
	uint8_t *data;
	ssize_t len;

	data = cdop_arena_alloc(arena, max + 1);
	if (data == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	len = read_all(path, data, max + 1);
	if (len < 0)
		return CDOP_NOT_FOUND;
	if ((size_t)len > max) {
		log_tell("%s: too long", path);
		return CDOP_INVALID_ARGUMENT;
	}
	ret_file->data = data;
	ret_file->len = (size_t)len;
	return CDOP_OK;
}

enum cdop_err
offline_key_file(const char *path, uint8_t ret_k[static 32])
{
	uint8_t file[SLOTS_KEYFILE + 1];
	struct cdop_bytes bytes = {file, 0};
	ssize_t len;
	enum cdop_err err;

	len = read_all(path, file, sizeof(file));
	if (len < 0)
		return CDOP_NOT_FOUND;
	bytes.len = (size_t)len;
	err = slots_derive_keyfile(bytes, ret_k);
	cdop_secret_wipe(file, sizeof(file));
	if (err != CDOP_OK)
		log_tell(
		    "%s: not a key file, which has exactly 32 random bytes",
		    path);
	return err;
}

bool
offline_key_is_there(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return true; /* whoever reads it says so */
	if (S_ISREG(st.st_mode) && st.st_size < SLOTS_KEYFILE) {
		log_tell("%s is there and no whole key file, left by one that "
			 "did not end: delete it, and say it again",
		    path);
		return false;
	}
	if ((st.st_mode & 077) != 0)
		log_tell("warning: %s is there already, and others than its "
			 "owner may open it: chmod 0400",
		    path);
	return true;
}

void
offline_give_key(int fd, const char *dir)
{
	struct stat st;

	if (geteuid() == 0 && stat(dir, &st) == 0 &&
	    fchown(fd, st.st_uid, st.st_gid) != 0)
		log_tell("warning: the new key file stays root's");
}

enum cdop_err
offline_is_beside(const char *key_file, const char *dir, bool *ret_beside)
{
	struct stat key, data;

	if (stat(key_file, &key) != 0 || stat(dir, &data) != 0) {
		log_tell("%s: %s", key_file, strerror(errno));
		return CDOP_NOT_FOUND;
	}
	*ret_beside = key.st_dev == data.st_dev;
	return CDOP_OK;
}

void
offline_tell_beside(const char *key_file, const char *dir)
{
	log_tell("%s lies on the same file system as %s: whoever takes the "
		 "disk has both.  Put it on another one, or say --degraded "
		 "(status will repeat it for ever)",
	    key_file, dir);
}

static enum cdop_err
passphrase_of_file(const char *path, uint8_t *out, size_t max, size_t *ret_len)
{
	const uint8_t *end;
	ssize_t len;

	len = read_all(path, out, max);
	if (len < 0)
		return CDOP_NOT_FOUND;
	end = memchr(out, '\n', (size_t)len);
	*ret_len = end != NULL ? (size_t)(end - out) : (size_t)len;
	if (*ret_len > 0 && (end != NULL || (size_t)len < max))
		return CDOP_OK;
	log_tell("%s: its first line is empty or too long", path);
	cdop_secret_wipe(out, max);
	return CDOP_INVALID_ARGUMENT;
}

enum cdop_err
offline_read_passphrase(const struct offline_passphrase *from,
    const char *prompt, uint8_t *ret_text, size_t max, size_t *ret_len)
{
	enum cdop_err err;

	if (from->file != NULL)
		return passphrase_of_file(from->file, ret_text, max, ret_len);
	err = from->from_stdin
	    ? prompt_stdin(ret_text, max, ret_len)
	    : prompt_terminal(prompt, ret_text, max, ret_len);
	if (err == CDOP_FAILED_PRECONDITION)
		log_tell("no terminal to ask for the passphrase: "
			 "--passphrase-file FILE or --passphrase-stdin");
	else if (err != CDOP_OK)
		log_tell("no passphrase, or too long a one");
	return err;
}

/* ---- opening ----------------------------------------------------------- */

const char *
offline_words(enum cdop_err err)
{
	return err == CDOP_RESOURCE_EXHAUSTED
	    ? "not enough room on the disk, memory or descriptors: make room, "
	      "and say it again"
	    : cdop_err_name(err);
}

static const char *
why(enum cdop_err err)
{
	switch ((int)err) {
	case CDOP_NOT_FOUND:
		return "there is no registry: is that the data_dir of "
		       "cdopd.conf?  (cdopd init makes one)";
	case CDOP_PERMISSION_DENIED:
		return "not a directory of yours, closed to others (0700): "
		       "type it as the user of cdopd";
	case CDOP_FAILED_PRECONDITION:
		return "in use: stop cdopd first";
	default:
		return offline_words(err);
	}
}

bool
offline_tell_file(const char *called, const char *dir)
{
	struct files_found found;

	if (files_data(dir, &found) < FILES_NOT_OURS)
		return false;
	log_tell("%s: %s; %s", called, found.words, found.next);
	return true;
}

void
offline_tell_why(const char *called, const char *dir, enum cdop_err err)
{
	struct files_found found;

	if (err == CDOP_PERMISSION_DENIED && files_read_only(dir, &found))
		log_tell("%s: %s: %s", called, found.words, found.next);
	else if (err != CDOP_PERMISSION_DENIED ||
	    !offline_tell_file(called, dir))
		log_tell("%s: %s", called, why(err));
}

/* Copies, as offline_key_next() wants them. */
static struct slots_info *
slots_of(const struct offline *offline)
{
	size_t i, n = rows_slots(offline->rows);
	struct slots_info *slots;

	slots = cdop_arena_calloc(offline->arena, n, sizeof(*slots));
	for (i = 0; slots != NULL && i < n; i++)
		slots[i] = *rows_slot(offline->rows, i);
	return slots;
}

static void
take_opened(struct offline *offline, const struct slots_info *slot,
    const struct offline_key *key)
{
	size_t i;

	offline->slot = slot->number;
	for (i = 0; i < key->n_share; i++)
		offline->shares |= (uint16_t)(1u << (key->share[i].x - 1));
}

/* Each slot that it may open, until one does. */
static enum cdop_err
try_slots(struct offline *offline, struct offline_key *key, uint8_t *k)
{
	const size_t n = rows_slots(offline->rows);
	const struct slots_info *slots = slots_of(offline);
	enum cdop_err err, tried = CDOP_NOT_FOUND;
	size_t slot = SIZE_MAX;

	if (slots == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	while ((err = offline_key_next(key, slots, n, &slot, k)) == CDOP_OK) {
		if (!offline_key_check(key, offline->rows))
			return CDOP_ABORTED;
		tried = rows_unseal(offline->rows, slot, k);
		if (tried == CDOP_OK)
			take_opened(offline, &slots[slot], key);
		if (tried != CDOP_UNAUTHENTICATED)
			return tried;
	}
	return err == CDOP_NOT_FOUND ? tried : CDOP_ABORTED;
}

/* For words to the person. */
static const char *
called(const struct offline_from *from)
{
	return from->called != NULL ? from->called : from->dir;
}

static bool
unseal(struct offline *offline, const struct offline_from *from)
{
	struct offline_key key;
	enum cdop_err err;
	uint8_t *k;

	k = lockmem_alloc(offline->mem, 32);
	if (k == NULL)
		return false;
	offline_key_init(&key, from);
	err = try_slots(offline, &key, k);
	offline_key_wipe(&key);
	lockmem_free(offline->mem, k, 32);
	if (err == CDOP_UNAUTHENTICATED)
		log_tell("that key or passphrase does not open it");
	else if (err == CDOP_NOT_FOUND)
		log_tell("no slot of that kind in %s", called(from));
	else if (err != CDOP_OK && err != CDOP_ABORTED) /* which was said */
		log_tell(
		    "%s: %s", offline_words(err), rows_finding(offline->rows));
	return err == CDOP_OK;
}

static bool
open_rows(struct offline *offline, const struct offline_from *from)
{
	const struct rows_args args = {
	    .dir = from->dir,
	    .ks = offline->ks,
	    .undo = offline->undo,
	};
	enum cdop_err err;

	if ((err = rows_open(&args, &offline->rows)) == CDOP_OK)
		return true;
	offline_tell_why(called(from), from->dir, err);
	return false;
}

static bool
load(struct offline *offline, const struct offline_from *from, uint64_t now_ms)
{
	const char *why = "";
	enum cdop_err err;

	err = registry_new(offline->rows, offline->ks, offline->undo,
	    offline->mem, &offline->reg);
	if (err == CDOP_OK)
		err = registry_load(offline->reg, now_ms, &why);
	if (err != CDOP_OK)
		log_tell("%s: %s %s", called(from), offline_words(err), why);
	return err == CDOP_OK;
}

bool
offline_load(
    struct offline *offline, const struct offline_from *from, uint64_t now_ms)
{
	return open_rows(offline, from) && unseal(offline, from) &&
	    load(offline, from, now_ms);
}

void
offline_shut(struct offline *offline)
{
	registry_free(offline->reg);
	offline->reg = NULL;
	rows_close(offline->rows);
	offline->rows = NULL;
}

bool
offline_load_with(struct offline *offline, const struct offline_from *from,
    uint16_t number, const uint8_t k[static 32], uint64_t now_ms)
{
	enum cdop_err err = CDOP_NOT_FOUND;
	size_t slot;

	if (!open_rows(offline, from))
		return false;
	if (rows_slots_find(offline->rows, number, &slot))
		err = rows_unseal(offline->rows, slot, k);
	if (err == CDOP_OK)
		return load(offline, from, now_ms);
	log_tell("slot %u: %s %s", number, offline_words(err),
	    rows_finding(offline->rows));
	return false;
}

/* ---- addresses --------------------------------------------------------- */

static bool
is_port(const char *text)
{
	size_t len = strlen(text);
	unsigned long port = strtoul(text, NULL, 10);

	return len > 0 && len <= 5 && strspn(text, "0123456789") == len &&
	    port > 0 && port <= 65535;
}

/* As the client takes it apart: unix:/PATH, HOST:PORT or [IPV6]:PORT. */
static bool
is_address(const char *text)
{
	const char *colon = strrchr(text, ':'), *at;
	size_t host;

	for (at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return false;
	if (at - text > ADDRESS_MAX)
		return false;
	if (strncmp(text, "unix:", 5) == 0)
		return text[5] == '/' && strlen(text + 5) < UNIX_MAX;
	if (colon == NULL || colon == text || !is_port(colon + 1))
		return false;
	host = (size_t)(colon - text);
	if (text[0] == '[')
		return host > 2 && text[host - 1] == ']';
	return memchr(text, ':', host) == NULL;
}

bool
offline_addresses(const char *const *address, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_address(address[i])) {
			log_tell("--address %s: HOST:PORT, [IPV6]:PORT or "
				 "unix:/PATH",
			    address[i]);
			return false;
		}
	return true;
}

/* ---- writing ----------------------------------------------------------- */

int
offline_create(const char *path)
{
	int fd, why;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	why = errno;
	if (fd < 0)
		log_tell("%s: %s", path, strerror(why));
	errno = why;
	return fd;
}

/*
 * The name of a file, and of the directory it is in: what is committed next
 * may make this all that opens the registry.
 */
static bool
sync_name(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int level;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	for (level = 0; level < 2; level++) {
		slash = strrchr(dir, '/');
		if (slash == NULL)
			return dir_sync(".") == CDOP_OK;
		slash[slash == dir] = '\0';
		/* The one above may be nobody's to open. */
		if (dir_sync(dir) != CDOP_OK && level == 0)
			return false;
		if (slash == dir)
			break;
	}
	return true;
}

void
offline_discard(int fd, const char *path)
{
	if (fd == -1)
		return;
	(void)close(fd);
	(void)unlink(path);
}

bool
offline_write(int fd, const char *path, struct cdop_bytes bytes)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes.len) {
		n = write(fd, bytes.data + done, bytes.len - done);
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (done == bytes.len && fsync(fd) == 0 && sync_name(path)) {
		(void)close(fd);
		return true;
	}
	log_tell("%s: %s", path, strerror(errno));
	offline_discard(fd, path);
	return false;
}

bool
offline_invite(struct offline *offline,
    const struct people_invitation *invitation, const char *const *address,
    size_t n_address, int fd, const char *path)
{
	const struct people_person *person;
	struct cdop_invitation out;
	struct cdop_bytes file;
	enum cdop_err err;
	size_t i;

	person = people_person(offline->reg->people, invitation->person);
	memset(&out, 0, sizeof(out));
	memcpy(out.registry, offline->reg->id, sizeof(out.registry));
	out.training = offline->reg->mode == REGISTRY_TRAINING;
	out.name = person->name;
	for (i = 0; i < n_address && i < CDOP_INVITATION_ADDRESSES; i++)
		out.address[out.n_address++] = address[i];
	out.n_server = link_key_publics(offline->reg, out.server);
	memcpy(out.id, invitation->invitation_id, sizeof(out.id));
	memcpy(out.psk, invitation->psk, sizeof(out.psk));
	out.expires_ms = invitation->expires_ms;
	err = cdop_invitation_write(&out, offline->arena, &file);
	cdop_secret_wipe(&out, sizeof(out));
	if (err != CDOP_OK) {
		log_tell("%s: an invitation cannot be written with this "
			 "address or name",
		    path);
		offline_discard(fd, path);
		return false;
	}
	return offline_write(fd, path, file);
}
