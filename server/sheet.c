/* The text of the recovery sheet. */
#include "server/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/date.h"
#include "cdop/secret.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/offline.h"
#include "server/registry/custody_act.h"
#include "server/registry/registry.h"
#include "server/vault/rows_slots.h"

#define ROOM 32768

struct text {
	char *at;
	size_t len;
	bool full;
};

__attribute__((format(printf, 2, 3))) static void
add(struct text *text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text->at + text->len, ROOM - text->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= ROOM - text->len)
		text->full = true;
	else
		text->len += (size_t)n;
}

/* Groups of four, to be compared by eye. */
static void
add_hex(struct text *text, const char *label, const uint8_t *bytes, size_t len)
{
	size_t i;

	add(text, "%-24s", label);
	for (i = 0; i < len; i++)
		add(text, "%s%02x", i % 2 == 0 && i > 0 ? " " : "", bytes[i]);
	add(text, "\n");
}

static void
add_set(struct text *text, const struct slots_set *set)
{
	char holder[SLOTS_LABEL + 1];
	uint8_t x;

	if (set == NULL) {
		add(text, "          its set is missing: no share opens it\n");
		return;
	}
	add(text, "          any %u of these %u sheets together:\n", set->k,
	    set->n);
	for (x = 0; x < set->n; x++)
		add(text, "          share %u: %s\n", x + 1u,
		    slots_shown(set->holder[x], holder));
}

static void
add_slot(struct text *text, const struct rows *rows, size_t i)
{
	const struct slots_info *slot = rows_slot(rows, i);
	char label[SLOTS_LABEL + 1];

	add(text, "  slot %u  %s", slot->number, slots_kind_name(slot->kind));
	if (slots_kind_is_file(slot->kind))
		add(text, ", 32 bytes");
	else if (slot->kind == SLOTS_KIND_PASSPHRASE)
		add(text, " (Argon2id, %u passes, %u MiB)", slot->kdf.passes,
		    slot->kdf.memory_kib / 1024);
	add(text, ": %s\n", slots_shown(slot->label, label));
	if (slot->kind == SLOTS_KIND_SHARES)
		add_set(text, rows_slots_set(rows, slot->number));
}

static void
add_slots(struct text *text, const struct rows *rows)
{
	size_t i;

	add(text, "\nSlots, each of which alone opens the registry:\n");
	for (i = 0; i < rows_slots(rows); i++)
		add_slot(text, rows, i);
}

static void
add_key(struct text *text, const char *label, const uint8_t *server)
{
	uint8_t hash[32];
	struct cdop_bytes part = {server, CDOP_KEY_LEN};

	cdop_secret_hash(hash, sizeof(hash), NULL, "", &part, 1);
	add_hex(text, label, hash, 16);
}

static void
add_fingerprints(struct text *text, const struct registry *reg)
{
	add_key(text, "Server key, BLAKE2b:", reg->link_public[0]);
	if (reg->link_secret_next != NULL)
		add_key(text, "Its next one:", reg->link_public[1]);
	add_hex(text, "Profile, BLAKE2b:", reg->profile_hash, 16);
}

static void
add_time(struct text *text, const char *label, uint64_t at_ms)
{
	struct cdop_date date = cdop_date_utc(at_ms);
	unsigned minute = (unsigned)(at_ms / 60000 % 1440);
	char day[CDOP_DATE_TEXT_MAX];

	cdop_date_write(&date, day);
	add(text, "%-24s%s %02u:%02u UTC\n", label, day, minute / 60,
	    minute % 60);
}

static void
add_advice(struct text *text, const struct sheet *sheet)
{
	add(text,
	    "\nIf every slot is lost the data is lost: nobody can open it, "
	    "ever.\n"
	    "Keep a key file on a medium of its own, a copy of it and the\n"
	    "passphrase in two places that do not burn together.\n"
	    "\nWhoever holds the data directory and one slot, or a backup and\n"
	    "enough of its shares, can read everything, without a trace in "
	    "the log.\n"
	    "\nTo restore a backup, which opens with shares of its day alone:\n"
	    "  cdopd restore FILE NEW-DIR --by NAME --reason TEXT --shares\n"
	    "Then start cdopd on it: two administrators accept it, and every\n"
	    "computer goes on with  cdop trust restore\n"
	    "\nTo look whether a copy is whole:  cdopd verify DIR\n"
	    "When no two administrators are left:  cdopd recover-people DIR\n"
	    "When slots or the server's key have changed, status says so, and\n"
	    "this sheet is to be written again:  cdopd slot sheet DIR\n");
	add(text, "\nData directory when this was made:  %s\n", sheet->dir);
	if (sheet->key_file != NULL)
		add(text, "Key file when this was made:        %s\n",
		    sheet->key_file);
	if (sheet->degraded)
		add(text,
		    "DEGRADED: the key file lies on the file system of the "
		    "data.\nWhoever takes the disk has both.  Move it.\n");
}

enum cdop_err
sheet_text(const struct sheet *sheet, struct cdop_arena *arena,
    struct cdop_bytes *ret_text)
{
	const struct registry *reg = sheet->reg;
	struct text text = {.at = cdop_arena_alloc(arena, ROOM)};

	if (text.at == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	add(&text,
	    "RECOVERY SHEET of a child death overview registry\n"
	    "(no secret in it; print it and put it away)\n\n");
	add_hex(&text, "Registry:", reg->id, sizeof(reg->id));
	add(&text, "%-24s%s\n",
	    "Mode:", reg->mode == REGISTRY_LIVE ? "LIVE" : "TRAINING");
	add_time(&text, "Made:", reg->created_ms);
	add_time(&text, "This sheet:", sheet->now_ms);
	add_fingerprints(&text, reg);
	add_slots(&text, sheet->rows);
	add_advice(&text, sheet);
	if (text.full)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_text->data = (const uint8_t *)text.at;
	ret_text->len = text.len;
	return CDOP_OK;
}

static enum cdop_err
text_of(struct offline *offline, const char *dir, const char *key_file,
    struct cdop_bytes *ret_text)
{
	char *whole_dir = realpath(dir, NULL);
	char *whole_key = key_file != NULL ? realpath(key_file, NULL) : NULL;
	const struct sheet sheet = {
	    .reg = offline->reg,
	    .rows = offline->rows,
	    .dir = whole_dir != NULL ? whole_dir : dir,
	    .key_file = whole_key != NULL ? whole_key : key_file,
	    .now_ms = clock_wall_ms(),
	    .degraded = offline->reg->degraded,
	};
	enum cdop_err err;

	/* In another place and another year. */
	err = sheet_text(&sheet, offline->arena, ret_text);
	free(whole_dir);
	free(whole_key);
	return err;
}

static bool
print(struct cdop_bytes text)
{
	return fwrite(text.data, 1, text.len, stdout) == text.len &&
	    fflush(stdout) == 0;
}

bool
sheet_put(struct offline *offline, const char *dir, const char *key_file,
    int fd, const char *path)
{
	struct cdop_bytes text;
	enum cdop_err err;

	err = text_of(offline, dir, key_file, &text);
	if (err != CDOP_OK) {
		log_tell("the recovery sheet: %s", offline_words(err));
		offline_discard(fd, path);
		return false;
	}
	if (fd == -1 ? !print(text) : !offline_write(fd, path, text))
		return false;
	err = custody_act_sheet(offline->reg, offline->arena, clock_wall_ms());
	if (err != CDOP_OK)
		log_tell("%s is written, and that could not be noted: %s", path,
		    offline_words(err));
	return err == CDOP_OK;
}
