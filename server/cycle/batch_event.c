/* Leaves that no call asked for: of a handshake, of what was seen. */
#include "server/cycle/batch_event.h"

#include <string.h>

#include "cdop/role.h"
#include "server/cycle/session.h"
#include "server/registry/actor.h"
#include "server/registry/audit.h"
#include "server/registry/custody.h"
#include "server/registry/link_key.h"
#include "server/registry/people.h"
#include "server/registry/registry.h"
#include "server/vault/shamir.h"

enum cdop_err
batch_event_opened(struct cdop_arena *arena, struct registry *reg,
    struct batch_item *item, const struct batch_times *times)
{
	struct session *session = item->session;
	struct audit_entry entry;
	struct actor actor;
	bool turned = false;
	enum cdop_err err;

	session->let_in = false;
	memset(&entry, 0, sizeof(entry));
	memset(&actor, 0, sizeof(actor));
	if (session->peer.device != 0) {
		err = people_session_opened(reg->people, arena,
		    session->peer.device, session->peer.psk_id, times->now_ms,
		    &turned);
		/*
		 * Another session has turned the key since the handshake, or
		 * it is revoked: without Welcome and leaf this one closes.
		 */
		if (err == CDOP_UNAUTHENTICATED)
			return CDOP_OK;
		if (err == CDOP_OK)
			err = link_key_known(reg, arena, session->peer.device,
			    session->peer.server_key);
		if (err != CDOP_OK)
			return err;
		people_actor(
		    reg->people, session->peer.device, times->now_ms, &actor);
	}
	memcpy(actor.session, session->peer.session, sizeof(actor.session));
	entry.call = AUDIT_EVENT_SESSION;
	entry.time_ms = times->now_ms;
	entry.actor = &actor;
	entry.reason = turned ? "psk_turned" : NULL;
	entry.said_by_gate = session->said_by_gate;
	err = audit_append(reg->audit, arena, &entry, NULL);
	if (err != CDOP_OK)
		return err;
	session->let_in = true;
	item->opened = true;
	item->pending = (actor.roles & CDOP_ROLE_PENDING) != 0;
	return CDOP_OK;
}

/*
 * Who gave which share is in the events of one batch, those before and the
 * last one behind the opening: what the one has noted the other leaves.
 */
static const struct custody_proof *
noted_now(const struct registry *reg, uint16_t set, uint8_t share,
    const struct batch_times *times)
{
	static const struct custody_proof nothing;
	const struct custody_proof *proof =
	    custody_proof(reg->custody, set, share);

	return proof != NULL && proof->at_ms == times->now_ms ? proof
							      : &nothing;
}

/* A share that opened nothing was shown to be good, as in a drill. */
static enum cdop_err
note_given(struct cdop_arena *arena, struct registry *reg,
    const struct batch_item *item, uint32_t person,
    const struct batch_times *times)
{
	struct custody_proof proof = {
	    .slot = item->event_set,
	    .share = (uint8_t)item->event_count,
	    .how = CDOP__PROOF__DRILLED,
	    .person = person,
	    .at_ms = times->now_ms,
	};

	if (noted_now(reg, proof.slot, proof.share, times)->how ==
	    CDOP__PROOF__OPENED)
		proof.how = CDOP__PROOF__OPENED;
	return custody_note(reg->custody, arena, &proof, 1);
}

/* What opened it has proved to be good. */
static enum cdop_err
note_opened(struct cdop_arena *arena, struct registry *reg,
    const struct batch_item *item, const struct batch_times *times)
{
	struct custody_proof proofs[1 + SHAMIR_MAX] = {{
	    .slot = (uint16_t)item->event_count,
	    .how = CDOP__PROOF__OPENED,
	    .at_ms = times->now_ms,
	}};
	uint8_t share;
	size_t n = 1;

	for (share = 1; share <= SHAMIR_MAX; share++) {
		if ((item->event_shares >> (share - 1) & 1) == 0)
			continue;
		proofs[n] = proofs[0];
		proofs[n].share = share;
		proofs[n++].person =
		    noted_now(reg, proofs[0].slot, share, times)->person;
	}
	return custody_note(reg->custody, arena, proofs, n);
}

enum cdop_err
batch_event_run(struct cdop_arena *arena, struct registry *reg,
    const struct batch_item *item, const struct batch_times *times)
{
	struct audit_entry entry;
	struct actor actor;
	enum cdop_err err = CDOP_OK;

	memset(&actor, 0, sizeof(actor));
	if (item->event_device != 0)
		people_actor(
		    reg->people, item->event_device, times->now_ms, &actor);
	if (item->event == AUDIT_EVENT_UNSEALED)
		err = note_opened(arena, reg, item, times);
	else if (item->event_set != 0)
		err = note_given(arena, reg, item, actor.person, times);
	if (err != CDOP_OK)
		return err;
	memset(&entry, 0, sizeof(entry));
	entry.call = item->event;
	entry.time_ms = times->now_ms;
	entry.count = item->event_count;
	entry.reason = item->event_reason;
	entry.actor = item->event_device != 0 ? &actor : NULL;
	return audit_append(reg->audit, arena, &entry, NULL);
}
