/* The words of the log; see audit_words.h. */
#include "client/audit_words.h"

#include <string.h>

#include "cdop/err.h"
#include "cdop/fields.h"
#include "client/print.h"
#include "client/purpose.h"
#include "client/show.h"

struct deed {
	const char *call;
	const char *words;
};

/* What a call did, as a sentence goes on after a name. */
static const struct deed deeds[] = {
    {"Status", "looked at the state of the registry"},
    {"WhoAmI", "looked at own rights"},
    {"Enrol", "enrolled a device"},
    {"PskTurn", "turned the key of the device"},
    {"ProfileGet", "read the profile"},
    {"ProfileDiff", "compared a profile"},
    {"PersonInvite", "invited a person"},
    {"DeviceInvite", "invited a device"},
    {"PersonActivate", "activated a device"},
    {"Suspend", "suspended"},
    {"PersonRevoke", "revoked"},
    {"PeopleList", "listed people"},
    {"InvitationCancel", "cancelled an invitation"},
    {"ApprovalList", "looked at what waits for approval"},
    {"Approve", "was the second person"},
    {"NotificationRegister", "registered a notification"},
    {"NotificationCorrect", "corrected a notification"},
    {"NotificationMove", "moved a notification"},
    {"CaseShow", "looked at it"},
    {"CaseList", "listed cases"},
    {"CaseFind", "searched"},
    {"CaseAmend", "amended it"},
    {"CaseHistory", "looked at its history"},
    {"CaseWithdraw", "withdrew it"},
    {"CaseReinstate", "took it up again"},
    {"CaseOwner", "changed the owner"},
    {"CaseInterest", "marked an interested area"},
    {"HoldSet", "put on legal hold"},
    {"CaseResponsible", "set who is responsible"},
    {"CaseLinkAdd", "linked cases"},
    {"CaseLinkEnd", "took a link back"},
    {"DuplicatePairs", "looked at possible duplicates"},
    {"Ask", "asked"},
    {"AuditList", "read the log"},
    {"AuditExport", "exported the log"},
    {"WitnessSubmit", "handed in a cosignature"},
    {"BackupCreate", "took a backup"},
    {"CertificateGet", "looked at certificates of destruction"},
    {"BackupKept", "said that a backup lies in a file"},
    {"BackupList", "looked at the backups"},
    {"BackupProved", "said that a backup was proved"},
    {"RestoreView", "looked at what was restored"},
    {"KeyStatus", "looked at the keys"},
    {"KeyPause", "held the rotation of keys"},
    {"KeyResume", "had the rotation of keys go on"},
    {"SlotList", "looked at what opens the registry"},
    {"CustodianDrill", "showed a share"},
    {"ShareSubmit", "gave a share"},
};

/* What takes two people is not done by its call: what is asked for. */
static const struct deed acts[] = {
    {"ProfileApply", "change the profile"},
    {"Resume", "lift a suspension"},
    {"AdministratorRevoke", "revoke an administrator"},
    {"PersonChange", "change rights"},
    {"LogKeyRotate", "change the key of the log"},
    {"RestoreAccept", "accept a restored registry"},
    {"AuditSearched", "hear who has searched for a child"},
    {"KeyRotate", "turn the keys of areas"},
    {"SlotRemove", "remove a slot"},
    {"BackupDestroyed", "say that a backup was destroyed"},
    {"HoldLift", "lift a legal hold"},
    {"CaseErase", "erase a case for ever"},
};

/*
 * Why something was refused, where the status alone says too little.  What
 * was answered may be less than this: the auditor reads what it truly was.
 */
static const struct {
	const char *reason;
	const char *words;
} refusals[] = {
    {"already_activated", "that device was active already"},
    {"ask_limit", "the questions of the day were used up"},
    {"bad_reference", "what was typed is not a reference"},
    {"changed", "somebody else had changed it meanwhile"},
    {"comparison_differs", "the comparison string was another one"},
    {"deadline", "it came too late and was not begun"},
    {"case_erased", "the case was erased"},
    {"ended", "the device was not active any more"},
    {"flagged", "that invitation or device was barred"},
    {"hash_differs", "what was shown is not what waited"},
    {"invitation_used_twice", "another key had used the invitation"},
    {"miss_limit", "too many references had led nowhere"},
    {"on_hold", "the case was on legal hold"},
    {"last_slot", "nothing would have opened the registry any more"},
    {"not_sealed", "the registry was open"},
    {"no_room", "the registry had no room"},
    {"not_approved", "nobody had approved it"},
    {"no_rotation", "no keys were being turned"},
    {"no_such_approval", "nothing waited under that number"},
    {"no_such_slot", "there was no such slot"},
    {"one_kind", "slots of one kind alone would have been left"},
    {"possible_duplicate", "it may have been registered already"},
    {"purpose_needed", "no purpose was said"},
    {"purpose_text_needed", "the purpose was not said in words"},
    {"reason_outlives", "a reason would have outlived the case"},
    {"requester_rights", "whoever asked for it had no right to it any more"},
    {"rotation_running", "keys were being turned already"},
    {"same_person", "it takes another person"},
    {"session_expired", "the session was over an hour old"},
    {"state", "not in the state the registry was in"},
    {"share_wrong", "it was not the share that was given out"},
    {"target_changed", "it was not what it was when it was asked"},
    {"too_few_administrators",
	"fewer than two administrators would have been left"},
    {"too_large", "it was too much at once"},
    {"too_many_waiting", "too many acts waited for a second person"},
    {"version", "the profile was changed meanwhile"},
    {"warnings", "a warning was not answered"},
};

