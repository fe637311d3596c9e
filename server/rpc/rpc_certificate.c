/* Certificates of destruction: the list, and one with its note. */
#include <stdio.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/reference.h"
#include "cdop/role.h"
#include "server/registry/actor.h"
#include "server/registry/certificates.h"
#include "server/registry/people.h"
#include "server/rpc/ctx.h"

static char *
name_of(struct rpc_ctx *ctx, uint32_t number)
{
	const struct people_person *person;

	person = people_person(ctx->reg->people, number);
	return person == NULL ? NULL : (char *)(uintptr_t)person->name;
}

/*
 * A coordinator hears of the cases of the areas that he or she works for, and
 * of no turn of keys: what is counted there are the cases of every area.
 */
static bool
may_hear(const struct rpc_ctx *ctx, const Cdop__StoredCertificate *stored)
{
	const struct actor *actor = ctx->actor;
	size_t i;

	if (actor->role != CDOP_ROLE_COORDINATOR)
		return true;
	if (!stored->has_case_id)
		return false;
	if (stored->area == NULL || actor->all_areas)
		return true;
	for (i = 0; i < actor->n_areas; i++)
		if (strcmp(actor->areas[i], stored->area) == 0)
			return true;
	return false;
}

static enum cdop_err
fill(struct rpc_ctx *ctx, const Cdop__StoredCertificate *stored, bool note,
    Cdop__CertificateGetReply *rep)
{
	Cdop__Destruction *out = cdop_arena_alloc(ctx->arena, sizeof(*out));

	if (out == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop__destruction__init(out);
	out->number = stored->number;
	out->kind = stored->kind;
	out->reference = stored->reference;
	out->has_ground = stored->has_ground;
	out->ground = stored->ground;
	out->requester = stored->requester;
	out->approver = stored->approver;
	out->requester_name = name_of(ctx, stored->requester);
	out->approver_name = name_of(ctx, stored->approver);
	out->asked_ms = stored->asked_ms;
	out->rotation = stored->rotation;
	out->has_issued_ms = stored->has_issued_ms;
	out->issued_ms = stored->issued_ms;
	out->has_note = note && stored->has_note;
	if (out->has_note)
		out->note = stored->note;
	rep->certificate[rep->n_certificate++] = out;
	return CDOP_OK;
}

/* One of the list: a page of notes would be more than a message. */
static enum cdop_err
add(struct rpc_ctx *ctx, const struct certificates_entry *entry,
    Cdop__CertificateGetReply *rep)
{
	const size_t mark = cdop_arena_used(ctx->arena);
	char reference[CDOP_REFERENCE_TEXT] = "";
	Cdop__StoredCertificate *stored, head;
	enum cdop_err err;
	bool hears;

	err = certificates_read(
	    ctx->reg->certificates, entry, ctx->arena, &stored);
	if (err != CDOP_OK)
		return err;
	hears = may_hear(ctx, stored);
	head = *stored;
	if (stored->reference != NULL)
		(void)snprintf(
		    reference, sizeof(reference), "%s", stored->reference);
	cdop_arena_rewind(ctx->arena, mark);
	if (!hears)
		return CDOP_OK;
	head.reference = NULL;
	if (head.has_case_id) {
		head.reference = cdop_arena_strdup(ctx->arena, reference);
		if (head.reference == NULL)
			return CDOP_RESOURCE_EXHAUSTED;
	}
	return fill(ctx, &head, false, rep);
}

static enum cdop_err
get_one(struct rpc_ctx *ctx, uint32_t number, Cdop__CertificateGetReply *rep)
{
	const struct certificates *all = ctx->reg->certificates;
	const struct certificates_entry *entry = certificates_find(all, number);
	Cdop__StoredCertificate *stored = NULL;
	enum cdop_err err = CDOP_OK;

	if (entry != NULL)
		err = certificates_read(all, entry, ctx->arena, &stored);
	if (err != CDOP_OK)
		return err;
	if (stored == NULL || !may_hear(ctx, stored))
		return rpc_fail(ctx, CDOP_NOT_FOUND, "no_such_certificate",
		    "no certificate has that number: cdop certificate list");
	if (!entry->issued)
		return rpc_fail(ctx, CDOP_FAILED_PRECONDITION, "not_proved",
		    "nothing is proved yet: the old bytes are there until the "
		    "rotation has ended (cdop key status)");
	return fill(ctx, stored, true, rep);
}

static enum cdop_err
list(struct rpc_ctx *ctx, uint32_t before, Cdop__CertificateGetReply *rep)
{
	const struct certificates *all = ctx->reg->certificates;
	const struct certificates_entry *entry;
	enum cdop_err err;
	size_t i;

	for (i = certificates_count(all); i > 0; i--) {
		entry = certificates_at(all, i - 1);
		if (entry->number >= before)
			continue;
		if (rep->n_certificate == CDOP_LIST_MAX) {
			rep->has_more = true;
			rep->more = true;
			break;
		}
		if ((err = add(ctx, entry, rep)) != CDOP_OK)
			return err;
	}
	return CDOP_OK;
}

enum cdop_err
rpc_certificate_get(struct rpc_ctx *ctx, const Cdop__CertificateGetRequest *req,
    Cdop__CertificateGetReply *rep)
{
	rep->certificate = cdop_arena_calloc(
	    ctx->arena, CDOP_LIST_MAX, sizeof(*rep->certificate));
	if (rep->certificate == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (req->has_number)
		return get_one(ctx, req->number, rep);
	return list(ctx, req->has_before ? req->before : UINT32_MAX, rep);
}
