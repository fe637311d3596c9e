/* A backup as a stream of records; see cdop/backup.h. */
#include "cdop/backup.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdop/limits.h"
#include "cdop/sha256.h"

#define FORMAT      "cdop-backup/"
#define MAGIC       FORMAT "1\n\0\0" /* with the NUL behind it 17 bytes */
#define MAGIC_LEN   16
#define BUFFER_SIZE (256u << 10)

struct cdop_backup {
	FILE *file;
	bool ended;
	uint8_t registry[16];
	struct cdop_sha256 hash;
	uint64_t length;
	uint8_t sha256[CDOP_SHA256_LEN];
	uint8_t bytes[CDOP_BACKUP_ROW_MAX];
};

void
cdop_backup_head_write(
    const uint8_t registry[static 16], uint8_t out[static CDOP_BACKUP_HEAD])
{
	memcpy(out, MAGIC, MAGIC_LEN);
	memcpy(out + MAGIC_LEN, registry, 16);
}

void
cdop_backup_record_write(const struct cdop_backup_record *record,
    uint8_t out[static CDOP_BACKUP_RECORD])
{
	out[0] = (uint8_t)record->type;
	cdop_put64(out + 1, record->number);
	cdop_put32(out + 9, (uint32_t)record->bytes.len);
}

static bool
take(struct cdop_backup *backup, uint8_t *out, size_t len)
{
	return fread(out, 1, len, backup->file) == len;
}

static void
count(struct cdop_backup *backup, const uint8_t *bytes, size_t len)
{
	cdop_sha256_update(&backup->hash, bytes, len);
	backup->length += len;
}

static enum cdop_err
take_head(struct cdop_backup *backup)
{
	uint8_t head[CDOP_BACKUP_HEAD];

	if (!take(backup, head, sizeof(head)) ||
	    memcmp(head, FORMAT, strlen(FORMAT)) != 0)
		return CDOP_INVALID_ARGUMENT;
	if (memcmp(head, MAGIC, MAGIC_LEN) != 0)
		return CDOP_UNIMPLEMENTED;
	memcpy(backup->registry, head + MAGIC_LEN, sizeof(backup->registry));
	count(backup, head, sizeof(head));
	return CDOP_OK;
}

enum cdop_err
cdop_backup_open(const char *path, struct cdop_backup **ret_backup)
{
	struct cdop_backup *backup;
	enum cdop_err err;

	backup = calloc(1, sizeof(*backup));
	if (backup == NULL)
		return CDOP_RESOURCE_EXHAUSTED;
	cdop_sha256_init(&backup->hash);
	backup->file = fopen(path, "rbe");
	if (backup->file == NULL)
		err = CDOP_NOT_FOUND;
	else if (setvbuf(backup->file, NULL, _IOFBF, BUFFER_SIZE) != 0)
		err = CDOP_RESOURCE_EXHAUSTED;
	else
		err = take_head(backup);
	if (err == CDOP_OK) {
		*ret_backup = backup;
		return CDOP_OK;
	}
	cdop_backup_close(backup);
	return err;
}

void
cdop_backup_close(struct cdop_backup *backup)
{
	if (backup == NULL)
		return;
	if (backup->file != NULL)
		(void)fclose(backup->file);
	free(backup);
}

const uint8_t *
cdop_backup_registry(const struct cdop_backup *backup)
{
	return backup->registry;
}

/* Whether a record of this type may have so many bytes. */
static bool
is_len(uint8_t type, uint32_t len)
{
	switch (type) {
	case CDOP_BACKUP_ROW:
		return len > 0 && len <= CDOP_BACKUP_ROW_MAX;
	case CDOP_BACKUP_GONE:
		return len == 0;
	case CDOP_BACKUP_END:
		return len > 0 && len <= CDOP_NOTE_MAX;
	default:
		return false;
	}
}

static enum cdop_err
end(struct cdop_backup *backup)
{
	backup->ended = true;
	cdop_sha256_final(&backup->hash, backup->sha256);
	return getc(backup->file) == EOF && !ferror(backup->file)
	    ? CDOP_OK
	    : CDOP_DATA_LOSS;
}

enum cdop_err
cdop_backup_next(
    struct cdop_backup *backup, struct cdop_backup_record *ret_record)
{
	uint8_t head[CDOP_BACKUP_RECORD];
	uint32_t len;

	CDOP_ASSERT(!backup->ended);
	if (!take(backup, head, sizeof(head)))
		return CDOP_DATA_LOSS;
	len = cdop_get32(head + 9);
	if (!is_len(head[0], len) || !take(backup, backup->bytes, len))
		return CDOP_DATA_LOSS;
	ret_record->type = head[0];
	ret_record->number = cdop_get64(head + 1);
	ret_record->bytes = (struct cdop_bytes){backup->bytes, len};
	if (ret_record->type == CDOP_BACKUP_END)
		return end(backup);
	count(backup, head, sizeof(head));
	count(backup, backup->bytes, len);
	return CDOP_OK;
}

uint64_t
cdop_backup_length(const struct cdop_backup *backup)
{
	return backup->length;
}

const uint8_t *
cdop_backup_sha256(const struct cdop_backup *backup)
{
	CDOP_ASSERT(backup->ended);
	return backup->sha256;
}