static const char *
status_words(const Cdop__AuditEntry *e)
{
	switch (e->outcome) {
	case CDOP_INVALID_ARGUMENT:
		return "something in it was not right";
	case CDOP_DEADLINE_EXCEEDED:
		return "it came too late";
	case CDOP_NOT_FOUND:
		return "there is none";
	case CDOP_ALREADY_EXISTS:
		return "it was there already";
	case CDOP_PERMISSION_DENIED:
		return e->answered == CDOP_NOT_FOUND
		    ? "not in an area of theirs, and told that there is none"
		    : "forbidden for this role";
	case CDOP_RESOURCE_EXHAUSTED:
		return "a limit was reached";
	case CDOP_FAILED_PRECONDITION:
		return "not possible as things were";
	case CDOP_ABORTED:
		return "it was changed meanwhile";
	case CDOP_UNIMPLEMENTED:
		return "there is no such call";
	case CDOP_DATA_LOSS:
		return "something that is kept was damaged";
	case CDOP_UNAUTHENTICATED:
		return "access had ended";
	default:
		return "it failed, and nothing was done";
	}
}

static const char *
refusal_words(const Cdop__AuditEntry *e)
{
	size_t i;

	for (i = 0;
	     e->reason != NULL && i < sizeof(refusals) / sizeof(refusals[0]);
	     i++)
		if (strcmp(refusals[i].reason, e->reason) == 0)
			return refusals[i].words;
	return status_words(e);
}

/* What a partner was told; never inferred where the log does not say it. */
static const char *
told_words(const Cdop__AuditEntry *e)
{
	if (e->n_released > 0)
		return ", told \"known to you\"";
	if (e->reason == NULL)
		return ", told \"not known to you\" or \"not enough\"";
	if (strcmp(e->reason, "not_enough") == 0)
		return ", told \"not enough to ask with\"";
	return e->outcome == CDOP_PERMISSION_DENIED
	    ? ", told \"not known to you\" (another area has one)"
	    : ", told \"not known to you\"";
}

/* NULL: it is none of these. */
static const char *
words_of(const struct deed *table, size_t n, const char *call)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(table[i].call, call) == 0)
			return table[i].words;
	return NULL;
}

static const char *
deed_of(const char *call)
{
	return words_of(deeds, sizeof(deeds) / sizeof(deeds[0]), call);
}

static const char *
act_of(const char *call)
{
	return words_of(acts, sizeof(acts) / sizeof(acts[0]), call);
}

static bool
has_reason(const Cdop__AuditEntry *e, const char *reason)
{
	return e->reason != NULL && strcmp(e->reason, reason) == 0;
}

/* What an Approve decided, and on whose act. */
static const char *
decision_words(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	const char *act = act_of(e->approved_call);
	const char *did = "approved", *whose = "themselves";

	/* Whoever asked may take it back. */
	if (e->has_second_person)
		whose =
		    show_person(ctx, e->second_person_name, e->second_person);
	if (e->outcome != CDOP_OK)
		did = "meant to decide";
	else if (has_reason(e, "declined"))
		did = e->has_second_person ? "declined" : "took back";
	return cdop_arena_printf(ctx->arena, "%s: %s, asked for by %s", did,
	    act != NULL ? act : e->approved_call, whose);
}

const char *
audit_words_deed(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	const char *act = act_of(e->call), *deed = deed_of(e->call);

	if (e->approved_call != NULL)
		return decision_words(ctx, e);
	if (act != NULL)
		return cdop_arena_printf(ctx->arena, "%s: %s",
		    e->outcome == CDOP_OK ? "asked for" : "meant to ask for",
		    act);
	return deed != NULL ? deed : e->call; /* an event is words already */
}

/* Of what was not refused. */
static const char *
done_words(struct cmd_ctx *ctx, const char *reason)
{
	if (strcmp(reason, "dry_run") == 0)
		return " (only checked, nothing was written)";
	if (strcmp(reason, "replayed") == 0)
		return " (sent again, was done before)";
	if (strcmp(reason, "answered") == 0)
		return ", and was told";
	if (strcmp(reason, "second_person") == 0 ||
	    strcmp(reason, "declined") == 0)
		return ""; /* what was done says so */
	return cdop_arena_printf(ctx->arena, " [%s]", reason);
}

