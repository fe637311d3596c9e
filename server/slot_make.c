/* The secret of a new slot, asked for, made and written; see slot_make.h. */
#include "server/slot_make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "cdop/text.h"
#include "server/base/inside.h"
#include "server/base/log.h"
#include "server/base/unseal.h"
#include "server/cmd.h"
#include "server/registry/registry.h"
#include "server/share_read.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows_slots.h"

#define PASSPHRASE_MIN 12 /* bytes, as at init */
#define SHEET_ROOM     2048

/* ---- arguments ---------------------------------------------------------- */

void
slot_make_args_init(struct slot_make_args *ret_args)
{
	memset(ret_args, 0, sizeof(*ret_args));
	ret_args->kdf_passes = SLOTS_PASSES;
	ret_args->kdf_memory_mib = SLOTS_MEMORY / 1024;
}

bool
slot_make_number(const char *value, uint32_t max, uint32_t *ret_n)
{
	char *end;
	unsigned long n;

	n = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || n > max)
		return false;
	*ret_n = (uint32_t)n;
	return true;
}

/* "3/5" */
static bool
take_plan(const char *value, struct slots_set_new *plan)
{
	unsigned k, n;
	char end;

	if (sscanf(value, "%2u/%2u%c", &k, &n, &end) != 2)
		return false;
	plan->k = (uint8_t)k;
	plan->n = (uint8_t)n;
	return true;
}

bool
slot_make_take(struct slot_make_args *args, const char *name, const char *value)
{
	if (strcmp(name, "--new-key-file") == 0)
		args->key_file = value;
	else if (strcmp(name, "--new-credential") == 0)
		args->credential = value;
	else if (strcmp(name, "--new-passphrase-file") == 0)
		args->passphrase.file = value;
	else if (strcmp(name, "--new-shares") == 0 &&
	    take_plan(value, &args->plan))
		args->is_shares = true;
	else if (strcmp(name, "--out") == 0)
		args->out = value;
	else if (strcmp(name, "--holder") == 0 && args->n_holder < SHAMIR_MAX)
		args->plan.holder[args->n_holder++] = value;
	else if (strcmp(name, "--kdf-memory") == 0)
		return slot_make_number(value, 1024, &args->kdf_memory_mib);
	else if (strcmp(name, "--kdf-passes") == 0)
		return slot_make_number(
		    value, SLOTS_PASSES_MAX, &args->kdf_passes);
	else
		return false;
	return true;
}

size_t
slot_make_kinds(const struct slot_make_args *args,
    enum slots_kind ret_kind[static SLOT_MAKE_KINDS])
{
	size_t n = 0;

	if (args->key_file != NULL)
		ret_kind[n++] = SLOTS_KIND_KEYFILE;
	if (args->credential != NULL)
		ret_kind[n++] = SLOTS_KIND_CREDENTIAL;
	if (args->is_passphrase)
		ret_kind[n++] = SLOTS_KIND_PASSPHRASE;
	if (args->is_shares)
		ret_kind[n++] = SLOTS_KIND_SHARES;
	return n;
}

/* Fewer people than it says open it then: said, and not refused. */
static void
tell_same_holder(const struct slot_make_args *args)
{
	size_t i, k;

	for (i = 0; i < args->n_holder; i++)
		for (k = 0; k < i; k++)
			if (strcmp(args->plan.holder[i],
				args->plan.holder[k]) == 0)
				log_tell("WARNING: share %zu and share %zu are "
					 "of one holder, %s",
				    k + 1, i + 1, args->plan.holder[i]);
}

bool
slot_make_check(const struct slot_make_args *args)
{
	size_t i;

	if (!args->is_shares)
		return true;
	if (!slots_set_is_plan(args->plan.k, args->plan.n)) {
		log_tell("--new-shares K/N: two at least, sixteen at most, and "
			 "N two over K or more, so that two may be lost");
		return false;
	}
	if (args->n_holder > args->plan.n) {
		log_tell("there are more --holder than shares");
		return false;
	}
	for (i = 0; i < args->n_holder; i++)
		if (!cmd_is_line("--holder", args->plan.holder[i], SLOTS_LABEL))
			return false;
	tell_same_holder(args);
	if (args->out == NULL)
		log_tell("--out DIR: where the sheets of the shares are "
			 "written");
	return args->out != NULL;
}

/* ---- what it is going to be --------------------------------------------- */

