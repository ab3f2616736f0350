/*
 * functions.c
 *		Functions that nobody knows, called by what looks like a read.
 */
#include "proxy.h"

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_noted; CREATE TABLE kn_noted (id int);"
			"CREATE OR REPLACE FUNCTION kn_put_down(int) RETURNS int LANGUAGE sql AS"
			" 'INSERT INTO kn_noted VALUES ($1) RETURNING id';"
			"CREATE OR REPLACE FUNCTION kn_look() RETURNS bigint LANGUAGE sql AS"
			" 'SELECT count(*) FROM kn_noted'");
}

static void
tear_down(void)
{
	PQfinish(look);
}

static bool
cut(void *user)
{
	(void) user;
	return true;
}

static kn_db *
open_through(proxy *p, const char *text, const char *options)
{
	char conninfo[200];
	kn_db *db;

	p->text = text;
	p->when = MOMENT_AFTER;
	p->harm = cut;
	proxy_start(p);
	(void) snprintf(conninfo, sizeof(conninfo), "%s %s", p->conninfo, options);
	OPEN(db, .conninfo = conninfo, .max_connections = 2);
	return db;
}

typedef enum means
{
	BY_EXEC,
	BY_QUERY,
	BY_STREAM,
	BY_BATCH,
	BY_COPY,
	MEANS_COUNT
} means;

static kn_status
call_by(kn_ctx *cx, means by)
{
	kn_batch *batch;

	switch (by)
	{
		case BY_QUERY:
			return kn_done(kn_query(cx, "SELECT kn_put_down($1)", 1));
		case BY_STREAM:
			return kn_done(kn_stream(cx, "SELECT kn_put_down($1)", 1));
		case BY_BATCH:
			batch = kn_begin_batch(cx);
			(void) kn_add(batch, "SELECT 1");
			(void) kn_add(batch, "SELECT kn_put_down($1)", 1);
			return kn_run_batch(batch, NULL);
		case BY_COPY:
			return kn_copy_end(kn_copy_out(cx, "COPY (SELECT kn_put_down(1)) TO STDOUT"), NULL);
		default:
			return kn_exec(cx, "SELECT kn_put_down($1)", 1);
	}
}

/* It may have written, and so it is not sent again. */
START_TEST(are_called_once)
{
	proxy p = { .is_done = false };
	kn_db *db = open_through(&p, _i == BY_COPY ? "COMMIT" : "kn_put_down", "");
	kn_ctx *cx = kn_begin(db);
	kn_status status = call_by(cx, (means) _i);

	ck_assert_int_eq(p.is_done, true);
	/* The COMMIT of a COPY is one that can be asked for. */
	ck_assert_msg(status == (_i == BY_COPY ? KN_OK : KN_OUTCOME_UNKNOWN),
				  "%s",
				  kn_status_name(status));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 1);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* Said to be idempotent, it is sent again; that it fails then does not undo what came before. */
START_TEST(may_have_been_done_all_the_same)
{
	const kn_options says = { .size = sizeof(kn_options), .is_idempotent = true };
	proxy p = { .is_done = false };
	kn_db *db = open_through(&p, "kn_put_down", "");
	kn_ctx *cx = kn_begin(db);

	look_do(look, "CREATE UNIQUE INDEX ON kn_noted (id)");
	if (_i == BY_STREAM)
		EXPECT(cx,
			   kn_done(kn_stream_values(cx, "SELECT kn_put_down(1)", NULL, 0, &says)),
			   KN_OUTCOME_UNKNOWN);
	else
		EXPECT(cx,
			   kn_exec_values(cx, "SELECT kn_put_down(1)", NULL, 0, &says, NULL),
			   KN_OUTCOME_UNKNOWN);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, "23505");
	ck_assert_int_eq(kn_last_error(cx)->attempts, 2);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 1);
	/* The next call knows nothing of it. */
	EXPECT(cx, kn_exec_values(cx, "SELECT kn_put_down(1)", NULL, 0, &says, NULL), KN_DUPLICATE);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

