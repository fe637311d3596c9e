/* See quick.h. */
#include "tests/fuzz/lib/quick.h"

#include <sys/statvfs.h>
#include <unistd.h>

#define MEMORY "/dev/shm"
#define ENOUGH (256u << 20)

const char *
quick_top(void)
{
	struct statvfs fs;

	if (access(MEMORY, W_OK) != 0 || statvfs(MEMORY, &fs) != 0 ||
	    fs.f_bavail * fs.f_frsize < ENOUGH)
		return "/tmp";
	return MEMORY;
}
