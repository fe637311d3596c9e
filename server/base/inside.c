/* By the whole paths, as the system has them. */
#include "server/base/inside.h"

#include <stdlib.h>
#include <string.h>

enum cdop_err
inside_dir(const char *path, const char *dir, bool *ret_inside)
{
	char *in = realpath(path, NULL), *data = realpath(dir, NULL);
	enum cdop_err err = CDOP_NOT_FOUND;
	size_t len;

	if (in != NULL && data != NULL) {
		len = strlen(data);
		*ret_inside = strncmp(in, data, len) == 0 &&
		    (in[len] == '\0' || in[len] == '/');
		err = CDOP_OK;
	}
	free(in);
	free(data);
	return err;
}
