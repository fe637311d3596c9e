/*
 * A hostile server, from behind the cipher: any command of cdop, and answers
 * that are bytes, or sound messages of the type it waits for with whatever a
 * registry might put into them.  It prints what came, or says why not.
 *
 * Input: which command, flags, words and options, then an answer after the
 * other, each made of the bytes that are left.  conn.c is not in it, see
 * no_conn.h.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdop/checkpoint.h"
#include "cdop/limits.h"
#include "cdop/secret.h"
#include "client/call.h"
#include "client/commands.h"
#include "client/file.h"
#include "client/json.h"
#include "client/print.h"
#include "client/receipt.h"
#include "client/session.h"
#include "tests/fuzz/lib/answer.h"
#include "tests/fuzz/lib/quick.h"
#include "tests/unit/client/no_conn.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PROFILE     "packaging/profiles/merseyside.conf"
#define ANSWERS_MAX 24
#define TICK_MS     50
#define ARENA_MAX   ((size_t)256 << 20)

enum {
	JSON = 1,
	NO_PROFILE = 2, /* it has to be asked for */
	WITNESS = 4, /* the key of the log is pinned, and the server has it */
	WRONG = 8,   /* Welcome is as it comes, not of this registry */
};

struct conn {
	bool welcomed;
	unsigned answers;
	uint64_t id; /* of the last call */
	const struct call_method *method;
};

static struct conn server;
static struct answer_bytes input;
static uint8_t flags;
static struct cdop_arena *arena, *for_profile;
static struct cdop_profile *profile;
static struct cdop_bytes profile_text;
static char dir[64];
static struct session session;
static struct cmd_ctx ctx;

/* ---- the other end ------------------------------------------------------- */

enum conn_end
conn_open(const struct conn_args *args, struct conn **ret_conn, bool *ret_gone)
{
	(void)args;
	*ret_gone = false;
	if (server.answers >= ANSWERS_MAX)
		return CONN_UNREACHABLE;
	server.welcomed = false;
	*ret_conn = &server;
	return CONN_OK;
}

enum conn_end
conn_send(struct conn *conn, struct cdop_bytes message)
{
	Cdop__Call *call;

	call = cdop__call__unpack(
	    cdop_arena_allocator(arena), message.len, message.data);
	CDOP_ASSERT(call != NULL);
	conn->id = call->id;
	conn->method = call_method(call->method);
	CDOP_ASSERT(conn->method != NULL);
	return CONN_OK;
}

static void
sign(Cdop__Welcome *welcome)
{
	const uint8_t *id = session.identity.open->registry_id.data;
	uint8_t seed[CDOP_NOTE_SEED_LEN] = {7};
	struct cdop_note_signer signer;
	struct cdop_checkpoint checkpoint;

	memset(&checkpoint, 0, sizeof(checkpoint));
	cdop_checkpoint_origin(id, 1, checkpoint.origin);
	checkpoint.size = answer_byte(&input);
	if (cdop_note_signer_init(
		&signer, checkpoint.origin, CDOP_NOTE_ED25519, seed) != CDOP_OK)
		return;
	welcome->has_checkpoint = true;
	welcome->checkpoint.data =
	    cdop_arena_alloc(arena, CDOP_CHECKPOINT_NOTE_MAX);
	CDOP_ASSERT(
	    cdop_checkpoint_sign(&checkpoint, &signer, welcome->checkpoint.data,
		&welcome->checkpoint.len) == CDOP_OK);
}

static struct cdop_bytes
make_welcome(void)
{
	Cdop__Welcome *welcome;

	welcome = answer_make(&input, arena, &cdop__welcome__descriptor);
	if ((flags & WRONG) == 0) {
		welcome->registry_id = session.identity.open->registry_id;
		welcome->mode = CDOP__MODE__TRAINING;
		if (answer_byte(&input) % 4 != 0)
			welcome->state = CDOP__STATE__OPEN;
	}
	if ((flags & WITNESS) != 0)
		sign(welcome);
	return answer_pack(arena, &welcome->base);
}

