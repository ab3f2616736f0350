/*
 * cache.c
 *		Reads that go by a cache of the program's own.
 */
#include "base/base.h"
#include "store.h"

START_TEST(is_asked_first)
{
	ck_assert_int_eq(read_sum(cx), 3);
	look_do(look, "INSERT INTO kn_number VALUES (4)");
	ck_assert_int_eq(read_sum(cx), 3);
	ck_assert_int_eq(kept.puts, 1);
	ck_assert_int_eq(kept.hits, 1);
	ck_assert_uint_eq(stats_of(db).queries, 1);
	EXPECT_OK(cx, kn_uncache(cx, "numbers"));
	ck_assert_int_eq(read_sum(cx), 7);
}
END_TEST

START_TEST(keeps_each_kind_as_it_is)
{
	static const char sql[] =
		"SELECT 9007199254740993::int8, 'a\xc3\xa9', NULL::text, '1970-01-02'::date, ARRAY[1,2],"
		" 1.50::numeric, '', '-9223372036854775808'::int8, 9223372036854775807, 1e300::float8";

	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_query_values(cx, sql, NULL, 0, &cached);

		ck_assert_int_eq(kn_next(rows), true);
		/* One that is no double. */
		ck_assert_int_eq(kn_get_i64(rows, 0), INT64_C(9007199254740993));
		ck_assert_str_eq(kn_get_text(rows, 1), "a\xc3\xa9");
		ck_assert_int_eq(kn_is_null(rows, 2), true);
		ck_assert_int_eq(kn_get_date(rows, 3).days, 1);
		ck_assert_uint_eq(kn_column(rows, 4).n, 2);
		ck_assert_str_eq(kn_get_text(rows, 5), "1.50");
		ck_assert_int_eq(kn_is_null(rows, 6), false);
		ck_assert_int_eq(kn_get_i64(rows, 7), INT64_MIN);
		ck_assert_int_eq(kn_get_i64(rows, 8), INT64_MAX);
		ck_assert(kn_get_f64(rows, 9) == 1e300);
		ck_assert_str_eq(kn_column_name(rows, 0), "int8");
		ck_assert_int_eq(kn_next(rows), false);
		ck_assert_int_eq(kn_row_count(rows), 1);
		EXPECT_OK(cx, kn_done(rows));
	}
	ck_assert_int_eq(kept.puts, 1);
}
END_TEST

START_TEST(takes_one_statement_for_no_other)
{
	kn_value value = kn_i32(1);

	ck_assert_int_eq(read_sum(cx), 3);
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, "SELECT 99", NULL, 0, &cached)), 99);
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, "SELECT $1 * 10", &value, 1, &cached)), 10);
	value = kn_i32(2);
	ck_assert_int_eq(number_of(cx, kn_query_values(cx, "SELECT $1 * 10", &value, 1, &cached)), 20);
	/* What is no entry of ours is a miss. */
	put(&kept, "numbers", "junk", 4, 60000);
	ck_assert_int_eq(read_sum(cx), 3);
	put(&kept, "numbers", "more junk than that, but still nothing", 38, 60000);
	ck_assert_int_eq(read_sum(cx), 3);
}
END_TEST

START_TEST(keeps_people_apart)
{
	static const char sql[] = "SELECT current_setting('app.tenant', true)::int";
	const char *const one[] = { "app.tenant", "1", NULL };
	const char *const two[] = { "app.tenant", "2", NULL };

	for (int i = 0; i < 3; i++)
	{
		kn_ctx *a = kn_begin(db, .claims = one);
		kn_ctx *b = kn_begin(db, .claims = two);

		ck_assert_int_eq(number_of(a, kn_query_values(a, sql, NULL, 0, &cached)), 1);
		ck_assert_int_eq(number_of(b, kn_query_values(b, sql, NULL, 0, &cached)), 2);
		kn_end(a);
		kn_end(b);
	}
	ck_assert_int_eq(kept.puts, 2);
}
END_TEST

/* Keys may fall together, by chance or because somebody has seen to it. */
START_TEST(keeps_people_apart_who_have_one_key)
{
	static const char sql[] =
		"SELECT current_user::text || coalesce(current_setting('app.tenant', true), '')";
	const char *const one[] = { "app.tenant", "1", NULL };
	const char *const two[] = { "app.tenant", "2", NULL };
	const kn_request requests[] = {
		{ .size = sizeof(kn_request), .claims = one },
		{ .size = sizeof(kn_request), .claims = two },
		{ .size = sizeof(kn_request), .claims = one, .role = "pg_monitor" },
		{ .size = sizeof(kn_request), .role = "pg_monitor" },
		{ .size = sizeof(kn_request) },
	};
	char found[COUNT(requests)][40];

	kept.is_narrow = true;
	for (int i = 0; i < COUNT(requests); i++)
	{
		kn_ctx *c = kn_begin_request(db, &requests[i]);
		kn_rows *rows = kn_query_values(c, sql, NULL, 0, &cached);

		ck_assert_int_eq(kn_next(rows), true);
		(void) snprintf(found[i], sizeof(found[i]), "%s", kn_get_text(rows, 0));
		EXPECT_OK(c, kn_done(rows));
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(found[i], found[j]);
		kn_end(c);
	}
	ck_assert_int_eq(kept.puts, COUNT(requests));
	ck_assert_int_eq(kept.hits, COUNT(requests) - 1);
}
END_TEST

