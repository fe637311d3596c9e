/*
 * What was counted, written down: for people, as a table for a spreadsheet
 * with a line for each record, and as JSON.
 */
#ifndef CDOP_CLIENT_EXPOSURE_SHOW_H
#define CDOP_CLIENT_EXPOSURE_SHOW_H

#include "client/cmd.h"
#include "client/exposure.h"

struct exposure_report {
	struct cmd_ctx *ctx;
	const struct exposure *x;
	uint32_t device; /* 0: all of the person */
};

void exposure_show_text(const struct exposure_report *report);
void exposure_show_csv(const struct exposure_report *report);
void exposure_show_json(const struct exposure_report *report);

#endif
