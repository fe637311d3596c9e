/* Calls about cases, packed and unpacked. */
#include "tests/unit/server/rpc/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/form.h"
#include "cdop/limits.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/cases.h"
#include "server/registry/message.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"

static struct world_answer last;

char *
calls_text(struct world *world, const char *text)
{
	char *copy;

	if (text == NULL)
		return NULL;
	copy = cdop_arena_strdup(world->arena, text);
	assert_non_null(copy);
	return copy;
}

void
calls_put(
    struct world *world, Cdop__Form *form, const char *path, const char *typed)
{
	struct cdop_violations violations = {0};

	if (cdop_form_put(form, path, typed, world->reg->profile, world->arena,
		&violations) != CDOP_OK)
		fail_msg("%s: %s", path,
		    violations.n > 0 ? violations.v[0].rule : "?");
}

Cdop__DuplicateDecision *
calls_decision(struct world *world, const char *reference,
    Cdop__Decision decision, const char *reason)
{
	Cdop__DuplicateDecision *d;

	d = cdop_arena_alloc(world->arena, sizeof(*d));
	assert_non_null(d);
	cdop__duplicate_decision__init(d);
	d->reference = calls_text(world, reference);
	d->decision = decision;
	d->reason = calls_text(world, reason);
	return d;
}

static void
call(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, enum cdop_err want)
{
	size_t i;

	world_call(world, who, method, body, &last);
	assert_int_equal(last.failed, CDOP_OK);
	if (last.reply->status == (uint32_t)want)
		return;
	for (i = 0; i < last.reply->n_violation; i++)
		print_message("%s %s\n", last.reply->violation[i]->path,
		    last.reply->violation[i]->rule);
	fail_msg("call %u: %s (%s %s), not %s", method,
	    cdop_err_name((enum cdop_err)last.reply->status),
	    last.reply->reason == NULL ? "" : last.reply->reason,
	    last.reply->message == NULL ? "" : last.reply->message,
	    cdop_err_name(want));
}

static void *
body_or_null(struct world *world, const ProtobufCMessageDescriptor *desc)
{
	return last.reply->has_body ? world_body(world, &last, desc) : NULL;
}

const char *
calls_reason(void)
{
	return last.reply->reason == NULL ? "" : last.reply->reason;
}

const char *
calls_rule(void)
{
	return last.reply->n_violation == 0 ? ""
					    : last.reply->violation[0]->rule;
}

const struct world_answer *
calls_answer(void)
{
	return &last;
}

Cdop__NotificationRegisterReply *
calls_tell(struct world *world, enum world_who who,
    const struct calls_tell *tell, enum cdop_err want)
{
	Cdop__NotificationRegisterRequest request;
	Cdop__DuplicateDecision *decision[9];

	cdop__notification_register_request__init(&request);
	memcpy(decision, tell->decision, sizeof(decision));
	request.form = tell->form;
	request.decision = decision;
	request.n_decision = tell->n_decision;
	request.has_dry_run = tell->dry;
	request.dry_run = tell->dry;
	request.owner_area = calls_text(world, tell->owner_area);
	request.owner_reason = calls_text(world, tell->owner_reason);
	call(world, who, 40, &request.base, want);
	return body_or_null(
	    world, &cdop__notification_register_reply__descriptor);
}

char *
calls_new(struct world *world, enum world_who who, Cdop__Form *form)
{
	struct calls_tell tell = {.form = form};
	Cdop__NotificationRegisterReply *reply;

	reply = calls_tell(world, who, &tell, CDOP_OK);
	assert_non_null(reply);
	assert_non_null(reply->reference);
	return reply->reference;
}

Cdop__Case *
calls_show(struct world *world, enum world_who who, const char *reference,
    enum cdop_err want)
{
	Cdop__CaseShowRequest request;
	Cdop__CaseShowReply *reply;

