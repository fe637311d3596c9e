/* The plain words of a leaf; see audit_row.h. */
#include "server/registry/audit_row.h"

#include <string.h>

#include "cdop/form.h"
#include "server/registry/actor.h"

static enum cdop_err
fill_living(const struct audit_released *from, struct cdop_arena *arena,
    Cdop__Released *to)
{
	Cdop__LivingCount *count;
	size_t i;

	to->living =
	    cdop_arena_calloc(arena, from->n_living, sizeof(*to->living));
	count = cdop_arena_calloc(arena, from->n_living, sizeof(*count));
	if (to->living == NULL || count == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < from->n_living; i++) {
		cdop__living_count__init(&count[i]);
		count[i].kind = cdop_arena_strdup(arena, from->living[i].kind);
		count[i].n = from->living[i].n;
		if (count[i].kind == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		to->living[to->n_living++] = &count[i];
	}
	return CDOP_OK;
}

static enum cdop_err
fill_released(const struct audit_entry *entry, struct cdop_arena *arena,
    Cdop__StoredWords *words)
{
	Cdop__Released *released;
	size_t i;

	words->released = cdop_arena_calloc(
	    arena, entry->n_released, sizeof(*words->released));
	released =
	    cdop_arena_calloc(arena, entry->n_released, sizeof(*released));
	words->term_kind =
	    cdop_arena_calloc(arena, entry->n_terms, sizeof(*words->term_kind));
	if (words->released == NULL || released == NULL ||
	    words->term_kind == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < entry->n_released; i++) {
		const struct audit_released *from = &entry->released[i];
		Cdop__Released *to = &released[i];

		cdop__released__init(to);
		to->reference = cdop_arena_strdup(arena, from->reference);
		to->classes = from->classes;
		if (from->owner_area != NULL)
			to->owner_area =
			    cdop_arena_strdup(arena, from->owner_area);
		if (from->jurisdiction != NULL)
			to->jurisdiction =
			    cdop_arena_strdup(arena, from->jurisdiction);
		to->n_instance = from->n_instances;
		to->instance = cdop_arena_calloc(
		    arena, from->n_instances, sizeof(*to->instance));
		if (to->reference == NULL || to->instance == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		if (from->n_instances > 0)
			memcpy(to->instance, from->instances,
			    from->n_instances * sizeof(*to->instance));
		if (fill_living(from, arena, to) != CDOP_OK)
			return CDOP_RESOURCE_EXHAUSTED;
		words->released[i] = to;
	}
	words->n_released = entry->n_released;
	for (i = 0; i < entry->n_terms; i++) {
		words->term_kind[i] =
		    cdop_arena_strdup(arena, entry->terms[i].kind);
		if (words->term_kind[i] == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	words->n_term_kind = entry->n_terms;
	return CDOP_OK;
}

/* One bit of the role mask as the wire has it. */
static bool
role_of(const struct actor *actor, Cdop__Role *ret_role)
{
	int role;

	for (role = CDOP__ROLE__COORDINATOR;
	     role <= CDOP__ROLE__AGENCY_RESPONDENT; role++)
		if (actor->role == 1u << (unsigned)role) {
			*ret_role = (Cdop__Role)role;
			return true;
		}
	return false;
}

static bool
has_text(const char *text)
{
	return text != NULL && *text != '\0';
}

enum cdop_err
audit_row_text(struct cdop_arena *arena, const char *text, char **ret_copy)
{
	if (!has_text(text))
		return CDOP_OK;
	*ret_copy = cdop_arena_strdup(arena, text);
	return *ret_copy == NULL ? CDOP_RESOURCE_EXHAUSTED : CDOP_OK;
}

/* Of an act of two people; the bytes are borrowed until it is packed. */
static void
fill_second(const struct audit_entry *entry, Cdop__StoredWords *words)
{
	words->has_second_person = entry->second_person != 0;
	words->second_person = entry->second_person;
	words->has_approved_method = entry->approved_method != 0;
	words->approved_method = entry->approved_method;
	words->has_approval = entry->approval != NULL;
	words->approval.data = (uint8_t *)(uintptr_t)entry->approval;
	words->approval.len = entry->approval != NULL ? 8 : 0;
	words->has_digest = entry->digest != NULL;
	words->digest.data = (uint8_t *)(uintptr_t)entry->digest;
	words->digest.len = entry->digest != NULL ? 32 : 0;
}

enum cdop_err
audit_row_words(const struct audit_entry *entry, struct cdop_arena *arena,
    Cdop__StoredWords *words)
{
	enum cdop_err err;

	cdop__stored_words__init(words);
	words->at_ms = entry->time_ms;
	words->call = entry->call;
	words->answered = (uint32_t)entry->answered;
	words->outcome = (uint32_t)entry->outcome;
	if (entry->actor != NULL && entry->actor->person != 0) {
		words->has_person = true;
		words->person = entry->actor->person;
		words->has_device = true;
		words->device = entry->actor->device;
		words->has_role = role_of(entry->actor, &words->role);
	}
	words->has_purpose_said = has_text(entry->purpose_text);
	words->purpose_said = words->has_purpose_said;
	words->has_reason_said =
	    entry->keep_reason && has_text(entry->reason_text);
	words->reason_said = words->has_reason_said;
	words->has_use = entry->use != 0;
	words->use = entry->use;
	words->has_subject_person = entry->subject_person != 0;
	words->subject_person = entry->subject_person;
	words->has_count = entry->count != 0;
	words->count = entry->count;
	fill_second(entry, words);
	if ((err = audit_row_text(arena, entry->reason, &words->reason)) !=
	    CDOP_OK)
		return err;
	if ((err = audit_row_text(arena, entry->purpose, &words->purpose)) !=
	    CDOP_OK)
		return err;
	err = audit_row_text(arena, entry->said_by_gate, &words->said_by_gate);
	if (err == CDOP_OK)
		err = audit_row_text(arena, entry->named, &words->named);
	if (err != CDOP_OK)
		return err;
	if (entry->stored != NULL) {
		words->stored = cdop_arena_alloc(arena, sizeof(*words->stored));
		if (words->stored == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
		*words->stored = *entry->stored;
	}
	return fill_released(entry, arena, words);
}
