/*
 * What a handler is given, and how it says what happened.
 *
 * A handler checks fields, calls the registry and fills the reply.  It holds
 * no transaction, writes no log, packs nothing and tests no role: dispatch.c
 * did that, from the call's policy line.  It returns a code; rpc_fail() and
 * rpc_violation() add the words that go with it.
 */
#ifndef CDOP_RPC_CTX_H
#define CDOP_RPC_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdop/arena.h"
#include "cdop/bytes.h"
#include "cdop/err.h"
#include "registry.pb-c.h"
#include "stored.pb-c.h"

struct actor;
struct cdop_living;
struct registry;
struct rpc_method;

/* One case that left or changed, as the audit row will name it. */
struct rpc_released {
	const char *reference;
	uint64_t case_id;
	uint64_t case_key; /* seals the case box; 0: none */
	uint32_t classes;  /* bit n: sensitivity class n */
	const char *owner_area;
	const char *jurisdiction;
	const uint32_t *instances;
	size_t n_instances;
	const struct cdop_living *living; /* borrowed, like the rest */
	size_t n_living;
};

/* Where a stream of replies stands. */
struct rpc_cursor {
	uint64_t at;    /* the handler's; 0: at the beginning, or done */
	uint64_t end;   /* what was fixed with the first message, if it is */
	uint32_t given; /* entries so far */
	/*
	 * For a stream that would fill the log with itself (TRUST S6): the leaf
	 * of one message may speak for the ones behind it, too.
	 */
	uint32_t covered; /* the handler's: how far that leaf speaks */
	uint64_t leaf;    /* its index */
	uint32_t backup;  /* that this stream takes; 0: none */
	bool pause;       /* the next one wants a leaf: not within a second */
};

/* Does the leaf of a message before speak for the one that comes now? */
static inline bool
rpc_cursor_is_covered(const struct rpc_cursor *cursor)
{
	return cursor->at != 0 && cursor->given < cursor->covered;
}

struct rpc_term {
	const char *kind;  /* path in the dictionary */
	const char *value; /* canonical text */
};

#define RPC_RELEASED_MAX   104
#define RPC_VIOLATIONS_MAX 200
#define RPC_TERMS_MAX      136 /* all that a case ever had, too */
#define RPC_WORDS_MAX      16

struct rpc_ctx {
	/* Given. */
	struct registry *reg;
	struct cdop_arena *arena; /* lives until the reply is packed */
	const struct actor *actor;
	const struct rpc_method *method;
	uint64_t now_ms;            /* leaf time, UTC */
	const uint8_t *request_key; /* 16 bytes, or NULL */
	struct cdop_bytes request;  /* as it came */
	const char *purpose; /* code, checked against the profile; or NULL */
	const char *purpose_text;
	Cdop__Use use;
	struct rpc_cursor stream; /* zeros at the first message of a stream */

	/* For acts of two people: false while the act is only checked. */
	bool apply;
	uint8_t target_version[32]; /* set by the handler before it applies */
	bool target_changed;        /* it is not what was approved */
	const char *words[RPC_WORDS_MAX]; /* what precisely will happen */
	size_t n_words;
	uint32_t second_person;   /* who approved, when applied */
	uint32_t approved_method; /* of an Approve: what it decides on */
	const uint8_t *approval;  /* its number, 8 bytes */
	const uint8_t *digest;    /* 32: what the act brings in, for the log */

	/* Said by the handler. */
	const char *reason;      /* stable word */
	const char *log_reason;  /* stands in the log in its place */
	const char *message;     /* for a person; never case content */
	const char *ask_instead; /* literal: where the answer is too long */
	bool with_reply; /* the reply is filled in, and goes with a refusal */
	enum cdop_err true_outcome; /* where the answer hides it */
	const char *nowhere; /* as typed: the reference that led nowhere */
	Cdop__Violation *violations[RPC_VIOLATIONS_MAX];
	size_t n_violations;
	struct rpc_released released[RPC_RELEASED_MAX];
	size_t n_released;
	uint64_t about_key; /* key of the one case the call is about; 0: none */
	struct rpc_term terms[RPC_TERMS_MAX];
	size_t n_terms;
	uint32_t subject_person;
	uint64_t count; /* of what left and is no case; or whose number it is */
	const char *audit_reason; /* free text: goes under the case key */
	/*
	 * There was no memory for something that the log or the second person
	 * has to be told: whatever the handler says, the call is refused.
	 */
	bool lost;
	struct rpc_cursor next; /* at not 0: the stream goes on from here */
	bool is_covered; /* the leaf of a message before speaks for this one */

