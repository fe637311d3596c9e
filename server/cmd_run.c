/* cdopd run: the parent. */
#include "server/base/log.h"
#include "server/base/parent.h"
#include "server/cmd.h"
#include "server/kdf.h"
#include "server/workplace.h"

int
cmd_run(int argc, char **argv)
{
	struct parent_args args = {.unseal = kdf_run};
	static struct config conf;
	int status;

	status = cmd_config(argc, argv, NULL, &conf, &args.conf_path, NULL);
	if (status != CMD_OK)
		return status;
	args.conf = &conf;
	log_init("parent", (enum log_level)conf.log_level);
	workplace_sweep(conf.data_dir, "restore");
	return parent_run(&args);
}
