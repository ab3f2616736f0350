/*
 * models.h
 *		Models as JSON, with norm's tags, to the DDL text that means the same.
 */
#ifndef KN_MODELS_H
#define KN_MODELS_H

#include "kints_norm.h"

#include "desired/tags.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

typedef struct KnModels
{
	const char *ddl;   /* SQL text, each statement ends with a semicolon and a newline */
	List *schemas;     /* names, in order of appearance */
	List *rename_from; /* dotted old names: "public.accounts", "public.users.mail" */
	List *rename_to;   /* the new names, bare; parallel to rename_from */
} KnModels;

/* A column that gets the time of an update, by which clock. */
typedef struct KnTouched
{
	const char *column;
	const char *clock;
} KnTouched;

/* One model on its way to DDL. */
typedef struct KnModel
{
	const char *schema;
	const char *table;
	const char *name;    /* schema and table, as SQL */
	List *columns;       /* names */
	List *elements;      /* of CREATE TABLE, as SQL */
	List *keys;          /* KnTagKey *, those of one group joined */
	const char *history; /* name of the column that says since when a row has been so, or NULL */
	const char *soft_delete; /* name of the column that says when a row was deleted, or NULL */
	const char *version;     /* name of the column that counts, or NULL */
	List *touched;           /* KnTouched *: columns that get the time of an update */
	StringInfoData comments; /* statements */
} KnModel;

/* models.c */
extern KnModels *models_to_ddl(Jsonb *models, const char *default_schema);

/* keys.c */
extern void keys_add(KnModel *model, const KnTags *tags, const char *column);
extern bool keys_has_index_parts(const KnTagKey *key);
extern const char *keys_constraint(const KnModel *model, const KnTagKey *key);
extern void keys_write_index(StringInfo out, const KnModel *model, const KnTagKey *key);

/* behaviour.c */
extern void behaviour_add(KnModel *model, const KnTags *tags, const char *column);
extern void behaviour_write(StringInfo out, const KnModel *model);

#endif
