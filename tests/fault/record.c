/* Recording and crashing; see record.h. */
#include "tests/fault/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fault/say.h"

#define EVENTS_MAX 32768
#define FILES_MAX  128
#define NAMES_MAX  8
#define SECTOR     512

struct bytes {
	uint8_t *data;
	size_t len, max;
};

/* A directory: which file has which name. */
struct listing {
	struct {
		char name[32];
		unsigned file; /* 0: none */
	} entry[NAMES_MAX];
};

static struct shim_event events[EVENTS_MAX];
static size_t n_events;

static size_t gone_to;               /* events behind us */
static struct bytes base[FILES_MAX]; /* what was synced */
static struct listing listed;        /* of the directory */
static size_t synced[FILES_MAX];     /* the first event not yet in base */
static size_t synced_dir;
static size_t last_said;
static bool lying; /* no sync has done anything */
static record_said_fn *ask_said;

const char *
record_loss_name(enum record_loss loss)
{
	static const char *const names[RECORD_LOSSES] = {
	    [RECORD_NOTHING] = "nothing lost",
	    [RECORD_ALL] = "all lost",
	    [RECORD_NAMES] = "names lost",
	    [RECORD_DATA] = "bytes lost",
	    [RECORD_ONE] = "one lost",
	    [RECORD_BUT_ONE] = "one not lost",
	    [RECORD_TORN] = "one torn",
	    [RECORD_SOME] = "some lost",
	};

	return names[loss];
}

static void
on_event(void *ctx, const struct shim_event *event)
{
	struct shim_event *e;

	(void)ctx;
	require(n_events < EVENTS_MAX, "room for events");
	require(event->file < FILES_MAX, "room for files");
	e = &events[n_events++];
	*e = *event;
	if (event->act == SHIM_ACT_SAID)
		e->said = ask_said();
	if (event->act != SHIM_ACT_WRITE)
		return;
	e->data = malloc(event->len);
	require(e->data != NULL, "room for a write");
	memcpy(e->data, event->data, event->len);
}

void
record_stop(void)
{
	shim_record(NULL, NULL);
}

size_t
record_events(void)
{
	return n_events;
}

/* ---- files and names ---------------------------------------------------- */

static void
reach(struct bytes *bytes, size_t len)
{
	if (len > bytes->max) {
		bytes->max = 2 * len;
		bytes->data = realloc(bytes->data, bytes->max);
		require(bytes->data != NULL, "room for a file");
	}
	if (len > bytes->len) {
		memset(bytes->data + bytes->len, 0, len - bytes->len);
		bytes->len = len;
	}
}

static void
cut(struct bytes *bytes, size_t len)
{
	if (len < bytes->len)
		bytes->len = len;
	reach(bytes, len);
}

/* len bytes of a write; the length alone where there are no bytes. */
static void
apply(struct bytes *bytes, const struct shim_event *e, size_t from, size_t len,
    bool with_data)
{
	reach(bytes, (size_t)e->at + from + len);
	if (with_data)
		memcpy(bytes->data + e->at + from, e->data + from, len);
}

static void
name(struct listing *listing, const char *what, unsigned file)
{
	size_t i;

	for (i = 0; i < NAMES_MAX; i++)
		if (strcmp(listing->entry[i].name, what) == 0) {
			listing->entry[i].file = file;
			return;
		}
	for (i = 0; i < NAMES_MAX && listing->entry[i].name[0] != '\0'; i++)
		continue;
	require(i < NAMES_MAX, "room for names");
	(void)snprintf(
	    listing->entry[i].name, sizeof(listing->entry[i].name), "%s", what);
	listing->entry[i].file = file;
}

static bool
is_named(const struct shim_event *e)
{
	return e->act == SHIM_ACT_MAKE || e->act == SHIM_ACT_NAME ||
	    e->act == SHIM_ACT_GONE;
}

