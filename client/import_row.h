/* One row of a file as a notification. */
#ifndef CDOP_CLIENT_IMPORT_ROW_H
#define CDOP_CLIENT_IMPORT_ROW_H

#include "client/import.h"

/* Reads the values into row->n.form; what is no value rejects the row. */
enum exit_code import_row_read(struct cmd_ctx *ctx,
    const struct cdop_profile *profile, const struct import_file *f,
    struct import_row *row);

/*
 * After "possible duplicate": what the row's decision says about these
 * candidates.  False: it says nothing, or not enough.
 */
bool import_row_decide(struct cmd_ctx *ctx, struct import_row *row,
    Cdop__Candidate *const *candidate, size_t n);

/* Answers warnings from warnings_accepted.  False: one stays open. */
bool import_row_accept(struct cmd_ctx *ctx, struct import_row *row,
    const struct cmd_finding *finding, size_t n);

/* Marks it as not accepted, for these reasons. */
void import_row_reject(
    struct import_row *row, const struct cmd_finding *finding, size_t n);

/* The same for one reason that is about no field. */
void import_row_reject_word(struct cmd_ctx *ctx, struct import_row *row,
    const char *rule, const char *message);

#endif
