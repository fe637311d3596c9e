/*
 * One table of rows for each family of commands; a row with words NULL ends
 * it.  The file of the same name as the table holds it.
 */
#ifndef CDOP_CLIENT_FAMILIES_H
#define CDOP_CLIENT_FAMILIES_H

#include "client/cmd.h"

extern const struct cmd cmd_notify_rows[];
extern const struct cmd cmd_ask_rows[];
extern const struct cmd cmd_retry_rows[];
extern const struct cmd cmd_approve_rows[];
extern const struct cmd cmd_server_rows[];
extern const struct cmd cmd_context_rows[];
extern const struct cmd cmd_case_rows[];
extern const struct cmd cmd_change_rows[];
extern const struct cmd cmd_hold_rows[];
extern const struct cmd cmd_certificate_rows[];
extern const struct cmd cmd_people_rows[];
extern const struct cmd cmd_profile_rows[];
extern const struct cmd cmd_audit_rows[];
extern const struct cmd cmd_exposure_rows[];
extern const struct cmd cmd_searched_rows[];
extern const struct cmd cmd_backup_rows[];
extern const struct cmd cmd_key_rows[];
extern const struct cmd cmd_slot_rows[];
extern const struct cmd cmd_custodian_rows[];
extern const struct cmd cmd_restore_rows[];
extern const struct cmd cmd_log_rows[];
extern const struct cmd cmd_witness_rows[];
extern const struct cmd cmd_trust_rows[];
extern const struct cmd cmd_enrol_rows[];
extern const struct cmd cmd_agent_rows[];
extern const struct cmd cmd_help_rows[];

#endif
