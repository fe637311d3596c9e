/* The steps of the day; see day.h. */
#include <stdio.h>
#include <string.h>

#include "cdop/form.h"
#include "server/registry/backups.h"
#include "tests/fault/day.h"
#include "tests/fault/say.h"

static char *
text(struct day *day, const char *from)
{
	char *copy = cdop_arena_strdup(day->town.arena, from);

	require(copy != NULL, "room for a text");
	return copy;
}

typedef void act_fn(struct day *day);

/* One after the other, as far as the vault goes along. */
static void
in_order(struct day *day, act_fn *const acts[], size_t n)
{
	size_t i;

	for (i = 0; i < n && !day->dead; i++)
		acts[i](day);
}

static void
play_start(struct day *day)
{
	Cdop__StatusRequest request;

	cdop__status_request__init(&request);
	(void)day_look(day, WORLD_AUDITOR, 1, &request.base, NULL, NULL);
}

static void
invite(struct day *day)
{
	Cdop__PersonInviteRequest request;
	Cdop__RoleGrant grant, *grants[1] = {&grant};
	const Cdop__InviteReply *reply;

	/* It is on paper; asked again, one that is used is refused. */
	if (day->keep->op[day->keep->at].answered) {
		day->keep->at++;
		return;
	}
	cdop__person_invite_request__init(&request);
	cdop__role_grant__init(&grant);
	grant.role = CDOP__ROLE__ANALYST;
	request.name = text(day, "Nora Newcomer");
	request.label = text(day, "laptop");
	request.has_all_areas = true;
	request.all_areas = true;
	request.grant = grants;
	request.n_grant = 1;
	reply = day_body(day, day_change(day, WORLD_ADMIN_1, 10, &request.base),
	    &cdop__invite_reply__descriptor);
	if (reply == NULL)
		return;
	memcpy(day->keep->invitation, reply->invitation_id.data, 16);
	memcpy(day->keep->psk, reply->psk.data, 32);
}

static void
enrol(struct day *day)
{
	Cdop__EnrolRequest request;
	const Cdop__EnrolReply *reply;
	uint8_t random[32];

	if (day->keep->comparison[0] != '\0') {
		day->keep->at++;
		return;
	}
	memset(random, 0x33, sizeof(random));
	cdop__enrol_request__init(&request);
	request.client_random = (ProtobufCBinaryData){sizeof(random), random};
	request.label = text(day, "laptop");
	reply = day_body(day, day_change(day, TOWN_INVITED, 3, &request.base),
	    &cdop__enrol_reply__descriptor);
	if (reply == NULL)
		return;
	day->keep->new_device = reply->device;
	town_compare(&day->town, TOWN_INVITED, day->keep->comparison);
	town_leave(&day->town, TOWN_INVITED);
}

static void
play_people(struct day *day)
{
	Cdop__PersonActivateRequest request;

	invite(day);
	if (!day->dead)
		enrol(day);
	if (day->dead)
		return;
	cdop__person_activate_request__init(&request);
	request.device = day->keep->new_device;
	request.comparison = day->keep->comparison;
	(void)day_change(day, WORLD_ADMIN_2, 12, &request.base);
}

static void
registers(struct day *day, unsigned n, const char *area)
{
	struct world world = {.arena = day->town.arena, .reg = day->house.reg};
	Cdop__NotificationRegisterRequest request;
	const Cdop__NotificationRegisterReply *reply;

	cdop__notification_register_request__init(&request);
	request.form = world_form(&world, n, area);
	reply =
	    day_body(day, day_change(day, WORLD_COORDINATOR, 40, &request.base),
		&cdop__notification_register_reply__descriptor);
	if (reply == NULL)
		return;
	require(reply->reference != NULL, "a case has a reference");
	(void)snprintf(day->keep->reference[n], sizeof(day->keep->reference[n]),
	    "%s", reply->reference);
}

static void
play_register(struct day *day)
{
	static const char *const areas[KEEP_CASES] = {
	    "wirral", "liverpool", "sefton"};
	unsigned n;

	for (n = 0; n < KEEP_CASES && !day->dead; n++)
		registers(day, n, areas[n]);
}

static void
amend(struct day *day)
{
	struct world world = {.arena = day->town.arena, .reg = day->house.reg};
	struct cdop_violations violations = {0};
	Cdop__CaseAmendRequest request;

	cdop__case_amend_request__init(&request);
	request.reference = day->keep->reference[0];
	request.version = 1;
	request.form = cdop_form_new(world.arena);
	request.reason = text(day, "the GP rang");
	request.source = text(day, "telephone, GP");
	must(cdop_form_put(request.form, "child.first_names", "Testina",
		 world.reg->profile, world.arena, &violations),
	    "a field");
	(void)day_change(day, WORLD_COORDINATOR, 46, &request.base);
}

static void
find(struct day *day)
{
	Cdop__CaseFindRequest request;
	const Cdop__CaseFindReply *reply;

	cdop__case_find_request__init(&request);
	request.family_name = text(day, "Syntheticaa");
	request.birth_date = text(day, "2024-05-14");
	reply = day_body(day,
	    day_look(day, WORLD_COORDINATOR, 45, &request.base, NULL, NULL),
	    &cdop__case_find_reply__descriptor);
	if (reply != NULL)
		require(reply->n_case_ == 1, "the child is found, once");
}

