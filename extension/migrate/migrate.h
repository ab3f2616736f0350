/*
 * migrate.h
 *		The only room that changes a user's schema.
 */
#ifndef KN_MIGRATE_H
#define KN_MIGRATE_H

#include "plan/plan.h"
#include "utils/timestamp.h"

/* A row of kints.schema_migrations. */
typedef struct KnMigration
{
	int64 version;
	const char *name;
	const char *checksum;
	List *schemas;
	List *plan;         /* KnStep * */
	List *undo;         /* KnStep * */
	const char *before; /* fingerprints */
	const char *after;
	const char *applied_by;
	TimestampTz applied_at;
	double milliseconds;
	bool is_rolled_back;
} KnMigration;

/* Who runs the steps. */
typedef enum KnRunner
{
	KN_AS_CALLER,
	KN_AS_OWNERS
} KnRunner;

/* What a step took. */
typedef struct KnRun
{
	const KnStep *step;
	double milliseconds;
} KnRun;

/* ledger.c */
extern void ledger_lock(void);
extern void ledger_add(const KnMigration *migration);
extern List *ledger_read(void);
extern void ledger_check_seen(void);
extern void ledger_mark_rolled_back(int64 version);
extern const char *ledger_checksum(const KnMigration *migration);

/* shape.c */
extern void shape_check(const List *steps);

/* run.c */
extern void run_check_gates(const List *steps, const KnOptions *options);
extern List *run_steps(const List *steps, const KnOptions *options, KnRunner runner);

/* owner.c */
extern Oid owner_of_code(const char *sql);

#endif
