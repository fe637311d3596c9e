/* Opening, turning and closing a vault; see house.h. */
#include "tests/fault/house.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdop/limits.h"
#include "server/base/clock.h"
#include "server/base/undo.h"
#include "server/registry/boot.h"
#include "server/registry/tree_verify.h"
#include "server/vault/copy.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_slots.h"
#include "server/vault/verify.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"

#define MAP     ((uint64_t)64 << 20)
#define RESERVE ((uint64_t)1 << 20)

/* ---- the place ---------------------------------------------------------- */

/* Backups open with shares alone. */
static void
add_shares(struct world *world)
{
	const struct slots_set_new plan = {.k = 2, .n = 4};
	struct cdop_share shares[SHAMIR_MAX];
	uint16_t number;

	undo_begin(world->undo);
	must(rows_begin(world->rows, 1u << 16, 8), "room");
	must(rows_slots_add_set(
		 world->rows, "custodians", &plan, &number, shares),
	    "shares");
	must(registry_commit(world->reg), "shares are there");
}

/* Data and anchor lie on one disk, what is kept of them beside it. */
static void
make_place(struct house_place *place, house_disk_fn *disk)
{
	char path[HOUSE_PATH];

	(void)snprintf(place->top, sizeof(place->top), "%s/cdop-fault.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	require(mkdtemp(place->top) != NULL, "a folder");
	(void)snprintf(path, sizeof(path), "%s/disk", place->top);
	require(mkdir(path, 0700) == 0, path);
	if (disk != NULL)
		disk(path);
	(void)snprintf(
	    place->data, sizeof(place->data), "%s/disk/data", place->top);
	(void)snprintf(
	    place->anchor, sizeof(place->anchor), "%s/disk/anchor", place->top);
}

void
house_make(struct house_place *place, house_disk_fn *disk)
{
	static struct world world;
	char command[512];

	make_place(place, disk);
	world_make(&world);
	memcpy(place->k, world.k, sizeof(place->k));
	add_shares(&world);
	world_close(&world);
	(void)snprintf(command, sizeof(command),
	    "mv '%s' '%s' && mkdir -m 700 '%s'", world.dir, place->data,
	    place->anchor);
	require(system(command) == 0, "the registry is moved");
	cdop_arena_free(world.arena);
}

void
house_remove(const struct house_place *place)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", place->top);
	require(system(command) == 0, "the folder is removed");
}

/* Without a shell: it is done for each of thousands of points. */
static void
copy_file(const char *from, const char *to, const char *name)
{
	static uint8_t room[1 << 16];
	char path[2 * HOUSE_PATH];
	ssize_t n;
	int in, out;

	(void)snprintf(path, sizeof(path), "%s/%s", to, name);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/%s", from, name);
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in == -1)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", to, name);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(out != -1, path);
	while ((n = read(in, room, sizeof(room))) > 0)
		require(write(out, room, (size_t)n) == n, "a copy");
	(void)close(in);
	(void)close(out);
}

static void
copy_all(const struct house_place *place, const char *name, bool back)
{
	static const char *const files[] = {
	    "data.mdb", "lock.mdb", "reserve", "copy.mdb", "commit-failed"};
	char kept[HOUSE_PATH];
	size_t i;

	(void)snprintf(kept, sizeof(kept), "%s/%s", place->top, name);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		copy_file(back ? kept : place->data, back ? place->data : kept,
		    files[i]);
	copy_file(
	    back ? kept : place->anchor, back ? place->anchor : kept, "anchor");
	if (back)
		copy_file(kept, place->anchor, "anchor.new");
}

void
house_save(const struct house_place *place, const char *name)
{
	char command[512];

	(void)snprintf(
	    command, sizeof(command), "mkdir -p '%s/%s'", place->top, name);
	require(system(command) == 0, "a folder to keep it in");
	copy_all(place, name, false);
}

void
house_restore(const struct house_place *place, const char *name)
{
	copy_all(place, name, true);
}

/* ---- opening ------------------------------------------------------------ */

/* The first that fails is kept, with its name. */
static bool
step(struct house *house, enum cdop_err err, const char *where)
{
	if (err == CDOP_OK)
		return true;
	house->err = err;
	house->where = where;
	return false;
}

/* A root that turned has put them in another order. */
static size_t
key_slot(const struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows_slots(rows); i++)
		if (rows_slot(rows, i)->kind == SLOTS_KIND_KEYFILE)
			return i;
	broken("no slot of a key file");
}

static bool
open_store(struct house *house)
{
	struct rows_args args = {.dir = house->place->data,
	    .map_bytes = MAP,
	    .reserve_bytes = RESERVE};
	const char *why = "";
	enum cdop_err err;

	err = lockmem_new(LOCKMEM_MAX, &house->mem, &why);
	if (!step(house, err, "lockmem_new") ||
	    !step(house, undo_new(64u << 20, &house->undo), "undo_new") ||
	    !step(house, keystore_new(house->mem, house->undo, &house->ks),
		"keystore_new"))
		return false;
	args.ks = house->ks;
	args.undo = house->undo;
	if (!step(house, rows_open(&args, &house->rows), "rows_open"))
		return false;
	(void)copy_left_over(house->rows);
	err = rows_unseal(house->rows, key_slot(house->rows), house->place->k);
	(void)snprintf(house->why, sizeof(house->why), "%s",
	    err == CDOP_OK ? "" : rows_finding(house->rows));
	return step(house, err, "rows_unseal");
}