	cdop__case_show_request__init(&request);
	request.reference = calls_text(world, reference);
	request.has_notifications = true;
	request.notifications = true;
	call(world, who, 43, &request.base, want);
	reply = body_or_null(world, &cdop__case_show_reply__descriptor);
	return reply == NULL ? NULL : reply->case_;
}

Cdop__ChangeReply *
calls_change(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, enum cdop_err want)
{
	call(world, who, method, body, want);
	return body_or_null(world, &cdop__change_reply__descriptor);
}

const struct world_answer *
calls_under(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, const uint8_t key[16])
{
	char purpose[] = "case_work";
	uint8_t copy[16];
	Cdop__Call again;

	memcpy(copy, key, sizeof(copy));
	cdop__call__init(&again);
	again.id = 9;
	again.method = method;
	again.has_request_key = true;
	again.request_key = (ProtobufCBinaryData){sizeof(copy), copy};
	again.purpose = purpose;
	again.has_body = true;
	again.body.len = protobuf_c_message_get_packed_size(body);
	again.body.data = cdop_arena_alloc(world->arena, again.body.len);
	assert_non_null(again.body.data);
	protobuf_c_message_pack(body, again.body.data);
	world_send(world, who, &again, &last);
	assert_int_equal(last.failed, CDOP_OK);
	return &last;
}

Cdop__ChangeReply *
calls_amend(struct world *world, const char *reference, uint64_t version,
    const char *path, const char *typed, const char *clear, enum cdop_err want)
{
	Cdop__CaseAmendRequest request;
	char *clears[1];

	cdop__case_amend_request__init(&request);
	request.reference = calls_text(world, reference);
	request.version = version;
	request.form = cdop_form_new(world->arena);
	request.reason = calls_text(world, "the GP rang");
	request.source = calls_text(world, "telephone, GP");
	if (path != NULL)
		calls_put(world, request.form, path, typed);
	if (clear != NULL) {
		clears[0] = calls_text(world, clear);
		request.clear = clears;
		request.n_clear = 1;
	}
	return calls_change(
	    world, WORLD_COORDINATOR, CDOP_CALL_CaseAmend, &request.base, want);
}

void
calls_number(struct world *world, const char *reference, uint64_t version,
    unsigned child)
{
	Cdop__Form *form = world_form(world, child, "wirral");
	Cdop__CaseAmendRequest request;

	cdop__case_amend_request__init(&request);
	request.reference = calls_text(world, reference);
	request.version = version;
	request.form = cdop_form_new(world->arena);
	request.reason = calls_text(world, "mistyped");
	request.source = calls_text(world, "telephone, GP");
	calls_put(world, request.form, "child.nhs_number",
	    cdop_form_text(form, "child.nhs_number", world->arena));
	(void)calls_change(world, WORLD_COORDINATOR_WIRRAL, CDOP_CALL_CaseAmend,
	    &request.base, CDOP_OK);
}

size_t
calls_find(struct world *world, enum world_who who, const char *family,
    const char *birth)
{
	Cdop__CaseFindRequest request;
	Cdop__CaseFindReply *reply;

	cdop__case_find_request__init(&request);
	request.family_name = calls_text(world, family);
	request.birth_date = calls_text(world, birth);
	call(world, who, 45, &request.base, CDOP_OK);
	reply = body_or_null(world, &cdop__case_find_reply__descriptor);
	assert_non_null(reply);
	return reply == NULL ? 0 : reply->n_case_;
}

bool
calls_lists(struct world *world, enum world_who who, const char *reference)
{
	Cdop__CaseListRequest request;
	Cdop__CaseListReply *reply;
	size_t i;

	cdop__case_list_request__init(&request);
	call(world, who, 44, &request.base, CDOP_OK);
	reply = body_or_null(world, &cdop__case_list_reply__descriptor);
	for (i = 0; reply != NULL && i < reply->n_case_; i++)
		if (strcmp(reply->case_[i]->reference, reference) == 0)
			return true;
	return false;
}

