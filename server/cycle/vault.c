/* The vault process: start, unseal, the loop, the parent's wishes. */
#include "server/cycle/vault.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdop/role.h"
#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/config.h"
#include "server/base/control.h"
#include "server/base/fds.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/base/undo.h"
#include "server/cycle/anchoring.h"
#include "server/cycle/boot_key.h"
#include "server/cycle/cycle.h"
#include "server/cycle/refused.h"
#include "server/registry/boot.h"
#include "server/registry/registry.h"
#include "server/rpc/sealed.h"
#include "server/store/files.h"
#include "server/vault/copy.h"
#include "server/vault/keystore.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"
#include "server/vault/shares.h"

/* Of one batch: every table entry that may have to come back. */
#define UNDO_MAX (64u << 20)

struct vault {
	const struct config *conf;
	const struct vault_fds *fds;
	struct lockmem *mem;
	struct undo *undo;
	struct keystore *ks;
	struct rows *rows;
	struct shares *shares; /* given while it is sealed */
	struct boot_key *boot; /* locked; NULL: no boot key */
	struct registry *reg;  /* NULL: sealed */
	struct cycle *cycle;
	struct anchoring anchoring;
	uint64_t link;       /* number of the link, as the parent counts */
	uint64_t said_lost;  /* the last of them that was said to be dead */
	int unseal;          /* channel to a key child; -1: none */
	uint32_t said_state; /* to the parent */
	enum registry_room said_room;
	bool stop;
	int status;
};

static void
vault_close(struct vault *vault)
{
	cycle_free(vault->cycle);
	registry_free(vault->reg);
	shares_free(vault->shares);
	boot_key_close(vault->boot, vault->mem);
	rows_close(vault->rows);
	keystore_free(vault->ks);
	undo_free(vault->undo);
	lockmem_destroy(vault->mem);
	fds_close(vault->unseal);
}

/* ---- opening ----------------------------------------------------------- */

static bool
give_up(struct vault *vault, struct registry *reg, int status)
{
	registry_free(reg);
	vault->status = status;
	vault->stop = true;
	return false;
}

/* A word to the parent without more. */
static void
say(const struct vault *vault, enum control_kind kind)
{
	(void)!control_send(
	    vault->fds->control, kind, (struct cdop_bytes){NULL, 0}, -1);
}

/* After the root is there.  Sets the exit status where it cannot go on. */
static bool
open_registry(struct vault *vault, uint16_t slot)
{
	const char *why = "";
	struct registry *reg = NULL;
	enum cdop_err err;

	err =
	    registry_new(vault->rows, vault->ks, vault->undo, vault->mem, &reg);
	if (err == CDOP_OK)
		err = registry_load(reg, clock_wall_ms(), &why);
	if (err != CDOP_OK) {
		log_error("registry.refused", "code=%s finding=%s next=%s",
		    cdop_err_name(err), why, refused_next(err));
		return give_up(vault, reg, refused_status(err));
	}
	reg->metrics = &vault->fds->note->metrics;
	reg->has_anchor = vault->anchoring.dir[0] != '\0';
	if (!anchoring_check(&vault->anchoring, reg))
		return give_up(vault, reg, CONTROL_EXIT_DATA);
	err = boot_new(
	    reg, vault->boot != NULL ? vault->boot->k : NULL, &reg->boot);
	if (err != CDOP_OK) {
		log_error("boot.failed", "code=%s", cdop_err_name(err));
		registry_free(reg);
		vault->stop = true;
		return false;
	}
	vault->reg = reg;
	cycle_open(vault->cycle, reg, slot, shares_given(vault->shares, slot));
	(void)shares_expire(vault->shares, UINT64_MAX);
	log_info("registry.open", "state=%s mode=%s",
	    registry_state_name(reg->state),
	    reg->mode == REGISTRY_LIVE ? "live" : "training");
	return true;
}

