/* The figures of a breach report: for people, for a spreadsheet, as JSON. */
#include "client/exposure_show.h"

#include <string.h>

#include "cdop/fields.h"
#include "client/audit_words.h"
#include "client/csv_out.h"
#include "client/paper.h"
#include "client/print.h"
#include "client/session.h"
#include "client/show.h"

#define CLASSES 10 /* of DataClass, from 1 */

/* ---- words -------------------------------------------------------------- */

/* Whom a breach in a jurisdiction is reported to; "" where it is not said. */
static const char *
commissioner(struct cmd_ctx *ctx, const char *jurisdiction)
{
	const struct cdop_profile *profile = ctx->session->profile;
	size_t i;

	for (i = 0; profile != NULL && i < profile->n_area; i++)
		if (strcmp(profile->area[i].jurisdiction, jurisdiction) == 0 &&
		    *profile->area[i].commissioner != '\0')
			return profile->area[i].commissioner;
	return "";
}

/* "Parent or person with parental responsibility", of "parent". */
static const char *
kind_label(const char *kind)
{
	const struct cdop_field *field = cdop_fields_group(kind);

	return field != NULL ? field->group_label : kind;
}

static size_t
count_depth(const struct exposure *x, enum exposure_depth depth)
{
	size_t i, n = 0;

	for (i = 0; i < x->n; i++)
		n += exposure_depth(x->record[i]) == depth;
	return n;
}

static size_t
count_class(const struct exposure *x, unsigned bit, enum exposure_way way)
{
	size_t i, n = 0;

	for (i = 0; i < x->n; i++)
		n += (x->record[i]->classes[way] & (1u << bit)) != 0;
	return n;
}

static size_t
count_way(const struct exposure *x, enum exposure_way way)
{
	size_t i, n = 0;

	for (i = 0; i < x->n; i++)
		n += x->record[i]->times[way] > 0;
	return n;
}

/* How many children were there, and how many living people with them. */
static size_t
count_in(const struct exposure *x, const char *jurisdiction, const char *area,
    uint64_t *ret_living)
{
	size_t i, n = 0;

	*ret_living = 0;
	for (i = 0; i < x->n; i++) {
		if (!exposure_was_in(x->record[i], jurisdiction, area))
			continue;
		*ret_living +=
		    exposure_sum(x->record[i]->living, x->record[i]->n_living);
		n++;
	}
	return n;
}

/* ---- text --------------------------------------------------------------- */

static const char *
person_words(const struct exposure_report *w)
{
	return cdop_arena_printf(w->ctx->arena, "%s (person %u)%s",
	    w->x->name != NULL ? w->x->name : "nobody in these entries",
	    w->x->person,
	    w->device != 0 ? cdop_arena_printf(
				 w->ctx->arena, ", device %u alone", w->device)
			   : "");
}

/* "3 content, 10 told that it is known" */
static const char *
depth_words(const struct exposure_report *w)
{
	struct cdop_arena *arena = w->ctx->arena;
	const char *all = "";
	size_t i, n;

	for (i = 0; i < EXPOSURE_DEPTHS && all != NULL; i++) {
		n = count_depth(w->x, (enum exposure_depth)i);
		if (n > 0)
			all = cdop_arena_printf(arena, "%s%s%zu %s", all,
			    *all != '\0' ? ", " : "", n,
			    exposure_depth_word((enum exposure_depth)i));
	}
	return all != NULL ? all : "";
}

static void
show_living(const struct exposure_report *w)
{
	struct exposure_kind kind[EXPOSURE_KINDS_MAX];
	const char *cell[2 * EXPOSURE_KINDS_MAX];
	size_t n = exposure_living(w->x, kind), i;
	struct cmd_ctx *ctx = w->ctx;

	print_out(ctx, "Children %zu, living people %u", w->x->n,
	    exposure_sum(kind, n));
	for (i = 0; i < n; i++) {
		cell[2 * i] = cdop_arena_printf(
		    ctx->arena, "  %s", kind_label(kind[i].kind));
		cell[2 * i + 1] =
		    cdop_arena_printf(ctx->arena, "%u", kind[i].n);
	}
	if (n > 0)
		print_table(ctx, NULL, cell, 2, n);
}

