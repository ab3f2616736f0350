/*
 * copy_types.c
 *		Values of every type, and arrays of them, that come and go by COPY.
 */
#include "copy_out.h"

#include "mood.h"
#include "samples.h"

static const struct
{
	const char *name;
	sample *put;
} codecs[] = {
	{ "boolean", put_bool },
	{ "smallint", put_int2 },
	{ "integer", put_int4 },
	{ "bigint", put_int8 },
	{ "oid", put_oid },
	{ "real", put_float4 },
	{ "double precision", put_float8 },
	{ "numeric", put_numeric },
	{ "text", put_text },
	{ "varchar", put_text },
	{ "char(80)", put_int8 },
	{ "name", put_text },
	{ "bytea", put_bytea },
	{ "uuid", put_uuid },
	{ "date", put_date },
	{ "time", put_time },
	{ "timestamp", put_timestamp },
	{ "timestamptz", put_timestamptz },
	{ "interval", put_interval },
	{ "json", put_json },
	{ "jsonb", put_json },
	{ "inet", put_inet },
	{ "cidr", put_cidr },
	{ "kn_mood", put_mood },
	{ "kn_words", put_text },
};

/* Fills kn_from with values of a type, and arrays of it, as far as the server takes them. */
static void
fill_from(const char *type, sample *put)
{
	char sql[400];
	kn__buf text;
	kn__buf array;

	(void) snprintf(
		sql,
		sizeof(sql),
		"DROP TABLE IF EXISTS kn_from, kn_rows, kn_bytes, kn_text;"
		"CREATE TABLE kn_from (n int, v %s, a %s[]); CREATE TABLE kn_rows (LIKE kn_from);"
		"CREATE TABLE kn_bytes (LIKE kn_from); CREATE TABLE kn_text (LIKE kn_from);"
		"INSERT INTO kn_from VALUES (0)",
		type,
		type);
	look_do(look, sql);
	(void) snprintf(sql,
					sizeof(sql),
					"INSERT INTO kn_from VALUES ($1::int, $2::text::%s, $3::text::%s[])",
					type,
					type);
	kn__buf_init(&text, NULL, SIZE_MAX);
	kn__buf_init(&array, NULL, SIZE_MAX);
	state = 20261127;
	for (int i = 1; i <= 200; i++)
	{
		char number[12];
		const char *values[3] = { number, NULL, NULL };

		(void) snprintf(number, sizeof(number), "%d", i);
		text.length = array.length = 0;
		put(&text);
		put_array(&array, put);
		values[1] = text.data;
		values[2] = array.data;
		PQclear(PQexecParams(look, sql, 3, NULL, values, NULL, NULL, 0));
	}
	kn__buf_release(&text);
	kn__buf_release(&array);
	/* The server's calendar goes on where ours has come to its end; and it does not read all of the
	 * intervals that it prints. */
	look_do(look,
			"DELETE FROM kn_from WHERE v::text LIKE '%2942%' OR a::text LIKE '%2942%'"
			" OR v::text LIKE '%-2562047788:%' OR a::text LIKE '%-2562047788:%'");
	ck_assert_int_gt(look_number(look, "SELECT count(*) FROM kn_from"), 20);
}

/* As bytes, from one table to another. */
static void
pass_bytes(const char *from, const char *to)
{
	kn_ctx *other = kn_begin(db);
	kn_copy *out = kn_copy_out(cx, from);
	kn_copy *in = kn_copy_in(other, to);
	kn_str piece;

	while (kn_copy_get(out, &piece))
		ck_assert_int_eq(kn_copy_put(in, piece.p, piece.n), KN_OK);
	EXPECT_OK(cx, kn_copy_end(out, NULL));
	EXPECT_OK(other, kn_copy_end(in, NULL));
	kn_end(other);
}

