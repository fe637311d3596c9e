/* The verbs, and the folders that they begin with; see verbs.h. */
#include "tests/fault/verbs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/control.h"
#include "server/base/undo.h"
#include "server/cmd.h"
#include "server/cycle/vault.h"
#include "server/offline.h"
#include "server/registry/actor.h"
#include "server/registry/backups.h"
#include "server/registry/checkpoints.h"
#include "server/registry/registry.h"
#include "server/vault/rows.h"
#include "tests/fault/say.h"
#include "tests/fault/shim.h"

#define ARGS_MAX 32
#define TURNS    5

static char top[48], folder[64];

const char *
verbs_folder(void)
{
	return folder;
}

static const char *
path_of(const char *in, const char *name)
{
	static char paths[16][VERBS_PATH];
	static size_t i;
	char *path = paths[i++ % 16];

	(void)snprintf(path, VERBS_PATH, "%s/%s", in, name);
	return path;
}

const char *
verbs_path(const char *name)
{
	return path_of(folder, name);
}

const char *
verbs_outside(const char *name)
{
	return path_of(top, name);
}

/* ---- verbs -------------------------------------------------------------- */

/* "@name" stands for a path in the folder. */
static int
say(cmd_fn *fn, const char *const words[])
{
	char *argv[ARGS_MAX];
	int n;

	for (n = 0; words[n] != NULL && n < ARGS_MAX; n++)
		argv[n] = (char *)(uintptr_t)(words[n][0] == '@'
			? verbs_path(words[n] + 1)
			: words[n]);
	return fn(n, argv);
}

#define SAY(fn, ...) say(fn, (const char *const[]){__VA_ARGS__, NULL})

static int
init(void)
{
	char key[VERBS_PATH];

	(void)snprintf(key, sizeof(key), "keyfile:%s", verbs_path("key"));
	return SAY(cmd_init, "init", "@data", "--mode", "training", "--profile",
	    "packaging/profiles/merseyside.conf", "--slot", key, "--slot",
	    "passphrase", "--passphrase-file", "@pass", "--kdf-memory", "8",
	    "--kdf-passes", "1", "--address", "localhost:7443", "--admin",
	    "Ada Admin", "--admin", "Bob Admin", "--out", "@out", "--degraded",
	    "--yes-i-understand");
}

static int
slot_key_file(void)
{
	return SAY(cmd_slot, "slot", "add", "@data", "--by", "Ada Admin",
	    "--new-key-file", "@key2", "--degraded", "--key-file", "@key");
}

static int
slot_shares(void)
{
	return SAY(cmd_slot, "slot", "add", "@data", "--by", "Ada Admin",
	    "--new-shares", "2/4", "--out", "@shares2", "--key-file", "@key");
}

static int
slot_test(void)
{
	return SAY(cmd_slot, "slot", "test", "@data", "--share-file",
	    "@shares/share-1.txt", "--share-file", "@shares/share-2.txt");
}

static int
slot_remove(void)
{
	return SAY(cmd_slot, "slot", "remove", "@data", "--slot", "2", "--by",
	    "Ada Admin", "--reason", "it was seen", "--key-file", "@key");
}

static int
slot_list(void)
{
	return SAY(cmd_slot, "slot", "list", "@data", "--key-file", "@key");
}

static int
slot_sheet(void)
{
	return SAY(cmd_slot, "slot", "sheet", "@data", "--out",
	    "@out/sheet.txt", "--key-file", "@key");
}

static int
verify(void)
{
	return SAY(cmd_verify, "verify", "@data", "--key-file", "@key");
}

static int
verify_backup(void)
{
	(void)setenv("TMPDIR", folder, 1);
	return SAY(cmd_verify, "verify", "@backup", "--share-file",
	    "@shares/share-1.txt", "--share-file", "@shares/share-2.txt");
}

static int
restore(void)
{
	return SAY(cmd_restore, "restore", "@backup", "@restored", "--by",
	    "Olga Operator", "--reason", "the disk broke", "--suspend",
	    "Bob Admin", "--share-file", "@shares/share-1.txt", "--share-file",
	    "@shares/share-2.txt");
}

static int
renew_root(void)
{
	return SAY(cmd_renew, "renew-root", "@data", "--by", "Ada Admin",
	    "--reason", "the key file was copied", "--out", "@shares2",
	    "--new-key-file", "@key2", "--new-shares", "2/4", "--degraded",
	    "--key-file", "@key");
}