static void
show_records(const struct exposure_report *w)
{
	struct cmd_ctx *ctx = w->ctx;

	print_out(ctx, "%s", person_words(w));
	if (w->x->n == 0) {
		print_out(ctx, "No record left%s.",
		    w->x->backups > 0 ? " unsealed" : "");
		return;
	}
	print_out(ctx, "First %s, last %s",
	    print_time(ctx->arena, w->x->first_ms),
	    print_time(ctx->arena, w->x->last_ms));
	print_out(ctx, "%zu record%s: %s", w->x->n, w->x->n == 1 ? "" : "s",
	    depth_words(w));
	show_living(w);
}

static void
show_classes(const struct exposure_report *w)
{
	static const char *const head[] = {
	    "OF WHICH CLASS", "ON A SCREEN", "IN COPIES"};
	struct cmd_ctx *ctx = w->ctx;
	const char **cell;
	size_t rows = 0, n[EXPOSURE_WAYS];
	unsigned bit, k;

	cell = cdop_arena_calloc(ctx->arena, 3 * (CLASSES + 1), sizeof(*cell));
	for (bit = 1; cell != NULL && bit <= CLASSES; bit++) {
		for (k = 0; k < EXPOSURE_WAYS; k++)
			n[k] = count_class(w->x, bit, (enum exposure_way)k);
		if (n[0] + n[1] == 0)
			continue;
		cell[3 * rows] = cdop_fields_class_name(1u << bit);
		for (k = 0; k < EXPOSURE_WAYS; k++)
			cell[3 * rows + 1 + k] =
			    cdop_arena_printf(ctx->arena, "%zu", n[k]);
		rows++;
	}
	if (rows > 0)
		print_table(ctx, head, cell, 3, rows);
	print_out(ctx,
	    "Records on a screen %zu, in copies (printed, to a file, "
	    "to a program) %zu",
	    count_way(w->x, EXPOSURE_SCREEN), count_way(w->x, EXPOSURE_COPY));
}

static void
show_places(const struct exposure_report *w)
{
	const struct exposure_word *word;
	struct cmd_ctx *ctx = w->ctx;
	const char *all = "", *to;
	uint64_t living;
	size_t n;

	for (word = w->x->area; word != NULL; word = word->next) {
		n = count_in(w->x, NULL, word->word, &living);
		if (all != NULL)
			all = cdop_arena_printf(ctx->arena, "%s%s%s %zu", all,
			    *all != '\0' ? ", " : "",
			    show_area(ctx, word->word), n);
	}
	print_out(ctx, "By area: %s", all != NULL ? all : "...");
	for (word = w->x->jurisdiction; word != NULL; word = word->next) {
		n = count_in(w->x, word->word, NULL, &living);
		to = commissioner(ctx, word->word);
		print_out(ctx,
		    "Jurisdiction %s: children %zu, living people %llu%s%s",
		    *word->word != '\0' ? word->word : "not kept", n,
		    (unsigned long long)living,
		    *to != '\0' ? "; report to: " : "", to);
	}
}

void
exposure_show_text(const struct exposure_report *w)
{
	struct cmd_ctx *ctx = w->ctx;

	print_mode(ctx);
	paper_head(ctx);
	show_records(w);
	if (w->x->n > 0) {
		show_classes(w);
		show_places(w);
	}
	if (w->x->backups > 0)
		print_out(ctx,
		    "Took %llu backup%s: every record that the registry had "
		    "then, sealed; enough shares of the custodians open it.",
		    (unsigned long long)w->x->backups,
		    w->x->backups == 1 ? "" : "s");
	print_out(ctx,
	    "Searched %llu time%s, %llu with no answer.  Refused %llu time%s.",
	    (unsigned long long)w->x->searches, w->x->searches == 1 ? "" : "s",
	    (unsigned long long)w->x->searches_empty,
	    (unsigned long long)w->x->refused, w->x->refused == 1 ? "" : "s");
	print_out(ctx, "Out of %llu of their entries in the log.",
	    (unsigned long long)w->x->entries);
}

/* ---- CSV: a line a record ----------------------------------------------- */

