/* Chains of nodes in one array, so that a term costs twelve bytes. */
#include "server/registry/index_terms.h"

#include <stdlib.h>
#include <string.h>

#include "server/registry/index_room.h"

#define HEADS_MIN 64u

static enum cdop_err
grow_nodes(struct index_terms *terms, uint32_t cap)
{
	struct index_terms_node *node;

	node = calloc(cap, sizeof(*node));
	if (node == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (terms->n_node > 0)
		memcpy(node, terms->node, terms->n_node * sizeof(*node));
	free(terms->node);
	terms->node = node;
	terms->cap = cap;
	return CDOP_OK;
}

/* Nodes in use hang in chains; the others have slot UINT32_MAX. */
static enum cdop_err
grow_heads(struct index_terms *terms, uint32_t n_head)
{
	struct index_terms_node *node;
	uint32_t *head, i;

	head = calloc(n_head, sizeof(*head));
	if (head == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	for (i = 0; i < terms->n_node; i++) {
		node = &terms->node[i];
		if (node->slot == UINT32_MAX)
			continue;
		node->next = head[node->hash & (n_head - 1)];
		head[node->hash & (n_head - 1)] = i + 1;
	}
	free(terms->head);
	terms->head = head;
	terms->n_head = n_head;
	return CDOP_OK;
}

/* As many chains as half the nodes: a chain is one or two long. */
enum cdop_err
index_terms_reserve(struct index_terms *terms, uint32_t n)
{
	uint64_t want = (uint64_t)terms->n + n;
	uint32_t n_head = terms->n_head == 0 ? HEADS_MIN : terms->n_head;
	enum cdop_err err;

	if (want > INDEX_ROOM_MAX)
		return CDOP_RESOURCE_EXHAUSTED;
	if (want > terms->cap) {
		err = grow_nodes(terms, index_room(terms->cap, (uint32_t)want));
		if (err != CDOP_OK)
			return err;
	}
	while (n_head < terms->cap / 2)
		n_head *= 2;
	return n_head > terms->n_head ? grow_heads(terms, n_head) : CDOP_OK;
}

void
index_terms_free(struct index_terms *terms)
{
	free(terms->head);
	free(terms->node);
	memset(terms, 0, sizeof(*terms));
}

void
index_terms_add(struct index_terms *terms, uint32_t hash, uint32_t slot)
{
	uint32_t *head = &terms->head[hash & (terms->n_head - 1)];
	struct index_terms_node *node;
	uint32_t i;

	if (terms->free != 0) {
		i = terms->free - 1;
		terms->free = terms->node[i].next;
	} else {
		CDOP_ASSERT(terms->n_node < terms->cap);
		i = terms->n_node++;
	}
	node = &terms->node[i];
	node->hash = hash;
	node->slot = slot;
	node->next = *head;
	*head = i + 1;
	terms->n++;
}

void
index_terms_remove(struct index_terms *terms, uint32_t hash, uint32_t slot)
{
	uint32_t *at = &terms->head[hash & (terms->n_head - 1)], i;
	struct index_terms_node *node;

	for (;; at = &node->next) {
		CDOP_ASSERT(*at != 0);
		node = &terms->node[*at - 1];
		if (node->hash == hash && node->slot == slot)
			break;
	}
	i = *at;
	*at = node->next;
	node->slot = UINT32_MAX;
	node->next = terms->free;
	terms->free = i;
	terms->n--;
}

bool
index_terms_next(const struct index_terms *terms, uint32_t hash, uint32_t *at,
    uint32_t *ret_slot)
{
	const struct index_terms_node *node;
	uint32_t link;

	if (terms->n_head == 0)
		return false;
	link = *at == 0 ? terms->head[hash & (terms->n_head - 1)]
			: terms->node[*at - 1].next;
	for (; link != 0; link = node->next) {
		node = &terms->node[link - 1];
		if (node->hash != hash)
			continue;
		*at = link;
		*ret_slot = node->slot;
		return true;
	}
	return false;
}
