/*
 * A vault in the test's own process, on a directory that was made once, with
 * the test as its gate: the order of server/cycle/vault.c without a parent.
 * The shim is armed while the vault's own code runs, and never else.
 */
#ifndef CDOP_TESTS_FAULT_HOUSE_H
#define CDOP_TESTS_FAULT_HOUSE_H

#include "server/base/ipc.h"
#include "server/cycle/anchoring.h"
#include "server/cycle/cycle.h"
#include "server/registry/registry.h"
#include "tests/unit/server/world.h"

#define HOUSE_PATH 96

/* Where everything of one run lies. */
struct house_place {
	char top[64];
	char data[HOUSE_PATH];
	char anchor[HOUSE_PATH];
	uint8_t k[32]; /* opens its first slot */
};

struct house {
	const struct house_place *place;
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
	struct registry *reg;
	struct cycle *cycle;
	struct anchoring anchoring;
	int link; /* the gate's end */
	struct ipc_inbox *inbox;
	uint64_t last_conn;
	size_t turns;
	/* Before this one (from 1 on), and 0: never. */
	size_t hinder_at;
	void (*hinder)(void);
	/* How it ended, and what it says of that; CDOP_OK: it has not. */
	enum cdop_err err;
	const char *where;
	char why[160];
};

/* A packet of the vault. */
typedef void house_packet_fn(void *ctx, const struct ipc_packet *packet);

/*
 * A registry with a cast of people, a set of shares and nothing in it.  disk(),
 * which may be NULL, is told of the folder of everything before anything is
 * there.
 */
typedef void house_disk_fn(const char *path);
void house_make(struct house_place *place, house_disk_fn *disk);
void house_remove(const struct house_place *place);

/* The whole of it kept aside under a name, and brought back. */
void house_save(const struct house_place *place, const char *name);
void house_restore(const struct house_place *place, const char *name);

/* false: it does not start; err, where and why say how come. */
bool house_open(struct house *house, const struct house_place *place);

/* One turn of the loop; false: the vault has left, and says why. */
bool house_turn(struct house *house, house_packet_fn *take, void *ctx);

/* A packet of the gate. */
void house_say(struct house *house, uint64_t conn, enum ipc_kind kind,
    const void *data, size_t len);

/* An orderly end where it has not left, and everything is freed. */
void house_close(struct house *house);

/* Promise 2: nothing that was said in this day is read in any file there. */
void house_check_noise(const struct house_place *place);

/* Every row, as cdopd verify sees it: how many findings; -1: it cannot. */
int house_verify(const struct house_place *place);

#endif
