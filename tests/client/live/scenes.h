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

#include "scenes_copy.h"

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

/*
 * More statements than the cache has room for, in turn.  The server has none but those of the
 * cache, one that is about to be closed, and one that could not be noted for that.
 */
static kn_status
act_many(kn_ctx *cx)
{
	static const char *const sqls[] = { "SELECT 0",     "SELECT 0 + 1", "SELECT 0 + 2",
										"SELECT 0 + 3", "SELECT 0 + 4", "SELECT 0 + 5" };
	static const kn_options plain = { .size = sizeof(plain), .never_prepare = true };
	kn_rows *rows;
	bool is_there;
	kn_status status;

	for (int i = 0; i < 5 * COUNT(sqls); i++)
	{
		rows = kn_query(cx, sqls[i / 2 % COUNT(sqls)]);
		is_there = kn_next(rows) && kn_get_i32(rows, 0) == i / 2 % COUNT(sqls);
		status = kn_done(rows);
		MUST(is_there || status != KN_OK);
		TRY(status);
	}
	rows = kn_query_values(cx, "SELECT count(*) < 5 FROM pg_prepared_statements", NULL, 0, &plain);
	is_there = kn_next(rows) && kn_get_bool(rows, 0);
	status = kn_done(rows);
	MUST(is_there || status != KN_OK || is_pooled());
	return status;
}

static void
configure_small_cache(kn_config *config)
{
	config->statement_cache = 2;
}

/* A cache that keeps the last thing that it was given. */
static char kept_bytes[4096];
static size_t kept_size;
static kn_options cached = { .size = sizeof(kn_options), .cache_key = "scene", .cache_ms = 1000 };

static void
get_kept(void *user, const char *key, kn_found_fn *found, void *into)
{
	(void) user;
	MUST(strstr(key, "scene") != NULL);
	if (kept_size > 0)
		found(into, kept_bytes, kept_size);
}

static void
put_kept(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	(void) user;
	(void) key;
	(void) ttl_ms;
	MUST(size <= sizeof(kept_bytes));
	memcpy(kept_bytes, bytes, size);
	kept_size = size;
}

static void
remove_kept(void *user, const char *key)
{
	(void) user;
	(void) key;
	kept_size = 0;
}

static void
configure_cache(kn_config *config)
{
	static const kn_cache cache = { get_kept, put_kept, remove_kept, NULL };

	kept_size = 0;
	config->cache = &cache;
}

static kn_status
act_cached(kn_ctx *cx)
{
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows =
			kn_query_values(cx, "SELECT g, NULL FROM generate_series(1, 3) g", NULL, 0, &cached);
		int count = 0;
		kn_status status;

		while (kn_next(rows) && kn_get_i32(rows, 0) == count + 1 && kn_is_null(rows, 1))
			count++;
		status = kn_done(rows);
		MUST(status != KN_OK || count == 3);
		TRY(status);
		if (i == 1)
			TRY(kn_uncache(cx, "scene"));
	}
	return KN_OK;
}

static void
configure_one(kn_config *config)
{
	config->max_connections = 1;
}

static kn_db *scene_db; /* of the context that plays */

typedef struct waiter
{
	_Atomic(bool) is_over;
	kn_status status;
} waiter;

static void *
wait_for_it(void *argument)
{
	waiter *w = argument;
	kn_ctx *cx = kn_begin(scene_db, .timeout_ms = 20000);

	w->status = kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'waited')");
	MUST((kn_last_error(cx)->status) == (w->status));
	kn_end(cx);
	atomic_store(&w->is_over, true);
	return NULL;
}

static bool
is_nobody_waiting(void)
{
	kn_stats stats = { .size = sizeof(stats) };

	MUST(kn_get_stats(scene_db, 0, &stats) == KN_OK);
	return stats.waiting == 0;
}

/* Two callers for one connection. */
static kn_status
act_waiters(kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx, "SELECT 1");
	waiter w = { .status = KN_OK };
	pthread_t thread;
	kn_status status;

	if (!kn_next(rows))
		return kn_done(rows);
	MUST((pthread_create(&thread, NULL, wait_for_it, &w)) == (0));
	while (is_nobody_waiting() && !atomic_load(&w.is_over))
		(void) sched_yield();
	status = kn_done(rows);
	MUST((pthread_join(thread, NULL)) == (0));
	/* How the one who holds it fares, other scenes tell. */
	MUST(status == KN_OK || kn_last_error(cx)->status == status);
	return w.status;
}

static kn_status
act_listen(kn_ctx *cx)
{
	kn_listener *listener;
	kn_status status;

	TRY(kn_open_listener(&listener, scene_db, NULL));
	status = listen_and_hear(cx, listener);
	kn_close_listener(listener);
	return status;
}

static void *
cancel_it(void *cx)
{
	kn_cancel(cx);
	return NULL;
}

/* Before it has begun or while it sleeps, as it happens. */
static kn_status
act_canceled(kn_ctx *cx)
{
	pthread_t thread;
	kn_status status;

	MUST((pthread_create(&thread, NULL, cancel_it, cx)) == (0));
	status = kn_exec(cx, "SELECT pg_sleep(10)");
	MUST((pthread_join(thread, NULL)) == (0));
	MUST(status != KN_OK);
	return status;
}

static kn_json_log scene_log;

static void
configure_log(kn_config *config)
{
	static FILE *file;

	if (file == NULL)
		file = tmpfile();
	MUST(file != NULL);
	kn_json_log_init(&scene_log, file, true);
	config->hooks = &scene_log.hooks;
	config->slow_ms = 1;
}

/* What cannot be told is lost, and that is all. */
static kn_status
act_log(kn_ctx *cx)
{
	kn_stats stats = { .size = sizeof(stats) };
	char text[32768]; /* the host's name is in each line */
	size_t length;

	MUST(kn_get_stats(scene_db, 0, &stats) == KN_OK);
	length = kn_prometheus("scene", &stats, 1, text, sizeof(text));
	MUST(length == SIZE_MAX || (length < sizeof(text) && strlen(text) == length));
	TRY(kn_exec(cx, "INSERT INTO kn_scene VALUES (1, 'logged' || $1)", "x"));
	return kn_exec(cx, "SELECT 'literal', pg_sleep(0.002)");
}

static char scene_password[] = "not asked for by this server";

static kn_status
give_secret(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	(void) user;
	MUST(strcmp(request->name, "scene") == 0);
	(void) snprintf(buffer, capacity, "%s", scene_password);
	return KN_OK;
}

/* All that a handle can have. */
static void
configure_all(kn_config *config)
{
	static char replica[200];
	static const char *const replicas[] = { replica, NULL };

	(void)
		snprintf(replica, sizeof(replica), "host=%s port=%s", getenv("PGHOST"), getenv("PGPORT"));
	configure_log(config);
	configure_cache(config);
	config->name = "scene";
	config->secret = give_secret;
	config->replicas = replicas;
	config->min_connections = 1;
}

static const scene scenes[] = {
	{ "exec", act_exec, NULL, KN_OK, 1 },
	{ "returning", act_returning, NULL, KN_OK, 1 },
	{ "query", act_query, NULL, KN_OK, 0 },
	{ "parameters", act_parameters, NULL, KN_OK, 1 },
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
	look_do(look,
			"DROP TABLE IF EXISTS kn_scene; CREATE TABLE kn_scene (id int, what text NOT NULL);"
			"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kn_scene_role')"
			" THEN CREATE ROLE kn_scene_role; END IF; END $$");
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
