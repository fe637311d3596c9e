/* Acts about keys as rows of steps; see key_acts.h. */
#include "tests/unit/server/rpc/key_acts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/manifest.h"
#include "server/base/undo.h"
#include "server/registry/actor.h"
#include "server/registry/approvals.h"
#include "server/registry/backups.h"
#include "server/registry/cases.h"
#include "server/registry/certificates.h"
#include "server/registry/custody.h"
#include "server/registry/custody_act.h"
#include "server/registry/link_key.h"
#include "server/registry/people.h"
#include "server/registry/rotation.h"
#include "server/vault/rows_slots.h"
#include "tests/unit/server/registry/turning.h"

#define FIRST_SLOT 2 /* a credential's, that the world begins with */
#define KEYS       1000

static struct world *w;
static struct cdop_share shares[SHAMIR_MAX];
static char *reference;        /* of the case that it is about */
static uint32_t taking;        /* number of a backup; 0: none */
static uint8_t first_link[32]; /* the key there was at first */

/* ---- acts ---------------------------------------------------------------- */

static enum cdop_err
call(enum world_who who, uint32_t method, const ProtobufCMessage *body)
{
	struct world_answer answer;

	world_call(w, who, method, body, &answer);
	if (answer.failed == CDOP_OK)
		assert_int_equal(answer.reply->status, CDOP_OK);
	return answer.failed;
}

/* What waits, by number and hash as its reader would have them; or NULL. */
static const struct approval *
waiting(void)
{
	return approvals_at(w->reg->approvals, 0, w->now_ms);
}

static enum cdop_err
approve(enum world_who who)
{
	const struct approval *a = waiting();
	Cdop__ApproveRequest request;
	uint8_t number[8], hash[32];

	memcpy(number, a->number, sizeof(number));
	memcpy(hash, a->hash, sizeof(hash));
	cdop__approve_request__init(&request);
	request.number = (ProtobufCBinaryData){sizeof(number), number};
	request.hash = (ProtobufCBinaryData){sizeof(hash), hash};
	request.approve = true;
	return call(who, CDOP_CALL_Approve, &request.base);
}

static void
begin(void)
{
	undo_begin(w->undo);
}

/* The batch that begin() began, with what came of it. */
static enum cdop_err
end(enum cdop_err err)
{
	if (err == CDOP_OK)
		return registry_commit(w->reg);
	rows_abort(w->rows);
	undo_rollback(w->undo);
	return err;
}

/* With the code that the registry keeps, as verify would print it. */
static enum cdop_err
prove(const struct actor *actor, const struct backups_entry *entry)
{
	const struct backups_proof proof = {
	    .number = entry->number,
	    .code = entry->proof,
	    .now_ms = w->now_ms,
	};
	enum backups_fault fault;

	return backups_prove(w->reg->backups, w->arena, actor, &proof, &fault);
}

/* The post of the case; NULL: it is erased. */
static const struct index_post *
post(void)
{
	const struct index *index = cases_index(w->reg->cases);
	const struct index_post *found;
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot;

	assert_int_equal(
	    cdop_reference_parse(reference, true, text, &number), CDOP_OK);
	if (!index_by_case(index, number + 1, &slot))
		return NULL;
	found = index_at(index, slot);
	return found->status == INDEX_ERASED ? NULL : found;
}

enum cdop_err
key_acts_erase(bool *ret_done)
{
	Cdop__CaseEraseRequest request;

	if (waiting() != NULL)
		return approve(WORLD_CUSTODIAN);
	if (post() == NULL) {
		*ret_done = rotation_running(w->reg->rotation) == NULL;
		return *ret_done ? CDOP_OK : turning_pump(w, 2);
	}
	cdop__case_erase_request__init(&request);
	request.reference = reference;
	request.version = post()->case_version;
	request.ground = CDOP__ERASURE_GROUND__COURT_ORDER;
	return call(WORLD_COORDINATOR, CDOP_CALL_CaseErase, &request.base);
}

