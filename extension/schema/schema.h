/*
 * schema.h
 *		A schema as a value: what inspect/ reads, diff/ compares, ddl/ prints.
 *
 * The room is pure: no catalog, SPI, GUC or clock.  Everything is allocated in
 * the current memory context and dies with it.  Strings are shared freely and
 * never changed once they are in an object.
 */
#ifndef KN_SCHEMA_H
#define KN_SCHEMA_H

#include "kints_norm.h"

#include "lib/stringinfo.h"
#include "schema/kinds.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"

typedef enum KnKind
{
#define X(kind, type, word, sql) KN_##kind,
	KN_KINDS(X)
#undef X
	KN_KIND_COUNT
} KnKind;

typedef enum KnFieldType
{
	KN_TEXT,
	KN_BOOL,
	KN_INT,
	KN_LIST
} KnFieldType;

typedef enum KnDifference
{
	KN_ALTER,
	KN_REBUILD,
	KN_IGNORE
} KnDifference;

/* What all objects have, whatever their kind.  It comes first in each struct. */
typedef struct KnObject
{
	KnKind kind;
	const char *schema;    /* NULL only for a schema or an extension */
	const char *parent;    /* relation the object is part of, in the same schema, or NULL */
	const char *name;      /* unquoted; of a column for a DEFAULT */
	const char *arguments; /* identity argument types of a routine, or NULL */
	const char *key;       /* kind word and qualified name: unique in its KnSchema */
	const char *owner;     /* NULL: not stated, or of a kind that has none */
	const char *comment;   /* NULL: none */
	List *acl;             /* aclitems as text, sorted; NIL: the default */
	bool has_acl;          /* acl is not the default (an empty one is a thing) */
	List *depends;         /* KnObject *, in their order: what must exist before this one can */
} KnObject;

#define KN_DECLARE_TEXT(name)              const char *name;
#define KN_DECLARE_BOOL(name)              bool name;
#define KN_DECLARE_INT(name)               int64 name;
#define KN_DECLARE_LIST(name)              List *name;
#define KN_DECLARE(type, name, difference) KN_DECLARE_##type(name)

/* NOLINTBEGIN(bugprone-macro-parentheses): a type is no expression */
#define X(kind, type, word, sql)       \
	typedef struct type                \
	{                                  \
		KnObject head;                 \
		KN_##kind##_FIELDS(KN_DECLARE) \
	} type;
KN_KINDS(X)
#undef X
/* NOLINTEND(bugprone-macro-parentheses) */

/* One line of a KN_<KIND>_FIELDS list. */
typedef struct KnField
{
	const char *name;
	KnFieldType type;
	KnDifference difference;
	Size offset;
} KnField;

/* One line of KN_KINDS. */
typedef struct KnKindInfo
{
	const char *word;      /* "table": in keys and snapshots */
	const char *sql;       /* "TABLE": in COMMENT ON */
	Size size;             /* of the struct */
	const KnField *fields; /* ends with a NULL name */
} KnKindInfo;

typedef struct KnSchema
{
	List *schemas; /* names of the schemas it covers, sorted */
	List *objects; /* KnObject *, in the order of schema_sort() */
	struct keys_hash *by_key;
	bool has_owners; /* owners are part of what it states */
	bool has_acls;   /* privileges are part of what it states */
} KnSchema;

#define KN_FIELD_TEXT(object, field) (*(const char **) ((char *) (object) + (field)->offset))
#define KN_FIELD_BOOL(object, field) (*(bool *) ((char *) (object) + (field)->offset))
#define KN_FIELD_INT(object, field)  (*(int64 *) ((char *) (object) + (field)->offset))
#define KN_FIELD_LIST(object, field) (*(List **) ((char *) (object) + (field)->offset))

/* schema.c */
extern const KnKindInfo kn_kinds[KN_KIND_COUNT];
extern KnSchema *schema_new(List *schemas);
extern void *schema_new_object(KnKind kind, const char *schema, const char *parent,
							   const char *name);
extern bool schema_add(KnSchema *schema, void *added);
extern KnObject *schema_find(const KnSchema *schema, const char *key);
extern void schema_forget(KnSchema *schema, const KnObject *object);
extern KnObject *schema_find_kind(const KnSchema *schema, KnKind kind, const char *namespace,
								  const char *parent, const char *name);
extern KnObject *schema_find_qualified(const KnSchema *schema, KnKind kind, const char *name);
extern const char *schema_relation_name(const KnObject *object);
extern KnObject *schema_relation_of(const KnSchema *schema, const KnObject *object);
extern bool schema_is_part(const KnObject *object, const KnObject *relation);
extern void schema_depend(void *object, void *on);
extern void schema_sort(KnSchema *schema);
extern bool schema_field_equal(const KnField *field, const void *a, const void *b);
extern bool schema_list_equal(const List *a, const List *b);
extern List *schema_columns(const KnObject *object);
extern List **schema_column_acl(KnObject *object);
extern const char *schema_column_item(const char *element, const char *column);

/* name.c */
extern const char *name_key(KnKind kind, const char *schema, const char *parent, const char *name,
							const char *arguments);
extern const char *name_key_other(const char *what, const char *name);
extern const char *name_of(const KnObject *object);
extern const char *name_qualified(const char *schema, const char *name);
extern const char *name_of_parent(const KnObject *object);

/* check.c */
extern void check_object(const KnObject *object, const char *path);
extern void check_whole(const KnSchema *schema);

/* spelling.c */
extern void schema_spell(KnSchema *schema);
extern const char *spelling_compared(const char *text);
extern bool spelling_equal(const char *a, const char *b);

/* write.c */
extern Jsonb *snapshot_write(const KnSchema *schema);

/* snapshot.c; the format's number goes up when an older reader would read a newer one wrongly */
#define SNAPSHOT_FORMAT 1
extern KnSchema *snapshot_read(Jsonb *snapshot);
extern const char *snapshot_fingerprint(const KnSchema *schema);

#endif