static const char *
joined_places(struct cmd_ctx *ctx, const struct exposure_record *r, int what)
{
	const struct exposure_place *p;
	const char *all = "", *word;

	for (p = r->place; p != NULL && all != NULL; p = p->next) {
		word = what == 0 ? p->area
		    : what == 1  ? p->jurisdiction
				 : commissioner(ctx, p->jurisdiction);
		all = cdop_arena_printf(
		    ctx->arena, "%s%s%s", all, *all != '\0' ? "; " : "", word);
	}
	return all != NULL ? all : "";
}

static const char *
joined_living(struct cmd_ctx *ctx, const struct exposure_record *r)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < r->n_living && all != NULL; i++)
		all = cdop_arena_printf(ctx->arena, "%s%s%s %u", all,
		    i > 0 ? "; " : "", r->living[i].kind, r->living[i].n);
	return all != NULL ? all : "";
}

static void
csv_record(const struct exposure_report *w, const struct exposure_record *r)
{
	struct cmd_ctx *ctx = w->ctx;
	const char *const cell[] = {
	    r->reference,
	    exposure_depth_word(exposure_depth(r)),
	    joined_places(ctx, r, 0),
	    joined_places(ctx, r, 1),
	    joined_places(ctx, r, 2),
	    audit_words_classes(ctx, r->classes[EXPOSURE_SCREEN]),
	    audit_words_classes(ctx, r->classes[EXPOSURE_COPY]),
	    cdop_arena_printf(ctx->arena, "%u", r->times[EXPOSURE_SCREEN]),
	    cdop_arena_printf(ctx->arena, "%u", r->times[EXPOSURE_COPY]),
	    cdop_arena_printf(
		ctx->arena, "%u", exposure_sum(r->living, r->n_living)),
	    joined_living(ctx, r),
	    print_utc(ctx->arena, r->first_ms),
	    print_utc(ctx->arena, r->last_ms),
	    print_local(ctx->arena, r->first_ms),
	    print_local(ctx->arena, r->last_ms),
	};

	csv_out_line(stdout, cell, sizeof(cell) / sizeof(cell[0]));
}

void
exposure_show_csv(const struct exposure_report *w)
{
	static const char *const head[] = {"reference", "what_left", "area",
	    "jurisdiction", "report_to", "classes_on_screen",
	    "classes_in_copies", "times_on_screen", "times_in_copies",
	    "living_people", "living_people_by_kind", "first_utc", "last_utc",
	    "first_local", "last_local"};
	size_t i;

	csv_out_line(stdout, head, sizeof(head) / sizeof(head[0]));
	for (i = 0; i < w->x->n; i++)
		csv_record(w, w->x->record[i]);
}

/* ---- JSON --------------------------------------------------------------- */

static json_t *
json_kinds(const struct exposure_kind *kind, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:I}", "kind", kind[i].kind, "label",
			kind_label(kind[i].kind), "n", (json_int_t)kind[i].n));
	return list;
}

static const char *
class_code(unsigned bit)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(
	    &cdop__data_class__descriptor, (int)bit);

	return v != NULL ? v->name : "";
}

static json_t *
json_class_list(uint32_t classes)
{
	json_t *list = json_array();
	unsigned bit;

	for (bit = 1; bit <= CLASSES; bit++)
		if ((classes & (1u << bit)) != 0)
			(void)json_array_append_new(
			    list, json_string(class_code(bit)));
	return list;
}

static json_t *
json_classes(const struct exposure *x)
{
	json_t *list = json_array();
	size_t screen, copies;
	unsigned bit;

	for (bit = 1; bit <= CLASSES; bit++) {
		screen = count_class(x, bit, EXPOSURE_SCREEN);
		copies = count_class(x, bit, EXPOSURE_COPY);
		if (screen + copies > 0)
			(void)json_array_append_new(list,
			    json_pack("{s:{s:s,s:s},s:I,s:I}", "class", "code",
				class_code(bit), "label",
				cdop_fields_class_name(1u << bit), "screen",
				(json_int_t)screen, "copies",
				(json_int_t)copies));
	}
	return list;
}

