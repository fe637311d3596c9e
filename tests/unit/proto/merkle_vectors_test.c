/*
 * The proof checks against the public vectors of transparency-dev/merkle,
 * every one of them, good and bad.
 */
#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cdop/merkle.h"

#define WHERE_DEFAULT "../shared/vectors"
#define HASH          CDOP_MERKLE_HASH

/* ---- one file ------------------------------------------------------------ */

/* An index of UINT64_MAX is among them, which is too much for jansson. */
static uint64_t
number(const json_t *vector, const char *name)
{
	double value;

	value = json_real_value(json_object_get(vector, name));
	assert_true(value >= 0);
	return value >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)value;
}

/* False where it is no hash: garbage that our types cannot even hold. */
static bool
hash_of(const json_t *value, uint8_t out[static HASH])
{
	const char *text = json_string_value(value);
	size_t len;

	assert_non_null(text);
	return sodium_base642bin(out, HASH, text, strlen(text), NULL, &len,
		   NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    len == HASH;
}

static bool
field(const json_t *vector, const char *name, uint8_t out[static HASH])
{
	return hash_of(json_object_get(vector, name), out);
}

static bool
proof_of(const json_t *vector, struct cdop_merkle_proof *proof)
{
	const json_t *list = json_object_get(vector, "proof");
	size_t i;

	proof->n = json_array_size(list);
	assert_true(proof->n <= CDOP_MERKLE_PROOF_MAX);
	for (i = 0; i < proof->n; i++)
		if (!hash_of(json_array_get(list, i), proof->hash[i]))
			return false;
	return true;
}

static bool
inclusion_holds(const json_t *vector)
{
	struct cdop_merkle_proof proof;
	uint8_t leaf[HASH], root[HASH];

	return proof_of(vector, &proof) && field(vector, "leafHash", leaf) &&
	    field(vector, "root", root) &&
	    cdop_merkle_check_inclusion(number(vector, "leafIdx"),
		number(vector, "treeSize"), leaf, &proof, root) == CDOP_OK;
}

static bool
consistency_holds(const json_t *vector)
{
	struct cdop_merkle_proof proof;
	uint8_t old[HASH], root[HASH];

	return proof_of(vector, &proof) && field(vector, "root1", old) &&
	    field(vector, "root2", root) &&
	    cdop_merkle_check_consistency(number(vector, "size1"), old,
		number(vector, "size2"), root, &proof) == CDOP_OK;
}

/* ---- all of them --------------------------------------------------------- */

static void
check_file(const char *path, bool (*holds)(const json_t *))
{
	const json_t *bad;
	json_t *vector;

	vector = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
	if (vector == NULL)
		fail_msg("%s: no JSON", path);
	bad = json_object_get(vector, "wantErr");
	assert_true(json_is_boolean(bad));
	if (holds(vector) == json_is_true(bad))
		fail_msg("%s: %s", path,
		    json_is_true(bad) ? "is taken" : "is refused");
	json_decref(vector);
}

/* Every file below, of any depth the vectors have. */
static unsigned
check_folder(const char *path, bool (*holds)(const json_t *))
{
	const struct dirent *entry;
	unsigned n = 0;
	char below[512];
	DIR *folder;

	folder = opendir(path);
	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    below, sizeof(below), "%s/%s", path, entry->d_name);
		if (strstr(entry->d_name, ".json") == NULL) {
			n += check_folder(below, holds);
			continue;
		}
		check_file(below, holds);
		n++;
	}
	closedir(folder);
	return n;
}

static void
check_all(const char *kind, bool (*holds)(const json_t *))
{
	const char *where = getenv("CDOP_VECTORS");
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/merkle/%s",
	    where == NULL ? WHERE_DEFAULT : where, kind);
	if (check_folder(path, holds) > 0)
		return;
	printf("SKIP merkle/%s\n", kind);
	skip();
}

static void
public_vectors_of_inclusion_are_judged_as_they_say(void **state)
{
	(void)state;
	check_all("inclusion", inclusion_holds);
}

static void
public_vectors_of_consistency_are_judged_as_they_say(void **state)
{
	(void)state;
	check_all("consistency", consistency_holds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		public_vectors_of_inclusion_are_judged_as_they_say),
	    cmocka_unit_test(
		public_vectors_of_consistency_are_judged_as_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