/* The inverse of an odd number, modulo 2^64. */
static uint64_t
inverse(uint64_t a)
{
	uint64_t x = a;

	for (int i = 0; i < 6; i++)
		x *= 2 - a * x;
	return x;
}

static uint64_t
mix(uint64_t lane, uint64_t word)
{
	uint64_t x = lane + word * UINT64_C(0xC2B2AE3D27D4EB4F);

	return (x << 31 | x >> 33) * UINT64_C(0x9E3779B185EBCA87);
}

/*
 * Makes of 64 bytes others that have the same hash with that seed: the first 8 are chosen, and
 * those at 32, which go into the same lane, follow from them.
 */
static void
forge(char *bytes, uint64_t seed)
{
	const uint64_t prime = UINT64_C(0xC2B2AE3D27D4EB4F);
	uint64_t lane = seed + UINT64_C(0x9E3779B185EBCA87) + prime;
	uint64_t first;
	uint64_t second;

	memcpy(&first, bytes, 8);
	memcpy(&second, bytes + 32, 8);
	second += (mix(lane, first) - mix(lane, first + 1)) * inverse(prime);
	first++;
	memcpy(bytes, &first, 8);
	memcpy(bytes + 32, &second, 8);
}

/* A number that is another one for handles that are connected otherwise; they share the cache. */
static void
check_apart(const char *conninfo, const char *sql, int64_t expected)
{
	int64_t ours = number_of(cx, kn_query_values(cx, sql, NULL, 0, &cached));
	kn_db *other;

	ck_assert_int_ne(ours, expected);
	OPEN(other, .conninfo = conninfo, .max_connections = 1, .cache = &kept.cache);
	for (int i = 0; i < 2; i++)
	{
		kn_ctx *there = kn_begin(other);

		ck_assert_int_eq(number_of(there, kn_query_values(there, sql, NULL, 0, &cached)), expected);
		ck_assert_int_eq(number_of(cx, kn_query_values(cx, sql, NULL, 0, &cached)), ours);
		kn_end(there);
	}
	close_even(other);
}

START_TEST(keeps_databases_apart)
{
	/* template1 has been made first */
	check_apart("dbname=template1",
				"SELECT oid::bigint FROM pg_database WHERE datname = current_database()",
				1);
}
END_TEST

/* Of one database, too, if they are connected in another way: a pooler would not heed that one. */
START_TEST(keeps_ways_to_connect_apart)
{
	char conninfo[200];

	(void) snprintf(conninfo,
					sizeof(conninfo),
					"%s options='-c search_path=kn_nowhere'",
					is_pooled() ? getenv("KN_TEST_DIRECT") : "");
	check_apart(conninfo, "SELECT length(current_setting('search_path'))::bigint", 10);
}
END_TEST

/* XXH64 is no secret: who chooses a value can make it look like another one by its hash. */
START_TEST(takes_no_value_for_one_of_the_same_hash)
{
	static const char sql[] = "SELECT md5($1::bytea)";
	char text[65] = "the quick brown fox jumps over the lazy dog and runs up the hill";
	char other[65];
	kn_value values[2];
	char sums[2][33];

	memcpy(other, text, sizeof(text));
	values[0] = kn_bytes(text, 64);
	values[1] = kn_bytes(other, 64);
	{
		const uint32_t head[3] = { values[0].type, values[0].oid, values[0].n };

		forge(other, kn__hash(head, sizeof(head), kn__hash(sql, strlen(sql), 0)));
	}
	ck_assert_int_ne(memcmp(text, other, 64), 0);
	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_query_values(cx, sql, &values[i], 1, &cached);

		ck_assert_int_eq(kn_next(rows), true);
		(void) snprintf(sums[i], sizeof(sums[i]), "%s", kn_get_text(rows, 0));
		EXPECT_OK(cx, kn_done(rows));
	}
	ck_assert_str_ne(sums[0], sums[1]);
}
END_TEST

