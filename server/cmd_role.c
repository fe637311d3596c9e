/* What the parent starts: the gate and the vault, each in its own walls. */
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "server/base/child.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/base/signals.h"
#include "server/cmd.h"
#include "server/cycle/vault.h"
#include "server/gate/gate.h"

/* Not a verb for people. */
static bool
role_start(const char *role, struct control_start *ret_start)
{
	char name[16]; /* in ps */

	log_init(role, LOG_LEVEL_INFO);
	snprintf(name, sizeof(name), "cdopd-%s", role);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
	if (!child_start(ret_start)) {
		log_tell("%s is started by cdopd run", role);
		return false;
	}
	log_set_level((enum log_level)ret_start->conf.log_level);
	signals_ignore();
	return sandbox_harden() == CDOP_OK;
}

int
cmd_role_gate(int argc, char **argv)
{
	static struct control_start start;
	static struct gate_args args;
	uint32_t i;

	(void)argv;
	if (argc != 1 || !role_start("gate", &start))
		return CMD_USAGE;
	args.control = CONTROL_FD;
	args.link = CONTROL_LINK_FD;
	args.first_conn = start.first_conn;
	args.conf = &start.conf;
	args.n_listen = start.n_listen;
	for (i = 0; i < start.n_listen; i++)
		args.listen[i] = CONTROL_LISTEN_FD + (int)i;
	return gate_main(&args);
}

int
cmd_role_vault(int argc, char **argv)
{
	static struct control_start start;
	struct vault_fds fds = {.control = CONTROL_FD,
	    .link = CONTROL_LINK_FD,
	    .key = -1,
	    .credential = -1,
	    .boot = -1};
	void *page;

	(void)argv;
	if (argc != 1 || !role_start("vault", &start))
		return CMD_USAGE;
	page = mmap(NULL, sizeof(*fds.note), PROT_READ | PROT_WRITE, MAP_SHARED,
	    CONTROL_NOTE_FD, 0);
	if (page == MAP_FAILED)
		return CMD_FAILED;
	fds.note = page;
	fds.link_number = start.link;
	fds.key = start.has_key != 0 ? CONTROL_KEY_FD : -1;
	fds.credential = start.has_credential != 0 ? CONTROL_CREDENTIAL_FD : -1;
	fds.boot = start.has_boot != 0 ? CONTROL_BOOT_FD : -1;
	fds.held_back = start.held_back;
	return vault_main(&start.conf, &fds);
}
