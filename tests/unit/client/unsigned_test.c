/*
 * A server that has not the key of the log: it sends a backup, or shows a
 * certificate, and nobody believes it.  And one that has it, and answers about
 * something else than was asked.  conn.c is not in it, see no_conn.h: here is
 * the other end.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cdop/backup.h"
#include "cdop/certificate.h"
#include "cdop/manifest.h"
#include "cdop/reference.h"
#include "client/call.h"
#include "client/commands.h"
#include "tests/unit/client/fixture.h"
#include "tests/unit/client/no_conn.h"

#define OURS    7 /* seed of the log's key */
#define ANOTHER 8

struct conn {
	bool welcomed;
	uint64_t id;
	uint32_t method;
	unsigned sent; /* answers to this call */
};

static struct conn server;
static struct fixture *f;
static uint8_t seed;    /* that signs what is answered */
static uint32_t tells;  /* number of what is answered, whatever was asked */
static uint32_t pages;  /* of a list that are still to come */
static bool tells_none; /* an answer with nothing in it */
static bool tells_more; /* the answer says that it has a part more */
static bool other_file; /* whose bytes are not those of its manifest */
static unsigned kept;   /* calls that say that a file is whole */
static char origin[CDOP_CHECKPOINT_ORIGIN_MAX];

/* ---- the other end ------------------------------------------------------- */

static void
signer_of(uint8_t with, struct cdop_note_signer *signer)
{
	const uint8_t bytes[CDOP_NOTE_SEED_LEN] = {with};

	assert_int_equal(
	    cdop_note_signer_init(signer, origin, CDOP_NOTE_ED25519, bytes),
	    CDOP_OK);
}

static struct cdop_bytes
pack(const ProtobufCMessage *message)
{
	const size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = cdop_arena_alloc(f->ctx.arena, len + 1);

	assert_non_null(bytes);
	return (struct cdop_bytes){
	    bytes, protobuf_c_message_pack(message, bytes)};
}

static struct cdop_bytes
welcome(void)
{
	struct cdop_checkpoint checkpoint = {.size = 3};
	uint8_t note[CDOP_CHECKPOINT_NOTE_MAX];
	struct cdop_note_signer signer;
	Cdop__Welcome reply;
	char name[] = "cdopd";

	cdop__welcome__init(&reply);
	reply.schema_level = 1;
	reply.server = reply.panel = name;
	reply.now_ms = 1790000000000u;
	reply.registry_id = f->session.identity.open->registry_id;
	reply.mode = CDOP__MODE__TRAINING;
	reply.state = CDOP__STATE__OPEN;
	reply.profile_hash.len = sizeof(f->session.profile_hash);
	reply.profile_hash.data = f->session.profile_hash;
	memcpy(checkpoint.origin, origin, sizeof(origin));
	signer_of(OURS, &signer);
	reply.has_checkpoint = true;
	reply.checkpoint.data = note;
	assert_int_equal(cdop_checkpoint_sign(
			     &checkpoint, &signer, note, &reply.checkpoint.len),
	    CDOP_OK);
	return pack(&reply.base);
}

static struct cdop_bytes
manifest(void)
{
	struct cdop_manifest out = {.number = tells, .bytes = CDOP_BACKUP_HEAD};
	uint8_t head[CDOP_BACKUP_HEAD];
	struct cdop_note_signer signer;
	struct cdop_bytes note;

	cdop_backup_head_write(
	    f->session.identity.open->registry_id.data, head);
	head[0] ^= other_file;
	(void)crypto_hash_sha256(out.sha256, head, sizeof(head));
	memcpy(out.checkpoint.origin, origin, sizeof(origin));
	out.checkpoint.size = 3;
	signer_of(seed, &signer);
	assert_int_equal(
	    cdop_manifest_sign(&out, &signer, f->ctx.arena, &note), CDOP_OK);
	return note;
}

