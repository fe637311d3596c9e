/*
 * cdopd check: what is not right on this host, and how it is mended.  It opens
 * nothing, changes nothing and needs no key; what is inside the registry is
 * told by cdop status and cdopd verify.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/config.h"
#include "server/base/control.h"
#include "server/base/log.h"
#include "server/check.h"
#include "server/cmd.h"

#define EXIT_FOUND 16 /* as of verify */

static const char *const verdict_words[] = {
    [CHECK_NONE] = "none",
    [CHECK_FINE] = "fine",
    [CHECK_WARNING] = "warning",
    [CHECK_PROBLEM] = "problem",
};

/* Paths may hold what JSON does not. */
static void
print_json_string(const char *text)
{
	const unsigned char *c;

	(void)putchar('"');
	for (c = (const unsigned char *)text; *c != '\0'; c++)
		if (*c < 0x20 || *c == '"' || *c == '\\')
			(void)printf("\\u%04x", *c);
		else
			(void)putchar(*c);
	(void)putchar('"');
}

static void
print_json(const struct check *check, enum check_verdict verdict,
    const char *words, const char *next)
{
	(void)printf("{\"schema\":1,\"kind\":\"check\",\"name\":\"%s\","
		     "\"verdict\":\"%s\",\"words\":",
	    check->name, verdict_words[verdict]);
	print_json_string(words);
	if (verdict > CHECK_FINE) {
		(void)fputs(",\"next\":", stdout);
		print_json_string(next);
	}
	(void)puts("}");
}

static void
print_text(const struct check *check, enum check_verdict verdict,
    const char *words, const char *next)
{
	(void)printf(
	    "%-8s %-14s %s\n", verdict_words[verdict], check->name, words);
	if (verdict > CHECK_FINE)
		(void)printf("%-8s %-14s next: %s\n", "", "", next);
}

int
cmd_check(int argc, char **argv)
{
	static const char *const longs[] = {"json", NULL};
	enum check_verdict verdict, worst = CHECK_FINE;
	char words[CHECK_WORDS];
	struct check_scene scene;
	static struct config conf;
	const struct check *check;
	bool json[1] = {false};
	const char *path, *next;
	int status;

	status = cmd_config(argc, argv, longs, &conf, &path, json);
	if (status != CMD_OK)
		return status;
	check_scene_init(&scene, &conf);
	if (geteuid() != 0 && geteuid() != scene.uid) {
		log_tell("it is for root, or for the user that cdopd runs as: "
			 "nobody else sees enough");
		return CMD_FAILED;
	}
	for (check = check_table; check->name != NULL; check++) {
		words[0] = '\0';
		verdict = check->look(&scene, words);
		if (verdict > worst)
			worst = verdict;
		next = check_next(check, &scene);
		if (json[0])
			print_json(check, verdict, words, next);
		else if (verdict != CHECK_NONE)
			print_text(check, verdict, words, next);
	}
	return worst == CHECK_FINE ? CMD_OK : EXIT_FOUND;
}
