/* Raised classes: their words, and where they stand. */
#include "client/raise.h"

#include <string.h>
#include <strings.h>

#include "client/notify.h"
#include "client/session.h"

#define WORD_MAX 32
#define NONE     0 /* no class has this number */

/* "police-coroner" and "POLICE_CORONER" to their number. */
static int
class_of(const char *word, size_t len)
{
	const ProtobufCEnumDescriptor *desc = &cdop__data_class__descriptor;
	char text[WORD_MAX];
	unsigned i;

	if (len >= sizeof(text))
		return NONE;
	for (i = 0; i < len; i++)
		text[i] = word[i] == '-' || word[i] == ' ' ? '_' : word[i];
	text[len] = '\0';
	for (i = 0; i < desc->n_values; i++)
		if (strcasecmp(desc->values[i].name, text) == 0)
			return desc->values[i].value;
	return NONE;
}

/* Everything that is wrong with it, as a rule and words; NULL: nothing. */
static const char *
refuse(struct cmd_ctx *ctx, const struct cdop_path *path, const char *word,
    size_t len, const char **ret_words)
{
	int class = class_of(word, len);

	if (len == 0 || (len == 4 && strncasecmp(word, "none", 4) == 0) ||
	    class == CDOP__DATA_CLASS__ADMINISTRATIVE) {
		*ret_words = "a class is raised, never lowered: name the one "
			     "that is needed besides";
		return "raised.lowered";
	}
	if (class == NONE) {
		*ret_words = "no such class: child_identity, family_identity, "
			     "professional_identity, location, exact_date, "
			     "clinical, narrative, safeguarding or "
			     "police_coroner";
		return "raised.class";
	}
	if (path->field->class == 1u << (unsigned)class) {
		*ret_words = cdop_arena_printf(ctx->arena,
		    "it is %s already: name the class that is needed besides",
		    cdop_fields_class_name(path->field->class));
		return "raised.lowered";
	}
	return NULL;
}

static enum exit_code
find(struct cmd_ctx *ctx, struct cdop_violations *findings, const char *path,
    const char *rule, const char *words)
{
	if (words == NULL ||
	    cdop_violation_add(findings, ctx->arena, CDOP_SEVERITY_ERROR, path,
		rule, words) != CDOP_OK)
		return cmd_no_memory(ctx);
	return EXIT_OK;
}

static bool
waits(const Cdop__Form *form, const struct cdop_path *path)
{
	size_t i, n;

	if (path->entry == 0)
		return false;
	n = cdop_form_entries(form, path->field->group);
	for (i = 0; i < n; i++)
		if (cdop_form_entry_number(form, path->field->group, i) ==
		    path->entry)
			return false;
	return true;
}

/* One mark.  early: what has no entry yet is only looked at. */
static enum exit_code
raise_one(struct cmd_ctx *ctx, const char *name, struct cdop_bytes word,
    bool early, Cdop__Form *form, struct cdop_violations *findings)
{
	const char *rule, *words = NULL;
	struct cdop_path path;
	enum cdop_err err;

	if (cdop_form_path_parse(name, &path) != CDOP_OK ||
	    path.field->kind == CDOP_KIND_ENTRY)
		return find(ctx, findings, "", "raised.path",
		    "a raised class has to name a field: "
		    "child.address=safeguarding");
	rule = refuse(ctx, &path, (const char *)word.data, word.len, &words);
	if (rule != NULL)
		return find(ctx, findings, name, rule, words);
	if (early && waits(form, &path))
		return EXIT_OK;
	err = cdop_form_raise_at(form, &path,
	    (Cdop__DataClass)class_of((const char *)word.data, word.len),
	    ctx->arena);
	if (err == CDOP_INVALID_ARGUMENT)
		return find(ctx, findings, name, "entry.too_many",
		    "no more entries of this kind fit");
	return err == CDOP_OK ? EXIT_OK : cmd_no_memory(ctx);
}

/* "path=class", of this length. */
static enum exit_code
raise_part(struct cmd_ctx *ctx, struct cdop_bytes part, bool early,
    Cdop__Form *form, struct cdop_violations *findings)
{
	const char *text = (const char *)part.data, *eq, *name;
	struct cdop_bytes word;

	eq = memchr(text, '=', part.len);
	if (eq == NULL)
		return find(ctx, findings, "", "raised.path",
		    "a raised class reads path=class: "
		    "child.address=safeguarding");
	name = cdop_arena_strndup(ctx->arena, text, (size_t)(eq - text));
	if (name == NULL)
		return cmd_no_memory(ctx);
	word.data = (const uint8_t *)eq + 1;
	word.len = part.len - (size_t)(eq + 1 - text);
	return raise_one(ctx, name, word, early, form, findings);
}

