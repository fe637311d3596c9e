/*
 * A registry as cdopd init leaves it, in a temporary directory, and clients
 * that enrol: for tests of people below dispatch.
 */
#ifndef CDOP_TESTS_HOUSE_H
#define CDOP_TESTS_HOUSE_H

#include "server/registry/invitations.h"
#include "server/registry/people_enrol.h"
#include "server/registry/registry.h"
#include "server/registry/setup.h"

#define HOUSE_START_MS 1795600000000ull /* Mon 23 November 2026 */
#define HOUSE_DAY_MS   86400000ull

struct house {
	char dir[64];
	uint8_t k[32];
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
	struct registry *reg;
	struct cdop_arena *arena;
	uint64_t now_ms;
	uint8_t invitation[SETUP_ADMINS_MAX][16]; /* of init */
	struct people_act act;                    /* of the last house_act() */
};

/* A client's side of one device: what it keeps on its disk. */
struct house_client {
	uint8_t key[32]; /* public */
	uint8_t psk[32];
	uint8_t next[32];
	bool has_next;
	uint8_t handshake[64]; /* of the session under way */
	uint8_t psk_id[16];    /* of the PSK that session is under */
	uint32_t device;       /* of the session; 0: the handshake failed */
};

/* What init makes first: slots and keys, and nobody registered. */
void house_bare(struct house *house);
/* A start over what lies on the disk, as house_reopen, which it may fail. */
enum cdop_err house_load(struct house *house, const char **ret_why);
/* init with n administrators, in setup; house_end() frees all. */
void house_make(struct house *house, size_t n);
/* The same, with persons 1 to n enrolled as devices 1 to n and active. */
void house_open(struct house *house, size_t n, struct house_client *clients);
/* In setup, with both who were invited enrolled as devices 1 and 2. */
void house_two(
    struct house *house, struct house_client *one, struct house_client *two);
void house_end(struct house *house);
/* Closed and loaded again from the disk. */
void house_reopen(struct house *house);

void house_begin(struct house *house);
void house_commit(struct house *house);
void house_abort(struct house *house);

/* An act of this person and device, within a batch. */
struct people_act *house_act(
    struct house *house, uint32_t person, uint32_t device);

/* In a batch of its own, committed unless it failed. */
enum cdop_err house_suspend(
    struct house *house, uint32_t by, uint32_t person, uint32_t device);
enum cdop_err house_resume(
    struct house *house, uint32_t by, uint32_t person, uint32_t device);
enum cdop_err house_revoke(struct house *house, uint32_t by, uint32_t person,
    uint32_t device, bool administrator);
/* By person 1. */
enum cdop_err house_change(struct house *house, uint32_t person,
    uint32_t device, const struct people_change *to);
/* Invites with one role, in all areas where it reads cases. */
enum cdop_err house_invite(struct house *house, uint32_t by, const char *name,
    Cdop__Role role, uint8_t ret_invitation[static 16]);
/* Person 1 invites a coordinator. */
void house_cora(struct house *house, uint8_t ret_invitation[static 16]);
enum cdop_err house_invite_more(struct house *house, uint32_t by,
    uint32_t person, uint8_t ret_invitation[static 16]);
enum cdop_err house_activate(struct house *house, uint32_t by, bool pending,
    uint32_t device, const char *typed);

/* A client with key n whose PSK is this invitation's. */
void house_client(struct house *house, struct house_client *client, unsigned n,
    const uint8_t invitation[static 16]);
/*
 * A new session: a handshake, under next if there is one and it fits, else
 * under current, then what follows it in the daemon.  true: it was let in.
 */
bool house_session(struct house *house, struct house_client *client);
/* Enrols in an invitation's session.  lost: the reply does not arrive. */
enum cdop_err house_enrol(struct house *house, struct house_client *client,
    const uint8_t invitation[static 16], bool lost);
/* What it may do now. */
uint32_t house_roles(struct house *house, uint32_t device);
/* PskTurn in the session under way. */
enum cdop_err house_turn(
    struct house *house, struct house_client *client, bool lost);
/* What the device's owner reads out, 20 bytes. */
void house_string(const struct house_client *client, char out[static 20]);

/* Invites, enrols with key n, activates by another administrator. */
uint32_t house_add(struct house *house, unsigned n, const char *name,
    Cdop__Role role, struct house_client *ret_client);

#endif
