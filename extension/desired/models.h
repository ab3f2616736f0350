/*
 * models.h
 *		Models as JSON, with norm's tags, to the DDL text that means the same.
 */
#ifndef KN_MODELS_H
#define KN_MODELS_H

#include "kints_norm.h"

#include "utils/jsonb.h"

typedef struct KnModels
{
	const char *ddl;   /* SQL text, each statement ends with a semicolon and a newline */
	List *schemas;     /* names, in order of appearance */
	List *rename_from; /* dotted old names: "public.accounts", "public.users.mail" */
	List *rename_to;   /* the new names, bare; parallel to rename_from */
} KnModels;

/* models.c */
extern KnModels *models_to_ddl(Jsonb *models, const char *default_schema);

#endif
