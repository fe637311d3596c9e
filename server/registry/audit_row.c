/* The plain words of a leaf; see audit_row.h. */
#include "server/registry/audit_row.h"

#include "cdop/form.h"
#include "server/registry/actor.h"

char *
audit_row_borrow(const char *text)
{
	return (char *)(uintptr_t)text;
}

char *
audit_row_text(const char *text)
{
	return text == NULL || *text == '\0' ? NULL : audit_row_borrow(text);
}

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
		count[i].kind = audit_row_borrow(from->living[i].kind);
		count[i].n = from->living[i].n;
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
		to->reference = audit_row_borrow(from->reference);
		to->classes = from->classes;
		to->owner_area = audit_row_borrow(from->owner_area);
		to->jurisdiction = audit_row_borrow(from->jurisdiction);
		to->n_instance = from->n_instances;
		to->instance = (uint32_t *)(uintptr_t)from->instances;
		if (fill_living(from, arena, to) != CDOP_OK)
			return CDOP_RESOURCE_EXHAUSTED;
		words->released[i] = to;
	}
	words->n_released = entry->n_released;
	for (i = 0; i < entry->n_terms; i++)
		words->term_kind[i] = audit_row_borrow(entry->terms[i].kind);
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
	words->has_purpose_said = audit_row_text(entry->purpose_text) != NULL;
	words->purpose_said = words->has_purpose_said;
	words->has_reason_said =
	    entry->keep_reason && audit_row_text(entry->reason_text) != NULL;
	words->reason_said = words->has_reason_said;
	words->has_use = entry->use != 0;
	words->use = entry->use;
	words->has_subject_person = entry->subject_person != 0;
	words->subject_person = entry->subject_person;
	words->has_count = entry->count != 0;
	words->count = entry->count;
	fill_second(entry, words);
	words->reason = audit_row_text(entry->reason);
	words->purpose = audit_row_text(entry->purpose);
	words->said_by_gate = audit_row_text(entry->said_by_gate);
	words->named = audit_row_text(entry->named);
	words->stored = (Cdop__StoredOutcome *)(uintptr_t)entry->stored;
	return fill_released(entry, arena, words);
}
