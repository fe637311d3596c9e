/* The table of keys, and what is made of it: parser, printer, example. */
#include "server/base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdop/limits.h"
#include "server/base/address.h"
#include "server/base/log.h"

#define CONFIG_LINE_MAX 512

enum config_type {
	CONFIG_PATH,   /* absolute, or empty */
	CONFIG_WORD,   /* letters, digits, - and _, or empty */
	CONFIG_LISTEN, /* address_parse; may be given several times */
	CONFIG_NUMBER,
	CONFIG_MODE, /* octal */
	CONFIG_LEVEL,
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t offset;
	uint32_t min;
	uint32_t max;
	const char *def; /* in the words of the file */
	bool reloadable;
	const char *help;
};

#define AT(member) offsetof(struct config, member)

static const struct config_key config_keys[] = {
    {"data_dir", CONFIG_PATH, AT(data_dir), 0, 0, "/var/lib/cdopd", false,
	"the registry: one LMDB environment, mode 0700"},
    {"run_dir", CONFIG_PATH, AT(run_dir), 0, 0, "/run/cdopd", false,
	"sockets that last as long as the daemon"},
    {"key_file", CONFIG_PATH, AT(key_file), 0, 0, "", false,
	"32 bytes that open a key file slot; without it the registry starts "
	"sealed and waits for cdopd unseal"},
    {"boot_key_file", CONFIG_PATH, AT(boot_key_file), 0, 0, "", false,
	"32 bytes outside data_dir that let custodians submit their shares "
	"over the link while the registry is sealed; they open nothing"},
    {"anchor_dir", CONFIG_PATH, AT(anchor_dir), 0, 0, "", false,
	"a directory outside data_dir for the anchor against a rolled back "
	"registry"},
    {"metrics_file", CONFIG_PATH, AT(metrics_file), 0, 0, "", true,
	"a file that is written anew every ten seconds, for the textfile "
	"collector of a Prometheus node exporter; it counts, and names nobody"},
    {"user", CONFIG_WORD, AT(user), 0, 0, "", false,
	"become this user when started as root"},
    {"listen", CONFIG_LISTEN, AT(listen), 0, 0, "unix link.sock", false,
	"tcp 192.0.2.1:4433, tcp [::1]:4433 or unix PATH (in run_dir unless "
	"absolute); may be given 8 times; port 0 is chosen by the kernel"},
    {"socket_mode", CONFIG_MODE, AT(socket_mode), 0, 0777, "0660", false,
	"permissions of Unix sockets to listen on"},
    {"map_size_gib", CONFIG_NUMBER, AT(map_size_gib), 1, 4096, "64", false,
	"address space for the registry; disk is taken as it grows"},
    {"reserve_mib", CONFIG_NUMBER, AT(reserve_mib), 0, 1016, "64", false,
	"kept on the disk of data_dir, in the file reserve: when the disk is "
	"full the log goes on in it"},
    {"log_level", CONFIG_LEVEL, AT(log_level), 0, 0, "info", true,
	"error, warning, info or debug"},
    {"gate_connections", CONFIG_NUMBER, AT(gate_connections), 1,
	CDOP_GATE_CONNS_MAX, "1024", true, "connections at a time"},
    {"gate_half_open", CONFIG_NUMBER, AT(gate_half_open), 1,
	CDOP_GATE_CONNS_MAX, "128", true,
	"of these in their handshake; the oldest makes room"},
    {"gate_source_connections", CONFIG_NUMBER, AT(gate_source_connections), 1,
	CDOP_GATE_CONNS_MAX, "64", true,
	"connections from one address (IPv6: one /64, Unix: one user)"},
    {"gate_source_handshakes", CONFIG_NUMBER, AT(gate_source_handshakes), 0,
	1000000, "600", true, "handshakes a minute from one address; 0: any"},
    {"gate_source_garbage", CONFIG_NUMBER, AT(gate_source_garbage), 0, 1000000,
	"30", true,
	"connections a minute from one address that are no handshake, before "
	"it is refused for gate_penalty_s; 0: any"},
    {"gate_penalty_s", CONFIG_NUMBER, AT(gate_penalty_s), 1, 86400, "60", true,
	"seconds for which an address that sends garbage is refused"},
    {"handshake_s", CONFIG_NUMBER, AT(handshake_s), 1, CDOP_HANDSHAKE_S, "10",
	true, "seconds for a whole handshake"},
    {"idle_s", CONFIG_NUMBER, AT(idle_s), 1, CDOP_IDLE_S, "900", true,
	"seconds after which a silent connection is closed"},
    {"stop_s", CONFIG_NUMBER, AT(stop_s), 1, 300, "20", true,
	"seconds for an orderly stop"},
    {"restarts", CONFIG_NUMBER, AT(restarts), 0, 100, "5", true,
	"deaths of gate or vault in a minute after which cdopd gives up"},
    {"clock_day", CONFIG_NUMBER, AT(clock_day), 0, 21991231, "0", false,
	"where the clock is right and over 90 days ahead of the last entry "
	"in the log, because the registry stood still: the day it is, "
	"YYYYMMDD; 0: a clock like that is not gone by"},
};

