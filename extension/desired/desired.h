/*
 * desired.h
 *		What the schema should be, from any of four doors, as a KnSchema.
 */
#ifndef KN_DESIRED_H
#define KN_DESIRED_H

#include "kints_norm.h"

#include "nodes/parsenodes.h"
#include "schema/schema.h"

/* One statement of a script, and how it is to be run. */
typedef struct KnSource
{
	RawStmt *raw;
	const char *text;          /* the statement alone */
	int start;                 /* byte offset of text in the script */
	int line;                  /* of its first word, from 1 */
	const char *search_path;   /* as the script sets it before this place; NULL: it does not */
	const char *session_path;  /* the caller's */
	const char *tablespace;    /* default_tablespace likewise */
	const char *access_method; /* default_table_access_method likewise */
	const char *error;         /* last failure, while statements are being retried */
} KnSource;

/* SQL text, parsed and sorted into what is to be run. */
typedef struct KnScript
{
	const char *text;
	List *sources;           /* KnSource * */
	List *creates;           /* names of schemas that it creates itself */
	List *names;             /* names of schemas that it puts objects into */
	List *extensions;        /* names of extensions that it creates */
	List *extension_schemas; /* where each is stated to be (char *); NULL: not stated */
	List *extension_homes;   /* names of schemas that it creates extensions in */
	bool has_owners;         /* it states an owner somewhere */
	bool has_acls;           /* it states a privilege somewhere */
	int table_count;
	int index_count;
} KnScript;

/* The outcome: what is wanted, for which schemas. */
typedef struct KnDesired
{
	KnSchema *schema;
	List *schemas;     /* names of the schemas that are planned */
	List *rename_from; /* dotted names, from models */
	List *rename_to;
	bool leaves_extensions; /* it says nothing of them: they are as they were found */
	List *unstated;         /* names of extensions that stay, and are to be named for that */
} KnDesired;

/* desired.c: the one door; schemas is the option of that name, NIL where it was not given */
extern KnDesired *desired_from_sql(const char *sql, List *schemas, bool all_schemas);
extern KnDesired *desired_from_json(Jsonb *json, List *schemas, bool all_schemas);

/* How a schema is written as SQL: the plan from nothing to it.  Set by plan/. */
extern const char *(*desired_print_creation)(const KnSchema *schema);

/* script.c */
extern KnScript *script_parse(const char *sql, const char *current_schema);
extern bool script_fills(const KnScript *script, const char *schema);
extern void script_push_error_context(ErrorContextCallback *callback, KnSource *source);
extern void script_pop_error_context(ErrorContextCallback *callback);

/* extension.c */
extern const char *extension_own_schema(void);
extern bool extension_is_in(Oid namespace);
extern void extension_check_places(const KnScript *script);
extern void extension_check(const KnScript *script, const KnSchema *schema);
extern List *extension_settle(const KnScript *script, KnSchema *schema, bool is_database);

/* aside.c */
extern void aside_lay(KnScript *script, List *schemas);
extern bool aside_has_place(const KnScript *script, const char *name, Oid live);
extern void aside_check_owner(const char *name, Oid namespace);
extern void aside_rename(Oid namespace, const char *name);

/* run.c */
extern void run_in_order(KnScript *script, List *schemas);
extern void run_in_any_order(KnScript *script, List *schemas);
extern void run_in_database(KnScript *script, List *schemas, bool tolerant);
extern bool run_is_order_error(int sqlstate);
extern void run_set(const char *name, const char *value);

/* reach.c */
extern void reach_check(Node *statement, const List *schemas);
extern void reach_check_references(Node *statement, const List *schemas);

/* path.c */
extern void path_set(const KnSource *source);

/* scratch.c */
extern KnSchema *scratch_elaborate(KnScript *script, List *schemas);
extern KnSchema *scratch_rename_schema(const char *from, const char *to);

#endif
