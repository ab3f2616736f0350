/*
 * inspect.h
 *		From the catalogs to a KnSchema.
 */
#ifndef KN_INSPECT_H
#define KN_INSPECT_H

#include "kints_norm.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "schema/schema.h"
#include "utils/snapshot.h"

/* A column of any relation, whether or not it is an object of its own. */
typedef struct KnAttribute
{
	const char *name; /* NULL: dropped */
	Oid type;
	Oid collation;
	const char *type_text;      /* with modifiers; NULL where nobody will ask */
	const char *collation_text; /* NULL: the type's own */
	const char *comment;
	List *acl;            /* of a view: aclitems as text */
	bool has_options;     /* of an index: the operator class has parameters */
	const char *settings; /* of a materialized view: ALTER COLUMN clauses, joined by newline */
	KnColumn *column;     /* tables only */
} KnAttribute;

/* A relation that is of interest, by OID. */
typedef struct KnRelation
{
	Oid oid; /* hash key */
	char relkind;
	const char *schema;
	const char *name;
	const char *qualified; /* quoted; NULL: not needed so far */
	KnObject *object;      /* NULL: an index or an identity sequence */
	int attribute_count;
	KnAttribute *attributes; /* [attnum - 1] */
	/* of an index */
	const char *tablespace;
	bool is_partition;
	List *options; /* reloptions, sorted */
	Oid access_method;
} KnRelation;

/* What a catalog row is about: an address as in pg_depend. */
typedef struct KnAddress
{
	Oid class;
	Oid object;
	int32 sub;
} KnAddress;

/* One row of pg_depend. */
typedef struct KnDependency
{
	KnAddress from;
	KnAddress to;
	char type;
} KnDependency;

typedef struct KnInspect
{
	KnSchema *schema;
	Snapshot snapshot;
	HTAB *namespaces; /* Oid -> name, of the schemas that are read */
	HTAB *relations;  /* Oid -> KnRelation */
	KnRelation *last_relation;
	Oid last_missed; /* not among them, or not yet: reset by the reader of relations */
	struct addresses_hash *addresses; /* KnAddress -> KnObject * */
	HTAB *members;                    /* KnAddress of what extensions own */
	HTAB *owned;                      /* KnOwned */
	HTAB *types;                      /* type and modifier -> text */
	HTAB *classes;                    /* operator class and type -> text */
	HTAB *roles;                      /* Oid -> name */
	HTAB *toasts;                     /* KnToast */
	KnDependency *dependencies;
	int dependency_count;
	bool is_whole;        /* what is outside of schemas is read for the whole database */
	List *publications;   /* Oid, of tables or schemas that are read */
	MemoryContext result; /* where objects and their strings live */
	MemoryContext work;   /* reset after each row */
} KnInspect;

/* The column a sequence belongs to. */
typedef struct KnOwned
{
	Oid sequence; /* hash key */
	KnAddress column;
	char type; /* of the dependency: internal for an identity */
} KnOwned;

typedef struct KnTypeKey
{
	Oid type;
	int32 modifier;
} KnTypeKey;

typedef struct KnType
{
	KnTypeKey key; /* hash key */
	const char *text;
	Oid collation;
	char storage;
	const char *kind; /* typtype, looking through arrays and domains over others */
} KnType;

typedef struct KnClassKey
{
	Oid class;
	Oid type;
} KnClassKey;

typedef struct KnClassText
{
	KnClassKey key;
	const char *text;
} KnClassText;

typedef struct KnRole
{
	Oid oid; /* hash key */
	const char *name;
} KnRole;

/* What belongs to an extension. */
typedef struct KnMember
{
	KnAddress address; /* hash key */
	Oid extension;
} KnMember;

/* A toast table, and the relation it serves. */
typedef struct KnToast
{
	Oid toast; /* hash key */
	Oid relation;
	List *options;
} KnToast;

/* See digest.c. */
typedef struct KnDigest
{
	uint64 count;
	uint64 sum;
	uint64 other_sum;
} KnDigest;

