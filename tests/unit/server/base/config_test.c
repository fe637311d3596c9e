/* The configuration: what is refused, and that papers and program agree. */
#include "server/base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/limits.h"
#include "server/base/log.h"
#include "tests/unit/paper.h"

static struct config conf;
static struct config_error error;

static enum cdop_err
parse(const char *text)
{
	memset(&error, 0, sizeof(error));
	return config_parse(text, strlen(text), &conf, &error);
}

static void
assert_refused(const char *text, const char *with)
{
	struct config before = conf;

	assert_int_equal(parse(text), CDOP_INVALID_ARGUMENT);
	if (strstr(error.text, with) == NULL)
		fail_msg("\"%s\" says not \"%s\"", error.text, with);
	assert_memory_equal(&conf, &before, sizeof(conf));
}

static void
an_empty_file_gives_the_defaults(void **state)
{
	struct config def;

	(void)state;
	config_init(&def);
	assert_int_equal(parse(""), CDOP_OK);
	assert_memory_equal(&conf, &def, sizeof(def));
	assert_string_equal(conf.data_dir, "/var/lib/cdopd");
	assert_int_equal(conf.n_listen, 1);
	assert_string_equal(conf.listen[0], "unix link.sock");
	assert_int_equal(conf.socket_mode, 0660);
	assert_int_equal(conf.gate_connections, CDOP_GATE_CONNS_MAX);
	assert_int_equal(conf.gate_source_connections, CDOP_GATE_CONNS_SOURCE);
	assert_int_equal(conf.handshake_s, CDOP_HANDSHAKE_S);
	assert_int_equal(conf.idle_s, CDOP_IDLE_S);
	assert_int_equal(conf.log_level, LOG_LEVEL_INFO);
}

static void
values_blanks_and_comments_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse("# a comment\n\n"
			       "  data_dir =  /srv/cdop \t\r\n"
			       "key_file=/etc/k\n"
			       "log_level = debug\n"
			       "socket_mode = 600\n"
			       "listen = tcp 127.0.0.1:4433\n"
			       "listen = tcp [::1]:0\n"
			       "listen = unix /run/x.sock\n"
			       "map_size_gib = 4096"),
	    CDOP_OK);
	assert_string_equal(conf.data_dir, "/srv/cdop");
	assert_string_equal(conf.key_file, "/etc/k");
	assert_int_equal(conf.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(conf.socket_mode, 0600);
	assert_int_equal(conf.n_listen, 3);
	assert_string_equal(conf.listen[1], "tcp [::1]:0");
	assert_int_equal(conf.map_size_gib, 4096);
}

static void
what_is_wrong_is_named_by_line_and_key(void **state)
{
	(void)state;
	config_init(&conf);
	assert_refused(
	    "\n\ndata_dri = /x\n", "line 3: unknown key \"data_dri\"");
	assert_refused("data_dir /x\n", "line 1: not of the form");
	assert_refused("data_dir = x\n", "line 1: data_dir: an absolute path");
	assert_refused("data_dir =\n", "data_dir and run_dir");
	assert_refused(
	    "idle_s = 1\nidle_s = 2\n", "line 2: idle_s is given twice");
	assert_refused("idle_s = 0\n", "from 1 to 900");
	assert_refused("idle_s = 901\n", "from 1 to 900");
	assert_refused("idle_s = -1\n", "idle_s");
	assert_refused("idle_s = +1\n", "idle_s");
	assert_refused("idle_s = 0x1\n", "idle_s");
	assert_refused("idle_s = 1 2\n", "idle_s");
	assert_refused("idle_s =\n", "idle_s");
	assert_refused("idle_s = 99999999999999999999\n", "idle_s");
	assert_refused("socket_mode = 888\n", "socket_mode");
	assert_refused("socket_mode = 1777\n", "socket_mode");
	assert_refused("log_level = chatty\n", "log_level");
	assert_refused("user = a b\n", "user");
	assert_refused("user = ../x\n", "user");
}

static void
an_address_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"", "tcp", "tcp 127.0.0.1",
	    "tcp 127.0.0.1:", "tcp 127.0.0.1:65536", "tcp 127.0.0.1:-1",
	    "tcp localhost:80", "tcp ::1:80", "tcp [::1:80", "tcp [::1]80",
	    "tcp [127.0.0.1]:80", "tcp :80", "unix ", "udp 127.0.0.1:80",
	    "tcp 127.0.0.1:+80", "tcp 127.0.0.1: 80", "tcp []:1"};
	char line[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "listen = %s\n", bad[i]);
		assert_refused(line, "listen");
	}
}

static void
bounds_on_the_file_hold(void **state)
{
	static char text[CDOP_CONFIG_FILE_MAX];
	size_t i;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(config_parse(text, sizeof(text), &conf, &error),
	    CDOP_INVALID_ARGUMENT);
	memcpy(text, "user = a\0b\n", 11);
	assert_int_equal(
	    config_parse(text, 11, &conf, &error), CDOP_INVALID_ARGUMENT);
	memset(text, '\n', sizeof(text));
	assert_int_equal(
	    config_parse(text, sizeof(text), &conf, &error), CDOP_OK);
	text[0] = '\0';
	for (i = 0; i <= CONFIG_LISTEN_MAX; i++)
		strncat(text, "listen = tcp 127.0.0.1:1\n",
		    sizeof(text) - strlen(text) - 1);
	assert_refused(text, "line 9: listen");
	snprintf(text, sizeof(text), "run_dir = /%0*d\n", 100, 0);
	assert_refused(text, "path too long in run_dir");
	snprintf(text, sizeof(text), "data_dir = /%0*d\n", 300, 0);
	assert_refused(text, "data_dir");
}

