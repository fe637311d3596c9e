/* Names as they are compared: what people type differently folds alike. */
#include "cdop/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static void
folds_to(const char *name, const char *folded)
{
	char out[CDOP_FOLD_MAX], again[CDOP_FOLD_MAX];

	assert_int_equal(cdop_fold_name(name, out), strlen(folded));
	assert_string_equal(out, folded);
	(void)cdop_fold_name(out, again);
	assert_string_equal(again, folded);
}

static void
sounds(const char *name, const char *key)
{
	char folded[CDOP_FOLD_MAX], out[CDOP_SOUND_MAX];

	(void)cdop_fold_name(name, folded);
	assert_int_equal(cdop_fold_sound(folded, out), strlen(key));
	assert_string_equal(out, key);
}

static void
alike(const char *a, const char *b)
{
	char folded[CDOP_FOLD_MAX], key[CDOP_SOUND_MAX];

	(void)cdop_fold_name(a, folded);
	assert_true(cdop_fold_sound(folded, key) > 0);
	sounds(b, key);
}

static void
latin_loses_case_accents_and_signs(void **state)
{
	(void)state;
	folds_to("O'Shea", "oshea");
	folds_to("O\xe2\x80\x99SHEA", "oshea"); /* smart quote */
	folds_to("O\xca\xbbShea", "oshea");     /* okina */
	folds_to("Smith-Jones", "smithjones");
	folds_to("smith \xe2\x80\x93 jones", "smithjones");
	folds_to("  de  la Cruz ", "delacruz");
	folds_to("M\xc3\xbcller", "muller");
	folds_to("Mu\xcc\x88ller", "muller"); /* decomposed */
	folds_to("\xc3\x98stergaard", "ostergaard");
	folds_to("Stra\xc3\x9f"
		 "e",
	    "strasse");
	folds_to("\xc3\x86sir", "aesir");
	folds_to(
	    "\xc5\x81ukasz \xc5\xbb\xc3\xb3\xc5\x82\xc4\x87", "lukaszzolc");
	folds_to("Nguy\xe1\xbb\x85n", "nguyen");
	folds_to("\xc4\xb0stanbul", "istanbul"); /* dotted capital I */
	folds_to("Si\xc3\xb4n", "sion");
	folds_to("Mc Donald\xe2\x80\x8b", "mcdonald"); /* zero width */
	folds_to("\xef\xbc\xb3mith", "smith");         /* full width S */
}

static void
there_are_children_called_null(void **state)
{
	(void)state;
	folds_to("Null", "null");
	folds_to("Na", "na");
	folds_to("None", "none");
	folds_to("Unknown", "unknown");
	folds_to("", "");
	folds_to("---", "");
	folds_to("'", "");
	folds_to("\xf0\x9f\x91\xb6", ""); /* an emoji is no name */
}

static void
other_scripts_stay_and_lose_their_points(void **state)
{
	(void)state;
	/* Muhammad with and without points, and with stretches. */
	folds_to("\xd9\x85\xd9\x8f\xd8\xad\xd9\x8e\xd9\x85\xd9\x91\xd8\xaf",
	    "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf");
	folds_to("\xe2\x80\x8f\xd9\x85\xd9\x80\xd8\xad\xd9\x85\xd8\xaf",
	    "\xd9\x85\xd8\xad\xd9\x85\xd8\xaf");
	/* Alef with hamza and bare alef. */
	folds_to("\xd8\xa3\xd8\xad\xd9\x85\xd8\xaf",
	    "\xd8\xa7\xd8\xad\xd9\x85\xd8\xaf");
	/* Hebrew with points. */
	folds_to("\xd7\xa9\xd6\xb8\xd7\x81\xd7\x9c\xd7\x95\xd6\xb9\xd7\x9d",
	    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
	/* Greek accents and final sigma; Cyrillic yo. */
	folds_to("\xce\x9d\xce\xaf\xce\xba\xce\xbf\xcf\x82",
	    "\xce\xbd\xce\xb9\xce\xba\xce\xbf\xcf\x83");
	folds_to("\xd0\xa4\xd1\x91\xd0\xb4\xd0\xbe\xd1\x80",
	    "\xd1\x84\xd0\xb5\xd0\xb4\xd0\xbe\xd1\x80");
	/* Devanagari vowels are no accents. */
	folds_to("\xe0\xa4\x9c\xe0\xa5\x80", "\xe0\xa4\x9c\xe0\xa5\x80");
	/* Hangul composed and decomposed. */
	folds_to("\xea\xb9\x80", "\xe1\x84\x80\xe1\x85\xb5\xe1\x86\xb7");
}

static void
long_and_broken_text_stays_within_bounds(void **state)
{
	char *exact, out[CDOP_FOLD_MAX];
	char name[1201], *p;
	size_t i;

	(void)state;
	for (i = 0, p = name; i < 400; i++, p += 3)
		memcpy(p, "\xef\xac\x83", 3); /* ffi, one character */
	*p = '\0';
	assert_int_equal(cdop_fold_name(name, out), CDOP_FOLD_MAX - 1);
	for (i = 0, p = name; i < 200; i++, p += 2)
		memcpy(p, "\xd9\x85", 2);
	*p = '\0';
	assert_int_equal(cdop_fold_name(name, out), CDOP_FOLD_MAX - 2);

	/* Cut at every byte, in memory that ends there. */
	memcpy(name, "a\xc3\xa9\xe2\x80\x99\xf0\x9f\x91\xb6z", 12);
	for (i = 0; i < 12; i++) {
		exact = malloc(i + 1);
		assert_non_null(exact);
		memcpy(exact, name, i);
		exact[i] = '\0';
		assert_in_range(cdop_fold_name(exact, out), 0, 3);
		free(exact);
	}
	folds_to("\xff\xfe\xc0\x80"
		 "a\xed",
	    "a");
}

static void
letters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(cdop_fold_letters(""), 0);
	assert_int_equal(cdop_fold_letters("abc"), 3);
	assert_int_equal(cdop_fold_letters("\xd9\x85\xd8\xad"), 2);
}

