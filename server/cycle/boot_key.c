/* See boot_key.h. */
#include "server/cycle/boot_key.h"

#include <unistd.h>

#include "cdop/secret.h"
#include "server/base/log.h"
#include "server/vault/lockmem.h"
#include "server/vault/rows.h"
#include "server/vault/rows_slots.h"

static enum cdop_err
read_key(int fd, uint8_t ret_k[static 32])
{
	uint8_t file[SLOTS_KEYFILE + 1];
	struct cdop_bytes bytes = {file, 0};
	ssize_t len = pread(fd, file, sizeof(file), 0);
	enum cdop_err err;

	bytes.len = len < 0 ? 0 : (size_t)len;
	err = boot_set_key(bytes, ret_k);
	cdop_secret_wipe(file, sizeof(file));
	if (err != CDOP_OK)
		log_error("keyfile.bad", "which=%s next=%s", "boot_key_file",
		    "a key file has exactly 32 random bytes");
	return err;
}

/* A boot key that opens no set is one whose set is made at the next commit. */
enum cdop_err
boot_key_open(int fd, struct lockmem *mem, const struct rows *rows,
    struct boot_key **ret_boot)
{
	struct cdop_bytes row = rows_slots_boot(rows);
	struct boot_key *boot;
	enum cdop_err err;

	*ret_boot = NULL;
	if (fd < 0)
		return CDOP_OK;
	boot = lockmem_alloc(mem, sizeof(*boot));
	if (boot == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	if ((err = read_key(fd, boot->k)) != CDOP_OK) {
		boot_key_close(boot, mem);
		return err;
	}
	boot->has_set = row.len > 0 &&
	    boot_set_open(row, rows_registry(rows), boot->k, &boot->set) ==
		CDOP_OK;
	if (row.len > 0 && !boot->has_set)
		log_warning("boot.opens_nothing", "next=%s",
		    "custodians cannot submit until it was open once");
	*ret_boot = boot;
	return CDOP_OK;
}

void
boot_key_close(struct boot_key *boot, struct lockmem *mem)
{
	if (boot != NULL)
		lockmem_free(mem, boot, sizeof(*boot));
}
