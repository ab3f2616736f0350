/*
 * type.c
 *		What the library knows of the server's types.
 *
 * The numbers are those of pg_type, which are the same in every database.  All of these
 * have a binary form that is known here; of text and its like it is the text itself.
 */
#include "data/data.h"

/* In the order of the first one of each kind: what a value of that kind goes out as. */
static const kn__type types[] = {
	{ 16, 1000, "boolean", KN_TYPE_BOOL },
	{ 17, 1001, "bytea", KN_TYPE_BYTES },
	{ 20, 1016, "bigint", KN_TYPE_I64 },
	{ 21, 1005, "smallint", KN_TYPE_I16 },
	{ 23, 1007, "integer", KN_TYPE_I32 },
	{ 25, 1009, "text", KN_TYPE_TEXT },
	{ 1043, 1015, "character varying", KN_TYPE_TEXT },
	{ 1042, 1014, "character", KN_TYPE_TEXT },
	{ 19, 1003, "name", KN_TYPE_TEXT },
	{ 705, 0, "unknown", KN_TYPE_TEXT },
	{ 2278, 0, "void", KN_TYPE_TEXT },
	{ 26, 1028, "oid", KN_TYPE_I64 },
	{ 700, 1021, "real", KN_TYPE_F32 },
	{ 701, 1022, "double precision", KN_TYPE_F64 },
	{ 1700, 1231, "numeric", KN_TYPE_NUMERIC },
	{ 2950, 2951, "uuid", KN_TYPE_UUID },
	{ 1082, 1182, "date", KN_TYPE_DATE },
	{ 1083, 1183, "time without time zone", KN_TYPE_TIME },
	{ 1114, 1115, "timestamp without time zone", KN_TYPE_TIMESTAMP },
	{ 1184, 1185, "timestamp with time zone", KN_TYPE_TIMESTAMPTZ },
	{ 1186, 1187, "interval", KN_TYPE_INTERVAL },
	{ 3802, 3807, "jsonb", KN_TYPE_JSON },
	{ 114, 199, "json", KN_TYPE_JSON },
	{ 869, 1041, "inet", KN_TYPE_INET },
	{ 650, 651, "cidr", KN_TYPE_INET },
};

#define COUNT (sizeof(types) / sizeof(types[0]))

const kn__type *
kn__type_find(uint32_t oid, bool *is_array)
{
	*is_array = false;
	for (size_t i = 0; i < COUNT && oid != 0; i++)
	{
		if (types[i].oid == oid)
			return &types[i];
		if (types[i].array_oid == oid)
		{
			*is_array = true;
			return &types[i];
		}
	}
	return NULL;
}

/* NULL: it has none of its own. */
const kn__type *
kn__type_of_kind(kn_type kind)
{
	for (size_t i = 0; i < COUNT; i++)
	{
		if (types[i].kind == kind)
			return &types[i];
	}
	return NULL;
}

uint32_t
kn__type_oid(kn_type kind)
{
	const kn__type *type = kn__type_of_kind(kind);

	/* Of these the server decides, by the place: text, json or jsonb, inet or cidr, an enum. */
	if (type == NULL || kind == KN_TYPE_TEXT || kind == KN_TYPE_JSON || kind == KN_TYPE_INET)
		return 0;
	return type->oid;
}

uint32_t
kn__type_array_oid(kn_type kind)
{
	const kn__type *type = kn__type_of_kind(kind);

	return type == NULL ? 0 : type->array_oid;
}

bool
kn__has_codec(uint32_t oid)
{
	bool is_array;

	return kn__type_find(oid, &is_array) != NULL;
}
