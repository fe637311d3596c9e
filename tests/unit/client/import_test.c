/* Files as people send them: read right, or refused with the reason. */
#include "client/import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

/* cmocka wants the headers above before it. */
#include <cmocka.h>

#include "client/csv_out.h"
#include "client/file.h"
#include "client/import_keys.h"
#include "client/import_read.h"
#include "client/import_rejects.h"
#include "client/import_row.h"
#include "tests/unit/client/fixture.h"

static enum exit_code
read_text(struct fixture *f, const char *name, const char *text,
    struct import_file *file)
{
	return import_read(
	    &f->ctx, fixture_file(f, name, text, strlen(text)), file);
}

static void
good(struct fixture *f, const char *name, const char *text,
    struct import_file *file)
{
	enum exit_code code = read_text(f, name, text, file);

	if (code != EXIT_OK)
		print_message("%s\n", f->ctx.error.message);
	assert_int_equal(code, EXIT_OK);
}

static void
refused(
    struct fixture *f, const char *text, enum exit_code want, const char *why)
{
	struct import_file file;

	memset(&f->ctx.error, 0, sizeof(f->ctx.error));
	assert_int_equal(read_text(f, "bad.csv", text, &file), want);
	assert_non_null(strstr(f->ctx.error.message, why));
}

static void
row_is(struct fixture *f, struct import_file *file, size_t i, const char *path,
    const char *want)
{
	struct import_row *row = &file->row[i];

	if (row->n.form == NULL)
		assert_int_equal(
		    import_row_read(&f->ctx, fixture_profile(f), file, row),
		    EXIT_OK);
	assert_string_equal(
	    cdop_form_text(row->n.form, path, f->ctx.arena), want);
}

static void
rows_are_read_by_the_names_of_the_dictionary(void **state)
{
	struct fixture *f = *state;
	struct import_file file;

	good(f, "a.csv",
	    "child.family_name,birth.date,parent.1.family_name,decision\r\n"
	    "\"O'Hara, Jr\",14/05/2024,\"M\xc3\xbcller\",\r\n"
	    "Null,~2024,,join:T-2222-2222\r\n"
	    ",,,\r\n"
	    "None,2024-05,#nk,\n",
	    &file);
	assert_int_equal(file.n_rows, 3);
	row_is(f, &file, 0, "child.family_name", "O'Hara, Jr");
	row_is(f, &file, 0, "birth.date", "2024-05-14");
	row_is(f, &file, 0, "parent.1.family_name", "M\xc3\xbcller");
	/* There are children called Null and None. */
	row_is(f, &file, 1, "child.family_name", "Null");
	row_is(f, &file, 1, "birth.date", "~2024");
	assert_string_equal(file.row[1].decision, "join:T-2222-2222");
	row_is(f, &file, 2, "child.family_name", "None");
	row_is(f, &file, 2, "birth.date", "2024-05");
	row_is(f, &file, 2, "parent.1.family_name", "#nk");
	assert_string_equal(file.stem + strlen(file.stem) - 2, "/a");
}

static void
marks_semicolons_and_lines_in_cells_are_taken(void **state)
{
	struct fixture *f = *state;
	struct import_file file;

	good(f, "b.csv",
	    "\xef\xbb\xbf"
	    "child.family_name;circumstances.narrative\n"
	    "Tarrant;\"first line\nsecond \"\"quoted\"\" line\"\n",
	    &file);
	row_is(f, &file, 0, "child.family_name", "Tarrant");
	row_is(f, &file, 0, "circumstances.narrative",
	    "first line\nsecond \"quoted\" line");
}

static void
other_encodings_are_named(void **state)
{
	struct fixture *f = *state;
	struct import_file file;

	refused(
	    f, "child.family_name\nM\xfcller\n", EXIT_USAGE, "Windows-1252");
	assert_non_null(strstr(f->ctx.error.next, "windows-1252"));
	refused(f,
	    "\xff\xfe"
	    "c",
	    EXIT_USAGE, "UTF-16");
	fixture_option(f, "--encoding", "windows-1252");
	good(f, "c.csv", "child.family_name\nM\xfcller \x80\x9c\n", &file);
	row_is(f, &file, 0, "child.family_name",
	    "M\xc3\xbcller \xe2\x82\xac\xc5\x93");
}

