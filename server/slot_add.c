/* Adding a slot offline; see slot_add.h. */
#include "server/slot_add.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/registry/custody_act.h"
#include "server/registry/registry.h"
#include "server/share_read.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_slots.h"

#define PASSPHRASE_MIN 12 /* bytes, as at init */
#define PATH_ROOM      1024
#define SHEET_ROOM     2048

/* What is under way. */
struct work {
	struct slot_add *add;
	struct custody_act_new new;
	uint8_t *k; /* locked; not of shares */
	struct cdop_share share[SHAMIR_MAX];
	uint16_t number;
	int fd[SHAMIR_MAX];
	char path[SHAMIR_MAX][PATH_ROOM];
};

void
slot_add_init(struct slot_add *ret_add)
{
	memset(ret_add, 0, sizeof(*ret_add));
	ret_add->kdf_passes = 3;
	ret_add->kdf_memory_mib = 256;
}

/* ---- what it is going to be --------------------------------------------- */

static bool
check(const struct slot_add *add)
{
	int kinds = (add->key_file != NULL) + (add->credential != NULL) +
	    add->is_passphrase + add->is_shares;

	if (kinds != 1) {
		log_tell("one of --new-key-file, --new-credential, "
			 "--new-passphrase, --new-shares");
		return false;
	}
	if (!add->is_shares)
		return true;
	if (!slots_set_is_plan(add->plan.k, add->plan.n)) {
		log_tell("--new-shares K/N: two at least, sixteen at most, and "
			 "N two over K or more, so that two may be lost");
		return false;
	}
	if (add->n_holder > add->plan.n) {
		log_tell("there are more --holder than shares");
		return false;
	}
	if (add->out == NULL)
		log_tell("--out DIR: where the sheets of the shares are "
			 "written");
	return add->out != NULL;
}

static bool
make_key_file(const char *path)
{
	uint8_t key[SLOTS_KEYFILE];
	bool good;
	int fd;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0 && errno == EEXIST)
		return true; /* one that is there is used, if it is one */
	if (fd < 0) {
		log_tell("%s: %s", path, strerror(errno));
		return false;
	}
	cdop_secret_random(key, sizeof(key));
	good = offline_write(fd, path, (struct cdop_bytes){key, sizeof(key)});
	cdop_secret_wipe(key, sizeof(key));
	if (good)
		printf("made, 32 random bytes in %s\n", path);
	return good;
}

/* Typed twice by a person: what is kept is what was meant. */
static bool
read_passphrase(struct work *work, const struct slots_kdf *kdf)
{
	const struct offline_passphrase *from = &work->add->passphrase;
	uint8_t text[2][UNSEAL_PASSPHRASE_MAX];
	size_t len[2] = {0, 0};
	enum cdop_err err;
	bool good;

	good = offline_read_passphrase(from, "New passphrase: ", text[0],
		   sizeof(text[0]), &len[0]) == CDOP_OK;
	if (good && len[0] < PASSPHRASE_MIN) {
		log_tell(
		    "a passphrase has %d characters at least", PASSPHRASE_MIN);
		good = false;
	}
	if (good)
		good = offline_read_passphrase(from,
			   "The same passphrase again: ", text[1],
			   sizeof(text[1]), &len[1]) == CDOP_OK;
	if (good &&
	    (len[0] != len[1] || memcmp(text[0], text[1], len[0]) != 0)) {
		log_tell("the two are not the same");
		good = false;
	}
	if (good) {
		err = slots_derive_passphrase(
		    kdf, (struct cdop_bytes){text[1], len[1]}, work->k);
		if (err != CDOP_OK)
			log_tell("the passphrase's key takes %u MiB of memory: "
				 "%s",
			    kdf->memory_kib / 1024, cdop_err_name(err));
		good = err == CDOP_OK;
	}
	cdop_secret_wipe(text, sizeof(text));
	return good;
}

static bool
prepare_passphrase(struct work *work)
{
	struct slots_new *slot = &work->new.slot;

	slot->kind = SLOTS_KIND_PASSPHRASE;
	if (slots_kdf_new(work->add->kdf_passes,
		work->add->kdf_memory_mib * 1024, &slot->kdf) != CDOP_OK) {
		log_tell("--kdf-passes or --kdf-memory is out of bounds");
		return false;
	}
	return read_passphrase(work, &slot->kdf);
}

/* Files first: shares that cannot be written open nothing. */
static bool
prepare_shares(struct work *work)
{
	const struct slot_add *add = work->add;
	size_t i;
	int len;

	work->new.slot.kind = SLOTS_KIND_SHARES;
	work->new.plan = &add->plan;
	if (mkdir(add->out, 0700) != 0 && errno != EEXIST) {
		log_tell("%s: %s", add->out, strerror(errno));
		return false;
	}
	for (i = 0; i < add->plan.n; i++) {
		len = snprintf(work->path[i], PATH_ROOM, "%s/share-%zu.txt",
		    add->out, i + 1);
		if (len < 0 || len >= PATH_ROOM) {
			log_tell("%s: too long", add->out);
			return false;
		}
		work->fd[i] = offline_create(work->path[i]);
		if (work->fd[i] < 0)
			return false;
	}
	return true;
}

