/*
 * tags.h
 *		The tags of a model's field: the language, and what is read of them.
 *
 * A tag string is a list with commas between: words ("not_null"), words with a
 * value ("default:now()") and types ("varchar(255)").  A comma inside quotes,
 * parentheses or brackets is part of a value, and so is every colon but the
 * first.  Names are taken as they are, letter case and all; double quotes or
 * single quotes around one let it hold any character, and without them a dot
 * in the value of "collate", "opclass" and "fk" is one that qualifies.
 *
 * "primary_key", "unique", "index" and "fk" open a key; others ("using",
 * "on_delete") belong to one: to the nearest before them of a kind that can
 * have them, or else to the first after them.  "deferrable" belongs to the
 * foreign key where there is one.  A bare "index" beside a bare "unique" or
 * "primary_key" would be a second index of the same, and is dropped.
 *
 * A value that is SQL is kept as it is, and the server's parser judges it.
 * Here it is only made sure that it cannot leave the parentheses it is put
 * in: quotes and brackets are balanced, and there is no semicolon, comment or
 * dollar outside quotes.  A backslash before a quote is refused because its
 * meaning hangs on standard_conforming_strings.
 *
 * A column with version or on_update is kept up to date by a trigger: see
 * behaviour.c.
 */
#ifndef KN_TAGS_H
#define KN_TAGS_H

#include "kints_norm.h"

/* Where a tag stands, for messages. */
typedef struct KnTagPlace
{
	const char *model;
	const char *field;
	const char *tag; /* as written, without its value */
	int position;    /* of its first character in the tag string, from 1 */
} KnTagPlace;

/* Whether a tag is written with a value after a colon. */
typedef enum KnTagNeed
{
	KN_NO_VALUE,
	KN_MAY_HAVE_VALUE,
	KN_NEEDS_VALUE
} KnTagNeed;

/* Bits, because a tag may belong to keys of more than one kind. */
typedef enum KnTagKeyKind
{
	KN_KEY_PRIMARY = 1,
	KN_KEY_UNIQUE = 2,
	KN_KEY_INDEX = 4,
	KN_KEY_FOREIGN = 8
} KnTagKeyKind;

/* What a field says about one key or index that it is part of. */
typedef struct KnTagKey
{
	KnTagKeyKind kind;
	KnTagPlace place;
	const char *value;      /* of the tag that opens it, as written, or NULL */
	const char *group;      /* fields of one group make one key; NULL: the field alone */
	const char *name;       /* NULL: not chosen */
	const char *method;     /* NULL: the default */
	const char *where;      /* SQL, or NULL */
	const char *opclass;    /* SQL, or NULL */
	const char *include;    /* SQL, names with commas between, or NULL */
	const char *ref_schema; /* NULL: that of the model */
	const char *ref_table;
	const char *ref_column;
	const char *on_delete; /* SQL, or NULL */
	const char *on_update; /* SQL, or NULL */
	bool is_deferrable;
	bool is_deferred;  /* initially; implies deferrable */
	List *columns;     /* SQL of each; put in by who joins the fields of a group */
	List *ref_columns; /* likewise */
} KnTagKey;

/* The tags of one field.  SQL in it is balanced: safe between parentheses. */
typedef struct KnTags
{
	bool is_ignored; /* the field is not a column */
	bool is_not_null;
	bool is_nullable;
	bool is_version;
	bool is_soft_delete;
	bool is_history;
	const char *column;    /* name, if it is not that of the field */
	const char *type;      /* SQL; NULL: what the model type maps to */
	const char *collation; /* SQL */
	const char *default_sql;
	const char *identity; /* "ALWAYS", "BY DEFAULT" or NULL */
	const char *generated;
	const char *check;
	const char *on_update; /* SQL of the time */
	const char *rename_from;
	const char *comment;
	const KnTagPlace *behaviour_place; /* of one that says what is to happen to rows, or NULL */
	const KnTagPlace *integer_place;   /* of a tag that wants an integer type, or NULL */
	List *keys;                        /* KnTagKey *, in order of appearance */
} KnTags;

