/* Whoever closes them finds that nothing else is opened in their place. */
#include "cdop/inherited.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In a child with those of the bits closed: what fails, or 0. */
static int
look(unsigned bits)
{
	char byte = 'x';
	int fd;

	for (fd = 0; fd < 3; fd++)
		if ((bits >> fd & 1) != 0)
			(void)close(fd);
	if (cdop_inherited_settle() != CDOP_OK)
		return 1;
	if (open("/dev/null", O_RDWR | O_CLOEXEC) < 3)
		return 2;
	if ((bits & 1) != 0 && read(0, &byte, 1) >= 0)
		return 3;
	for (fd = 1; fd < 3; fd++)
		if ((bits >> fd & 1) != 0 && write(fd, &byte, 1) >= 0)
			return 4;
	return 0;
}

static void
a_closed_one_is_nobody_elses_and_fails(void **state)
{
	unsigned bits;
	int status;
	pid_t pid;

	(void)state;
	for (bits = 0; bits < 8; bits++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(look(bits));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void
what_is_made_is_its_makers(void **state)
{
	const mode_t usual = umask(0777);

	(void)state;
	assert_int_equal(cdop_inherited_settle(), CDOP_OK);
	assert_int_equal(umask(0027), 0077);
	assert_int_equal(cdop_inherited_settle(), CDOP_OK);
	assert_int_equal(umask(usual), 0027);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_closed_one_is_nobody_elses_and_fails),
	    cmocka_unit_test(what_is_made_is_its_makers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