enum cdop_err
key_acts_hold(bool *ret_done)
{
	const struct index_post *now = post();
	Cdop__HoldRequest request;
	char reason[] = "inquest";

	if (waiting() != NULL)
		return approve(WORLD_COORDINATOR_WIRRAL);
	*ret_done = now->case_version == 3;
	if (*ret_done)
		return CDOP_OK;
	cdop__hold_request__init(&request);
	request.reference = reference;
	request.version = now->case_version;
	request.reason = reason;
	return call(WORLD_COORDINATOR,
	    now->case_version == 1 ? CDOP_CALL_HoldSet : CDOP_CALL_HoldLift,
	    &request.base);
}

static enum cdop_err
rotate_link(Cdop__KeyWhat what)
{
	Cdop__KeyRotateRequest request;
	char reason[] = "once a year";

	cdop__key_rotate_request__init(&request);
	request.what = what;
	request.reason = reason;
	return call(WORLD_ADMIN_1, CDOP_CALL_KeyRotate, &request.base);
}

/* A next one, which one device learns, its turn, and one more. */
enum cdop_err
key_acts_link_key(bool *ret_done)
{
	uint8_t now[2][32];
	size_t n = link_key_publics(w->reg, now);
	bool turned = memcmp(now[0], first_link, 32) != 0;
	enum cdop_err err;

	if (waiting() != NULL)
		return approve(WORLD_ADMIN_2);
	*ret_done = n == 2 && turned;
	if (*ret_done)
		return CDOP_OK;
	if (n == 1)
		return rotate_link(CDOP__KEY_WHAT__KEY_LINK);
	if (!link_key_waits_for(w->reg,
		people_device(w->reg->people, WORLD_COORDINATOR), w->now_ms))
		return rotate_link(CDOP__KEY_WHAT__KEY_LINK_TURN);
	begin();
	if ((err = rows_begin(w->rows, w->room, WORLD_ROOM_ROWS)) != CDOP_OK) {
		undo_rollback(w->undo);
		return err;
	}
	return end(link_key_known(w->reg, w->arena, WORLD_COORDINATOR, now[1]));
}

static enum cdop_err
drill(void)
{
	Cdop__CustodianDrillRequest request;
	uint8_t proof[32];

	cdop__custodian_drill_request__init(&request);
	cdop_share_proof(&shares[1], w->reg->id, proof);
	request.set = shares[1].set;
	request.share = shares[1].x;
	request.proof = (ProtobufCBinaryData){sizeof(proof), proof};
	return call(WORLD_CUSTODIAN, CDOP_CALL_CustodianDrill, &request.base);
}

static enum cdop_err
add_set(uint16_t *ret_number, struct cdop_share share[static SHAMIR_MAX])
{
	static const struct slots_set_new plan = {.k = 2, .n = 4};
	const struct custody_act_new new = {
	    .slot = {.kind = SLOTS_KIND_SHARES, .label = "custodians"},
	    .plan = &plan,
	    .by = "Ada",
	    .now_ms = w->now_ms,
	};

	return custody_act_add(w->reg, w->arena, &new, ret_number, share);
}

/* A drill, a set more, and a slot less by two people. */
enum cdop_err
key_acts_slots(bool *ret_done)
{
	struct cdop_share more[SHAMIR_MAX];
	Cdop__SlotRemoveRequest request;
	char reason[] = "it was seen";
	uint16_t number;
	size_t at;

	if (waiting() != NULL)
		return approve(WORLD_CUSTODIAN);
	if (custody_drilled_ms(w->reg->custody) == 0)
		return drill();
	*ret_done = !rows_slots_find(w->rows, FIRST_SLOT, &at);
	if (*ret_done)
		return CDOP_OK;
	if (rows_slots(w->rows) == 3)
		return add_set(&number, more);
	cdop__slot_remove_request__init(&request);
	request.slot = FIRST_SLOT;
	request.reason = reason;
	return call(WORLD_ADMIN_1, CDOP_CALL_SlotRemove, &request.base);
}

/* The newest one, where all of it was sent and nobody has said more. */
static const struct backups_entry *
sent(void)
{
	const size_t n = backups_count(w->reg->backups);
	const struct backups_entry *last =
	    n == 0 ? NULL : backups_at(w->reg->backups, n - 1);

	return last != NULL && last->manifest.len > 0 && last->ended_ms == 0
	    ? last
	    : NULL;
}

