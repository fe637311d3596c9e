/* The table of row kinds, made from the list in schema.h. */
#include "server/store/schema.h"

static const struct schema_row rows[] = {
#define SCHEMA_ROW(number, name, scope, start)                                 \
	{(number), #name, SCHEMA_##scope, (start)},
    SCHEMA_KINDS(SCHEMA_ROW)
#undef SCHEMA_ROW
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct schema_row *
schema_find(uint8_t kind)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		if (rows[i].kind == kind)
			return &rows[i];
	return NULL;
}

const struct schema_row *
schema_all(size_t *ret_n)
{
	*ret_n = N_ROWS;
	return rows;
}

const char *
schema_scope_name(enum schema_scope scope)
{
	switch (scope) {
	case SCHEMA_ROOT:
		return "ROOT";
	case SCHEMA_REGISTRY:
		return "REGISTRY";
	case SCHEMA_LOG:
		return "LOG";
	case SCHEMA_SEARCH:
		return "SEARCH";
	case SCHEMA_AREA:
		return "AREA";
	case SCHEMA_CASE:
		return "CASE";
	}
	return "UNKNOWN";
}
