/*
 * The log as it grows: what an append, a proof and a start cost at a thousand
 * leaves and at a million.  All on one line are of the same minutes of the
 * same machine; only how a column goes on matters, and the shares.
 *
 *     make bench-log [N=1000000]
 *
 * append   a leaf, in commits of 36, until it is durable; cpu: of that
 * tree     the tree's own work, a leaf, with the tiles it puts down
 * root     root and signature, once a commit; of it: both, of the cpu
 * newest   the inclusion proof of a leaf that was just appended (a receipt)
 * any      the same of a leaf from anywhere, with the rows it reads
 * from     a consistency proof from any size (Welcome)
 * start    rows, people and log until it serves; tree: of that
 *
 * append and start are by the clock on the wall, all others in CPU time.
 *
 * A leaf is 5 minutes behind the one before it, so that those of the last 30
 * days, which a start reads for their request keys, are some 8,600.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cdop/call.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/audit.h"
#include "server/registry/checkpoints.h"
#include "server/registry/setup.h"
#include "server/registry/tree.h"
#include "server/registry/tree_load.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"

#define PROFILE "packaging/profiles/merseyside.conf"
#define COMMIT  36
#define PROOFS  400
#define LAST    (20 * COMMIT) /* leaves that the averages are over */
#define STEP_MS (5u * 60u * 1000u)

