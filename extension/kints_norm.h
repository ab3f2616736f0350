/*
 * kints_norm.h
 *		What every file of the server extension includes first.
 */
#ifndef KINTS_NORM_H
#define KINTS_NORM_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"

/*
 * Declares and exports one SQL-callable function.  The module is built with
 * hidden visibility: two modules that export one name would silently share
 * the first one loaded.
 */
#define KN_FUNCTION(name)                            \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/* kints.elaborate_in: see desired/scratch.c. */
typedef enum KnElaborateIn
{
	KN_ELABORATE_AUTO,
	KN_ELABORATE_IN_SCHEMA,
	KN_ELABORATE_IN_DATABASE
} KnElaborateIn;

extern int kints_elaborate_in;

/* kints.soft_delete: see triggers/soft_delete.c. */
extern bool kints_soft_delete_is_on;

/* kints.history_follow: see triggers/history_follow.c. */
extern bool kints_history_follows;

/* SQLSTATEs of our own, class KN. */
#define KN_ERRCODE_STALE_VERSION   MAKE_SQLSTATE('K', 'N', '0', '0', '1')
#define KN_ERRCODE_STEP_REFUSED    MAKE_SQLSTATE('K', 'N', '0', '0', '2')
#define KN_ERRCODE_PLAN_STALE      MAKE_SQLSTATE('K', 'N', '0', '0', '3')
#define KN_ERRCODE_UNSUPPORTED     MAKE_SQLSTATE('K', 'N', '0', '0', '4')
#define KN_ERRCODE_CHECKSUM        MAKE_SQLSTATE('K', 'N', '0', '0', '5')
#define KN_ERRCODE_VERSION_MISSING MAKE_SQLSTATE('K', 'N', '0', '0', '7')

#endif
