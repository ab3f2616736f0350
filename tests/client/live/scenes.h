/*
 * scenes.h
 *		What programs do with the library, for tests that take something away from it meanwhile.
 *
 * Each scene plays on a context of its own and checks what it is handed out: KN_OK from a call
 * means that all of it is there.  It returns the first status that is not as expected, with
 * no transaction and no rows left open.
 */
#ifndef KN_TESTS_SCENES_H
#define KN_TESTS_SCENES_H

#include <stdatomic.h>

#include "live.h"

typedef kn_status act(kn_ctx *cx);

typedef struct scene
{
	const char *name;
	act *act;
	void (*configure)(kn_config *config); /* NULL: nothing but the usual */
	kn_status expected;                   /* where nothing is taken away */
	int rows;                             /* that it leaves in kn_scene, all or none of them */
} scene;

/* Unlike an assertion of the test suite it costs no memory. */
#define MUST(fact)               \
	do                           \
	{                            \
		if (!(fact))             \
			ck_abort_msg(#fact); \
	} while (0)

/* The usual return of a call that has failed. */
#define TRY(call)                \
	do                           \
	{                            \
		kn_status tried_ = call; \
		if (tried_ != KN_OK)     \
			return tried_;       \
	} while (0)

static kn_db *scene_db; /* of the context that plays */

#include "scenes_copy.h"
#include "scenes_handle.h"

static kn_status
act_exec(kn_ctx *cx)
{
	return kn_exec(cx, "INSERT INTO kn_scene VALUES ($1, $2)", 1, "one");
}

static kn_status
act_returning(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, "INSERT INTO kn_scene VALUES ($1, 'x') RETURNING id", 7);
	bool is_there = kn_next(rows) && kn_get_i32(rows, 0) == 7;
	kn_status status = kn_done(rows);

	MUST(is_there || status != KN_OK);
	return status;
}

static const char x_every_kind[] =
	"SELECT g = 1, g::int2, g, g::int8, g::float4, g::float8, repeat('x', 20000),"
	" decode(repeat('ff', 300), 'hex'), '00000000-0000-0000-0000-000000000001'::uuid,"
	" (g || '.50')::numeric, '2024-02-29'::date, '12:00'::time, '2024-02-29 12:00'::timestamp,"
	" '2024-02-29 12:00+00'::timestamptz, '1 day'::interval, '{\"a\": 1}'::jsonb,"
	" '192.168.0.0/16'::inet, ARRAY[1, NULL, 3], ARRAY['a', 'b'], '(1,2)'::point"
	" FROM generate_series(1, 3) g";

/* What was read of the row is all there, unless the rows say that they have failed. */
static bool
is_good_row(kn_ctx *cx, kn_rows *rows, int number)
{
	bool is_good = kn_get_bool(rows, 0) == (number == 1) && kn_get_i16(rows, 1) == number &&
				   kn_get_i32(rows, 2) == number && kn_get_i64(rows, 3) == number &&
				   kn_get_f32(rows, 4) == (float) number && kn_get_f64(rows, 5) == number &&
				   kn_get_str(rows, 6).n == 20000 && kn_column(rows, 7).n == 300 &&
				   kn_get_uuid(rows, 8).b[15] == 1;
	kn_str digits = kn_get_str(rows, 9);
	kn_value copy;

	is_good = is_good && digits.n == 4 && digits.p[0] == '0' + number &&
			  kn_get_date(rows, 10).days == 19782 &&
			  kn_column(rows, 11).as.i == INT64_C(43200000000) && kn_column(rows, 12).as.i != 0 &&
			  kn_get_time(rows, 13).usec == INT64_C(1709208000000000) &&
			  kn_get_interval(rows, 14).days == 1 && kn_get_str(rows, 15).n == 8;
	is_good = is_good && strcmp(kn_get_text(rows, 16), "192.168.0.0/16") == 0 &&
			  kn_column(rows, 17).n == 3 && strcmp(kn_get_text(rows, 19), "(1,2)") == 0;
	copy = is_good ? kn_column(rows, 18) : kn_null();
	if (copy.type != KN_TYPE_NULL)
		copy = kn_copy_value(cx, copy);
	/* It says by being NULL that it was not made. */
	return is_good && (copy.type == KN_TYPE_NULL || copy.n == 2) && !kn_is_null(rows, 0);
}

static kn_status
act_query(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, x_every_kind);
	bool is_good = true;
	int count = 0;
	const char *copy;
	const char *zeros;
	kn_status status;

	while (kn_next(rows))
		is_good = is_good_row(cx, rows, ++count) && is_good;
	status = kn_done(rows);
	MUST(status != KN_OK || (is_good && count == 3));
	TRY(status);
	/* These say by being NULL that they were not made. */
	copy = kn_copy_text(cx, (kn_str){ "abc", 3 });
	MUST(copy == NULL || strcmp(copy, "abc") == 0);
	zeros = kn_alloc(cx, 100000);
	MUST(zeros == NULL || zeros[99999] == 0);
	return KN_OK;
}

