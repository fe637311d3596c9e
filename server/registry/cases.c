/* The rows of cases: read, written, found by reference. */
#include "server/registry/cases.h"

#include <stdlib.h>
#include <string.h>

#include "cdop/call.h"
#include "cdop/limits.h"
#include "cdop/profile.h"
#include "cdop/secret.h"
#include "server/registry/cases_form.h"
#include "server/registry/cases_inner.h"
#include "server/registry/certificates.h"
#include "server/registry/summary.h"
#include "server/store/schema.h"
#include "server/vault/rows.h"

#define SCRATCH   (1u << 20) /* of one summary at a start */
#define DRAWS_MAX 1000       /* for one reference that is free */

struct cases {
	struct registry *reg;
	struct index *index;
	struct access_limits *limits;
	struct cdop_arena *scratch;
	uint8_t page_key[CDOP_KEY_LEN];
	struct cases_renewal renewal;
};

enum cdop_err
cases_new(struct registry *reg, struct cases **ret_cases)
{
	struct cases *cases = calloc(1, sizeof(*cases));
	enum cdop_err err;

	if (cases == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cases->reg = reg;
	cdop_secret_random(cases->page_key, sizeof(cases->page_key));
	err = index_new(reg->undo, &cases->index);
	if (err == CDOP_OK)
		err = access_limits_new(&cases->limits);
	if (err == CDOP_OK)
		err = cdop_arena_new(SCRATCH, &cases->scratch);
	if (err != CDOP_OK) {
		cases_free(cases);
		return err;
	}
	*ret_cases = cases;
	return CDOP_OK;
}

void
cases_free(struct cases *cases)
{
	if (cases == NULL)
		return;
	index_free(cases->index);
	access_limits_free(cases->limits);
	cdop_arena_free(cases->scratch);
	cdop_secret_wipe(cases, sizeof(*cases));
	free(cases);
}

struct index *
cases_index(struct cases *cases)
{
	return cases->index;
}

const uint8_t *
cases_page_key(const struct cases *cases)
{
	return cases->page_key;
}

/* The three answers of Ask, and not what was refused before it counted. */
static bool
is_asked(const Cdop__StoredWords *words)
{
	return words->call == CDOP_CALL_Ask && words->has_person &&
	    words->reason != NULL &&
	    (strcmp(words->reason, "known") == 0 ||
		strcmp(words->reason, "not_known") == 0 ||
		strcmp(words->reason, "not_enough") == 0);
}

void
cases_load_leaf(
    struct cases *cases, const Cdop__StoredWords *words, uint64_t newest_ms)
{
	if (is_asked(words))
		access_limits_asked(
		    cases->limits, words->person, words->at_ms, newest_ms);
	if (words->has_device && words->reason != NULL &&
	    strcmp(words->reason, "no_such_case") == 0)
		access_limits_missed(
		    cases->limits, words->device, words->at_ms, newest_ms);
}

struct access_limits *
cases_inner_limits(struct cases *cases)
{
	return cases->limits;
}

struct cases_renewal *
cases_inner_renewal(struct cases *cases)
{
	return &cases->renewal;
}

/* ---- at a start -------------------------------------------------------- */

enum cdop_err
cases_load_head(struct cases *cases, const struct rows_head *head)
{
	struct index_row row = {head->number, head->version, head->kind};

	if (head->kind != SCHEMA_KIND_CASE && head->kind != SCHEMA_KIND_FORM &&
	    head->kind != SCHEMA_KIND_SUMMARY &&
	    head->kind != SCHEMA_KIND_DOCUMENT)
		return CDOP_OK;
	if (head->case_id == 0)
		return CDOP_DATA_LOSS;
	return index_load_row(cases->index, head->case_id, &row);
}

enum cdop_err
cases_load_summary(struct cases *cases, const struct rows_head *head,
    const Cdop__StoredSummary *summary)
{
	struct index_post *post;
	enum cdop_err err;

	if (summary->case_id != head->case_id)
		return CDOP_DATA_LOSS;
	if ((err = cases_load_head(cases, head)) != CDOP_OK)
		return err;
	err = index_make_post(
	    cases->index, summary, head->key_id, cases->scratch, &post);
	cdop_arena_reset(cases->scratch);
	if (err != CDOP_OK)
		return err;
	post->is_old = head->schema < SUMMARY_SCHEMA;
	cases->renewal.n_old += post->is_old;
	return index_load_post(cases->index, post);
}

enum cdop_err
cases_loaded(struct cases *cases)
{
	return index_load_end(cases->index);
}

/* ---- acts -------------------------------------------------------------- */

void
cases_act_init(struct cases_act *act, struct cases *cases,
    struct cdop_arena *arena, const struct actor *actor, uint64_t now_ms)
{
	memset(act, 0, sizeof(*act));
	act->cases = cases;
	act->reg = cases->reg;
	act->index = cases->index;
	act->arena = arena;
	act->actor = actor;
	act->now_ms = now_ms;
	access_init(&act->access, actor, cases->index, cases->reg->profile);
}

enum cdop_err
cases_refuse(struct cases_act *act, enum cdop_err err, const char *reason,
    const char *message)
{
	act->reason = reason;
	act->message = message;
	return err;
}

enum cdop_err
cases_bad_field(struct cases_act *act, const char *path, const char *rule,
    const char *message)
{
	enum cdop_err err;

	err = cdop_violation_add(&act->violations, act->arena,
	    CDOP_SEVERITY_ERROR, path, rule, message);
	if (err != CDOP_OK)
		return err;
	return cases_refuse(act, CDOP_INVALID_ARGUMENT, "bad_field", message);
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

enum cdop_err
cases_check_reason(struct cases_act *act, const char *path, const char *reason)
{
	if (reason == NULL || reason[strspn(reason, " \t\r\n")] == '\0')
		return cases_bad_field(
		    act, path, "reason.needed", "say it in words");
	if (characters(reason) > CDOP_REASON_MAX)
		return cases_bad_field(act, path, "reason.too_long",
		    "a reason has at most 500 characters");
	return CDOP_OK;
}

enum cdop_err
cases_check_line(struct cases_act *act, const char *path, const char *text)
{
	if (text != NULL && characters(text) > CDOP_TEXT_MAX)
		return cases_bad_field(
		    act, path, "text.too_long", "at most 200 characters");
	return CDOP_OK;
}

/* ---- references -------------------------------------------------------- */

static bool
is_training(const struct cases *cases)
{
	return cases->reg->mode == REGISTRY_TRAINING;
}

void
cases_reference(const struct cases *cases, uint64_t case_id,
    char out[static CDOP_REFERENCE_TEXT])
{
	memset(out, 0, CDOP_REFERENCE_TEXT);
	(void)cdop_reference_make(case_id - 1, is_training(cases), out);
}

const char *
cases_reference_text(struct cases_act *act, uint64_t case_id)
{
	char text[CDOP_REFERENCE_TEXT];

	cases_reference(act->cases, case_id, text);
	return cdop_arena_strdup(act->arena, text);
}

enum cdop_err
cases_draw(struct cases_act *act, uint64_t *ret_id)
{
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot;
	int i;

	for (i = 0; i < DRAWS_MAX; i++) {
		cdop_secret_random(&number, sizeof(number));
		number %= CDOP_REFERENCE_NUMBERS;
		if (!cdop_reference_make(number, is_training(act->cases), text))
			continue;
		if (!index_by_case(act->index, number + 1, &slot) &&
		    certificates_of_case(act->reg->certificates, number + 1) ==
			NULL) {
			*ret_id = number + 1;
			return CDOP_OK;
		}
	}
	return CDOP_INTERNAL;
}

/* Whoever worked for its area is told that it was erased; nobody else. */
static enum cdop_err
no_case(struct cases_act *act, uint64_t case_id)
{
	const struct certificates_entry *gone =
	    certificates_of_case(act->reg->certificates, case_id);
	uint16_t area;

	if (gone != NULL &&
	    (act->access.all ||
		(gone->area != NULL &&
		    index_word_find(act->index, gone->area, &area) &&
		    access_works_for(&act->access, area))))
		return cases_refuse(act, CDOP_NOT_FOUND, "case_erased",
		    "that case was erased: cdop certificate list");
	return cases_refuse(
	    act, CDOP_NOT_FOUND, "no_such_case", "no such case");
}

enum cdop_err
cases_find_reference(
    struct cases_act *act, const char *typed, uint32_t *ret_slot)
{
	struct access_limits *limits = act->cases->limits;
	char text[CDOP_REFERENCE_TEXT];
	uint64_t number;
	uint32_t slot;

	if (cdop_reference_parse(
		typed, is_training(act->cases), text, &number) != CDOP_OK)
		return cases_bad_field(act, "reference", "reference.check",
		    "not a case reference of this registry: look again");
	act->nowhere = typed;
	if (!access_limits_may_look(limits, act->actor->device, act->now_ms,
		act->reg->profile->reference_misses_per_hour))
		return cases_refuse(act, CDOP_RESOURCE_EXHAUSTED, "miss_limit",
		    "too many references that led nowhere: wait an hour");
	if (!index_by_case(act->index, number + 1, &slot)) {
		access_limits_miss(limits, act->actor->device, act->now_ms);
		return no_case(act, number + 1);
	}
	if (!access_may_see(&act->access, index_at(act->index, slot))) {
		access_limits_miss(limits, act->actor->device, act->now_ms);
		act->true_outcome = CDOP_PERMISSION_DENIED;
		return cases_refuse(
		    act, CDOP_NOT_FOUND, "no_such_case", "no such case");
	}
	act->nowhere = NULL;
	*ret_slot = slot;
	return CDOP_OK;
}

/* ---- reading ----------------------------------------------------------- */

enum cdop_err
cases_read_row(struct cases_act *act, const struct index_row *row,
    const ProtobufCMessageDescriptor *desc, void *ret_message)
{
	struct cdop_bytes data;
	ProtobufCMessage *message;
	enum cdop_err err;

	err = rows_get(act->reg->rows, row->number, act->arena, NULL, &data);
	if (err != CDOP_OK)
		return err == CDOP_NOT_FOUND ? CDOP_DATA_LOSS : err;
	message = protobuf_c_message_unpack(
	    desc, cdop_arena_allocator(act->arena), data.len, data.data);
	if (message == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	*(void **)ret_message = message;
	return CDOP_OK;
}

/* The last row of a kind with first <= version <= last; NULL: none. */
static const struct index_row *
last_row(const struct cases_act *act, uint32_t slot, uint8_t kind,
    uint32_t first, uint32_t last)
{
	const struct index_row *row;
	size_t n;

	for (row = index_rows(act->index, slot, &n); n > 0; n--)
		if (row[n - 1].kind == kind && row[n - 1].version >= first &&
		    row[n - 1].version <= last)
			return &row[n - 1];
	return NULL;
}

enum cdop_err
cases_read_state(
    struct cases_act *act, uint32_t slot, Cdop__StoredCase **ret_state)
{
	const struct index_row *row;

	row = last_row(act, slot, SCHEMA_KIND_CASE, 0, UINT32_MAX);
	if (row == NULL)
		return CDOP_DATA_LOSS;
	return cases_read_row(
	    act, row, &cdop__stored_case__descriptor, ret_state);
}

bool
cases_has_row(const struct cases_act *act, uint32_t slot, uint32_t instance,
    uint32_t version)
{
	return last_row(act, slot, SCHEMA_KIND_FORM,
		   INDEX_FORM(instance, version),
		   INDEX_FORM(instance, version)) != NULL;
}

uint32_t
cases_form_version(
    const struct cases_act *act, uint32_t slot, uint32_t instance)
{
	const struct index_row *row;

	if (instance > INDEX_FORM_INSTANCES)
		return 0;
	row = last_row(act, slot, SCHEMA_KIND_FORM, INDEX_FORM(instance, 0),
	    INDEX_FORM(instance, INDEX_FORM_VERSIONS));
	if (row == NULL)
		return instance == 0 ? 1 : 0;
	return row->version & INDEX_FORM_VERSIONS;
}

/* The first record where it has no row: what notification 1 said. */
static enum cdop_err
derive_record(struct cases_act *act, uint32_t slot, Cdop__StoredForm **ret_form)
{
	Cdop__StoredForm *notification;
	enum cdop_err err;

	err = cases_read_form(act, slot, 1, 1, &notification);
	if (err != CDOP_OK)
		return err == CDOP_NOT_FOUND ? CDOP_DATA_LOSS : err;
	act->first = notification;
	act->first_slot = slot;
	return cases_form_record(act, notification, ret_form);
}

enum cdop_err
cases_read_form(struct cases_act *act, uint32_t slot, uint32_t instance,
    uint32_t version, Cdop__StoredForm **ret_form)
{
	const struct index_row *row;

	if (version == 0)
		version = cases_form_version(act, slot, instance);
	if (act->looks && act->first != NULL && act->first_slot == slot &&
	    instance == 1 && version == 1) {
		*ret_form = act->first;
		return CDOP_OK;
	}
	if (version == 0 || version > INDEX_FORM_VERSIONS ||
	    instance > INDEX_FORM_INSTANCES)
		return CDOP_NOT_FOUND;
	row = last_row(act, slot, SCHEMA_KIND_FORM,
	    INDEX_FORM(instance, version), INDEX_FORM(instance, version));
	if (row == NULL && instance == 0 && version == 1)
		return derive_record(act, slot, ret_form);
	if (row == NULL)
		return CDOP_NOT_FOUND;
	return cases_read_row(
	    act, row, &cdop__stored_form__descriptor, ret_form);
}

size_t
cases_responsible(
    const struct cases *cases, uint32_t person, uint32_t *out, size_t max)
{
	const struct index_post *post;
	uint32_t slot;
	size_t n = 0;

	for (slot = 0; slot < index_count(cases->index); slot++) {
		post = index_at(cases->index, slot);
		if (post->responsible != person ||
		    post->status == INDEX_WITHDRAWN)
			continue;
		if (n < max)
			out[n] = slot;
		n++;
	}
	return n;
}
