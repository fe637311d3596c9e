/* Lists, page by page, and pairs. */
#include "server/registry/cases_list.h"

#include <string.h>

#include "cdop/limits.h"
#include "cdop/profile.h"
#include "server/registry/cases_state.h"

#define SPAN_YEARS (4 * 366) /* longest reading of a partial date */

/* What a list looks for. */
struct filter {
	const struct cases_list *list;
	int32_t since;
	int32_t until;
	uint32_t area; /* UINT32_MAX, which none is: no case has it */
	uint32_t status;
};

/* ---- pages ------------------------------------------------------------- */

static enum cdop_err
bad_page(struct cases_act *act)
{
	return cases_bad_field(act, "page", "page.unknown",
	    "not a page of this list in this session: begin again");
}

static struct cases_page_of
page_of(const struct cases_list *list)
{
	return (struct cases_page_of){
	    {"list", list->area, list->status, list->since, list->until,
		list->mine ? "mine" : NULL, list->handover ? "handover" : NULL},
	    7};
}

static void
write_page(const struct cases_act *act, struct cases_list *list, int32_t day)
{
	const struct cases_page_of of = page_of(list);
	uint8_t place[CASES_PAGE_PLACE] = {0};

	cdop_put32(place, (uint32_t)day);
	cdop_put32(place + 4, list->slot[list->n - 1]);
	cases_page_write(act, &of, place, list->next);
}

static bool
read_page(const struct cases_act *act, const struct cases_list *list,
    int32_t *ret_day, uint32_t *ret_slot)
{
	const struct cases_page_of of = page_of(list);
	uint8_t place[CASES_PAGE_PLACE];

	if (!cases_page_read(act, &of, list->page, place))
		return false;
	*ret_day = (int32_t)cdop_get32(place);
	*ret_slot = cdop_get32(place + 4);
	return true;
}

/* ---- lists ------------------------------------------------------------- */

/*
 * The first day the death can have been, where day is the last; that of the
 * registration where it is unknown.
 */
static int32_t
first_day(const struct index_post *post, int32_t day)
{
	return post->death.year != 0 ? cdop_date_span(&post->death).first : day;
}

/* Without a look at its post, which is what takes long. */
static bool
is_likely(const struct cases_act *act, const struct filter *f, uint32_t slot)
{
	const struct index_glance *glance = index_glance(act->index, slot);

	if (f->list->mine && glance->responsible != act->actor->person)
		return false;
	if (f->list->handover && glance->responsible == 0)
		return false;
	if (f->list->area != NULL && glance->owner != f->area)
		return false;
	if (f->list->status != NULL && glance->status_word != f->status)
		return false;
	return access_may_see_some(&act->access, glance->owner);
}

static bool
is_wanted(const struct cases_act *act, const struct filter *f, int32_t day,
    uint32_t slot)
{
	const struct index_post *post;

	if (!is_likely(act, f, slot))
		return false;
	post = index_at(act->index, slot);
	if (!access_may_see(&act->access, post))
		return false;
	if (f->list->status == NULL && post->status == INDEX_WITHDRAWN)
		return false;
	if (f->list->handover &&
	    cases_state_may_respond(act, post, post->responsible))
		return false;
	return day <= f->until || first_day(post, day) <= f->until;
}

/*
 * A slip is not "there are none".  What the index has words for is not asked:
 * they are of all cases, areas among them.
 */
static enum cdop_err
check_words(struct cases_act *act, const struct cases_list *list)
{
	const struct cdop_area *area = list->area == NULL
	    ? NULL
	    : cdop_profile_area(act->reg->profile, list->area);

	if (list->area != NULL && area == NULL)
		return cases_bad_field(
		    act, "area", "owner.unknown", "not an area of this panel");
	if (area != NULL &&
	    !access_may_see_area(&act->access, area, act->actor->person))
		return cases_bad_field(act, "area", "area.not_yours",
		    "you do not work for that area: its coordinators see "
		    "its cases");
	if (list->status != NULL && strcmp(list->status, "received") != 0 &&
	    strcmp(list->status, "entered-in-error") != 0)
		return cases_bad_field(act, "status", "status.unknown",
		    "no case has that status: received, entered-in-error");
	return CDOP_OK;
}