static kn_status
act_parameters(kn_ctx *cx)
{
	static const char sql[] =
		"INSERT INTO kn_scene SELECT cardinality($1::int[]), $2 || $3 || $4"
		" || $5 || $6 || $7 || $8 || $9 || $10 || $11 || $12 || $13 || $14"
		" || $15 || $16 || $17 || $18::text[] WHERE $19::bytea IS NOT NULL";
	static const int32_t sizes[] = { 3 };
	static char text[17000];
	kn_value numbers[3] = { kn_i32(1), kn_null(), kn_i32(3) };
	kn_value texts[3] = { kn_text("a"), kn_null(), kn_text("\"{},") };
	const kn_array of_numbers = { numbers, sizes, NULL, 1, KN_TYPE_I32 };
	const kn_array of_texts = { texts, sizes, NULL, 1, KN_TYPE_TEXT };
	kn_value values[19];
	int64_t rows = 0;

	memset(text, 'y', sizeof(text) - 1);
	values[0] = kn_array_of(&of_numbers);
	for (int i = 1; i < 17; i++)
		values[i] = kn_text("t");
	values[17] = kn_array_of(&of_texts);
	values[18] = kn_bytes(text, sizeof(text));
	TRY(kn_exec_values(cx, sql, values, 19, NULL, &rows));
	MUST((rows) == (1));
	return KN_OK;
}

static kn_status
act_batch(kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);
	kn_status status;

	for (int i = 0; i < 20; i++)
		(void) kn_add(batch, "INSERT INTO kn_scene VALUES ($1, 'batch') RETURNING id", i);
	status = kn_run_batch(batch, NULL);
	for (int i = 0; i < 20 && status == KN_OK; i++)
	{
		kn_rows *rows = kn_batch_rows(batch, i);
		bool is_there = kn_next(rows) && kn_get_i32(rows, 0) == i;

		MUST((kn_batch_affected(batch, i)) == (1));
		/* What was done is done, and only its rows may be out of reach. */
		MUST(kn_done(rows) == KN_NO_MEMORY || is_there);
	}
	return status;
}

static void
count_call(void *argument)
{
	++*(int *) argument;
}

static kn_status
nested_body(kn_ctx *cx, void *argument)
{
	const kn_status *outcome = argument;

	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (2, 'nested')"));
	return *outcome;
}

typedef struct calls
{
	int committed;
	int rolled_back;
	kn_status statuses[5];
} calls;

static kn_status
outer_body(kn_ctx *cx, void *argument)
{
	calls *c = argument;
	kn_status fails = KN_NOT_FOUND;
	kn_status passes = KN_OK;
	kn_status nested;
	kn_rows *rows;

	TRY(kn_after_commit(cx, count_call, &c->committed));
	TRY(kn_after_rollback(cx, count_call, &c->rolled_back));
	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'outer')"));
	nested = kn_transact(cx, nested_body, &fails);
	if (nested != KN_NOT_FOUND)
		return nested;
	TRY(kn_transact(cx, nested_body, &passes));
	rows = kn_stream(cx, "SELECT id FROM kn_scene ORDER BY id");
	for (int i = 1; i <= 2; i++)
	{
		if (!kn_next(rows) || kn_get_i32(rows, 0) != i)
			break;
	}
	return kn_done(rows);
}

static kn_status
act_transact(kn_ctx *cx)
{
	calls c = { 0 };
	kn_status status = kn_transact(cx, outer_body, &c);

	MUST((c.committed) == (status == KN_OK ? 1 : 0));
	MUST(!kn_in_transaction(cx));
	return status;
}

/* The second time it is known what they are. */
static kn_status
act_own_types(kn_ctx *cx)
{
	const int32_t size = 2;
	const kn_value items[] = { kn_text("sad"), kn_null() };
	const kn_array moods = { .items = items,
							 .sizes = &size,
							 .dimensions = 1,
							 .element = KN_TYPE_TEXT };

	for (int i = 0; i < 2; i++)
	{
		kn_rows *rows = kn_query(cx,
								 "SELECT m, ARRAY[m, 'so so'] FROM (VALUES ('sad'::kn_scene_mood))"
								 " AS v (m) WHERE m = ANY ($1::kn_scene_mood[])",
								 kn_array_of(&moods));
		bool is_good = false;
		kn_status status;

		while (kn_next(rows))
		{
			kn_value array = kn_column(rows, 1);

			is_good = array.type == KN_TYPE_ARRAY && array.n == 2 &&
					  array.as.array->items[1].n == 5 && kn_get_str(rows, 0).n == 3;
		}
		status = kn_done(rows);
		MUST(status != KN_OK || is_good);
		TRY(status);
	}
	return KN_OK;
}