#define N_KEYS (sizeof(config_keys) / sizeof(config_keys[0]))

static const enum log_level levels[] = {
    LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};

__attribute__((format(printf, 2, 3))) static void
say(struct config_error *ret_error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_error->text, sizeof(ret_error->text), format, args);
	va_end(args);
}

static char *
text_at(struct config *conf, const struct config_key *key)
{
	return (char *)conf + key->offset;
}

static uint32_t *
number_at(struct config *conf, const struct config_key *key)
{
	return (uint32_t *)(void *)((char *)conf + key->offset);
}

static const struct config_key *
find_key(const char *name)
{
	size_t i;

	for (i = 0; i < N_KEYS; i++) {
		if (strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	}
	return NULL;
}

static bool
set_text(struct config *conf, const struct config_key *key, const char *value,
    size_t max)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = strlen(value);

	if (len >= max)
		return false;
	if (key->type == CONFIG_PATH && len > 0 && value[0] != '/')
		return false;
	if (key->type == CONFIG_WORD && strspn(value, word) != len)
		return false;
	memset(text_at(conf, key), 0, max); /* compared whole on a reload */
	memcpy(text_at(conf, key), value, len);
	return true;
}

static bool
set_listen(struct config *conf, const char *value)
{
	struct address address;

	if (conf->n_listen >= CONFIG_LISTEN_MAX)
		return false;
	if (strlen(value) >= sizeof(conf->listen[0]))
		return false;
	/* Checked again with run_dir when it is bound. */
	if (address_parse(value, "", &address) != CDOP_OK)
		return false;
	memcpy(conf->listen[conf->n_listen++], value, strlen(value) + 1);
	return true;
}

static bool
set_number(struct config *conf, const struct config_key *key, const char *value,
    int base)
{
	size_t len = strlen(value);
	unsigned long v;

	if (len == 0 || len > 9)
		return false;
	if (strspn(value, base == 8 ? "01234567" : "0123456789") != len)
		return false;
	v = strtoul(value, NULL, base);
	if (v < key->min || v > key->max)
		return false;
	*number_at(conf, key) = (uint32_t)v;
	return true;
}

static bool
set_level(struct config *conf, const struct config_key *key, const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(value, log_level_name(levels[i])) == 0) {
			*number_at(conf, key) = levels[i];
			return true;
		}
	}
	return false;
}

static bool
set_value(struct config *conf, const struct config_key *key, const char *value)
{
	switch (key->type) {
	case CONFIG_PATH:
		return set_text(conf, key, value, CONFIG_PATH_MAX);
	case CONFIG_WORD:
		return set_text(conf, key, value, CONFIG_WORD_MAX);
	case CONFIG_LISTEN:
		return set_listen(conf, value);
	case CONFIG_NUMBER:
		return set_number(conf, key, value, 10);
	case CONFIG_MODE:
		return set_number(conf, key, value, 8);
	case CONFIG_LEVEL:
		return set_level(conf, key, value);
	}
	return false;
}

void
config_init(struct config *ret_conf)
{
	size_t i;

	memset(ret_conf, 0, sizeof(*ret_conf));
	for (i = 0; i < N_KEYS; i++)
		CDOP_ASSERT(
		    set_value(ret_conf, &config_keys[i], config_keys[i].def));
}

/* What a person sees of the bounds of a key. */
static void
say_value(
    struct config_error *ret_error, size_t line, const struct config_key *key)
{
	if (key->type == CONFIG_NUMBER)
		say(ret_error, "line %zu: %s: a number from %u to %u", line,
		    key->name, key->min, key->max);
	else if (key->type == CONFIG_PATH)
		say(ret_error, "line %zu: %s: an absolute path", line,
		    key->name);
	else
		say(ret_error, "line %zu: %s: not a good value (%s)", line,
		    key->name, key->help);
}

