/* What the commands about people share: whom, why, which rights. */
#ifndef CDOP_CLIENT_PEOPLE_H
#define CDOP_CLIENT_PEOPLE_H

#include "client/cmd.h"

struct people_target {
	uint32_t person;
	uint32_t device; /* 0: all of the person */
	char *reason;
};

struct people_rights {
	char *name; /* NULL: not given */
	char *job_title;
	char *agency;
	char **area;
	size_t n_area;
	bool all_areas;
	Cdop__RoleGrant **grant;
	size_t n_grant;
	bool has_expires;
	uint64_t expires_ms;
};

extern const struct cmd_opt people_change_opts[];

/* PERSON, --device and --reason; asks for the reason. */
enum exit_code people_target(
    struct cmd_ctx *ctx, struct people_target *ret_target);

/* --reason, or asked. */
enum exit_code people_reason(struct cmd_ctx *ctx, const char **ret_reason);

/* --name, --role, --area and the like. */
enum exit_code people_rights(
    struct cmd_ctx *ctx, struct people_rights *ret_rights);

/* Is it the person, and this device or all of them, who asks? */
bool people_is_self(struct cmd_ctx *ctx, const struct people_target *target);

/*
 * Asks again where the last active administrator is about to suspend
 * themselves: nobody could lift it.  --confirm answers it.
 */
enum exit_code people_confirm_last(
    struct cmd_ctx *ctx, const struct people_target *target);

/*
 * What was filed waits for another administrator: where there is none the
 * next step is said to be the one that helps.
 */
void people_alone(struct cmd_ctx *ctx);

/* The number is typed again, or given with --confirm. */
enum exit_code people_confirm(struct cmd_ctx *ctx, uint32_t person);

/*
 * Asks the registry whether that person, or that device of theirs (0: all),
 * has an administrator's power: it takes two to end that.
 */
enum exit_code people_is_administrator(
    struct cmd_ctx *ctx, uint32_t person, uint32_t device, bool *ret_is);

#endif
