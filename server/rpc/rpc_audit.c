/* What the auditor asks of the log.  Reading it is logged like any call. */
#include "server/rpc/rpc_audit.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/reference.h"
#include "cdop/text.h"
#include "server/registry/audit_said.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"

struct listing {
	struct rpc_ctx *ctx;
	const Cdop__AuditListRequest *req;
	Cdop__AuditListReply *rep;
	char reference[CDOP_REFERENCE_TEXT]; /* as it is written; "": any */
	uint32_t left;     /* entries that may still be given */
	bool past;         /* older than asked for: nothing more will come */
	enum cdop_err err; /* of an entry that could not be made */
};

static const char *
call_name(uint32_t call)
{
	const struct rpc_method *method = rpc_method_find(call);

	switch (call) {
	case AUDIT_EVENT_INIT:
		return "registry made";
	case AUDIT_EVENT_SESSION:
		return "signed in";
	case AUDIT_EVENT_REFUSED:
		return "handshakes refused";
	case AUDIT_EVENT_UNSEALED:
		return "registry opened";
	case AUDIT_EVENT_RECOVERED:
		return "administrator recovered offline";
	case AUDIT_EVENT_STATEMENT:
		return "log goes on under a new key";
	case AUDIT_EVENT_RESTORED:
		return "restored on the host";
	case AUDIT_EVENT_DROPPED:
		return "requests dropped by a restore";
	case AUDIT_EVENT_LEFT_OUT:
		return "left out by a restore";
	case AUDIT_EVENT_TAKEN_BACK:
		return "invitations taken back by a restore";
	case AUDIT_EVENT_SCRUBBED:
		return "log looked through";
	case AUDIT_EVENT_FORGOTTEN:
		return "search terms forgotten";
	case AUDIT_EVENT_KEYS:
		return "keys turned";
	case AUDIT_EVENT_KEY_GONE:
		return "key destroyed";
	case AUDIT_EVENT_ROOT:
		return "root to be made anew on the host";
	case AUDIT_EVENT_SHEET:
		return "recovery sheet written on the host";
	case AUDIT_EVENT_SLOT_ADDED:
		return "slot added on the host";
	case AUDIT_EVENT_SLOT_REMOVED:
		return "slot removed on the host";
	case AUDIT_EVENT_SLOT_TESTED:
		return "slot tested on the host";
	case AUDIT_EVENT_SHARE_GIVEN:
		return "share given";
	default:
		return method == NULL ? "no such call" : method->name;
	}
}

static bool
names_case(const Cdop__StoredWords *words, const char *reference)
{
	size_t i;

	for (i = 0; i < words->n_released; i++)
		if (strcmp(words->released[i]->reference, reference) == 0)
			return true;
	return words->named != NULL && strcmp(words->named, reference) == 0;
}

/* Did it, was the second one, or had it done to them. */
static bool
names_person(const Cdop__StoredWords *words, uint32_t person)
{
	return (words->has_person && words->person == person) ||
	    (words->has_second_person && words->second_person == person) ||
	    (words->has_subject_person && words->subject_person == person);
}

static bool
is_wanted(const struct listing *listing, const Cdop__StoredWords *words)
{
	const Cdop__AuditListRequest *req = listing->req;

	if (req->has_until_ms && words->at_ms > req->until_ms)
		return false;
	if (req->has_person && !names_person(words, req->person))
		return false;
	if (req->has_device &&
	    (!words->has_device || words->device != req->device))
		return false;
	return listing->reference[0] == '\0' ||
	    names_case(words, listing->reference);
}

/* As the registry has it now; NULL: nobody of that number. */
static char *
name_of(const struct people *people, uint32_t number, struct cdop_arena *arena)
{
	const struct people_person *person = people_person(people, number);

	return person == NULL ? NULL : cdop_arena_strdup(arena, person->name);
}

/* Who it was, and whom it was about. */
static void
fill_people(const struct people *people, const Cdop__StoredWords *words,
    struct cdop_arena *arena, Cdop__AuditEntry *entry)
{
	const struct people_device *device;

	entry->has_person = words->has_person;
	entry->person = words->person;
	entry->has_device = words->has_device;
	entry->device = words->device;
	device =
	    words->has_device ? people_device(people, words->device) : NULL;
	if (words->has_person)
		entry->person_name = name_of(people, words->person, arena);
	if (device != NULL)
		entry->device_label = cdop_arena_strdup(arena, device->label);
	entry->has_subject_person = words->has_subject_person;
	entry->subject_person = words->subject_person;
	if (words->has_subject_person)
		entry->subject_person_name =
		    name_of(people, words->subject_person, arena);
}

/* An act of two people: which one, whose, and what it brings in. */
static void
fill_second(const struct people *people, const Cdop__StoredWords *words,
    struct cdop_arena *arena, Cdop__AuditEntry *entry)
{
	entry->has_second_person = words->has_second_person;
	entry->second_person = words->second_person;
	if (words->has_second_person)
		entry->second_person_name =
		    name_of(people, words->second_person, arena);
	if (words->has_approved_method)
		entry->approved_call =
		    cdop_arena_strdup(arena, call_name(words->approved_method));
	if (words->has_approval) {
		entry->has_approval = true;
		entry->approval = words->approval;
	} else if (words->stored != NULL && words->stored->has_approval) {
		entry->has_approval = true;
		entry->approval = words->stored->approval;
	}
	entry->has_digest = words->has_digest;
	entry->digest = words->digest;
}

static enum cdop_err
fill_said(
    struct rpc_ctx *ctx, const struct audit_leaf *leaf, Cdop__AuditEntry *entry)
{
	struct audit_said said;
	enum cdop_err err;

