/*
 * secrecy.c
 *		What is never told to those who listen, and what is all the same.
 */
#include "notes.h"

#include <unistd.h>

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_told CASCADE;"
			"CREATE TABLE kn_told (id int PRIMARY KEY, mail text UNIQUE NOT NULL, n int,"
			" CONSTRAINT kn_few CHECK (n < 10));"
			"INSERT INTO kn_told VALUES (1, 's3cret', 1)");
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* Calls that have the secret in all places there are, and what becomes of each. */
static const struct
{
	const char *sql;
	kn_status expected;
	bool has_parameter;
} leaky[] = {
	{ "SELECT $1::text", KN_OK, true },
	{ "SELECT 's3cret'", KN_OK, false },
	{ "SELECT $$s3cret$$, E's3cret', U&'s3cret', $t$s3cret$t$ -- s3cret\n, 1 /* s3cret */",
	  KN_OK,
	  false },
	{ "SELECT 'x' AS a, 'y' || 's3cret'", KN_OK, false },
	{ "INSERT INTO kn_told VALUES (2, $1, 1)", KN_DUPLICATE, true }, /* Key (mail)=(s3cret) */
	{ "INSERT INTO kn_told VALUES (2, 's3cret', 1)", KN_DUPLICATE, false },
	{ "INSERT INTO kn_told VALUES (3, $1 || '2', 99)", KN_CHECK, true }, /* Failing row contains */
	{ "INSERT INTO kn_told SELECT NULL::int, $1 || '3', 9", KN_NOT_NULL, true },
	{ "SELECT $1::text::int", KN_DATA, true }, /* invalid input syntax ... "s3cret" */
	{ "SELECT 's3cret'::int", KN_DATA, false },
	{ "SELECT 1 's3cret'", KN_SCHEMA, false }, /* syntax error at or near */
	{ "SELECT 's3cret", KN_SCHEMA, false },    /* unterminated */
	{ "'s3cret'", KN_SCHEMA, false },          /* it has no verb */
	{ "SELECT 's3cret'::text::kn_no_such_type", KN_SCHEMA, false },
	{ "SELECT kn_raise($1, 'notice')", KN_OK, true },
	{ "SELECT count(*) FROM unnest(xpath('/*', ('<card xmlns=\"relative\">' || $1 || '</card>')::xml))",
	  KN_OK,
	  true },
	{ "SELECT kn_raise($1, 'P0001')", KN_SERVER, true },
	{ "SELECT kn_raise($1, 'AB123')", KN_SERVER, true },
	/* A function may raise what the server has a meaning for. */
	{ "SELECT kn_raise($1, '08006')", KN_SERVER, true },
	{ "SELECT kn_raise($1, '23505')", KN_DUPLICATE, true },
	{ "SELECT kn_raise($1, '23514')", KN_CHECK, true },
	{ "SELECT kn_raise($1, '25006')", KN_READ_ONLY, true },
	{ "SELECT kn_raise($1, '40001')", KN_SERIALIZATION, true },
	{ "SELECT kn_raise($1, '42501')", KN_AUTH, true },
	{ "SELECT kn_raise($1, '42P01')", KN_SCHEMA, true },
	{ "SELECT kn_raise($1, '53200')", KN_UNAVAILABLE, true },
	{ "SELECT kn_raise($1, '55P03')", KN_LOCK_TIMEOUT, true },
	{ "SELECT kn_raise($1, '57014')", KN_CANCELED, true },
	{ "SELECT kn_raise($1, 'XX000')", KN_SERVER, true },
	/* Names that are values. */
	{ "SELECT $1::text::regclass", KN_SCHEMA, true },
	{ "SELECT $1::text::regtype", KN_SCHEMA, true },
	{ "SELECT 's3cret'::regclass", KN_SCHEMA, false },
	{ "SELECT 's3cret'::regtype", KN_SCHEMA, false },
	{ "SELECT nextval($1::text::regclass)", KN_SCHEMA, true },
	{ "SELECT has_table_privilege($1, 'select')", KN_SCHEMA, true },
	{ "SELECT pg_has_role($1, 'usage')", KN_SCHEMA, true },
	{ "SELECT current_setting($1)", KN_SCHEMA, true },
	/* A value that has quotation marks with what is in the statement between them. */
	{ "SELECT current_setting('select\" ' || $1 || ' \"select')", KN_SCHEMA, true },
	{ "SELECT current_setting('select\" s3cret \"select')", KN_SCHEMA, false },
	{ "SELECT pg_database_size($1::text::name)", KN_SCHEMA, true },
	{ "SELECT pg_get_serial_sequence('kn_told', $1)", KN_SCHEMA, true },
	{ "SELECT pg_stat_file($1)", KN_SERVER, true },
	{ "SELECT set_config($1, 'x', true)", KN_SCHEMA, true },
	{ "SELECT pg_read_file($1)", KN_SERVER, true },
	{ "SELECT query_to_xml('SELECT ' || $1, true, true, '')", KN_SCHEMA, true },
	{ "SELECT kn_run($1)", KN_SCHEMA, true },
	{ "SELECT kn_run('s3cret')", KN_SCHEMA, false },
	{ "SELECT kn_make($1)", KN_CHECK, true },
	{ "CREATE TABLE kn_leak AS SELECT has_table_privilege('s3cret', 'select')", KN_SCHEMA, false },
};