static bool
try_slot(struct vault *vault, size_t slot, const uint8_t k[static 32])
{
	enum cdop_err err;

	/* Else the parent takes the silence for a hang. */
	say(vault, CONTROL_OPENING);
	err = rows_unseal(vault->rows, slot, k);
	if (err == CDOP_OK)
		return open_registry(
		    vault, rows_slot(vault->rows, slot)->number);
	if (err == CDOP_RESOURCE_EXHAUSTED) {
		/* It says nothing about the key: the next one tries again. */
		log_error("registry.refused", "code=%s next=%s",
		    cdop_err_name(err), REFUSED_NEXT_ROOM);
		return give_up(vault, NULL, 1);
	}
	if (err == CDOP_DATA_LOSS) {
		log_error("registry.refused", "finding=%s next=%s",
		    rows_finding(vault->rows), REFUSED_NEXT_VERIFY);
		return give_up(vault, NULL, CONTROL_EXIT_DATA);
	}
	return false;
}

/* Key file or credential: a descriptor the parent opened and never read. */
static void
try_file(struct vault *vault, int fd, const char *what)
{
	uint8_t file[SLOTS_KEYFILE + 1], k[32];
	struct cdop_bytes bytes;
	ssize_t len;
	size_t i;

	if (fd < 0 || vault->reg != NULL || vault->stop)
		return;
	len = pread(fd, file, sizeof(file), 0);
	bytes.data = file;
	bytes.len = len < 0 ? 0 : (size_t)len;
	if (slots_derive_keyfile(bytes, k) != CDOP_OK) {
		log_error("keyfile.bad", "which=%s next=%s", what,
		    "a key file has exactly 32 random bytes");
	} else {
		for (i = 0; i < rows_slots(vault->rows) && !vault->stop &&
		     vault->reg == NULL;
		     i++)
			if (slots_kind_is_file(rows_slot(vault->rows, i)->kind))
				(void)try_slot(vault, i, k);
		if (vault->reg == NULL && !vault->stop)
			log_error("keyfile.opens_nothing", "which=%s", what);
	}
	cdop_secret_wipe(file, sizeof(file));
	cdop_secret_wipe(k, sizeof(k));
}

/* Tells the parent what there is to open. */
static void
say_slots(struct vault *vault)
{
	struct control_slot slots[CONTROL_SLOTS_MAX];
	const struct slots_info *info;
	size_t i, n = 0;

	memset(slots, 0, sizeof(slots));
	for (i = 0; vault->reg == NULL && i < rows_slots(vault->rows); i++) {
		info = rows_slot(vault->rows, i);
		if (n == CONTROL_SLOTS_MAX)
			break;
		slots[n].slot = info->number;
		slots[n].kind = info->kind;
		memcpy(slots[n].salt, info->kdf.salt, CONTROL_SALT_LEN);
		slots[n].passes = info->kdf.passes;
		slots[n].memory_kib = info->kdf.memory_kib;
		n++;
	}
	(void)!control_send_slots(vault->fds->control, slots, n);
}

static void
say_state(struct vault *vault, enum control_kind kind)
{
	static const char *const rooms[] = {"", ", disk full", ", disk spent"};
	enum registry_room room = REGISTRY_ROOM;
	uint32_t state = CDOP_STATE_SEALED;
	char text[CONTROL_STATE_MAX];

	if (vault->reg != NULL) {
		state = vault->reg->state;
		room = vault->reg->room;
	}
	vault->said_state = state;
	vault->said_room = room;
	(void)snprintf(text, sizeof(text), "%s%s", registry_state_name(state),
	    rooms[room]);
	if (control_send_state(vault->fds->control, kind, text) != CDOP_OK)
		vault->stop = true;
}

/* ---- a key offered through the parent ---------------------------------- */

static bool
take_key(struct vault *vault, const struct control_offered *offer)
{
	size_t slot;

	return rows_slots_find(vault->rows, offer->slot, &slot) &&
	    try_slot(vault, slot, offer->secret);
}

