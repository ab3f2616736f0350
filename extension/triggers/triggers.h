/*
 * triggers.h
 *		What happens to a row: versions, and the time of its last change.
 */
#ifndef KN_TRIGGERS_H
#define KN_TRIGGERS_H

#include "kints_norm.h"

#include "access/attnum.h"
#include "access/genam.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"

/* trigger.c: how a trigger function is called, and what its trigger's arguments say */
typedef struct KnTriggerKind
{
	const char *function; /* without its schema; the trigger has the same name */
	const char *feature;  /* as people call it */
	const char *fires;    /* as CREATE TRIGGER says it */
	const char *level;    /* likewise */
	TriggerEvent when;    /* BEFORE or AFTER, ROW or STATEMENT, and the operation */
	TriggerEvent also;    /* likewise; 0: nothing else */
	bool any_operation;   /* whatever the operation is */
	const char *column;   /* that it is about if its arguments name none */
	const char *const *options;
	int option_count;
	const struct KnTriggerKind *beside; /* that goes when it goes; NULL: none */
} KnTriggerKind;

extern TriggerData *trigger_called(FunctionCallInfo fcinfo, const KnTriggerKind *kind);
extern void trigger_check_options(const KnTriggerKind *kind, const Trigger *trigger,
								  Relation relation);
extern const char *trigger_option(const Trigger *trigger, const char *name);
extern const Trigger *trigger_find(Relation relation, PGFunction function);
extern bool trigger_is_of(Oid function, const PGFunction *these, Size count);
extern SysScanDesc trigger_scan(Relation triggers, Oid table);

