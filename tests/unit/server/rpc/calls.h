/*
 * Short hands for calls about cases, through dispatch, in a test's world.
 * Every function fails the test unless the status is the one that is wanted.
 */
#ifndef CDOP_TESTS_CALLS_H
#define CDOP_TESTS_CALLS_H

#include "tests/unit/server/world.h"

/* Sets one field of a form, as it would be typed. */
void calls_put(
    struct world *world, Cdop__Form *form, const char *path, const char *typed);

/* A decision, in the world's arena. */
Cdop__DuplicateDecision *calls_decision(struct world *world,
    const char *reference, Cdop__Decision decision, const char *reason);

/* A text in the world's arena that protobuf-c takes. */
char *calls_text(struct world *world, const char *text);

struct calls_tell {
	Cdop__Form *form;
	Cdop__DuplicateDecision *decision[9];
	size_t n_decision;
	bool dry;
	const char *owner_area;
	const char *owner_reason;
};

/* NotificationRegister.  The reply message; NULL where there is no body. */
Cdop__NotificationRegisterReply *calls_tell(struct world *world,
    enum world_who who, const struct calls_tell *tell, enum cdop_err want);

/* A form as it is, that has to become a case; its reference. */
char *calls_new(struct world *world, enum world_who who, Cdop__Form *form);

/* CaseShow with notifications. */
Cdop__Case *calls_show(struct world *world, enum world_who who,
    const char *reference, enum cdop_err want);

/* CaseAmend of one field (NULL: none) and one path to clear (NULL: none). */
Cdop__ChangeReply *calls_amend(struct world *world, const char *reference,
    uint64_t version, const char *path, const char *typed, const char *clear,
    enum cdop_err want);

/* CaseAmend by whoever works for the Wirral: the number is another child's. */
void calls_number(struct world *world, const char *reference, uint64_t version,
    unsigned child);

/* Any change that answers with ChangeReply. */
Cdop__ChangeReply *calls_change(struct world *world, enum world_who who,
    uint32_t method, const ProtobufCMessage *body, enum cdop_err want);

/* A change under this request key: sent once more, it is a repetition. */
const struct world_answer *calls_under(struct world *world, enum world_who who,
    uint32_t method, const ProtobufCMessage *body, const uint8_t key[16]);

/* The first act that waits and that this one hears of; NULL: none. */
Cdop__Approval *calls_waiting(struct world *world, enum world_who who);
/* Approve of it, as it was shown. */
const Cdop__Reply *calls_approve(struct world *world, enum world_who who,
    const Cdop__Approval *approval, enum cdop_err want);
/* Yes or no to it, with a reason (NULL: none). */
const Cdop__Reply *calls_decide(struct world *world, enum world_who who,
    const Cdop__Approval *approval, bool yes, const char *reason,
    enum cdop_err want);
/* What the auditor is shown, newest first: of one case (NULL: of all), so many
 * entries at most (0: as many as a page has). */
Cdop__AuditListReply *calls_log(
    struct world *world, const char *reference, uint32_t limit);
/* The newest entry of a case (NULL: of all). */
const Cdop__AuditEntry *calls_newest(
    struct world *world, const char *reference);
/* A call that has to be done, with its purpose in words. */
void calls_say(struct world *world, enum world_who who, uint32_t method,
    const ProtobufCMessage *body, const char *words);
/* The next message of the auditor's stream, in as little memory as a call
 * has; where the one after it goes on. */
const Cdop__Reply *calls_next(
    struct world *world, Cdop__Call *call, struct rpc_cursor *cursor);
/* What the auditor reads of the newest entry of this call. */
const Cdop__AuditEntry *calls_audited(struct world *world, const char *call);
/* CaseErase of version 1, and the custodian's yes. */
void calls_erase(struct world *world, const char *reference);

/* calls_approve() in a batch that is aborted when all of it was done. */
void calls_approve_aborted(
    struct world *world, enum world_who who, const Cdop__Approval *approval);

/* CaseFind by family name and date of birth; how many are found. */
size_t calls_find(struct world *world, enum world_who who, const char *family,
    const char *birth);

/* CaseList of everything; whether reference is in it. */
bool calls_lists(
    struct world *world, enum world_who who, const char *reference);

/*
 * Puts in the place of a case's summary one as an earlier version would have
 * left it: an older schema, no jurisdiction and none of the child's names.
 * The index knows it after world_reopen().
 */
void calls_old_summary(struct world *world, const char *reference);
/* How many of these the index knows. */
size_t calls_old_left(const struct world *world);
/* The same with any schema in its head. */
void calls_summary_of_schema(
    struct world *world, const char *reference, uint8_t schema);

/* How many cases there are. */
uint32_t calls_count(const struct world *world);

/* The slot of a case in the index. */
uint32_t calls_slot(const struct world *world, const char *reference);

/* The last answer: reason and rule of its first violation; "" for none. */
const char *calls_reason(void);
const char *calls_rule(void);
const struct world_answer *calls_answer(void);

#endif
