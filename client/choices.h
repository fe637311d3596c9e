/* What can be chosen for a field: codes of its list, areas, agencies, words. */
#ifndef CDOP_CLIENT_CHOICES_H
#define CDOP_CLIENT_CHOICES_H

#include "cdop/fields.h"
#include "cdop/form.h"
#include "cdop/profile.h"
#include "client/prompt.h"

#define CHOICES_MAX 400

/*
 * The options of a field that hold today, in the arena; n 0: it has none and
 * is typed freely.
 */
size_t choices_of(struct cmd_ctx *ctx, const struct cdop_profile *profile,
    const struct cdop_field *field, struct prompt_option **ret_options);

/* Those that begin with what was typed, or hold it; written over option. */
size_t choices_narrow(
    struct prompt_option *option, size_t n, const char *typed);

/*
 * A field by its path, or by its label as cdop case show has it.  false: it
 * is none, or several, and what is like it was shown.
 */
bool choices_field(
    struct cmd_ctx *ctx, const char *typed, struct cdop_path *ret_path);

#endif
