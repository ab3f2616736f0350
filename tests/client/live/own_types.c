/*
 * own_types.c
 *		Types that are the database's own: enums, domains, arrays of these, and what has no codec.
 */
#include "feelings.h"

/* Alone, and beside a type without a codec: then all of the row comes as text. */
static const char *const queries[] = {
	"SELECT n, m, ms, w, ws FROM kn_feeling ORDER BY n",
	"SELECT n, m, ms, w, ws, point(1, 2) FROM kn_feeling ORDER BY n",
};

/* The four rows, as they are in whatever way they came. */
static void
check_rows(kn_ctx *c, kn_rows *rows)
{
	kn_value values[5];

	for (int row = 0; row < 4; row++)
	{
		ck_assert(kn_next(rows));
		for (int i = 0; i < 5; i++)
			values[i] = kn_column(rows, i);
		ck_assert_int_eq(values[0].as.i, row + 1);
		for (int i = 1; i < 5 && row == 2; i++)
			ck_assert_int_eq(values[i].type, KN_TYPE_NULL);
		if (row == 2)
			continue;
		ck_assert(is_text(&values[1], row == 0 ? "sad" : row == 1 ? "" : "\\"));
		ck_assert_str_eq(kn_get_text(rows, 1), row == 0 ? "sad" : row == 1 ? "" : "\\");
		ck_assert_int_eq(values[2].type, KN_TYPE_ARRAY);
		ck_assert_int_eq(values[2].as.array->element, KN_TYPE_TEXT);
		ck_assert_int_eq(values[2].n, row == 0 ? 3 : row == 1 ? 0 : 2);
		ck_assert_int_eq(values[4].type, KN_TYPE_ARRAY);
		if (row == 0)
		{
			ck_assert(is_text(&values[2].as.array->items[1], "so so"));
			ck_assert_int_eq(values[2].as.array->items[2].type, KN_TYPE_NULL);
			ck_assert(is_text(&values[4].as.array->items[0], "a,b"));
		}
		if (row == 3)
		{
			ck_assert_int_eq(values[2].as.array->dimensions, 2);
			ck_assert_int_eq(values[2].as.array->lower_bounds[1], 2);
			ck_assert(is_text(&values[2].as.array->items[0], "NULL"));
			ck_assert(is_text(&values[2].as.array->items[1], "\\"));
		}
	}
	ck_assert(!kn_next(rows));
	EXPECT_OK(c, kn_done(rows));
}

/* The first time, and when it is known; as a whole, as they arrive, and from the cache. */
START_TEST(is_the_same_in_every_way)
{
	for (int i = 0; i < 4; i++)
	{
		check_rows(cx, kn_query_values(cx, queries[_i], NULL, 0, NULL));
		check_rows(cx, kn_stream_values(cx, queries[_i], NULL, 0, NULL));
		check_rows(cx, kn_query_values(cx, queries[_i], NULL, 0, &cached));
	}
	ck_assert_int_eq(kept.hits, 3);
}
END_TEST

static kn_status
read_within(kn_ctx *c, void *argument)
{
	const char *sql = argument;

	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES (3)"));
	check_rows(c, kn_query_values(c, sql, NULL, 0, NULL));
	check_rows(c, kn_stream_values(c, sql, NULL, 0, NULL));
	return kn_exec(c, "INSERT INTO kn_number VALUES (4)");
}

/* They are asked for within it, and it goes on. */
START_TEST(is_learned_within_a_transaction)
{
	EXPECT_OK(cx, kn_transact(cx, read_within, (void *) (uintptr_t) queries[_i]));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_number"), 4);
}
END_TEST

static long
copies(const char *table)
{
	char sql[200];

	(void) snprintf(sql,
					sizeof(sql),
					"SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT * FROM (%%%s%%'"
					" AND pid <> pg_backend_pid()",
					table);
	return look_number(look, sql);
}

