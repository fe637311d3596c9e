/* A yes in words; see confirm.h. */
#include "server/confirm.h"

#include <stdio.h>
#include <string.h>

#include "server/base/log.h"

bool
confirm_understood(const char *given, const char *not_done)
{
	char line[64];

	if (given == NULL) {
		printf("Type \"" CONFIRM_UNDERSTAND "\": ");
		(void)fflush(stdout);
		if (fgets(line, sizeof(line), stdin) == NULL)
			line[0] = '\0';
		line[strcspn(line, "\n")] = '\0';
		given = line;
	}
	if (strcmp(given, CONFIRM_UNDERSTAND) == 0)
		return true;
	log_tell("not confirmed, %s; in a script: --confirm "
		 "\"" CONFIRM_UNDERSTAND "\"",
	    not_done);
	return false;
}
