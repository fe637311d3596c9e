/* Whether bytes are text. */
#ifndef CDOP_UTF8_H
#define CDOP_UTF8_H

#include <stdbool.h>

#include "cdop/bytes.h"

/*
 * UTF-8 as in RFC 3629: no overlong form, no surrogate, nothing over
 * U+10FFFF.  NUL is a character here; look for it with memchr.
 */
bool cdop_utf8_is_valid(struct cdop_bytes in);

#endif
