/*
 * diff.h
 *		Two schemas to the changes between them.  Pure.
 */
#ifndef KN_DIFF_H
#define KN_DIFF_H

#include "schema/schema.h"

typedef enum KnOperation
{
	KN_CREATE,
	KN_DROP,
	KN_CHANGE,  /* in place */
	KN_RECREATE /* dropped, and created again */
} KnOperation;

/* What is to become of one object. */
typedef struct KnChange
{
	KnOperation operation;
	KnObject *found;   /* NULL for CREATE */
	KnObject *wanted;  /* NULL for DROP */
	KnObject *because; /* of what it is recreated, NULL if for itself */
	bool is_retyped;   /* a column whose type keeps its name and is made anew */
} KnChange;

/* The changes, at most one an object. */
typedef struct KnChanges
{
	const KnSchema *found;
	const KnSchema *wanted;
	List *list;       /* KnChange *, wanted order, then drops in found order */
	HTAB *by_object;  /* KnObject * of either side -> KnChange * */
	HTAB *dependents; /* KnObject * of found -> List of KnObject * that need it */
} KnChanges;

/* diff.c */
extern KnChanges *diff_schemas(const KnSchema *found, const KnSchema *wanted);
extern KnChange *diff_change_of(const KnChanges *changes, const KnObject *object);
extern List *diff_dependents(const KnChanges *changes, const KnObject *found);
extern KnObject *diff_wanted_of(const KnChanges *changes, const KnObject *found);
extern bool diff_recreate(KnChanges *changes, KnObject *found, KnObject *because);
extern bool diff_touch(KnChanges *changes, KnObject *found);
extern bool diff_retype(KnChanges *changes, KnObject *column);
extern bool diff_type_differs(const KnChange *change);

/* compare.c */
extern bool diff_is_equal(const KnObject *found, const KnObject *wanted);
extern bool diff_must_recreate(const KnObject *found, const KnObject *wanted);
extern bool diff_is_seen(const KnChange *change);

/* part.c */
extern bool part_recreate_whole(KnChanges *changes, const KnIndex *part);
extern bool part_loses_by_rebuild(const KnChanges *changes, const KnIndex *whole);

/* closure.c */
extern void diff_close(KnChanges *changes);

#endif
