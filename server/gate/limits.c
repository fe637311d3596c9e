/* The table of sources: hashed, bounded, the longest silent forgotten. */
#include "server/gate/limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/secret.h"
#include "server/base/control.h"

#define LIMITS_SOURCES 4096
#define LIMITS_BUCKETS 1024
#define LIMITS_KEY_LEN 9 /* family and at most 8 bytes */
#define LIMITS_MINUTE  60000

/* So many in a minute, refilled evenly. */
struct limits_bucket {
	uint64_t at_ms;
	uint64_t spent; /* 60,000 units are one */
};

struct limits_source {
	struct limits_source *next; /* in its bucket */
	uint8_t key[LIMITS_KEY_LEN];
	uint32_t connections;
	uint64_t seen_ms;
	uint64_t penalty_ms; /* refused until then */
	struct limits_bucket handshakes;
	struct limits_bucket garbage;
};

struct limits {
	const struct config *conf;
	uint64_t seed; /* so that nobody outside can aim at one bucket */
	size_t n;      /* of sources[] ever used */
	struct limits_source *buckets[LIMITS_BUCKETS];
	struct limits_source sources[LIMITS_SOURCES];
};

enum cdop_err
limits_new(const struct config *conf, struct limits **ret_limits)
{
	struct limits *limits;

	if ((limits = calloc(1, sizeof(*limits))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	limits->conf = conf;
	cdop_secret_random(&limits->seed, sizeof(limits->seed));
	*ret_limits = limits;
	return CDOP_OK;
}

void
limits_free(struct limits *limits)
{
	free(limits);
}

/* IPv4 whole, also inside IPv6; IPv6 by its /64; Unix by uid. */
static void
make_key(const struct sockaddr_storage *peer, uint32_t uid,
    uint8_t out[static LIMITS_KEY_LEN])
{
	const struct sockaddr_in *in = (const void *)peer;
	const struct sockaddr_in6 *in6 = (const void *)peer;

	memset(out, 0, LIMITS_KEY_LEN);
	out[0] = 4;
	if (peer->ss_family == AF_INET) {
		memcpy(out + 1, &in->sin_addr, 4);
	} else if (peer->ss_family != AF_INET6) {
		out[0] = 1;
		memcpy(out + 1, &uid, sizeof(uid));
	} else if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(out + 1, in6->sin6_addr.s6_addr + 12, 4);
	} else {
		out[0] = 6;
		memcpy(out + 1, in6->sin6_addr.s6_addr, 8);
	}
}

/* FNV-1a from a random start: enough for a table whose size is bounded. */
static struct limits_source **
bucket_of(struct limits *limits, const uint8_t key[static LIMITS_KEY_LEN])
{
	uint64_t h = limits->seed;
	size_t i;

	for (i = 0; i < LIMITS_KEY_LEN; i++)
		h = (h ^ key[i]) * 0x100000001b3ULL;
	h ^= h >> 29;
	return &limits->buckets[h % LIMITS_BUCKETS];
}

static void
unlink_source(struct limits *limits, const struct limits_source *source)
{
	struct limits_source **at = bucket_of(limits, source->key);

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
}

/* The one without connections or penalty that was silent longest. */
static struct limits_source *
forget_one(struct limits *limits, uint64_t now_ms)
{
	struct limits_source *best = NULL, *source;
	size_t i;

	for (i = 0; i < limits->n; i++) {
		source = &limits->sources[i];
		if (source->connections > 0 || source->penalty_ms > now_ms)
			continue;
		if (best == NULL || source->seen_ms < best->seen_ms)
			best = source;
	}
	if (best != NULL)
		unlink_source(limits, best);
	return best;
}

static struct limits_source *
find_source(struct limits *limits, const uint8_t key[static LIMITS_KEY_LEN],
    uint64_t now_ms)
{
	struct limits_source **bucket = bucket_of(limits, key), *source;

	for (source = *bucket; source != NULL; source = source->next) {
		if (memcmp(source->key, key, LIMITS_KEY_LEN) == 0)
			return source;
	}
	if (limits->n < LIMITS_SOURCES)
		source = &limits->sources[limits->n++];
	else if ((source = forget_one(limits, now_ms)) == NULL)
		return NULL;
	memset(source, 0, sizeof(*source));
	memcpy(source->key, key, LIMITS_KEY_LEN);
	source->next = *bucket;
	*bucket = source;
	return source;
}

enum cdop_err
limits_accept(struct limits *limits, const struct sockaddr_storage *peer,
    uint32_t uid, uint64_t now_ms, struct limits_source **ret_source)
{
	uint8_t key[LIMITS_KEY_LEN];
	struct limits_source *source;

	make_key(peer, uid, key);
	if ((source = find_source(limits, key, now_ms)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	source->seen_ms = now_ms;
	if (source->penalty_ms > now_ms)
		return CDOP_PERMISSION_DENIED;
	if (source->connections >= limits->conf->gate_source_connections)
		return CDOP_RESOURCE_EXHAUSTED;
	source->connections++;
	*ret_source = source;
	return CDOP_OK;
}

void
limits_release(struct limits_source *source)
{
	CDOP_ASSERT(source->connections > 0);
	source->connections--;
}

/*
 * Takes one of per_minute; false when none is left.  What is spent flows
 * back at per_minute a minute; 60,000 units are one.
 */
static bool
bucket_take(struct limits_bucket *bucket, uint32_t per_minute, uint64_t now_ms)
{
	uint64_t back;

	if (per_minute == 0)
		return true;
	back = (now_ms - bucket->at_ms) * per_minute;
	bucket->spent = bucket->spent > back ? bucket->spent - back : 0;
	bucket->at_ms = now_ms;
	if (bucket->spent + LIMITS_MINUTE >
	    (uint64_t)per_minute * LIMITS_MINUTE)
		return false;
	bucket->spent += LIMITS_MINUTE;
	return true;
}

bool
limits_handshake(
    struct limits *limits, struct limits_source *source, uint64_t now_ms)
{
	return bucket_take(
	    &source->handshakes, limits->conf->gate_source_handshakes, now_ms);
}

bool
limits_garbage(
    struct limits *limits, struct limits_source *source, uint64_t now_ms)
{
	if (bucket_take(
		&source->garbage, limits->conf->gate_source_garbage, now_ms))
		return false;
	source->penalty_ms =
	    now_ms + (uint64_t)limits->conf->gate_penalty_s * 1000;
	return true;
}

void
limits_from(const struct sockaddr_storage *peer, uint32_t uid,
    char out[static LIMITS_FROM_MAX])
{
	const struct sockaddr_in *in = (const void *)peer;
	const struct sockaddr_in6 *in6 = (const void *)peer;
	char host[INET6_ADDRSTRLEN] = "";

	if (peer->ss_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(
		    out, LIMITS_FROM_MAX, "%s:%u", host, ntohs(in->sin_port));
	} else if (peer->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(out, LIMITS_FROM_MAX, "[%s]:%u", host,
		    ntohs(in6->sin6_port));
	} else {
		snprintf(out, LIMITS_FROM_MAX, "unix uid=%u", uid);
	}
}