static int
recover_people(void)
{
	return SAY(cmd_recover, "recover-people", "@data", "--by", "Ada Admin",
	    "--by", "Bob Admin", "--reason", "both have left", "--admin",
	    "Carl Admin", "--admin", "Dora Admin", "--address",
	    "localhost:7443", "--key-file", "@key", "--out", "@out");
}

/* Of a log that is longer than this one: see newest(). */
static int
accept_rollback(void)
{
	return SAY(cmd_accept, "accept-rollback", "@data", "--by",
	    "Olga Operator", "--reason", "the disk broke", "--suspend",
	    "Bob Admin", "--anchor", "@newest", "--key-file", "@key");
}

/* Where nothing says that it is older. */
static int
accept_asked(void)
{
	return SAY(cmd_accept, "accept-rollback", "@data", "--by",
	    "Olga Operator", "--reason", "the disk broke", "--confirm",
	    "I understand", "--key-file", "@key");
}

static int
check(void)
{
	return SAY(cmd_check, "check", "-f", "@conf");
}

/* ---- the start of the vault --------------------------------------------- */

/* The parent's end of its channel; everything is said between its turns. */
static int parent_end;
static bool was_open;

/* A few turns, and then it has to stop: as many on every machine. */
static void
before_turn(unsigned n)
{
	const struct cdop_bytes none = {NULL, 0};
	static struct control_msg msg;

	while (control_recv(parent_end, &msg) == CDOP_OK)
		was_open = was_open ||
		    (msg.kind == CONTROL_READY &&
			strncmp((const char *)msg.body, "setup", 5) == 0);
	must(control_send(
		 parent_end, n < TURNS ? CONTROL_PING : CONTROL_STOP, none, -1),
	    "a word to the vault");
}

static int
start(void)
{
	static struct config conf;
	static struct control_note note;
	struct vault_fds fds = {.credential = -1, .boot = -1, .note = &note};
	int control[2], link[2], status;

	shim_off();
	config_init(&conf);
	(void)snprintf(
	    conf.data_dir, sizeof(conf.data_dir), "%s", verbs_path("data"));
	(void)snprintf(conf.anchor_dir, sizeof(conf.anchor_dir), "%s",
	    verbs_path("anchor"));
	conf.map_size_gib = 1;
	conf.reserve_mib = 1;
	must(control_pair(control), "a control channel");
	must(control_pair(link), "a link");
	parent_end = control[1];
	shim_poll(before_turn);
	fds.control = control[0];
	fds.link = link[0];
	fds.key = open(verbs_path("key"), O_RDONLY | O_CLOEXEC);
	shim_on();
	status = vault_main(&conf, &fds);
	shim_off();
	(void)close(fds.key);
	if (status == 0 && !was_open)
		broken("it stops well, and was never open");
	return status;
}

const struct verb verbs[] = {
    {.name = "init",
	.run = init,
	.is_first = true,
	.leaves = {"data", "out", "key"}},
    {.name = "slot add, key file", .run = slot_key_file, .leaves = {"key2"}},
    {.name = "slot add, shares", .run = slot_shares, .leaves = {"shares2"}},
    {.name = "slot test", .run = slot_test},
    {.name = "slot remove", .run = slot_remove},
    {.name = "slot list", .run = slot_list, .only_looks = true},
    {.name = "slot sheet", .run = slot_sheet, .leaves = {"out/sheet.txt"}},
    {.name = "verify", .run = verify, .only_looks = true},
    {.name = "verify of a backup", .run = verify_backup, .only_looks = true},
    {.name = "restore", .run = restore},
    {.name = "renew-root",
	.run = renew_root,
	.in_steps = true,
	.leaves = {"key2", "shares2"}},
    {.name = "recover-people",
	.run = recover_people,
	.adds = true,
	.leaves = {"out/recovery-invitation-1.txt",
	    "out/recovery-invitation-2.txt"}},
    {.name = "check", .run = check, .only_looks = true},
    {.name = "start of the vault", .run = start, .in_steps = true},
    {.name = "accept-rollback", .run = accept_rollback},
    {.name = "accept-rollback, asked", .run = accept_asked, .adds = true},
};

const size_t n_verbs = sizeof(verbs) / sizeof(verbs[0]);

/* ---- folders ------------------------------------------------------------ */

__attribute__((format(printf, 1, 2))) static void
shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	require(system(command) == 0, command);
}

static void
write_file(const char *name, const char *text)
{
	FILE *out = fopen(verbs_path(name), "we");

	require(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0, name);
}