/* Whoever had an old slot's secret is not to have the new one's. */
static bool
is_another(struct slot_make *make, const uint8_t k[static 32], uint8_t kind)
{
	struct rows *rows = make->rows;
	size_t i;

	for (i = 0; i < rows_slots(rows); i++)
		if (slots_kind_is_file(rows_slot(rows, i)->kind) ==
			slots_kind_is_file(kind) &&
		    rows_prove(rows, i, k) == CDOP_OK) {
			log_tell("that opens slot %u already: whoever had that "
				 "would have this one; take another",
			    rows_slot(rows, i)->number);
			return false;
		}
	return true;
}

static bool
make_key_file(struct slot_make *make, const char *path)
{
	uint8_t key[SLOTS_KEYFILE];
	bool good;
	int fd;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0 && errno == EEXIST)
		return offline_key_is_there(path);
	if (fd < 0) {
		log_tell("%s: %s", path, strerror(errno));
		return false;
	}
	cdop_secret_random(key, sizeof(key));
	offline_give_key(fd, make->args->dir);
	good = offline_write(fd, path, (struct cdop_bytes){key, sizeof(key)});
	cdop_secret_wipe(key, sizeof(key));
	if (!good)
		return false;
	(void)snprintf(make->path[0], SLOT_MAKE_PATH, "%s", path);
	printf("made, 32 random bytes in %s\n", path);
	return true;
}

/* The passphrases of old slots have salts of their own. */
static bool
is_new_passphrase(struct slot_make *make, struct cdop_bytes text)
{
	const struct slots_info *info;
	uint8_t k[32];
	bool good = true;
	size_t i;

	for (i = 0; i < rows_slots(make->rows); i++) {
		info = rows_slot(make->rows, i);
		if (info->kind != SLOTS_KIND_PASSPHRASE ||
		    slots_derive_passphrase(&info->kdf, text, k) != CDOP_OK)
			continue;
		good = good && is_another(make, k, info->kind);
	}
	cdop_secret_wipe(k, sizeof(k));
	return good;
}

/* Typed twice by a person: what is kept is what was meant. */
static bool
read_passphrase(struct slot_make *make, const struct slots_kdf *kdf)
{
	const struct offline_passphrase *from = &make->args->passphrase;
	uint8_t text[2][UNSEAL_PASSPHRASE_MAX];
	size_t len[2] = {0, 0};
	struct cdop_bytes typed;
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
	typed = (struct cdop_bytes){text[1], len[1]};
	if (good) {
		err = slots_derive_passphrase(kdf, typed, make->k);
		if (err != CDOP_OK)
			log_tell("the passphrase's key takes %u MiB of memory: "
				 "there is not as much",
			    kdf->memory_kib / 1024);
		good = err == CDOP_OK;
	}
	good = good && is_new_passphrase(make, typed);
	if (good && cdop_text_keyboard(typed) != NULL)
		log_tell("%s", cdop_text_keyboard(typed));
	cdop_secret_wipe(text, sizeof(text));
	return good;
}

static bool
prepare_passphrase(struct slot_make *make)
{
	struct slots_new *slot = &make->slot;

	slot->kind = SLOTS_KIND_PASSPHRASE;
	if (slots_kdf_new(make->args->kdf_passes,
		make->args->kdf_memory_mib * 1024, &slot->kdf) != CDOP_OK) {
		log_tell("--kdf-passes or --kdf-memory is out of bounds");
		return false;
	}
	return read_passphrase(make, &slot->kdf);
}

bool
slot_make_out(const char *out, const char *dir, bool *ret_made)
{
	const bool made = mkdir(out, 0700) == 0;
	bool inside = false;

	*ret_made = false;
	if (!made && errno != EEXIST) {
		log_tell("%s: %s", out, strerror(errno));
		return false;
	}
	if (inside_dir(out, dir, &inside) != CDOP_OK) {
		log_tell("%s: %s", out, strerror(errno));
	} else {
		*ret_made = made && !inside;
		if (!inside)
			return true;
		log_tell("%s lies in %s: whoever takes the data would have "
			 "what is written there.  Take a directory elsewhere, "
			 "best on another medium",
		    out, dir);
	}
	if (made)
		(void)rmdir(out);
	return false;
}

