/* Who is left out of what is restored, said; see restore_people.h. */
#include "server/restore_people.h"

#include <stdio.h>
#include <string.h>

#include "server/registry/people.h"
#include "server/registry/people_rule.h"
#include "server/registry/restored.h"

bool
restore_people_take(
    struct restored_suspend *suspend, const char *name, const char *value)
{
	bool is_device = strcmp(name, "--suspend-device") == 0;

	if (!is_device && strcmp(name, "--suspend") != 0)
		return false;
	if (suspend->n == CDOP_LEFT_OUT_MAX)
		return false;
	suspend->whom[suspend->n++] =
	    (struct restored_whom){.who = value, .is_device = is_device};
	return true;
}

/* ---- who there is ------------------------------------------------------- */

static const char *
person_state(const struct people_person *person)
{
	if (person->state == CDOP__PERSON_STATE__PERSON_INVITED)
		return "invited";
	return person->state == CDOP__PERSON_STATE__PERSON_SUSPENDED
	    ? "suspended"
	    : "active";
}

static const char *
device_state(const struct people_device *device)
{
	if (device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_ACTIVE)
		return "active";
	return device->state == CDOP__CREDENTIAL_STATE__CREDENTIAL_SUSPENDED
	    ? "suspended"
	    : "waits";
}

static void
list_devices(const struct people *people, uint32_t person)
{
	const struct people_device *device;
	uint32_t i;

	for (i = 1; i <= people_last_device(people); i++) {
		device = people_device(people, i);
		if (device->person == person &&
		    device->state != CDOP__CREDENTIAL_STATE__CREDENTIAL_REVOKED)
			printf("        device %u, %s: %s\n", i,
			    device_state(device), device->label);
	}
}

void
restore_people_list(
    const struct registry *reg, struct cdop_arena *arena, uint64_t now_ms)
{
	const struct people *people = reg->people;
	const struct people_person *person;
	uint32_t i;

	puts("Nothing was done. Who is in it:");
	for (i = 1; i <= people_last_person(people); i++) {
		person = people_person(people, i);
		if (person->state == CDOP__PERSON_STATE__PERSON_REVOKED)
			continue;
		printf("  %u  %s, %s (%s)\n", i, person->name,
		    person_state(person),
		    people_rule_role_words(
			arena, people_rule_granted(people, person, now_ms)));
		list_devices(people, i);
	}
}

/* ---- what has become of them -------------------------------------------- */

static void
print_all(const struct people *people, const char *what,
    const struct restored_out *out, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		printf("%s: ", what);
		if (out[i].device != 0)
			printf("device %u of ", out[i].device);
		printf("%u %s%s\n", out[i].person,
		    people_person(people, out[i].person)->name,
		    restored_people_how(people, &out[i]));
	}
}

void
restore_people_report(
    struct registry *reg, struct cdop_arena *arena, uint64_t now_ms)
{
	struct restored_out may[RESTORED_ACCEPT_MAX];
	struct restored_view view;
	size_t n;

	if (restored_view(reg, arena, &view) != CDOP_OK)
		return;
	print_all(reg->people, "suspended", view.out, view.n_out);
	n = restored_people_accept(reg, now_ms, may, RESTORED_ACCEPT_MAX);
	print_all(reg->people, "may accept it", may, n);
	if (n < PEOPLE_RULE_ADMINS_MIN)
		puts("These are not two administrators, who could accept it: "
		     "cdopd recover-people invites others, and accepts it.");
	puts("Who was suspended or revoked since is active again, but for "
	     "those: ask an administrator before it is started.\n"
	     "cdopd accept-rollback DIR --suspend PERSON leaves out more.");
}
