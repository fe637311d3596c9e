/*
 * Lines for operators: time, level, role, event word, key=value.
 *
 * Not the audit, and never a word of a case: the log may be read by whoever
 * runs the machine.  Everything goes to stderr, one write a line.
 */
#ifndef CDOP_BASE_LOG_H
#define CDOP_BASE_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Holds an event that a stranger can cause to so many lines a minute. */
struct log_limit {
	uint32_t per_minute;
	uint32_t used;
	uint32_t held;   /* swallowed since the last line */
	uint64_t minute; /* of CLOCK_MONOTONIC */
};

/*
 * Who speaks ("parent", "gate", "vault"; kept, not copied) and the least
 * urgent level that is written.
 */
void log_init(const char *role, enum log_level level);
void log_set_level(enum log_level level);

/* "error", "warning", "info" or "debug". */
const char *log_level_name(enum log_level level);

/*
 * One line.  event is a word of ours ("child.exit"); format is
 * "key=%s key=%d": the compiler checks the arguments, and every %s is
 * quoted where needed with each byte outside printable ASCII written as
 * \xHH, so that no value can make a second line, a second key or a
 * terminal sequence.  Known conversions: %s %.*s, and d i u x with the
 * sizes l ll z.  format may be NULL.  errno is left alone.
 */
__attribute__((format(printf, 2, 3))) void log_error(
    const char *event, const char *format, ...);
__attribute__((format(printf, 2, 3))) void log_warning(
    const char *event, const char *format, ...);
__attribute__((format(printf, 2, 3))) void log_info(
    const char *event, const char *format, ...);
__attribute__((format(printf, 2, 3))) void log_debug(
    const char *event, const char *format, ...);

/*
 * A sentence for the person who typed the command, "cdopd: ...", on stderr.
 * As printf, but foreign bytes in %s are escaped here too.
 */
__attribute__((format(printf, 1, 2))) void log_tell(const char *format, ...);

/* The usage of a verb, lines of the program's own, on stderr. */
void log_usage(const char *text);

/*
 * log_info for what a stranger can cause: silent once limit is used up; the
 * next line of a later minute is followed by how many were held.
 */
__attribute__((format(printf, 3, 4))) void log_limited(
    struct log_limit *limit, const char *event, const char *format, ...);

#endif
