/*
 * Roles, registry states and scopes, as the words of a policy line stand for
 * them.  The numbers of enum cdop_role are those of Role in registry.proto.
 */
#ifndef CDOP_ROLE_H
#define CDOP_ROLE_H

/* Masks: a policy line may name several. */
#define CDOP_ROLE_NONE              0u
#define CDOP_ROLE_COORDINATOR       (1u << 1)
#define CDOP_ROLE_PARTNER           (1u << 2)
#define CDOP_ROLE_PANEL_MEMBER      (1u << 3)
#define CDOP_ROLE_ANALYST           (1u << 4)
#define CDOP_ROLE_ADMINISTRATOR     (1u << 5)
#define CDOP_ROLE_CUSTODIAN         (1u << 6)
#define CDOP_ROLE_AUDITOR           (1u << 7)
#define CDOP_ROLE_CHAIR             (1u << 8)  /* reserved */
#define CDOP_ROLE_DESIGNATED_DOCTOR (1u << 9)  /* reserved */
#define CDOP_ROLE_AGENCY_RESPONDENT (1u << 10) /* reserved */
/* Every enrolled, active person, whatever the roles. */
#define CDOP_ROLE_ANY (1u << 30)
/* Also a credential that waits for activation. */
#define CDOP_ROLE_PENDING (1u << 29)
/* A session under an invitation: it may enrol and nothing else. */
#define CDOP_ROLE_INVITED (1u << 28)

/* Roles that read cases; none goes with the two below, nor with AUDITOR. */
#define CDOP_ROLES_CASE                                                        \
	(CDOP_ROLE_COORDINATOR | CDOP_ROLE_PARTNER | CDOP_ROLE_PANEL_MEMBER |  \
	    CDOP_ROLE_ANALYST | CDOP_ROLE_CHAIR |                              \
	    CDOP_ROLE_DESIGNATED_DOCTOR | CDOP_ROLE_AGENCY_RESPONDENT)
#define CDOP_ROLES_KEYS (CDOP_ROLE_ADMINISTRATOR | CDOP_ROLE_CUSTODIAN)

/* The roles that are a person's, without the three above. */
#define CDOP_ROLES_NAMED (CDOP_ROLES_CASE | CDOP_ROLES_KEYS | CDOP_ROLE_AUDITOR)

#define CDOP_STATE_SETUP    (1u << 0) /* fewer than two administrators */
#define CDOP_STATE_SEALED   (1u << 1) /* no root in memory */
#define CDOP_STATE_RESTORED (1u << 2) /* after a restore, before approval */
#define CDOP_STATE_OPEN     (1u << 3)

/* What a call is about, and so which rule of access.h decides. */
enum cdop_scope {
	CDOP_SCOPE_NONE = 0,     /* no case, no person but oneself */
	CDOP_SCOPE_SELF = 1,     /* the caller's own person or device */
	CDOP_SCOPE_PEOPLE = 2,   /* persons and devices */
	CDOP_SCOPE_AREA = 3,     /* cases of the areas the caller works for */
	CDOP_SCOPE_ASK = 4,      /* the partner's restricted question */
	CDOP_SCOPE_REGISTRY = 5, /* the registry as a whole: profile, keys */
	CDOP_SCOPE_LOG = 6,      /* the audit log */
};

enum cdop_audit {
	CDOP_AUDIT_CHANGE = 1,
	CDOP_AUDIT_READ = 2,
};

enum cdop_txn {
	CDOP_TXN_READ = 1,
	CDOP_TXN_WRITE = 2,
};

#endif