/* Areas, or jurisdictions with whom a breach is reported to. */
static json_t *
json_places(const struct exposure_report *w, bool areas)
{
	const struct exposure_word *word =
	    areas ? w->x->area : w->x->jurisdiction;
	json_t *list = json_array(), *one;
	uint64_t living;
	size_t n;

	for (; word != NULL; word = word->next) {
		n = areas ? count_in(w->x, NULL, word->word, &living)
			  : count_in(w->x, word->word, NULL, &living);
		one = json_pack("{s:I,s:I}", "children", (json_int_t)n,
		    "living_people", (json_int_t)living);
		if (areas)
			(void)json_object_set_new(one, "area",
			    json_pack("{s:s,s:s}", "code", word->word, "label",
				show_area(w->ctx, word->word)));
		else
			(void)json_object_set_new(
			    one, "jurisdiction", json_string(word->word));
		if (!areas)
			(void)json_object_set_new(one, "report_to",
			    json_string(commissioner(w->ctx, word->word)));
		(void)json_array_append_new(list, one);
	}
	return list;
}

static json_t *
json_record_places(const struct exposure_record *r)
{
	const struct exposure_place *p;
	json_t *list = json_array();

	for (p = r->place; p != NULL; p = p->next)
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s}", "area", p->area, "jurisdiction",
			p->jurisdiction));
	return list;
}

static const char *const depth_codes[EXPOSURE_DEPTHS] = {
    "content", "named", "listed", "known", "changed"};

static json_t *
json_records(const struct exposure_report *w)
{
	const struct exposure_record *r;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < w->x->n; i++) {
		r = w->x->record[i];
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:o,s:o,s:o,s:I,s:I,s:o,s:s,s:s}",
			"reference", r->reference, "what_left",
			depth_codes[exposure_depth(r)], "place",
			json_record_places(r), "classes_on_screen",
			json_class_list(r->classes[EXPOSURE_SCREEN]),
			"classes_in_copies",
			json_class_list(r->classes[EXPOSURE_COPY]),
			"times_on_screen",
			(json_int_t)r->times[EXPOSURE_SCREEN],
			"times_in_copies", (json_int_t)r->times[EXPOSURE_COPY],
			"living", json_kinds(r->living, r->n_living), "first",
			print_utc(w->ctx->arena, r->first_ms), "last",
			print_utc(w->ctx->arena, r->last_ms)));
	}
	return list;
}

static json_t *
json_depths(const struct exposure *x)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < EXPOSURE_DEPTHS; i++)
		(void)json_object_set_new(object, depth_codes[i],
		    json_integer(
			(json_int_t)count_depth(x, (enum exposure_depth)i)));
	return object;
}

void
exposure_show_json(const struct exposure_report *w)
{
	struct exposure_kind kind[EXPOSURE_KINDS_MAX];
	size_t n = exposure_living(w->x, kind);
	const struct exposure *x = w->x;
	json_t *o = print_envelope(w->ctx, "audit.exposure", true);

	(void)json_object_update_new(o,
	    json_pack("{s:I,s:s,s:I,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:I,s:I}",
		"person", (json_int_t)x->person, "person_name",
		x->name != NULL ? x->name : "", "records", (json_int_t)x->n,
		"what_left", json_depths(x), "children", (json_int_t)x->n,
		"living_people", (json_int_t)exposure_sum(kind, n), "living",
		json_kinds(kind, n), "classes", json_classes(x), "area",
		json_places(w, true), "jurisdiction", json_places(w, false),
		"records_on_screen", (json_int_t)count_way(x, EXPOSURE_SCREEN),
		"records_in_copies", (json_int_t)count_way(x, EXPOSURE_COPY)));
	(void)json_object_update_new(o,
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "backups",
		(json_int_t)x->backups, "searches", (json_int_t)x->searches,
		"searches_with_no_answer", (json_int_t)x->searches_empty,
		"refused", (json_int_t)x->refused, "entries",
		(json_int_t)x->entries, "record", json_records(w)));
	if (w->device != 0)
		(void)json_object_set_new(
		    o, "device", json_integer((json_int_t)w->device));
	if (x->n > 0)
		(void)json_object_update_new(o,
		    json_pack("{s:s,s:s,s:s,s:s}", "first",
			print_utc(w->ctx->arena, x->first_ms), "last",
			print_utc(w->ctx->arena, x->last_ms), "first_local",
			print_local(w->ctx->arena, x->first_ms), "last_local",
			print_local(w->ctx->arena, x->last_ms)));
	print_json(o);
}
