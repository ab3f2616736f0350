/*
 * ddl.h
 *		One object to SQL text.
 *
 * The room runs nothing and decides nothing: what is asked for is printed.
 * Every function returns a List of KnStatement *, each one SQL statement
 * without a semicolon, in the order in which they have to run.  All names are
 * schema-qualified and quoted, so that the text means the same under any
 * search_path.
 */
#ifndef KN_DDL_H
#define KN_DDL_H

#include "nodes/parsenodes.h"
#include "schema/schema.h"

typedef struct KnStatement
{
	const char *kind;   /* verb and noun: "create_table", "set_not_null"; see docs/sql.md */
	const char *aspect; /* the field it is about, NULL for a whole create or drop */
	const char *sql;
} KnStatement;

/* What somebody may do, and from whom he has it. */
typedef struct KnGrant
{
	const char *grantee; /* NULL: the owner; "": PUBLIC */
	const char *grantor; /* NULL: the owner */
	AclMode rights;
	AclMode options; /* those that may be passed on; the owner may in any case */
} KnGrant;

/* ddl.c: dispatch by kind, and what is the same for all of them */

/*
 * Creates object.  parts: for a TABLE its COLUMNs, DEFAULTs and CONSTRAINTs
 * that are to stand inside CREATE TABLE; for a COLUMN at most its DEFAULT.
 * What is left to the four functions below: owner, comments of the object
 * itself, privileges, and whatever ddl_finish() does.
 */
extern List *ddl_create(const KnObject *object, const List *parts);
extern List *ddl_drop(const KnObject *object);

/* From one state of an object to another; only for fields that can be altered. */
extern List *ddl_alter(const KnObject *from, const KnObject *to);

/*
 * What can only be said once other objects are there too: REPLICA IDENTITY,
 * CLUSTER ON, OWNED BY, ATTACH.  from is NULL for an object just created.
 */
extern List *ddl_finish(const KnObject *from, const KnObject *to);

extern List *ddl_owner(const KnObject *object);
/* from may be NULL: an object just created, with no comment and default privileges. */
extern List *ddl_comment(const KnObject *from, const KnObject *to);
extern List *ddl_acl(const KnObject *from, const KnObject *to);
extern List *ddl_column_acl(const KnObject *from_whole, const KnObject *to_whole,
							const KnObject *from, const KnObject *to);
extern List *ddl_rename(const KnObject *object, const char *new_name);

/* Appends a statement made of a kind, an aspect and a format. */
extern List *ddl_say(List *statements, const char *kind, const char *aspect, const char *format,
					 ...) pg_attribute_printf(4, 5);

/* aclitem.c: privileges as they are kept */
extern const char *ddl_owner_of(const KnObject *object);
extern List *ddl_read_acl(const KnObject *object, const char *new_owner);
extern KnGrant *ddl_new_grant(const char *grantee, AclMode rights);

/* clause.c: what statements of several kinds have in common */
extern int ddl_position(const List *names, const char *name);
extern const char *ddl_options(const List *options);
extern List *ddl_toast_options(const List *options);
extern List *ddl_alter_options(List *statements, const char *kind, const char *alter,
							   const List *from, const List *to);
extern const char *ddl_parenthesized(const char *expression);
extern List *ddl_comment_columns(List *statements, const char *relation, const List *from_columns,
								 const List *from_comments, const List *columns,
								 const List *comments);

/* column.c: a column inside CREATE TABLE */
extern const char *ddl_column_text(const KnColumn *column, const KnDefault *value);
extern const char *ddl_column_clauses(const KnColumn *column, const KnDefault *value);
extern List *ddl_column_settings(const KnColumn *column);

/* cast.c */
extern bool ddl_has_cast(const char *from, const char *to);
extern const char *ddl_base_type(const char *type);
extern bool ddl_is_array(const char *type);
extern const char *ddl_element_type(const char *type);

/* sequence.c */
extern List *ddl_raise_sequence(List *statements, const char *aspect, const char *name,
								int64 minimum);
extern List *ddl_follow_rows(List *statements, const char *aspect, const char *sequence,
							 const KnColumn *column, int64 minimum, int64 maximum, bool descends);

/* matview.c */
extern List *ddl_fill_materialized_view(const KnMatview *object);

/* one of each per kind, in the file of that kind */
#define X(kind, type, word, sql)                                           \
	extern List *ddl_create_##word(const type *object, const List *parts); \
	extern List *ddl_drop_##word(const type *object);                      \
	extern List *ddl_alter_##word(const type *from, const type *to);
KN_KINDS(X)
#undef X

#endif
