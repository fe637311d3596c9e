/* What is kept before it is sent: sealed, whole, and gone when done. */
#include "client/spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cdop/call.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "tests/unit/client/fixture.h"

#define TEN_YEARS_MS (10ull * 365 * 24 * 60 * 60 * 1000)

static char secret_words[] = "Tarrant-Synthetic, found at home";

static void
make(Cdop__ClientRequest *r, uint8_t *key, char *words, size_t len)
{
	cdop__client_request__init(r);
	r->method = CDOP_CALL_NotificationRegister;
	r->request_key.data = key;
	r->request_key.len = CDOP_REQUEST_KEY_LEN;
	r->body.data = (uint8_t *)words;
	r->body.len = len;
	r->at_ms = 1;
}

static void
put(struct fixture *f, uint8_t *key)
{
	static char words[] = "notify";
	Cdop__ClientRequest r;

	make(&r, key, secret_words, sizeof(secret_words));
	r.words = words;
	assert_int_equal(spool_put(&f->ctx, &r), EXIT_OK);
}

static void
keys_are_of_their_time_and_differ(void **state)
{
	struct fixture *f = *state;
	uint8_t one[16], two[16], ms[8] = {0};
	uint64_t now = (uint64_t)time(NULL) * 1000;

	spool_new_key(&f->ctx, one);
	spool_new_key(&f->ctx, two);
	assert_memory_not_equal(one, two, 16);
	memcpy(ms + 2, one, 6);
	assert_true(cdop_get64(ms) + 5000 > now);
	assert_true(cdop_get64(ms) < now + 5000);
}

static uint64_t
date_of(const uint8_t key[static 16])
{
	uint8_t ms[8] = {0};

	memcpy(ms + 2, key, 6);
	return cdop_get64(ms);
}

/* As after a Welcome of a registry whose clock is that far ahead. */
static uint64_t
registry_is_ahead(struct fixture *f, uint64_t ms)
{
	static Cdop__Welcome welcome;

	cdop__welcome__init(&welcome);
	welcome.now_ms = (uint64_t)time(NULL) * 1000 + ms;
	f->session.welcome = &welcome;
	return welcome.now_ms;
}

static void
a_key_is_of_the_clock_of_the_registry(void **state)
{
	struct fixture *f = *state;
	uint8_t before[16], key[16];
	uint64_t theirs;

	spool_new_key(&f->ctx, before);
	assert_false(spool_key_is_old(&f->ctx, before));
	theirs = registry_is_ahead(f, TEN_YEARS_MS);
	spool_new_key(&f->ctx, key);
	assert_true(date_of(key) == theirs);
	assert_true(spool_key_is_old(&f->ctx, before));
	assert_false(spool_key_is_old(&f->ctx, key));
	/* One that is behind would call it "ahead". */
	f->session.welcome->now_ms = 1;
	spool_new_key(&f->ctx, key);
	assert_int_equal(date_of(key), 1);
}

static void
what_was_never_sent_is_dated_anew(void **state)
{
	struct fixture *f = *state;
	uint8_t key[16], was[16], sent[16];
	uint64_t theirs;

	spool_new_key(&f->ctx, key);
	memcpy(was, key, sizeof(was));
	theirs = registry_is_ahead(f, TEN_YEARS_MS);
	assert_int_equal(spool_date_key(&f->ctx, key), EXIT_OK);
	assert_true(date_of(key) == theirs);
	assert_true(spool_is_same(key, was));
	/* Then it is kept, and sent: from now on it is that one. */
	put(f, key);
	memcpy(sent, was, sizeof(sent));
	theirs = registry_is_ahead(f, 2 * TEN_YEARS_MS);
	assert_int_equal(spool_date_key(&f->ctx, sent), EXIT_OK);
	assert_memory_equal(sent, key, sizeof(key));
}