/* A head, and the record that ends it: no row is in it. */
static struct cdop_bytes
backup(bool *ret_last)
{
	static uint8_t file[CDOP_BACKUP_HEAD + CDOP_BACKUP_RECORD + 4096];
	struct cdop_backup_record end = {.type = CDOP_BACKUP_END};
	Cdop__BackupCreateReply reply;

	cdop__backup_create_reply__init(&reply);
	*ret_last = server.sent > 0;
	reply.has_number = !*ret_last;
	reply.number = 1;
	if (!*ret_last)
		return pack(&reply.base);
	end.bytes = manifest();
	assert_in_range(end.bytes.len, 1, 4096);
	cdop_backup_head_write(
	    f->session.identity.open->registry_id.data, file);
	cdop_backup_record_write(&end, file + CDOP_BACKUP_HEAD);
	memcpy(file + CDOP_BACKUP_HEAD + CDOP_BACKUP_RECORD, end.bytes.data,
	    end.bytes.len);
	reply.has_piece = reply.has_manifest = true;
	reply.piece.data = file;
	reply.piece.len = CDOP_BACKUP_HEAD + CDOP_BACKUP_RECORD + end.bytes.len;
	reply.manifest.data = (uint8_t *)(uintptr_t)end.bytes.data;
	reply.manifest.len = end.bytes.len;
	return pack(&reply.base);
}

static struct cdop_bytes
certificate(void)
{
	struct cdop_certificate out = {.number = tells, .issued_ms = 1};
	Cdop__CertificateGetReply reply;
	Cdop__Destruction d, *one = &d;
	struct cdop_note_signer signer;
	struct cdop_bytes note;

	memcpy(out.checkpoint.origin, origin, sizeof(origin));
	out.checkpoint.size = 3;
	signer_of(seed, &signer);
	assert_int_equal(
	    cdop_certificate_sign(&out, &signer, f->ctx.arena, &note), CDOP_OK);
	cdop__certificate_get_reply__init(&reply);
	cdop__destruction__init(&d);
	d.number = pages > 0 ? pages : 1;
	reply.has_more = pages > 1;
	reply.more = reply.has_more;
	pages -= pages > 0;
	d.kind = CDOP__CERTIFICATE_KIND__DESTROYED_EPOCHS;
	d.has_note = true;
	d.note.data = (uint8_t *)(uintptr_t)note.data;
	d.note.len = note.len;
	reply.certificate = &one;
	reply.n_certificate = 1;
	return pack(&reply.base);
}

static struct cdop_bytes
entry(void)
{
	Cdop__AuditListReply reply;
	Cdop__AuditEntry e, *one = &e;
	char call[] = "CaseShow";

	cdop__audit_list_reply__init(&reply);
	cdop__audit_entry__init(&e);
	e.index = tells;
	e.call = call;
	reply.entry = &one;
	reply.n_entry = !tells_none;
	return pack(&reply.base);
}

static struct cdop_bytes
profile(void)
{
	Cdop__ProfileGetReply reply;
	uint8_t text[] = "panel";

	cdop__profile_get_reply__init(&reply);
	reply.version = tells;
	reply.text = (ProtobufCBinaryData){sizeof(text) - 1, text};
	reply.hash = (ProtobufCBinaryData){0, text};
	return pack(&reply.base);
}

static struct cdop_bytes
proved(void)
{
	Cdop__BackupProvedReply reply;
	Cdop__BackupEntry e;
	char label[] = "one";

	cdop__backup_proved_reply__init(&reply);
	cdop__backup_entry__init(&e);
	e.number = tells;
	e.label = label;
	reply.backup = &e;
	return pack(&reply.base);
}

static struct cdop_bytes
history(void)
{
	Cdop__CaseHistoryReply reply;
	char text[CDOP_REFERENCE_TEXT];

	cdop__case_history_reply__init(&reply);
	assert_true(cdop_reference_make(tells, true, text));
	reply.reference = text;
	return pack(&reply.base);
}

static struct cdop_bytes
body(bool *ret_last)
{
	Cdop__BackupKeptReply whole;

	*ret_last = true;
	switch (server.method) {
	case CDOP_CALL_BackupCreate:
		return backup(ret_last);
	case CDOP_CALL_CertificateGet:
		return certificate();
	case CDOP_CALL_AuditList:
		return entry();
	case CDOP_CALL_ProfileGet:
		return profile();
	case CDOP_CALL_BackupProved:
		return proved();
	case CDOP_CALL_CaseHistory:
		return history();
	default:
		cdop__backup_kept_reply__init(&whole);
		whole.number = 1;
		return pack(&whole.base);
	}
}

