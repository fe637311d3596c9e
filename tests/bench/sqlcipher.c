/*
 * SQLCipher in the process that asks, without a network and for one client:
 *
 *     sqlcipher FILE CASES MS BODY      one JSON object
 *
 * FILE gets CASES rows of BODY bytes when it is new.  insert, show and find
 * append a row to an audit table in the same transaction; read does not, and
 * is a point read of the file that is in memory.  WAL, synchronous = FULL:
 * on the disk before it returns.  All are operations a second.
 */
#include <sqlcipher/sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LEAF   372
#define NUMBER 999000000

static sqlite3 *db;
static char *body;
static long long body_len, n_cases;
static double span_us;
static uint64_t dice = 4711;
static sqlite3_stmt *begin, *commit, *put, *audit, *show, *find;

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
must(int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "sqlcipher: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void
run(const char *sql)
{
	must(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static sqlite3_stmt *
prepare(const char *sql)
{
	sqlite3_stmt *made;

	must(sqlite3_prepare_v2(db, sql, -1, &made, NULL));
	return made;
}

static int
step(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	must(rc);
	must(sqlite3_reset(statement));
	return rc;
}

static void
note(void)
{
	must(sqlite3_bind_blob(audit, 1, body, LEAF, SQLITE_STATIC));
	(void)step(audit);
}

static void
add(void)
{
	n_cases++;
	must(sqlite3_bind_int64(put, 1, NUMBER + n_cases));
	must(sqlite3_bind_blob(put, 2, body, (int)body_len, SQLITE_STATIC));
	(void)step(put);
}

static void
look(sqlite3_stmt *how, long long from)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	must(sqlite3_bind_int64(
	    how, 1, from + 1 + (long long)(dice % (uint64_t)n_cases)));
	must(sqlite3_step(how));
	if (sqlite3_column_bytes(how, 0) != body_len) {
		fprintf(stderr, "sqlcipher: a case that is not there\n");
		exit(1);
	}
	must(sqlite3_reset(how));
}

static void
insert_one(void)
{
	(void)step(begin);
	add();
	note();
	(void)step(commit);
}

static void
show_one(void)
{
	(void)step(begin);
	look(show, 0);
	note();
	(void)step(commit);
}

static void
find_one(void)
{
	(void)step(begin);
	look(find, NUMBER);
	note();
	(void)step(commit);
}

static void
read_one(void)
{
	look(show, 0);
}

static void
measure(const char *before, const char *name, void (*one)(void))
{
	double since = now_us(), us;
	uint64_t n = 0;

	do {
		one();
		n++;
		us = now_us() - since;
	} while (us < span_us);
	printf("%s\"%s\":%.1f", before, name, (double)n * 1e6 / us);
}

static void
open_file(const char *path, long long cases)
{
	sqlite3_stmt *count;

	must(sqlite3_open(path, &db));
	run("PRAGMA key = 'four plain words here'; PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "CREATE TABLE IF NOT EXISTS cases (id INTEGER PRIMARY KEY,"
	    " number INTEGER, body BLOB);"
	    "CREATE INDEX IF NOT EXISTS numbers ON cases (number);"
	    "CREATE TABLE IF NOT EXISTS audit (n INTEGER PRIMARY KEY,"
	    " leaf BLOB)");
	begin = prepare("BEGIN IMMEDIATE");
	commit = prepare("COMMIT");
	put = prepare("INSERT INTO cases (number, body) VALUES (?, ?)");
	audit = prepare("INSERT INTO audit (leaf) VALUES (?)");
	show = prepare("SELECT body FROM cases WHERE id = ?");
	find = prepare("SELECT body FROM cases WHERE number = ?");
	count = prepare("SELECT count(*) FROM cases");
	must(sqlite3_step(count));
	n_cases = sqlite3_column_int64(count, 0);
	must(sqlite3_finalize(count));
	if (n_cases >= cases)
		return;
	(void)step(begin);
	while (n_cases < cases)
		add();
	(void)step(commit);
}

int
main(int argc, char **argv)
{
	if (argc != 5 || strtoll(argv[4], NULL, 10) < LEAF) {
		fprintf(stderr, "sqlcipher FILE CASES MS BODY\n");
		return 2;
	}
	span_us = strtod(argv[3], NULL) * 1000;
	body_len = strtoll(argv[4], NULL, 10);
	body = malloc((size_t)body_len);
	if (body == NULL)
		return 1;
	memset(body, 's', (size_t)body_len);
	open_file(argv[1], strtoll(argv[2], NULL, 10));
	measure("{", "register", insert_one);
	measure(",", "show", show_one);
	measure(",", "find", find_one);
	measure(",", "read", read_one);
	printf("}\n");
	return 0;
}
