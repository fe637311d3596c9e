/*
 * One client of the mix: its link, its cases, its calls.
 */
#ifndef CDOP_BENCH_MIX_H
#define CDOP_BENCH_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mix_kind {
	MIX_FIND,
	MIX_SHOW,
	MIX_REGISTER,
	MIX_AMEND,
	MIX_LIST, /* 20 of one area */
	MIX_SCAN, /* all, 100 after 100, over and over */
	MIX_KINDS
};

enum mix_answer {
	MIX_NONE, /* not here yet */
	MIX_GOOD,
	MIX_BAD
};

struct mix_book;

struct mix_client;

/*
 * Number me of the clients.  It goes from one of its devices to the next, as
 * the registry slows whoever asks without an end.  Several may have one book.
 * Where MIX_ADDRESS is set it calls there.
 */
struct mix_client *mix_new(unsigned me, char *const *identity, unsigned devices,
    struct mix_book *book);

/* So many have this book: each amends cases of its own. */
void mix_share(struct mix_client *client, uint32_t clients);

/* A link that has room for many calls, and none. */
void mix_ready(struct mix_client *client);
void mix_hang_up(struct mix_client *client);

/* Which call is next: of ten four find, four show, one registers. */
enum mix_kind mix_pick(struct mix_client *client);

/* One call, and the next answer; false: it failed, and stderr says how. */
void mix_send(struct mix_client *client, enum mix_kind kind);
bool mix_take(struct mix_client *client);

/* The same without waiting; poll mix_fd() for reading meanwhile. */
enum mix_answer mix_poll(struct mix_client *client);
int mix_fd(const struct mix_client *client);

/* Cases on the pages of its scans; bytes of the request sent last. */
uint64_t mix_listed(const struct mix_client *client);
uint32_t mix_body_len(const struct mix_client *client);

/* n rows of so many bytes through the cipher of rows. */
void mix_cipher(size_t n, size_t len);

#endif