/* Whether something is to happen to the rows for the field that has a place to be named for it. */
#define KN_HAS_BEHAVIOUR(tags) \
	((tags)->on_update != NULL || (tags)->is_soft_delete || (tags)->is_history)

#define KN_INDEX_LIKE      (KN_KEY_INDEX | KN_KEY_UNIQUE)
#define KN_CONSTRAINT_LIKE (KN_KEY_FOREIGN | KN_KEY_UNIQUE | KN_KEY_PRIMARY)

/* clang-format off */
/*
 * X(word, value, reader, struct and member it goes to, kinds of key it can
 * belong to).  One that goes to the group of a key opens that key.
 */
#define KN_TAGS(X) \
	X("primary_key", KN_MAY_HAVE_VALUE, read_name, KnTagKey, group, KN_KEY_PRIMARY) \
	X("auto_increment", KN_NO_VALUE, read_identity, KnTags, identity, 0) \
	X("identity", KN_MAY_HAVE_VALUE, read_identity, KnTags, identity, 0) \
	X("unique", KN_MAY_HAVE_VALUE, read_name, KnTagKey, group, KN_KEY_UNIQUE) \
	X("unique_name", KN_NEEDS_VALUE, read_name, KnTagKey, name, KN_KEY_UNIQUE) \
	X("index", KN_MAY_HAVE_VALUE, read_name, KnTagKey, group, KN_KEY_INDEX) \
	X("using", KN_NEEDS_VALUE, read_name, KnTagKey, method, KN_INDEX_LIKE) \
	X("index_where", KN_NEEDS_VALUE, read_sql, KnTagKey, where, KN_INDEX_LIKE) \
	X("opclass", KN_NEEDS_VALUE, read_qualified, KnTagKey, opclass, KN_INDEX_LIKE) \
	X("include", KN_NEEDS_VALUE, read_names, KnTagKey, include, KN_INDEX_LIKE | KN_KEY_PRIMARY) \
	X("not_null", KN_NO_VALUE, NULL, KnTags, is_not_null, 0) \
	X("nullable", KN_NO_VALUE, NULL, KnTags, is_nullable, 0) \
	X("default", KN_NEEDS_VALUE, read_sql, KnTags, default_sql, 0) \
	X("generated", KN_NEEDS_VALUE, read_sql, KnTags, generated, 0) \
	X("check", KN_NEEDS_VALUE, read_sql, KnTags, check, 0) \
	X("on_update", KN_NEEDS_VALUE, read_sql, KnTags, on_update, 0) \
	X("version", KN_NO_VALUE, NULL, KnTags, is_version, 0) \
	X("soft_delete", KN_NO_VALUE, NULL, KnTags, is_soft_delete, 0) \
	X("history", KN_NO_VALUE, NULL, KnTags, is_history, 0) \
	X("fk", KN_NEEDS_VALUE, read_name, KnTagKey, group, KN_KEY_FOREIGN) \
	X("fk_name", KN_NEEDS_VALUE, read_name, KnTagKey, name, KN_KEY_FOREIGN) \
	X("on_delete", KN_NEEDS_VALUE, read_action, KnTagKey, on_delete, KN_KEY_FOREIGN) \
	X("on_update_fk", KN_NEEDS_VALUE, read_action, KnTagKey, on_update, KN_KEY_FOREIGN) \
	X("deferrable", KN_NO_VALUE, NULL, KnTagKey, is_deferrable, KN_CONSTRAINT_LIKE) \
	X("initially_deferred", KN_NO_VALUE, NULL, KnTagKey, is_deferred, KN_CONSTRAINT_LIKE) \
	X("column", KN_NEEDS_VALUE, read_name, KnTags, column, 0) \
	X("rename", KN_NEEDS_VALUE, read_name, KnTags, rename_from, 0) \
	X("collate", KN_NEEDS_VALUE, read_qualified, KnTags, collation, 0) \
	X("comment", KN_NEEDS_VALUE, read_text, KnTags, comment, 0) \
	X("type", KN_NEEDS_VALUE, read_type, KnTags, type, 0) \
	X("-", KN_NO_VALUE, NULL, KnTags, is_ignored, 0) \
	X("ignore", KN_NO_VALUE, NULL, KnTags, is_ignored, 0)