/* With the first row's parameters shown; the rest is as the function raises it. */
static void
leak_all(const kn_config *config, kn_ctx **holder, kn_rows **held, kn_db **db)
{
	char why[200];
	kn_ctx *cx;

	ck_assert_msg(kn_open_config(db, why, sizeof(why), config) == KN_OK, "%s", why);
	cx = kn_begin(*db);
	for (int i = 0; i < COUNT(leaky); i++)
	{
		kn_batch *batch;
		const kn_value value = kn_v("s3cret");

		/* Twice, for it is prepared then. */
		for (int j = 0; j < 2; j++)
			EXPECT(cx,
				   kn_exec_values(cx, leaky[i].sql, &value, leaky[i].has_parameter, NULL, NULL),
				   leaky[i].expected);
		EXPECT(cx,
			   kn_done(kn_stream_values(cx, leaky[i].sql, &value, leaky[i].has_parameter, NULL)),
			   leaky[i].expected);
		batch = kn_begin_batch(cx);
		(void) kn_add(batch, "SELECT 's3cret'");
		(void) kn_add_values(batch, leaky[i].sql, &value, leaky[i].has_parameter);
		EXPECT(cx, kn_run_batch(batch, NULL), leaky[i].expected);
	}
	*holder = kn_begin(*db);
	*held = kn_stream(*holder, "SELECT 's3cret'");
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_POOL_TIMEOUT);
	kn_end(cx);
}

START_TEST(keeps_values_to_itself)
{
	kn_config config = { .size = sizeof(config),
						 .slow_ms = 1,
						 .max_connections = 1,
						 .acquire_ms = 2000, /* to connect again takes its time */
						 .leak_ms = 1,
						 .show_parameters = _i == 1 };
	char path[] = "/tmp/kn_observe_XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w+");
	char *line = NULL;
	size_t capacity = 0;
	kn_json_log log;
	kn_db *db;
	kn_ctx *holder;
	kn_rows *held;
	int lines = 0;
	int leaks = 0;

	ck_assert_ptr_nonnull(file);
	(void) unlink(path);
	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_raise(what text, how text) RETURNS text LANGUAGE plpgsql"
			" AS $$BEGIN IF how = 'notice' THEN RAISE NOTICE 'this is %', what;"
			" ELSE RAISE '%', what USING ERRCODE = how; END IF; RETURN NULL; END$$;"
			"CREATE OR REPLACE FUNCTION kn_make(what text) RETURNS text LANGUAGE plpgsql"
			" AS $$BEGIN EXECUTE format('DROP TABLE IF EXISTS %I', what);"
			" EXECUTE format('ALTER TABLE kn_told ADD CONSTRAINT %I CHECK (false)', what); END$$;"
			"CREATE OR REPLACE FUNCTION kn_run(what text) RETURNS text LANGUAGE plpgsql"
			" AS $$BEGIN EXECUTE 'SELECT ' || what; RETURN NULL; END$$");
	kn_json_log_init(&log, file, true);
	config.hooks = &log.hooks;
	leak_all(&config, &holder, &held, &db);
	while (stats_of(db).leaks == 0)
		look_do(look, "SELECT pg_sleep(0.002)");
	EXPECT_OK(holder, kn_done(held));
	kn_end(holder);
	close_even(db);
	rewind(file);
	while (getline(&line, &capacity, file) > 0)
	{
		lines++;
		leaks += strstr(line, "s3cret") != NULL;
		ck_assert_msg(_i == 1 || strstr(line, "s3cret") == NULL, "%s", line);
		ck_assert_msg(strstr(line, "name\":\"\"") == NULL, "%s", line);
	}
	ck_assert_int_gt(lines, 4 * COUNT(leaky));
	if (_i == 1)
		ck_assert_int_gt(leaks, 2 * COUNT(leaky));
	ck_assert_uint_eq(log.lost, 0);
	free(line);
	(void) fclose(file);
}
END_TEST

/* What says no more than the statement, or than the server alone knows, is told. */
static const struct
{
	const char *sql;
	kn_status expected;
	const char *message;
} telling[] = {
	{ "SELECT * FROM nowhere", KN_SCHEMA, "relation \"nowhere\" does not exist" },
	{ "SELECT amiss FROM kn_told", KN_SCHEMA, "column \"amiss\" does not exist" },
	{ "SELECT 'Ã¤Ã¶', nothing(1)", KN_SCHEMA, "function nothing(integer) does not exist" },
	{ "INSERT INTO Nowhere VALUES (1)", KN_SCHEMA, "relation \"nowhere\" does not exist" },
	{ "DROP TABLE nowhere", KN_SCHEMA, "table \"nowhere\" does not exist" },
	{ "CREATE TABLE kn_told (a int)", KN_SCHEMA, "relation \"kn_told\" already exists" },
	{ "ALTER TABLE kn_told DROP COLUMN amiss",
	  KN_SCHEMA,
	  "column \"amiss\" of relation \"kn_told\" does not exist" },
	{ "INSERT INTO kn_told VALUES (1, 'a', 1)",
	  KN_DUPLICATE,
	  "duplicate key value violates unique constraint \"kn_told_pkey\"" },
	{ "SELECT 1 FROM kn_told, pg_cancel_backend(pg_backend_pid())",
	  KN_CANCELED,
	  "canceling statement due to user request" },
};

START_TEST(tells_what_quotes_nothing)
{
	const note *n;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .hooks = &all, .max_connections = 1);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec_values(cx, telling[_i].sql, NULL, 0, NULL, NULL), telling[_i].expected);
	kn_end(cx);
	n = told(KN_EVENT_QUERY, "");
	ck_assert_str_eq(n->message, telling[_i].message);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, keeps_values_to_itself, 0, 2);
	LOOP(tcase, tells_what_quotes_nothing, telling);
}

int
main(void)
{
	return suite_run("secrecy", fill);
}
