/* cdop notify --blank. */
#include "client/blank.h"

#include <string.h>

#include "cdop/fields.h"
#include "client/pager.h"
#include "client/print.h"

static const char *const stages[] = {NULL, "NEEDED TO ACCEPT IT",
    "FIRST CONTACT, IF THEY KNOW IT", "THE SAME DAY", "LATER"};

static const char *
how(const struct cdop_field *f)
{
	switch ((int)f->kind) {
	case CDOP_KIND_DATE:
		return "DD/MM/YYYY, or MM/YYYY, YYYY, ~YYYY";
	case CDOP_KIND_TIME:
		return "HH:MM";
	case CDOP_KIND_YES_NO:
		return "yes / no";
	default:
		return f->help != NULL ? f->help : "";
	}
}

static void
stage(struct cmd_ctx *ctx, enum cdop_stage which)
{
	const char *group = "";
	const struct cdop_field *f;
	size_t i;

	print_out(ctx, "\n%s", stages[which]);
	for (i = 0; i < cdop_fields_count; i++) {
		f = &cdop_fields[i];
		if (f->stage != which || f->kind == CDOP_KIND_ENTRY)
			continue;
		if (strcmp(group, f->group) != 0) {
			group = f->group;
			print_out(ctx, "\n  %s%s", f->group_label,
			    f->group_max > 0 ? " (each)" : "");
		}
		print_out(ctx, "    %-40s ______________________________  %s",
		    f->label, how(f));
		if (f->kind == CDOP_KIND_NARRATIVE)
			print_out(ctx, "    %.70s\n    %.70s",
			    "________________________________________________"
			    "______________________",
			    "________________________________________________"
			    "______________________");
	}
}

/* The same for programs: every field that is asked, in that order. */
static enum exit_code
list_fields(struct cmd_ctx *ctx)
{
	const struct cdop_field *f;
	json_t *object;
	size_t i, n = 0;
	int which;

	for (which = CDOP_STAGE_ACCEPT; which <= CDOP_STAGE_LATER; which++)
		for (i = 0; i < cdop_fields_count; i++) {
			f = &cdop_fields[i];
			if ((int)f->stage != which ||
			    f->kind == CDOP_KIND_ENTRY)
				continue;
			n++;
			object = print_envelope(ctx, "notify.blank", true);
			(void)json_object_update_new(object,
			    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?,s:s?,s:b}",
				"path", f->path, "label", f->label, "kind",
				cdop_fields_kind_name(f->kind), "stage",
				cdop_fields_stage_name(f->stage), "class",
				cdop_fields_class_name(f->class), "list",
				f->list, "help", f->help, "repeats",
				f->group_max > 0));
			print_json(object);
		}
	print_end(ctx, "notify.blank", n);
	return EXIT_OK;
}

enum exit_code
blank_print(struct cmd_ctx *ctx)
{
	if (ctx->g.json)
		return list_fields(ctx);
	pager_start(ctx);
	print_out(ctx,
	    "NOTIFICATION OF THE DEATH OF A CHILD\n"
	    "Not known: write #nk.  Not applicable: #na.  Not stated: #ws.");
	stage(ctx, CDOP_STAGE_ACCEPT);
	stage(ctx, CDOP_STAGE_FIRST);
	stage(ctx, CDOP_STAGE_SAMEDAY);
	stage(ctx, CDOP_STAGE_LATER);
	return EXIT_OK;
}