uint32_t
calls_slot(const struct world *world, const char *reference)
{
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot = 0;

	assert_int_equal(
	    cdop_reference_parse(reference, true, text, &number), CDOP_OK);
	assert_true(
	    index_by_case(cases_index(world->reg->cases), number + 1, &slot));
	return slot;
}

static struct index_row
summary_row(const struct index *index, uint32_t slot)
{
	const struct index_row *row;
	size_t n, i;

	row = index_rows(index, slot, &n);
	for (i = 0; i < n; i++)
		if (row[i].kind == SCHEMA_KIND_SUMMARY)
			return row[i];
	fail_msg("no summary");
	return (struct index_row){0};
}

void
calls_old_summary(struct world *world, const char *reference)
{
	calls_summary_of_schema(world, reference, 1);
}

size_t
calls_old_left(const struct world *world)
{
	const struct index *index = cases_index(world->reg->cases);
	uint32_t i;
	size_t n = 0;

	for (i = 0; i < index_count(index); i++)
		n += index_at(index, i)->is_old;
	return n;
}

void
calls_summary_of_schema(
    struct world *world, const char *reference, uint8_t schema)
{
	const struct actor nobody = {0};
	struct rows_new old = {
	    .kind = SCHEMA_KIND_SUMMARY, .schema = schema, .version = 1};
	uint32_t slot = calls_slot(world, reference);
	Cdop__StoredSummary *summary;
	struct index_row row;
	struct cases_act act;

	cases_act_init(
	    &act, world->reg->cases, world->arena, &nobody, world->now_ms);
	row = summary_row(act.index, slot);
	world_begin(world, 1u << 20, 16);
	assert_int_equal(cases_read_row(&act, &row,
			     &cdop__stored_summary__descriptor, &summary),
	    CDOP_OK);
	summary->jurisdiction = NULL;
	summary->n_family_name = 0;
	summary->n_first_name = 0;
	old.key_id = index_at(act.index, slot)->key_id;
	assert_int_equal(message_put(world->rows, world->arena, &old,
			     row.number, &summary->base, &row.number),
	    CDOP_OK);
	assert_int_equal(rows_commit(world->rows), CDOP_OK);
	undo_commit(world->undo);
}

/* ---- acts of two people -------------------------------------------------- */

Cdop__Approval *
calls_waiting(struct world *world, enum world_who who)
{
	Cdop__ApprovalListRequest request;
	Cdop__ApprovalListReply *list;

	cdop__approval_list_request__init(&request);
	world_call(world, who, CDOP_CALL_ApprovalList, &request.base, &last);
	assert_int_equal(last.failed, CDOP_OK);
	assert_int_equal(last.reply->status, CDOP_OK);
	if (!last.reply->has_body)
		return NULL;
	list = world_body(world, &last, &cdop__approval_list_reply__descriptor);
	return list->n_approval == 0 ? NULL : list->approval[0];
}

const Cdop__Reply *
calls_approve(struct world *world, enum world_who who,
    const Cdop__Approval *approval, enum cdop_err want)
{
	return calls_decide(world, who, approval, true, NULL, want);
}

const Cdop__Reply *
calls_decide(struct world *world, enum world_who who,
    const Cdop__Approval *approval, bool yes, const char *reason,
    enum cdop_err want)
{
	world_decide(world, who, approval, yes,
	    reason == NULL ? NULL : calls_text(world, reason), &last);
	assert_int_equal(last.reply->status, want);
	return last.reply;
}