/* What is around an answer, and in it one of the right type, or bytes. */
static struct cdop_bytes
make_reply(void)
{
	struct cdop_bytes body;
	Cdop__Reply *reply;
	uint8_t how = answer_byte(&input);

	if (how % 16 == 15)
		return answer_some(&input, answer_byte(&input));
	reply = answer_make(&input, arena, &cdop__reply__descriptor);
	if (how % 16 != 14)
		reply->id = server.id;
	if (how % 16 < 12) {
		reply->status = 0;
		reply->has_approval = false;
	}
	reply->last = how % 4 != 0;
	if (how % 32 == 13)
		return answer_pack(arena, &reply->base); /* body as it came */
	body = answer_pack(
	    arena, answer_make(&input, arena, server.method->reply));
	reply->has_body = how % 8 != 7;
	reply->body.data = (uint8_t *)(uintptr_t)body.data;
	reply->body.len = body.len;
	return answer_pack(arena, &reply->base);
}

enum conn_end
conn_next(
    struct conn *conn, uint64_t deadline_ms, struct cdop_bytes *ret_message)
{
	(void)deadline_ms;
	if (conn->answers++ >= ANSWERS_MAX)
		return CONN_CLOSED;
	if (conn->welcomed && input.len == 0)
		return CONN_CLOSED;
	CDOP_ASSERT(!conn->welcomed || conn->method != NULL);
	*ret_message = conn->welcomed ? make_reply() : make_welcome();
	conn->welcomed = true;
	return CONN_OK;
}

/* ---- this end ------------------------------------------------------------ */

static void
fill(ProtobufCBinaryData *data, size_t len, int c)
{
	data->data = cdop_arena_alloc(arena, len);
	data->len = len;
	memset(data->data, c, len);
}

static void
pin(Cdop__ClientSecret *secret)
{
	uint8_t seed[CDOP_NOTE_SEED_LEN] = {7};
	char origin[CDOP_CHECKPOINT_ORIGIN_MAX];
	struct cdop_note_signer signer;

	cdop_checkpoint_origin(
	    session.identity.open->registry_id.data, 1, origin);
	CDOP_ASSERT(cdop_note_signer_init(
			&signer, origin, CDOP_NOTE_ED25519, seed) == CDOP_OK);
	secret->has_checkpoint_key = true;
	fill(&secret->checkpoint_key, CDOP_NOTE_PUBLIC_LEN, 0);
	memcpy(secret->checkpoint_key.data, signer.key.public,
	    CDOP_NOTE_PUBLIC_LEN);
}

static void
make_identity(void)
{
	struct identity *id = &session.identity;
	struct cdop_bytes none = {NULL, 0};

	id->open = cdop_arena_alloc(arena, sizeof(*id->open));
	id->secret = cdop_arena_alloc(arena, sizeof(*id->secret));
	cdop__client_identity__init(id->open);
	cdop__client_secret__init(id->secret);
	fill(&id->open->registry_id, 16, 0x11);
	fill(&id->open->public_key, 32, 0x22);
	fill(&id->secret->static_key, 32, 0x33);
	fill(&id->secret->psk, 32, 0x44);
	id->open->label = cdop_arena_strdup(arena, "test laptop");
	id->open->has_mode = true;
	id->open->mode = CDOP__MODE__TRAINING;
	id->open->n_address = 1;
	id->open->address = cdop_arena_calloc(arena, 1, sizeof(char *));
	id->open->address[0] = cdop_arena_strdup(arena, "unix:/nowhere");
	id->open->n_server_key = 1;
	id->open->server_key =
	    cdop_arena_calloc(arena, 1, sizeof(*id->open->server_key));
	fill(&id->open->server_key[0], 32, 0x55);
	id->path = cdop_arena_printf(arena, "%s/identity", dir);
	CDOP_ASSERT(identity_protect(id, none) == CDOP_OK);
	if ((flags & WITNESS) != 0)
		pin(id->secret);
	CDOP_ASSERT(identity_save(id, arena) == CDOP_OK);
}

