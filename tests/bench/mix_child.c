/* Synthetic children and the book of their cases; see mix_child.h. */
#include "tests/bench/mix_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_LO 999000000u /* synthetic ones; the ninth digit is next */
#define NUMBERS   999999u    /* the last would be one digit ten times */

static const char *const areas[] = {
    "knowsley", "liverpool", "sefton", "st-helens", "wirral", "isle-of-man"};

/* ---- the book ---------------------------------------------------------- */

struct mix_book *
mix_book_new(uint32_t max, uint32_t next)
{
	struct mix_book *book = calloc(1, sizeof(*book));

	if (book != NULL)
		book->all = calloc(max, sizeof(*book->all));
	if (book == NULL || book->all == NULL) {
		fprintf(stderr, "mix: no memory for %u cases\n", max);
		exit(1);
	}
	book->max = max;
	book->next = next;
	return book;
}

bool
mix_book_read(struct mix_book *book, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint32_t i;

	if (f == NULL)
		return false;
	book->n += (uint32_t)fread(
	    &book->all[book->n], sizeof(*book->all), book->max - book->n, f);
	fclose(f);
	for (i = 0; i < book->n; i++)
		if (book->all[i].who >= book->next)
			book->next = book->all[i].who + 1;
	return true;
}

bool
mix_book_write(const struct mix_book *book, const char *path)
{
	FILE *f = fopen(path, "wb");
	bool good;

	if (f == NULL)
		return false;
	good = fwrite(book->all, sizeof(*book->all), book->n, f) == book->n;
	return fclose(f) == 0 && good;
}

/* ---- a child ----------------------------------------------------------- */

const char *
mix_child_number(struct cdop_arena *arena, uint32_t who)
{
	char text[11];
	uint32_t body = NUMBER_LO + who, sum = 0, i;

	if (who >= NUMBERS)
		return NULL;
	(void)snprintf(text, sizeof(text), "%09u", body);
	for (i = 0; i < 9; i++)
		sum += (uint32_t)(text[i] - '0') * (10 - i);
	sum = (11 - sum % 11) % 11;
	if (sum == 10)
		return NULL;
	return cdop_arena_printf(arena, "%s%u", text, sum);
}

/* Ten digits with their check digit; some bodies have none. */
static bool
has_check_digit(uint32_t who)
{
	uint32_t body = NUMBER_LO + who, sum = 0, i;

	for (i = 2; i <= 10; i++, body /= 10)
		sum += body % 10 * i;
	return (11 - sum % 11) % 11 != 10;
}

uint32_t
mix_child_next(struct mix_book *book)
{
	while (book->next < NUMBERS && !has_check_digit(book->next))
		book->next++;
	return book->next++;
}

const char *
mix_child_word(struct cdop_arena *arena, uint32_t who, uint32_t salt)
{
	uint64_t mixed = (who + 1ull) * 0x9e3779b97f4a7c15 + salt;
	char text[9];
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		mixed ^= mixed >> 29;
		mixed *= 0xbf58476d1ce4e5b9;
		text[i] = (char)((i == 0 ? 'A' : 'a') + (mixed >> 40) % 26);
	}
	text[i] = '\0';
	return cdop_arena_strdup(arena, text);
}

static void
put(struct cdop_arena *arena, Cdop__Form *form, const char *path,
    const char *typed)
{
	struct cdop_violations v = {NULL, 0, 0};

	if (cdop_form_put(form, path, typed, NULL, arena, &v) == CDOP_OK)
		return;
	fprintf(stderr, "mix: %s: %s\n", path,
	    v.n > 0 ? v.v[0].message : "out of memory");
	exit(1);
}

void
mix_child_describe(struct cdop_arena *arena, Cdop__Form *form, uint32_t who)
{
	static const char *const fixed[][2] = {{"received.channel", "phone"},
	    {"received.notified_date", "2024-11-19"},
	    {"received.notified_time", "09:30"}, {"notifier.agency", "RBS"},
	    {"notifier.name", "Dr Sample Testarina"},
	    {"notifier.phone", "0151 496 0123"}, {"child.name_kind", "known"},
	    {"child.sex", "2"}, {"child.address", "1 Example Road, Nowhere"},
	    {"child.postcode", "L1 8JQ"}, {"death.date", "2024-11-18"},
	    {"death.time", "08:15"}, {"death.expected", "no"},
	    {"place.type", "emergency_department"}, {"area.death", "liverpool"},
	    {"circumstances.narrative",
		"Synthetic circumstances: found unwell at home in the early "
		"morning by the mother, who called for help at once. Taken "
		"to hospital by ambulance, with resuscitation under way; it "
		"went on for fifty minutes in the emergency department, "
		"where nobody could help any more. The family had moved "
		"house a month before and were known to the health visitor, "
		"who saw them last on the Tuesday and noted nothing out of "
		"the ordinary. A cold for three days, fever the evening "
		"before, paracetamol as told by the pharmacist. The general "
		"practitioner was told on the same day, as were the coroner "
		"and the school of the elder sister, who is looked after by "
		"her grandmother until the end of the week."}};
	const char *number = mix_child_number(arena, who);
	const char *family = mix_child_word(arena, who, 1);
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		put(arena, form, fixed[i][0], fixed[i][1]);
	put(arena, form, "child.family_name", family);
	put(arena, form, "child.first_names", mix_child_word(arena, who, 2));
	if (number != NULL)
		put(arena, form, "child.nhs_number", number);
	put(arena, form, "birth.date",
	    cdop_arena_printf(arena, "20%02u-%02u-%02u", 8 + who % 15,
		1 + who / 15 % 12, 1 + who / 180 % 28));
	put(arena, form, "area.residence",
	    areas[who % (sizeof(areas) / sizeof(areas[0]))]);
	put(arena, form, "mother.family_name", family);
	put(arena, form, "mother.first_names", mix_child_word(arena, who, 3));
}
