/* The text of the recovery sheet. */
#include "server/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cdop/date.h"
#include "cdop/secret.h"
#include "server/registry/registry.h"
#include "server/vault/rows.h"

#define ROOM 8192

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
add_slots(struct text *text, const struct rows *rows)
{
	const struct slots_info *slot;
	size_t i;

	add(text, "\nSlots, each of which alone opens the registry:\n");
	for (i = 0; i < rows_slots(rows); i++) {
		slot = rows_slot(rows, i);
		if (slot->kind == SLOTS_KIND_KEYFILE)
			add(text, "  slot %u  key file, 32 bytes: %s\n",
			    slot->number, slot->label);
		else
			add(text,
			    "  slot %u  passphrase (Argon2id, %u passes, "
			    "%u MiB): %s\n",
			    slot->number, slot->kdf.passes,
			    slot->kdf.memory_kib / 1024, slot->label);
	}
}

static void
add_fingerprints(struct text *text, const struct registry *reg)
{
	uint8_t server[CDOP_KEY_LEN], hash[32];
	struct cdop_bytes part = {server, sizeof(server)};

	cdop_secret_public(server, reg->link_secret);
	cdop_secret_hash(hash, sizeof(hash), NULL, "", &part, 1);
	add_hex(text, "Server key, BLAKE2b:", hash, 16);
	add_hex(text, "Profile, BLAKE2b:", reg->profile_hash, 16);
}

static void
add_advice(struct text *text, const struct sheet *sheet)
{
	add(text,
	    "\nIf every slot is lost the data is lost: nobody can open it, "
	    "ever.\n"
	    "Keep the key file on a medium of its own, a copy of it and the\n"
	    "passphrase in two places that do not burn together.\n"
	    "\nWhoever holds the data directory (or a backup with it) and one\n"
	    "slot can read everything, without a trace in the log.\n"
	    "\nTo look whether a copy is whole:  cdopd verify DIR\n"
	    "When no two administrators are left:  cdopd recover-people DIR\n");
	add(text, "\nData directory when this was made:  %s\n", sheet->dir);
	add(text, "Key file when this was made:        %s\n", sheet->key_file);
	if (sheet->degraded)
		add(text,
		    "DEGRADED: the key file lies on the file system of the "
		    "data.\nWhoever takes the disk has both.  Move it.\n");
}

enum cdop_err
sheet_write(const struct sheet *sheet, struct cdop_arena *arena,
    struct cdop_bytes *ret_text)
{
	const struct registry *reg = sheet->reg;
	struct text text = {.at = cdop_arena_alloc(arena, ROOM)};
	struct cdop_date made = cdop_date_utc(reg->created_ms);
	unsigned minute = (unsigned)(reg->created_ms / 60000 % 1440);
	char day[CDOP_DATE_TEXT_MAX];

	if (text.at == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_date_write(&made, day);
	add(&text,
	    "RECOVERY SHEET of a child death overview registry\n"
	    "(no secret in it; print it and put it away)\n\n");
	add_hex(&text, "Registry:", reg->id, sizeof(reg->id));
	add(&text, "%-24s%s\n",
	    "Mode:", reg->mode == REGISTRY_LIVE ? "LIVE" : "TRAINING");
	add(&text, "%-24s%s %02u:%02u UTC\n", "Made:", day, minute / 60,
	    minute % 60);
	add_fingerprints(&text, reg);
	add_slots(&text, sheet->rows);
	add_advice(&text, sheet);
	if (text.full)
		return CDOP_RESOURCE_EXHAUSTED;
	ret_text->data = (const uint8_t *)text.at;
	ret_text->len = text.len;
	return CDOP_OK;
}
