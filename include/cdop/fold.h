/*
 * Names as they are compared: folded, and by sound.
 *
 * Folding takes away what people type differently: case, accents, blanks,
 * hyphens, apostrophes, invisible characters, composed or decomposed
 * spelling.  "O'Shea-Muller", with or without its dots and dashes, is
 * "osheamuller".  Other scripts lose their points and stretches and
 * otherwise stay as they are; nothing is transliterated.
 *
 * Folded text serves comparison only: it is never shown as the name.
 */
#ifndef CDOP_FOLD_H
#define CDOP_FOLD_H

#include <stddef.h>

#define CDOP_FOLD_MAX  256 /* bytes of folded text and NUL */
#define CDOP_SOUND_MAX 32  /* letters of a sound key and NUL */

/*
 * Folds s, UTF-8, into out; bytes that are no UTF-8 are passed over.  What
 * does not fit is left out at a whole character.  Returns the length: 0
 * where nothing of s counts as a name.
 */
size_t cdop_fold_name(const char *s, char out[static CDOP_FOLD_MAX]);

/*
 * The parts of a name of several: "Smith-Jones" has "smith" and "jones", "de
 * la Cruz" has "de", "la" and "cruz".  Blanks, dashes and slashes of any
 * script divide; apostrophes do not.  Folds the next part of s and returns
 * what comes behind it; NULL with "" where there is no other.
 */
const char *cdop_fold_part(const char *s, char out[static CDOP_FOLD_MAX]);

/* Characters (not bytes) of folded text. */
size_t cdop_fold_letters(const char *folded);

/*
 * The sound key of folded text: NYSIIS (Taft, Name Search Techniques, New
 * York State 1970) in full length, with two changes for British names: Y
 * that is not the first letter is a vowel (Smyth, Smith), and WR begins as R.
 *
 *  1 first letters: mac -> mcc, kn -> nn, k -> c, ph pf -> ff, sch -> sss,
 *    wr -> rr
 *  2 last letters: dt rt rd nt nd -> d
 *  3 the first letter stays; then each letter:
 *      ev -> af; a e i o u y -> a; q -> g; z -> s; m -> n; kn -> n; k -> c;
 *      sch -> sss; ph -> ff; h -> the letter before it, unless both
 *      neighbours are vowels; w after a vowel -> a
 *    equal neighbours count once
 *  4 an s at the end goes, then an a, as long as two letters stay
 *
 * Returns its length: 0 where the text is not all Latin letters and digits,
 * or has no letter.  Digits are passed over.
 */
size_t cdop_fold_sound(const char *folded, char out[static CDOP_SOUND_MAX]);

#endif
