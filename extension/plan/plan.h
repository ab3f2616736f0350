/*
 * plan.h
 *		Changes to an ordered list of steps.
 */
#ifndef KN_PLAN_H
#define KN_PLAN_H

#include "common/sha2.h"
#include "ddl/ddl.h"
#include "diff/diff.h"
#include "inspect/inspect.h"
#include "schema/schema.h"

typedef enum KnSeverity
{
	KN_SAFE,
	KN_WARNING,
	KN_UNSAFE,
	KN_DESTRUCTIVE
} KnSeverity;

/* What is done to the objects of an action. */
typedef enum KnVerb
{
	KN_DO_ASIDE, /* rename a type that is about to be created anew */
	KN_DO_DROP,
	KN_DO_ALTER,
	KN_DO_CREATE,
	KN_DO_FINISH, /* what ddl_finish() says */
	KN_VERB_COUNT
} KnVerb;

/* A node of the graph: what is done in one go. */
typedef struct KnAction
{
	KnVerb verb;
	KnObject *found;  /* of DROP, ALTER, ASIDE; of FINISH if it was there */
	KnObject *wanted; /* of CREATE, ALTER, FINISH */
	KnChange *change;
	List *parts;    /* KnObject *: go along with it, in the order of KN_KINDS */
	bool is_aside;  /* DROP of a type that was renamed */
	bool is_on_new; /* CREATE of something on a relation that is created too */
	List *next;     /* KnAction * that have to wait for this one */
	int waits;      /* for so many, during the sort */
	int rank;       /* order among those that need not wait */
	int place;      /* those of a higher one come first, whatever their rank; see undo.c */
	List *steps;    /* KnStep *, once they are made */
	List *undo;     /* KnStep * of actions that undo this one, in order */
} KnAction;

typedef struct KnActions
{
	KnChanges *changes;
	const struct KnActions *undone; /* those that these take back, or NULL */
	List *list;                     /* KnAction * */
	List *loop;                     /* KnAction *: why the list has no order, or NIL */
	HTAB *by_object;                /* object and verb -> KnAction * */
} KnActions;

typedef struct KnStep
{
	int number;
	const char *kind;
	const char *object; /* qualified name */
	const char *group;  /* qualified name of the table it is about, or of the object */
	const char *sql;
	const char *undo;   /* NULL: nothing to do, done by that of another step, or no way back */
	const char *aspect; /* as in KnStatement */
	KnSeverity severity;
	const char *lock; /* mode, NULL: none on a relation that was there */
	List *hazards;    /* const char * */
	bool is_transactional;
	bool is_gated; /* runs only where its kind is allowed */
	const char *phase;
} KnStep;

/* What the caller asked for. */
typedef struct KnOptions
{
	List *schemas;
	bool all_schemas;
	List *rename_from; /* dotted names */
	int rename_count;  /* so many the caller said himself; the others are from models */
	List *rename_to;   /* bare names */
	List *allow;       /* kinds */
	bool allow_all;
	const char *expect; /* fingerprint */
	const char *lock_timeout;
	const char *name;
	List *ignore; /* LIKE patterns of qualified names */
} KnOptions;

typedef struct KnPlan
{
	List *steps;   /* KnStep * */
	List *schemas; /* names */
	KnSchema *found;
	KnSchema *wanted;
	const char *fingerprint; /* of what was found */
} KnPlan;

/* What decides the outcome of a plan; see cache.c. */
typedef struct KnPlanKey
{
	uint8 inputs[PG_SHA256_DIGEST_LENGTH];
	KnDigest catalogs;
} KnPlanKey;

/* options.c */
extern KnOptions *options_read(Jsonb *json);

/* make.c */
extern KnPlan *plan_make(KnOptions *options, const char *sql, Jsonb *json);
extern void plan_leave_out(KnSchema *schema, const List *patterns);
extern List *plan_between(const KnSchema *found, const KnSchema *wanted);
extern List *plan_with_undo(const KnSchema *found, const KnSchema *wanted);

