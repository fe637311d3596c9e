/* What there is in the end, and that nothing of what was said is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/registry/approvals.h"
#include "server/registry/backups.h"
#include "server/registry/certificates.h"
#include "server/registry/rotation.h"
#include "server/registry/tree.h"
#include "server/vault/rows_slots.h"
#include "tests/fault/day.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"
#include "tests/unit/server/registry/turning.h"

#define LINES 64

struct text {
	char *out;
	size_t len, max;
};

__attribute__((format(printf, 2, 3))) static void
add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(
	    text->out + text->len, text->max - text->len, format, args);
	va_end(args);
	require(n >= 0 && text->len + (size_t)n < text->max, "room for facts");
	text->len += (size_t)n;
}

/* References are drawn: a case is told by all that is not. */
static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
add_cases(struct day *day, struct text *text)
{
	static char lines[LINES][128];
	Cdop__CaseListRequest request;
	const Cdop__CaseListReply *reply;
	size_t i;

	cdop__case_list_request__init(&request);
	request.has_names = true;
	request.names = true;
	reply = day_body(day,
	    day_look(day, WORLD_COORDINATOR, 44, &request.base, NULL, NULL),
	    &cdop__case_list_reply__descriptor);
	require(reply != NULL && reply->n_case_ < LINES, "a list of cases");
	for (i = 0; i < reply->n_case_; i++)
		(void)snprintf(lines[i], sizeof(lines[i]), "%s %s %s%s",
		    reply->case_[i]->name, reply->case_[i]->owner_area,
		    reply->case_[i]->status,
		    reply->case_[i]->hold ? " hold" : "");
	qsort(lines, reply->n_case_, sizeof(lines[0]), compare);
	for (i = 0; i < reply->n_case_; i++)
		add(text, "%s\n", lines[i]);
}

/* How often each case was changed. */
static void
add_versions(struct day *day, struct text *text)
{
	Cdop__CaseShowRequest request;
	const Cdop__CaseShowReply *reply;
	size_t i;

	for (i = 0; i < KEEP_CASES; i++) {
		if (day->keep->reference[i][0] == '\0' || i == 2)
			continue;
		cdop__case_show_request__init(&request);
		request.reference = day->keep->reference[i];
		reply = day_body(day,
		    day_look(
			day, WORLD_COORDINATOR, 43, &request.base, NULL, NULL),
		    &cdop__case_show_reply__descriptor);
		require(reply != NULL, "a case is shown");
		add(text, "case %zu: state %llu, record %llu\n", i,
		    (unsigned long long)reply->case_->version,
		    reply->case_->record == NULL
			? 0ull
			: (unsigned long long)reply->case_->record->version);
	}
}

static void
add_people(struct day *day, struct text *text)
{
	Cdop__PeopleListRequest request;
	const Cdop__PeopleListReply *reply;
	size_t i, k;

	cdop__people_list_request__init(&request);
	request.has_all = true;
	request.all = true;
	reply = day_body(day,
	    day_look(day, WORLD_ADMIN_1, 18, &request.base, NULL, NULL),
	    &cdop__people_list_reply__descriptor);
	require(reply != NULL, "a list of people");
	for (i = 0; i < reply->n_person; i++) {
		add(text, "%s: %d", reply->person[i]->name,
		    (int)reply->person[i]->state);
		for (k = 0; k < reply->person[i]->n_device; k++)
			add(text, ", %d",
			    (int)reply->person[i]->device[k]->state);
		add(text, "\n");
	}
}

static void
add_keys(struct day *day, struct text *text)
{
	static char census[TURNING_TEXT];
	struct world world = {.rows = day->house.rows};
	const struct registry *reg = day->house.reg;
	const struct rotation_job *job;
	size_t i;

	turning_census(&world, census);
	for (i = 0; census[i] != '\0'; i++)
		add(text, "%c", census[i]);
	for (i = 0; (job = rotation_at(reg->rotation, i)) != NULL; i++)
		add(text, "rotation: what %d, phase %d\n", (int)job->what,
		    (int)job->phase);
	add(text, "%zu certificates, %zu wait, %zu slots, %d whole backups\n",
	    certificates_count(reg->certificates),
	    approvals_count(reg->approvals, shim_wall_ms()),
	    rows_slots(day->house.rows), backups_newest(reg->backups) != NULL);
}

void
day_facts(struct day *day, char *out, size_t max)
{
	struct text text = {.out = out, .max = max};

	add_cases(day, &text);
	add_versions(day, &text);
	add_people(day, &text);
	add_keys(day, &text);
}

void
day_check_log(struct day *day)
{
	const struct keep *keep = day->keep;
	struct tree *tree = day->house.reg->tree;
	uint8_t hash[32];
	size_t i;

	for (i = 0; i < keep->n_seen; i++) {
		require(keep->seen[i].size <= tree_size(tree),
		    "the log is as long as it was said to be");
		must(cdop_merkle_root(
			 keep->seen[i].size, tree_fetch, tree, hash),
		    "a root");
		require(memcmp(hash, keep->seen[i].root, 32) == 0,
		    "a checkpoint is one of this log");
	}
	for (i = 0; i < keep->n_leaf; i++) {
		must(tree_fetch(tree, 0, keep->leaf[i].index, hash), "a leaf");
		require(memcmp(hash, keep->leaf[i].hash, 32) == 0,
		    "a receipt is of this log");
	}
}
