/*
 * A message in a file, sealed under a key of this device.
 *
 *	magic 16 || nonce 24 || XChaCha20-Poly1305(len u32 || message || zeros)
 *
 * Additional data: magic and registry id.  Padded to 1 KiB, so that a thief
 * of the disk learns little from the sizes.
 */
#ifndef CDOP_CLIENT_SEALED_H
#define CDOP_CLIENT_SEALED_H

#include "client/cmd.h"

#define SEALED_MAGIC_LEN 16

/* What is sealed how: magic is 16 characters, label names the subkey. */
struct sealed_kind {
	const char *magic;
	const char *label;
	const ProtobufCMessageDescriptor *desc;
};

/* Replaces the file whole.  The session has to be unlocked. */
CDOP_MUST enum cdop_err sealed_write(struct cmd_ctx *ctx,
    const struct sealed_kind *kind, const char *path,
    const ProtobufCMessage *message);

/*
 * CDOP_NOT_FOUND; CDOP_DATA_LOSS: damaged, or of another device;
 * CDOP_UNAVAILABLE.
 */
CDOP_MUST enum cdop_err sealed_read(struct cmd_ctx *ctx,
    const struct sealed_kind *kind, const char *path,
    ProtobufCMessage **ret_message);

#endif
