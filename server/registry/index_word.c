/* Words that many cases share, as numbers. */
#include <stdlib.h>
#include <string.h>

#include "server/registry/index_core.h"

bool
index_word_find(
    const struct index *index, const char *word, uint16_t *ret_number)
{
	size_t i;

	for (i = 0; i < index->n_word; i++)
		if (strcmp(index->word[i], word) == 0) {
			*ret_number = (uint16_t)i;
			return true;
		}
	return false;
}

static enum cdop_err
reserve_word(struct index *index)
{
	size_t cap = index->cap_word == 0 ? 16 : index->cap_word * 2;
	char **list;

	if (index->n_word < index->cap_word)
		return CDOP_OK;
	if ((list = calloc(cap, sizeof(*list))) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if (index->n_word > 0)
		memcpy(list, index->word, index->n_word * sizeof(*list));
	free(index->word);
	index->word = list;
	index->cap_word = cap;
	return CDOP_OK;
}

enum cdop_err
index_word(struct index *index, const char *word, uint16_t *ret_number)
{
	enum cdop_err err;
	char *copy;

	if (index_word_find(index, word, ret_number))
		return CDOP_OK;
	if (index->n_word >= INDEX_NO_WORD)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = reserve_word(index)) != CDOP_OK)
		return err;
	if ((copy = strdup(word)) == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	index->word[index->n_word] = copy;
	*ret_number = (uint16_t)index->n_word++;
	return CDOP_OK;
}

const char *
index_word_text(const struct index *index, uint16_t number)
{
	return number < index->n_word ? index->word[number] : "";
}