static enum cdop_err
keep(const struct actor *actor, const struct backups_entry *entry)
{
	uint8_t hash[CDOP_MANIFEST_HASH];
	const struct backups_kept kept = {
	    .number = entry->number,
	    .manifest = hash,
	    .now_ms = w->now_ms,
	};

	cdop_manifest_hash(hash, entry->manifest);
	return backups_kept(w->reg->backups, w->arena, actor, &kept);
}

/* One that was under way when the vault died is never whole. */
enum cdop_err
key_acts_backup(bool *ret_done)
{
	static const struct actor ada = {
	    .person = WORLD_ADMIN_1, .device = WORLD_ADMIN_1};
	static uint8_t out[200000];
	const struct backups_entry *whole = backups_newest(w->reg->backups);
	struct backups_piece piece = {.out = out, .max = sizeof(out)};
	enum backups_fault fault;
	uint32_t number = taking;
	enum cdop_err err;

	*ret_done = whole != NULL && whole->proved_ms != 0;
	if (*ret_done)
		return CDOP_OK;
	while (backups_pump(w->reg->backups, 1000))
		;
	begin();
	if ((err = rows_begin(w->rows, w->room, WORLD_ROOM_ROWS)) != CDOP_OK) {
		undo_rollback(w->undo);
		return err;
	}
	if (sent() != NULL)
		return end(keep(&ada, sent()));
	if (whole != NULL)
		return end(prove(&ada, whole));
	if (taking == 0)
		err = end(backups_begin(w->reg->backups, w->arena, &ada,
		    "monday", w->now_ms, &number, &fault));
	else
		err = end(backups_take(
		    w->reg->backups, w->arena, taking, &piece, &fault));
	if (err == CDOP_OK)
		taking = piece.end ? 0 : number;
	return err;
}

/* ---- what there is ------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
say(char *text, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + len, KEY_ACTS_TEXT - len, format, args);
	va_end(args);
	assert_true(strlen(text) < KEY_ACTS_TEXT - 1);
}

void
key_acts_describe(char text[static KEY_ACTS_TEXT])
{
	const struct index_post *now = post();
	const struct rotation_job *job = rotation_running(w->reg->rotation);
	const struct backups_entry *whole = backups_newest(w->reg->backups);
	const size_t n = certificates_count(w->reg->certificates);
	uint8_t link[2][32];
	size_t at;

	text[0] = '\0';
	turning_census(w, text);
	say(text, "case %d\n", now == NULL ? -1 : (int)now->case_version);
	say(text, "waits %zu\n", approvals_count(w->reg->approvals, w->now_ms));
	say(text, "rotation %d\n", job == NULL ? -1 : (int)job->phase);
	say(text, "certificates %zu issued %d\n", n,
	    n > 0 && certificates_at(w->reg->certificates, 0)->issued);
	say(text, "link keys %zu", link_key_publics(w->reg, link));
	say(text, " turned %d learnt %d\n",
	    memcmp(link[0], first_link, 32) != 0,
	    !link_key_waits_for(w->reg,
		people_device(w->reg->people, WORLD_COORDINATOR), w->now_ms));
	say(text, "slots %zu, credential %d, drilled %d\n", rows_slots(w->rows),
	    rows_slots_find(w->rows, FIRST_SLOT, &at),
	    custody_drilled_ms(w->reg->custody) != 0);
	say(text, "backup whole %d proved %d\n", whole != NULL,
	    whole != NULL && whole->proved_ms != 0);
}

/* ---- the world ----------------------------------------------------------- */

void
key_acts_begin(struct world *world)
{
	uint8_t link[2][32];
	uint16_t number;
	unsigned i;

	w = world;
	world_make(w);
	w->room = 1u << 17;
	reference = world_register(w, 1, "wirral");
	for (i = 2; i < 4; i++)
		free(world_register(w, i, "wirral"));
	assert_int_equal(add_set(&number, shares), CDOP_OK);
	(void)link_key_publics(w->reg, link);
	memcpy(first_link, link[0], sizeof(first_link));
}

void
key_acts_restarted(void)
{
	taking = 0;
	w->next_key += KEYS;
}

void
key_acts_end(void)
{
	free(reference);
}
