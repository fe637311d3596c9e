/*
 * Records of the registry as text for people: a form, a person, a list of
 * findings.  One place, so that every command words them alike.
 */
#ifndef CDOP_CLIENT_SHOW_H
#define CDOP_CLIENT_SHOW_H

#include "cdop/form.h"
#include "client/cmd.h"

/*
 * Every value and absence of a form, by group, in the dictionary's order;
 * with sources, under each value who gave it, when and why.
 */
void show_form(struct cmd_ctx *ctx, const Cdop__Form *form,
    const Cdop__FormInstance *sources);

/* "Cora (person 3), 26 Nov 2026 09:05 GMT, from telephone: the GP rang", or
 * NULL. */
const char *show_by_whom(
    struct cmd_ctx *ctx, const Cdop__FormInstance *f, const char *path);

/* "Cora Coordinator (person 3)", or "person 3" where no name came. */
const char *show_person(struct cmd_ctx *ctx, const char *name, uint32_t number);

/* Canonical text of a value as a form shows it. */
const char *show_text(
    struct cmd_ctx *ctx, const struct cdop_path *path, const char *text);

/* A value behind its label; later lines of it stand under the first. */
void show_value(struct cmd_ctx *ctx, const char *label, const char *words);

/* A whole case, as far as the registry gave it. */
void show_case(struct cmd_ctx *ctx, const Cdop__Case *c);

/* Owner, status, interest, links: what is not in a form. */
void show_case_head(struct cmd_ctx *ctx, const Cdop__Case *c);

/* One line of its history. */
void show_case_event(struct cmd_ctx *ctx, const Cdop__HistoryEntry *e);

/* "today: expected, coroner", grouped as the reply of a registration is. */
void show_missing(struct cmd_ctx *ctx, Cdop__Missing *const *missing, size_t n);

void show_candidates(
    struct cmd_ctx *ctx, Cdop__Candidate *const *candidate, size_t n);

/* Label of an area, or its id where the profile is not here. */
const char *show_area(struct cmd_ctx *ctx, const char *id);

/* Label of a code of a list, or the code where the profile is not here. */
const char *show_code(struct cmd_ctx *ctx, const char *list, const char *code);

/* Names joined by ", "; "" for none. */
const char *show_joined(
    struct cmd_ctx *ctx, char *const *word, size_t n, const char *between);

/* Labels of areas, likewise. */
const char *show_areas(struct cmd_ctx *ctx, char *const *area, size_t n);

/* "coordinator from 1 Dec 2026, auditor until 31 Jan 2027": whole days. */
const char *show_roles(
    struct cmd_ctx *ctx, Cdop__RoleGrant *const *grant, size_t n);

/* The word of an enum value, lower case: "active" of CREDENTIAL_ACTIVE. */
const char *show_state(
    struct cmd_ctx *ctx, const ProtobufCEnumDescriptor *desc, unsigned value);

/* "31 Jan 2027": the last day of what ends at the instant behind it. */
const char *show_last_day(struct cmd_ctx *ctx, uint64_t until_ms);

#endif