enum exit_code
raise_argv(struct cmd_ctx *ctx, Cdop__Form *form, bool early)
{
	struct cdop_violations v = {NULL, 0, 0};
	enum exit_code code = EXIT_OK;
	struct cdop_bytes part;
	const char *given;
	size_t i;

	for (i = 0; code == EXIT_OK &&
	     (given = cmd_value_at(ctx, "--raise", i)) != NULL;
	     i++) {
		part.data = (const uint8_t *)given;
		part.len = strlen(given);
		code = raise_part(ctx, part, early, form, &v);
	}
	if (code != EXIT_OK || v.n == 0)
		return code;
	(void)cmd_fail(ctx, EXIT_USAGE, NULL,
	    "--raise child.address=safeguarding",
	    "--raise: what it names cannot be raised like that");
	ctx->error.finding = notify_findings(ctx, &v);
	ctx->error.n_findings = v.n;
	return EXIT_USAGE;
}

enum exit_code
raise_text(struct cmd_ctx *ctx, const char *text, Cdop__Form *form,
    struct cdop_violations *findings)
{
	enum exit_code code = EXIT_OK;
	struct cdop_bytes part;

	while (code == EXIT_OK) {
		text += strspn(text, "; \t\r\n");
		if (*text == '\0')
			break;
		part.data = (const uint8_t *)text;
		part.len = strcspn(text, ";\r\n");
		text += part.len;
		while (part.len > 0 && part.data[part.len - 1] == ' ')
			part.len--;
		code = raise_part(ctx, part, false, form, findings);
	}
	return code;
}

enum exit_code
raise_json(struct cmd_ctx *ctx, const json_t *value, Cdop__Form *form,
    struct cdop_violations *findings)
{
	enum exit_code code = EXIT_OK;
	const json_t *mark, *class;
	const char *path, *word;
	struct cdop_bytes bytes;
	size_t i;

	if (json_is_string(value))
		return raise_text(
		    ctx, json_string_value(value), form, findings);
	for (i = 0; i < json_array_size(value) && code == EXIT_OK; i++) {
		mark = json_array_get(value, i);
		class = json_object_get(mark, "class");
		word = json_string_value(json_is_object(class)
			? json_object_get(class, "code")
			: class);
		path = json_string_value(json_object_get(mark, "path"));
		bytes.data = (const uint8_t *)(word != NULL ? word : "");
		bytes.len = word != NULL ? strlen(word) : 0;
		code = raise_one(ctx, path != NULL ? path : "", bytes, false,
		    form, findings);
	}
	if (code == EXIT_OK && !json_is_array(value))
		code = find(ctx, findings, "", "raised.path",
		    "raised: a list of {\"path\": ..., \"class\": ...}");
	return code;
}

json_t *
raise_list(const Cdop__Form *form)
{
	const ProtobufCEnumValue *v;
	json_t *list = json_array();
	const char *label;
	unsigned class;
	size_t i;

	for (i = 0; i < form->n_raised; i++) {
		class = (unsigned)form->raised[i]->data_class;
		v = protobuf_c_enum_descriptor_get_value(
		    &cdop__data_class__descriptor, (int)class);
		label = class < 32 ? cdop_fields_class_name(1u << class) : "?";
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:{s:s,s:s}}", "path",
			form->raised[i]->path, "class", "code",
			v != NULL ? v->name : "?", "label", label));
	}
	return list;
}

enum exit_code
raise_check(struct cmd_ctx *ctx, const Cdop__Form *form,
    struct cdop_violations *findings)
{
	enum exit_code code = EXIT_OK;
	struct cdop_path path;
	size_t i;

	for (i = 0; i < form->n_raised && code == EXIT_OK; i++)
		if (cdop_form_path_parse(form->raised[i]->path, &path) !=
			CDOP_OK ||
		    cdop_form_state(form, &path) == CDOP_VALUE_NOT_ASKED)
			code = find(ctx, findings, form->raised[i]->path,
			    "raised.nothing",
			    "nothing stands there that could be raised");
	return code;
}
