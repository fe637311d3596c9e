/* Shares out of files and off keyboards; see share_read.h. */
#include "server/share_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/log.h"
#include "server/prompt.h"

#define CHARS     80
#define TYPED     400 /* with everything between the letters */
#define TRIES     5
#define LINE_ROOM 200

static enum cdop_err
parse(const char *what, struct cdop_bytes text, struct cdop_share *ret_share)
{
	size_t n = cdop_share_count(text);
	unsigned line, group;
	enum cdop_err err;

	err = cdop_share_parse(text, ret_share);
	if (err == CDOP_DATA_LOSS && cdop_share_slip(text, &line, &group))
		log_tell("%s: there is a slip in it: line %u of the letters, "
			 "group %u",
		    what, line, group);
	else if (err == CDOP_DATA_LOSS)
		log_tell("%s: there is a slip in it; compare it letter by "
			 "letter",
		    what);
	else if (err != CDOP_OK && n != CHARS)
		log_tell("%s: it has %zu letters and not %d", what, n, CHARS);
	else if (err != CDOP_OK)
		log_tell(
		    "%s: not a share, which has A to Z and 2 to 7 alone", what);
	return err;
}

enum cdop_err
share_read_file(const char *path, struct cdop_share *ret_share)
{
	uint8_t text[SHARE_READ_FILE_MAX];
	size_t len = 0;
	ssize_t n;
	enum cdop_err err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		log_tell("%s: %s", path, strerror(errno));
		return CDOP_NOT_FOUND;
	}
	do {
		n = read(fd, text + len, sizeof(text) - len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len < sizeof(text)) || (n < 0 && errno == EINTR));
	close(fd);
	err = parse(path, (struct cdop_bytes){text, len}, ret_share);
	cdop_secret_wipe(text, sizeof(text));
	return err;
}

/* Lines until there are enough letters.  CDOP_ABORTED: an empty one. */
static enum cdop_err
type(uint8_t text[static TYPED], size_t *ret_len)
{
	const char *prompt = "Share (an empty line ends): ";
	enum cdop_err err;
	size_t len = 0, n;

	while (TYPED - len > LINE_ROOM &&
	    cdop_share_count((struct cdop_bytes){text, len}) < CHARS) {
		err = prompt_terminal(prompt, text + len, LINE_ROOM - 1, &n);
		if (err != CDOP_OK)
			return err == CDOP_INVALID_ARGUMENT ? CDOP_ABORTED
							    : err;
		len += n;
		text[len++] = '\n';
		prompt = "and on: ";
	}
	*ret_len = len;
	return CDOP_OK;
}

/* One line in the place of the one with the slip. */
static enum cdop_err
type_again(unsigned line, char letters[static CHARS])
{
	uint8_t text[LINE_ROOM];
	char typed[CHARS + 1], prompt[40];
	enum cdop_err err;
	size_t len, n;

	(void)snprintf(prompt, sizeof(prompt), "Line %u again: ", line);
	err = prompt_terminal(prompt, text, sizeof(text), &len);
	if (err == CDOP_OK) {
		n = cdop_share_letters((struct cdop_bytes){text, len}, typed);
		if (n == CDOP_SHARE_LINE)
			memcpy(letters + (line - 1) * CDOP_SHARE_LINE, typed,
			    CDOP_SHARE_LINE);
		else
			log_tell("a line has %d letters, and this has %zu",
			    CDOP_SHARE_LINE, n);
		cdop_secret_wipe(typed, sizeof(typed));
	}
	cdop_secret_wipe(text, sizeof(text));
	return err == CDOP_INVALID_ARGUMENT ? CDOP_ABORTED : err;
}

/* All of it; where the line of a slip is known, that line alone again. */
static enum cdop_err
type_share(char letters[static CHARS + 1], struct cdop_share *ret_share)
{
	const struct cdop_bytes whole = {(const uint8_t *)letters, CHARS};
	uint8_t text[TYPED];
	unsigned line, group;
	enum cdop_err err;
	size_t len = 0;
	int tries;

	if ((err = type(text, &len)) == CDOP_OK) {
		(void)cdop_share_letters(
		    (struct cdop_bytes){text, len}, letters);
		err = parse(
		    "the share", (struct cdop_bytes){text, len}, ret_share);
	}
	cdop_secret_wipe(text, sizeof(text));
	for (tries = 0; err == CDOP_DATA_LOSS && tries < TRIES; tries++) {
		if (!cdop_share_slip(whole, &line, &group))
			break;
		if ((err = type_again(line, letters)) != CDOP_OK)
			return err;
		err = parse("the share", whole, ret_share);
	}
	return err;
}

enum cdop_err
share_read_terminal(struct cdop_share *ret_share)
{
	char letters[CHARS + 1];
	enum cdop_err err = CDOP_DATA_LOSS;
	int tries;

	for (tries = 0; tries < TRIES &&
	     (err == CDOP_DATA_LOSS || err == CDOP_INVALID_ARGUMENT);
	     tries++)
		err = type_share(letters, ret_share);
	cdop_secret_wipe(letters, sizeof(letters));
	if (err == CDOP_FAILED_PRECONDITION)
		log_tell("no terminal to ask for a share: --share-file FILE");
	return err;
}