/* Until the directory is synced, a name is lost with all behind it. */
static void
list(struct listing *listing, const struct shim_event *e)
{
	size_t i;

	if (e->act == SHIM_ACT_GONE) {
		name(listing, e->name, 0);
		return;
	}
	for (i = 0; i < NAMES_MAX && e->act == SHIM_ACT_NAME; i++)
		if (listing->entry[i].file == e->file)
			listing->entry[i].file = 0;
	name(listing, e->name, e->file);
}

static struct bytes first[FILES_MAX]; /* when the recording began */
static struct listing first_listed;

void
record_rewind(void)
{
	size_t i;

	gone_to = 0;
	synced_dir = 0;
	last_said = 0;
	listed = first_listed;
	memset(synced, 0, sizeof(synced));
	for (i = 0; i < FILES_MAX; i++) {
		base[i].len = 0;
		reach(&base[i], first[i].len);
		if (first[i].len > 0)
			memcpy(base[i].data, first[i].data, first[i].len);
	}
}

void
record_lie(bool lies)
{
	lying = lies;
	record_rewind();
}

static void
load(const struct house_place *place, const char *what)
{
	char path[2 * HOUSE_PATH];
	struct bytes *bytes;
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", place->data, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	require(fstat(fd, &st) == 0, path);
	bytes = &first[shim_file(what)];
	reach(bytes, (size_t)st.st_size);
	require(read(fd, bytes->data, bytes->len) == st.st_size, path);
	(void)close(fd);
	name(&first_listed, what, shim_file(what));
}

void
record_start(const struct house_place *place, record_said_fn *said)
{
	ask_said = said;
	if (n_events == 0) {
		load(place, "data.mdb");
		load(place, "reserve");
		load(place, "lock.mdb");
		record_rewind();
	}
	shim_record(on_event, NULL);
}

/* ---- going on ----------------------------------------------------------- */

static bool
is_of(const struct shim_event *e, unsigned file)
{
	return e->file == file &&
	    (e->act == SHIM_ACT_WRITE || e->act == SHIM_ACT_CUT);
}

static void
sync_file(unsigned file, size_t upto)
{
	size_t i;

	for (i = synced[file]; i < upto; i++) {
		if (!is_of(&events[i], file))
			continue;
		if (events[i].act == SHIM_ACT_CUT)
			cut(&base[file], (size_t)events[i].at);
		else
			apply(&base[file], &events[i], 0, events[i].len, true);
	}
	synced[file] = upto;
}

void
record_go(size_t end)
{
	const struct shim_event *e;
	size_t i;

	for (; gone_to < end; gone_to++) {
		e = &events[gone_to];
		if (e->act == SHIM_ACT_SAID)
			last_said = e->said;
		if (e->act == SHIM_ACT_SYNC && !lying)
			sync_file(e->file, gone_to);
		if (e->act != SHIM_ACT_SYNC_DIR)
			continue;
		for (i = synced_dir; i < gone_to; i++)
			if (is_named(&events[i]))
				list(&listed, &events[i]);
		synced_dir = gone_to;
	}
}

size_t
record_said(void)
{
	return last_said;
}

bool
record_is_change(void)
{
	return gone_to > 0 && events[gone_to - 1].act != SHIM_ACT_SAID &&
	    events[gone_to - 1].act != SHIM_ACT_SYNC &&
	    events[gone_to - 1].act != SHIM_ACT_SYNC_DIR;
}

bool
record_is_before_sync(void)
{
	return gone_to == n_events || events[gone_to].act == SHIM_ACT_SYNC ||
	    events[gone_to].act == SHIM_ACT_SYNC_DIR ||
	    events[gone_to].act == SHIM_ACT_NAME || events[gone_to].durable;
}

/* The names as they are before any loss. */
static struct listing
names_now(void)
{
	struct listing listing = listed;
	size_t i;

	for (i = synced_dir; i < gone_to; i++)
		if (is_named(&events[i]))
			list(&listing, &events[i]);
	return listing;
}

