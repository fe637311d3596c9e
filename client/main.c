/* cdop: the client of the case registry.  Everything is in cmd.c and below. */
#include "client/cmd.h"

int
main(int argc, char **argv)
{
	return cmd_main(argc, argv);
}