/* Files first: shares that cannot be written open nothing. */
static bool
prepare_shares(struct slot_make *make)
{
	const struct slot_make_args *args = make->args;
	size_t i;
	int len;

	make->slot.kind = SLOTS_KIND_SHARES;
	if (!slot_make_out(args->out, args->dir, &make->made_out))
		return false;
	for (i = 0; i < args->plan.n; i++) {
		len = snprintf(make->path[i], SLOT_MAKE_PATH,
		    "%s/share-%zu.txt", args->out, i + 1);
		if (len < 0 || len >= SLOT_MAKE_PATH) {
			log_tell("%s: too long", args->out);
			return false;
		}
		make->fd[i] = offline_create(make->path[i]);
		if (make->fd[i] < 0 && errno == EEXIST)
			log_tell("a set that cdopd slot list names may have "
				 "that sheet: then say another --out DIR.  One "
				 "that no such set has was left by a run that "
				 "did not end, and opens nothing: destroy it");
		if (make->fd[i] < 0) {
			make->path[i][0] = '\0'; /* not ours to take away */
			return false;
		}
	}
	return true;
}

/* As at init: beside the data it makes the encryption worth little. */
static bool
check_place(struct slot_make *make, const char *path)
{
	const struct slot_make_args *args = make->args;

	if (offline_is_beside(path, args->dir, &make->degraded) != CDOP_OK)
		return false;
	if (!make->degraded || args->degraded || args->is_registry_degraded)
		return true;
	offline_tell_beside(path, args->dir);
	return false;
}

static bool
prepare_file(struct slot_make *make, const char *path)
{
	return strlen(path) < SLOT_MAKE_PATH && make_key_file(make, path) &&
	    offline_key_file(path, make->k) == CDOP_OK &&
	    is_another(make, make->k, (uint8_t)make->slot.kind) &&
	    check_place(make, path);
}

static bool
prepare(struct slot_make *make)
{
	switch (make->slot.kind) {
	case SLOTS_KIND_SHARES:
		return prepare_shares(make);
	case SLOTS_KIND_PASSPHRASE:
		return prepare_passphrase(make);
	case SLOTS_KIND_KEYFILE:
		return prepare_file(make, make->args->key_file);
	case SLOTS_KIND_CREDENTIAL:
		break;
	}
	return prepare_file(make, make->args->credential);
}

bool
slot_make_begin(struct slot_make *make, const struct slot_make_args *args,
    enum slots_kind kind, struct lockmem *mem, struct rows *others)
{
	size_t i;

	memset(make, 0, sizeof(*make));
	for (i = 0; i < SHAMIR_MAX; i++)
		make->fd[i] = -1;
	make->args = args;
	make->mem = mem;
	make->rows = others;
	make->slot.kind = kind;
	make->slot.label =
	    args->label != NULL ? args->label : slots_kind_name((uint8_t)kind);
	make->k = lockmem_alloc(mem, 32);
	if (make->k == NULL)
		return false;
	make->slot.k = make->k;
	return prepare(make);
}

void
slot_make_end(struct slot_make *make, bool keep)
{
	size_t i;

	for (i = 0; i < SHAMIR_MAX; i++) {
		offline_discard(make->fd[i], make->path[i]);
		if (!keep && make->path[i][0] != '\0')
			(void)unlink(make->path[i]);
	}
	if (!keep && make->made_out)
		(void)rmdir(make->args->out); /* which stays, if it has any */
	if (make->k != NULL)
		lockmem_free(make->mem, make->k, 32);
	cdop_secret_wipe(make, sizeof(*make));
}

/* ---- shares on paper ---------------------------------------------------- */

static bool
write_share(struct slot_make *make, const struct registry *reg,
    const struct slots_set *set, size_t i)
{
	char sheet[SHEET_ROOM], text[CDOP_SHARE_TEXT], id[33];
	bool good;
	int len, fd;

	cdop_secret_hex((struct cdop_bytes){reg->id, sizeof(reg->id)}, id);
	cdop_share_write(&make->share[i], text);
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
	fd = make->fd[i];
	make->fd[i] = -1;
	good = len > 0 && (size_t)len < sizeof(sheet) &&
	    offline_write(fd, make->path[i],
		(struct cdop_bytes){(const uint8_t *)sheet, (size_t)len});
	cdop_secret_wipe(sheet, sizeof(sheet));
	cdop_secret_wipe(text, sizeof(text));
	return good;
}

bool
slot_make_sheets(struct slot_make *make, const struct registry *reg,
    const struct slots_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (!write_share(make, reg, set, i))
			return false;
		cdop_secret_wipe(&make->share[i], sizeof(make->share[i]));
		if (share_read_file(make->path[i], &make->share[i]) !=
			CDOP_OK ||
		    !slots_set_fits(set, &make->share[i])) {
			log_tell("%s: is not what was written", make->path[i]);
			return false;
		}
	}
	return slots_set_combine(make->share, set->k, make->k) == CDOP_OK &&
	    slots_set_combine(make->share + set->n - set->k, set->k, make->k) ==
	    CDOP_OK;
}