static bool
open_registry(struct house *house)
{
	const char *why = "";
	enum cdop_err err;

	err = registry_new(
	    house->rows, house->ks, house->undo, house->mem, &house->reg);
	if (!step(house, err, "registry_new"))
		return false;
	err = registry_load(house->reg, clock_wall_ms(), &why);
	(void)snprintf(house->why, sizeof(house->why), "%s", why);
	if (!step(house, err, "registry_load"))
		return false;
	house->anchoring.dir = house->place->anchor;
	house->reg->has_anchor = true;
	if (!anchoring_check(&house->anchoring, house->reg))
		return step(house, CDOP_DATA_LOSS, "anchoring_check");
	return step(
	    house, boot_new(house->reg, NULL, &house->reg->boot), "boot_new");
}

static bool
open_cycle(struct house *house)
{
	const struct cycle_args args = {
	    .mem = house->mem,
	    .handshake_s = CDOP_HANDSHAKE_S,
	    .idle_s = CDOP_IDLE_S,
	};
	int fds[2];

	if (!step(house, cycle_new(&args, &house->cycle), "cycle_new"))
		return false;
	shim_off();
	must(ipc_pair(fds), "a link");
	must(ipc_inbox_new(&house->inbox), "an inbox");
	shim_on();
	house->link = fds[1];
	cycle_set_link(house->cycle, fds[0]);
	cycle_open(house->cycle, house->reg,
	    rows_slot(house->rows, key_slot(house->rows))->number, 0);
	return true;
}

bool
house_open(struct house *house, const struct house_place *place)
{
	bool good;

	memset(house, 0, sizeof(*house));
	house->place = place;
	house->link = -1;
	shim_on();
	good = open_store(house) && open_registry(house) && open_cycle(house);
	shim_off();
	return good;
}

void
house_close(struct house *house)
{
	shim_on();
	if (house->err == CDOP_OK)
		anchoring_stop(&house->anchoring, house->reg);
	cycle_free(house->cycle);
	registry_free(house->reg);
	rows_close(house->rows);
	keystore_free(house->ks);
	undo_free(house->undo);
	lockmem_destroy(house->mem);
	shim_off();
	ipc_inbox_free(house->inbox);
	if (house->link >= 0)
		(void)close(house->link);
}

/* ---- turning ------------------------------------------------------------ */

bool
house_turn(struct house *house, house_packet_fn *take, void *ctx)
{
	enum cdop_err err;
	size_t i, n;

	if (++house->turns == house->hinder_at)
		house->hinder();
	shim_on();
	err = cycle_turn(house->cycle);
	if (err == CDOP_OK)
		anchoring_turn(&house->anchoring, house->reg, clock_boot_ms());
	shim_off();
	if (!step(house, err, "cycle_turn"))
		return false;
	while (ipc_recv_many(house->link, house->inbox, IPC_INBOX_MAX, &n) ==
		CDOP_OK &&
	    n > 0)
		for (i = 0; i < n; i++)
			take(ctx, ipc_inbox_get(house->inbox, i));
	return true;
}

void
house_say(struct house *house, uint64_t conn, enum ipc_kind kind,
    const void *data, size_t len)
{
	struct ipc_packet packet = {
	    .conn = conn,
	    .kind = (uint8_t)kind,
	    .bytes = {data, len},
	};

	(void)!ipc_send(house->link, &packet);
}

/* ---- noise --------------------------------------------------------------- */

/* Names, reasons, labels and numbers of the steps; see steps.c. */
static void
check_file(const struct house_place *place, const char *name)
{
	static const char *const words[] = {"Syntheti", "Testa", "Testina",
	    "Dr Sample", "Newcomer", "the GP rang", "school there",
	    "moved there", "inquest", "once a year", "monday", "2024-05-14"};
	char path[2 * HOUSE_PATH];
	struct stat st;
	const void *map;
	size_t i;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", place->data, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	require(fstat(fd, &st) == 0, path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	for (i = 0; map != MAP_FAILED && i < sizeof(words) / sizeof(words[0]);
	     i++)
		if (memmem(map, (size_t)st.st_size, words[i],
			strlen(words[i])) != NULL)
			broken("%s is read in %s", words[i], name);
	if (map != MAP_FAILED)
		(void)munmap((void *)(uintptr_t)map, (size_t)st.st_size);
	(void)close(fd);
}

void
house_check_noise(const struct house_place *place)
{
	check_file(place, "data.mdb");
	check_file(place, "copy.mdb");
	check_file(place, "reserve");
}

/* ---- every row ---------------------------------------------------------- */

static void
on_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static enum cdop_err
on_unlock(void *ctx, const struct slots_info *slots, size_t n, size_t *ret_slot,
    uint8_t ret_k[static 32])
{
	const struct house_place *place = ctx;

	size_t i;

	for (i = 0; i < n && slots[i].kind != SLOTS_KIND_KEYFILE; i++)
		continue;
	if (*ret_slot != SIZE_MAX || i == n)
		return CDOP_NOT_FOUND;
	*ret_slot = i;
	memcpy(ret_k, place->k, 32);
	return CDOP_OK;
}

int
house_verify(const struct house_place *place)
{
	struct tree_verify *tree;
	struct verify_log log;
	struct verify_args args = {.dir = place->data,
	    .map_bytes = MAP,
	    .unlock = on_unlock,
	    .line = on_line,
	    .ctx = (void *)(uintptr_t)place,
	    .log = &log};
	struct verify_result result;
	enum cdop_err err;

	must(tree_verify_new(&tree), "room for the tree");
	log = tree_verify_log(tree);
	err = verify_dir(&args, &result);
	tree_verify_free(tree);
	if (err != CDOP_OK || result.rows == 0 || result.fine != result.rows)
		return -1;
	return (int)result.findings;
}
