/* The field table agrees with the messages, and is whole. */
#include "cdop/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forms.pb-c.h"

/* cmocka wants the headers above before it. */
#include <cmocka.h>

static void
every_row_names_a_field_of_its_type(void **state)
{
	const ProtobufCFieldDescriptor *group;
	const ProtobufCFieldDescriptor *leaf;
	const struct cdop_field *field;
	size_t i;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		field = &cdop_fields[i];
		group = protobuf_c_message_descriptor_get_field(
		    &cdop__form__descriptor, field->group_tag);
		assert_non_null(group);
		assert_string_equal(group->name, field->group);
		assert_int_equal(group->label == PROTOBUF_C_LABEL_REPEATED,
		    field->group_max > 0);
		leaf = protobuf_c_message_descriptor_get_field(
		    group->descriptor, field->tag);
		assert_non_null(leaf);
		assert_string_equal(leaf->name, field->name);
		assert_int_equal(leaf->label, PROTOBUF_C_LABEL_OPTIONAL);
		if (field->kind == CDOP_KIND_DATE)
			assert_ptr_equal(
			    leaf->descriptor, &cdop__date__descriptor);
	}
}

static void
every_row_knows_its_place(void **state)
{
	const ProtobufCMessageDescriptor *group;
	const ProtobufCFieldDescriptor *fd;
	const struct cdop_field *field;
	size_t i;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		field = &cdop_fields[i];
		fd = &cdop__form__descriptor.fields[field->group_at];
		assert_int_equal(fd->id, field->group_tag);
		group = fd->descriptor;
		assert_int_equal(group->fields[field->at].id, field->tag);
		assert_int_equal(field->rows, group->n_fields);
		assert_true(field->first <= i);
		assert_true(i < (size_t)field->first + field->rows);
		assert_int_equal(
		    cdop_fields[field->first].group_tag, field->group_tag);
		if (field->first > 0)
			assert_int_not_equal(
			    cdop_fields[field->first - 1].group_tag,
			    field->group_tag);
	}
}

static void
every_field_of_a_form_has_a_row(void **state)
{
	const ProtobufCMessageDescriptor *form = &cdop__form__descriptor;
	const ProtobufCMessageDescriptor *group;
	size_t rows = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < form->n_fields; i++) {
		group = form->fields[i].descriptor;
		if (group == &cdop__absent__descriptor ||
		    group == &cdop__raised__descriptor)
			continue;
		rows += group->n_fields;
	}
	assert_int_equal(rows, cdop_fields_count);
}

static void
paths_are_unique_and_found(void **state)
{
	size_t i;
	size_t k;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		assert_ptr_equal(
		    cdop_fields_find(cdop_fields[i].path), &cdop_fields[i]);
		for (k = 0; k < i; k++)
			assert_string_not_equal(
			    cdop_fields[k].path, cdop_fields[i].path);
	}
	assert_null(cdop_fields_find("child"));
	assert_null(cdop_fields_find(""));
	assert_null(cdop_fields_group("absent"));
	assert_string_equal(cdop_fields_group("parent")->path, "parent.number");
}

static void
every_row_has_its_words_and_one_class(void **state)
{
	const struct cdop_field *field;
	uint32_t classes = 0;
	size_t i;

	(void)state;
	for (i = 0; i < cdop_fields_count; i++) {
		field = &cdop_fields[i];
		assert_true(strlen(field->label) > 2);
		assert_true(strlen(field->group_label) > 2);
		assert_string_not_equal(
		    cdop_fields_kind_name(field->kind), "?");
		assert_string_not_equal(
		    cdop_fields_need_name(field->need), "?");
		assert_string_not_equal(
		    cdop_fields_stage_name(field->stage), "?");
		assert_string_not_equal(
		    cdop_fields_class_name(field->class), "?");
		assert_int_equal(
		    field->list != NULL, field->kind == CDOP_KIND_CODE);
		classes |= field->class;
		/* Lines of a family's story are never the child's alone. */
		if (field->kind == CDOP_KIND_NARRATIVE)
			assert_int_equal(field->class, CDOP_CLASS_NARRATIVE);
	}
	assert_int_equal(classes, CDOP_CLASS_ALL);
	assert_string_equal(cdop_fields_class_name(1u << 11), "?");
	assert_string_equal(cdop_fields_class_name(0), "?");
}

static void
class_bits_are_the_numbers_of_the_enum(void **state)
{
	(void)state;
	assert_int_equal(
	    CDOP_CLASS_CHILD_IDENTITY, 1u << CDOP__DATA_CLASS__CHILD_IDENTITY);
	assert_int_equal(CDOP_CLASS_FAMILY_IDENTITY,
	    1u << CDOP__DATA_CLASS__FAMILY_IDENTITY);
	assert_int_equal(CDOP_CLASS_PROFESSIONAL_IDENTITY,
	    1u << CDOP__DATA_CLASS__PROFESSIONAL_IDENTITY);
	assert_int_equal(CDOP_CLASS_LOCATION, 1u << CDOP__DATA_CLASS__LOCATION);
	assert_int_equal(
	    CDOP_CLASS_EXACT_DATE, 1u << CDOP__DATA_CLASS__EXACT_DATE);
	assert_int_equal(CDOP_CLASS_CLINICAL, 1u << CDOP__DATA_CLASS__CLINICAL);
	assert_int_equal(
	    CDOP_CLASS_NARRATIVE, 1u << CDOP__DATA_CLASS__NARRATIVE);
	assert_int_equal(
	    CDOP_CLASS_SAFEGUARDING, 1u << CDOP__DATA_CLASS__SAFEGUARDING);
	assert_int_equal(
	    CDOP_CLASS_POLICE_CORONER, 1u << CDOP__DATA_CLASS__POLICE_CORONER);
	assert_int_equal(
	    CDOP_CLASS_ADMINISTRATIVE, 1u << CDOP__DATA_CLASS__ADMINISTRATIVE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_names_a_field_of_its_type),
	    cmocka_unit_test(every_row_knows_its_place),
	    cmocka_unit_test(every_field_of_a_form_has_a_row),
	    cmocka_unit_test(paths_are_unique_and_found),
	    cmocka_unit_test(every_row_has_its_words_and_one_class),
	    cmocka_unit_test(class_bits_are_the_numbers_of_the_enum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