/* cache.c */
extern KnPlanKey cache_key(bool is_json, struct varlena *desired, struct varlena *options);
extern const KnPlan *cache_find(const KnPlanKey *key);
extern void cache_keep(const KnPlanKey *key, const KnPlan *plan);

/* rename.c */
extern List *plan_renames(const KnSchema *found, KnOptions *options);
extern KnSchema *rename_found(const KnSchema *found, List *schemas, List *renames);

/* action.c */
extern int action_compare_changes(const ListCell *a, const ListCell *b);
extern KnActions *action_make(KnChanges *changes, const KnActions *undone);
extern void action_note(KnActions *actions, KnVerb verb, const KnObject *object, KnAction *action);
extern KnAction *action_of(const KnActions *actions, KnVerb verb, const KnObject *object);

/* absorb.c */
extern bool absorb_create(KnActions *actions, KnObject *object);
extern bool absorb_drop(KnActions *actions, KnObject *object);
extern KnObject *absorb_container(const KnSchema *schema, const KnObject *object);

/* inherit.c */
extern bool inherit_stays(const KnActions *actions, const KnObject *member);
extern bool inherit_comes_along(const KnActions *actions, const KnSchema *schema,
								const KnObject *object, KnVerb verb);
extern void inherit_note(KnActions *actions);
extern KnColumn *inherit_followed(const KnActions *actions, const KnChange *change, bool *is_typed);
extern List *inherit_first(const KnActions *actions, const KnObject *column);
extern List *inherit_undefault(const KnActions *actions, const KnAction *action);

/* check.c */
extern List *check_labels(const KnActions *actions, const KnAction *action);
extern List *check_numbers(const KnActions *actions, const KnAction *action);

/* edge.c */
extern void edge_connect(KnActions *actions);
extern void edge_wait(KnAction *waiting, KnAction *first);

/* names.c */
extern void names_connect(KnActions *actions);

/* key.c */
extern void key_connect(KnActions *actions);

/* order.c */
extern KnActions *order_changes(KnChanges *changes, const KnActions *undone);
extern bool order_sort(KnActions *actions);
extern void order_refuse(const KnActions *actions) pg_attribute_noreturn();

/* step.c */
extern List *step_make(const KnActions *actions, const KnAction *action);
extern void step_add(List **steps, const KnAction *action, const KnObject *object,
					 List *statements);

/* again.c */
extern void again_say(List **steps, const KnActions *actions, const KnAction *action);

/* grant.c */
extern void grant_alter(List **steps, const KnActions *actions, const KnAction *action);

/* parents.c */
extern KnObject *parents_join_first(const KnChanges *changes, KnObject *table);

/* unmodelled.c */
extern List *unmodelled_steps(const KnChanges *changes);
extern bool unmodelled_is_declared(const KnChanges *changes, const KnChange *change);
extern List *unmodelled_rest(const KnChanges *changes);
extern List *unmodelled_owners(const KnSchema *found, const KnSchema *wanted);
extern KnStep *unmodelled_found(const KnOther *other);
extern KnStep *unmodelled_extension(const KnObject *extension);

/* undo.c */
extern void undo_plan(KnActions *actions);

/* conversion.c */
extern bool conversion_narrows_column(const KnColumn *from, const KnColumn *to);
extern bool conversion_narrows(const char *from, const char *to);
extern bool conversion_keeps_rows(const char *from, const char *to);

/* hazard.c */
extern void hazard_judge(KnStep *step, const KnAction *action, const KnObject *object);
extern void hazard_judge_kept(List *steps, const KnActions *actions, const KnObject *function);
extern const char *hazard_severity_word(KnSeverity severity);

/* format.c */
extern const char *format_plan(const KnPlan *plan, const char *format);
extern const char *format_sql(const List *steps);

#endif