/* Other spellings that norm takes. */
#define KN_TAG_ALIASES(X) \
	X("index_type", KN_NEEDS_VALUE, read_name, KnTagKey, method, KN_INDEX_LIKE) \
	X("references", KN_NEEDS_VALUE, read_name, KnTagKey, group, KN_KEY_FOREIGN) \
	X("initdeferred", KN_NO_VALUE, NULL, KnTagKey, is_deferred, KN_CONSTRAINT_LIKE)

/* Tags that no field can have both of. */
#define KN_TAG_CONTRADICTIONS \
	{"not_null", "nullable"}, {"primary_key", "nullable"}, {"auto_increment", "nullable"}, \
	{"identity", "nullable"}, {"version", "nullable"}, {"soft_delete", "not_null"}, \
	{"soft_delete", "primary_key"}, {"auto_increment", "identity"}, {"auto_increment", "default"}, \
	{"auto_increment", "generated"}, {"identity", "default"}, {"identity", "generated"}, \
	{"default", "generated"}, {"on_update", "generated"}, {"version", "generated"}, \
	{"version", "auto_increment"}, {"version", "identity"}, {"version", "soft_delete"}, \
	{"version", "on_update"}, {"soft_delete", "generated"}, {"soft_delete", "auto_increment"}, \
	{"soft_delete", "identity"}, {"soft_delete", "on_update"}, {"history", "soft_delete"}, \
	{"history", "version"}, {"history", "on_update"}, {"history", "nullable"}, {"history", "generated"}

/* [schema.]table(column), or [schema.]table.column. */
#define KN_REFERENCE	  "^(" KN_REFERENCE_NAME "\\.)?" KN_REFERENCE_NAME \
	"(\\." KN_REFERENCE_NAME "|\\(" KN_REFERENCE_NAME "\\))$"
#define KN_REFERENCE_NAME "([^\"'().,]+|\\s*(\"[^\"]*\")+\\s*)"

/* Types that may stand as a tag without "type:", as a regular expression; then any other. */
#define KN_KNOWN_TYPE \
	"(?i)^(" \
	"(small|big)?int|int[248]|integer|(small|big)?serial|serial[248]|numeric|decimal|dec|real|float[48]?" \
	"|double\\s+precision|money|bool(ean)?|(national\\s+)?(char|character)(\\s+varying)?" \
	"|nchar(\\s+varying)?|varchar|bpchar|text|name|bytea|bit(\\s+varying)?|varbit|date|timetz|timestamptz" \
	"|time(stamp)?(\\s*\\(\\d+\\))?(\\s+with(out)?\\s+time\\s+zone)?" \
	"|interval(\\s+(year|month|day|hour|minute|second)(\\s+to\\s+(month|hour|minute|second))?)?" \
	"|uuid|jsonb?|jsonpath|xml|inet|cidr|macaddr8?|point|line|lseg|box|path|polygon|circle|tsvector|tsquery" \
	"|(int4|int8|num|ts|tstz|date)(multi)?range|oid|reg(class|type|role|namespace|proc|procedure)|pg_lsn" \
	"|citext|hstore|ltree|lquery|cube|seg|vector|halfvec|sparsevec|geometry|geography" \
	")" KN_TYPE_TAIL
#define KN_ANY_TYPE	 "^(\\w+|(\"[^\"]*\")+)(\\s*\\.\\s*(\\w+|(\"[^\"]*\")+))*" KN_TYPE_TAIL
#define KN_TYPE_TAIL "(\\s*\\([\\w ,-]+\\))?(\\s*\\[\\s*\\d*\\s*\\])*$"
/* clang-format on */

/* tags.c */
extern KnTags *tags_read(const char *text, const char *model, const char *field);
extern bool tags_match(const char *text, const char *pattern);
extern void tags_refuse(const KnTagPlace *place, const char *problem) pg_attribute_noreturn();

/* tagsql.c */
extern void tagsql_check(const KnTagPlace *place, const char *format, const char *sql);

#endif
