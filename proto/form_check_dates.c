/*
 * Rules about dates and their order.
 *
 * A partial date has several readings.  An order is broken (an error) only
 * if no reading keeps it; if some do not, that is a warning.
 */
#include <stdio.h>
#include <string.h>

#include "proto/form_inner.h"

/* ---- what the values have ---------------------------------------------- */

static const struct form_date *
date_of(const struct form_run *run, const char *path)
{
	size_t i;

	for (i = 0; i < run->n_date; i++)
		if (strcmp(run->date[i].field->path, path) == 0)
			return &run->date[i];
	return NULL;
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
	const struct form_date *first = date_of(run, order->first);
	const struct form_date *second = date_of(run, order->second);

	if (first == NULL || second == NULL)
		return;
	if (first->span.first > second->span.last)
		find_pair(
		    run, order->severity, order, "date.order", order->message);
	else if (order->severity == CDOP_SEVERITY_ERROR &&
	    first->span.last > second->span.first)
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
is_same_day(const struct form_run *run, const char *a, const char *b)
{
	const struct form_date *first = date_of(run, a);
	const struct form_date *second = date_of(run, b);

	return first != NULL && second != NULL && first->date.day != 0 &&
	    !first->date.estimated && !second->date.estimated &&
	    first->date.year == second->date.year &&
	    first->date.month == second->date.month &&
	    first->date.day == second->date.day;
}

/*
 * In the British Isles 01:00 to 02:00 comes twice on the last Sunday of
 * October: no order of two times in it is impossible.
 */
static bool
is_hour_twice(const struct cdop_date *date, unsigned first, unsigned second)
{
	/* Day 3 since 1970-01-01 was a Sunday. */
	return date->month == 10 && date->day >= 25 &&
	    (cdop_date_days(date) - 3) % 7 == 0 && first / 60 == 1 &&
	    second / 60 == 1;
}

static void
find_times(struct form_run *run, size_t i, unsigned first, unsigned second)
{
	const struct form_date *day = date_of(run, times[i].first_date);
	const struct order *order = &times[i].time;

	if (day != NULL && is_hour_twice(&day->date, first, second))
		find_pair(run, CDOP_SEVERITY_WARNING, order, "time.order",
		    "in the wrong order, but for the clocks that went back in "
		    "that hour: is it so?");
	else
		find_pair(
		    run, order->severity, order, "time.order", order->message);
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
			find_times(run, i, first, second);
	}
}

/* ---- parents are older ------------------------------------------------- */

static void
check_parents(struct form_run *run)
{
	char path[CDOP_FORM_PATH_MAX];
	const struct form_date *child = date_of(run, "birth.date");
	struct cdop_span parent;
	size_t i;

	if (child == NULL)
		return;
	for (i = 0; i < cdop_form_entries(run->form, "parent"); i++) {
		(void)snprintf(path, sizeof(path), "parent.%u.date_of_birth",
		    (unsigned)cdop_form_entry_number(run->form, "parent", i));
		if (cdop_form_span(run->form, path, &parent) &&
		    parent.first > child->span.last)
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

	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		check_order(run, &orders[i]);
	check_times(run);
	check_parents(run);
}
