/*
 * options.c
 *		The options of plan and apply.
 */
#include "kints_norm.h"

#include "base/base.h"
#include "plan/plan.h"

static void read_option(KnOptions *options, const char *key, const JsonbValue *value);
static List *read_names(const JsonbValue *value, const char *option);
static void read_schemas(KnOptions *options, const JsonbValue *value);
static void read_renames(KnOptions *options, const JsonbValue *value);
static void read_allow(KnOptions *options, const JsonbValue *value);

/* Reads options; an unknown one is an error that lists those there are. */
KnOptions *
options_read(Jsonb *json)
{
	KnOptions *options = palloc0(sizeof(KnOptions));
	JsonbIterator *it;
	JsonbValue item;
	JsonbIteratorToken token;
	const char *key = "";

	if (json == NULL)
		return options;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("options must be an object"));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(item.val.string.val, item.val.string.len);
		else if (token == WJB_VALUE)
			read_option(options, key, &item);
	}
	return options;
}

static void
read_option(KnOptions *options, const char *key, const JsonbValue *value)
{
	if (strcmp(key, "schemas") == 0)
		read_schemas(options, value);
	else if (strcmp(key, "renames") == 0)
		read_renames(options, value);
	else if (strcmp(key, "allow") == 0)
		read_allow(options, value);
	else if (strcmp(key, "expect") == 0)
		options->expect = value->type == jbvNull ? NULL : json_string(value, "expect");
	else if (strcmp(key, "lock_timeout") == 0)
		options->lock_timeout = value->type == jbvNumeric
									? psprintf(INT64_FORMAT, json_int(value, "lock_timeout"))
									: json_string(value, "lock_timeout");
	else if (strcmp(key, "name") == 0)
		options->name = json_string(value, "name");
	else if (strcmp(key, "ignore") == 0)
		options->ignore = read_names(value, "ignore");
	else
		ereport(
			ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("unknown option \"%s\"", key),
			errhint("Options are: allow, expect, ignore, lock_timeout, name, renames, schemas."));
}

/* An array of strings, none of them null. */
static List *
read_names(const JsonbValue *value, const char *option)
{
	List *names = json_strings(value, option);

	if (sqltext_member(names, NULL))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"%s\" must not have null in it", option));
	return names;
}

static void
read_schemas(KnOptions *options, const JsonbValue *value)
{
	if (value->type == jbvString)
	{
		const char *name = json_string(value, "schemas");

		options->all_schemas = strcmp(name, "*") == 0;
		options->schemas = options->all_schemas ? NIL : list_make1((char *) name);
		return;
	}
	options->schemas = json_strings(value, "schemas");
	if (options->schemas == NIL || sqltext_member(options->schemas, NULL))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"schemas\" must name at least one schema, or be \"*\""));
}

/* {"public.users.mail": "email", "public.accounts": "users"} */
static void
read_renames(KnOptions *options, const JsonbValue *value)
{
	JsonbIterator *it;
	JsonbValue item;
	JsonbIteratorToken token;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		ereport(
			ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("\"renames\" must be an object of old names and new ones"),
			errhint(
				"For example {\"public.users.mail\": \"email\", \"public.accounts\": \"users\"}."));
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			options->rename_from =
				lappend(options->rename_from, pnstrdup(item.val.string.val, item.val.string.len));
		else if (token == WJB_VALUE)
			options->rename_to = lappend(
				options->rename_to,
				(char *) json_string(&item,
									 psprintf("renames.%s", (char *) llast(options->rename_from))));
	}
}

static void
read_allow(KnOptions *options, const JsonbValue *value)
{
	if (value->type != jbvString)
	{
		options->allow = read_names(value, "allow");
		return;
	}
	if (strcmp(json_string(value, "allow"), "all") != 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"allow\" must be an array of kinds, or \"all\""));
	options->allow_all = true;
}
