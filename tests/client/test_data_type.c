/*
 * test_data_type.c
 *		The server's types: each by its number and by that of its arrays, and nothing else.
 */
#include "suite.h"

#include "data/data.h"

static const struct
{
	uint32_t oid;
	uint32_t array_oid;
	kn_type kind;
} known[] = {
	{ 16, 1000, KN_TYPE_BOOL },        { 17, 1001, KN_TYPE_BYTES },
	{ 20, 1016, KN_TYPE_I64 },         { 21, 1005, KN_TYPE_I16 },
	{ 23, 1007, KN_TYPE_I32 },         { 25, 1009, KN_TYPE_TEXT },
	{ 1043, 1015, KN_TYPE_TEXT },      { 1042, 1014, KN_TYPE_TEXT },
	{ 19, 1003, KN_TYPE_TEXT },        { 705, 0, KN_TYPE_TEXT },
	{ 2278, 0, KN_TYPE_TEXT },         { 26, 1028, KN_TYPE_I64 },
	{ 700, 1021, KN_TYPE_F32 },        { 701, 1022, KN_TYPE_F64 },
	{ 1700, 1231, KN_TYPE_NUMERIC },   { 2950, 2951, KN_TYPE_UUID },
	{ 1082, 1182, KN_TYPE_DATE },      { 1083, 1183, KN_TYPE_TIME },
	{ 1114, 1115, KN_TYPE_TIMESTAMP }, { 1184, 1185, KN_TYPE_TIMESTAMPTZ },
	{ 1186, 1187, KN_TYPE_INTERVAL },  { 3802, 3807, KN_TYPE_JSON },
	{ 114, 199, KN_TYPE_JSON },        { 869, 1041, KN_TYPE_INET },
	{ 650, 651, KN_TYPE_INET },
};

START_TEST(finds_each)
{
	const kn__type *type;
	bool is_array = true;

	type = kn__type_find(known[_i].oid, &is_array);
	ck_assert_ptr_nonnull(type);
	ck_assert(!is_array);
	ck_assert_uint_eq(type->oid, known[_i].oid);
	ck_assert_uint_eq(type->array_oid, known[_i].array_oid);
	ck_assert_int_eq(type->kind, known[_i].kind);
	ck_assert_ptr_nonnull(type->name);
	if (known[_i].array_oid != 0)
	{
		ck_assert_ptr_eq(kn__type_find(known[_i].array_oid, &is_array), type);
		ck_assert(is_array);
	}
}
END_TEST

START_TEST(finds_nothing_else)
{
	int found = 0;
	bool is_array = true;

	for (uint32_t oid = 0; oid < 100000; oid++)
	{
		bool is_known = false;

		for (int i = 0; i < COUNT(known); i++)
			is_known |= oid != 0 && (oid == known[i].oid || oid == known[i].array_oid);
		ck_assert(kn__has_codec(oid) == is_known);
		found += is_known;
	}
	ck_assert_int_eq(found, 2 * COUNT(known) - 2);
	ck_assert_ptr_null(kn__type_find(UINT32_MAX, &is_array));
	ck_assert(!is_array);
	ck_assert_ptr_null(kn__type_find(UINT32_C(0x80000017), &is_array));
}
END_TEST

START_TEST(kinds_go_out_as)
{
	static const struct
	{
		kn_type kind;
		uint32_t oid;
		uint32_t array_oid;
	} cases[] = {
		{ KN_TYPE_NULL, 0, 0 },
		{ KN_TYPE_BOOL, 16, 1000 },
		{ KN_TYPE_I16, 21, 1005 },
		{ KN_TYPE_I32, 23, 1007 },
		{ KN_TYPE_I64, 20, 1016 },
		{ KN_TYPE_F32, 700, 1021 },
		{ KN_TYPE_F64, 701, 1022 },
		{ KN_TYPE_TEXT, 0, 1009 },
		{ KN_TYPE_BYTES, 17, 1001 },
		{ KN_TYPE_UUID, 2950, 2951 },
		{ KN_TYPE_NUMERIC, 1700, 1231 },
		{ KN_TYPE_DATE, 1082, 1182 },
		{ KN_TYPE_TIME, 1083, 1183 },
		{ KN_TYPE_TIMESTAMP, 1114, 1115 },
		{ KN_TYPE_TIMESTAMPTZ, 1184, 1185 },
		{ KN_TYPE_INTERVAL, 1186, 1187 },
		{ KN_TYPE_JSON, 0, 3807 },
		{ KN_TYPE_INET, 0, 1041 },
		{ KN_TYPE_ARRAY, 0, 0 },
		{ KN_TYPE_COUNT, 0, 0 },
		{ (kn_type) 200, 0, 0 },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		const kn__type *type = kn__type_of_kind(cases[i].kind);

		ck_assert_uint_eq(kn__type_oid(cases[i].kind), cases[i].oid);
		ck_assert_uint_eq(kn__type_array_oid(cases[i].kind), cases[i].array_oid);
		ck_assert((type == NULL) == (cases[i].array_oid == 0));
		ck_assert(type == NULL || type->kind == cases[i].kind);
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, finds_each, known);
	tcase_add_test(tcase, finds_nothing_else);
	tcase_add_test(tcase, kinds_go_out_as);
}

int
main(void)
{
	return suite_run("data_type", fill);
}