/* With enough of them the slot of their set. */
static bool
open_with_shares(struct vault *vault, uint16_t set)
{
	uint8_t s[32];
	size_t slot;
	bool opened;

	if (!rows_slots_find(vault->rows, set, &slot) ||
	    shares_secret(vault->shares, set, s) != CDOP_OK)
		return false;
	opened = try_slot(vault, slot, s);
	cdop_secret_wipe(s, sizeof(s));
	return opened;
}

static void
add_share(struct vault *vault, const struct cdop_share *share,
    struct control_shared *shared)
{
	struct shares_count count = {0};
	enum shares_verdict verdict;

	memset(shared, 0, sizeof(*shared));
	verdict = shares_add(
	    vault->shares, vault->rows, share, clock_boot_ms(), &count);
	shared->verdict = (uint8_t)verdict;
	shared->have = count.have;
	shared->need = count.need;
	log_info("share.given", "set=%u share=%u have=%u need=%u verdict=%s",
	    (unsigned)count.set, (unsigned)count.x, (unsigned)count.have,
	    (unsigned)count.need, shares_verdict_words(verdict));
	shared->opened =
	    verdict == SHARES_ENOUGH && open_with_shares(vault, count.set);
}

static bool
take_share(struct vault *vault, const struct control_offered *offer,
    struct control_shared *shared)
{
	struct cdop_bytes packed = {offer->secret, CDOP_SHARE_LEN};
	struct cdop_share share;

	memset(shared, 0, sizeof(*shared));
	shared->verdict = SHARES_WRONG;
	if (cdop_share_unpack(packed, &share) != CDOP_OK)
		return false;
	add_share(vault, &share, shared);
	cdop_secret_wipe(&share, sizeof(share));
	return shared->opened;
}

/* One that a custodian submits over the link. */
static void
on_share(
    void *ctx, const struct cdop_share *share, struct sealed_shared *ret_shared)
{
	struct vault *vault = ctx;
	struct control_shared shared;

	add_share(vault, share, &shared);
	ret_shared->have = shared.have;
	ret_shared->need = shared.need;
	ret_shared->opened = shared.opened;
	ret_shared->taken = shared.verdict == SHARES_TAKEN ||
	    shared.verdict == SHARES_TWICE || shared.verdict == SHARES_ENOUGH;
	ret_shared->words =
	    shares_verdict_words((enum shares_verdict)shared.verdict);
	if (shared.opened)
		say_slots(vault);
}

static void
take_offer(struct vault *vault)
{
	struct control_offered offer;
	struct control_shared shared;
	bool opened;
	enum cdop_err err;

	err = control_offer_recv(vault->unseal, &offer);
	if (err == CDOP_NOT_FOUND)
		return;
	if (err != CDOP_OK || vault->reg != NULL) {
		fds_close(vault->unseal);
		vault->unseal = -1;
		return;
	}
	opened = offer.is_share ? take_share(vault, &offer, &shared)
				: take_key(vault, &offer);
	cdop_secret_wipe(offer.secret, sizeof(offer.secret));
	/* The parent first: whoever is answered may ask it at once. */
	if (opened) {
		say_state(vault, CONTROL_STATE);
		say_slots(vault);
	}
	if (offer.is_share)
		(void)!control_share_answer(vault->unseal, &shared);
	else
		(void)!control_offer_answer(vault->unseal, opened);
}

/* ---- the parent's messages --------------------------------------------- */