/* Streams go by COPY where all columns are known to come in binary. */
START_TEST(comes_in_binary)
{
	kn_rows *rows = kn_stream(cx, "SELECT m, ms, w, ws FROM kn_feeling f");

	ck_assert(kn_next(rows));
	ck_assert_int_eq(copies("kn_feeling f"), 1);
	EXPECT_OK(cx, kn_done(rows));
	rows = kn_stream(cx, "SELECT m, point(1, 2) FROM kn_feeling g");
	ck_assert(kn_next(rows));
	ck_assert_int_eq(copies("kn_feeling g"), 0);
	EXPECT_OK(cx, kn_done(rows));
}
END_TEST

/* What came out goes in, by parameter, and by COPY. */
START_TEST(goes_back)
{
	kn_ctx *other = kn_begin(db);
	kn_rows *rows = kn_query_values(cx, queries[_i], NULL, 0, NULL);
	kn_copy *copy;

	look_do(look, "DROP TABLE IF EXISTS kn_felt; CREATE TABLE kn_felt (LIKE kn_feeling)");
	copy = kn_copy_in(other, "COPY kn_felt FROM STDIN (FORMAT binary)");
	while (kn_next(rows))
	{
		kn_value values[5];

		for (int i = 0; i < 5; i++)
			values[i] = kn_column(rows, i);
		ck_assert_int_eq(
			number_of(cx,
					  kn_query_values(cx,
									  "SELECT count(*) FROM kn_feeling WHERE n = $1"
									  " AND (m, ms, w, ws) IS NOT DISTINCT FROM ($2, $3, $4, $5)",
									  values,
									  5,
									  NULL)),
			1);
		ck_assert_msg(kn_copy_row_values(copy, values, 5) == KN_OK,
					  "%s",
					  kn_last_error(other)->message);
	}
	EXPECT_OK(cx, kn_done(rows));
	EXPECT_OK(other, kn_copy_end(copy, NULL));
	kn_end(other);
	ck_assert_int_eq(look_number(look,
								 "SELECT count(*) FROM kn_feeling AS a JOIN kn_felt AS b USING (n)"
								 " WHERE (a.m, a.ms, a.w, a.ws) IS NOT DISTINCT FROM"
								 "       (b.m, b.ms, b.w, b.ws)"),
					 4);
}
END_TEST

/* Arrays of texts are arrays of text, which a cast makes what is wanted; or they say what they are.
 */
START_TEST(takes_arrays_of_texts)
{
	static const char plain[] = "SELECT count(*) FROM kn_feeling WHERE m = ANY ($1)";
	static const char cast[] = "SELECT count(*) FROM kn_feeling WHERE m = ANY ($1::kn_mood[])";
	const int32_t size = 3;
	kn_value items[] = { kn_text("sad"), kn_null(), kn_text("\\") };
	const kn_array array = { .items = items,
							 .sizes = &size,
							 .dimensions = 1,
							 .element = KN_TYPE_TEXT };
	uint32_t oid = (uint32_t) look_number(look, "SELECT 'kn_mood[]'::regtype::oid::int8");

	ck_assert_int_eq(number_of(cx, kn_query(cx, cast, kn_array_of(&array))), 2);
	ck_assert_int_eq(number_of(cx, kn_query(cx, plain, kn_as(kn_array_of(&array), oid))), 2);
	EXPECT(cx, kn_exec(cx, plain, kn_array_of(&array)), KN_SCHEMA);
	items[0] = kn_text("glad");
	EXPECT(cx, kn_exec(cx, plain, kn_as(kn_array_of(&array), oid)), KN_DATA);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, "22P02");
	items[0] = kn_text_of((kn_str){ "s\0d", 3 });
	EXPECT(cx, kn_exec(cx, plain, kn_as(kn_array_of(&array), oid)), KN_DATA);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "$1: text must not have a NUL"));
	items[0] = kn_i32(1);
	EXPECT(cx, kn_exec(cx, plain, kn_as(kn_array_of(&array), oid)), KN_DATA);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "cannot be sent as that type"));
}
END_TEST