static char *
trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]) != NULL)
		end--;
	*end = '\0';
	return s;
}

/* One line without its newline; seen[] tells which keys stood before. */
static enum cdop_err
parse_line(char *text, size_t line, struct config *conf, bool seen[N_KEYS],
    struct config_error *ret_error)
{
	const struct config_key *key;
	char *name = trim(text);
	char *equals;
	bool *seen_key;

	if (*name == '\0' || *name == '#')
		return CDOP_OK;
	if ((equals = strchr(name, '=')) == NULL) {
		say(ret_error, "line %zu: not of the form key = value", line);
		return CDOP_INVALID_ARGUMENT;
	}
	*equals = '\0';
	name = trim(name);
	if ((key = find_key(name)) == NULL) {
		say(ret_error, "line %zu: unknown key \"%.40s\"", line, name);
		return CDOP_INVALID_ARGUMENT;
	}
	seen_key = &seen[key - config_keys];
	if (*seen_key && key->type != CONFIG_LISTEN) {
		say(ret_error, "line %zu: %s is given twice", line, name);
		return CDOP_INVALID_ARGUMENT;
	}
	if (!*seen_key && key->type == CONFIG_LISTEN) {
		conf->n_listen = 0; /* the default goes */
		memset(conf->listen, 0, sizeof(conf->listen));
	}
	*seen_key = true;
	if (!set_value(conf, key, trim(equals + 1))) {
		say_value(ret_error, line, key);
		return CDOP_INVALID_ARGUMENT;
	}
	return CDOP_OK;
}

/* What no single key can tell. */
static enum cdop_err
check_whole(const struct config *conf, struct config_error *ret_error)
{
	struct address address;
	size_t i;

	if (conf->data_dir[0] == '\0' || conf->run_dir[0] == '\0') {
		say(ret_error, "data_dir and run_dir must not be empty");
		return CDOP_INVALID_ARGUMENT;
	}
	for (i = 0; i < conf->n_listen; i++) {
		if (address_parse(conf->listen[i], conf->run_dir, &address) ==
		    CDOP_OK)
			continue;
		say(ret_error, "listen: path too long in run_dir");
		return CDOP_INVALID_ARGUMENT;
	}
	return CDOP_OK;
}

enum cdop_err
config_parse(const char *text, size_t len, struct config *ret_conf,
    struct config_error *ret_error)
{
	const char *end = text + len, *newline;
	char line[CONFIG_LINE_MAX];
	bool seen[N_KEYS] = {false};
	struct config conf;
	enum cdop_err err;
	size_t n, i;

