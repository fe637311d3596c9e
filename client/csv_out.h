/*
 * Cells of a CSV file that somebody opens in a spreadsheet: quoted as RFC
 * 4180 says, and without a formula in any of them.
 */
#ifndef CDOP_CLIENT_CSV_OUT_H
#define CDOP_CLIENT_CSV_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A spreadsheet could take it for a formula: = + - @, also the wide ones,
 * first or behind blanks and what is not seen, or a tab or line end.  What
 * has ' of its own before such a thing is meant, too, so that taking one '
 * off gives back what it was.
 */
bool csv_out_is_guarded(const char *cell);

/*
 * One cell; one that a spreadsheet would calculate gets ' before it.  For
 * whatever came from a person.
 */
void csv_out_safe(FILE *to, const char *text);

/* A whole line of safe cells. */
void csv_out_line(FILE *to, const char *const *cell, size_t n);

#endif