static void
a_request_that_is_dated_anew_is_never_there_twice(void **state)
{
	struct fixture *f = *state;
	struct spool_list list;
	Cdop__ClientRequest *r;
	uint8_t key[16];
	uint64_t theirs;
	const char *moved;

	spool_new_key(&f->ctx, key);
	put(f, key);
	theirs = registry_is_ahead(f, TEN_YEARS_MS);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &r), EXIT_OK);
	assert_int_equal(spool_begin(&f->ctx, r, false), EXIT_OK);
	assert_true(date_of(r->request_key.data) == theirs);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
	/* It was sent: another time it goes out under the same key. */
	(void)registry_is_ahead(f, 2 * TEN_YEARS_MS);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &r), EXIT_OK);
	assert_true(r->sent);
	assert_int_equal(spool_begin(&f->ctx, r, false), EXIT_OK);
	assert_true(date_of(r->request_key.data) == theirs);
	spool_drop(&f->ctx, r->request_key.data);

	/* Cut off between the name and what is in it. */
	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	moved = cdop_arena_strdup(f->ctx.arena, list.path[0]);
	strrchr(moved, '/')[1] ^= 1;
	assert_int_equal(file_move(list.path[0], moved), CDOP_OK);
	assert_int_equal(spool_get(&f->ctx, moved, &r), EXIT_OK);
	assert_true(spool_is_same(r->request_key.data, key));
	spool_drop(&f->ctx, r->request_key.data);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 0);
}

/* Or it would be two requests, and what they register is there twice. */
static void
what_another_process_has_sent_keeps_its_key(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientRequest *mine, *theirs;
	struct spool_list list;
	uint8_t key[16];

	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &mine), EXIT_OK);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &theirs), EXIT_OK);
	theirs->has_sent = true;
	theirs->sent = true;
	assert_int_equal(spool_put(&f->ctx, theirs), EXIT_OK);
	(void)registry_is_ahead(f, TEN_YEARS_MS);
	assert_int_equal(spool_begin(&f->ctx, mine, false), EXIT_OK);
	assert_memory_equal(mine->request_key.data, key, 16);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);

	/* And what has arrived meanwhile does not go out at all. */
	mine->sent = false;
	spool_drop(&f->ctx, key);
	assert_int_equal(spool_begin(&f->ctx, mine, false), EXIT_UNREACHABLE);
	assert_string_equal(f->ctx.error.reason, "busy");
}

static void
what_was_refused_goes_out_as_a_new_request(void **state)
{
	struct fixture *f = *state;
	struct spool_list list;
	Cdop__ClientRequest *r;
	uint8_t key[16];
	uint64_t theirs;

	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &r), EXIT_OK);
	assert_int_equal(spool_begin(&f->ctx, r, false), EXIT_OK);
	theirs = registry_is_ahead(f, TEN_YEARS_MS);
	assert_int_equal(spool_begin(&f->ctx, r, true), EXIT_OK);
	assert_true(date_of(r->request_key.data) == theirs);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
}

static void
a_request_comes_back_until_it_is_dropped(void **state)
{
	struct fixture *f = *state;
	uint8_t key[16];
	struct spool_list list;
	Cdop__ClientRequest *back;

	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &back), EXIT_OK);
	assert_memory_equal(back->request_key.data, key, 16);
	assert_string_equal((const char *)back->body.data, secret_words);
	spool_drop(&f->ctx, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 0);
}