static bool
prepare(struct work *work)
{
	const struct slot_add *add = work->add;
	const char *file =
	    add->key_file != NULL ? add->key_file : add->credential;

	work->new.by = add->by;
	work->new.reason = add->reason;
	work->new.now_ms = clock_wall_ms();
	work->new.slot.k = work->k;
	if (add->is_shares) {
		if (!prepare_shares(work))
			return false;
	} else if (add->is_passphrase) {
		if (!prepare_passphrase(work))
			return false;
	} else {
		work->new.slot.kind = add->key_file != NULL
		    ? SLOTS_KIND_KEYFILE
		    : SLOTS_KIND_CREDENTIAL;
		if (!make_key_file(file) ||
		    offline_key_file(file, work->k) != CDOP_OK)
			return false;
	}
	work->new.slot.label = add->label != NULL
	    ? add->label
	    : slots_kind_name((uint8_t)work->new.slot.kind);
	return true;
}

/* ---- shares on paper ---------------------------------------------------- */

static bool
write_share(struct work *work, size_t i)
{
	const struct registry *reg = work->add->offline.reg;
	const struct slots_set *set =
	    rows_slots_set(work->add->offline.rows, work->number);
	char sheet[SHEET_ROOM], text[CDOP_SHARE_TEXT], id[33];
	bool good;
	int len, fd;

	cdop_secret_hex((struct cdop_bytes){reg->id, sizeof(reg->id)}, id);
	cdop_share_write(&work->share[i], text);
	len = snprintf(sheet, sizeof(sheet),
	    "# SHARE %zu of %u, for %s\n"
	    "# Registry %s%s, slot %u: any %u of %u open it.\n"
	    "# Print this sheet and delete the file. Keep it where nobody "
	    "else reads it;\n"
	    "# tell nobody the letters, and send them to nobody.\n"
	    "# To look whether it is good:  cdop custodian drill\n"
	    "# To open the registry:        cdop custodian submit, or on its "
	    "host cdopd unseal --shares\n"
	    "%s",
	    i + 1, set->n, set->holder[i], id,
	    reg->mode == REGISTRY_TRAINING ? " (TRAINING)" : "", set->number,
	    set->k, set->n, text);
	fd = work->fd[i];
	work->fd[i] = -1;
	good = len > 0 && (size_t)len < sizeof(sheet) &&
	    offline_write(fd, work->path[i],
		(struct cdop_bytes){(const uint8_t *)sheet, (size_t)len});
	cdop_secret_wipe(sheet, sizeof(sheet));
	cdop_secret_wipe(text, sizeof(text));
	return good;
}

/* As they stand on the disk now. */
static bool
read_back(struct work *work)
{
	const struct slots_set *set =
	    rows_slots_set(work->add->offline.rows, work->number);
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (!write_share(work, i))
			return false;
		cdop_secret_wipe(&work->share[i], sizeof(work->share[i]));
		if (share_read_file(work->path[i], &work->share[i]) !=
			CDOP_OK ||
		    !slots_set_fits(set, &work->share[i])) {
			log_tell("%s: is not what was written", work->path[i]);
			return false;
		}
	}
	return slots_set_combine(work->share, set->k, work->k) == CDOP_OK &&
	    slots_set_combine(work->share + set->n - set->k, set->k, work->k) ==
	    CDOP_OK;
}

/* ---- doing it ----------------------------------------------------------- */

/* With what was kept: file, typed twice, or sheets. */
static bool
prove(struct work *work)
{
	struct offline *offline = &work->add->offline;
	size_t slot;

	if (work->add->is_shares && !read_back(work))
		return false;
	return rows_slots_find(offline->rows, work->number, &slot) &&
	    rows_prove(offline->rows, slot, work->k) == CDOP_OK;
}

static bool
add_it(struct work *work)
{
	struct offline *offline = &work->add->offline;
	enum cdop_err err;

	err = custody_act_add(offline->reg, offline->arena, &work->new,
	    &work->number, work->share);
	if (err == CDOP_INVALID_ARGUMENT)
		log_tell("a label or a holder has at most %d bytes, and no "
			 "control characters",
		    SLOTS_LABEL);
	else if (err == CDOP_RESOURCE_EXHAUSTED)
		log_tell("there is no room, on the disk or for one slot more");
	else if (err != CDOP_OK)
		log_tell("%s", cdop_err_name(err));
	if (err != CDOP_OK)
		return false;
	if (prove(work))
		return true;
	log_tell("slot %u was added and does not open the root: remove it",
	    work->number);
	return false;
}

static void
report(const struct work *work)
{
	size_t i;

	printf("slot %u %s: opened\n", work->number, work->new.slot.label);
	if (!work->add->is_shares)
		return;
	for (i = 0; i < work->add->plan.n; i++)
		printf("share %zu: %s\n", i + 1, work->path[i]);
	printf("Any %u of these %u open the registry. Print each, give it to "
	       "its holder, delete the files.\n",
	    work->add->plan.k, work->add->plan.n);
}

static bool
run(struct work *work)
{
	struct offline *offline = &work->add->offline;

	work->k = lockmem_alloc(offline->mem, 32);
	if (work->k == NULL)
		return false;
	if (!offline_load(offline, &work->add->from, clock_wall_ms()))
		return false;
	return prepare(work) && add_it(work);
}

bool
slot_add_run(struct slot_add *add)
{
	static struct work work;
	bool good;
	size_t i;

	if (!check(add))
		return false;
	memset(&work, 0, sizeof(work));
	work.add = add;
	for (i = 0; i < SHAMIR_MAX; i++)
		work.fd[i] = -1;
	good = run(&work);
	if (good)
		report(&work);
	for (i = 0; i < SHAMIR_MAX; i++)
		if (work.fd[i] >= 0) {
			close(work.fd[i]);
			(void)unlink(work.path[i]);
		}
	lockmem_free(add->offline.mem, work.k, 32);
	cdop_secret_wipe(work.share, sizeof(work.share));
	return good;
}
