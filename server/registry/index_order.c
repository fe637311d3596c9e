/* A treap with slots for addresses: links are slot + 1, 0 is none. */
#include "server/registry/index_order.h"

#include <stdlib.h>
#include <string.h>

#include "server/registry/index_room.h"

struct index_order_node {
	uint32_t left; /* higher */
	uint32_t right;
	uint32_t prio;
	int32_t day;
};

enum cdop_err
index_order_reserve(struct index_order *order, uint32_t n)
{
	struct index_order_node *node;
	uint32_t cap;

	if (n <= order->cap)
		return CDOP_OK;
	if (n > INDEX_ROOM_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	cap = index_room(order->cap, n);
	node = calloc(cap, sizeof(*node));
	if (node == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (order->cap > 0)
		memcpy(node, order->node, order->cap * sizeof(*node));
	free(order->node);
	order->node = node;
	order->cap = cap;
	return CDOP_OK;
}

void
index_order_free(struct index_order *order)
{
	free(order->node);
	memset(order, 0, sizeof(*order));
}

/* Does link a stand before (day, slot)? */
static bool
is_before(
    const struct index_order *order, uint32_t a, int32_t day, uint32_t slot)
{
	const struct index_order_node *node = &order->node[a - 1];

	return node->day > day || (node->day == day && a - 1 > slot);
}

static uint32_t *
left_of(struct index_order *order, uint32_t link)
{
	return &order->node[link - 1].left;
}

static uint32_t *
right_of(struct index_order *order, uint32_t link)
{
	return &order->node[link - 1].right;
}

/* Cuts a tree into what stands before (day, slot) and the rest. */
static void
split(struct index_order *order, uint32_t tree, int32_t day, uint32_t slot,
    uint32_t *ret_before, uint32_t *ret_rest)
{
	while (tree != 0) {
		if (is_before(order, tree, day, slot)) {
			*ret_before = tree;
			ret_before = right_of(order, tree);
			tree = *ret_before;
		} else {
			*ret_rest = tree;
			ret_rest = left_of(order, tree);
			tree = *ret_rest;
		}
	}
	*ret_before = 0;
	*ret_rest = 0;
}

static bool
is_above(const struct index_order *order, uint32_t a, uint32_t b)
{
	uint32_t pa = order->node[a - 1].prio, pb = order->node[b - 1].prio;

	return pa > pb || (pa == pb && a > b);
}

void
index_order_add(
    struct index_order *order, uint32_t slot, int32_t day, uint32_t prio)
{
	struct index_order_node *node = &order->node[slot];
	uint32_t *at = &order->root, tree;

	node->prio = prio;
	node->day = day;
	while (*at != 0 && is_above(order, *at, slot + 1))
		at = is_before(order, *at, day, slot) ? right_of(order, *at)
						      : left_of(order, *at);
	tree = *at;
	*at = slot + 1;
	split(order, tree, day, slot, &node->left, &node->right);
}

void
index_order_remove(struct index_order *order, uint32_t slot)
{
	struct index_order_node *node = &order->node[slot];
	uint32_t *at = &order->root, a = node->left, b = node->right;

	while (*at != 0 && *at != slot + 1)
		at = is_before(order, *at, node->day, slot)
		    ? right_of(order, *at)
		    : left_of(order, *at);
	if (*at == 0)
		return;

	/* Joins what was on its two sides. */
	while (a != 0 && b != 0) {
		if (is_above(order, a, b)) {
			*at = a;
			at = right_of(order, a);
			a = *at;
		} else {
			*at = b;
			at = left_of(order, b);
			b = *at;
		}
	}
	*at = a != 0 ? a : b;
	node->left = 0;
	node->right = 0;
}

/* Slots by one byte of their days, the highest first; stable. */
static void
sort_by(const struct index_order_key *key, const uint32_t *from, uint32_t *to,
    uint32_t n, unsigned shift)
{
	uint32_t start[257] = {0}, i;
	uint8_t at;

#define BYTE(slot)                                                             \
	((uint8_t)(~((uint32_t)key[slot].day ^ 0x80000000u) >> shift))
	for (i = 0; i < n; i++)
		start[BYTE(from[i]) + 1u]++;
	for (i = 0; i < 256; i++)
		start[i + 1] += start[i];
	for (i = 0; i < n; i++) {
		at = BYTE(from[i]);
		to[start[at]++] = from[i];
	}
#undef BYTE
}

/*
 * The slots in the order of a list, into the first of two arrays.  By hand:
 * that of libc asks the system how much memory it has, and the vault may not.
 */
static void
sort(const struct index_order_key *key, uint32_t *slot, uint32_t *other,
    uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		slot[i] = n - 1 - i;
	sort_by(key, slot, other, n, 0);
	sort_by(key, other, slot, n, 8);
	sort_by(key, slot, other, n, 16);
	sort_by(key, other, slot, n, 24);
}

/*
 * From the first to the last, each goes to the right end of the tree: what
 * stood there below its prio becomes its left side.  The right end is kept
 * as a stack, in the slots that are done with.
 */
static void
hang(struct index_order *order, const struct index_order_key *key,
    uint32_t *slot, uint32_t n)
{
	uint32_t i, end = 0, below, here;

	for (i = 0; i < n; i++) {
		here = slot[i];
		order->node[here] = (struct index_order_node){
		    .prio = key[here].prio, .day = key[here].day};
		below = 0;
		while (end > 0 && is_above(order, here + 1, slot[end - 1] + 1))
			below = slot[--end] + 1;
		order->node[here].left = below;
		if (end > 0)
			*right_of(order, slot[end - 1] + 1) = here + 1;
		slot[end++] = here;
	}
	order->root = n > 0 ? slot[0] + 1 : 0;
}

enum cdop_err
index_order_build(
    struct index_order *order, const struct index_order_key *key, uint32_t n)
{
	uint32_t *slot;
	enum cdop_err err;

	if ((err = index_order_reserve(order, n)) != CDOP_OK)
		return err;
	slot = calloc(n + 1u, 2 * sizeof(*slot));
	if (slot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	sort(key, slot, slot + n, n);
	hang(order, key, slot, n);
	free(slot);
	return CDOP_OK;
}

/* The oldest is the furthest away: it is found again when it is needed. */
static void
push(struct index_order_walk *walk, uint32_t link)
{
	walk->link[walk->top++ % INDEX_ORDER_NEAR] = link;
	if (walk->n < INDEX_ORDER_NEAR)
		walk->n++;
	else
		walk->lost = true;
}

/* Those behind the place, up to the next one, which is then on top. */
static void
descend(struct index_order_walk *walk)
{
	uint32_t link = walk->order->root;
	const struct index_order_node *node;

	walk->n = 0;
	walk->top = 0;
	walk->lost = false;
	while (link != 0) {
		node = &walk->order->node[link - 1];
		if (node->day < walk->day ||
		    (node->day == walk->day && link - 1 < walk->slot)) {
			push(walk, link);
			link = node->left;
		} else {
			link = node->right;
		}
	}
}

void
index_order_seek(const struct index_order *order, int32_t day, uint32_t slot,
    struct index_order_walk *walk)
{
	walk->order = order;
	walk->day = day;
	walk->slot = slot;
	descend(walk);
}

bool
index_order_next(struct index_order_walk *walk, int32_t *day, uint32_t *slot)
{
	const struct index_order_node *node;
	uint32_t link;

	if (walk->n == 0 && walk->lost)
		descend(walk);
	if (walk->n == 0)
		return false;
	walk->n--;
	link = walk->link[--walk->top % INDEX_ORDER_NEAR];
	node = &walk->order->node[link - 1];
	*day = walk->day = node->day;
	*slot = walk->slot = link - 1;
	for (link = node->right; link != 0;
	     link = walk->order->node[link - 1].left)
		push(walk, link);
	return true;
}