static void
a_file_that_is_missing_or_too_long_is_refused(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(
	    config_load("/nowhere/at/all", &conf, &error), CDOP_NOT_FOUND);
	assert_string_equal(error.text, "No such file or directory");
	assert_int_equal(config_load("/", &conf, &error), CDOP_NOT_FOUND);
	assert_string_equal(error.text, "not a regular file");
	snprintf(path, sizeof(path), "%s/config.XXXXXX",
	    tmp != NULL ? tmp : P_tmpdir);
	assert_true((fd = mkstemp(path)) >= 0);
	assert_int_equal(write(fd, "restarts = 7\n", 13), 13);
	assert_int_equal(config_load(path, &conf, &error), CDOP_OK);
	assert_int_equal(conf.restarts, 7);
	assert_int_equal(ftruncate(fd, CDOP_CONFIG_FILE_MAX + 1), 0);
	assert_int_equal(
	    config_load(path, &conf, &error), CDOP_INVALID_ARGUMENT);
	close(fd);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(30); /* it waited for ever */
	assert_int_equal(config_load(path, &conf, &error), CDOP_NOT_FOUND);
	alarm(0);
	assert_string_equal(error.text, "not a regular file");
	unlink(path);
}

static void
what_is_printed_is_read_back_the_same(void **state)
{
	struct config first;
	char *text;
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(parse("listen = tcp [::1]:0\nlisten = unix a\n"
			       "user = cdop\nsocket_mode = 0\n"
			       "log_level = error\nrestarts = 0\n"),
	    CDOP_OK);
	first = conf;
	assert_non_null(out = open_memstream(&text, &len));
	config_print(&conf, out);
	fclose(out);
	assert_int_equal(parse(text), CDOP_OK);
	assert_memory_equal(&conf, &first, sizeof(conf));
	free(text);
}

static void
the_example_file_is_what_the_program_says(void **state)
{
	char *text, *file;
	size_t len;
	FILE *out;

	(void)state;
	assert_non_null(out = open_memstream(&text, &len));
	config_print_example(out);
	fclose(out);
	file = paper_read("packaging/examples/cdopd.conf");
	assert_string_equal(text, file);
	free(text);
	free(file);
}

/* The commented defaults, brought in force, change nothing. */
static void
the_example_file_shows_the_defaults(void **state)
{
	struct config def;
	char *file, *at;

	(void)state;
	file = paper_read("packaging/examples/cdopd.conf");
	config_init(&def);
	assert_int_equal(
	    config_parse(file, strlen(file), &conf, &error), CDOP_OK);
	assert_memory_equal(&conf, &def, sizeof(def));
	for (at = file; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (at[0] == '#' && at[1] >= 'a' && at[1] <= 'z')
			at[0] = ' ';
	}
	assert_int_equal(
	    config_parse(file, strlen(file), &conf, &error), CDOP_OK);
	assert_memory_equal(&conf, &def, sizeof(def));
	free(file);
}

static void
a_reload_takes_what_it_may_and_names_the_rest(void **state)
{
	struct config fresh;
	char waiting[200], tiny[8];

	(void)state;
	assert_int_equal(parse(""), CDOP_OK);
	fresh = conf;
	config_reload(&conf, &fresh, waiting, sizeof(waiting));
	assert_string_equal(waiting, "");
	assert_int_equal(parse("data_dir = /other\nlog_level = error\n"
			       "gate_penalty_s = 5\nmap_size_gib = 1\n"
			       "listen = tcp 127.0.0.1:1\n"),
	    CDOP_OK);
	fresh = conf;
	assert_int_equal(parse(""), CDOP_OK);
	config_reload(&conf, &fresh, waiting, sizeof(waiting));
	assert_string_equal(waiting, "data_dir listen map_size_gib");
	assert_int_equal(conf.log_level, LOG_LEVEL_ERROR);
	assert_int_equal(conf.gate_penalty_s, 5);
	assert_string_equal(conf.data_dir, "/var/lib/cdopd");
	config_reload(&conf, &fresh, tiny, sizeof(tiny));
	assert_string_equal(tiny, "listen");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_gives_the_defaults),
	    cmocka_unit_test(values_blanks_and_comments_are_read),
	    cmocka_unit_test(what_is_wrong_is_named_by_line_and_key),
	    cmocka_unit_test(an_address_that_is_none_is_refused),
	    cmocka_unit_test(bounds_on_the_file_hold),
	    cmocka_unit_test(a_file_that_is_missing_or_too_long_is_refused),
	    cmocka_unit_test(what_is_printed_is_read_back_the_same),
	    cmocka_unit_test(the_example_file_is_what_the_program_says),
	    cmocka_unit_test(the_example_file_shows_the_defaults),
	    cmocka_unit_test(a_reload_takes_what_it_may_and_names_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
