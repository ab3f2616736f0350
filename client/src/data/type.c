/*
 * type.c
 *		What the library knows of the server's types.
 *
 * The numbers are those of pg_type, which are the same in every database.  All of these
 * have a binary form that is known here; of text and its like it is the text itself.
 */
#include "data/data.h"

/* X(oid, array oid, name, kind) */
#define TYPES(X)                                            \
	X(16, 1000, "boolean", BOOL)                            \
	X(17, 1001, "bytea", BYTES)                             \
	X(20, 1016, "bigint", I64)                              \
	X(21, 1005, "smallint", I16)                            \
	X(23, 1007, "integer", I32)                             \
	X(25, 1009, "text", TEXT)                               \
	X(1043, 1015, "character varying", TEXT)                \
	X(1042, 1014, "character", TEXT)                        \
	X(19, 1003, "name", TEXT)                               \
	X(26, 1028, "oid", I64)                                 \
	X(700, 1021, "real", F32)                               \
	X(701, 1022, "double precision", F64)                   \
	X(1700, 1231, "numeric", NUMERIC)                       \
	X(2950, 2951, "uuid", UUID)                             \
	X(1082, 1182, "date", DATE)                             \
	X(1083, 1183, "time without time zone", TIME)           \
	X(1114, 1115, "timestamp without time zone", TIMESTAMP) \
	X(1184, 1185, "timestamp with time zone", TIMESTAMPTZ)  \
	X(1186, 1187, "interval", INTERVAL)                     \
	X(3802, 3807, "jsonb", JSON)                            \
	X(114, 199, "json", JSON)                               \
	X(869, 1041, "inet", INET)                              \
	X(650, 651, "cidr", INET)

/* X(oid, name, kind): there are no arrays of these. */
#define SINGLE_TYPES(X)     \
	X(705, "unknown", TEXT) \
	X(2278, "void", TEXT)

#define ARRAY_BIT 0x80 /* in places: the number is that of the array */

/* Where each type stands in the list, from 1. */
enum
{
	PLACE_NONE,
#define X(oid, array_oid, name, kind) PLACE_##oid,
	TYPES(X)
#undef X
#define X(oid, name, kind) PLACE_##oid,
	SINGLE_TYPES(X)
#undef X
		PLACE_COUNT
};

static const kn__type types[PLACE_COUNT] = {
#define X(oid, array_oid, name, kind) [PLACE_##oid] = { oid, array_oid, name, KN_TYPE_##kind },
	TYPES(X)
#undef X
#define X(oid, name, kind) [PLACE_##oid] = { oid, 0, name, KN_TYPE_##kind },
		SINGLE_TYPES(X)
#undef X
};

/* By number, for every value that comes or goes is looked up. */
static const uint8_t places[] = {
#define X(oid, array_oid, name, kind) [oid] = PLACE_##oid, [array_oid] = PLACE_##oid | ARRAY_BIT,
	TYPES(X)
#undef X
#define X(oid, name, kind) [oid] = PLACE_##oid,
		SINGLE_TYPES(X)
#undef X
};

/* What a value of a kind goes out as. */
static const uint8_t places_of_kinds[KN_TYPE_COUNT] = {
	[KN_TYPE_BOOL] = PLACE_16,        [KN_TYPE_I16] = PLACE_21,
	[KN_TYPE_I32] = PLACE_23,         [KN_TYPE_I64] = PLACE_20,
	[KN_TYPE_F32] = PLACE_700,        [KN_TYPE_F64] = PLACE_701,
	[KN_TYPE_TEXT] = PLACE_25,        [KN_TYPE_BYTES] = PLACE_17,
	[KN_TYPE_UUID] = PLACE_2950,      [KN_TYPE_NUMERIC] = PLACE_1700,
	[KN_TYPE_DATE] = PLACE_1082,      [KN_TYPE_TIME] = PLACE_1083,
	[KN_TYPE_TIMESTAMP] = PLACE_1114, [KN_TYPE_TIMESTAMPTZ] = PLACE_1184,
	[KN_TYPE_INTERVAL] = PLACE_1186,  [KN_TYPE_JSON] = PLACE_3802,
	[KN_TYPE_INET] = PLACE_869,
};

const kn__type *
kn__type_find(uint32_t oid, bool *is_array)
{
	uint8_t place = oid < sizeof(places) ? places[oid] : PLACE_NONE;

	*is_array = (place & ARRAY_BIT) != 0;
	return place == PLACE_NONE ? NULL : &types[place & ~ARRAY_BIT];
}

/* NULL: it has none of its own. */
const kn__type *
kn__type_of_kind(kn_type kind)
{
	uint8_t place = (unsigned) kind < KN_TYPE_COUNT ? places_of_kinds[kind] : PLACE_NONE;

	return place == PLACE_NONE ? NULL : &types[place];
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