/* What came by a stream, and went by rows, or came and went as bytes, is what the server prints. */
START_TEST(brings_back_every_type)
{
	static const char *const tables[] = { "kn_rows", "kn_bytes", "kn_text" };
	kn_ctx *other = kn_begin(db);
	kn_rows *rows;
	kn_copy *copy;

	look_do(look, CREATE_MOOD);
	fill_from(codecs[_i].name, codecs[_i].put);
	rows = kn_stream(cx, "SELECT n, v, a FROM kn_from");
	copy = kn_copy_in(other, "COPY kn_rows FROM STDIN (FORMAT binary)");
	while (kn_next(rows))
	{
		kn_value values[] = { kn_column(rows, 0), kn_column(rows, 1), kn_column(rows, 2) };

		ck_assert_msg(kn_copy_row_values(copy, values, 3) == KN_OK,
					  "%s",
					  kn_last_error(other)->message);
	}
	EXPECT_OK(cx, kn_done(rows));
	EXPECT_OK(other, kn_copy_end(copy, NULL));
	kn_end(other);
	pass_bytes("COPY kn_from TO STDOUT (FORMAT binary)",
			   "COPY kn_bytes FROM STDIN (FORMAT binary)");
	pass_bytes("COPY kn_from TO STDOUT", "COPY kn_text FROM STDIN");
	for (int i = 0; i < 3; i++)
	{
		char sql[400];

		(void) snprintf(
			sql,
			sizeof(sql),
			"SELECT count(*) FROM kn_from f FULL JOIN %s t USING (n)"
			" WHERE f.v::text IS DISTINCT FROM t.v::text OR f.a::text IS DISTINCT FROM t.a::text",
			tables[i]);
		ck_assert_msg(look_number(look, sql) == 0, "%s: %s", codecs[_i].name, tables[i]);
	}
}
END_TEST

typedef struct loader
{
	kn_status status;
	bool in_transaction;
} loader;

static kn_status
load_body(kn_ctx *cx, void *argument)
{
	loader *l = argument;
	kn_copy *copy;

	/* Its snapshot may be of before. */
	if (l->in_transaction)
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1 FROM pg_class LIMIT 1"));
	copy = kn_copy_in(cx, "COPY kn_altered FROM STDIN (FORMAT binary)");
	(void) kn_copy_row(copy, (int64_t) 1, (int64_t) 250);
	return kn_copy_end(copy, NULL);
}

static void *
load(void *argument)
{
	loader *l = argument;
	kn_db *own;
	kn_ctx *cx;

	OPEN(own, .max_connections = 1);
	cx = kn_begin(own);
	l->status = l->in_transaction ? kn_transact(cx, load_body, l) : load_body(cx, l);
	kn_end(cx);
	close_even(own);
	return NULL;
}

/* Columns that change while it waits for their table are those that rows are written for. */
START_TEST(goes_by_what_the_columns_are)
{
	loader l = { .in_transaction = _i == 1 };
	PGconn *migration = look_open();
	pthread_t thread;

	look_do(look, "DROP TABLE IF EXISTS kn_altered");
	look_do(look, "CREATE TABLE kn_altered (n bigint, v bigint)");
	look_do(migration, "BEGIN; ALTER TABLE kn_altered ALTER v TYPE float8");
	ck_assert_int_eq(pthread_create(&thread, NULL, load, &l), 0);
	while (look_number(look,
					   "SELECT count(*) FROM pg_locks WHERE NOT granted"
					   " AND relation = 'kn_altered'::regclass") == 0)
		;
	look_do(migration, "COMMIT");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_msg(l.status == KN_OK, "%s", kn_status_name(l.status));
	ck_assert_int_eq(look_number(look, "SELECT (v * 1000)::bigint FROM kn_altered"), 250000);
	look_do(look, "DROP TABLE kn_altered");
	PQfinish(migration);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, goes_by_what_the_columns_are, 0, 2);
	LOOP(tcase, brings_back_every_type, codecs);
}

int
main(void)
{
	return suite_run("copy_types", fill);
}