/*
 * A type of the same name is another one, and may not be an enum.  The server does not see that
 * what is prepared is about one that is gone: a connection runs into that once.  Behind a pooler
 * nothing is prepared.
 */
START_TEST(may_become_another_type)
{
	static const char *const kinds[] = { "AS ENUM ('(1,2)')", "AS (a int, b int)" };
	static const char sql[] = "SELECT '(1,2)'::kn_form, ARRAY['(1,2)'::kn_form]";

	for (int i = 0; i < 4; i++)
	{
		char create[100];
		kn_rows *rows;
		kn_value array;

		look_do(look, "DROP TYPE IF EXISTS kn_form");
		(void) snprintf(create, sizeof(create), "CREATE TYPE kn_form %s", kinds[i % 2]);
		look_do(look, create);
		for (int j = 0; j < 4; j++)
		{
			rows = kn_query(cx, sql);
			if (i > 0 && j == 0 && !is_pooled())
			{
				EXPECT(cx, kn_done(rows), KN_SERVER);
				ck_assert_str_eq(kn_last_error(cx)->sqlstate, "XX000");
				continue;
			}
			ck_assert_msg(kn_next(rows), "%d.%d: %s", i, j, kn_last_error(cx)->message);
			ck_assert_str_eq(kn_get_text(rows, 0), "(1,2)");
			array = kn_column(rows, 1);
			ck_assert_int_eq(array.type, i % 2 == 0 ? KN_TYPE_ARRAY : KN_TYPE_TEXT);
			EXPECT_OK(cx, kn_done(rows));
		}
	}
	look_do(look, "DROP TYPE kn_form");
}
END_TEST

/* The type is made by what comes before in the same message, so nobody can have asked for it. */
START_TEST(is_made_along_the_way)
{
	for (int i = 0; i < 2; i++)
	{
		kn_batch *batch = kn_begin_batch(cx);
		kn_rows *rows;

		look_do(look, "DROP TYPE IF EXISTS kn_form");
		ck_assert_int_eq(kn_add(batch, "CREATE TYPE kn_form AS ENUM ('round')"), 0);
		ck_assert_int_eq(kn_add(batch, "SELECT ARRAY['round'::kn_form]"), 1);
		ck_assert_int_eq(kn_add(batch, "SELECT count(*) FROM kn_feeling"), 2);
		EXPECT_OK(cx, kn_run_batch(batch, NULL));
		rows = kn_batch_rows(batch, 1);
		ck_assert(kn_next(rows));
		ck_assert_int_eq(kn_column(rows, 0).type, KN_TYPE_ARRAY);
		EXPECT_OK(cx, kn_done(rows));
		ck_assert_int_eq(number_of(cx, kn_batch_rows(batch, 2)), 4);
	}
	look_do(look, "DROP TYPE kn_form");
}
END_TEST

typedef kn_rows *read_fn(kn_ctx *cx, const char *sql, const kn_value *values, int count,
						 const kn_options *options);

/* What is had as text, for it has a column without a codec, gets another one; prepared, and not. */
START_TEST(comes_later)
{
	static read_fn *const reads[] = { kn_query_values, kn_stream_values };
	kn_db *own;
	kn_ctx *c;
	kn_rows *rows;

	OPEN(own, .statement_cache = _i < 2 ? 0 : -1);
	c = kn_begin(own);

	look_do(look,
			"DROP TYPE IF EXISTS kn_form CASCADE; CREATE TYPE kn_form AS ENUM ('round');"
			"DROP TABLE IF EXISTS kn_formed; CREATE TABLE kn_formed (p point);"
			"INSERT INTO kn_formed VALUES ('(1,2)')");
	for (int i = 0; i < 6; i++)
	{
		if (i == 3)
			look_do(look, "ALTER TABLE kn_formed ADD f kn_form[] DEFAULT '{round}'");
		rows = reads[_i % 2](c, "SELECT * FROM kn_formed", NULL, 0, NULL);
		ck_assert(kn_next(rows));
		ck_assert_str_eq(kn_get_text(rows, 0), "(1,2)");
		if (i >= 3)
			ck_assert_int_eq(kn_column(rows, 1).type, KN_TYPE_ARRAY);
		EXPECT_OK(c, kn_done(rows));
	}
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_formed; DROP TYPE kn_form");
}
END_TEST