static void
partner_asks(struct day *day)
{
	Cdop__AskRequest request;
	const Cdop__AskReply *reply;

	cdop__ask_request__init(&request);
	request.family_name = text(day, "Syntheticaa");
	request.birth_date = text(day, "2024-05-14");
	request.death_date = text(day, "2026-11-21");
	reply = day_body(day,
	    day_look(day, WORLD_PARTNER_WIRRAL, 60, &request.base, NULL, NULL),
	    &cdop__ask_reply__descriptor);
	if (reply != NULL)
		require(reply->answer == CDOP__ANSWER__KNOWN,
		    "the partner's child is known");
}

static void
show(struct day *day)
{
	Cdop__CaseShowRequest request;

	cdop__case_show_request__init(&request);
	request.reference = day->keep->reference[0];
	(void)day_look(day, WORLD_COORDINATOR, 43, &request.base, NULL, NULL);
}

static void
play_work(struct day *day)
{
	static act_fn *const acts[] = {amend, find, partner_asks, show};

	in_order(day, acts, sizeof(acts) / sizeof(acts[0]));
}

static void
interest(struct day *day)
{
	Cdop__CaseInterestRequest request;

	cdop__case_interest_request__init(&request);
	request.reference = day->keep->reference[0];
	request.version = 1;
	request.area = text(day, "sefton");
	request.known = true;
	request.reason = text(day, "school there");
	(void)day_change(day, WORLD_COORDINATOR, 51, &request.base);
}

static void
owner(struct day *day)
{
	Cdop__CaseOwnerRequest request;

	cdop__case_owner_request__init(&request);
	request.reference = day->keep->reference[0];
	request.version = 2;
	request.area = text(day, "sefton");
	request.reason = text(day, "moved there");
	request.source = text(day, "telephone, school");
	(void)day_change(day, WORLD_COORDINATOR, 50, &request.base);
}

static void
hold(struct day *day)
{
	Cdop__HoldRequest request;

	cdop__hold_request__init(&request);
	request.reference = day->keep->reference[1];
	request.version = 1;
	request.reason = text(day, "inquest");
	(void)day_change(day, WORLD_COORDINATOR, 56, &request.base);
}

static void
play_move(struct day *day)
{
	static act_fn *const acts[] = {interest, owner, hold};

	in_order(day, acts, sizeof(acts) / sizeof(acts[0]));
}

static void
play_erase(struct day *day)
{
	Cdop__CaseEraseRequest request;

	cdop__case_erase_request__init(&request);
	request.reference = day->keep->reference[2];
	request.version = 1;
	request.ground = CDOP__ERASURE_GROUND__COURT_ORDER;
	(void)day_change(day, WORLD_COORDINATOR, 92, &request.base);
	if (!day->dead)
		day_approve(day, WORLD_CUSTODIAN);
}

static void
rotate(struct day *day, Cdop__KeyWhat what)
{
	Cdop__KeyRotateRequest request;

	cdop__key_rotate_request__init(&request);
	request.what = what;
	request.reason = text(day, "once a year");
	request.has_reseal = what == CDOP__KEY_WHAT__KEY_ALL;
	request.reseal = request.has_reseal;
	(void)day_change(day, WORLD_ADMIN_1, 80, &request.base);
	if (!day->dead)
		day_approve(day, WORLD_ADMIN_2);
}

static void
play_reseal(struct day *day)
{
	rotate(day, CDOP__KEY_WHAT__KEY_ALL);
}

static void
play_root(struct day *day)
{
	rotate(day, CDOP__KEY_WHAT__KEY_ROOT);
}

/* Of a stream: the number it began with, and whether it ended whole. */
struct taken {
	struct day *day;
	uint32_t number;
	bool whole;
};

static void
on_piece(void *ctx, const Cdop__Reply *reply)
{
	struct taken *taken = ctx;
	const Cdop__BackupCreateReply *piece;

	if (!reply->has_body)
		return;
	piece =
	    day_body(taken->day, reply, &cdop__backup_create_reply__descriptor);
	if (piece->has_number)
		taken->number = piece->number;
	taken->whole = piece->has_manifest;
}

static void
play_backup(struct day *day)
{
	Cdop__BackupCreateRequest request;
	Cdop__BackupProvedRequest proved;
	struct taken taken = {.day = day};

	cdop__backup_create_request__init(&request);
	request.label = text(day, "monday");
	(void)day_look(day, WORLD_ADMIN_1, 90, &request.base, on_piece, &taken);
	if (day->dead)
		return;
	require(taken.whole && taken.number > 0, "the backup is whole");
	day->keep->backup = taken.number;
	cdop__backup_proved_request__init(&proved);
	proved.number = taken.number;
	/* What verify would print. */
	proved.has_proof = true;
	proved.proof = (ProtobufCBinaryData){CDOP_MANIFEST_PROOF,
	    (uint8_t *)(uintptr_t)backups_find(
		day->house.reg->backups, taken.number)
		->proof};
	(void)day_look(day, WORLD_ADMIN_1, 94, &proved.base, NULL, NULL);
}

static void
play_log(struct day *day)
{
	Cdop__AuditExportRequest request;
	Cdop__AuditListRequest list;

	cdop__audit_export_request__init(&request);
	(void)day_look(day, WORLD_AUDITOR, 71, &request.base, NULL, NULL);
	if (day->dead)
		return;
	cdop__audit_list_request__init(&list);
	(void)day_look(day, WORLD_AUDITOR, 70, &list.base, NULL, NULL);
}

const struct day_step day_steps[DAY_STEPS] = {
    {"start", play_start},
    {"people", play_people},
    {"register", play_register},
    {"work", play_work},
    {"move", play_move},
    {"erase", play_erase},
    {"reseal", play_reseal},
    {"root", play_root},
    {"backup", play_backup},
    {"log", play_log},
};