/* Who knows better says so: by the call, or once for all. */
START_TEST(are_called_again_where_that_is_said)
{
	const kn_options says[] = { { .size = sizeof(kn_options), .is_idempotent = true },
								{ .size = sizeof(kn_options), .is_read = true },
								{ .size = sizeof(kn_options) } };
	proxy p = { .is_done = false };
	kn_db *db = open_through(&p, "kn_put_down", _i == 2 ? "kn_stable_functions=kn_put_down" : "");
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_exec_values(cx, "SELECT kn_put_down(1)", NULL, 0, &says[_i], NULL));
	ck_assert_int_eq(p.is_done, true);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 2);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

typedef struct task
{
	means by;
	int runs;
} task;

static kn_status
note_body(kn_ctx *cx, void *argument)
{
	task *t = argument;

	t->runs++;
	return call_by(cx, t->by);
}

START_TEST(are_asked_for_when_commit_is_lost)
{
	proxy p = { .is_done = false };
	task t = { .by = (means) _i };
	kn_db *db = open_through(&p, "COMMIT", "");
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_transact(cx, note_body, &t));
	ck_assert_int_eq(p.is_done, true);
	ck_assert_int_eq(t.runs, 1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_noted"), 1);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static kn_status
look_body(kn_ctx *cx, void *argument)
{
	bool *has_number = argument;
	kn_rows *rows;

	EXPECT_OK(cx, kn_exec(cx, "SELECT now(), kn_look()"));
	EXPECT_OK(cx, kn_done(kn_stream(cx, "SELECT kn_look()")));
	rows = kn_query(cx, "SELECT pg_current_xact_id_if_assigned() IS NOT NULL");
	ck_assert(kn_next(rows));
	*has_number = kn_get_bool(rows, 0);
	return kn_done(rows);
}

/* What has no number cannot be asked for, and might have sent a notification at its end. */
START_TEST(get_no_number_for_reading)
{
	bool is_read_only = _i == 1;
	bool has_number = true;
	proxy p = { .is_done = false };
	kn_db *db = open_through(&p, "COMMIT", "");
	kn_ctx *cx = kn_begin(db);

	EXPECT(cx,
		   kn_transact(cx, look_body, &has_number, .attempts = 1, .is_read_only = is_read_only),
		   KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(p.is_done, true);
	ck_assert_int_eq(has_number, false);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static int audited;

static void
count_audit(void *user, const kn_event *event)
{
	(void) user;
	audited += event->kind == KN_EVENT_AUDIT;
}

/* Who keeps a record of what is written has them in it. */
START_TEST(are_audited)
{
	const kn_hooks hooks = { .size = sizeof(hooks), .audit = count_audit };
	kn_db *db;
	kn_ctx *cx;

	audited = 0;
	OPEN(db, .max_connections = 1, .hooks = &hooks, .stable_functions = "kn_look");
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT kn_look(), now()"));
	ck_assert_int_eq(audited, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT kn_put_down(1)"));
	ck_assert_int_eq(audited, 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Whoever is next has nothing of what a function has left in the session, and keeps that. */
static const char x_soil[] =
	"CREATE OR REPLACE FUNCTION kn_login() RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
	" PERFORM set_config('app.tenant', 'A', false);"
	" PERFORM set_config('search_path', 'nowhere', false);"
	" PERFORM set_config('datestyle', 'German', false);"
	" PERFORM set_config('role', 'pg_monitor', false);"
	" PERFORM pg_advisory_lock(4712);"
	" EXECUTE 'LISTEN kn_heard';"
	" EXECUTE 'CREATE TEMP TABLE IF NOT EXISTS kn_temporary AS SELECT 1 AS a';"
	" RETURN 1; END $$";

static const char x_left[] =
	"SELECT (coalesce(current_setting('app.tenant', true), '') <> '')::int"
	" + (current_setting('search_path') <> $1)::int"
	" + (current_setting('datestyle') <> 'ISO, MDY')::int + (current_user <> session_user)::int"
	" + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
	" + (SELECT count(*) FROM pg_listening_channels())"
	" + (SELECT count(*) FROM pg_class WHERE relname = 'kn_temporary' AND relkind = 'r')";

static kn_status
login_by(kn_ctx *cx, means by)
{
	kn_batch *batch;

	switch (by)
	{
		case BY_QUERY:
			return kn_done(kn_query(cx, "SELECT kn_login()"));
		case BY_STREAM:
			return kn_done(kn_stream(cx, "SELECT kn_login()"));
		case BY_BATCH:
			batch = kn_begin_batch(cx);
			(void) kn_add(batch, "SELECT kn_login()");
			return kn_run_batch(batch, NULL);
		case BY_COPY:
			return kn_copy_end(kn_copy_out(cx, "COPY (SELECT kn_login()) TO STDOUT"), NULL);
		default:
			return kn_exec(cx, "SELECT kn_login()");
	}
}

static kn_status
login_body(kn_ctx *cx, void *argument)
{
	EXPECT_OK(cx, login_by(cx, *(const means *) argument));
	/* In the transaction it stays as it is. */
	ck_assert_int_eq(number_of(cx, kn_query(cx, "SELECT count(*) FROM kn_temporary")), 1);
	return KN_OK;
}

static int64_t
left_by(kn_ctx *cx, const char *path, means by)
{
	kn_value value = kn_text(path);

	if (by == BY_STREAM)
		return number_of(cx, kn_stream_values(cx, x_left, &value, 1, NULL));
	return number_of(cx, kn_query_values(cx, x_left, &value, 1, NULL));
}

START_TEST(leave_nothing_behind)
{
	means by = (means) (_i % MEANS_COUNT);
	kn_db *db;
	kn_ctx *cx;
	kn_ctx *next;
	const char *path;
	kn_rows *rows;

	look_do(look, x_soil);
	/* What the library has set when it was connected is set again; a pooler heeds no options. */
	OPEN(db,
		 .conninfo = is_pooled() ? sessions() : "options='-c datestyle=SQL,MDY'",
		 .pgbouncer = sessions_mode(),
		 .max_connections = 1);
	cx = kn_begin(db);
	rows = kn_query(cx, "SHOW search_path");
	ck_assert(kn_next(rows));
	path = kn_get_text(rows, 0);
	EXPECT_OK(cx, kn_done(rows));
	for (int i = 0; i < 3; i++)
	{
		if (_i < MEANS_COUNT)
			EXPECT_OK(cx, login_by(cx, by));
		else
			EXPECT_OK(cx, kn_transact(cx, login_body, &by));
		next = kn_begin(db);
		ck_assert_int_eq(left_by(next, path, by), 0);
		kn_end(next);
	}
	ck_assert_int_gt(number_of(cx, kn_query(cx, "SELECT count(*) FROM pg_prepared_statements")), 0);
	ck_assert_uint_eq(stats_of(db).opened, 1);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* A function written as a field of its argument, and settings written to as rows. */
static const char *const x_disguised[] = {
	"SELECT ('x'::text).kn_enter",
	"SELECT ((ARRAY['x'::text])[1]).kn_enter",
	"SELECT (SELECT 'x'::text).kn_enter",
	"SELECT 1 FROM (SELECT 1 AS a) a JOIN (SELECT 1 AS b) b ON ('x'::text).kn_enter = 'x'",
	"SELECT 1 FROM (SELECT 1 AS a) a JOIN (SELECT 1 AS b) b ON (ARRAY['x'::text])[1].kn_enter = 'x'",
	"UPDATE pg_settings SET setting = 'on' WHERE name = 'backslash_quote'",
	"UPDATE pg_catalog.pg_settings s SET setting = 'on' WHERE s.name = 'backslash_quote'",
	"UPDATE ONLY \"pg_settings\" SET setting = 'on' WHERE name = 'backslash_quote'",
};

static const char x_disguised_left[] =
	"SELECT (coalesce(current_setting('app.tenant', true), '') <> '')::int"
	" + (current_setting('backslash_quote') = 'on')::int";

START_TEST(leave_nothing_behind_in_disguise)
{
	kn_db *db;
	kn_ctx *cx;

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_enter(text) RETURNS text LANGUAGE sql AS"
			" $$ SELECT set_config('app.tenant', $1, false) $$");
	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, x_disguised[_i]));
	ck_assert_int_eq(number_of(cx, kn_query(cx, x_disguised_left)), 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/*
 * In sessions that a pooler hands round it is its affair: it undoes that if it is told to, but for
 * the date style, of which it takes note and gives it to all sessions that the connection has.
 */
START_TEST(are_undone_by_a_pooler_that_is_told_to)
{
	means by = BY_QUERY;

	look_do(look, x_soil);
	pooler_do("SET server_idle_timeout = 0");
	for (int is_told = 0; is_told < 2; is_told++)
	{
		kn_db *db;
		kn_ctx *cx;
		kn_rows *rows;
		const char *path;

		pooler_do(is_told ? "SET server_reset_query_always = 1"
						  : "SET server_reset_query_always = 0");
		pooler_do("RECONNECT postgres");
		OPEN(db, .max_connections = 1);
		cx = kn_begin(db);
		rows = kn_query(cx, "SHOW search_path");
		ck_assert(kn_next(rows));
		path = kn_get_text(rows, 0);
		EXPECT_OK(cx, kn_done(rows));
		EXPECT_OK(cx, login_by(cx, by));
		ck_assert_int_eq(left_by(cx, path, by), is_told ? 1 : 7);
		if (is_told)
		{
			EXPECT_OK(cx, kn_transact(cx, login_body, &by));
			ck_assert_int_eq(left_by(cx, path, by), 1);
		}
		kn_end(cx);
		close_even(db);
	}
	pooler_do("SET server_reset_query_always = 0");
	pooler_do("SET server_idle_timeout = 1");
	pooler_do("RECONNECT postgres");
}
END_TEST

/* Its session is ended half way; what it has done elsewhere by then stays. */
START_TEST(are_not_called_again_when_its_session_is_ended)
{
	kn_db *db;
	kn_ctx *cx;
	kn_status status;

	look_do(look,
			"CREATE EXTENSION IF NOT EXISTS dblink;"
			"CREATE OR REPLACE FUNCTION kn_write_elsewhere(place text) RETURNS bool"
			" LANGUAGE plpgsql AS $$BEGIN"
			" PERFORM dblink_exec(place, 'INSERT INTO kn_noted VALUES (1)');"
			" IF (SELECT count(*) FROM kn_noted) = 1 THEN"
			" PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); END IF;"
			" RETURN true; END$$");
	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	status = kn_exec(cx, "SELECT kn_write_elsewhere($1)", getenv("KN_TEST_DIRECT"));
	ck_assert_msg(look_number(look, "SELECT count(*) FROM kn_noted") == 1,
				  "%s, and it was done %ld times",
				  kn_status_name(status),
				  look_number(look, "SELECT count(*) FROM kn_noted"));
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, are_not_called_again_when_its_session_is_ended);
	LOOP(tcase, leave_nothing_behind_in_disguise, x_disguised);
	tcase_add_loop_test(tcase, may_have_been_done_all_the_same, BY_QUERY, BY_BATCH);
	tcase_add_loop_test(tcase, are_called_once, 0, MEANS_COUNT);
	tcase_add_loop_test(tcase, are_called_again_where_that_is_said, 0, 3);
	tcase_add_loop_test(tcase, are_asked_for_when_commit_is_lost, 0, MEANS_COUNT);
	tcase_add_loop_test(tcase, get_no_number_for_reading, 0, 2);
	tcase_add_test(tcase, are_audited);
	POOLED_ONLY(tcase,
				are_undone_by_a_pooler_that_is_told_to,
				"the library undoes it, see leave_nothing_behind");
	tcase_add_loop_test(tcase, leave_nothing_behind, 0, 2 * MEANS_COUNT);
}

int
main(void)
{
	return suite_run("functions", fill);
}
