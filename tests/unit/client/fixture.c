/* Set up and taken down for each test. */
#include "tests/unit/client/fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/file.h"
#include "client/json.h"

#define OPTIONS_MAX 32

static const struct cmd plain = {
    "test", "", "a test", NULL, NULL, NULL, 0, 9, 0, NULL, NULL};

static struct cmd_opt options[OPTIONS_MAX];
static size_t n_options;

static void
fill(ProtobufCBinaryData *data, struct cdop_arena *arena, size_t len, int c)
{
	data->data = cdop_arena_alloc(arena, len);
	data->len = len;
	memset(data->data, c, len);
}

static void
make_identity(struct fixture *f)
{
	struct identity *id = &f->session.identity;
	struct cdop_arena *arena = f->ctx.arena;
	struct cdop_bytes none = {NULL, 0};

	id->open = cdop_arena_alloc(arena, sizeof(*id->open));
	id->secret = cdop_arena_alloc(arena, sizeof(*id->secret));
	cdop__client_identity__init(id->open);
	cdop__client_secret__init(id->secret);
	fill(&id->open->registry_id, arena, 16, 0x11);
	fill(&id->open->public_key, arena, 32, 0x22);
	fill(&id->secret->static_key, arena, 32, 0x33);
	fill(&id->secret->psk, arena, 32, 0x44);
	id->open->label = cdop_arena_strdup(arena, "test laptop");
	id->open->has_mode = true;
	id->open->mode = CDOP__MODE__TRAINING;
	id->open->n_address = 1;
	id->open->address =
	    cdop_arena_calloc(arena, 1, sizeof(*id->open->address));
	id->open->address[0] = cdop_arena_strdup(arena, "unix:/nowhere");
	id->open->n_server_key = 1;
	id->open->server_key =
	    cdop_arena_calloc(arena, 1, sizeof(*id->open->server_key));
	fill(&id->open->server_key[0], arena, 32, 0x55);
	id->path = cdop_arena_printf(arena, "%s/identity", f->dir);
	assert_int_equal(identity_protect(id, none), CDOP_OK);
}

int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL || cdop_secret_init() != CDOP_OK ||
	    cdop_arena_new((size_t)1 << 30, &f->ctx.arena) != CDOP_OK)
		return -1;
	memcpy(f->dir, "/tmp/cdop-test-XXXXXX", 22);
	if (getenv("TMPDIR") != NULL && strlen(getenv("TMPDIR")) < 40)
		(void)snprintf(
		    f->dir, sizeof(f->dir), "%s/cdop-XXXXXX", getenv("TMPDIR"));
	if (mkdtemp(f->dir) == NULL)
		return -1;
	json_start(f->ctx.arena);
	n_options = 0;
	f->ctx.cmd = &plain;
	f->ctx.g.no_input = true;
	f->ctx.g.no_color = true;
	f->ctx.g.timeout_ms = 1000;
	f->ctx.mode = "training";
	f->ctx.registry = "11";
	f->ctx.session = &f->session;
	f->session.context.name = "test";
	f->session.context.dir = f->dir;
	f->session.context.state =
	    cdop_arena_printf(f->ctx.arena, "%s/state", f->dir);
	make_identity(f);
	f->session.context.identity = f->session.identity.path;
	*state = f;
	return 0;
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	(void)!system(command);
	cdop_arena_free(f->ctx.arena);
	free(f);
	return 0;
}

const char *
fixture_file(struct fixture *f, const char *name, const void *data, size_t len)
{
	const char *path =
	    cdop_arena_printf(f->ctx.arena, "%s/%s", f->dir, name);
	struct cdop_bytes bytes = {data, len};

	assert_int_equal(file_replace(path, &bytes, 1), CDOP_OK);
	return path;
}

const struct cdop_profile *
fixture_profile(struct fixture *f)
{
	struct cdop_profile_error error;
	struct cdop_profile *profile;
	struct cdop_bytes text;

	assert_int_equal(file_read("packaging/profiles/merseyside.conf",
			     1u << 20, f->ctx.arena, &text),
	    CDOP_OK);
	assert_int_equal(cdop_profile_parse((const char *)text.data, text.len,
			     f->ctx.arena, &profile, &error),
	    CDOP_OK);
	f->session.profile = profile;
	return profile;
}

void
fixture_option(struct fixture *f, const char *name, const char *value)
{
	struct cmd_opt *opt = &options[n_options++];

	assert_true(n_options < OPTIONS_MAX);
	opt->name = name;
	opt->arg = "";
	f->ctx.opt[f->ctx.n_values] = opt;
	f->ctx.value[f->ctx.n_values++] = value;
}

int
fixture_catch(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC), out = dup(STDOUT_FILENO);

	assert_true(fd >= 0 && out >= 0);
	(void)fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	(void)close(fd);
	return out;
}

const char *
fixture_caught(struct fixture *f, const char *path, int out)
{
	struct cdop_bytes printed;

	(void)fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	(void)close(out);
	assert_int_equal(
	    file_read(path, 1 << 20, f->ctx.arena, &printed), CDOP_OK);
	return cdop_arena_printf(
	    f->ctx.arena, "%.*s", (int)printed.len, (const char *)printed.data);
}
