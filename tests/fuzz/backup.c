/*
 * A backup, a sheet with a share and a certificate, from anybody: read to their
 * end or refused, and what was read is written in the same way again.
 */
#include "cdop/backup.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cdop/certificate.h"
#include "cdop/manifest.h"
#include "cdop/share.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
try_manifest(struct cdop_bytes in, struct cdop_arena *arena)
{
	struct cdop_manifest manifest;
	size_t i;

	if (cdop_manifest_parse(in, arena, &manifest) != CDOP_OK)
		return;
	CDOP_ASSERT(manifest.n_epochs <= CDOP_MANIFEST_EPOCHS_MAX);
	for (i = 0; i < manifest.n_epochs; i++)
		CDOP_ASSERT(manifest.epoch[i].scope[0] != '\0');
}

/* Bytes and records add up to the file. */
static void
try_backup(const char *path, size_t len, struct cdop_arena *arena)
{
	struct cdop_backup_record record;
	struct cdop_backup *backup;
	uint64_t bytes = CDOP_BACKUP_HEAD;

	if (cdop_backup_open(path, &backup) != CDOP_OK)
		return;
	record.type = CDOP_BACKUP_ROW;
	while (record.type != CDOP_BACKUP_END &&
	    cdop_backup_next(backup, &record) == CDOP_OK) {
		bytes += CDOP_BACKUP_RECORD + record.bytes.len;
		CDOP_ASSERT(bytes <= len);
		if (record.type == CDOP_BACKUP_END) {
			CDOP_ASSERT(bytes == len);
			try_manifest(record.bytes, arena);
		}
	}
	cdop_backup_close(backup);
}

static void
try_share(struct cdop_bytes in)
{
	uint8_t bytes[CDOP_SHARE_LEN], again[CDOP_SHARE_LEN];
	char text[CDOP_SHARE_TEXT];
	struct cdop_share share;

	if (cdop_share_parse(in, &share) != CDOP_OK)
		return;
	cdop_share_pack(&share, bytes);
	cdop_share_write(&share, text);
	in = (struct cdop_bytes){(const uint8_t *)text, strlen(text)};
	CDOP_ASSERT(cdop_share_parse(in, &share) == CDOP_OK);
	cdop_share_pack(&share, again);
	CDOP_ASSERT(memcmp(bytes, again, sizeof(bytes)) == 0);
}

/* The code of one that was opened, typed by anybody. */
static void
try_proof(const uint8_t *data, size_t len)
{
	uint8_t proof[CDOP_MANIFEST_PROOF], again[CDOP_MANIFEST_PROOF];
	char text[64] = "";

	memcpy(text, data, len < sizeof(text) ? len : sizeof(text) - 1);
	if (cdop_manifest_proof_parse(text, proof) != CDOP_OK)
		return;
	cdop_manifest_proof_write(proof, text);
	CDOP_ASSERT(cdop_manifest_proof_parse(text, again) == CDOP_OK);
	CDOP_ASSERT(memcmp(proof, again, sizeof(proof)) == 0);
}

static void
try_certificate(struct cdop_bytes in, struct cdop_arena *arena)
{
	struct cdop_certificate_line *line;
	size_t n, i;

	if (cdop_certificate_parse(in, arena, &line, &n) != CDOP_OK)
		return;
	for (i = 0; i < n; i++)
		CDOP_ASSERT(line[i].word[0] != '\0' && line[i].says != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cdop_arena *arena;
	char path[64];
	int fd;

	fd = memfd_create("backup", MFD_CLOEXEC);
	CDOP_ASSERT(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	CDOP_ASSERT(cdop_arena_new(1u << 20, &arena) == CDOP_OK);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	try_backup(path, len, arena);
	try_manifest((struct cdop_bytes){data, len}, arena);
	try_share((struct cdop_bytes){data, len});
	try_proof(data, len);
	try_certificate((struct cdop_bytes){data, len}, arena);
	cdop_arena_free(arena);
	(void)close(fd);
	return 0;
}
