/*
 * A notification on its way: the form, what was decided about it, the key it
 * goes under.  Asking, files and sending each have a file of their own.
 */
#ifndef CDOP_CLIENT_NOTIFY_H
#define CDOP_CLIENT_NOTIFY_H

#include "cdop/form.h"
#include "cdop/limits.h"
#include "client.pb-c.h"
#include "client/cmd.h"
#include "client/lock.h"
#include "client/overrides.h"

#define NOTIFY_DECISIONS_MAX 20

struct notify {
	Cdop__Form *form;
	struct overrides overrides;
	Cdop__DuplicateDecision *decision[NOTIFY_DECISIONS_MAX];
	size_t n_decisions;
	uint8_t key[CDOP_REQUEST_KEY_LEN];
	char *form_kind; /* NULL: new */
	char *source;
	char *owner_area;
	char *owner_reason;
	const char *like; /* reference it was copied from, or NULL */
	unsigned draft;   /* number of its draft; 0: none */
	struct lock hold; /* of that draft; fd -1: not held */
	bool dry_run;
};

/* An empty one with a new key and what the command line says of it. */
enum exit_code notify_new(struct cmd_ctx *ctx, struct notify *n);

/*
 * Before anybody is asked for anything: the paths of --set are fields, and the
 * file of --from is there.
 */
enum exit_code notify_look(struct cmd_ctx *ctx);

/* Values of --set path=value; identity only in a training registry. */
enum exit_code notify_set(
    struct cmd_ctx *ctx, const struct cdop_profile *profile, struct notify *n);

/* The request message; it borrows from n. */
void notify_request(
    struct notify *n, Cdop__NotificationRegisterRequest *ret_request);

/* Takes a decision about one candidate; replaces an older one. */
enum exit_code notify_decide(struct cmd_ctx *ctx, struct notify *n,
    const char *reference, Cdop__Decision decision, const char *reason);

/* Findings of the form engine as the rest of the client shows them. */
struct cmd_finding *notify_findings(
    struct cmd_ctx *ctx, const struct cdop_violations *v);

/* Keeps it sealed as a draft, which is held from then on. */
enum exit_code notify_keep(struct cmd_ctx *ctx, struct notify *n);

/* Somebody else may go on with its draft. */
void notify_end(struct notify *n);

/*
 * Fills a new one with all that a draft holds; what the command line said
 * already stands.
 */
void notify_take(struct notify *n, const Cdop__ClientDraft *draft);

/*
 * Sends it, asks about warnings and duplicates and sends again, shows the
 * reply.  Without an answer the draft stays and the exit code says so.
 */
enum exit_code notify_send(struct cmd_ctx *ctx, struct notify *n);

/* What became of it: the word before its reference. */
const char *notify_verb(const Cdop__NotificationRegisterReply *reply);

/*
 * A case entered in error that may have been the same child: it stops nobody,
 * and is mentioned.  "": there is none.
 */
const char *notify_withdrawn(
    struct cmd_ctx *ctx, const Cdop__NotificationRegisterReply *reply);

/* Whose it is, in words, or why that is not said. */
const char *notify_owner(const Cdop__NotificationRegisterReply *reply);

#endif
