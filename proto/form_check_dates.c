/*
 * Rules about dates and their order.
 *
 * A partial date has several readings.  An order is broken (an error) only
 * if no reading keeps it; if some do not, that is a warning.
 */
#include <stdio.h>
#include <string.h>

#include "proto/form_inner.h"

/* ---- not in the future ------------------------------------------------- */

/* Where clocks are ahead of ours, it can be tomorrow already. */
static bool
is_abroad(struct form_run *run)
{
	static const struct {
		const char *path;
		const char *list;
	} places[] = {
	    {"area.death", "area_other"},
	    {"place.type", "place_of_death"},
	};
	const struct cdop_code *code;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (run->check->profile == NULL)
			return false;
		text = cdop_form_text(run->form, places[i].path, run->arena);
		if (text == NULL)
			return false;
		code = cdop_profile_code(run->check->profile, places[i].list,
		    text, run->check->today);
		if (code != NULL && (code->flags & CDOP_CODE_ABROAD) != 0)
			return true;
	}
	return false;
}

static bool
may_be_ahead(const struct cdop_field *field)
{
	return strcmp(field->path, "follow_up.appointment_date") == 0;
}

static void
check_future(struct form_run *run)
{
	struct cdop_form_iter iter = {.form = run->form};
	int32_t limit = run->check->today + (is_abroad(run) ? 1 : 0);
	char where[CDOP_FORM_PATH_MAX];
	struct cdop_path path;
	struct cdop_span span;

	while (cdop_form_next(&iter, &path)) {
		if (path.field->kind != CDOP_KIND_DATE ||
		    may_be_ahead(path.field))
			continue;
		cdop_form_path_write(&path, where);
		if (cdop_form_span(run->form, where, &span) &&
		    span.first > limit)
			cdop_form_find(run, CDOP_SEVERITY_ERROR, where,
			    "date.future",
			    "in the future: check day, month and year, or "
			    "what day the registry goes by: cdop status");
	}
}

/* ---- order ------------------------------------------------------------- */

struct order {
	const char *first;
	const char *second;
	enum cdop_severity severity;
	const char *message; /* stands at second */
};

static const struct order orders[] = {
    {"birth.date", "event.date", CDOP_SEVERITY_ERROR,
	"the event is before the birth: check both dates"},
    {"event.date", "death.date", CDOP_SEVERITY_ERROR,
	"the death is before the event that led to it: check both dates"},
    {"birth.date", "death.date", CDOP_SEVERITY_ERROR,
	"the death is before the birth: check both dates"},
    {"death.date", "registration.date", CDOP_SEVERITY_ERROR,
	"registered before the death: check both dates"},
    {"death.date", "coroner.post_mortem_date", CDOP_SEVERITY_ERROR,
	"the post-mortem is before the death: check both dates"},
    {"coroner.inquest_opened", "coroner.inquest_concluded", CDOP_SEVERITY_ERROR,
	"the inquest was concluded before it was opened: check both dates"},
    {"death.date", "received.notified_date", CDOP_SEVERITY_WARNING,
	"we were told before the death: check both dates"},
    {"death.date", "received.aware_date", CDOP_SEVERITY_WARNING,
	"they became aware before the death: check both dates"},
    {"received.aware_date", "received.notified_date", CDOP_SEVERITY_WARNING,
	"we were told before they became aware: check both dates"},
    {"death.date", "coroner.told_date", CDOP_SEVERITY_WARNING,
	"the coroner was told before the death: check both dates"},
    {"death.date", "coroner.inquest_opened", CDOP_SEVERITY_WARNING,
	"the inquest was opened before the death: check both dates"},
    {"registration.date", "registration.correction_date", CDOP_SEVERITY_WARNING,
	"corrected before it was registered: check both dates"},
    {"mother.date_of_birth", "birth.date", CDOP_SEVERITY_WARNING,
	"born before the mother: check both dates"},
};

