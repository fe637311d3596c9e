/* The field table, and finding rows in it. */
#include "cdop/fields.h"

#include <string.h>

#include "cdop/bytes.h"

#define CDOP_FIELD(path_, group_, name_, group_label_, label_, kind_, need_,   \
    stage_, class_, list_, min_, max_, unknown_, group_tag_, tag_, group_max_, \
    group_at_, at_, first_, rows_, help_)                                      \
	{                                                                      \
	    .path = path_,                                                     \
	    .group = group_,                                                   \
	    .name = name_,                                                     \
	    .group_label = group_label_,                                       \
	    .label = label_,                                                   \
	    .list = list_,                                                     \
	    .help = help_,                                                     \
	    .kind = CDOP_KIND_##kind_,                                         \
	    .need = CDOP_NEED_##need_,                                         \
	    .stage = CDOP_STAGE_##stage_,                                      \
	    .class = CDOP_CLASS_##class_,                                      \
	    .min = min_,                                                       \
	    .max = max_,                                                       \
	    .unknown = unknown_,                                               \
	    .group_tag = group_tag_,                                           \
	    .tag = tag_,                                                       \
	    .group_max = group_max_,                                           \
	    .group_at = group_at_,                                             \
	    .at = at_,                                                         \
	    .first = first_,                                                   \
	    .rows = rows_,                                                     \
	},

#define CDOP_FIELD_BY_PATH(row_)
#define CDOP_FIELD_BY_HASH(bucket_, row_)

const struct cdop_field cdop_fields[] = {
#include "fields_table.inc"
};

#undef CDOP_FIELD
#undef CDOP_FIELD_BY_PATH
#undef CDOP_FIELD_BY_HASH

const size_t cdop_fields_count = sizeof(cdop_fields) / sizeof(*cdop_fields);

/* Rows in the order of their paths. */
#define CDOP_FIELD(...)
#define CDOP_FIELD_BY_HASH(bucket_, row_)
#define CDOP_FIELD_BY_PATH(row_) row_,

static const uint16_t by_path[] = {
#include "fields_table.inc"
};

#undef CDOP_FIELD_BY_PATH
#undef CDOP_FIELD_BY_HASH

/* One more than the row; 0: there is none. */
#define BUCKETS 1024u
#define CDOP_FIELD_BY_PATH(row_)
#define CDOP_FIELD_BY_HASH(bucket_, row_) [bucket_] = row_ + 1,

static const uint16_t by_hash[BUCKETS] = {
#include "fields_table.inc"
};

static uint64_t
mix(uint64_t value, const char *at)
{
	uint8_t word[8];

	memcpy(word, at, sizeof(word));
	value = (value ^ cdop_get64(word)) * 0x9e3779b97f4a7c15u;
	return value ^ value >> 32;
}

/* Words of eight, the last one over what is left.  As in the generator. */
static size_t
hash_of(const char *path, size_t len)
{
	uint64_t value = len;
	char word[8] = {0};
	size_t i;

	if (len < sizeof(word)) {
		memcpy(word, path, len);
		return mix(value, word) % BUCKETS;
	}
	for (i = 0; i + 8 < len; i += 8)
		value = mix(value, path + i);
	return mix(value, path + len - 8) % BUCKETS;
}

const struct cdop_field *
cdop_fields_find(const char *path)
{
	size_t at = hash_of(path, strlen(path));
	const struct cdop_field *field;

	/* More than half of the buckets are empty: it ends. */
	for (; by_hash[at] != 0; at = (at + 1) % BUCKETS) {
		field = &cdop_fields[by_hash[at] - 1];
		if (strcmp(field->path, path) == 0)
			return field;
	}
	return NULL;
}

const struct cdop_field *
cdop_fields_group(const char *group)
{
	const struct cdop_field *field;
	size_t low = 0;
	size_t high = cdop_fields_count;
	size_t middle;
	int order;

	/* Rows of a group stand together in both orders. */
	while (low < high) {
		middle = low + (high - low) / 2;
		field = &cdop_fields[by_path[middle]];
		order = strcmp(group, field->group);
		if (order < 0) {
			high = middle;
		} else if (order > 0) {
			low = middle + 1;
		} else {
			return &cdop_fields[field->first];
		}
	}
	return NULL;
}

static const char *
name_at(const char *const *names, size_t n, size_t i)
{
	return i < n && names[i] != NULL ? names[i] : "?";
}

const char *
cdop_fields_kind_name(enum cdop_kind kind)
{
	static const char *const names[] = {
	    [CDOP_KIND_NAME] = "name",
	    [CDOP_KIND_TEXT] = "text",
	    [CDOP_KIND_ADDRESS] = "address",
	    [CDOP_KIND_NARRATIVE] = "narrative",
	    [CDOP_KIND_DATE] = "date",
	    [CDOP_KIND_TIME] = "time",
	    [CDOP_KIND_NHS_NUMBER] = "NHS number",
	    [CDOP_KIND_POSTCODE] = "postcode",
	    [CDOP_KIND_CODE] = "code",
	    [CDOP_KIND_CHOICE] = "choice",
	    [CDOP_KIND_YES_NO] = "yes or no",
	    [CDOP_KIND_INTEGER] = "number",
	    [CDOP_KIND_PHONE] = "telephone",
	    [CDOP_KIND_EMAIL] = "e-mail",
	    [CDOP_KIND_AREA] = "area",
	    [CDOP_KIND_AGENCY] = "agency",
	    [CDOP_KIND_ENTRY] = "entry",
	};

	return name_at(names, sizeof(names) / sizeof(*names), (size_t)kind);
}

const char *
cdop_fields_need_name(enum cdop_need need)
{
	static const char *const names[] = {
	    [CDOP_NEED_ACCEPT] = "accept",
	    [CDOP_NEED_ANSWERED] = "answered",
	    [CDOP_NEED_TODAY] = "today",
	    [CDOP_NEED_AGENCIES] = "agencies",
	    [CDOP_NEED_RETURN] = "return",
	    [CDOP_NEED_OPTIONAL] = "optional",
	};

	return name_at(names, sizeof(names) / sizeof(*names), (size_t)need);
}

const char *
cdop_fields_stage_name(enum cdop_stage stage)
{
	static const char *const names[] = {
	    [CDOP_STAGE_ACCEPT] = "to accept",
	    [CDOP_STAGE_FIRST] = "first contact",
	    [CDOP_STAGE_SAMEDAY] = "same day",
	    [CDOP_STAGE_LATER] = "later",
	};

	return name_at(names, sizeof(names) / sizeof(*names), (size_t)stage);
}

const char *
cdop_fields_class_name(uint32_t class_bit)
{
	static const char *const names[] = {
	    "child identity",
	    "family identity",
	    "professional identity",
	    "location",
	    "exact date",
	    "clinical",
	    "narrative",
	    "safeguarding and social care",
	    "police and coroner",
	    "administrative",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (class_bit == 1u << (i + 1))
			return names[i];
	}
	return "?";
}