	config_init(&conf);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3; /* some editors put it there */
	for (i = 1; text < end; i++, text = newline + 1) {
		newline = memchr(text, '\n', (size_t)(end - text));
		newline = newline != NULL ? newline : end;
		n = (size_t)(newline - text);
		if (n >= sizeof(line) || memchr(text, '\0', n) != NULL) {
			say(ret_error, "line %zu: too long, or not text", i);
			return CDOP_INVALID_ARGUMENT;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		err = parse_line(line, i, &conf, seen, ret_error);
		if (err != CDOP_OK)
			return err;
	}
	if ((err = check_whole(&conf, ret_error)) != CDOP_OK)
		return err;
	*ret_conf = conf;
	return CDOP_OK;
}

/* A daemon reads it again: a pipe would keep it waiting for ever. */
static int
open_file(const char *path, struct config_error *ret_error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	say(ret_error, "%s", fd < 0 ? strerror(errno) : "not a regular file");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* At most max bytes of a file; *ret_len is max + 1 where there are more. */
static enum cdop_err
read_file(const char *path, char *buf, size_t max, size_t *ret_len,
    struct config_error *ret_error)
{
	int fd = open_file(path, ret_error);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return CDOP_NOT_FOUND;
	do {
		n = read(fd, buf + len, max + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		say(ret_error, "%s", strerror(errno));
	close(fd);
	*ret_len = len;
	return n < 0 ? CDOP_NOT_FOUND : CDOP_OK;
}

enum cdop_err
config_load(
    const char *path, struct config *ret_conf, struct config_error *ret_error)
{
	static char text[CDOP_CONFIG_FILE_MAX + 1];
	enum cdop_err err;
	size_t len;

	err = read_file(path, text, CDOP_CONFIG_FILE_MAX, &len, ret_error);
	if (err != CDOP_OK)
		return err;
	if (len > CDOP_CONFIG_FILE_MAX) {
		say(ret_error, "longer than %u bytes", CDOP_CONFIG_FILE_MAX);
		return CDOP_INVALID_ARGUMENT;
	}
	return config_parse(text, len, ret_conf, ret_error);
}

static void
print_value(const struct config *conf, const struct config_key *key, FILE *out)
{
	const char *at = (const char *)conf + key->offset;
	uint32_t number;
	size_t i;

	memcpy(&number, at, sizeof(number));
	switch (key->type) {
	case CONFIG_PATH:
	case CONFIG_WORD:
		fprintf(out, "%s = %s\n", key->name, at);
		break;
	case CONFIG_LISTEN:
		for (i = 0; i < conf->n_listen; i++)
			fprintf(out, "%s = %s\n", key->name, conf->listen[i]);
		break;
	case CONFIG_NUMBER:
		fprintf(out, "%s = %u\n", key->name, number);
		break;
	case CONFIG_MODE:
		fprintf(out, "%s = %04o\n", key->name, number);
		break;
	case CONFIG_LEVEL:
		fprintf(out, "%s = %s\n", key->name,
		    log_level_name((enum log_level)number));
		break;
	}
}

void
config_print(const struct config *conf, FILE *out)
{
	size_t i;

	for (i = 0; i < N_KEYS; i++)
		print_value(conf, &config_keys[i], out);
}

/* Help, broken at 76 columns. */
static void
print_help(const char *help, FILE *out)
{
	size_t column = 0, len;

	for (; *help != '\0'; help += len + strspn(help + len, " ")) {
		len = strcspn(help, " ");
		if (column == 0 || column + 1 + len > 76) {
			fprintf(out, "%s# ", column == 0 ? "" : "\n");
			column = 1;
		} else {
			fputc(' ', out);
		}
		fprintf(out, "%.*s", (int)len, help);
		column += 1 + len;
	}
	fputc('\n', out);
}

void
config_print_example(FILE *out)
{
	const struct config_key *key;
	size_t i;

	fputs("# cdopd.conf: every key with its default.  Lines are\n"
	      "# key = value; unknown keys are refused.  cdopd -T prints what\n"
	      "# is in force.  (r): read again on SIGHUP.\n",
	    out);
	for (i = 0; i < N_KEYS; i++) {
		key = &config_keys[i];
		fputc('\n', out);
		print_help(key->help, out);
		if (key->type == CONFIG_NUMBER)
			fprintf(out, "# %u to %u\n", key->min, key->max);
		if (key->reloadable)
			fputs("# (r)\n", out);
		fprintf(out, "#%s =%s%s\n", key->name,
		    key->def[0] != '\0' ? " " : "", key->def);
	}
}

static size_t
size_of(const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_PATH:
		return CONFIG_PATH_MAX;
	case CONFIG_WORD:
		return CONFIG_WORD_MAX;
	case CONFIG_LISTEN:
		return sizeof(((struct config *)NULL)->listen);
	case CONFIG_NUMBER:
	case CONFIG_MODE:
	case CONFIG_LEVEL:
		return sizeof(uint32_t);
	}
	return 0;
}

/* Adds a word to a list of them; one that does not fit is left out. */
static void
add_word(char *list, size_t size, const char *word)
{
	size_t len = strlen(list), n = strlen(word);

	if (len + 1 + n >= size)
		return;
	if (len > 0)
		list[len++] = ' ';
	memcpy(list + len, word, n + 1);
}

void
config_reload(struct config *conf, const struct config *fresh,
    char *ret_waiting, size_t size)
{
	const struct config_key *key;
	const char *from;
	size_t i;
	char *to;

	ret_waiting[0] = '\0';
	for (i = 0; i < N_KEYS; i++) {
		key = &config_keys[i];
		from = (const char *)fresh + key->offset;
		to = (char *)conf + key->offset;
		if (key->reloadable)
			memcpy(to, from, size_of(key));
		else if (memcmp(to, from, size_of(key)) != 0)
			add_word(ret_waiting, size, key->name);
	}
}
