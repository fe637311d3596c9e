/*
 * The field and the scheme over bytes that memcheck takes for unwritten: a
 * branch or an address that depends on one of them is an error of its.
 *
 * "leak" looks a secret up in a table instead: the check has to find that.
 */
#include "server/vault/shamir.h"

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#define K 3
#define N 5

static int
scheme(void)
{
	uint8_t secret[SHAMIR_SECRET], random[(K - 1) * SHAMIR_SECRET];
	uint8_t got[SHAMIR_SECRET];
	struct shamir_share shares[N];
	size_t i;

	for (i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)(i * 5 + 1);
	memset(random, 0x5a, sizeof(random));
	(void)VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof(secret));
	(void)VALGRIND_MAKE_MEM_UNDEFINED(random, sizeof(random));
	if (shamir_split(secret, random, K, N, shares) != CDOP_OK ||
	    shamir_combine(shares + 1, K, got) != CDOP_OK)
		return 1;
	got[0] = shamir_inv(shamir_mul(got[0], got[1]));
	got[0] = secret[0];
	/* Known again, to be looked at. */
	(void)VALGRIND_MAKE_MEM_DEFINED(got, sizeof(got));
	(void)VALGRIND_MAKE_MEM_DEFINED(secret, sizeof(secret));
	return memcmp(got, secret, sizeof(got)) == 0 ? 0 : 1;
}

static int
leak(void)
{
	static volatile uint8_t table[256];
	volatile uint8_t secret = 7;

	(void)VALGRIND_MAKE_MEM_UNDEFINED(&secret, 1);
	return table[secret];
}

int
main(int argc, char **argv)
{
	if (RUNNING_ON_VALGRIND == 0) {
		(void)fprintf(stderr, "to be run by make check-ct\n");
		return 1;
	}
	return argc > 1 && strcmp(argv[1], "leak") == 0 ? leak() : scheme();
}