static void
nothing_of_it_can_be_read_on_disk(void **state)
{
	struct fixture *f = *state;
	struct spool_list list;
	struct cdop_bytes file;
	struct stat st;
	uint8_t key[16];

	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(
	    file_read(list.path[0], 65536, f->ctx.arena, &file), CDOP_OK);
	assert_null(memmem(file.data, file.len, "Tarrant", 7));
	assert_int_equal(stat(list.path[0], &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(f->session.context.state, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void
another_device_or_registry_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct spool_list list;
	Cdop__ClientRequest *back;
	uint8_t key[16];

	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	f->session.identity.open->registry_id.data[0] ^= 1;
	assert_int_equal(
	    spool_get(&f->ctx, list.path[0], &back), EXIT_INTEGRITY);
	f->session.identity.open->registry_id.data[0] ^= 1;
	f->session.identity.secret->static_key.data[0] ^= 1;
	assert_int_equal(
	    spool_get(&f->ctx, list.path[0], &back), EXIT_INTEGRITY);
}

static void
every_changed_byte_of_it_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct cdop_bytes file;
	struct spool_list list;
	Cdop__ClientRequest *back;
	const char *path;
	uint8_t key[16], *copy;
	size_t i;

	spool_new_key(&f->ctx, key);
	put(f, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(
	    file_read(list.path[0], 65536, f->ctx.arena, &file), CDOP_OK);
	copy = cdop_arena_alloc(f->ctx.arena, file.len);
	for (i = 0; i < file.len; i += i < 64 ? 1 : 13) {
		memcpy(copy, file.data, file.len);
		copy[i] ^= 0x10;
		path = fixture_file(f, "changed.request", copy, file.len);
		assert_int_equal(
		    spool_get(&f->ctx, path, &back), EXIT_INTEGRITY);
	}
}

/* Writes the same request over and over until it is killed. */
static void
write_for_ever(struct fixture *f, uint8_t *key)
{
	static char words[] = "notify", body[4000];
	Cdop__ClientRequest r;
	unsigned i;

	for (i = 0; i < 1000; i++) {
		memset(body, 'a' + (int)(i % 26), sizeof(body));
		make(&r, key, body, 200 + i % 3 * 1500);
		r.words = words;
		if (spool_put(&f->ctx, &r) != EXIT_OK)
			_exit(1);
	}
	_exit(0);
}

/*
 * The child is killed at whatever instruction it has come to; what is on
 * disk is one whole request, the old or the new.
 */
static void
a_kill_at_any_moment_leaves_a_whole_request(void **state)
{
	struct fixture *f = *state;
	struct timespec pause = {0, 0};
	struct spool_list list;
	Cdop__ClientRequest *back;
	uint8_t key[16];
	size_t i, k;
	pid_t pid;

	spool_new_key(&f->ctx, key);
	put(f, key);
	for (i = 0; i < 40; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			write_for_ever(f, key);
		pause.tv_nsec = (long)(i * 40000);
		(void)nanosleep(&pause, NULL);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
		assert_int_equal(list.n, 1);
		assert_int_equal(
		    spool_get(&f->ctx, list.path[0], &back), EXIT_OK);
		for (k = 1; k < back->body.len && back->body.len % 1500 == 200;
		     k++)
			assert_int_equal(
			    back->body.data[k], back->body.data[0]);
	}
}

static void
drafts_take_the_next_number_and_keep_it(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientDraft draft, *back;
	struct spool_list list;
	unsigned one = 0, two = 0;
	uint8_t key[16];

	spool_new_key(&f->ctx, key);
	cdop__client_draft__init(&draft);
	draft.form = cdop_arena_alloc(f->ctx.arena, sizeof(*draft.form));
	cdop__form__init(draft.form);
	draft.request_key.data = key;
	draft.request_key.len = sizeof(key);
	assert_int_equal(spool_put_draft(&f->ctx, &draft, &one, NULL), EXIT_OK);
	assert_int_equal(spool_put_draft(&f->ctx, &draft, &two, NULL), EXIT_OK);
	assert_int_equal(spool_put_draft(&f->ctx, &draft, &one, NULL), EXIT_OK);
	assert_int_equal(one, 1);
	assert_int_equal(two, 2);
	assert_int_equal(spool_drafts(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 2);
	assert_int_equal(spool_draft_number(list.path[1]), 2);
	assert_int_equal(
	    spool_get_draft(&f->ctx, list.path[0], &back), EXIT_OK);
	assert_memory_equal(back->request_key.data, key, 16);
	spool_drop_draft(&f->ctx, 1);
	assert_int_equal(spool_drafts(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
}

/* Two windows: in one it is typed, and sent while the command goes on. */
static void
a_draft_is_held_by_who_types_it(void **state)
{
	struct fixture *f = *state;
	struct lock hold = {.fd = -1}, other = {.fd = -1};
	Cdop__ClientDraft draft;
	unsigned mine = 0, next = 0;

	cdop__client_draft__init(&draft);
	draft.form = cdop_arena_alloc(f->ctx.arena, sizeof(*draft.form));
	cdop__form__init(draft.form);
	assert_int_equal(
	    spool_put_draft(&f->ctx, &draft, &mine, &hold), EXIT_OK);
	assert_int_equal(
	    spool_hold_draft(&f->ctx, mine, &other), EXIT_UNREACHABLE);
	assert_string_equal(f->ctx.error.reason, "busy");
	spool_drop_draft(&f->ctx, mine);
	/* Its number is not given away while it may be kept again. */
	assert_int_equal(
	    spool_put_draft(&f->ctx, &draft, &next, NULL), EXIT_OK);
	assert_int_equal(next, mine + 1);
	lock_drop(&hold, true);
	assert_int_equal(
	    spool_hold_draft(&f->ctx, mine, &other), EXIT_NOT_FOUND);
	assert_int_equal(spool_hold_draft(&f->ctx, next, &other), EXIT_OK);
	lock_drop(&other, true);
	next = 0;
	assert_int_equal(
	    spool_put_draft(&f->ctx, &draft, &next, NULL), EXIT_OK);
	assert_int_equal(next, mine);
}

/* Sent and applied, under a profile that keeps it for so many days. */
static size_t
applied(struct fixture *f, unsigned days)
{
	struct cdop_profile *profile;
	struct spool_list list;
	uint8_t key[16];

	(void)fixture_profile(f);
	profile = f->session.profile;
	profile->spool_days = days;
	spool_new_key(&f->ctx, key);
	put(f, key);
	spool_applied(&f->ctx, key);
	assert_int_equal(spool_requests(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 0);
	assert_int_equal(spool_sent(&f->ctx, &list), EXIT_OK);
	return list.n;
}

static void
what_was_applied_is_dropped_unless_the_profile_keeps_it(void **state)
{
	struct fixture *f = *state;
	Cdop__ClientRequest *back;
	struct spool_list list;
	struct cdop_bytes file;
	struct stat st;

	assert_int_equal(applied(f, 0), 0);
	assert_int_equal(applied(f, 7), 1);
	assert_int_equal(spool_sent(&f->ctx, &list), EXIT_OK);
	assert_int_equal(spool_get(&f->ctx, list.path[0], &back), EXIT_OK);
	assert_string_equal((const char *)back->body.data, secret_words);
	assert_int_equal(
	    file_read(list.path[0], 65536, f->ctx.arena, &file), CDOP_OK);
	assert_null(memmem(file.data, file.len, "Tarrant", 7));
	assert_int_equal(stat(list.path[0], &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
it_is_kept_for_no_longer_than_the_profile_says(void **state)
{
	struct timespec when[2] = {{0, UTIME_OMIT}, {0, 0}};
	struct fixture *f = *state;
	struct spool_list list;

	assert_int_equal(applied(f, 2), 1);
	spool_tidy(&f->ctx);
	assert_int_equal(spool_sent(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 1);
	when[1].tv_sec = time(NULL) - (time_t)2 * 24 * 60 * 60;
	assert_int_equal(utimensat(AT_FDCWD, list.path[0], when, 0), 0);
	spool_tidy(&f->ctx);
	assert_int_equal(spool_sent(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 0);
	/* A panel that changes its mind changes it for what is there. */
	assert_int_equal(applied(f, 7), 1);
	f->session.profile->spool_days = 0;
	spool_tidy(&f->ctx);
	assert_int_equal(spool_sent(&f->ctx, &list), EXIT_OK);
	assert_int_equal(list.n, 0);
}

/* A day before the registry forgets it, so that it is not too late then. */
static void
a_key_is_old_after_29_days(void **state)
{
	const uint64_t hour_ms = 3600u * 1000u;
	struct fixture *f = *state;
	uint8_t key[16];

	(void)registry_is_ahead(f, 0);
	spool_new_key(&f->ctx, key);
	(void)registry_is_ahead(f, (29 * 24 - 1) * hour_ms);
	assert_false(spool_key_is_old(&f->ctx, key));
	(void)registry_is_ahead(f, (29 * 24 + 1) * hour_ms);
	assert_true(spool_key_is_old(&f->ctx, key));
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(keys_are_of_their_time_and_differ),
	    WITH(a_key_is_of_the_clock_of_the_registry),
	    WITH(a_key_is_old_after_29_days),
	    WITH(what_was_never_sent_is_dated_anew),
	    WITH(a_request_that_is_dated_anew_is_never_there_twice),
	    WITH(what_another_process_has_sent_keeps_its_key),
	    WITH(what_was_refused_goes_out_as_a_new_request),
	    WITH(a_request_comes_back_until_it_is_dropped),
	    WITH(nothing_of_it_can_be_read_on_disk),
	    WITH(another_device_or_registry_opens_nothing),
	    WITH(every_changed_byte_of_it_is_noticed),
	    WITH(a_kill_at_any_moment_leaves_a_whole_request),
	    WITH(drafts_take_the_next_number_and_keep_it),
	    WITH(a_draft_is_held_by_who_types_it),
	    WITH(what_was_applied_is_dropped_unless_the_profile_keeps_it),
	    WITH(it_is_kept_for_no_longer_than_the_profile_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