static void
broken_files_are_refused_whole(void **state)
{
	struct fixture *f = *state;

	refused(f, "child.family_name\n\"open\n", EXIT_INVALID, "quote");
	refused(f, "child.family_name\na\"b\n", EXIT_INVALID, "quote");
	refused(f, "child.family_name,child.nonsense,x\na,b,c\n", EXIT_INVALID,
	    "child.nonsense, column 3");
	refused(f, "child.sex,child.sex\n1,2\n", EXIT_INVALID, "twice");
	refused(f, "", EXIT_INVALID, "empty");
	refused(f, "{\"child\": ", EXIT_INVALID, "not JSON");
	refused(f, "[1,2]", EXIT_INVALID, "JSON object");
	refused(f, "{\"a\":1,\"a\":2}", EXIT_INVALID, "not JSON");
	f->ctx.error.message = NULL;
	assert_int_equal(
	    import_read(&f->ctx, "/nonexistent.csv", NULL), EXIT_USAGE);
}

static void
what_is_no_value_rejects_its_row_alone(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	struct import_row *row;

	good(f, "d.csv",
	    "child.nhs_number,birth.date\n9.99E+09,31/02/2024\n"
	    "9990000018,2024-05-14\n999000001,\n",
	    &file);
	row_is(f, &file, 1, "child.nhs_number", "9990000018");
	assert_int_equal(file.row[1].state, IMPORT_READY);
	row = &file.row[0];
	assert_int_equal(
	    import_row_read(&f->ctx, fixture_profile(f), &file, row), EXIT_OK);
	assert_int_equal(row->state, IMPORT_REJECTED);
	assert_int_equal(row->n_findings, 2);
	assert_string_equal(row->finding[0].rule, "nhs.spreadsheet");
	assert_string_equal(row->finding[1].path, "birth.date");
	row = &file.row[2];
	assert_int_equal(
	    import_row_read(&f->ctx, fixture_profile(f), &file, row), EXIT_OK);
	assert_string_equal(row->finding[0].rule, "nhs.spreadsheet");
}

static void
json_comes_as_object_array_or_lines(void **state)
{
	struct fixture *f = *state;
	struct import_file file;

	good(f, "e.json",
	    "{\"child\":{\"family_name\":\"One\",\"sex\":{\"code\":\"1\"},"
	    "\"nhs_number\":{\"absent\":\"NOT_KNOWN\"}},"
	    "\"parent\":[{\"number\":3,\"family_name\":\"P\"}],"
	    "\"death\":{\"expected\":true},\"source\":\"portal\"}",
	    &file);
	assert_int_equal(file.n_rows, 1);
	row_is(f, &file, 0, "child.family_name", "One");
	row_is(f, &file, 0, "child.sex", "1");
	row_is(f, &file, 0, "child.nhs_number", "#nk");
	row_is(f, &file, 0, "parent.3.family_name", "P");
	row_is(f, &file, 0, "death.expected", "yes");
	assert_string_equal(file.row[0].n.source, "portal");
	good(f, "f.json",
	    "[{\"child\":{\"sex\":\"1\"}},{\"child\":{\"sex\":\"2\"}}]", &file);
	assert_int_equal(file.n_rows, 2);
	row_is(f, &file, 1, "child.sex", "2");
	good(f, "g.ndjson",
	    "{\"child\":{\"sex\":\"1\"}}\n\n{\"child\":{\"sex\":\"2\"}}\n",
	    &file);
	assert_int_equal(file.n_rows, 2);
	row_is(f, &file, 0, "child.sex", "1");
}