	/* The outcome that the request key gets again (TRUST M12). */
	bool applied; /* something was changed */
	/*
	 * Refused, and what was changed all the same is kept: a wrong
	 * comparison string is counted, an invitation flagged.
	 */
	bool kept;
	const char *out_reference;
	uint64_t out_version;
	uint32_t out_number;
	uint8_t out_extra[64];
	size_t out_extra_len;

	/* Set when this request repeats one that was applied. */
	const Cdop__StoredOutcome *replay;

	/* Sessions of these are ended before the answer is sealed. */
	uint32_t end_person;
	uint32_t end_device;
};

/*
 * A row of the call table: made from the service block by the generator
 * (build/gen/rpc_table.inc) and nothing else.
 */
struct rpc_method {
	const char *name; /* "NotificationRegister" */
	uint32_t id;
	uint32_t roles;  /* CDOP_ROLE_* */
	uint32_t scope;  /* enum cdop_scope */
	uint32_t states; /* CDOP_STATE_* */
	bool purpose;
	uint32_t txn;    /* enum cdop_txn */
	uint32_t audit;  /* enum cdop_audit */
	uint32_t second; /* roles of the second person, or 0 */
	uint32_t ttl_s;  /* how long it waits */
	bool use;
	const ProtobufCMessageDescriptor *request;
	const ProtobufCMessageDescriptor *reply;
	void (*reply_init)(void *reply);
	enum cdop_err (*handler)(
	    struct rpc_ctx *ctx, const void *request, void *reply);
};

/* The row of a method id; NULL: no such call. */
const struct rpc_method *rpc_method_find(uint32_t id);
const struct rpc_method *rpc_method_all(size_t *ret_n);

/*
 * A number that is another one as soon as anything was changed within the
 * batch, in memory or in the store: an error then leaves half a change, which
 * cannot be taken back alone.
 */
uint64_t rpc_touched(const struct registry *reg);

/* Sets reason and message (literals or arena text) and returns err. */
enum cdop_err rpc_fail(struct rpc_ctx *ctx, enum cdop_err err,
    const char *reason, const char *message);

/*
 * Adds a field violation.  path and message are copied.  The handler then
 * returns CDOP_INVALID_ARGUMENT (or goes on: a WARNING may be overridden).
 */
void rpc_violation(struct rpc_ctx *ctx, const char *path, const char *rule,
    Cdop__Severity severity, const char *message);

/*
 * Names a case that leaves or changes.  Every case in a reply is named, or
 * dispatch turns the success into CDOP_INTERNAL.
 */
void rpc_release(struct rpc_ctx *ctx, const struct rpc_released *released);

/* Keeps a search term for the TERMS row. */
void rpc_term(struct rpc_ctx *ctx, const char *kind, const char *value);

/*
 * For calls with a second person: sets what the act is bound to and what it
 * is in words.  Returns true when the handler is to apply it now, false when
 * it is only being checked and filed.
 */
bool rpc_second_may_apply(
    struct rpc_ctx *ctx, const uint8_t target_version[static 32]);
void rpc_second_words(struct rpc_ctx *ctx, const char *words);

/* The handlers: one for each line of the service block. */
#define RPC(Name, name, Req, Rep, ...)                                         \
	enum cdop_err rpc_##name(                                              \
	    struct rpc_ctx *ctx, const Cdop__##Req *req, Cdop__##Rep *rep);
#include "rpc_table.inc"
#undef RPC

#endif