START_TEST(keeps_no_failure_and_no_write)
{
	for (int i = 0; i < 2; i++)
	{
		EXPECT(cx, kn_done(kn_query_values(cx, "SELECT 1/0", NULL, 0, &cached)), KN_DATA);
		ck_assert_int_eq(number_of(cx,
								   kn_query_values(cx,
												   "INSERT INTO kn_number VALUES (5) RETURNING n",
												   NULL,
												   0,
												   &cached)),
						 5);
	}
	ck_assert_int_eq(kept.puts, 0);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_number"), 4);
	EXPECT(cx, kn_uncache(cx, NULL), KN_USAGE);
}
END_TEST

static const int32_t many[] = { 1, 1, 1, 1, 1, 1, 1 };
static kn_value endless; /* an array that has itself for an element */
static const kn_array no_arrays[] = {
	{ .dimensions = 1, .items = &endless },
	{ .dimensions = 1, .sizes = many },
	{ .dimensions = 7, .sizes = many, .items = &endless },
	{ .dimensions = -1, .sizes = many, .items = &endless },
	{ .dimensions = 1, .sizes = many, .items = &endless },
};

/* They are for the server's eyes, and do not get there: no cache is to look at them before. */
START_TEST(takes_no_array_that_is_none)
{
	const kn_value value = { .type = KN_TYPE_ARRAY, .n = 1, .as.array = &no_arrays[_i] };
	kn_rows *rows;

	endless =
		(kn_value){ .type = KN_TYPE_ARRAY, .n = 1, .as.array = &no_arrays[COUNT(no_arrays) - 1] };
	rows = kn_query_values(cx, "SELECT $1::int[]", &value, 1, &cached);
	ck_assert_int_eq(kn_next(rows), false);
	EXPECT(cx, kn_done(rows), KN_DATA);
	ck_assert_int_eq(kept.puts, 0);
}
END_TEST

static kn_status
uncaching_body(kn_ctx *c, void *argument)
{
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES (10)"));
	EXPECT_OK(c, kn_uncache(c, "numbers"));
	kn_clear(c);
	ck_assert_int_eq(kept.removals, 0);
	/* Within a transaction one sees what one has done; others see what was there. */
	ck_assert_int_eq(read_sum(c), 13);
	return *(kn_status *) argument;
}

START_TEST(is_emptied_by_a_commit_only)
{
	kn_status returns = KN_CONFLICT;

	ck_assert_int_eq(read_sum(cx), 3);
	EXPECT(cx, kn_transact(cx, uncaching_body, &returns), KN_CONFLICT);
	ck_assert_int_eq(kept.removals, 0);
	ck_assert_int_eq(read_sum(cx), 3);
	returns = KN_OK;
	EXPECT_OK(cx, kn_transact(cx, uncaching_body, &returns));
	ck_assert_int_eq(kept.removals, 1);
	ck_assert_int_eq(read_sum(cx), 13);
}
END_TEST

static kn_status
streaming_body(kn_ctx *c, void *argument)
{
	kn_rows *rows;

	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_number VALUES (10)"));
	rows = kn_stream(c, "SELECT generate_series(1, $1)", 5);
	ck_assert_int_eq(kn_next(rows), true);
	EXPECT_OK(c, kn_uncache(c, "numbers"));
	return kn_done(rows);
}

/* What was written is written: neither rows under way nor a cancel are in the way of it. */
START_TEST(is_emptied_whatever_else_is_under_way)
{
	ck_assert_int_eq(read_sum(cx), 3);
	EXPECT_OK(cx, kn_transact(cx, streaming_body, NULL));
	ck_assert_int_eq(kept.removals, 1);
	ck_assert_int_eq(read_sum(cx), 13);
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_number VALUES (20)"));
	kn_cancel(cx);
	EXPECT_OK(cx, kn_uncache(cx, "numbers"));
	ck_assert_int_eq(kept.removals, 2);
	kn_clear(cx);
	ck_assert_int_eq(read_sum(cx), 33);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, is_asked_first);
	tcase_add_test(tcase, keeps_each_kind_as_it_is);
	tcase_add_test(tcase, takes_one_statement_for_no_other);
	tcase_add_test(tcase, keeps_people_apart);
	tcase_add_test(tcase, keeps_people_apart_who_have_one_key);
	tcase_add_test(tcase, keeps_databases_apart);
	tcase_add_test(tcase, keeps_ways_to_connect_apart);
	tcase_add_test(tcase, takes_no_value_for_one_of_the_same_hash);
	tcase_add_test(tcase, keeps_no_failure_and_no_write);
	LOOP(tcase, takes_no_array_that_is_none, no_arrays);
	tcase_add_test(tcase, is_emptied_by_a_commit_only);
	tcase_add_test(tcase, is_emptied_whatever_else_is_under_way);
}

int
main(void)
{
	return suite_run("cache", fill);
}
