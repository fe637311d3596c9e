/* Key files, passphrases and shares for the offline verbs. */
#include "server/offline_key.h"

#include <string.h>

#include "cdop/secret.h"
#include "server/base/log.h"
#include "server/share_read.h"
#include "server/vault/rows_slots.h"
#include "server/vault/shares.h"

/* ---- the command line --------------------------------------------------- */

static bool
take_value(struct offline_from *from, const char *name, const char *value)
{
	if (strcmp(name, "--key-file") == 0)
		from->key_file = value;
	else if (strcmp(name, "--passphrase-file") == 0)
		from->passphrase.file = value;
	else if (strcmp(name, "--share-file") == 0 &&
	    from->n_share_file < OFFLINE_SHARES)
		from->share_file[from->n_share_file++] = value;
	else
		return false;
	return true;
}

bool
offline_key_take(struct offline_from *from, int argc, char **argv, int *i)
{
	const char *name = argv[*i];

	if (strcmp(name, "--passphrase-stdin") == 0) {
		from->passphrase.from_stdin = true;
		return true;
	}
	if (strcmp(name, "--shares") == 0) {
		from->shares = true;
		return true;
	}
	if (*i + 1 >= argc || !take_value(from, name, argv[*i + 1]))
		return false;
	++*i;
	return true;
}

void
offline_key_init(struct offline_key *key, const struct offline_from *from)
{
	memset(key, 0, sizeof(*key));
	key->from = from;
}

void
offline_key_wipe(struct offline_key *key)
{
	cdop_secret_wipe(key, sizeof(*key));
}

/* ---- reading it --------------------------------------------------------- */

static bool
is_shares(const struct offline_key *key)
{
	return key->from->shares || key->from->n_share_file > 0;
}

static enum cdop_err
read_shares(struct offline_key *key)
{
	const struct offline_from *from = key->from;
	enum cdop_err err = CDOP_OK;
	size_t i;

	for (i = 0; i < from->n_share_file; i++) {
		err = share_read_file(
		    from->share_file[i], &key->share[key->n_share++]);
		if (err != CDOP_OK)
			return err;
	}
	while (from->shares && key->n_share < SHAMIR_MAX && err == CDOP_OK) {
		err = share_read_terminal(&key->share[key->n_share]);
		key->n_share += err == CDOP_OK;
	}
	if (err != CDOP_OK && err != CDOP_ABORTED)
		return err;
	if (key->n_share > 0)
		return CDOP_OK;
	log_tell("no share was given");
	return CDOP_INVALID_ARGUMENT;
}

static enum cdop_err
read_once(struct offline_key *key)
{
	enum cdop_err err;

	if (key->is_read || key->from->key_file != NULL)
		return CDOP_OK;
	if (is_shares(key))
		err = read_shares(key);
	else
		err = offline_read_passphrase(&key->from->passphrase,
		    "Passphrase of the registry: ", key->text,
		    sizeof(key->text), &key->len);
	key->is_read = err == CDOP_OK;
	return err;
}

static bool
fits(const struct offline_key *key, const struct slots_info *slot)
{
	if (key->from->key_file != NULL)
		return slots_kind_is_file(slot->kind);
	if (is_shares(key))
		return slot->kind == SLOTS_KIND_SHARES &&
		    slot->number == key->share[0].set;
	return slot->kind == SLOTS_KIND_PASSPHRASE;
}

static enum cdop_err
derive(const struct offline_key *key, const struct slots_info *slot,
    uint8_t ret_k[static 32])
{
	enum cdop_err err;

	if (key->from->key_file != NULL)
		return offline_key_file(key->from->key_file, ret_k);
	if (is_shares(key)) {
		err = slots_set_combine(key->share, key->n_share, ret_k);
		if (err != CDOP_OK)
			log_tell("these shares do not go together: one is "
				 "there twice, or of another set, or it is "
				 "one alone");
		return err;
	}
	err = slots_derive_passphrase(
	    &slot->kdf, (struct cdop_bytes){key->text, key->len}, ret_k);
	if (err != CDOP_OK)
		log_tell("not enough memory for the passphrase");
	return err;
}

/* The next one behind last that it may open; n: there is none. */
static size_t
next_fit(const struct offline_key *key, const struct slots_info *slots,
    size_t n, size_t last)
{
	size_t i = last == SIZE_MAX ? 0 : last + 1;

	while (i < n && !fits(key, &slots[i]))
		i++;
	return i;
}

enum cdop_err
offline_key_next(struct offline_key *key, const struct slots_info *slots,
    size_t n, size_t *slot, uint8_t ret_k[static 32])
{
	enum cdop_err err;
	size_t i;

	/* Nobody is asked for what opens nothing. */
	if ((!is_shares(key) || key->is_read) &&
	    next_fit(key, slots, n, *slot) == n)
		return CDOP_NOT_FOUND;
	if ((err = read_once(key)) != CDOP_OK)
		return err == CDOP_NOT_FOUND ? CDOP_INVALID_ARGUMENT : err;
	if ((i = next_fit(key, slots, n, *slot)) == n)
		return CDOP_NOT_FOUND;
	err = derive(key, &slots[i], ret_k);
	if (err == CDOP_OK)
		*slot = i;
	return err == CDOP_NOT_FOUND ? CDOP_INVALID_ARGUMENT : err;
}

bool
offline_key_check(const struct offline_key *key, const struct rows *rows)
{
	enum shares_verdict verdict;
	const struct slots_set *set;
	bool good = true;
	size_t i;

	for (i = 0; i < key->n_share; i++) {
		verdict = shares_look(rows, &key->share[i]);
		if (verdict == SHARES_TAKEN)
			continue;
		log_tell("%s, share %u: %s",
		    i < key->from->n_share_file ? key->from->share_file[i]
						: "as typed",
		    key->share[i].x, shares_verdict_words(verdict));
		good = false;
	}
	if (key->n_share == 0 || !good)
		return good;
	set = rows_slots_set(rows, key->share[0].set);
	if (set != NULL && key->n_share >= set->k)
		return true;
	log_tell("%zu shares were given, and it takes %u", key->n_share,
	    set != NULL ? set->k : 0u);
	return false;
}
