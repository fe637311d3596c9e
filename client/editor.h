/*
 * A long text in the person's own editor.  The text lies in a file in
 * memory, in a folder that only its owner may enter, and both are gone when
 * the editor ends.
 */
#ifndef CDOP_CLIENT_EDITOR_H
#define CDOP_CLIENT_EDITOR_H

#include "client/cmd.h"

/*
 * Opens $VISUAL or $EDITOR with before, and what is saved is the text, at
 * most max bytes, in the arena.  EXIT_USAGE: no editor, no folder in
 * memory, or more text than that; EXIT_STOPPED: the editor ended with an
 * error.
 */
enum exit_code editor_text(
    struct cmd_ctx *ctx, const char *before, size_t max, const char **ret_text);

/* Texts of a cdop that was killed, whose editor has ended too. */
void editor_remove_left(struct cmd_ctx *ctx);

#endif
