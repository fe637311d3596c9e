/*
 * What becomes of text that people type or paste, before it is kept.
 *
 * The rule, once for daemon and client:
 *   - it has to be UTF-8 without control characters;
 *   - CR, CR LF, NEL, LINE and PARAGRAPH SEPARATOR are line ends;
 *   - TAB, NO-BREAK SPACE and every other kind of blank is a space;
 *   - what has no width and no meaning in a name goes: ZERO WIDTH SPACE, WORD
 *     JOINER, BYTE ORDER MARK, SOFT HYPHEN, and all marks of direction (text
 *     is shown by its own direction; a mark can only disguise it);
 *   - ZERO WIDTH JOINER and NON-JOINER stay, names and emoji need them; so do
 *     combining marks, smart quotes, dashes, upper and lower case;
 *   - blanks and line ends at both ends go.
 * Nothing is composed or decomposed: text is kept as it was given, and
 * whoever compares names folds both sides.
 */
#ifndef CDOP_TEXT_H
#define CDOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"

enum cdop_text_shape {
	CDOP_TEXT_LINE,    /* line ends become blanks, runs of them one */
	CDOP_TEXT_ADDRESS, /* line ends become ", " */
	CDOP_TEXT_LINES,   /* line ends are LF; none of its blanks is lost but
			      those at the end of a line */
};

enum cdop_text_fault {
	CDOP_TEXT_FINE = 0,
	CDOP_TEXT_NOT_UTF8,
	CDOP_TEXT_CONTROL,
};

/*
 * The text by the rule above.  CDOP_INVALID_ARGUMENT: ret_fault says why;
 * CDOP_RESOURCE_EXHAUSTED.  Cleaning twice changes nothing.
 */
CDOP_MUST enum cdop_err cdop_text_clean(const char *text,
    enum cdop_text_shape shape, struct cdop_arena *arena, const char **ret_text,
    enum cdop_text_fault *ret_fault);

/*
 * Is it plain ASCII that cleaning would leave as it is?  Most of what comes
 * is; false says nothing.
 */
bool cdop_text_is_clean(const char *text, enum cdop_text_shape shape);

/*
 * Reads one character and moves *text on.  False at the NUL or where it is
 * not UTF-8 (overlong, surrogate, above U+10FFFF): *text stays there.
 */
bool cdop_text_next(const char **text, uint32_t *ret_char);

/*
 * One line of UTF-8 with something in it, of at most max characters, without
 * control characters.  NULL is none.
 */
bool cdop_text_is_line(const char *text, size_t max);

/*
 * What was kept before it had to be UTF-8, or what anybody may have written
 * on the disk, for whoever is to read it: each byte that is not of a character
 * becomes '?', and each of one that steers a screen or is not seen.
 */
void cdop_text_mend(char *text);

/* Characters (code points) of a text that is UTF-8. */
size_t cdop_text_length(const char *text);

/*
 * What to say where a passphrase is chosen whose bytes another keyboard may
 * send otherwise, or a computer that composes accents in another way: nothing
 * mends that later.  NULL: it is ASCII.
 */
const char *cdop_text_keyboard(struct cdop_bytes passphrase);

/* Equal but for the case of ASCII letters? */
bool cdop_text_same(const char *a, const char *b);

#endif