/* It stands at one of two fields, and may be wrong in the other. */
static void
find_pair(struct form_run *run, enum cdop_severity severity,
    const struct order *order, const char *rule, const char *message)
{
	char text[CDOP_FORM_PATH_MAX + 200];

	(void)snprintf(
	    text, sizeof(text), "%s (the other is %s)", message, order->first);
	cdop_form_find(run, severity, order->second, rule, text);
}

static void
check_order(struct form_run *run, const struct order *order)
{
	struct cdop_span first;
	struct cdop_span second;

	if (!cdop_form_span(run->form, order->first, &first) ||
	    !cdop_form_span(run->form, order->second, &second))
		return;
	if (first.first > second.last)
		find_pair(
		    run, order->severity, order, "date.order", order->message);
	else if (order->severity == CDOP_SEVERITY_ERROR &&
	    first.last > second.first)
		find_pair(run, CDOP_SEVERITY_WARNING, order, "date.order",
		    "the dates are not exact, and in some readings they are "
		    "in the wrong order: can one be had more exactly?");
}

/* ---- times on one day -------------------------------------------------- */

static const struct {
	const char *first_date;
	const char *second_date;
	struct order time;
} times[] = {
    {"birth.date", "death.date",
	{"birth.time", "death.time", CDOP_SEVERITY_ERROR,
	    "the death is before the birth on the same day: check both "
	    "times"}},
    {"event.date", "death.date",
	{"event.time", "death.time", CDOP_SEVERITY_ERROR,
	    "the death is before the event on the same day: check both "
	    "times"}},
    {"birth.date", "event.date",
	{"birth.time", "event.time", CDOP_SEVERITY_ERROR,
	    "the event is before the birth on the same day: check both "
	    "times"}},
    {"death.date", "received.notified_date",
	{"death.time", "received.notified_time", CDOP_SEVERITY_WARNING,
	    "we were told before the death on the same day: check both "
	    "times"}},
};

static bool
minutes_of(struct form_run *run, const char *path, unsigned *ret_minutes)
{
	const char *text = cdop_form_text(run->form, path, run->arena);

	return text != NULL &&
	    cdop_date_time_parse(text, ret_minutes) == CDOP_OK;
}

static bool
is_same_day(struct form_run *run, const char *a, const char *b)
{
	struct cdop_date first;
	struct cdop_date second;

	return cdop_form_date(run->form, a, &first) &&
	    cdop_form_date(run->form, b, &second) && first.day != 0 &&
	    !first.estimated && !second.estimated &&
	    first.year == second.year && first.month == second.month &&
	    first.day == second.day;
}

static void
check_times(struct form_run *run)
{
	const struct order *order;
	unsigned first;
	unsigned second;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
		order = &times[i].time;
		if (is_same_day(
			run, times[i].first_date, times[i].second_date) &&
		    minutes_of(run, order->first, &first) &&
		    minutes_of(run, order->second, &second) && first > second)
			find_pair(run, order->severity, order, "time.order",
			    order->message);
	}
}

/* ---- parents are older ------------------------------------------------- */

static void
check_parents(struct form_run *run)
{
	char path[CDOP_FORM_PATH_MAX];
	struct cdop_span child;
	struct cdop_span parent;
	size_t i;

	if (!cdop_form_span(run->form, "birth.date", &child))
		return;
	for (i = 0; i < cdop_form_entries(run->form, "parent"); i++) {
		(void)snprintf(path, sizeof(path), "parent.%u.date_of_birth",
		    (unsigned)cdop_form_entry_number(run->form, "parent", i));
		if (cdop_form_span(run->form, path, &parent) &&
		    parent.first > child.last)
			cdop_form_find(run, CDOP_SEVERITY_WARNING, path,
			    "date.order",
			    "younger than the child: check both dates (the "
			    "other is birth.date)");
	}
}

void
cdop_form_check_dates(struct form_run *run)
{
	size_t i;

	check_future(run);
	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		check_order(run, &orders[i]);
	check_times(run);
	check_parents(run);
}