static struct cdop_bytes
answer(void)
{
	struct cdop_bytes bytes;
	Cdop__Reply reply;
	bool last;

	bytes = body(&last);
	kept += server.method == CDOP_CALL_BackupKept;
	cdop__reply__init(&reply);
	reply.id = server.id;
	reply.last = last;
	reply.has_count = last;
	reply.count = ++server.sent + tells_more;
	reply.has_body = true;
	reply.body.data = (uint8_t *)(uintptr_t)bytes.data;
	reply.body.len = bytes.len;
	return pack(&reply.base);
}

/* ---- conn.c -------------------------------------------------------------- */

enum conn_end
conn_open(const struct conn_args *args, struct conn **ret_conn, bool *ret_gone)
{
	(void)args;
	*ret_gone = false;
	server.welcomed = false;
	*ret_conn = &server;
	return CONN_OK;
}

enum conn_end
conn_send(struct conn *conn, struct cdop_bytes message)
{
	Cdop__Call *call = cdop__call__unpack(
	    cdop_arena_allocator(f->ctx.arena), message.len, message.data);

	assert_non_null(call);
	conn->id = call->id;
	conn->method = call->method;
	conn->sent = 0;
	return CONN_OK;
}

enum conn_end
conn_next(
    struct conn *conn, uint64_t deadline_ms, struct cdop_bytes *ret_message)
{
	(void)deadline_ms;
	*ret_message = conn->welcomed ? answer() : welcome();
	conn->welcomed = true;
	return CONN_OK;
}

/* ---- this end ------------------------------------------------------------ */

static int
setup(void **state)
{
	struct cdop_note_signer signer;
	Cdop__ClientSecret *secret;

	if (fixture_setup(state) != 0)
		return -1;
	f = *state;
	secret = f->session.identity.secret;
	cdop_checkpoint_origin(
	    f->session.identity.open->registry_id.data, 1, origin);
	signer_of(OURS, &signer);
	secret->has_checkpoint_key = true;
	secret->checkpoint_key.len = CDOP_NOTE_PUBLIC_LEN;
	secret->checkpoint_key.data =
	    cdop_arena_alloc(f->ctx.arena, CDOP_NOTE_PUBLIC_LEN);
	memcpy(secret->checkpoint_key.data, signer.key.public,
	    CDOP_NOTE_PUBLIC_LEN);
	(void)fixture_profile(f);
	assert_int_equal(
	    identity_save(&f->session.identity, f->ctx.arena), CDOP_OK);
	memset(&server, 0, sizeof(server));
	seed = OURS;
	other_file = tells_none = tells_more = false;
	tells = 1;
	kept = 0;
	return 0;
}

static enum exit_code
run(const char *words, const char *arg)
{
	size_t i;

	for (i = 0; strcmp(commands_at(i)->words, words) != 0; i++)
		;
	f->ctx.cmd = commands_at(i);
	f->ctx.pos[0] = arg;
	f->ctx.n_pos = 1;
	return f->ctx.cmd->run(&f->ctx);
}

static enum exit_code
take(const char **ret_path)
{
	*ret_path = cdop_arena_printf(f->ctx.arena, "%s/one.cdop", f->dir);
	return run("backup create", *ret_path);
}

static void
what_the_log_has_signed_is_taken(void **state)
{
	const char *path;

	(void)state;
	assert_int_equal(take(&path), EXIT_OK);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(kept, 1);
	assert_int_equal(run("certificate show", "1"), EXIT_OK);
}

static void
a_backup_that_it_has_not_signed_is_none(void **state)
{
	const char *path;

	(void)state;
	seed = ANOTHER;
	assert_int_equal(take(&path), EXIT_INTEGRITY);
	assert_non_null(strstr(f->ctx.error.message, "has not signed it"));
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(kept, 0);
}

static void
nor_one_with_other_bytes(void **state)
{
	const char *path;

	(void)state;
	other_file = true;
	assert_int_equal(take(&path), EXIT_INTEGRITY);
	assert_non_null(strstr(f->ctx.error.message, "bytes are not those"));
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(kept, 0);
}

