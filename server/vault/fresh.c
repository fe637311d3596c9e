/* A page of random bytes, empty in a child. */
#include "server/vault/fresh.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define PIECES 64

struct page {
	size_t left; /* the kernel's zero where the page was wiped by a fork */
	uint8_t piece[PIECES][FRESH_LEN];
};

/* NULL: there is none, and each is drawn by itself. */
static struct page *
page_new(void)
{
	struct page *page;

	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, sizeof(*page), MADV_WIPEONFORK) == 0)
		return page;
	(void)munmap(page, sizeof(*page));
	return NULL;
}

void
fresh_take(uint8_t out[static FRESH_LEN])
{
	static struct page *page;

	if (page == NULL && (page = page_new()) == NULL) {
		randombytes_buf(out, FRESH_LEN);
		return;
	}
	if (page->left == 0) {
		randombytes_buf(page->piece, sizeof(page->piece));
		page->left = PIECES;
	}
	page->left--;
	memcpy(out, page->piece[page->left], FRESH_LEN);
	sodium_memzero(page->piece[page->left], FRESH_LEN);
}
