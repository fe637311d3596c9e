/*
 * What a process asks of its libraries, in order: tape.so writes it down,
 * bare plays it again.
 */
#ifndef CDOP_BENCH_TAPE_H
#define CDOP_BENCH_TAPE_H

#include <stdint.h>

#define TAPE_MAX ((uint64_t)32 << 20) /* entries of a file */

/* len: bytes of text, plain or sealed; also: of what is only authenticated */
enum tape_op {
	TAPE_LINK_AEAD = 1, /* ChaCha20-Poly1305 */
	TAPE_AEAD,          /* XChaCha20-Poly1305 */
	TAPE_STREAM,        /* XChaCha20 */
	TAPE_BLAKE2B,       /* len; also: of its key */
	TAPE_BLAKE2B_INIT,  /* also: of its key */
	TAPE_BLAKE2B_UPDATE,
	TAPE_BLAKE2B_FINAL, /* len: of the hash, as before */
	TAPE_SHA256_UPDATE,
	TAPE_SHA256_DIGEST,
	TAPE_HMAC_KEY,
	TAPE_HMAC_UPDATE,
	TAPE_HMAC_DIGEST,
	TAPE_RANDOM,
	TAPE_SIGN,
	TAPE_BEGIN, /* also: flags */
	TAPE_COMMIT,
	TAPE_ABORT,
	TAPE_PUT, /* key; len: of the row; also: flags */
	TAPE_DEL, /* key */
	TAPE_CURSOR_OPEN,
	TAPE_CURSOR_CLOSE,
	TAPE_CURSOR_GET, /* key; also: which */
	TAPE_OPS
};

struct tape_entry {
	uint64_t key;
	uint32_t len;
	uint32_t also;
	uint32_t op;
	uint32_t unused;
};

/* The file.  pid: whose calls are written down; 0: nobody's. */
struct tape {
	uint64_t pid;
	uint64_t n;   /* above TAPE_MAX: there was no room */
	uint64_t env; /* of LMDB, where the process has it; 0: not yet used */
	struct tape_entry entry[];
};

#endif