const char *
audit_words_outcome(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	if (strcmp(e->call, "Ask") == 0 && e->answered == CDOP_OK)
		return told_words(e);
	if (e->outcome != CDOP_OK)
		return cdop_arena_printf(ctx->arena, ": refused, %s%s%s%s",
		    refusal_words(e), e->reason != NULL ? " [" : "",
		    e->reason != NULL ? e->reason : "",
		    e->reason != NULL ? "]" : "");
	return e->reason == NULL ? "" : done_words(ctx, e->reason);
}

const char *
audit_words_who(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	const char *role = "";
	const char *device = e->device_label != NULL ? e->device_label : "";

	if (!e->has_person)
		return "-";
	/* Where anybody may, no role was used. */
	if (e->has_role)
		role = purpose_role_word(ctx->arena, e->role);
	return cdop_arena_printf(ctx->arena, "%s (%s%s%s)",
	    e->person_name != NULL
		? e->person_name
		: cdop_arena_printf(ctx->arena, "person %u", e->person),
	    role, *role != '\0' && *device != '\0' ? ", " : "", device);
}

const char *
audit_words_about(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	if (!e->has_subject_person ||
	    (e->has_person && e->person == e->subject_person))
		return NULL;
	return show_person(ctx, e->subject_person_name, e->subject_person);
}

const char *
audit_words_hex(struct cmd_ctx *ctx, bool has, ProtobufCBinaryData bytes)
{
	struct cdop_bytes run = {bytes.data, bytes.len};

	return has ? print_hex(ctx->arena, run) : NULL;
}

const char *
audit_words_said(struct cmd_ctx *ctx, const char *text)
{
	return text != NULL ? print_one_line(ctx->arena, text) : NULL;
}

const char *
audit_words_count(struct cmd_ctx *ctx, const Cdop__AuditEntry *e)
{
	static const struct {
		const char *call; /* or the step of it, where they differ */
		const char *before;
		const char *after;
	} counts[] = {
	    {"registry made", "", " administrators invited"},
	    {"handshakes refused", "", " times"},
	    {"registry opened", "through slot ", ""},
	    {"slot added on the host", "slot ", ""},
	    {"slot removed on the host", "slot ", ""},
	    {"slot tested on the host", "slot ", ""},
	    {"share given", "share ", ""},
	    {"log looked through", "", " entries fine"},
	    {"administrator recovered offline", "", " persons invited"},
	    {"restored on the host", "goes on from ", " entries"},
	    {"requests dropped by a restore", "", " that waited"},
	    {"left out by a restore", "device ", ""},
	    {"invitations taken back by a restore", "", " that waited"},
	    {"AuditExport", "", " entries"},
	    {"BackupCreate", "", " bytes"},
	    {"BackupKept", "backup ", ""},
	    {"BackupProved", "backup ", ""},
	    {"BackupDestroyed", "backup ", ""},
	    {"SlotRemove", "slot ", ""},
	    {"CustodianDrill", "share ", ""},
	    {"keys turned copied", "", " rows"},
	    {"keys turned resealed", "", " rows"},
	    {"keys turned root", "", " keys of areas and of other scopes"},
	    {"keys turned renewed", "", " keys of areas and of other scopes"},
	    {"keys turned", "", " case keys"},
	    {"key destroyed", "the next one has ", ""},
	    {"root to be made anew on the host", "for rotation ", ""},
	};

	const char *call =
	    e->approved_call != NULL ? e->approved_call : e->call;
	const char *step;
	size_t i;

	if (!e->has_count)
		return NULL;
	step = cdop_arena_printf(
	    ctx->arena, "%s %s", call, e->reason != NULL ? e->reason : "");
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (strcmp(counts[i].call, call) == 0 ||
		    (step != NULL && strcmp(counts[i].call, step) == 0))
			return cdop_arena_printf(ctx->arena, "%s%llu%s",
			    counts[i].before, (unsigned long long)e->count,
			    counts[i].after);
	return cdop_arena_printf(
	    ctx->arena, "count %llu", (unsigned long long)e->count);
}

const char *
audit_words_classes(struct cmd_ctx *ctx, uint32_t classes)
{
	const char *all = "";
	unsigned bit;

	for (bit = 1; bit <= 10; bit++)
		if ((classes & (1u << bit)) != 0)
			all = cdop_arena_printf(ctx->arena, "%s%s%s", all,
			    all[0] != '\0' ? ", " : "",
			    cdop_fields_class_name(1u << bit));
	return all[0] != '\0' ? all : "no field";
}

const char *
audit_words_use(const Cdop__AuditEntry *e)
{
	static const char *const words[] = {
	    "", "on screen", "printed", "to a file", "to a program"};
	unsigned use = e->has_use ? (unsigned)e->use : 0;

	return use < 5 ? words[use] : "";
}