static uint32_t
number_of(const struct index *index, const char *word)
{
	uint16_t number;

	return word != NULL && index_word_find(index, word, &number)
	    ? number
	    : UINT32_MAX;
}

static enum cdop_err
make_filter(
    struct cases_act *act, const struct cases_list *list, struct filter *f)
{
	enum cdop_err err;

	memset(f, 0, sizeof(*f));
	f->list = list;
	f->since = INT32_MIN;
	f->until = INT32_MAX;
	if (list->since != NULL &&
	    cdop_date_parse_day(list->since, &f->since) != CDOP_OK)
		return cases_bad_field(
		    act, "since", "date.form", "a whole date: 2026-11-20");
	if (list->until != NULL &&
	    cdop_date_parse_day(list->until, &f->until) != CDOP_OK)
		return cases_bad_field(
		    act, "until", "date.form", "a whole date: 2026-11-20");
	if ((err = check_words(act, list)) != CDOP_OK)
		return err;
	f->area = number_of(act->index, list->area);
	f->status = number_of(act->index, list->status);
	return CDOP_OK;
}

enum cdop_err
cases_list(struct cases_act *act, struct cases_list *list)
{
	uint32_t slot = UINT32_MAX, limit = CDOP_LIST_MAX;
	int32_t day = INT32_MAX, last_day = day;
	struct index_order_walk walk;
	struct filter filter;
	enum cdop_err err;

	if ((err = make_filter(act, list, &filter)) != CDOP_OK)
		return err;
	if (list->page.len > 0 && !read_page(act, list, &day, &slot))
		return bad_page(act);
	if (list->page.len == 0 && filter.until < INT32_MAX - SPAN_YEARS)
		day = filter.until + SPAN_YEARS;
	if (list->limit > 0 && list->limit < limit)
		limit = list->limit;
	list->slot = cdop_arena_calloc(act->arena, limit, sizeof(*list->slot));
	if (list->slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	index_seek(act->index, day, slot, &walk);
	while (!list->more && index_order_next(&walk, &day, &slot) &&
	    day >= filter.since) {
		if (!is_wanted(act, &filter, day, slot))
			continue;
		if (list->n == limit) {
			list->more = true;
			break;
		}
		list->slot[list->n++] = slot;
		last_day = day;
	}
	if (list->more)
		write_page(act, list, last_day);
	return CDOP_OK;
}

/* ---- ages -------------------------------------------------------------- */

static const char *
band(int32_t days, int years)
{
	if (days < 0)
		return NULL;
	if (days < 28)
		return "0-27 days";
	if (years < 1)
		return "28-364 days";
	if (years < 5)
		return "1-4 years";
	if (years < 10)
		return "5-9 years";
	if (years < 15)
		return "10-14 years";
	return years < 18 ? "15-17 years" : "18 or over";
}

const char *
cases_list_age(
    const struct index_post *post, const struct cdop_profile *profile)
{
	struct cdop_span birth, death;
	const char *young, *old;

	if (post->birth.year == 0 || post->death.year == 0)
		return NULL;
	birth = cdop_date_span(&post->birth);
	death = cdop_date_span(&post->death);
	young = band(death.first - birth.last,
	    cdop_date_age(birth.last, death.first, profile->feb29_early));
	if (birth.first == birth.last && death.first == death.last)
		return young; /* both are whole dates */
	old = band(death.last - birth.first,
	    cdop_date_age(birth.first, death.last, profile->feb29_early));
	return young != NULL && old != NULL && strcmp(young, old) == 0 ? old
								       : NULL;
}

/* ---- pairs ------------------------------------------------------------- */

/* A pair is for whoever sees both, and gone once it is decided. */
static bool
is_open(const struct cases_act *act, const struct index_post *one,
    const struct index_post *other)
{
	return access_may_see(&act->access, other) &&
	    one->status != INDEX_WITHDRAWN &&
	    other->status != INDEX_WITHDRAWN &&
	    !index_post_decided(one, other->case_id) &&
	    !index_post_decided(other, one->case_id);
}

static void
explain(const struct index_post *one, const struct index_post *other,
    struct cases_pair *pair)
{
	struct duplicates_child child;

	duplicates_of_post(one, &child);
	if (!duplicates_compare(&child, other, &pair->why))
		pair->why.reason[pair->why.n_reason++] =
		    "looked alike when it was registered";
}

static size_t
place_of(const struct index_post *post, uint64_t case_id)
{
	size_t i;

	for (i = 0; i < post->n_pair; i++)
		if (index_post_pairs(post)[i] == case_id)
			break;
	return i;
}

/*
 * Each record of a pair may name the other, as the question was asked with
 * either: it is shown once, where the walk meets it first.
 */
static bool
was_met(const struct index_post *one, uint32_t slot,
    const struct index_post *other, uint32_t other_slot)
{
	return other_slot < slot &&
	    place_of(other, one->case_id) < other->n_pair;
}

/* Those of one record, from its pair i on.  False: there is no more room. */
static bool
take_pairs(const struct cases_act *act, struct cases_pairs *pairs,
    uint32_t slot, size_t i)
{
	const struct index_post *one = index_at(act->index, slot), *other;
	struct cases_pair *to;
	uint32_t other_slot;

	if (one->n_pair == 0 || !access_may_see(&act->access, one))
		return true;
	for (; i < one->n_pair; i++) {
		if (!index_by_case(
			act->index, index_post_pairs(one)[i], &other_slot))
			continue;
		other = index_at(act->index, other_slot);
		if (!is_open(act, one, other) ||
		    was_met(one, slot, other, other_slot))
			continue;
		if (pairs->n == CASES_PAIRS_MAX)
			return false;
		to = &pairs->pair[pairs->n++];
		to->one = slot;
		to->other = other_slot;
		explain(one, other, to);
	}
	return true;
}

static const struct cases_page_of pairs_page = {{"pairs"}, 1};

/*
 * Behind the last pair that was shown; where that was decided meanwhile, at
 * the first one of the same record: one may come twice, and none is missed.
 */
static bool
read_pairs_page(const struct cases_act *act, struct cdop_bytes page,
    uint32_t *ret_slot, size_t *ret_i)
{
	uint8_t place[CASES_PAGE_PLACE];
	const struct index_post *one;
	size_t i;

	if (!cases_page_read(act, &pairs_page, page, place))
		return false;
	*ret_slot = cdop_get32(place);
	if (*ret_slot >= index_count(act->index))
		return false;
	one = index_at(act->index, *ret_slot);
	i = place_of(one, cdop_get64(place + 4));
	*ret_i = i < one->n_pair ? i + 1 : 0;
	return true;
}

static void
write_pairs_page(const struct cases_act *act, struct cases_pairs *pairs)
{
	const struct cases_pair *last = &pairs->pair[pairs->n - 1];
	uint8_t place[CASES_PAGE_PLACE] = {0};

	cdop_put32(place, last->one);
	cdop_put64(place + 4, index_at(act->index, last->other)->case_id);
	cases_page_write(act, &pairs_page, place, pairs->next);
}

enum cdop_err
cases_list_pairs(struct cases_act *act, struct cases_pairs *pairs)
{
	uint32_t slot = 0;
	size_t i = 0;

	if (pairs->page.len > 0 &&
	    !read_pairs_page(act, pairs->page, &slot, &i))
		return bad_page(act);
	pairs->pair = cdop_arena_calloc(
	    act->arena, CASES_PAIRS_MAX, sizeof(*pairs->pair));
	if (pairs->pair == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (; slot < index_count(act->index) && !pairs->more; slot++, i = 0)
		pairs->more = !take_pairs(act, pairs, slot, i);
	if (pairs->more)
		write_pairs_page(act, pairs);
	return CDOP_OK;
}
