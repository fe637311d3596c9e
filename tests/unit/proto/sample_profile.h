/* The profile that the tests of forms use: the one that is packaged. */
#ifndef CDOP_TESTS_SAMPLE_PROFILE_H
#define CDOP_TESTS_SAMPLE_PROFILE_H

#include "cdop/profile.h"

#define SAMPLE_PROFILE "packaging/profiles/merseyside.conf"

/* The whole text, with a NUL; fails the test where it cannot be read. */
char *sample_profile_text(struct cdop_arena *arena);

/* The same with the first old replaced by new; fails where there is none. */
char *sample_profile_with(
    struct cdop_arena *arena, const char *old, const char *new);

/* The packaged one, parsed. */
const struct cdop_profile *sample_profile(struct cdop_arena *arena);

/* 2026-11-20 to days; fails the test. */
int32_t sample_day(const char *text);

#endif