/* More than are asked for at a time. */
START_TEST(may_be_many)
{
	char sql[4096];
	size_t length = 0;
	kn_rows *rows;

	look_do(look,
			"DO $$BEGIN FOR i IN 1..70 LOOP"
			" EXECUTE format('DROP TYPE IF EXISTS kn_one_%s', i);"
			" EXECUTE format('CREATE TYPE kn_one_%s AS ENUM (''v%s'')', i, i);"
			"END LOOP; END$$");
	for (int i = 1; i <= 70; i++)
		length += (size_t) snprintf(sql + length,
									sizeof(sql) - length,
									"%s ARRAY['v%d'::kn_one_%d]",
									i == 1 ? "SELECT" : ",",
									i,
									i);
	rows = kn_stream(cx, sql);
	ck_assert(kn_next(rows));
	ck_assert_int_eq(copies("kn_one_1]"), 1);
	for (int i = 1; i <= 70; i++)
	{
		kn_value array = kn_column(rows, i - 1);
		char label[16];

		(void) snprintf(label, sizeof(label), "v%d", i);
		ck_assert_int_eq(array.type, KN_TYPE_ARRAY);
		ck_assert(is_text(&array.as.array->items[0], label));
	}
	EXPECT_OK(cx, kn_done(rows));
	look_do(look,
			"DO $$BEGIN FOR i IN 1..70 LOOP EXECUTE format('DROP TYPE kn_one_%s', i);"
			"END LOOP; END$$");
}
END_TEST

/* What separates the elements is part of the type; all that is known of here have a comma. */
START_TEST(may_have_another_delimiter)
{
	kn_rows *rows;

	look_do(look,
			"DROP TYPE IF EXISTS kn_part CASCADE; CREATE TYPE kn_part;"
			"CREATE FUNCTION kn_part_in(cstring) RETURNS kn_part LANGUAGE internal IMMUTABLE STRICT"
			" AS 'textin';"
			"CREATE FUNCTION kn_part_out(kn_part) RETURNS cstring LANGUAGE internal IMMUTABLE"
			" STRICT AS 'textout';"
			"CREATE FUNCTION kn_part_send(kn_part) RETURNS bytea LANGUAGE internal STABLE STRICT"
			" AS 'textsend';"
			"CREATE TYPE kn_part (INPUT = kn_part_in, OUTPUT = kn_part_out, SEND = kn_part_send,"
			" LIKE = text, DELIMITER = ';')");
	for (int i = 0; i < 3; i++)
	{
		kn_value values[2];

		rows = kn_query(cx, "SELECT '{a;\"b,c\"}'::kn_part[], 'b,c'::kn_part, point(1, 2)");
		ck_assert(kn_next(rows));
		for (int j = 0; j < 2; j++)
			values[j] = kn_column(rows, j);
		ck_assert(is_text(&values[0], "{a;b,c}"));
		ck_assert(is_text(&values[1], "b,c"));
		EXPECT_OK(cx, kn_done(rows));
	}
	look_do(look, "DROP TYPE kn_part CASCADE");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up_types, tear_down);
	LOOP(tcase, is_the_same_in_every_way, queries);
	LOOP(tcase, is_learned_within_a_transaction, queries);
	tcase_add_test(tcase, comes_in_binary);
	LOOP(tcase, goes_back, queries);
	tcase_add_test(tcase, takes_arrays_of_texts);
	tcase_add_test(tcase, may_become_another_type);
	tcase_add_test(tcase, is_made_along_the_way);
	tcase_add_loop_test(tcase, comes_later, 0, 4);
	tcase_add_test(tcase, may_be_many);
	tcase_add_test(tcase, may_have_another_delimiter);
}

int
main(void)
{
	return suite_run("own_types", fill);
}
