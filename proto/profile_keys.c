/* What may stand where in a profile: sections, and keys of each. */
#include <stddef.h>

#include "proto/profile_inner.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define KIND(kind_)      .kind = PROFILE_KEY_##kind_
#define REQUIRED         .required = true
#define RANGE(low, high) .min = low, .max = high

static const struct profile_key panel_keys[] = {
    {"name", AT(cdop_profile, panel_name), KIND(TEXT), REQUIRED},
    {"office_phone", AT(cdop_profile, office_phone), KIND(TEXT), REQUIRED},
    {"office_email", AT(cdop_profile, office_email), KIND(TEXT)},
    {"technical_contact", AT(cdop_profile, technical_contact), KIND(TEXT),
	REQUIRED},
    {"form_set", AT(cdop_profile, form_set), KIND(TEXT), REQUIRED},
};

static const struct profile_key limits_keys[] = {
    {"notify_asked_hours", AT(cdop_profile, notify_asked_hours), RANGE(1, 8760),
	KIND(NUMBER), REQUIRED},
    {"notify_limit_hours", AT(cdop_profile, notify_limit_hours), RANGE(1, 8760),
	KIND(NUMBER), REQUIRED},
    {"asks_per_day", AT(cdop_profile, asks_per_day), RANGE(1, 10000),
	KIND(NUMBER), REQUIRED},
    {"find_minimum", AT(cdop_profile, find_minimum), RANGE(2, 10), KIND(NUMBER),
	REQUIRED},
    {"find_results_max", AT(cdop_profile, find_results_max), RANGE(1, 100),
	KIND(NUMBER), REQUIRED},
    {"search_retention_days", AT(cdop_profile, search_retention_days),
	RANGE(1, 36500), KIND(NUMBER), REQUIRED},
    {"spool_days", AT(cdop_profile, spool_days), RANGE(0, 7), KIND(NUMBER),
	REQUIRED},
    {"reference_misses_per_hour", AT(cdop_profile, reference_misses_per_hour),
	RANGE(1, 1000), KIND(NUMBER), REQUIRED},
    {"feb29", AT(cdop_profile, feb29_early), KIND(FEB29), REQUIRED},
};

static const struct profile_key area_keys[] = {
    {"code", AT(cdop_area, code), KIND(TEXT)},
    {"name", AT(cdop_area, name), KIND(TEXT), REQUIRED},
    {"jurisdiction", AT(cdop_area, jurisdiction), KIND(TEXT), REQUIRED},
    {"calendar", AT(cdop_area, calendar), KIND(TEXT), REQUIRED},
    {"time_zone", AT(cdop_area, time_zone), KIND(TEXT), REQUIRED},
    {"legal_basis", AT(cdop_area, legal_basis), KIND(TEXT), REQUIRED},
    {"review_basis", AT(cdop_area, review_basis), KIND(TEXT)},
    {"commissioner", AT(cdop_area, commissioner), KIND(TEXT)},
    {"contact", AT(cdop_area, contact), KIND(LINES)},
    {"phone", AT(cdop_area, phone), KIND(TEXT)},
    {"email", AT(cdop_area, email), KIND(TEXT)},
    {"national_return", AT(cdop_area, national_return), KIND(YES_NO)},
    {"holding", AT(cdop_area, holding), KIND(YES_NO)},
    {"from", AT(cdop_area, when), KIND(FROM)},
    {"until", AT(cdop_area, when), KIND(UNTIL)},
};

static const struct profile_key neighbour_keys[] = {
    {"code", AT(cdop_neighbour, code), KIND(TEXT)},
    {"name", AT(cdop_neighbour, name), KIND(TEXT), REQUIRED},
    {"panel", AT(cdop_neighbour, panel), KIND(TEXT), REQUIRED},
    {"phone", AT(cdop_neighbour, phone), KIND(TEXT)},
    {"email", AT(cdop_neighbour, email), KIND(TEXT)},
    {"from", AT(cdop_neighbour, when), KIND(FROM)},
    {"until", AT(cdop_neighbour, when), KIND(UNTIL)},
};

static const struct profile_key agency_keys[] = {
    {"code", AT(cdop_agency, code), KIND(TEXT), REQUIRED},
    {"name", AT(cdop_agency, name), KIND(TEXT), REQUIRED},
    {"kind", AT(cdop_agency, kind), KIND(TEXT), REQUIRED},
    {"phone", AT(cdop_agency, phone), KIND(TEXT)},
    {"email", AT(cdop_agency, email), KIND(TEXT)},
    {"from", AT(cdop_agency, when), KIND(FROM)},
    {"until", AT(cdop_agency, when), KIND(UNTIL)},
};

static const struct profile_key list_keys[] = {
    {"code", KIND(CODE), REQUIRED},
};

static const struct profile_key postcodes_keys[] = {
    {"hint", KIND(HINT), REQUIRED},
};

#define KEYS(name) name##_keys, sizeof(name##_keys) / sizeof(*name##_keys)

const struct profile_section cdop_profile_sections[PROFILE_SECTION_COUNT] = {
    [PROFILE_SECTION_PANEL] = {"panel", KEYS(panel), 0},
    [PROFILE_SECTION_LIMITS] = {"limits", KEYS(limits), 0},
    [PROFILE_SECTION_AREA] = {"area", KEYS(area), sizeof(struct cdop_area)},
    [PROFILE_SECTION_NEIGHBOUR] = {"neighbour", KEYS(neighbour),
	sizeof(struct cdop_neighbour)},
    [PROFILE_SECTION_AGENCY] = {"agency", KEYS(agency),
	sizeof(struct cdop_agency)},
    [PROFILE_SECTION_LIST] = {"list", KEYS(list),
	sizeof(struct cdop_code_list)},
    [PROFILE_SECTION_POSTCODES] = {"postcodes", KEYS(postcodes), 0},
};