static void
start(void)
{
	memset(&ctx, 0, sizeof(ctx));
	memset(&session, 0, sizeof(session));
	memset(&server, 0, sizeof(server));
	json_start(arena);
	ctx.arena = arena;
	ctx.session = &session;
	ctx.mode = "training";
	ctx.registry = "11";
	ctx.g.no_input = true;
	ctx.g.no_color = true;
	ctx.g.no_pager = true;
	ctx.g.json = (flags & JSON) != 0;
	ctx.g.timeout_ms = 1000;
	ctx.g.purpose = "case_work";
	session.context.name = "test";
	session.context.dir = dir;
	session.context.state = cdop_arena_printf(arena, "%s/state", dir);
	make_identity();
	session.context.identity = session.identity.path;
	if ((flags & NO_PROFILE) == 0) {
		session.profile = profile;
		cdop_secret_hash(session.profile_hash,
		    sizeof(session.profile_hash), NULL, "", &profile_text, 1);
	}
}

/* What fits, by the name that help has for it. */
static const char *
fitting(const char *name)
{
	static const struct {
		const char *name, *word;
	} words[] = {{"WHAT:REF", "join:T-K7M4-QX23"}, {"REF", "T-K7M4-QX23"},
	    {"OTHER", "T-K7M4-QX23"}, {"AREA", "wirral"},
	    {"DATE", "2026-11-20"}, {"ROLE", "coordinator"},
	    {"PATH=", "child.family_name=Tarrant"},
	    {"PATH", "child.family_name"}, {"RULE", "text.long: it is so"},
	    {"TEXT", "because it is so"}, {"NAME", "Tarrant"},
	    {"CODE", "case_work"}, {"WORD", "telephone"}, {"KEY", "0011aabb"}};

	static const struct {
		const char *name, *file;
	} files[] = {{"FILE", "out"}, {"DIR", "out"}, {"FILE", "invitation"},
	    {"FILE", "note"}, {"FILE", "rows.csv"}, {"FILE", "profile"}};

	size_t i, n = answer_byte(&input);

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(name, words[i].name) != NULL)
			return words[i].word;
	if (strstr(name, "FILE") == NULL && strstr(name, "DIR") == NULL)
		return "3"; /* PERSON, DEVICE, N, ... */
	n %= sizeof(files) / sizeof(files[0]);
	return cdop_arena_printf(arena, "%s/%s", dir, files[n].file);
}

/* That, or now and then another; a file lies in the folder in any case. */
static const char *
word(const char *name)
{
	static const char *const others[] = {
	    "-", "", "999 000 0018", "ABCD-EFGH-IJKL-MNOP", "\xff", "-1", "x"};
	unsigned n = answer_byte(&input) % 64;

	if (n == 0 || n > sizeof(others) / sizeof(others[0]) ||
	    strstr(name, "FILE") != NULL || strstr(name, "DIR") != NULL)
		return fitting(name);
	return others[n - 1];
}

/* The first and the second of "REF [PERSON]". */
static const char *
name_of(const char *args, size_t i)
{
	const char *blank = strchr(args, ' ');

	return i > 0 && blank != NULL ? blank + 1
	    : blank == NULL
	    ? args
	    : cdop_arena_strndup(arena, args, (size_t)(blank - args));
}

static void
choose_words(const struct cmd *cmd)
{
	const struct cmd_opt *opt;
	uint8_t how = answer_byte(&input);
	unsigned n;

	n = cmd->min_pos;
	if ((how & 1) != 0 && cmd->max_pos > n && n < CMD_POS_MAX)
		n++;
	for (ctx.n_pos = 0; ctx.n_pos < n; ctx.n_pos++)
		ctx.pos[ctx.n_pos] = word(name_of(cmd->args, ctx.n_pos));
	for (opt = cmd->opts; opt != NULL && opt->name != NULL; opt++) {
		if (answer_byte(&input) % 4 != 3)
			continue;
		ctx.opt[ctx.n_values] = opt;
		ctx.value[ctx.n_values++] =
		    opt->arg != NULL ? word(opt->arg) : "";
	}
}