	err = audit_said_read(ctx->reg->rows, ctx->arena, leaf, &said);
	if (err != CDOP_OK)
		return err;
	entry->purpose_text = (char *)(uintptr_t)said.purpose;
	entry->reason_text = (char *)(uintptr_t)said.reason;
	return CDOP_OK;
}

/*
 * No client takes a message with a text that is no UTF-8, and one that the
 * log has would hide the others beside it for ever.
 */
static void
make_readable(const Cdop__AuditEntry *entry)
{
	char *const text[] = {entry->person_name, entry->device_label,
	    entry->purpose, entry->reason, entry->named,
	    entry->subject_person_name, entry->second_person_name,
	    entry->purpose_text, entry->reason_text};
	size_t i;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (text[i] != NULL)
			cdop_text_mend(text[i]);
}

enum cdop_err
rpc_audit_entry(struct rpc_ctx *ctx, const struct audit_leaf *leaf,
    Cdop__AuditEntry **ret_entry)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct cdop_arena *arena = ctx->arena;
	Cdop__AuditEntry *entry;
	enum cdop_err err;

	entry = cdop_arena_alloc(arena, sizeof(*entry));
	if (entry == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__audit_entry__init(entry);
	entry->index = leaf->index;
	entry->at_ms = words->at_ms;
	fill_people(ctx->reg->people, words, arena, entry);
	fill_second(ctx->reg->people, words, arena, entry);
	entry->has_role = words->has_role;
	entry->role = words->role;
	entry->call = cdop_arena_strdup(arena, call_name(words->call));
	entry->purpose = words->purpose;
	entry->has_use = words->has_use;
	entry->use = words->use;
	entry->answered = words->answered;
	entry->outcome = words->outcome;
	entry->reason = words->reason;
	/* Unpacked into the arena: they live as long as the reply. */
	entry->named = words->named;
	entry->n_released = words->n_released;
	entry->released = words->released;
	entry->n_term_kind = words->n_term_kind;
	entry->term_kind = words->term_kind;
	entry->has_count = words->has_count;
	entry->count = words->count;
	*ret_entry = entry;
	if (entry->call == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = fill_said(ctx, leaf, entry)) == CDOP_OK)
		make_readable(entry);
	return err;
}

static bool
visit(void *ctx, const struct audit_leaf *leaf)
{
	const Cdop__StoredWords *words = leaf->stored->words;
	struct listing *listing = ctx;
	Cdop__AuditEntry *entry;

	if (listing->req->has_since_ms &&
	    words->at_ms < listing->req->since_ms) {
		listing->past = true;
		return false;
	}
	/* One was asked for, and this is it. */
	listing->past = listing->req->has_index;
	if (!is_wanted(listing, words))
		return !listing->past;
	listing->err = rpc_audit_entry(listing->ctx, leaf, &entry);
	if (listing->err != CDOP_OK)
		return false;
	listing->rep->entry[listing->rep->n_entry++] = entry;
	listing->left--;
	return !listing->past && listing->left > 0 &&
	    listing->rep->n_entry < CDOP_LIST_MAX;
}

static enum cdop_err
seek(struct rpc_ctx *ctx, uint64_t index, uint64_t *ret_cursor)
{
	enum cdop_err err;

	err = audit_seek(ctx->reg->audit, ctx->arena, index, ret_cursor);
	return err != CDOP_NOT_FOUND
	    ? err
	    : rpc_fail(ctx, err, "no_such_entry",
		  "the log has no entry of that number");
}

/* However it is typed, it is the same case; and no case is no answer. */
static enum cdop_err
read_reference(struct rpc_ctx *ctx, struct listing *listing)
{
	const char *typed = listing->req->reference;
	uint64_t number;

	if (typed == NULL ||
	    cdop_reference_parse(typed, ctx->reg->mode == REGISTRY_TRAINING,
		listing->reference, &number) == CDOP_OK)
		return CDOP_OK;
	rpc_violation(ctx, "reference", "reference.check",
	    CDOP__SEVERITY__ERROR, "look again");
	return rpc_fail(ctx, CDOP_INVALID_ARGUMENT, "bad_field",
	    "not a case reference of this registry");
}

enum cdop_err
rpc_audit_list(struct rpc_ctx *ctx, const Cdop__AuditListRequest *req,
    Cdop__AuditListReply *rep)
{
	struct listing listing = {.ctx = ctx, .req = req, .rep = rep};
	uint64_t cursor = ctx->stream.at;
	enum cdop_err err;

	if ((err = read_reference(ctx, &listing)) != CDOP_OK)
		return err;
	listing.left = UINT32_MAX;
	if (req->has_limit)
		listing.left = req->limit > ctx->stream.given
		    ? req->limit - ctx->stream.given
		    : 0;
	if (listing.left == 0)
		return CDOP_OK;
	rep->entry =
	    cdop_arena_calloc(ctx->arena, CDOP_LIST_MAX, sizeof(*rep->entry));
	if (rep->entry == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (req->has_index && (err = seek(ctx, req->index, &cursor)) != CDOP_OK)
		return err;
	err = audit_walk(ctx->reg->audit, ctx->arena, &cursor, RPC_AUDIT_ROWS,
	    visit, &listing);
	if (err != CDOP_OK)
		return err;
	if (listing.err != CDOP_OK)
		return listing.err;
	ctx->next.given = ctx->stream.given + (uint32_t)rep->n_entry;
	if (!listing.past && listing.left > 0)
		ctx->next.at = cursor;
	return CDOP_OK;
}
