/*
 * type.c
 *		What the library knows of the server's types.
 *
 * The numbers are those of pg_type, which are the same in every database.  All of these
 * have a binary form that is known here; of text and its like it is the text itself.
 */
#include "data/data.h"

/*
 * X(number, number of its arrays, name, kind), Y(number, name, kind) where there are none; in the
 * order of the first one of each kind: what a value of that kind goes out as.
 */
#define TYPES(X, Y)                                       \
	X(16, 1000, "boolean", BOOL)                          \
	X(17, 1001, "bytea", BYTES)                           \
	X(20, 1016, "bigint", I64)                            \
	X(21, 1005, "smallint", I16)                          \
	X(23, 1007, "integer", I32)                           \
	X(25, 1009, "text", TEXT)                             \
	X(1043, 1015, "character varying", TEXT)              \
	X(1042, 1014, "character", TEXT)                      \
	X(19, 1003, "name", TEXT)                             \
	Y(705, "unknown", TEXT)                               \
	Y(2278, "void", TEXT)                                 \
	X(26, 1028, "oid", I64)                               \
	X(700, 1021, "real", F32)                             \
	X(701, 1022, "double precision", F64)                 \
	X(1700, 1231, "numeric", NUMERIC)                     \
	X(2950, 2951, "uuid", UUID)                           \
	X(1082, 1182, "date", DATE)                           \
	X(1083, 1183, "time without time zone", TIME)         \
	X(1114, 1115, "timestamp without time zone", TIMESTAMP) \
	X(1184, 1185, "timestamp with time zone", TIMESTAMPTZ) \
	X(1186, 1187, "interval", INTERVAL)                   \
	X(3802, 3807, "jsonb", JSON)                          \
	X(114, 199, "json", JSON)                             \
	X(869, 1041, "inet", INET)                            \
	X(650, 651, "cidr", INET)

static const kn__type types[] = {
#define X(oid, array_oid, name, kind) { oid, array_oid, name, KN_TYPE_##kind },
#define Y(oid, name, kind)            { oid, 0, name, KN_TYPE_##kind },
	TYPES(X, Y)
#undef X
#undef Y
};

#define COUNT (sizeof(types) / sizeof(types[0]))

/* Where in the table a number is found, from 1; a value is looked up for each that is decoded. */
enum
{
#define X(oid, array_oid, name, kind) PLACE_BEFORE_##oid,
#define Y(oid, name, kind)            PLACE_BEFORE_##oid,
	TYPES(X, Y)
#undef X
#undef Y
};

static const uint8_t places[] = {
#define X(oid, array_oid, name, kind) [oid] = PLACE_BEFORE_##oid + 1, [array_oid] = PLACE_BEFORE_##oid + 1,
#define Y(oid, name, kind)            [oid] = PLACE_BEFORE_##oid + 1,
	TYPES(X, Y)
#undef X
#undef Y
};

const kn__type *
kn__type_find(uint32_t oid, bool *is_array)
{
	const kn__type *type;

	*is_array = false;
	if (oid >= sizeof(places) || places[oid] == 0)
		return NULL;
	type = &types[places[oid] - 1];
	*is_array = type->oid != oid;
	return type;
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
