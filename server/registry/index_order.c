/* A treap with slots for addresses: links are slot + 1, 0 is none. */
#include "server/registry/index_order.h"

#include <stdlib.h>
#include <string.h>

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
	uint32_t cap = order->cap == 0 ? 64 : order->cap;

	if (n <= order->cap)
		return CDOP_OK;
	while (cap < n) {
		if (cap > UINT32_MAX / 2)
			return CDOP_RESOURCE_EXHAUSTED;
		cap *= 2;
	}
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

bool
index_order_next(const struct index_order *order, int32_t *day, uint32_t *slot)
{
	uint32_t link = order->root, found = 0;
	const struct index_order_node *node;

	while (link != 0) {
		node = &order->node[link - 1];
		if (node->day < *day ||
		    (node->day == *day && link - 1 < *slot)) {
			found = link;
			link = node->left;
		} else {
			link = node->right;
		}
	}
	if (found == 0)
		return false;
	*day = order->node[found - 1].day;
	*slot = found - 1;
	return true;
}
