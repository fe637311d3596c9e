/*
 * Two ends of a handshake with fixed keys, the ones of PROTOCOL.md's worked
 * example, and bytes as hex; for tests.
 */
#ifndef CDOP_TESTS_PAIR_H
#define CDOP_TESTS_PAIR_H

#include "cdop/link.h"

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Each key counts up from its first byte. */
struct pair_keys {
	uint8_t client_s[CDOP_KEY_LEN];           /* 10 11 ... 2f */
	uint8_t server_s[CDOP_KEY_LEN];           /* 30 ... 4f */
	uint8_t client_e[CDOP_KEY_LEN];           /* 50 ... 6f */
	uint8_t server_e[CDOP_KEY_LEN];           /* 70 ... 8f */
	uint8_t psk[CDOP_KEY_LEN];                /* 90 ... af */
	uint8_t registry[CDOP_LINK_REGISTRY_LEN]; /* b0 ... bf */
	uint8_t client[CDOP_KEY_LEN];             /* public keys */
	uint8_t server[CDOP_KEY_LEN];
};

struct pair {
	struct pair_keys keys;
	struct cdop_noise client;
	struct cdop_noise server;
	/* The Noise messages, once pair_run has made them. */
	uint8_t message[3][CDOP_LINK_MESSAGE3_LEN];
	size_t len[3];
	struct cdop_noise_cipher client_tx, client_rx;
	struct cdop_noise_cipher server_tx, server_rx;
	uint8_t hash[CDOP_NOISE_HASH_LEN];
};

void pair_keys(struct pair_keys *keys);

/* Both ends, ready to begin, with the fixed ephemerals. */
void pair_init(struct pair *pair);

/* Message i (0 to 2) from the end whose turn it is. */
void pair_write(struct pair *pair, size_t i);

/* The other end reads len bytes as message i. */
enum cdop_err pair_read(
    struct pair *pair, size_t i, const uint8_t *message, size_t len);

/* The messages up to but not with `to`, written and read. */
void pair_run_to(struct pair *pair, size_t to);

/* The whole handshake and the split. */
void pair_run(struct pair *pair);

/* The end that reads message i. */
struct cdop_noise *pair_reader(struct pair *pair, size_t i);

/* Whether nothing is left in it and every call on it is refused. */
void assert_dead(struct cdop_noise *noise);

/* A copy of the pair, at message i, refuses these bytes and is dead. */
void pair_refuses(
    struct pair *pair, size_t i, const uint8_t *bytes, size_t len);

/* Bytes of a hex literal, exactly len. */
void unhex(const char *hex, uint8_t *out, size_t len);

#endif
