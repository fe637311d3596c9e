/* Proofs as texts; see cdop/logproof.h. */
#include "cdop/logproof.h"

#include <string.h>

#include "cdop/secret.h"
#include "proto/note_inner.h"

#define HEAD "c2sp.org/tlog-proof@v1"

/* ---- reading ------------------------------------------------------------ */

static bool
is(struct cdop_bytes line, const char *text)
{
	return line.len == strlen(text) &&
	    memcmp(line.data, text, line.len) == 0;
}

/* An `extra` with nothing in it is written by leaving the line out. */
static bool
take_extra(struct cdop_bytes base64, struct cdop_logproof *logproof)
{
	return base64.len > 0 &&
	    cdop_secret_unbase64(base64, logproof->extra,
		sizeof(logproof->extra), &logproof->extra_len) == CDOP_OK;
}

/* The lines up to the empty one. */
static bool
take_hashes(struct cdop_bytes *rest, struct cdop_merkle_proof *proof)
{
	struct cdop_bytes line;

	proof->n = 0;
	while (cdop_note_line(rest, &line)) {
		if (line.len == 0)
			return true;
		if (proof->n == CDOP_MERKLE_PROOF_MAX ||
		    !cdop_note_hash(line, proof->hash[proof->n++]))
			return false;
	}
	return false;
}

enum cdop_err
cdop_logproof_parse(struct cdop_bytes text, struct cdop_logproof *ret_logproof)
{
	struct cdop_bytes rest = text, line;
	struct cdop_logproof logproof;
	struct cdop_note note;

	memset(&logproof, 0, sizeof(logproof));
	if (!cdop_note_line(&rest, &line) || !is(line, HEAD) ||
	    !cdop_note_line(&rest, &line))
		return CDOP_INVALID_ARGUMENT;
	if (cdop_note_word(&line, "extra") &&
	    (!take_extra(line, &logproof) || !cdop_note_line(&rest, &line)))
		return CDOP_INVALID_ARGUMENT;
	if (!cdop_note_word(&line, "index") ||
	    !cdop_note_decimal(line, &logproof.index) ||
	    !take_hashes(&rest, &logproof.proof) ||
	    cdop_note_parse(rest, &note) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	logproof.checkpoint = rest;
	*ret_logproof = logproof;
	return CDOP_OK;
}

/* ---- writing ------------------------------------------------------------ */

enum cdop_err
cdop_logproof_write(const struct cdop_logproof *logproof, uint8_t *out,
    size_t max, size_t *ret_len)
{
	struct note_out to = {.data = out, .max = max};
	struct cdop_bytes bytes = {logproof->extra, logproof->extra_len};
	struct cdop_note note;
	size_t i;

	if (logproof->extra_len > CDOP_LOGPROOF_EXTRA_MAX ||
	    logproof->proof.n > CDOP_MERKLE_PROOF_MAX ||
	    cdop_note_parse(logproof->checkpoint, &note) != CDOP_OK)
		return CDOP_INVALID_ARGUMENT;
	cdop_note_put_text(&to, HEAD "\n");
	if (bytes.len > 0) {
		cdop_note_put_text(&to, "extra ");
		cdop_note_put_base64(&to, bytes);
		cdop_note_put_text(&to, "\n");
	}
	cdop_note_put_text(&to, "index ");
	cdop_note_put_decimal(&to, logproof->index);
	cdop_note_put_text(&to, "\n");
	for (i = 0; i < logproof->proof.n; i++) {
		bytes.data = logproof->proof.hash[i];
		bytes.len = CDOP_MERKLE_HASH;
		cdop_note_put_base64(&to, bytes);
		cdop_note_put_text(&to, "\n");
	}
	cdop_note_put_text(&to, "\n");
	cdop_note_put(&to, logproof->checkpoint.data, logproof->checkpoint.len);
	if (to.full)
		return CDOP_RESOURCE_EXHAUSTED;
	*ret_len = to.len;
	return CDOP_OK;
}

/* ---- checking ------------------------------------------------------------ */

enum cdop_err
cdop_logproof_check(const struct cdop_logproof *logproof,
    const uint8_t leaf_hash[static CDOP_MERKLE_HASH],
    const struct cdop_note_key *key, struct cdop_checkpoint *ret_checkpoint)
{
	struct cdop_checkpoint checkpoint;
	enum cdop_err err;

	err = cdop_checkpoint_open(logproof->checkpoint, key, &checkpoint);
	if (err != CDOP_OK)
		return err;
	err = cdop_merkle_check_inclusion(logproof->index, checkpoint.size,
	    leaf_hash, &logproof->proof, checkpoint.root);
	if (err == CDOP_OK && ret_checkpoint != NULL)
		*ret_checkpoint = checkpoint;
	return err;
}
