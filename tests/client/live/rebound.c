/*
 * rebound.c
 *		Parameters of prepared statements whose places have another type by now.
 *
 * A text has the type that its place had when the statement was prepared.
 */
#include "live.h"

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* What they were before: of some, more is said of what is wrong with a value. */
static const char *const x_types[] = { "int", "jsonb", "json", "date", "uuid" };
static const char *const x_values[] = {
	"1", "{}", "[]", "2026-01-01", "0aacbb6c-e3b8-4b4a-8f0e-2ba0a9fd8d2a"
};

/* A parameter whose place has another type by now: as text it goes there all the same. */
START_TEST(has_parameters_of_other_types)
{
	static const char insert[] = "INSERT INTO kn_place VALUES ($1)";
	char sql[200];
	kn_db *own;
	kn_ctx *c;

	(void) snprintf(sql,
					sizeof(sql),
					"DROP TABLE IF EXISTS kn_place; CREATE TABLE kn_place (v %s)",
					x_types[_i]);
	look_do(look, sql);
	OPEN(own, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	c = kn_begin(own);
	for (int i = 0; i < 4; i++)
		EXPECT_OK(c, kn_exec(c, insert, x_values[_i]));
	look_do(look, "ALTER TABLE kn_place ALTER v TYPE text");
	for (int i = 0; i < 4; i++)
		EXPECT_OK(c, kn_exec(c, insert, "abc"));
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_place");
}
END_TEST

static const char x_person[] = "INSERT INTO person VALUES ($1, $2)";

static kn_status
add_twice(kn_ctx *c, void *argument)
{
	EXPECT_OK(c, kn_exec(c, x_person, "ada", (const char *) argument));
	return kn_exec(c, x_person, "grace", (const char *) argument);
}

/* The same statement in the schema of another tenant, where a name stands for another type. */
START_TEST(has_types_of_other_schemas)
{
	static const char *const tenants[][3] = { { "search_path", "kn_one", NULL },
											  { "search_path", "kn_two", NULL } };
	kn_db *own;

	look_do(look,
			"DROP SCHEMA IF EXISTS kn_one, kn_two CASCADE; CREATE SCHEMA kn_one; CREATE SCHEMA "
			"kn_two;"
			"CREATE TYPE kn_one.mood AS ENUM ('calm'); CREATE TYPE kn_two.mood AS ENUM ('wild');"
			"CREATE TABLE kn_one.person (name text, mood kn_one.mood);"
			"CREATE TABLE kn_two.person (name text, mood kn_two.mood)");
	OPEN(own, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	for (int i = 0; i < 24; i++)
	{
		int tenant = i / 3 % 2;
		kn_ctx *c = kn_begin(own, .claims = tenants[tenant]);
		const char *mood = tenant == 0 ? "calm" : "wild";

		if (i < 12)
			EXPECT_OK(c, kn_exec(c, x_person, "ada", mood));
		else
			EXPECT_OK(c, kn_transact(c, add_twice, (char *) (uintptr_t) mood));
		kn_end(c);
	}
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_two.person"), 18);
	close_even(own);
	look_do(look, "DROP SCHEMA kn_one, kn_two CASCADE");
}
END_TEST

/* What the types of a place and of its neighbours have to agree about. */
static const char *const x_places[] = {
	"UPDATE kn_place SET v = COALESCE($1, v)",
	"UPDATE kn_place SET v = CASE WHEN v IS NULL THEN v ELSE $1 END",
	"UPDATE kn_place SET v = GREATEST(v, $1)",
	"SELECT v FROM kn_place WHERE v IN ($1, '7')",
	"SELECT v FROM kn_place UNION ALL SELECT $1",
	"SELECT v FROM kn_place WHERE NULLIF($1, v) IS NULL",
	"SELECT * FROM (VALUES ($1), ((SELECT v FROM kn_place LIMIT 1))) AS x (v)",
	"SELECT v FROM kn_place WHERE v = ANY (ARRAY[$1, v])",
};

/* Or the server says of an error which values there were. */
static const char *
telling(bool tells)
{
	static char conninfo[500];

	(void) snprintf(conninfo,
					sizeof(conninfo),
					"%s options='-c log_parameter_max_length_on_error=%d'",
					sessions(),
					tells ? -1 : 0);
	return conninfo;
}

START_TEST(agree_with_other_types)
{
	const char *place = x_places[_i / 2];
	static const char *const values[] = { NULL, "1", "abc" };
	kn_db *own;
	kn_ctx *c;

	look_do(look,
			"DROP TABLE IF EXISTS kn_place; CREATE TABLE kn_place (v int);"
			"INSERT INTO kn_place VALUES (1)");
	OPEN(own, .conninfo = telling(_i % 2 != 0), .pgbouncer = sessions_mode(), .max_connections = 1);
	c = kn_begin(own);
	for (int i = 0; i < 4; i++)
		EXPECT_OK(c, kn_exec(c, place, "1"));
	look_do(look, "ALTER TABLE kn_place ALTER v TYPE text");
	for (size_t i = 0; i < COUNT(values); i++)
		EXPECT_OK(c, kn_exec(c, place, values[i]));
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_place");
}
END_TEST

static kn_status
insert_body(kn_ctx *c, void *argument)
{
	++*(int *) argument;
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	return kn_exec(c, "INSERT INTO kn_place VALUES ($1)", "1");
}

/* The transaction has failed by it, and is run again. */
START_TEST(have_a_body_run_again)
{
	kn_db *own;
	kn_ctx *c;
	int runs = 0;

	look_do(look, "DROP TABLE IF EXISTS kn_place; CREATE TABLE kn_place (v int)");
	OPEN(own, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	c = kn_begin(own);
	for (int i = 0; i < 4; i++)
		EXPECT_OK(c, kn_transact(c, insert_body, &runs));
	look_do(look, "ALTER TABLE kn_place ALTER v TYPE bool USING v <> 0");
	runs = 0;
	EXPECT_OK(c, kn_transact(c, insert_body, &runs));
	ck_assert_int_eq(runs, 2);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_place"), 5);
	kn_end(c);
	close_even(own);
	look_do(look, "DROP TABLE kn_place");
}
END_TEST

/* By default a role's own schema comes first. */
START_TEST(are_of_the_role)
{
	static const char *const roles[] = { "kn_one", "kn_two" };
	static const char insert[] = "INSERT INTO measure VALUES ($1)";
	kn_db *own;

	look_do(look,
			"DROP SCHEMA IF EXISTS kn_one, kn_two CASCADE; DROP ROLE IF EXISTS kn_one, kn_two;"
			"CREATE ROLE kn_one; CREATE ROLE kn_two; CREATE SCHEMA AUTHORIZATION kn_one;"
			"CREATE SCHEMA AUTHORIZATION kn_two; SET ROLE kn_one;"
			"CREATE TABLE kn_one.measure (v real); SET ROLE kn_two;"
			"CREATE TABLE kn_two.measure (v float8); RESET ROLE");
	OPEN(own, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	for (int i = 0; i < 12; i++)
	{
		KN_AUTO(kn_ctx) *c = kn_begin(own, .role = roles[i / 6]);

		EXPECT_OK(c, kn_exec(c, insert, "0.1234567890123"));
	}
	ck_assert_int_eq(
		look_number(look, "SELECT count(*) FROM kn_two.measure WHERE v = 0.1234567890123"),
		6);
	close_even(own);
	look_do(look, "DROP SCHEMA kn_one, kn_two CASCADE; DROP ROLE kn_one, kn_two");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, has_parameters_of_other_types, x_types);
	tcase_add_test(tcase, has_types_of_other_schemas);
	tcase_add_loop_test(tcase, agree_with_other_types, 0, 2 * COUNT(x_places));
	tcase_add_test(tcase, have_a_body_run_again);
	tcase_add_test(tcase, are_of_the_role);
}

int
main(void)
{
	return suite_run("rebound", fill);
}
