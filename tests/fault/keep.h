/*
 * What clients know, whatever becomes of the vault: it lies in memory that a
 * process and those it was forked from share.  What was said to them counts.
 */
#ifndef CDOP_TESTS_FAULT_KEEP_H
#define CDOP_TESTS_FAULT_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEEP_OPS    24
#define KEEP_BODY   1024
#define KEEP_SEEN   256
#define KEEP_LEAVES 256
#define KEEP_CASES  3

/* One request, as it was first sent; it is sent again word for word. */
struct keep_op {
	bool sent;
	bool answered;  /* with OK */
	bool was_known; /* the answer was of an earlier one */
	uint32_t method;
	uint8_t key[16];
	uint8_t body[KEEP_BODY];
	size_t len;
};

/* A checkpoint that was shown. */
struct keep_seen {
	uint64_t size;
	uint8_t root[32];
};

/* A leaf that a receipt proved. */
struct keep_leaf {
	uint64_t index;
	uint8_t hash[32];
};

struct keep {
	uint64_t keys;   /* makes request keys differ */
	uint64_t now_ms; /* of the clock that nobody sets */
	size_t at;       /* the next op of this step */
	struct keep_op op[KEEP_OPS];
	struct keep_seen seen[KEEP_SEEN];
	size_t n_seen;
	struct keep_leaf leaf[KEEP_LEAVES];
	size_t n_leaf;
	/* What replies gave the clients to go on with. */
	char reference[KEEP_CASES][32];
	uint8_t invitation[16];
	uint8_t psk[32];
	uint32_t new_device;
	char comparison[24];
	uint32_t backup; /* the last that was taken whole */
	/* Of the run under way. */
	bool fired;
	bool hindered; /* something was not for now, or did not come to rest */
	char hit[32];  /* the call that was hit */
	char end[192]; /* how the vault left; "" where it did not */
	uint64_t count[16];
	size_t turns; /* of the vault */
	char facts[4096];
};

#endif