/* Rejects go out, are corrected by nobody, and come back as they were. */
static void
rejects_come_back_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct import_file file, back;
	const char *path = NULL;
	struct stat st;

	good(f, "h.csv",
	    "child.family_name,notifier.phone\n"
	    "Good,0151\n"
	    "=HYPERLINK(1),+44 151 496 0000\n",
	    &file);
	file.row[1].number = 7;
	import_row_reject_word(
	    &f->ctx, &file.row[1], "test.rule", "because, it is so");
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_non_null(strstr(path, "/h.rejects.csv"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(import_read(&f->ctx, path, &back), EXIT_OK);
	assert_true(back.is_rejects);
	assert_int_equal(back.n_rows, 1);
	assert_int_equal(back.row[0].number, 7);
	assert_string_equal(back.row[0].cell[0], "=HYPERLINK(1)");
	assert_string_equal(back.row[0].cell[1], "+44 151 496 0000");
	assert_string_equal(back.stem, file.stem);
	assert_memory_equal(back.row[0].hash, file.row[1].hash, 32);
}

static void
a_spreadsheet_calculates_nothing_of_a_rejects_file(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	struct cdop_bytes text;
	const char *path = NULL;

	good(f, "i.csv", "child.family_name\n=cmd|x\n", &file);
	import_row_reject_word(&f->ctx, &file.row[0], "test.rule", "no");
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	assert_non_null(strstr((const char *)text.data, "\"'=cmd|x\""));
}

/* Blanks and invisible characters before a formula help nobody. */
static void
what_is_guarded_comes_back_as_it_was(void **state)
{
	static const struct {
		const char *cell;
		bool guarded;
	} cells[] = {
	    {"=1", true},
	    {"\t1", true},
	    {"\r1", true},
	    {"\n=1", true},
	    {"  @x", true},
	    {"\xc2\xa0-1", true},
	    {"\xef\xbb\xbf=1", true},
	    {"\xe2\x80\x8b=1", true},
	    {"\xef\xbc\x9d"
	     "1",
		true},
	    /* ' is theirs: not one of them may be lost. */
	    {"'=1", true},
	    {"''\t", true},
	    {"'", false},
	    {"'t Hooft", false},
	    {"a=1", false},
	    {"\xc3\xa9", false},
	    {" ", false},
	};
	struct fixture *f = *state;
	struct import_file file, back;
	const char *path = NULL;
	struct cdop_bytes text;
	size_t i;

	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		good(f, "q.csv",
		    cdop_arena_printf(f->ctx.arena,
			"child.family_name,notifier.phone\n\"%s\",x\n",
			cells[i].cell),
		    &file);
		assert_string_equal(file.row[0].cell[0], cells[i].cell);
		assert_int_equal(
		    csv_out_is_guarded(cells[i].cell), cells[i].guarded);
		/* Nor does what a server says of it calculate. */
		import_row_reject_word(
		    &f->ctx, &file.row[0], "test.rule", cells[i].cell);
		assert_int_equal(
		    import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
		assert_int_equal(import_read(&f->ctx, path, &back), EXIT_OK);
		assert_string_equal(back.row[0].cell[0], cells[i].cell);
		assert_int_equal(
		    file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
		assert_non_null(strstr((const char *)text.data,
		    cdop_arena_printf(f->ctx.arena, "\"test.rule\",\"%s%s\"",
			cells[i].guarded ? "'" : "", cells[i].cell)));
	}
}

/* What can be answered with a reason is told from what has to be mended. */
static void
a_rejects_file_tells_warnings_from_errors(void **state)
{
	static const struct cmd_finding findings[] = {
	    {"birth.date", "date.order", "check both", true},
	    {"child.sex", "code.unknown", "no such code", false},
	};
	struct fixture *f = *state;
	struct import_file file;
	struct cdop_bytes text;
	const char *path = NULL;

	good(f, "m.csv", "child.family_name\na\n", &file);
	import_row_reject(&file.row[0], findings, 2);
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	assert_non_null(strstr(
	    (const char *)text.data, "\"WARNING check both; no such code\""));

	good(f, "n.json", "[{\"child\":{\"sex\":\"1\"}}]", &file);
	import_row_reject(&file.row[0], findings, 2);
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_int_equal(file_read(path, 65536, f->ctx.arena, &text), CDOP_OK);
	assert_non_null(
	    strstr((const char *)text.data, "\"severity\":\"warning\""));
	assert_non_null(
	    strstr((const char *)text.data, "\"severity\":\"error\""));
}

static void
no_rejects_no_file(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	const char *path = "x";

	good(f, "j.csv", "child.family_name\na\n", &file);
	assert_int_equal(import_rejects_write(&f->ctx, &file, &path), EXIT_OK);
	assert_null(path);
	assert_false(file_exists(
	    cdop_arena_printf(f->ctx.arena, "%s.rejects.csv", file.stem)));
}

static void
the_same_file_goes_under_the_same_keys(void **state)
{
	struct fixture *f = *state;
	const char *text = "child.family_name\na\nb\n";
	struct import_file one, two;

	good(f, "k.csv", text, &one);
	assert_int_equal(import_keys_take(&f->ctx, &one), EXIT_OK);
	good(f, "k.csv", text, &two);
	assert_int_equal(import_keys_take(&f->ctx, &two), EXIT_OK);
	assert_memory_equal(one.row[0].n.key, two.row[0].n.key, 16);
	assert_memory_equal(one.row[1].n.key, two.row[1].n.key, 16);
	assert_memory_not_equal(one.row[0].n.key, one.row[1].n.key, 16);
}

/* Which row of `file` has this key, from 1; 0: none. */
static size_t
has_key(const struct import_file *file, const struct import_row *row)
{
	size_t i;

	for (i = 0; i < file->n_rows; i++)
		if (memcmp(file->row[i].n.key, row->n.key, 16) == 0)
			return i + 1;
	return 0;
}

/* A child is not registered twice because a line was put above it. */
static void
a_row_keeps_its_key_wherever_it_stands(void **state)
{
	struct fixture *f = *state;
	struct import_file one, two, three, four;
	size_t i;

	good(f, "m.csv", "child.family_name\na\nb\nb\nc\n", &one);
	assert_int_equal(import_keys_take(&f->ctx, &one), EXIT_OK);
	for (i = 0; i < one.n_rows; i++)
		one.row[i].reference = "T-2222-2222";
	assert_int_equal(import_keys_save(&f->ctx, &one), EXIT_OK);

	good(f, "m.csv", "child.family_name\nnew\na\nb\nb\nc\n", &two);
	assert_int_equal(import_keys_take(&f->ctx, &two), EXIT_OK);
	assert_int_equal(has_key(&one, &two.row[0]), 0);
	assert_int_equal(has_key(&one, &two.row[1]), 1);
	assert_int_equal(has_key(&one, &two.row[4]), 4);
	/* Two rows that are the same have the two keys, in whatever order. */
	assert_int_equal(
	    has_key(&one, &two.row[2]) + has_key(&one, &two.row[3]), 2 + 3);
	/* And says of itself what it said when it was sent first. */
	assert_int_equal(
	    import_row_read(&f->ctx, fixture_profile(f), &two, &two.row[4]),
	    EXIT_OK);
	assert_string_equal(two.row[4].n.source, "file, row 4");

	good(f, "m.csv", "child.family_name\nc\nb\na\n", &three);
	assert_int_equal(import_keys_take(&f->ctx, &three), EXIT_OK);
	assert_int_equal(has_key(&one, &three.row[0]), 4);
	assert_int_not_equal(has_key(&one, &three.row[1]), 0);
	assert_int_equal(has_key(&one, &three.row[2]), 1);

	/* Rows that were taken out and put in again, too. */
	good(f, "m.csv", "child.family_name\nb\nb\nnew\n", &four);
	assert_int_equal(import_keys_take(&f->ctx, &four), EXIT_OK);
	assert_int_not_equal(has_key(&one, &four.row[0]), 0);
	assert_int_not_equal(has_key(&one, &four.row[1]), 0);
	assert_int_not_equal(
	    has_key(&one, &four.row[0]), has_key(&one, &four.row[1]));
	assert_int_equal(has_key(&two, &four.row[2]), 1);
	assert_int_equal(
	    import_row_read(&f->ctx, fixture_profile(f), &four, &four.row[2]),
	    EXIT_OK);
	assert_string_equal(four.row[2].n.source, "file, row 1");
}

static void
the_keys_of_another_device_are_left_alone(void **state)
{
	struct fixture *f = *state;
	const char *text = "child.family_name\na\n";
	struct import_file file;

	good(f, "o.csv", text, &file);
	assert_int_equal(import_keys_take(&f->ctx, &file), EXIT_OK);
	f->session.identity.secret->static_key.data[0] ^= 1;
	good(f, "o.csv", text, &file);
	assert_int_equal(import_keys_take(&f->ctx, &file), EXIT_INTEGRITY);
	f->session.identity.secret->static_key.data[0] ^= 1;
	good(f, "o.csv", text, &file);
	assert_int_equal(import_keys_take(&f->ctx, &file), EXIT_OK);
}

static void
a_corrected_row_keeps_its_key_until_it_was_accepted(void **state)
{
	struct fixture *f = *state;
	struct import_file one, two, three;

	good(f, "l.csv", "child.family_name\na\nb\n", &one);
	assert_int_equal(import_keys_take(&f->ctx, &one), EXIT_OK);
	one.row[0].reference = "T-2222-2222";
	assert_int_equal(import_keys_save(&f->ctx, &one), EXIT_OK);
	good(f, "l.csv", "child.family_name\nA\nB\n", &two);
	assert_int_equal(import_keys_take(&f->ctx, &two), EXIT_OK);
	/* Row 1 was accepted as it was: this is another request. */
	assert_memory_not_equal(one.row[0].n.key, two.row[0].n.key, 16);
	assert_memory_equal(one.row[1].n.key, two.row[1].n.key, 16);
	/* The rejects file of the same name knows its rows by number. */
	good(f, "l.rejects.csv",
	    "child.family_name,row,field,rule,message\nBB,2,,x,y\n", &three);
	assert_int_equal(import_keys_take(&f->ctx, &three), EXIT_OK);
	assert_memory_equal(one.row[1].n.key, three.row[0].n.key, 16);
}

static void
decisions_of_a_row_answer_the_question(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	struct import_row *row;
	Cdop__Candidate c, *list[1] = {&c};
	char reference[] = "T-2CWR-GN5K";

	cdop__candidate__init(&c);
	c.reference = reference;
	good(f, "m.csv",
	    "child.family_name,decision,decision_reason\n"
	    "a,new:twin,second of twins\nb,join:t2cwrgn5k,same child\n"
	    "c,new:twin,\nd,perhaps,why\n",
	    &file);
	row_is(f, &file, 0, "child.family_name", "a");
	row_is(f, &file, 1, "child.family_name", "b");
	row_is(f, &file, 2, "child.family_name", "c");
	row_is(f, &file, 3, "child.family_name", "d");
	row = &file.row[0];
	assert_true(import_row_decide(&f->ctx, row, list, 1));
	assert_int_equal(
	    row->n.decision[0]->decision, CDOP__DECISION__NEW_SIBLING);
	row = &file.row[1];
	assert_true(import_row_decide(&f->ctx, row, list, 1));
	assert_int_equal(row->n.decision[0]->decision, CDOP__DECISION__JOIN);
	assert_string_equal(row->n.decision[0]->reference, reference);
	assert_false(import_row_decide(&f->ctx, &file.row[2], list, 1));
	assert_false(import_row_decide(&f->ctx, &file.row[3], list, 1));
}

/* Two candidates: what was said of one is not said of the other. */
static void
a_decision_speaks_for_the_case_it_names(void **state)
{
	struct fixture *f = *state;
	char first[] = "T-2CWR-GN5K", second[] = "T-435A-4N5Y";
	Cdop__Candidate one, two, *list[2] = {&one, &two};
	struct import_file file;
	size_t i;

	cdop__candidate__init(&one);
	one.reference = first;
	cdop__candidate__init(&two);
	two.reference = second;
	good(f, "n.csv",
	    "child.family_name,decision,decision_reason\n"
	    "a,new:twin,twins\n"
	    "b,new:twin:T-2CWR-GN5K,twins\n"
	    "c,join:T-2CWR-GN5K; new:other:T-435A-4N5Y,same;a cousin\n"
	    "d,join:T-2CWR-GN5K; new:other:T-435A-4N5Y,same\n"
	    "e,new:other:T-2CWR-GN5K,a cousin\n",
	    &file);
	for (i = 0; i < file.n_rows; i++)
		row_is(f, &file, i, "child.family_name",
		    (const char[2]){(char)('a' + (int)i), '\0'});
	assert_false(import_row_decide(&f->ctx, &file.row[0], list, 2));
	assert_false(import_row_decide(&f->ctx, &file.row[1], list, 2));
	assert_int_equal(file.row[1].n.n_decisions, 1);
	assert_true(import_row_decide(&f->ctx, &file.row[2], list, 2));
	assert_int_equal(file.row[2].n.n_decisions, 2);
	assert_string_equal(file.row[2].n.decision[0]->reason, "same");
	assert_int_equal(
	    file.row[2].n.decision[1]->decision, CDOP__DECISION__NEW_OTHER);
	assert_string_equal(file.row[2].n.decision[1]->reason, "a cousin");
	/* A reason for each. */
	assert_false(import_row_decide(&f->ctx, &file.row[3], list, 2));
	/* One that was withdrawn is mentioned and wants no decision. */
	two.has_withdrawn = true;
	two.withdrawn = true;
	assert_true(import_row_decide(&f->ctx, &file.row[0], list, 2));
	assert_int_equal(file.row[0].n.n_decisions, 1);
	assert_string_equal(file.row[0].n.decision[0]->reference, first);
	assert_true(import_row_decide(&f->ctx, &file.row[4], list, 2));
}

/* Whoever writes join knows the case, also where no rule asks about it. */
static void
a_decision_that_names_its_case_goes_with_the_row(void **state)
{
	struct fixture *f = *state;
	struct import_file file;
	size_t i;

	good(f, "o.csv",
	    "child.family_name,decision,decision_reason\n"
	    "a,join:t2cwrgn5k,same child\nb,new:twin,second of twins\n"
	    "c,join,same\nd,join:T-2CWR-GN5K,\ne,joined:T-2CWR-GN5K,why\n",
	    &file);
	for (i = 0; i < file.n_rows; i++)
		row_is(f, &file, i, "child.family_name",
		    (const char[2]){(char)('a' + (int)i), '\0'});
	assert_int_equal(file.row[0].n.n_decisions, 1);
	assert_int_equal(
	    file.row[0].n.decision[0]->decision, CDOP__DECISION__JOIN);
	assert_string_equal(
	    file.row[0].n.decision[0]->reference, "T-2CWR-GN5K");
	assert_string_equal(file.row[0].n.decision[0]->reason, "same child");
	assert_int_equal(file.row[1].n.n_decisions, 0);
	assert_int_not_equal(file.row[1].state, IMPORT_REJECTED);
	/* What cannot be done as it is written is not a case of its own. */
	for (i = 2; i < file.n_rows; i++)
		assert_int_equal(file.row[i].state, IMPORT_REJECTED);
}

#define WITH(test)                                                             \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(rows_are_read_by_the_names_of_the_dictionary),
	    WITH(marks_semicolons_and_lines_in_cells_are_taken),
	    WITH(other_encodings_are_named),
	    WITH(broken_files_are_refused_whole),
	    WITH(what_is_no_value_rejects_its_row_alone),
	    WITH(json_comes_as_object_array_or_lines),
	    WITH(rejects_come_back_as_they_were),
	    WITH(a_spreadsheet_calculates_nothing_of_a_rejects_file),
	    WITH(what_is_guarded_comes_back_as_it_was),
	    WITH(a_rejects_file_tells_warnings_from_errors),
	    WITH(no_rejects_no_file),
	    WITH(the_same_file_goes_under_the_same_keys),
	    WITH(a_row_keeps_its_key_wherever_it_stands),
	    WITH(the_keys_of_another_device_are_left_alone),
	    WITH(a_corrected_row_keeps_its_key_until_it_was_accepted),
	    WITH(decisions_of_a_row_answer_the_question),
	    WITH(a_decision_speaks_for_the_case_it_names),
	    WITH(a_decision_that_names_its_case_goes_with_the_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