static void
take_message(struct vault *vault, struct control_msg *msg)
{
	const struct config *conf;

	switch (msg->kind) {
	case CONTROL_STOP:
		vault->stop = true;
		break;
	case CONTROL_CONFIG:
		if (msg->len != sizeof(*conf))
			break;
		conf = (const void *)msg->body;
		log_set_level((enum log_level)conf->log_level);
		break;
	case CONTROL_LINK:
		if (msg->len == sizeof(vault->link))
			memcpy(&vault->link, msg->body, sizeof(vault->link));
		cycle_set_link(vault->cycle, msg->fd);
		msg->fd = -1;
		break;
	case CONTROL_UNSEAL:
		fds_close(vault->unseal);
		vault->unseal = msg->fd;
		msg->fd = -1;
		break;
	case CONTROL_PING:
		say(vault, CONTROL_PONG);
		break;
	case CONTROL_START:
	case CONTROL_READY:
	case CONTROL_STATE:
	case CONTROL_SLOTS:
	case CONTROL_PONG:
	case CONTROL_LOST:
	case CONTROL_OPENING:
		break;
	}
	fds_close(msg->fd);
}

static void
take_messages(struct vault *vault)
{
	static struct control_msg msg;
	enum cdop_err err;

	while (!vault->stop) {
		err = control_recv(vault->fds->control, &msg);
		if (err == CDOP_NOT_FOUND)
			return;
		if (err != CDOP_OK) {
			/* The parent is gone: nobody to serve for. */
			vault->stop = true;
			return;
		}
		take_message(vault, &msg);
	}
}

/* ---- the loop ---------------------------------------------------------- */

static int
wait_for_work(struct vault *vault, struct pollfd *polled)
{
	polled[0].fd = vault->fds->control;
	polled[0].events = POLLIN;
	polled[1].fd = cycle_link(vault->cycle);
	polled[1].events = POLLIN;
	if (cycle_wants_write(vault->cycle))
		polled[1].events |= POLLOUT;
	polled[2].fd = vault->unseal;
	polled[2].events = POLLIN;
	return poll(polled, 3, cycle_sleep_ms(vault->cycle));
}

/*
 * A gate that talks nonsense does not know that it is not listened to any
 * more, and waits like us: the parent ends it.
 */
static void
say_lost(struct vault *vault)
{
	struct cdop_bytes number = {
	    (const uint8_t *)&vault->link, sizeof(vault->link)};

	if (cycle_link(vault->cycle) >= 0 || vault->said_lost == vault->link)
		return;
	if (control_send(vault->fds->control, CONTROL_LOST, number, -1) ==
	    CDOP_OK)
		vault->said_lost = vault->link;
}

/* The loop turns once a second at least. */
static void
forget_shares(struct vault *vault)
{
	size_t n = shares_expire(vault->shares, clock_boot_ms());

	if (n > 0)
		log_info("shares.forgotten", "n=%zu next=%s", n,
		    "begin again with the first one");
}

static void
run(struct vault *vault)
{
	struct pollfd polled[3];

	while (!vault->stop) {
		if (wait_for_work(vault, polled) > 0) {
			if (polled[0].revents != 0)
				take_messages(vault);
			if (polled[2].revents != 0 && vault->unseal >= 0)
				take_offer(vault);
		}
		if (vault->stop)
			return;
		if (cycle_turn(vault->cycle) != CDOP_OK) {
			log_error("commit.unknown", "next=%s",
			    "the vault starts again from the disk");
			vault->status = 1;
			return;
		}
		say_lost(vault);
		forget_shares(vault);
		anchoring_turn(&vault->anchoring, vault->reg, clock_boot_ms());
		if (vault->reg != NULL &&
		    (vault->reg->state != vault->said_state ||
			vault->reg->room != vault->said_room))
			say_state(vault, CONTROL_STATE);
	}
}

/* Before the walls: behind them nobody reads /proc, which shows the lock. */
static int
lock_memory(struct vault *vault)
{
	const char *why = "";
	enum cdop_err err;

	if ((err = lockmem_new(LOCKMEM_MAX, &vault->mem, &why)) == CDOP_OK)
		return 0;
	log_error("memory.not_locked", "next=%s", why);
	return err == CDOP_FAILED_PRECONDITION ? CONTROL_EXIT_CONFIG : 1;
}

