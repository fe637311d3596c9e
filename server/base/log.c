/* One line a call to stderr, with every foreign byte made harmless. */
#include "server/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdop/date.h"
#include "server/base/clock.h"

#define LOG_LINE_MAX  1024
#define LOG_VALUE_MAX 300 /* bytes of a foreign value that are shown */
#define LOG_SPEC_MAX  16

/* A line that grows; what does not fit is left out, the newline always is. */
struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool is_prose; /* for a person: values stand without quotes */
};

static const char *log_role = "cdopd";
static enum log_level log_least = LOG_LEVEL_INFO;

void
log_init(const char *role, enum log_level level)
{
	log_role = role;
	log_least = level;
}

void
log_set_level(enum log_level level)
{
	log_least = level;
}

const char *
log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "unknown";
}

static void
line_char(struct line *line, char c)
{
	if (line->len < sizeof(line->text) - 1)
		line->text[line->len++] = c;
}

static void
line_text(struct line *line, const char *s)
{
	while (*s != '\0')
		line_char(line, *s++);
}

/* Bytes that can stand in a value without quotes. */
static bool
is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static void
line_byte(struct line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	/* Between quotes of its own alone a quote has to be told apart. */
	if ((c == '"' && !line->is_prose) || c == '\\') {
		line_char(line, '\\');
		line_char(line, (char)c);
	} else if (c >= ' ' && c < 0x7f) {
		line_char(line, (char)c);
	} else {
		line_text(line, "\\x");
		line_char(line, hex[c >> 4]);
		line_char(line, hex[c & 15]);
	}
}

static void
line_value(struct line *line, const char *s, size_t max)
{
	bool plain = true;
	size_t len, i;

	if (s == NULL)
		s = "";
	len = strnlen(s, max < LOG_VALUE_MAX ? max : LOG_VALUE_MAX);
	for (i = 0; i < len; i++)
		plain = plain && is_plain((unsigned char)s[i]);
	plain = (plain && len > 0) || line->is_prose;
	if (!plain)
		line_char(line, '"');
	for (i = 0; i < len; i++)
		line_byte(line, (unsigned char)s[i]);
	if (!plain)
		line_char(line, '"');
}

/* How many bytes a number takes: d and u of int, l, ll, z. */
static void
line_number(struct line *line, const char *spec, char size, va_list *args)
{
	char text[32];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (size == 'l')
		snprintf(text, sizeof(text), spec, va_arg(*args, long));
	else if (size == 'L') /* NOLINT(bugprone-branch-clone): types differ */
		snprintf(text, sizeof(text), spec, va_arg(*args, long long));
	else if (size == 'z')
		snprintf(text, sizeof(text), spec, va_arg(*args, size_t));
	else
		snprintf(text, sizeof(text), spec, va_arg(*args, int));
#pragma GCC diagnostic pop
	line_text(line, text);
}

/* One conversion; f points behind the %.  Returns what follows it. */
static const char *
line_convert(struct line *line, const char *f, va_list *args)
{
	char spec[LOG_SPEC_MAX] = "%";
	size_t n = 1, max = SIZE_MAX;
	char size = 'i';
	int precision;

	if (strncmp(f, ".*s", 3) == 0) {
		precision = va_arg(*args, int);
		max = precision < 0 ? SIZE_MAX : (size_t)precision;
		f += 2;
	}
	if (*f == 's') {
		line_value(line, va_arg(*args, const char *), max);
		return f + 1;
	}
	while (*f != '\0' && strchr("diux", *f) == NULL) {
		if (*f == 'l')
			size = size == 'l' ? 'L' : 'l';
		else if (*f == 'z')
			size = 'z';
		if (n < sizeof(spec) - 2)
			spec[n++] = *f;
		f++;
	}
	if (*f == '\0')
		return f;
	spec[n] = *f;
	line_number(line, spec, size, args);
	return f + 1;
}

static void
line_format(struct line *line, const char *format, va_list *args)
{
	while (*format != '\0') {
		if (*format != '%')
			line_char(line, *format++);
		else
			format = line_convert(line, format + 1, args);
	}
}

/* "2026-11-20T08:15:30.123Z " */
static void
line_time(struct line *line)
{
	uint64_t now_ms = clock_wall_ms();
	unsigned second = (unsigned)(now_ms / 1000 % 86400);
	struct cdop_date date = cdop_date_utc(now_ms);
	char text[48];

	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ",
	    date.year, date.month, date.day, (int)(second / 3600),
	    (int)(second / 60 % 60), (int)(second % 60), (int)(now_ms % 1000));
	line_text(line, text);
}

static void
line_head(struct line *line, enum log_level level, const char *event)
{
	line_time(line);
	line_text(line, log_level_name(level));
	line_char(line, ' ');
	line_text(line, log_role);
	line_char(line, ' ');
	line_text(line, event);
}

/* A log that cannot be written must not stop the registry. */
static void
line_out(struct line *line)
{
	line->text[line->len++] = '\n';
	if (write(STDERR_FILENO, line->text, line->len) < 0)
		errno = 0;
}

__attribute__((format(printf, 3, 0))) static void
log_write(
    enum log_level level, const char *event, const char *format, va_list *args)
{
	struct line line;
	int saved = errno;

	line.len = 0;
	line.is_prose = false;
	line_head(&line, level, event);
	if (format != NULL) {
		line_char(&line, ' ');
		line_format(&line, format, args);
	}
	line_out(&line);
	errno = saved;
}

void
log_tell(const char *format, ...)
{
	struct line line;
	va_list args;

	line.len = 0;
	line.is_prose = true;
	line_text(&line, "cdopd: ");
	va_start(args, format);
	line_format(&line, format, &args);
	va_end(args);
	line_out(&line);
}

void
log_usage(const char *text)
{
	(void)fprintf(stderr, "%s\n", text);
}

void
log_error(const char *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write(LOG_LEVEL_ERROR, event, format, &args);
	va_end(args);
}

void
log_warning(const char *event, const char *format, ...)
{
	va_list args;

	if (log_least < LOG_LEVEL_WARNING)
		return;
	va_start(args, format);
	log_write(LOG_LEVEL_WARNING, event, format, &args);
	va_end(args);
}

void
log_info(const char *event, const char *format, ...)
{
	va_list args;

	if (log_least < LOG_LEVEL_INFO)
		return;
	va_start(args, format);
	log_write(LOG_LEVEL_INFO, event, format, &args);
	va_end(args);
}

void
log_debug(const char *event, const char *format, ...)
{
	va_list args;

	if (log_least < LOG_LEVEL_DEBUG)
		return;
	va_start(args, format);
	log_write(LOG_LEVEL_DEBUG, event, format, &args);
	va_end(args);
}

void
log_limited(struct log_limit *limit, const char *event, const char *format, ...)
{
	uint64_t minute;
	va_list args;

	if (log_least < LOG_LEVEL_INFO)
		return;
	minute = clock_ms() / 60000;
	if (limit->minute != minute) {
		limit->minute = minute;
		limit->used = 0;
	}
	if (limit->used >= limit->per_minute) {
		limit->held++;
		return;
	}
	limit->used++;
	va_start(args, format);
	log_write(LOG_LEVEL_INFO, event, format, &args);
	va_end(args);
	if (limit->held > 0)
		log_info("log.held", "event=%s held=%u", event, limit->held);
	limit->held = 0;
}