Cdop__AuditListReply *
calls_log(struct world *world, const char *reference, uint32_t limit)
{
	Cdop__AuditListRequest request;
	struct world_answer answer;

	cdop__audit_list_request__init(&request);
	request.reference =
	    reference == NULL ? NULL : calls_text(world, reference);
	request.has_limit = limit != 0;
	request.limit = limit;
	world_call(
	    world, WORLD_AUDITOR, CDOP_CALL_AuditList, &request.base, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
	return world_body(world, &answer, &cdop__audit_list_reply__descriptor);
}

const Cdop__AuditEntry *
calls_newest(struct world *world, const char *reference)
{
	const Cdop__AuditListReply *list = calls_log(world, reference, 1);

	assert_int_equal(list->n_entry, 1);
	return list->entry[0];
}

const Cdop__AuditEntry *
calls_audited(struct world *world, const char *call)
{
	const Cdop__AuditListReply *list = calls_log(world, NULL, 0);
	size_t i;

	for (i = 0; i < list->n_entry; i++)
		if (strcmp(list->entry[i]->call, call) == 0)
			return list->entry[i];
	fail_msg("no entry of %s", call);
	return NULL;
}

void
calls_say(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, const char *words)
{
	static char case_work[] = "case_work";
	struct world_answer answer;
	uint8_t packed[512], key[16];
	Cdop__Call call;

	cdop__call__init(&call);
	call.id = 1;
	call.method = method;
	call.purpose = case_work;
	call.purpose_text = calls_text(world, words);
	call.has_use = true;
	call.use = CDOP__USE__SCREEN;
	world_key(world, key);
	call.has_request_key = true;
	call.request_key = (ProtobufCBinaryData){sizeof(key), key};
	call.has_body = true;
	assert_true(protobuf_c_message_get_packed_size(body) <= sizeof(packed));
	call.body.len = protobuf_c_message_pack(body, packed);
	call.body.data = packed;
	world_send(world, who, &call, &answer);
	assert_int_equal(answer.failed, CDOP_OK);
	assert_int_equal(answer.reply->status, CDOP_OK);
}

const Cdop__Reply *
calls_next(struct world *world, Cdop__Call *call, struct rpc_cursor *cursor)
{
	static char audit[] = "audit";
	struct dispatch_request request;
	struct dispatch_peer peer;
	struct dispatch_result result;
	const Cdop__Reply *reply;
	uint8_t outer[256];

	call->id = 1;
	call->purpose = audit;
	call->has_use = true;
	memset(&request, 0, sizeof(request));
	memset(&peer, 0, sizeof(peer));
	peer.device = WORLD_AUDITOR;
	request.peer = &peer;
	assert_true(cdop__call__get_packed_size(call) <= sizeof(outer));
	request.message.len = cdop__call__pack(call, outer);
	request.message.data = outer;
	request.now_ms = world->now_ms;
	request.stream = *cursor;
	world_begin(world, 8u << 20, 64);
	cdop_arena_set_budget(world->arena, CDOP_REQUEST_ARENA);
	assert_int_equal(
	    dispatch_call(world->reg, world->arena, &request, &result),
	    CDOP_OK);
	cdop_arena_set_budget(world->arena, 0);
	assert_int_equal(registry_commit(world->reg), CDOP_OK);
	reply = cdop__reply__unpack(cdop_arena_allocator(world->arena),
	    result.reply.len, result.reply.data);
	assert_non_null(reply);
	*cursor = result.next;
	return reply;
}

void
calls_approve_aborted(
    struct world *world, enum world_who who, const Cdop__Approval *approval)
{
	world->abort = true;
	world_decide(world, who, approval, true, NULL, &last);
	assert_int_equal(last.packed_status, CDOP_OK);
	world->abort = false;
}

void
calls_erase(struct world *world, const char *reference)
{
	Cdop__CaseEraseRequest request;

	cdop__case_erase_request__init(&request);
	request.reference = calls_text(world, reference);
	request.version = 1;
	request.ground = CDOP__ERASURE_GROUND__COURT_ORDER;
	call(world, WORLD_COORDINATOR, 92, &request.base, CDOP_OK);
	assert_true(last.reply->has_approval);
	(void)calls_approve(world, WORLD_CUSTODIAN,
	    calls_waiting(world, WORLD_CUSTODIAN), CDOP_OK);
}

uint32_t
calls_count(const struct world *world)
{
	return index_count(cases_index(world->reg->cases));
}