#define MUST(call)                                                             \
	do {                                                                   \
		if ((call) != CDOP_OK) {                                       \
			fprintf(stderr, "line %d: %s\n", __LINE__, #call);     \
			exit(1);                                               \
		}                                                              \
	} while (0)

struct bench {
	char dir[64];
	uint8_t k[32];
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
	struct registry *reg;
	struct cdop_arena *arena;
	uint64_t now_ms;
	uint64_t dice;
};

/* Microseconds. */
struct result {
	double append, cpu, tree, root, newest, any, from, start, tree_start;
};

static double
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double
wall_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* What others do on the machine is not in it. */
static double
cpu_us(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

static uint64_t
roll(struct bench *b, uint64_t n)
{
	b->dice ^= b->dice << 13;
	b->dice ^= b->dice >> 7;
	b->dice ^= b->dice << 17;
	return b->dice % n;
}

/* ---- a registry -------------------------------------------------------- */

static struct rows_args
tools(struct bench *b)
{
	const char *why;

	MUST(lockmem_new(LOCKMEM_MAX, &b->mem, &why));
	MUST(undo_new(64u << 20, &b->undo));
	MUST(keystore_new(b->mem, b->undo, &b->ks));
	return (struct rows_args){.dir = b->dir, .ks = b->ks, .undo = b->undo};
}

static void
close_all(struct bench *b)
{
	registry_free(b->reg);
	rows_close(b->rows);
	keystore_free(b->ks);
	undo_free(b->undo);
	lockmem_destroy(b->mem);
}

static void
make(struct bench *b)
{
	static const uint8_t id[16] = "registry of test";
	static uint8_t text[1 << 18];
	struct slots_new slot = {
	    .kind = SLOTS_KIND_KEYFILE, .label = "key file", .k = b->k};
	struct setup_args setup = {.mode = REGISTRY_TRAINING,
	    .admin = {"Ada", "Bob"},
	    .n_admin = 2,
	    .now_ms = b->now_ms};
	struct setup_result result;
	struct rows_args args;
	FILE *file;

	file = fopen(PROFILE, "r");
	if (file == NULL) {
		perror(PROFILE);
		exit(1);
	}
	setup.profile.data = text;
	setup.profile.len = fread(text, 1, sizeof(text), file);
	fclose(file);
	(void)snprintf(b->dir, sizeof(b->dir), "%s", "/tmp/cdop-bench.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		exit(1);
	args = tools(b);
	MUST(rows_create(&args, id, &slot, 1, &b->rows));
	MUST(registry_new(b->rows, b->ks, b->undo, b->mem, &b->reg));
	MUST(setup_found(b->reg, b->arena, &setup, &result));
}

static void
end(struct bench *b)
{
	static const char *const names[] = {"data.mdb", "lock.mdb"};
	char path[128];
	size_t i;

	close_all(b);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(b->dir);
}

/* ---- what is measured -------------------------------------------------- */

/* Somebody looked at a case. */
static void
append(struct bench *b)
{
	static const uint32_t instances[] = {0, 1};
	const struct audit_released released = {.reference = "T-2M4-7KQ9-3",
	    .classes = 0x3e,
	    .owner_area = "wirral",
	    .jurisdiction = "england",
	    .instances = instances,
	    .n_instances = 2};
	struct actor actor;
	struct audit_entry entry;

	memset(&actor, 0, sizeof(actor));
	memset(&entry, 0, sizeof(entry));
	actor.person = 3;
	actor.device = 3;
	entry.call = CDOP_CALL_CaseShow;
	entry.time_ms = b->now_ms += STEP_MS;
	entry.actor = &actor;
	entry.request = (struct cdop_bytes){b->k, sizeof(b->k)};
	entry.purpose = "case_work";
	entry.use = CDOP__USE__SCREEN;
	entry.released = &released;
	entry.n_released = 1;
	entry.said_by_gate = "192.0.2.17";
	MUST(audit_append(b->reg->audit, b->arena, &entry, NULL));
}

/* One commit; how long root and signature took of it. */
static double
commit(struct bench *b, size_t n)
{
	double before, root;
	size_t i;

	undo_begin(b->undo);
	MUST(rows_begin(b->rows, n * 4096, n * 2));
	for (i = 0; i < n; i++)
		append(b);
	before = cpu_us();
	MUST(tree_seal(b->reg->tree));
	MUST(checkpoints_set(b->reg->checkpoints));
	root = cpu_us() - before;
	MUST(registry_commit(b->reg));
	/* As for somebody who is given it with each commit. */
	before = cpu_us();
	(void)checkpoints_note(b->reg->checkpoints);
	root += cpu_us() - before;
	cdop_arena_reset(b->arena);
	return root;
}

static void
measure_appends(struct bench *b, uint64_t size, struct result *r)
{
	double wall, cpu;
	size_t i;

	while (audit_size(b->reg->audit) + LAST + COMMIT < size)
		(void)commit(b, COMMIT);
	wall = wall_us();
	cpu = cpu_us();
	for (i = 0; i < LAST / COMMIT; i++)
		r->root += commit(b, COMMIT);
	r->append = (wall_us() - wall) / LAST;
	r->cpu = (cpu_us() - cpu) / LAST;
	r->root /= LAST / COMMIT;
	(void)commit(b, size - audit_size(b->reg->audit));
}

/* Another tree over the same rows, in a batch that is taken back. */
static void
measure_tree(struct bench *b, struct result *r)
{
	struct registry shadow = *b->reg;
	uint8_t hash[32] = {1};
	const char *why;
	double before;
	size_t i;

	MUST(tree_new(b->rows, b->undo, &shadow.tree));
	before = wall_us();
	MUST(tree_load(&shadow, b->arena, &why));
	r->tree_start = wall_us() - before;
	undo_begin(b->undo);
	MUST(rows_begin(b->rows, 4u << 20, 64));
	before = cpu_us();
	for (i = 0; i < 4096; i++)
		MUST(tree_append(shadow.tree, hash));
	r->tree = (cpu_us() - before) / 4096;
	rows_abort(b->rows);
	undo_rollback(b->undo);
	tree_free(shadow.tree);
}

static void
measure_proofs(struct bench *b, struct result *r)
{
	struct tree *tree = b->reg->tree;
	struct cdop_merkle_proof proof;
	uint64_t size = tree_size(tree);
	double before;
	unsigned i;

	before = cpu_us();
	for (i = 0; i < PROOFS; i++)
		MUST(cdop_merkle_prove_inclusion(
		    size - 1 - i % COMMIT, size, tree_fetch, tree, &proof));
	r->newest = (cpu_us() - before) / PROOFS;
	before = cpu_us();
	for (i = 0; i < PROOFS; i++)
		MUST(cdop_merkle_prove_inclusion(
		    roll(b, size), size, tree_fetch, tree, &proof));
	r->any = (cpu_us() - before) / PROOFS;
	before = cpu_us();
	for (i = 0; i < PROOFS; i++)
		MUST(cdop_merkle_prove_consistency(
		    1 + roll(b, size), size, tree_fetch, tree, &proof));
	r->from = (cpu_us() - before) / PROOFS;
}

static double
start(struct bench *b)
{
	struct rows_args args;
	const char *why;
	double before;

	close_all(b);
	args = tools(b);
	before = wall_us();
	MUST(rows_open(&args, &b->rows));
	MUST(rows_unseal(b->rows, 0, b->k));
	MUST(registry_new(b->rows, b->ks, b->undo, b->mem, &b->reg));
	MUST(registry_load(b->reg, b->now_ms, &why));
	return wall_us() - before;
}

/* The best of three: others work here too. */
static void
measure_start(struct bench *b, struct result *r)
{
	double us;
	unsigned i;

	r->start = start(b);
	for (i = 0; i < 2; i++) {
		us = start(b);
		r->start = us < r->start ? us : r->start;
	}
}

static void
measure(struct bench *b, uint64_t size)
{
	struct result r;
	uint64_t used, map;

	memset(&r, 0, sizeof(r));
	measure_appends(b, size, &r);
	measure_tree(b, &r);
	measure_proofs(b, &r);
	measure_start(b, &r);
	rows_usage(b->rows, &used, &map);
	printf("%9llu %8.1f %7.1f %7.2f %7.1f %6.1f%% %8.1f %8.1f %8.1f %8.1f "
	       "%8.2f "
	       "%7.0f\n",
	    (unsigned long long)size, r.append, r.cpu, r.tree, r.root,
	    100 * (r.tree * COMMIT + r.root) / (r.cpu * COMMIT), r.newest,
	    r.any, r.from, r.start / 1000, r.tree_start / 1000,
	    (double)used / (1 << 20));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct bench b = {.now_ms = 1795600000000, .dice = 4711};
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, size;

	memset(b.k, 0x5b, sizeof(b.k));
	MUST(cdop_arena_new((size_t)64 << 20, &b.arena));
	make(&b);
	printf("%9s %8s %7s %7s %7s %7s %8s %8s %8s %8s %8s %7s\n", "leaves",
	    "append", "cpu", "tree", "root", "of it", "newest", "any", "from",
	    "start", "tree", "file");
	printf("%9s %8s %7s %7s %7s %7s %8s %8s %8s %8s %8s %7s\n", "", "us",
	    "us", "us", "us", "", "us", "us", "us", "ms", "ms", "MiB");
	for (size = 1000; size <= n; size *= 10)
		measure(&b, size);
	end(&b);
	cdop_arena_free(b.arena);
	return 0;
}