typedef void (*KnRowReader)(KnInspect *in, HeapTuple row, TupleDesc shape);

/* inspect.c: the door, and what readers share */
extern KnSchema *inspect_schemas(List *names);
extern List *inspect_outside(List *names, bool is_whole);
extern List *inspect_user_schemas(void);
extern Snapshot inspect_latest_snapshot(void);
extern void inspect_scan(KnInspect *in, Oid catalog, KnRowReader read);
extern const char *inspect_namespace(KnInspect *in, Oid namespace);
extern KnRelation *inspect_relation(KnInspect *in, Oid relation);
extern bool inspect_is_member(KnInspect *in, Oid class, Oid object);
extern void inspect_register(KnInspect *in, Oid class, Oid object, int32 sub, void *what);
extern KnObject *inspect_lookup(KnInspect *in, Oid class, Oid object, int32 sub);
extern void inspect_add(KnInspect *in, void *object);

/* read.c: values out of rows, in in->result */
extern const char *read_name(NameData *name);
extern const char *read_letter(char letter);
extern const char *read_string(HeapTuple row, TupleDesc shape, int attribute);
extern List *read_options(HeapTuple row, TupleDesc shape, int attribute, const char *prefix);
extern const char *read_expression(KnInspect *in, HeapTuple row, TupleDesc shape, int attribute,
								   const KnRelation *relation);
extern List *inspect_expressions(HeapTuple row, TupleDesc shape, int attribute,
								 const KnRelation *relation, List **trees);
extern const char *read_owner(KnInspect *in, Oid owner);
extern void read_acl(KnInspect *in, void *target, HeapTuple row, TupleDesc shape, int attribute,
					 Oid owner);
extern int read_compare_text(const ListCell *a, const ListCell *b);
extern List *read_aclitems(HeapTuple row, TupleDesc shape, int attribute);
extern const KnType *read_type_facts(KnInspect *in, Oid type, int32 modifier);
extern const char *read_type(KnInspect *in, Oid type, int32 modifier);
extern const char *read_collation(KnInspect *in, Oid collation, Oid type);
extern const char *read_tablespace(Oid tablespace);
extern const char *read_enabled(char letter);
extern const char *read_definition(KnInspect *in, PGFunction function, Oid object);

/* lock.c */
extern const char *read_unlocked(KnInspect *in, PGFunction function, Oid object);

/* one reader a catalog, in the file of the kind */
extern void inspect_namespaces(KnInspect *in);
extern void inspect_extensions(KnInspect *in);
extern void inspect_types(KnInspect *in);
extern void inspect_type_details(KnInspect *in);
extern void inspect_functions(KnInspect *in);
extern void inspect_relations(KnInspect *in);
extern void inspect_columns(KnInspect *in);
extern void inspect_views(KnInspect *in);
extern void inspect_sequences(KnInspect *in);
extern void inspect_constraints(KnInspect *in);
extern const char *inspect_constraint_definition(KnInspect *in, HeapTuple row, TupleDesc shape,
												 const KnRelation *relation);
extern void inspect_indexes(KnInspect *in);
extern void inspect_statistics(KnInspect *in);
extern const char *inspect_index_definition(KnInspect *in, HeapTuple row, TupleDesc shape,
											const KnRelation *relation, const KnRelation *index);
extern void inspect_triggers(KnInspect *in);
extern void inspect_policies(KnInspect *in);
extern void inspect_inheritance(KnInspect *in);
extern void inspect_others(KnInspect *in);
extern KnOther *inspect_other(const char *schema, const char *what, const char *name);
extern void inspect_outside_catalogs(KnInspect *in);
extern void inspect_comments(KnInspect *in);
extern void inspect_dependencies(KnInspect *in);
extern void inspect_read_dependencies(KnInspect *in);

/* digest.c */
extern KnDigest inspect_digest(void);
extern bool inspect_digest_equal(const KnDigest *a, const KnDigest *b);

#endif
