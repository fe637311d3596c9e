/*
 * Every bound on what comes from outside, in one place.
 *
 * A length from a stranger is checked against one of these before it takes
 * part in arithmetic or in an allocation.  What people meet of them stands
 * in the manual pages, and tests/lint/bounds compares the two.
 */
#ifndef CDOP_LIMITS_H
#define CDOP_LIMITS_H

/* The link (proto/PROTOCOL.md, "Frames" and "Stream"). */
#define CDOP_FRAME_MAX       65535      /* one Noise message */
#define CDOP_MESSAGE_MAX     (1u << 20) /* one protobuf message */
#define CDOP_PAD_STEP        256        /* of transport plaintext */
#define CDOP_HANDSHAKE_S     10         /* preamble to message 3 */
#define CDOP_REQUEST_S       30         /* first byte to last of a call */
#define CDOP_SESSION_S       (60 * 60)  /* no new call after that */
#define CDOP_SESSION_HARD_S  (65 * 60)  /* closed after that */
#define CDOP_IDLE_S          (15 * 60)  /* closed when nothing is said */
#define CDOP_PIPELINE_MAX    64         /* calls in flight on a session */
#define CDOP_DEADLINE_MS_MAX 60000      /* a caller may ask for */

/* The scanner (proto/scan.h): what one request may be made of. */
#define CDOP_SCAN_DEPTH_MAX  6          /* nested messages */
#define CDOP_SCAN_FIELDS_MAX 4096       /* fields in one message */
#define CDOP_SCAN_REPEAT_MAX 512        /* entries of one repeated field */
#define CDOP_REQUEST_ARENA   (8u << 20) /* unpacked, reply and scratch */
#define CDOP_REQUEST_CHANCE  (1u << 20) /* up to this more, by chance */
#define CDOP_ANSWER_ARENA    (4u << 20) /* besides: leaf and reply */

/* Argon2id: the cost may come out of a file (TRUST M5). */
#define CDOP_ARGON2_PASSES_MAX 8
#define CDOP_ARGON2_KIB_MIN    8
#define CDOP_ARGON2_KIB_MAX    (1u << 20)

/* Words. */
#define CDOP_TEXT_MAX      200   /* characters of a name or line */
#define CDOP_NARRATIVE_MAX 32768 /* bytes of a narrative */
#define CDOP_REASON_MAX    500   /* characters of a reason */
#define CDOP_LIST_MAX      100   /* entries of one page */

/* People and devices that a restore leaves out (cdopd restore --suspend). */
#define CDOP_LEFT_OUT_MAX 64

/*
 * A case.  Its state, with what a caller does not see of it, stays far below
 * what a row holds: nobody is to meet that end and learn what lies there.
 */
#define CDOP_CASE_LINKS_MAX         20  /* other cases, that one person sees */
#define CDOP_CASE_LINKS_ENDED_MAX   40  /* links taken back, likewise */
#define CDOP_CASE_NOTIFICATIONS_MAX 500 /* ever joined */

/* The gate. */
#define CDOP_GATE_CONNS_MAX    1024
#define CDOP_GATE_CONNS_SOURCE 64         /* from one address */
#define CDOP_GATE_OUT_MAX      (4u << 20) /* queued for one connection */
/* FRAME bytes the gate hands over before the vault says TAKEN. */
#define CDOP_GATE_WINDOW (128u << 10)

/* The vault: believes none of the gate's bounds and has its own. */
#define CDOP_VAULT_SESSIONS_MAX  1024
#define CDOP_DEVICE_SESSIONS_MAX 96 /* of a device; then its oldest goes */
#define CDOP_VAULT_HALF_OPEN_MAX 128
#define CDOP_VAULT_HANDSHAKES_S  200 /* per second, all sources */
#define CDOP_BATCH_REQUESTS_MAX  256
#define CDOP_PACE_CALLS          50000 /* of a device at a stretch, then */
#define CDOP_PACE_MS             500   /* one in so many */
#define CDOP_BATCH_BYTES_MAX     (8u << 20)

/* Files. */
#define CDOP_PROFILE_FILE_MAX    (1u << 20)
#define CDOP_CONFIG_FILE_MAX     (64u << 10)
#define CDOP_INVITATION_FILE_MAX (8u << 10)
#define CDOP_IMPORT_FILE_MAX     (64u << 20)
#define CDOP_IMPORT_ROWS_MAX     10000
#define CDOP_SEEN_CASES_MAX      256 /* that a device remembers to have shown */

/* Signed notes and what is made of them (cdop/note.h). */
#define CDOP_NOTE_MAX            (128u << 10) /* one note */
#define CDOP_NOTE_SIGNATURES_MAX 32           /* on one note */
#define CDOP_NOTE_NAME_MAX       255          /* bytes of a key's name */
#define CDOP_NOTE_COSIGNED_MAX   4096         /* bytes of a cosigned text */
#define CDOP_LOGPROOF_EXTRA_MAX  1024         /* bytes beside a proof */
#define CDOP_STATEMENTS_MAX      1000         /* of one registry */

/* A profile: each entry of it is compared with each other. */
#define CDOP_PROFILE_ENTRIES_MAX 1000 /* agencies, lists, ...: each */
/* Two keys of each stand in one answer while they turn, of 512 entries. */
#define CDOP_PROFILE_AREAS_MAX 200
#define CDOP_PROFILE_CODES_MAX 2000 /* of one list */
#define CDOP_PROFILE_HINTS_MAX 5000

/* Request keys (TRUST M8): the same outcome for 30 days, then refused. */
#define CDOP_REQUEST_KEY_LEN     16
#define CDOP_REQUEST_KEY_DAYS    30
#define CDOP_REQUEST_KEY_AHEAD_S (24 * 60 * 60)

/* The log has an entry a day while it is served: a clock that is further
 * ahead of the last one is wrong, or the registry stood still. */
#define CDOP_CLOCK_LEAP_DAYS 90

#endif