static void
a_certificate_that_it_has_not_signed_is_not_shown(void **state)
{
	(void)state;
	seed = ANOTHER;
	assert_int_equal(run("certificate show", "1"), EXIT_INTEGRITY);
	assert_non_null(
	    strstr(f->ctx.error.message, "has not signed this certificate"));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

/* It asks for what has number 1, and gets that with number 2. */
static void
refuses_another(const char *words, const char *arg, const char *message)
{
	assert_int_equal(run(words, arg), EXIT_OK);
	tells = 2;
	assert_int_equal(run(words, arg), EXIT_INTEGRITY);
	assert_non_null(f->ctx.error.message);
	assert_string_equal(f->ctx.error.message, message);
}

/* Bytes of the arena that a list of so many pages has taken. */
static size_t
listed(uint32_t n)
{
	const size_t before = cdop_arena_used(f->ctx.arena);

	pages = n;
	assert_int_equal(run("certificate list", NULL), EXIT_OK);
	assert_int_equal(pages, 0);
	return cdop_arena_used(f->ctx.arena) - before;
}

static void
a_long_list_takes_no_more_memory_than_a_short_one(void **state)
{
	(void)state;
	f->ctx.g.json = true;
	(void)listed(1);
	assert_in_range(listed(50), 0, listed(3) + 64);
}

static void
a_certificate_of_another_number_is_not_shown(void **state)
{
	(void)state;
	refuses_another("certificate show", "1",
	    "certificate 1 was asked for, and this is number 2");
}

static void
a_backup_with_the_manifest_of_another_is_none(void **state)
{
	const char *path;

	(void)state;
	tells = 2;
	assert_int_equal(take(&path), EXIT_INTEGRITY);
	assert_non_null(strstr(f->ctx.error.message, "that of another"));
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(kept, 0);
}

static void
what_is_said_of_another_backup_is_not_noted(void **state)
{
	(void)state;
	refuses_another("backup proved", "1",
	    "number 1 was asked for, and the answer is about 2");
}

static void
another_entry_of_the_log_is_not_shown(void **state)
{
	(void)state;
	f->session.profile =
	    (struct cdop_profile *)(uintptr_t)fixture_profile(f);
	f->ctx.g.purpose = "audit";
	refuses_another("audit show", "1",
	    "entry 1 was asked for, and the answer is about 2");
	tells_none = true;
	assert_int_equal(run("audit show", "1"), EXIT_INTEGRITY);
	assert_string_equal(f->ctx.error.message, "the answer has no entry");
}

/* Whoever cuts a part out of a list does not make it a shorter one. */
static void
an_answer_that_lacks_a_part_is_none(void **state)
{
	(void)state;
	f->session.profile =
	    (struct cdop_profile *)(uintptr_t)fixture_profile(f);
	f->ctx.g.purpose = "audit";
	assert_int_equal(run("audit show", "1"), EXIT_OK);
	tells_more = true;
	assert_int_equal(run("audit show", "1"), EXIT_INTEGRITY);
}

static void
another_profile_is_not_shown(void **state)
{
	(void)state;
	fixture_option(f, "--profile-version", "1");
	refuses_another("profile show", NULL,
	    "version 1 was asked for, and the answer is about 2");
}

static void
the_history_of_another_case_is_not_shown(void **state)
{
	char one[CDOP_REFERENCE_TEXT], two[CDOP_REFERENCE_TEXT];

	(void)state;
	assert_true(cdop_reference_make(1, true, one));
	assert_true(cdop_reference_make(2, true, two));
	f->session.profile =
	    (struct cdop_profile *)(uintptr_t)fixture_profile(f);
	f->ctx.g.purpose = "case_work";
	refuses_another("case history", one,
	    cdop_arena_printf(f->ctx.arena,
		"case %s was asked for, and the answer is about %s", one, two));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_the_log_has_signed_is_taken),
	    TEST(a_backup_that_it_has_not_signed_is_none),
	    TEST(nor_one_with_other_bytes),
	    TEST(a_certificate_that_it_has_not_signed_is_not_shown),
	    TEST(a_long_list_takes_no_more_memory_than_a_short_one),
	    TEST(a_certificate_of_another_number_is_not_shown),
	    TEST(a_backup_with_the_manifest_of_another_is_none),
	    TEST(what_is_said_of_another_backup_is_not_noted),
	    TEST(another_entry_of_the_log_is_not_shown),
	    TEST(an_answer_that_lacks_a_part_is_none),
	    TEST(another_profile_is_not_shown),
	    TEST(the_history_of_another_case_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