/* Published keys of NYSIIS that the two changes do not touch. */
static void
sound_keys_are_those_of_nysiis(void **state)
{
	(void)state;
	sounds("Bishop", "basap");
	sounds("Carlson", "carlsan");
	sounds("Carr", "car");
	sounds("Chapman", "capnan");
	sounds("Franklin", "franclan");
	sounds("Greene", "gran");
	sounds("Harper", "harpar");
	sounds("Jacobs", "jacab");
	sounds("Larson", "larsan");
	sounds("McCormack", "mcarnac");
	sounds("McDaniel", "mcdanal");
	sounds("McDonald", "mcdanald");
	sounds("Morrison", "marasan");
	sounds("O'Banion", "obanan");
	sounds("O'Brien", "obran");
	sounds("Richards", "racard");
	sounds("Silva", "salv");
	sounds("Watkins", "watcan");
	sounds("Knight", "nagt");
}

static void
british_spellings_sound_alike(void **state)
{
	(void)state;
	alike("Smith", "Smyth");
	alike("Smith", "Smythe");
	alike("MacDonald", "McDonald");
	alike("Stephens", "Stevens");
	alike("Phillips", "Philips");
	alike("Clark", "Clarke");
	alike("Johnson", "Jonson");
	alike("Wright", "Right");
	alike("Kelly", "Kelley");
	alike("Catherall", "Katherall");
	alike("M\xc3\xbcller", "Mueller");
	alike("Lee", "Lea");
}

static void
what_is_not_latin_has_no_sound(void **state)
{
	(void)state;
	sounds("\xd9\x85\xd8\xad\xd9\x85\xd8\xaf", "");
	sounds("", "");
	sounds("2", "");
	sounds("A", "a");
	sounds("Aa", "a");
	sounds("S", "s");
	sounds("H", "h");
	sounds("Baby 2", "bab");
}

static void
a_sound_key_is_bounded(void **state)
{
	char name[CDOP_FOLD_MAX], out[CDOP_SOUND_MAX];
	size_t i;

	(void)state;
	for (i = 0; i + 1 < sizeof(name); i++)
		name[i] = i % 2 != 0 ? 'b' : 'd';
	name[i] = '\0';
	assert_int_equal(cdop_fold_sound(name, out), CDOP_SOUND_MAX - 1);
}

static void
parts(const char *name, const char *wanted)
{
	char part[CDOP_FOLD_MAX], all[4 * CDOP_FOLD_MAX] = "";
	const char *rest = name;
	size_t n = 0;

	while ((rest = cdop_fold_part(rest, part)) != NULL)
		n += (size_t)snprintf(
		    all + n, sizeof(all) - n, "%s%s", n > 0 ? "|" : "", part);
	assert_string_equal(all, wanted);
	assert_string_equal(part, "");
}

static void
a_name_falls_into_its_parts(void **state)
{
	char long_name[1000];

	(void)state;
	parts("Smith-Jones", "smith|jones");
	parts("de la Cruz", "de|la|cruz");
	parts("O'Shea-M\xc3\xbcller", "oshea|muller");
	parts("Smith \xe2\x80\x93 Jones", "smith|jones"); /* en dash */
	parts("Garc\xc3\xad"
	      "a\xc2\xa0y/L\xc3\xb3pez",
	    "garcia|y|lopez");
	parts("\xd7\x91\xd7\xa8\xd6\xbe\xd7\x9b\xd7\x94\xd7\x9f", /* maqaf */
	    "\xd7\x91\xd7\xa8|\xd7\x9b\xd7\x94\xd7\x9f");
	parts("Tarrant", "tarrant");
	parts("", "");
	parts(" - -- ", "");
	parts("- ' -x", "x");
	/* Broken text ends where it ends. */
	parts("a\xe2\x80", "a");
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[999] = '\0';
	long_name[600] = '-';
	assert_non_null(cdop_fold_part(long_name, (char[CDOP_FOLD_MAX]){0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(latin_loses_case_accents_and_signs),
	    cmocka_unit_test(there_are_children_called_null),
	    cmocka_unit_test(other_scripts_stay_and_lose_their_points),
	    cmocka_unit_test(long_and_broken_text_stays_within_bounds),
	    cmocka_unit_test(letters_are_counted_not_bytes),
	    cmocka_unit_test(sound_keys_are_those_of_nysiis),
	    cmocka_unit_test(british_spellings_sound_alike),
	    cmocka_unit_test(what_is_not_latin_has_no_sound),
	    cmocka_unit_test(a_sound_key_is_bounded),
	    cmocka_unit_test(a_name_falls_into_its_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