static kn_status
act_stream(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx, "SELECT g, g::text FROM generate_series(1, $1::int) g", 100);
	int count = 0;
	kn_status status;

	while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1 && kn_get_str(rows, 1).n > 0)
		count++;
	status = kn_done(rows);
	MUST(status != KN_OK || count == 100);
	return status;
}

static kn_status
act_streamed_write(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx,
							  "INSERT INTO kn_scene SELECT g, 's' FROM generate_series(1, 5) g"
							  " RETURNING id");
	int count = 0;
	kn_status status;

	while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1)
		count++;
	status = kn_done(rows);
	MUST(status != KN_OK || count == 5);
	return status;
}

static kn_status
act_role(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx, "SELECT current_user::text, current_setting('app.tenant')");
	bool is_there = kn_next(rows) && strcmp(kn_get_text(rows, 0), "kn_scene_role") == 0 &&
					strcmp(kn_get_text(rows, 1), "7") == 0;
	kn_status status = kn_done(rows);

	MUST(is_there || status != KN_OK);
	return status;
}

/* Each as expected, or as what stands in its way has it. */
static kn_status
act_errors(kn_ctx *cx)
{
	static const struct
	{
		const char *sql;
		kn_status status;
	} cases[] = {
		{ "INSERT INTO kn_scene VALUES (1, NULL)", KN_NOT_NULL },
		{ "SELECT 1 / (SELECT 0)", KN_DATA },
		{ "SELECT nothing FROM nowhere", KN_SCHEMA },
		{ "SELECT 'an unfinished", KN_SCHEMA },
		{ "BEGIN", KN_USAGE },
		{ "DO $$ BEGIN RAISE 'm' USING DETAIL = repeat('d', 9000), HINT = 'h'; END $$", KN_SERVER },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn_status status = kn_exec(cx, cases[i].sql);

		MUST(status != KN_OK);
		if (status != cases[i].status)
			return status;
		status = kn_done(kn_query(cx, cases[i].sql));
		if (status != cases[i].status)
			return status;
	}
	return kn_done(kn_query(cx, "SELECT $1::int", "no number"));
}

static kn_status
act_cancel(kn_ctx *cx)
{
	kn_set_timeout(cx, 40);
	return kn_exec(cx, "INSERT INTO kn_scene SELECT 1, pg_sleep(2)::text");
}

static const scene scenes[] = {
	{ "exec", act_exec, NULL, KN_OK, 1 },
	{ "returning", act_returning, NULL, KN_OK, 1 },
	{ "query", act_query, NULL, KN_OK, 0 },
	{ "parameters", act_parameters, NULL, KN_OK, 1 },
	{ "own types", act_own_types, NULL, KN_OK, 0 },
	{ "batch", act_batch, NULL, KN_OK, 20 },
	{ "transact", act_transact, NULL, KN_OK, 2 },
	{ "stream", act_stream, NULL, KN_OK, 0 },
	{ "streamed write", act_streamed_write, NULL, KN_OK, 5 },
	{ "role", act_role, NULL, KN_OK, 0 },
	{ "errors", act_errors, NULL, KN_DATA, 0 },
	{ "cancel", act_cancel, NULL, KN_TIMEOUT, 0 },
	{ "many", act_many, configure_small_cache, KN_OK, 0 },
	{ "cached", act_cached, configure_cache, KN_OK, 0 },
	{ "waiters", act_waiters, configure_one, KN_OK, 1 },
	{ "canceled", act_canceled, NULL, KN_CANCELED, 0 },
	{ "copy in", act_copy_in, NULL, KN_OK, SCENE_LINES },
	{ "copy rows", act_copy_rows, NULL, KN_OK, SCENE_LINES },
	{ "copy out", act_copy_out, NULL, KN_OK, 0 },
	{ "copy some", act_copy_some, NULL, KN_OK, 0 },
	{ "scan", act_scan, NULL, KN_OK, 0 },
	{ "listen", act_listen, configure_listener, KN_OK, 0 },
	{ "log", act_log, configure_log, KN_OK, 1 },
	{ "all", act_exec, configure_all, KN_OK, 1 },
};

static void
scenes_set_up(PGconn *look)
{
	look_do(
		look,
		"DROP TABLE IF EXISTS kn_scene; CREATE TABLE kn_scene (id int, what text NOT NULL);"
		"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kn_scene_role')"
		" THEN CREATE ROLE kn_scene_role; END IF; END $$;"
		"DROP TYPE IF EXISTS kn_scene_mood; CREATE TYPE kn_scene_mood AS ENUM ('sad', 'so so')");
}

/* A context for a scene; claims and role are what one of them asks for. */
static kn_ctx *
scene_begin(kn_db *db, const scene *s)
{
	static const char *const claims[] = { "app.tenant", "7", NULL };
	bool has_role = s->act == act_role;

	scene_db = db;
	return kn_begin(db,
					.timeout_ms = 20000,
					.actor = "somebody",
					.trace_id = "trace",
					.role = has_role ? "kn_scene_role" : NULL,
					.claims = has_role ? claims : NULL);
}

#endif
