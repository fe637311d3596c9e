/*
 * What a person types or pastes: references, dates, times, NHS numbers,
 * postcodes, comparison strings, addresses, decisions.  Refused, or its
 * canonical text is read as the same again.
 */
#include <string.h>

#include "cdop/compare.h"
#include "cdop/date.h"
#include "cdop/nhs.h"
#include "cdop/postcode.h"
#include "cdop/reference.h"
#include "client/decide.h"
#include "client/reference.h"
#include "server/base/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
try_reference(const char *text, bool training)
{
	char once[CDOP_REFERENCE_TEXT], twice[CDOP_REFERENCE_TEXT];
	uint64_t number, again;

	if (cdop_reference_parse(text, training, once, &number) != CDOP_OK)
		return;
	CDOP_ASSERT(
	    cdop_reference_parse(once, training, twice, &again) == CDOP_OK);
	CDOP_ASSERT(strcmp(once, twice) == 0 && number == again);
	CDOP_ASSERT(cdop_reference_make(number, training, twice));
	CDOP_ASSERT(strcmp(once, twice) == 0);
}

static void
try_date(const char *text)
{
	char once[CDOP_DATE_TEXT_MAX], words[CDOP_DATE_WORDS_MAX];
	struct cdop_date date, again;
	struct cdop_span span;
	int32_t days;

	if (cdop_date_parse_day(text, &days) == CDOP_OK) {
		date = cdop_date_from_days(days);
		CDOP_ASSERT(
		    cdop_date_is_valid(&date) && cdop_date_days(&date) == days);
	}
	if (cdop_date_parse(text, &date) != CDOP_OK)
		return;
	CDOP_ASSERT(cdop_date_is_valid(&date));
	cdop_date_write(&date, once);
	cdop_date_words(&date, words);
	CDOP_ASSERT(cdop_date_parse(once, &again) == CDOP_OK);
	CDOP_ASSERT(date.year == again.year && date.month == again.month);
	CDOP_ASSERT(date.day == again.day && date.estimated == again.estimated);
	CDOP_ASSERT(cdop_date_parse(words, &again) == CDOP_OK);
	CDOP_ASSERT(date.year == again.year && date.month == again.month);
	CDOP_ASSERT(date.day == again.day && date.estimated == again.estimated);
	span = cdop_date_span(&date);
	CDOP_ASSERT(span.first <= span.last);
}

static void
try_numbers(const char *text)
{
	char nhs[CDOP_NHS_TEXT_MAX], twice[CDOP_NHS_TEXT_MAX];
	char code[CDOP_POSTCODE_TEXT_MAX], again[CDOP_POSTCODE_TEXT_MAX];
	unsigned minutes;

	if (cdop_nhs_parse(text, nhs) == CDOP_NHS_OK) {
		CDOP_ASSERT(cdop_nhs_parse(nhs, twice) == CDOP_NHS_OK);
		CDOP_ASSERT(strcmp(nhs, twice) == 0);
	}
	if (cdop_postcode_parse(text, code) == CDOP_OK) {
		CDOP_ASSERT(cdop_postcode_parse(code, again) == CDOP_OK);
		CDOP_ASSERT(strcmp(code, again) == 0);
		(void)cdop_postcode_kind(code);
	}
	if (cdop_date_time_parse(text, &minutes) == CDOP_OK)
		CDOP_ASSERT(minutes < 24 * 60);
}

static void
try_compare(const char *text)
{
	uint8_t once[CDOP_COMPARE_LEN], twice[CDOP_COMPARE_LEN];
	char words[CDOP_COMPARE_TEXT];

	if (cdop_compare_parse(text, once) != CDOP_OK)
		return;
	cdop_compare_text(words, once);
	CDOP_ASSERT(cdop_compare_parse(words, twice) == CDOP_OK);
	CDOP_ASSERT(memcmp(once, twice, sizeof(once)) == 0);
}

static void
try_command_line(const char *text, struct cdop_arena *arena)
{
	static struct cmd_ctx ctx;
	struct address address;
	struct decide_word word;
	char *reference;

	memset(&ctx, 0, sizeof(ctx));
	ctx.arena = arena;
	ctx.mode = "training";
	if (decide_parse(&ctx, text, &word) != EXIT_OK)
		CDOP_ASSERT(ctx.error.message != NULL);
	ctx.error.message = NULL;
	if (reference_read(&ctx, text, &reference) == EXIT_OK)
		CDOP_ASSERT(reference != NULL);
	else
		CDOP_ASSERT(ctx.error.message != NULL);
	if (address_parse(text, "/run/cdopd", &address) == CDOP_OK)
		CDOP_ASSERT(address.len > 0 &&
		    address.len <= (socklen_t)sizeof(address.sa));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct cdop_arena *arena;
	const char *text;

	if (arena == NULL)
		CDOP_ASSERT(cdop_arena_new(1u << 20, &arena) == CDOP_OK);
	if (len > 4096)
		return 0;
	text = cdop_arena_strndup(arena, (const char *)data, len);
	CDOP_ASSERT(text != NULL);
	try_reference(text, true);
	try_reference(text, false);
	try_date(text);
	try_numbers(text);
	try_compare(text);
	try_command_line(text, arena);
	cdop_arena_reset(arena);
	return 0;
}
