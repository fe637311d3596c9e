/*
 * Messages of the registry as JSON: field names of the .proto files; instants
 * as ISO 8601 in UTC under the name without "_ms"; bytes as hex; enums,
 * areas, agencies, codes of the profile and statuses as {code, label}; a
 * Form as its groups.
 */
#ifndef CDOP_CLIENT_JSON_H
#define CDOP_CLIENT_JSON_H

#include <jansson.h>

#include "cdop/form.h"
#include "client/cmd.h"

/* The word of a state of a value (enum cdop_value_state), where it has one. */
#define JSON_ABSENCES 4
extern const char *const json_absences[JSON_ABSENCES];

/* From here on JSON takes its memory from the arena, which wipes it. */
void json_start(struct cdop_arena *arena);

/* Any message; fields that are not set are left out, lists never are. */
json_t *json_message(struct cmd_ctx *ctx, const ProtobufCMessage *message);

/* Adds the fields of message to an envelope. */
void json_merge(
    struct cmd_ctx *ctx, json_t *into, const ProtobufCMessage *message);

/* A status of the registry (include/cdop/err.h). */
json_t *json_status(uint32_t status);

/* An answer, or one line of a list: the envelope and the fields of message. */
void json_line(
    struct cmd_ctx *ctx, const char *schema, const ProtobufCMessage *message);

/*
 * A form: {"child": {"sex": {"code": "1", "label": "male"}, "nhs_number":
 * {"absent": "NOT_KNOWN"}}, "parent": [{"number": 1, ...}], "raised":
 * [{"path": "child.address", "class": {"code": "SAFEGUARDING", ...}}]}.
 */
json_t *json_form(struct cmd_ctx *ctx, const Cdop__Form *form);

/* One value of it; NULL: not asked. */
json_t *json_value(
    struct cmd_ctx *ctx, const Cdop__Form *form, const struct cdop_path *path);

/*
 * The opposite: values go in as typed at a prompt.  Findings name the path;
 * an unknown name is a finding.  EXIT_INVALID: it is no object.
 */
enum exit_code json_read_form(struct cmd_ctx *ctx, const json_t *object,
    const struct cdop_profile *profile, Cdop__Form *form,
    struct cdop_violations *findings);

#endif
