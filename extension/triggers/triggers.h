/*
 * triggers.h
 *		What happens to a row: versions, and the time of its last change.
 */
#ifndef KN_TRIGGERS_H
#define KN_TRIGGERS_H

#include "kints_norm.h"

#include "access/attnum.h"
#include "commands/trigger.h"
#include "utils/relcache.h"

/* trigger.c: how a trigger function is called, and what its trigger's arguments say */
typedef struct KnTriggerKind
{
	const char *function; /* without its schema; the trigger has the same name */
	const char *feature;  /* as people call it */
	const char *fires;    /* as CREATE TRIGGER says it */
	const char *level;    /* likewise */
	TriggerEvent when;    /* BEFORE or AFTER, ROW or STATEMENT, and the operation */
	const char *column;   /* that it is about if its arguments name none */
	const char *const *options;
	int option_count;
} KnTriggerKind;

extern TriggerData *trigger_called(FunctionCallInfo fcinfo, const KnTriggerKind *kind);
extern void trigger_check_options(const KnTriggerKind *kind, const Trigger *trigger,
								  Relation relation);
extern const char *trigger_option(const Trigger *trigger, const char *name);

/* column.c: a column that a trigger gives values to */
typedef struct KnColumn
{
	AttrNumber number;
	Oid type;     /* of the column; may be a domain */
	Oid base;     /* what that is made of */
	int32 typmod; /* of base */
	void *domain; /* domain_check() keeps here what it has looked up */
	MemoryContext context;
} KnColumn;

extern void column_find(KnColumn *column, Relation relation, const char *name);
extern void column_refuse_type(const KnColumn *column, Relation relation, const char *expected)
	pg_attribute_noreturn();
extern Datum column_checked(KnColumn *column, Datum value);

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
extern void touch_refuse_second(FunctionCallInfo fcinfo, Relation relation, const char *column);

/* attach.c: a feature of a table is a trigger on it */
extern void attach_refuse_null(FunctionCallInfo fcinfo, int number, const char *name);
extern Relation attach_open(Oid table, LOCKMODE lock);
extern const Trigger *attach_find(FunctionCallInfo fcinfo, Relation relation, const char *function,
								  const char *option, const char *value, const char *otherwise);
extern void attach_refuse_second(const Trigger *trigger, const char *feature, Relation relation);
extern void attach_create(FunctionCallInfo fcinfo, const KnTriggerKind *kind, const char *name,
						  Relation relation, const List *options);
extern void attach_drop(FunctionCallInfo fcinfo, const KnTriggerKind *kind, const char *column);
extern char *attach_option(const char *name, const char *value);

#endif