/* What asks nobody, runs another program or waits is no door of a server. */
static bool
is_left_out(const struct cmd *cmd)
{
	static const char *const out[] = {
	    "unlock", "lock", "help", "version", "doctor"};
	size_t i;

	for (i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (strcmp(cmd->words, out[i]) == 0)
			return true;
	return strncmp(cmd->words, "context ", 8) == 0;
}

static const struct cmd *
choose_command(void)
{
	static size_t n;
	const struct cmd *cmd;

	while (commands_at(n) != NULL)
		n++;
	cmd = commands_at(answer_byte(&input) % n);
	return is_left_out(cmd) ? NULL : cmd;
}

/* As cmd_main() does it. */
static void
run(const struct cmd *cmd)
{
	enum exit_code code;

	ctx.cmd = cmd;
	choose_words(cmd);
	code = cmd->run(&ctx);
	code = receipt_finish(&ctx, code);
	CDOP_ASSERT((unsigned)code < EXIT_CODES);
	if (code != EXIT_OK && code != EXIT_FINDINGS)
		CDOP_ASSERT(ctx.error.message != NULL);
	if (ctx.error.message != NULL)
		print_failure(&ctx, code);
	session_close(&ctx);
}

/* ---- the folder ---------------------------------------------------------- */

static int
take_away(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level == 0 ? 0 : remove(path);
}

static void
tidy(void)
{
	(void)nftw(dir, take_away, 16, FTW_DEPTH | FTW_PHYS);
}

static void
go_away(void)
{
	tidy();
	(void)rmdir(dir);
}

static void
put_file(const char *name, const char *text)
{
	struct cdop_bytes bytes = {(const uint8_t *)text, strlen(text)};
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	CDOP_ASSERT(file_replace(path, &bytes, 1) == CDOP_OK);
}

static void
put_files(void)
{
	put_file(
	    "rows.csv", "child.family_name,birth.date\nTarrant,2026-11-20\n");
	put_file("note", "11/1\n3\nAAAA\n");
	put_file("profile", (const char *)profile_text.data);
	put_file("invitation", ANSWER_INVITATION);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct cdop_profile_error error;
	FILE *nowhere = fopen("/dev/null", "r+");

	(void)argc;
	(void)argv;
	CDOP_ASSERT(nowhere != NULL);
	/* libFuzzer keeps the one that it began with. */
	if (getenv("FUZZ_SAY") == NULL)
		stdout = stderr = nowhere;
	CDOP_ASSERT(dup2(fileno(nowhere), STDIN_FILENO) == STDIN_FILENO);
	no_conn_tick_ms = TICK_MS;
	CDOP_ASSERT(cdop_secret_init() == CDOP_OK);
	CDOP_ASSERT(cdop_arena_new(ARENA_MAX, &arena) == CDOP_OK);
	CDOP_ASSERT(cdop_arena_new(ARENA_MAX, &for_profile) == CDOP_OK);
	CDOP_ASSERT(file_read(PROFILE, CDOP_PROFILE_FILE_MAX, for_profile,
			&profile_text) == CDOP_OK);
	CDOP_ASSERT(
	    cdop_profile_parse((const char *)profile_text.data,
		profile_text.len, for_profile, &profile, &error) == CDOP_OK);
	(void)snprintf(dir, sizeof(dir), "%s/cdop-fuzz-XXXXXX", quick_top());
	CDOP_ASSERT(mkdtemp(dir) != NULL);
	(void)atexit(go_away);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct cmd *cmd;

	input = (struct answer_bytes){data, len};
	flags = answer_byte(&input);
	cmd = choose_command();
	if (cmd == NULL)
		return -1;
	tidy();
	put_files();
	start();
	run(cmd);
	cdop_arena_reset(arena);
	return 0;
}
