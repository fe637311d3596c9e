/* Counting what left. */
#include "client/exposure.h"

#include <string.h>

#include "cdop/fields.h"

/* Classes that do not say who the child was. */
#define DRY (CDOP_CLASS_ADMINISTRATIVE | CDOP_CLASS_EXACT_DATE)

void
exposure_init(
    struct exposure *exposure, struct cdop_arena *arena, uint32_t person)
{
	memset(exposure, 0, sizeof(*exposure));
	exposure->arena = arena;
	exposure->person = person;
}

/* ---- records ------------------------------------------------------------ */

static uint32_t
hash(const char *reference)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *reference != '\0'; reference++)
		h = (h ^ (uint8_t)*reference) * 16777619u;
	return h;
}

/* Where a reference stands in the table, or would. */
static uint32_t *
slot_of(const struct exposure *x, const char *reference)
{
	size_t i = hash(reference) & (x->n_slot - 1);

	while (x->slot[i] != 0 &&
	    strcmp(x->record[x->slot[i] - 1]->reference, reference) != 0)
		i = (i + 1) & (x->n_slot - 1);
	return &x->slot[i];
}

/* Twice as many records, and twice as many slots as those. */
static enum cdop_err
grow(struct exposure *x)
{
	size_t cap = x->cap == 0 ? 64 : x->cap * 2, i;
	struct exposure_record **record;

	record = cdop_arena_calloc(x->arena, cap, sizeof(*record));
	x->slot = cdop_arena_calloc(x->arena, 2 * cap, sizeof(*x->slot));
	if (record == NULL || x->slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (x->n > 0)
		memcpy(record, x->record, x->n * sizeof(*record));
	x->record = record;
	x->cap = cap;
	x->n_slot = 2 * cap;
	for (i = 0; i < x->n; i++)
		*slot_of(x, record[i]->reference) = (uint32_t)i + 1;
	return CDOP_OK;
}

/* The record of a reference, made when it is new; NULL: no memory. */
static struct exposure_record *
record_of(struct exposure *x, const char *reference)
{
	struct exposure_record *record;
	uint32_t *slot;

	if (x->n == x->cap && grow(x) != CDOP_OK)
		return NULL;
	slot = slot_of(x, reference);
	if (*slot != 0)
		return x->record[*slot - 1];
	record = cdop_arena_calloc(x->arena, 1, sizeof(*record));
	if (record == NULL ||
	    (record->reference = cdop_arena_strdup(x->arena, reference)) ==
		NULL)
		return NULL;
	x->record[x->n++] = record;
	*slot = (uint32_t)x->n;
	return record;
}

/* ---- one entry ---------------------------------------------------------- */

/* The most that left of each kind at once: the same people left each time. */
static enum cdop_err
add_living(struct exposure *x, struct exposure_record *record,
    const Cdop__Released *released)
{
	const Cdop__LivingCount *from;
	struct exposure_kind *to;
	size_t i, k;

	if (released->n_living > 0 && record->living == NULL)
		record->living = cdop_arena_calloc(
		    x->arena, EXPOSURE_KINDS_MAX, sizeof(*record->living));
	if (released->n_living > 0 && record->living == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < released->n_living; i++) {
		from = released->living[i];
		for (k = 0; k < record->n_living; k++)
			if (strcmp(record->living[k].kind, from->kind) == 0)
				break;
		if (k == EXPOSURE_KINDS_MAX)
			return CDOP_RESOURCE_EXHAUSTED;
		to = &record->living[k];
		if (k == record->n_living) {
			to->kind = cdop_arena_strdup(x->arena, from->kind);
			if (to->kind == NULL)
				return CDOP_RESOURCE_EXHAUSTED;
			record->n_living++;
		}
		if (to->n < from->n)
			to->n = from->n;
	}
	return CDOP_OK;
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* The one of this text on the list, added where it is new; NULL: no memory. */
static const char *
shared(struct exposure *x, struct exposure_word **list, const char *text)
{
	struct exposure_word *word;

	for (; *list != NULL; list = &(*list)->next)
		if (strcmp((*list)->word, text) == 0)
			return (*list)->word;
	word = cdop_arena_calloc(x->arena, 1, sizeof(*word));
	if (word == NULL)
		return NULL;
	if ((word->word = cdop_arena_strdup(x->arena, text)) == NULL)
		return NULL;
	*list = word;
	return word->word;
}

static enum cdop_err
add_place(struct exposure *x, struct exposure_record *record,
    const Cdop__Released *released)
{
	const char *area = or_empty(released->owner_area);
	const char *jurisdiction = or_empty(released->jurisdiction);
	struct exposure_place *place;

	for (place = record->place; place != NULL; place = place->next)
		if (strcmp(place->area, area) == 0 &&
		    strcmp(place->jurisdiction, jurisdiction) == 0)
			return CDOP_OK;
	place = cdop_arena_alloc(x->arena, sizeof(*place));
	if (place == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	place->area = shared(x, &x->area, area);
	place->jurisdiction = shared(x, &x->jurisdiction, jurisdiction);
	place->next = record->place;
	if (place->area == NULL || place->jurisdiction == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	record->place = place;
	return CDOP_OK;
}

/* Entries come newest first, but nothing here depends on it. */
static void
add_time(uint64_t *first, uint64_t *last, uint64_t at_ms)
{
	if (*first == 0 || at_ms < *first)
		*first = at_ms;
	if (at_ms > *last)
		*last = at_ms;
}

static enum cdop_err
add_released(struct exposure *x, const Cdop__AuditEntry *entry,
    const Cdop__Released *released)
{
	struct exposure_record *record = record_of(x, released->reference);
	enum exposure_way way = EXPOSURE_SCREEN;
	enum cdop_err err;

	if (record == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (entry->has_use && entry->use != CDOP__USE__SCREEN)
		way = EXPOSURE_COPY;
	record->known |= strcmp(entry->call, "Ask") == 0;
	if (released->classes != 0 || strcmp(entry->call, "Ask") == 0)
		record->times[way]++;
	record->classes[way] |= released->classes;
	add_time(&record->first_ms, &record->last_ms, entry->at_ms);
	add_time(&x->first_ms, &x->last_ms, entry->at_ms);
	err = add_living(x, record, released);
	return err != CDOP_OK ? err : add_place(x, record, released);
}

static bool
is_search(const Cdop__AuditEntry *entry)
{
	return strcmp(entry->call, "CaseFind") == 0 ||
	    strcmp(entry->call, "Ask") == 0;
}

static enum cdop_err
count(struct exposure *x, const Cdop__AuditEntry *entry)
{
	bool answered = entry->answered == CDOP_OK;

	x->entries++;
	if (!answered)
		x->refused++;
	if (answered && is_search(entry)) {
		x->searches++;
		x->searches_empty += entry->n_released == 0;
	}
	/* The pieces that follow the first answer have a count. */
	x->backups += answered && !entry->has_count &&
	    strcmp(entry->call, "BackupCreate") == 0;
	if (x->name != NULL || entry->person_name == NULL)
		return CDOP_OK;
	x->name = cdop_arena_strdup(x->arena, entry->person_name);
	return x->name == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

enum cdop_err
exposure_add(struct exposure *exposure, const Cdop__AuditEntry *entry)
{
	enum cdop_err err;
	size_t i;

	if (!entry->has_person ||
	    (exposure->person != 0 && entry->person != exposure->person))
		return CDOP_OK;
	if ((err = count(exposure, entry)) != CDOP_OK)
		return err;
	/* Also of a refusal: candidates leave with the question. */
	for (i = 0; i < entry->n_released; i++) {
		err = add_released(exposure, entry, entry->released[i]);
		if (err != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

/* ---- sums --------------------------------------------------------------- */

enum exposure_depth
exposure_depth(const struct exposure_record *record)
{
	uint32_t classes =
	    record->classes[EXPOSURE_SCREEN] | record->classes[EXPOSURE_COPY];

	if ((classes & ~(DRY | CDOP_CLASS_CHILD_IDENTITY)) != 0)
		return EXPOSURE_CONTENT;
	if ((classes & CDOP_CLASS_CHILD_IDENTITY) != 0)
		return EXPOSURE_NAMED;
	if (classes != 0)
		return EXPOSURE_LISTED;
	return record->known ? EXPOSURE_KNOWN : EXPOSURE_CHANGED;
}

const char *
exposure_depth_word(enum exposure_depth depth)
{
	static const char *const words[EXPOSURE_DEPTHS] = {
	    [EXPOSURE_CONTENT] = "content",
	    [EXPOSURE_NAMED] = "child named",
	    [EXPOSURE_LISTED] = "in a list without names",
	    [EXPOSURE_KNOWN] = "told that it is known",
	    [EXPOSURE_CHANGED] = "changed, nothing shown",
	};

	return depth < EXPOSURE_DEPTHS ? words[depth] : "";
}

size_t
exposure_living(const struct exposure *exposure,
    struct exposure_kind out[static EXPOSURE_KINDS_MAX])
{
	const struct exposure_record *record;
	size_t n = 0, i, k, j;

	for (i = 0; i < exposure->n; i++) {
		record = exposure->record[i];
		for (k = 0; k < record->n_living; k++) {
			for (j = 0; j < n; j++)
				if (strcmp(out[j].kind,
					record->living[k].kind) == 0)
					break;
			if (j == EXPOSURE_KINDS_MAX)
				continue;
			if (j == n)
				out[n++] = (struct exposure_kind){
				    record->living[k].kind, 0};
			out[j].n += record->living[k].n;
		}
	}
	return n;
}

uint32_t
exposure_sum(const struct exposure_kind *kind, size_t n)
{
	uint32_t sum = 0;

	while (n-- > 0)
		sum += kind[n].n;
	return sum;
}

bool
exposure_was_in(const struct exposure_record *record, const char *jurisdiction,
    const char *area)
{
	const struct exposure_place *place;

	for (place = record->place; place != NULL; place = place->next)
		if ((jurisdiction == NULL ||
			strcmp(place->jurisdiction, jurisdiction) == 0) &&
		    (area == NULL || strcmp(place->area, area) == 0))
			return true;
	return false;
}