/* A file that still has a name, or would after a loss. */
static bool
is_there(unsigned file, const struct listing *now)
{
	size_t i;

	for (i = 0; i < NAMES_MAX; i++)
		if (now->entry[i].file == file || listed.entry[i].file == file)
			return true;
	return false;
}

/* A write that could be lost. */
static bool
is_pending(size_t i, const struct listing *now)
{
	const struct shim_event *e = &events[i];

	return (e->act == SHIM_ACT_WRITE || e->act == SHIM_ACT_CUT) &&
	    i >= synced[e->file] && !e->durable && is_there(e->file, now);
}

size_t
record_pending(void)
{
	const struct listing now = names_now();
	size_t i, n = 0;

	for (i = 0; i < gone_to; i++)
		n += is_pending(i, &now);
	return n;
}

/* ---- a crash ------------------------------------------------------------ */

/* A stream of bits that is the same for the same seed. */
static bool
is_lucky(size_t seed, size_t i)
{
	uint64_t z = seed * 0x9e3779b97f4a7c15ull + i;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return ((z >> 40) & 1) != 0;
}

/* Whether the k-th of what was not synced got there; in part: how far. */
static bool
arrives(enum record_loss loss, size_t n, size_t k)
{
	switch (loss) {
	case RECORD_ALL:
		return false;
	case RECORD_ONE:
		return k != n;
	case RECORD_BUT_ONE:
		return k == n;
	case RECORD_TORN:
		return k <= n;
	case RECORD_SOME:
		return is_lucky(n, k);
	case RECORD_NOTHING:
	case RECORD_NAMES:
	case RECORD_DATA:
	case RECORD_LOSSES:
	default:
		return true;
	}
}

static void
add_pending(struct bytes *bytes, unsigned file, enum record_loss loss, size_t n)
{
	const struct listing now = names_now();
	const struct shim_event *e;
	size_t i, k = 0, len;
	bool open;

	for (i = 0; i < gone_to; i++) {
		e = &events[i];
		open = is_pending(i, &now);
		k += open;
		if (!is_of(e, file) || i < synced[file])
			continue;
		if (open && !arrives(loss, n, k - 1))
			continue;
		len = e->len;
		if (loss == RECORD_TORN && open && k - 1 == n)
			len = len / 2 / SECTOR * SECTOR;
		if (e->act == SHIM_ACT_CUT)
			cut(bytes, (size_t)e->at);
		else if (len > 0)
			apply(bytes, e, 0, len,
			    loss != RECORD_DATA || e->durable);
	}
}

static void
write_file(const struct house_place *place, const char *what,
    const struct bytes *bytes)
{
	char path[2 * HOUSE_PATH];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", place->data, what);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd != -1, path);
	require(bytes->len == 0 ||
		write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len,
	    "an image");
	(void)close(fd);
}

static void
clear(const struct house_place *place)
{
	static const char *const files[] = {
	    "data.mdb", "lock.mdb", "reserve", "copy.mdb", "commit-failed"};
	char path[2 * HOUSE_PATH];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s", place->data, files[i]);
		(void)unlink(path);
	}
}

void
record_image(const struct house_place *place, enum record_loss loss, size_t n)
{
	static struct bytes room;
	struct listing listing = listed;
	unsigned file;
	size_t i;

	if (loss != RECORD_ALL && loss != RECORD_NAMES)
		listing = names_now();
	clear(place);
	for (i = 0; i < NAMES_MAX; i++) {
		file = listing.entry[i].file;
		if (file == 0 || strcmp(listing.entry[i].name, "lock.mdb") == 0)
			continue;
		room.len = 0;
		reach(&room, base[file].len);
		if (base[file].len > 0)
			memcpy(room.data, base[file].data, base[file].len);
		add_pending(&room, file, loss, n);
		write_file(place, listing.entry[i].name, &room);
	}
}