/* Words of an operator's are not looked at while it is made. */
static void
make_with(int (*run)(void))
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	require(pid != -1, "a process");
	if (pid == 0) {
		say_hush();
		_exit(run());
	}
	require(waitpid(pid, &status, 0) == pid && status == 0,
	    "a verb without a fault");
}

static int
shares(void)
{
	return SAY(cmd_slot, "slot", "add", "@data", "--by", "Ada Admin",
	    "--new-shares", "2/4", "--out", "@shares", "--key-file", "@key");
}

static void
in_a_batch(
    struct offline *offline, uint32_t *number, struct backups_piece *piece)
{
	static const struct actor ada = {.person = 1, .device = 1};
	enum backups_fault fault;

	undo_begin(offline->undo);
	must(rows_begin(offline->rows, 1u << 19, 32), "a batch");
	must(*number == 0 ? backups_begin(offline->reg->backups, offline->arena,
				&ada, "monday", shim_wall_ms(), number, &fault)
			  : backups_take(offline->reg->backups, offline->arena,
				*number, piece, &fault),
	    "a piece of a backup");
	must(registry_commit(offline->reg), "a commit");
}

/* As the daemon takes one. */
static int
backup(void)
{
	static uint8_t out[1u << 16];
	const struct offline_from from = {
	    .dir = verbs_path("data"), .key_file = verbs_path("key")};
	struct backups_piece piece = {.out = out, .max = sizeof(out)};
	struct offline offline;
	uint32_t number = 0;
	FILE *to;

	must(offline_open(&offline), "memory");
	require(offline_load(&offline, &from, shim_wall_ms()), "it opens");
	to = fopen(verbs_path("backup"), "we");
	require(to != NULL, "a backup");
	while (!piece.end) {
		while (backups_pump(offline.reg->backups, 1000))
			continue;
		in_a_batch(&offline, &number, &piece);
		require(fwrite(piece.out, 1, piece.len, to) == piece.len,
		    "a piece");
	}
	require(fclose(to) == 0, "a whole backup");
	offline_close(&offline);
	return 0;
}

/* The checkpoint of what the registry came to, before it was put back. */
static int
newest(void)
{
	const struct offline_from from = {
	    .dir = verbs_path("data"), .key_file = verbs_path("key")};
	struct cdop_bytes note;
	struct offline offline;
	FILE *to;

	if (slot_key_file() != CMD_OK)
		return CMD_FAILED;
	must(offline_open(&offline), "memory");
	require(offline_load(&offline, &from, shim_wall_ms()), "it opens");
	note = checkpoints_note(offline.reg->checkpoints);
	to = fopen(verbs_outside("whole/newest"), "we");
	require(to != NULL && fwrite(note.data, 1, note.len, to) == note.len &&
		fclose(to) == 0,
	    "a checkpoint");
	offline_close(&offline);
	return CMD_OK;
}

static void
make_conf(void)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    "data_dir = %s\nanchor_dir = %s\nkey_file = %s\nrun_dir = %s\n"
	    "listen = unix %s/s\n",
	    verbs_path("data"), verbs_path("anchor"), verbs_path("key"),
	    verbs_path("out"), verbs_path("out"));
	write_file("conf", text);
}

void
verbs_make(void)
{
	(void)snprintf(top, sizeof(top), "%s/cdop-verbs.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	require(mkdtemp(top) != NULL, "a folder");
	(void)snprintf(folder, sizeof(folder), "%s/folder", top);
	require(
	    mkdir(folder, 0700) == 0 && mkdir(verbs_path("anchor"), 0700) == 0,
	    "a folder");
	write_file("pass", "correct horse battery\n");
	shell("cp -a '%s' '%s/first'", folder, top);
	make_with(init);
	make_with(shares);
	make_with(backup);
	make_conf();
	shell("cp -a '%s' '%s/whole'", folder, top);
	make_with(newest); /* and the folder is made anew for each verb */
}

void
verbs_remove(void)
{
	shell("rm -rf '%s'", top);
}

void
verbs_place(const struct verb *verb)
{
	shell("rm -rf '%s' && cp -a '%s/%s' '%s'", folder, top,
	    verb->is_first ? "first" : "whole", folder);
}

void
verbs_tidy(const struct verb *verb)
{
	size_t i;

	for (i = 0; verb->leaves[i] != NULL; i++)
		shell("rm -rf '%s'", verbs_path(verb->leaves[i]));
}