static enum cdop_err
vault_open(struct vault *vault)
{
	struct rows_args rows_args = {
	    .dir = vault->conf->data_dir,
	    .map_bytes = (uint64_t)vault->conf->map_size_gib << 30,
	    .reserve_bytes = (uint64_t)vault->conf->reserve_mib << 20,
	};
	struct cycle_args cycle_args = {
	    .note = vault->fds->note,
	    .held_back = vault->fds->held_back,
	    .handshake_s = vault->conf->handshake_s,
	    .idle_s = vault->conf->idle_s,
	    .clock_day = vault->conf->clock_day,
	};
	struct files_found found;
	enum cdop_err err;

	if ((err = undo_new(UNDO_MAX, &vault->undo)) != CDOP_OK)
		return err;
	err = keystore_new(vault->mem, vault->undo, &vault->ks);
	if (err != CDOP_OK)
		return err;
	rows_args.ks = vault->ks;
	rows_args.undo = vault->undo;
	if ((err = rows_open(&rows_args, &vault->rows)) != CDOP_OK) {
		vault->status = refused_store(vault->conf->data_dir, err);
		return err;
	}
	if (files_data(vault->conf->data_dir, &found) != FILES_FINE)
		log_warning("store.files", "dir=%s finding=%s next=%s",
		    vault->conf->data_dir, found.words, found.next);
	if (copy_left_over(vault->rows))
		log_info("copy.left_over", "next=%s",
		    "none: the file that it was made of is whole");
	if ((err = shares_new(vault->mem, &vault->shares)) != CDOP_OK)
		return err;
	err = boot_key_open(
	    vault->fds->boot, vault->mem, vault->rows, &vault->boot);
	if (err == CDOP_INVALID_ARGUMENT)
		vault->status = CONTROL_EXIT_CONFIG; /* it stays so */
	if (err != CDOP_OK)
		return err;
	if (vault->boot != NULL && vault->boot->has_set)
		cycle_args.boot = &vault->boot->set;
	cycle_args.registry = rows_registry(vault->rows);
	cycle_args.share = on_share;
	cycle_args.share_ctx = vault;
	cycle_args.mem = vault->mem;
	return cycle_new(&cycle_args, &vault->cycle);
}

int
vault_main(const struct config *conf, const struct vault_fds *fds)
{
	const char *dirs[2] = {conf->data_dir, conf->anchor_dir};
	struct vault vault = {.conf = conf, .fds = fds, .unseal = -1};
	size_t n_dirs = conf->anchor_dir[0] == '\0' ? 1 : 2;
	bool landlock = false;

	vault.link = fds->link_number;
	vault.anchoring.dir = conf->anchor_dir;
	if (cdop_secret_init() == CDOP_OK && sandbox_harden() == CDOP_OK)
		vault.status = lock_memory(&vault);
	if (vault.status != 0)
		return vault.status;
	vault.status = 1;
	if (vault.mem == NULL ||
	    sandbox_enter(SANDBOX_VAULT, dirs, n_dirs, &landlock) != CDOP_OK) {
		log_error("sandbox.failed", NULL);
		return 1;
	}
	if (!landlock)
		log_warning("sandbox.no_landlock", NULL);
	if (vault_open(&vault) == CDOP_OK) {
		vault.status = 0;
		cycle_set_link(vault.cycle, fds->link);
		try_file(&vault, vault.fds->key, "key_file");
		try_file(&vault, vault.fds->credential, "credential");
		if (!vault.stop) {
			say_state(&vault, CONTROL_READY);
			say_slots(&vault);
			run(&vault);
		}
		/* After a commit of unknown outcome nothing is known. */
		if (vault.status == 0)
			anchoring_stop(&vault.anchoring, vault.reg);
	} else if (vault.status == 1) {
		log_error("vault.not_open", "next=%s", REFUSED_NEXT_ROOM);
	}
	vault_close(&vault);
	return vault.status;
}