/* The functions that triggers are known by. */
extern PGDLLEXPORT Datum kints_version(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_touch(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_soft_delete(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_soft_delete_cascade(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_soft_delete_truncate(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_history_stamp(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_history(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum kints_history_truncate(PG_FUNCTION_ARGS);

/* rename.c: columns that triggers name in their arguments */
extern void rename_arguments(Oid table, const char *old, const char *new);

/* column.c: a column that a trigger gives values to */
typedef struct KnColumn
{
	AttrNumber number;
	Oid type;     /* of the column; may be a domain */
	Oid base;     /* what that is made of */
	int32 typmod; /* of base */
	void *domain; /* domain_check() keeps here what it has looked up */
	MemoryContext context;
	TupleDesc by_reference; /* the row's shape, if this column were passed by reference; or NULL */
} KnColumn;

extern void column_find(KnColumn *column, Relation relation, const char *name);
extern void column_find_any(KnColumn *column, Relation relation, const char *name);
extern void column_refuse_type(const KnColumn *column, Relation relation, const char *expected)
	pg_attribute_noreturn();
extern Datum column_checked(KnColumn *column, Datum value);
extern HeapTuple column_set(KnColumn *column, TriggerData *data, HeapTuple row, Datum value);

/* touch.c: the time of the last change */
typedef enum KnClock
{
	KN_CLOCK_TX,
	KN_CLOCK_STATEMENT,
	KN_CLOCK_CLOCK
} KnClock;

typedef struct KnTouch
{
	KnColumn column;
	KnClock clock;
} KnTouch;

extern void touch_find(KnTouch *touch, Relation relation, const char *column, const char *clock);
extern Datum touch_value(KnTouch *touch);
extern KnClock touch_clock_named(const char *name);
extern TimestampTz touch_clock(KnClock clock);
extern void touch_refuse_second(FunctionCallInfo fcinfo, Relation relation, const char *column);

/* version.c */
extern const char *version_column(Relation relation);

/* soft_delete.c: a row that is deleted stays */
typedef struct KnSoftDelete
{
	KnTouch at;
	bool has_by;
	KnColumn by; /* who it was */
	bool has_batch;
	KnColumn batch;     /* by which statement, as a number */
	Oid batch_function; /* that gives it */
	int64 number;       /* what it has given for this statement; 0: nothing yet */
} KnSoftDelete;

extern const KnTriggerKind soft_delete_kind;
extern const KnTriggerKind soft_truncate_kind;

extern void soft_delete_init(void);
extern const Trigger *soft_delete_trigger(Relation relation);
extern const char *soft_delete_column(const Trigger *trigger);
extern void soft_delete_find(KnSoftDelete *deletion, Relation relation, const Trigger *trigger);
extern void soft_delete_find_by(KnColumn *column, Relation relation, const char *name);
extern void soft_delete_find_batch(KnColumn *column, Relation relation, const char *name);
extern Datum soft_delete_by(KnColumn *column, Oid role);

/* reference.c: foreign keys, which rows refer to which */
typedef struct KnReference
{
	const char *constraint;
	Oid table; /* whose rows refer */
	Oid parent;
	bool cascades; /* as the foreign key says it of a DELETE */
	bool forgets;  /* likewise: the row stays, and refers to nothing, or another one */
	int count;
	AttrNumber from[INDEX_MAX_KEYS];
	AttrNumber to[INDEX_MAX_KEYS];
	Oid operators[INDEX_MAX_KEYS]; /* referred to = referring */
} KnReference;

/* A row of a query. */
typedef struct KnRow
{
	Datum *values;
	bool *nulls;
} KnRow;

extern List *reference_list(Relation relation);
extern KnReference *reference_read(Oid constraint);
extern const char *reference_children(const KnReference *reference);
extern const char *reference_parent(const KnReference *reference);
extern const char *reference_collation(Oid collation);
extern const char *reference_target(const KnReference *reference);
extern int reference_types(const KnReference *reference, Oid *types);
extern const char *reference_columns(const List *references, const char *table);
extern void reference_take(HeapTuple tuple, TupleDesc shape, void *argument);
extern bool reference_has_key(const KnReference *reference, const KnRow *row, int first);

/* soft_cascade.c: what refers to a row that is deleted so */
extern const KnTriggerKind soft_cascade_kind;

/* soft_uniques.c: what is unique among the others */
extern void soft_uniques_run(Oid table, const char *column);

/* soft_reads.c: whether one sees the rows that are deleted */
extern void soft_reads_init(void);
extern void soft_reads_plan_all(bool all);

/* soft_trash.c: what there is to be known of a table to restore rows of it */
/* Columns of the query for the rows, before those that foreign keys are about. */
enum
{
	KN_TRASH_CTID,
	KN_TRASH_TABLE,
	KN_TRASH_KEY,
	KN_TRASH_BATCH,
	KN_TRASH_COLUMNS
};

typedef struct KnRestored
{
	ReturnSetInfo *result;
	bool does_cascade;
	List *places; /* KnRow that are restored */
} KnRestored;

/* Rows of one table that are to be restored. */
typedef struct KnTrash
{
	KnRestored *restored;
	Oid table;
	const char *name;
	const char *column;
	const char *batch; /* column; NULL: none */
	bool is_entailed;  /* they went with rows of another table */
	List *children;    /* KnReference: what went with them */
	List *parents;     /* KnReference: what they refer to, where that has soft delete */
	const char *query;
	int count; /* of parameters of the query */
	Oid *types;
	Datum *values;
	const char *update;
	const KnRow *row; /* that is to be updated */
	List *rows;       /* KnRow */
	uint64 updated;
} KnTrash;

extern const char *trash_key(Relation relation, Jsonb *key);
extern void trash_read(KnTrash *trash, const char *condition);

/* running.c: which statement it is that changes a row */
extern void running_init(void);
extern bool running_plans_for_good(const char *text);
extern bool running_lets_go(Relation relation);
extern bool running_is_of_foreign_key(void);
extern bool running_is_known(void);
extern int64 running_batch(int64 *otherwise, int64 (*next)(void));
extern void running_has_kept(void);
extern void running_delete_for_good(const char *sql, void (*work)(void *), void *argument);

/* owner.c: what is done as the owner of another table */
typedef struct KnOwner
{
	Oid user; /* who it was before */
	int context;
	int level;
} KnOwner;

extern Oid owner_of(int cache, Oid object);
extern void owner_begin(KnOwner *before, Oid table);
extern void owner_end(const KnOwner *before);
extern SPIPlanPtr owner_prepare(Oid table, const char *sql, int count, Oid *types);
extern uint64 owner_execute(Oid table, SPIPlanPtr plan, Datum *values, const char *nulls);

/* rewrite.c: a DELETE of such a table is planned as an UPDATE */
extern void rewrite_init(void);
extern void rewrite_show_to(const char *sql, void (*work)(void *), void *argument);

/* history.c: what a row was */
typedef struct KnPeriod
{
	bool is_range;
	KnColumn from;  /* or the range */
	KnColumn until; /* if it is none */
} KnPeriod;

typedef struct KnHistory
{
	KnPeriod period; /* when the row has been as it is */
	KnClock clock;
	bool collapses;         /* changes of one transaction into one */
	bool refuses_conflicts; /* with a transaction that began later */
	bool is_checked;        /* whether other triggers are in the way */
	List *excluded;         /* names of columns whose changes do not count */
	const char *name;       /* of the table for the old rows */
	Datum open;             /* range without an end since open_since; 0: none yet */
	TimestampTz open_since;
} KnHistory;

/* What the arguments of its triggers may say. */
#define KN_HISTORY_OPTIONS 7

extern const char *const history_options[KN_HISTORY_OPTIONS];
extern const KnTriggerKind history_stamp_kind;
extern KnHistory *history_of(FunctionCallInfo fcinfo, const KnTriggerKind *kind, TriggerData *data);
extern void history_read(KnHistory *history, const KnTriggerKind *kind, Relation relation,
						 const Trigger *trigger);
extern void history_find_period(KnPeriod *period, Relation relation, const char *from,
								const char *until);
extern TimestampTz history_start(const KnPeriod *period, Datum value, bool is_null,
								 Relation relation);
extern TimestampTz history_start_of(const KnHistory *history, HeapTuple row, Relation relation);
extern Datum history_range(TimestampTz from, TimestampTz until, bool has_until);
extern bool history_is_unseen(const KnHistory *history, HeapTuple row, TimestampTz start);
extern TimestampTz history_next(const KnHistory *history, HeapTuple row, TimestampTz start,
								Relation relation);

/* history_keep.c: old rows that wait to be written */
extern void history_keep_init(void);
extern void history_keep(const KnHistory *history, Relation relation, HeapTuple row,
						 TimestampTz start, TimestampTz end);
extern void history_keep_flush(void);

/* history_change.c: rows that are deleted, truncated, or of partitions */
extern const KnTriggerKind history_row_kind;
extern const KnTriggerKind history_delete_kind;
extern const KnTriggerKind history_truncate_kind;
extern void history_change_init(void);

/* history_write.c: the old rows are written */
typedef struct KnWriter
{
	const KnHistory *history;
	Relation relation; /* whose rows they are */
	Relation table;    /* where they go */
	EState *estate;
	ResultRelInfo *result;
	struct BulkInsertStateData *bulk;
	ModifyTableState *routing; /* NULL: it has no partitions */
	struct PartitionTupleRouting *partitions;
	bool is_simple;   /* nothing is to be done for a row but to put it there */
	AttrNumber *from; /* for each column of the table, that of the row; 0: NULL */
	AttrNumber at;    /* number in the table of the first column for the time */
	AttrNumber until; /* likewise, of the second one */
	TupleTableSlot **slots;
	int count;
	MemoryContext rows; /* what is made for a row */
	Datum range;        /* the last one that was made, 0: none, */
	TimestampTz start;  /* from then */
	TimestampTz end;    /* up to then */
} KnWriter;

extern void history_open(KnWriter *writer, const KnHistory *history, Relation relation);
extern void history_write(KnWriter *writer, TupleTableSlot *row, TimestampTz start,
						  TimestampTz end);
extern void history_close(KnWriter *writer);
extern Oid history_schema(Oid table, const char *name, const char **last);
extern Oid history_table(Oid table, const char *name);
extern void history_check(Relation relation, const KnHistory *history);

/* history_reads.c: rows as they were */
extern void history_reads_make(Oid table, const KnHistory *history);
extern void history_reads_drop(Oid schema, const char *name, Oid owner);

typedef enum KnRead
{
	KN_READ_VERSIONS,
	KN_READ_AS_OF,
	KN_READ_BETWEEN
} KnRead;

/* A statement that gives a right to one of them, before and after what that is called. */
typedef struct KnGrant
{
	KnRead which;
	const char *before;
	const char *after;
} KnGrant;

extern const char *history_reads_name(Oid table, KnRead which);
extern List *history_reads_grants(Oid table);

/* history_attach.c: history is enabled for a table */
extern void history_add_columns(Relation relation, const KnHistory *history, Oid old);

/* history_follow.c: a history follows its table when that is altered */
/* A table with a history that a statement alters, as it was before. */
typedef struct KnFollowed
{
	Oid table;
	Oid old; /* the table for its old rows */
	Oid owner;
	const char *name;
	Oid schema;
	List *added;  /* names of columns that the statement adds */
	List *grants; /* KnGrant: who could read it */
} KnFollowed;

extern void history_follow_init(void);
extern bool history_follow_read(Oid table, KnHistory *history);

/* history_shape.c: the table for old rows gets the columns that the table has */
extern void history_shape_rename(const KnFollowed *followed, const RenameStmt *statement);
extern void history_shape_follow(const KnFollowed *followed, const Node *statement);
extern const char *history_shape_name(Oid table);

/* versioning.c: the trigger of temporal_tables */
extern void versioning_init(void);

/* attach.c: a feature of a table is a trigger on it */
extern void attach_refuse_null(FunctionCallInfo fcinfo, int number, const char *name);
extern int attach_choice(FunctionCallInfo fcinfo, int number, const char *name,
						 const char *const *choices, int count);
extern bool attach_is_owner(Oid table);
extern Relation attach_open(Oid table, LOCKMODE lock);
extern const Trigger *attach_find(FunctionCallInfo fcinfo, Relation relation, const char *function,
								  const char *option, const char *value, const char *otherwise);
extern void attach_refuse_second(const Trigger *trigger, const char *feature, Relation relation);
extern void attach_create(FunctionCallInfo fcinfo, const KnTriggerKind *kind, const char *name,
						  Relation relation, const char *condition, const List *options);
extern const char *attach_table(Relation relation);
extern void attach_drop(FunctionCallInfo fcinfo, const KnTriggerKind *kind, const char *column);
extern void attach_hand_over(Oid owner, const char *kind, const char *name);
extern char *attach_option(const char *name, const char *value);

#endif
