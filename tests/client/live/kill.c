/*
 * kill.c
 *		Calls whose connection is lost, at each moment and in each way.
 *
 * What is reported has to be true: KN_OK means that it was done once, KN_OUTCOME_UNKNOWN that
 * nobody can tell, and anything else that nothing was done.
 */
#include "proxy.h"

#include <signal.h>

typedef enum way
{
	WAY_CUT,       /* the socket is closed both ways */
	WAY_TERMINATE, /* pg_terminate_backend() */
	WAY_KILL       /* SIGKILL: the server restarts */
} way;

typedef enum action
{
	ACTION_EXEC,
	ACTION_RETURNING,
	ACTION_BATCH,
	ACTION_ROLE, /* with claims before it in the same flight */
	ACTION_IDEMPOTENT,
	ACTION_STATEMENT, /* within a transaction */
	ACTION_COMMIT,    /* of that */
	ACTION_QUERY,
	ACTION_STREAM,
	ACTION_COUNT
} action;

typedef struct scene
{
	proxy proxy;
	way how;
	moment when;
	PGconn *holder; /* of the lock that the statement waits for */
	PGconn *killer;
	int runs; /* of the transaction's body */
} scene;

static void
be_silent(void *user, const PGresult *notice)
{
	(void) user;
	(void) notice;
}

/* The server is there again, or still. */
static PGconn *
look_silently(void)
{
	PGconn *look = look_again();

	(void) PQsetNoticeReceiver(look, be_silent, NULL);
	return look;
}

static void
kill_victims(scene *s)
{
	PGresult *pids = PQexec(s->killer,
							"SELECT pid, pg_stat_clear_snapshot() FROM pg_stat_activity"
							" WHERE application_name = 'kn_kill'");
	PGresult *alive;
	bool is_alive = true;

	if (s->how == WAY_TERMINATE)
	{
		PQclear(PQexec(s->killer,
					   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
					   " WHERE application_name = 'kn_kill'"));
		for (int i = 0; is_alive && i < PQntuples(pids);)
		{
			char sql[128];

			(void) snprintf(sql,
							sizeof(sql),
							"SELECT 1 FROM pg_stat_activity, pg_sleep(0.002) WHERE pid = %s",
							PQgetvalue(pids, i, 0));
			alive = PQexec(s->killer, sql);
			i += PQntuples(alive) == 0;
			PQclear(alive);
		}
		PQclear(pids);
		return;
	}
	for (int i = 0; i < PQntuples(pids); i++)
		(void) kill((pid_t) atol(PQgetvalue(pids, i, 0)), SIGKILL);
	/* A pooler may have given the victim no session yet; the server goes down all the same. */
	(void) kill((pid_t) PQbackendPID(s->holder), SIGKILL);
	PQclear(pids);
	/* All sessions end with it, and only then is it a new server that one is connected to. */
	for (int i = 0; i < 60 && PQstatus(s->killer) == CONNECTION_OK; i++)
		PQclear(PQexec(s->killer, "SELECT pg_sleep(1)"));
	ck_assert_int_eq(PQstatus(s->killer), CONNECTION_BAD);
	PQfinish(s->killer);
	s->killer = look_silently();
}

static bool
do_harm(void *user)
{
	scene *s = user;

	if (s->when == MOMENT_DURING)
		look_await(
			s->killer,
			"SELECT count(*) FROM (SELECT 1 FROM pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_kill' AND wait_event = 'advisory' LIMIT 1) x",
			1);
	if (s->how != WAY_CUT)
		kill_victims(s);
	if (s->when == MOMENT_DURING)
		PQclear(PQexec(s->holder, "SELECT pg_advisory_unlock(4711)"));
	return s->how == WAY_CUT;
}

static kn_status
insert_body(kn_ctx *cx, void *argument)
{
	scene *s = argument;

	s->runs++;
	return kn_exec(cx, "INSERT INTO kn_kill VALUES ($1)", 1);
}

static kn_status
act_batch(kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "INSERT INTO kn_kill VALUES ($1)", 1);
	(void) kn_add(batch, "SELECT 1");
	return kn_run_batch(batch, NULL);
}

static kn_status
act(scene *s, kn_ctx *cx, action what)
{
	const kn_options idempotent = { .size = sizeof(kn_options), .is_idempotent = true };
	kn_rows *rows;
	int64_t count = 0;
	kn_status status;

	switch (what)
	{
		case ACTION_BATCH:
			return act_batch(cx);
		case ACTION_IDEMPOTENT:
			return kn_exec_values(cx,
								  "INSERT INTO kn_kill SELECT 1 WHERE NOT EXISTS (TABLE kn_kill)",
								  NULL,
								  0,
								  &idempotent,
								  NULL);
		case ACTION_STATEMENT:
		case ACTION_COMMIT:
			return kn_transact(cx, insert_body, s);
		case ACTION_RETURNING:
			return kn_done(kn_query(cx, "INSERT INTO kn_kill VALUES ($1) RETURNING token", 1));
		case ACTION_QUERY:
			rows = kn_query(cx, "SELECT kn_pause(), g FROM generate_series(1, 100) g");
			break;
		case ACTION_STREAM:
			rows = kn_stream(cx, "SELECT kn_pause(), g FROM generate_series(1, 100) g");
			break;
		default:
			return kn_exec(cx, "INSERT INTO kn_kill VALUES ($1)", 1);
	}
	while (kn_next(rows))
		count++;
	status = kn_done(rows);
	if (status == KN_OK)
		ck_assert_int_eq(count, 100);
	return status;
}

/* What has to come out, as far as it does not depend on who is faster. */
static kn_status
expected(way how, moment when, action what)
{
	if (how == WAY_CUT && what < ACTION_IDEMPOTENT)
		return KN_OUTCOME_UNKNOWN;
	/* Rows have been handed out by then. */
	if (how == WAY_CUT && what == ACTION_STREAM && when == MOMENT_HALF)
		return KN_CONN_LOST;
	return KN_OK;
}

static void
check(scene *s, kn_ctx *cx, action what, kn_status status)
{
	PGconn *look = look_silently();
	const kn_error *error = kn_last_error(cx);
	long rows;

	/* Who was cut off may still be at it. */
	look_await(
		look,
		"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_kill' AND state <> 'idle'",
		0);
	rows = look_number(look, "SELECT count(*) FROM kn_kill");
	PQfinish(look);
	ck_assert_msg(s->proxy.is_done, "no harm was done");
	if (what >= ACTION_QUERY)
		ck_assert_int_eq(rows, 0);
	else if (status == KN_OK)
		ck_assert_msg(rows == 1, "it is done, but there are %ld rows", rows);
	else if (status == KN_OUTCOME_UNKNOWN)
		ck_assert_int_le(rows, 1);
	else
		ck_assert_msg(rows == 0, "%s, but there are rows", kn_status_name(status));
	if (status != KN_OK)
		ck_assert_int_eq(error->status, status);
	/* Whether the server was there again in time, nobody knows. */
	if (s->how == WAY_KILL)
		ck_assert_msg(status == KN_OK || status == KN_CONN_LOST || status == KN_UNAVAILABLE ||
						  (status == KN_OUTCOME_UNKNOWN && what < ACTION_QUERY),
					  "%s [%s] %s",
					  kn_status_name(status),
					  error->sqlstate,
					  error->message);
	/* A pooler does not say whether the server was told to go. */
	else if (!(is_pooled() && s->how == WAY_TERMINATE && status == KN_OUTCOME_UNKNOWN &&
			   what < ACTION_IDEMPOTENT))
		ck_assert_msg(status == expected(s->how, s->when, what),
					  "%s instead of %s [%s] %s",
					  kn_status_name(status),
					  kn_status_name(expected(s->how, s->when, what)),
					  error->sqlstate,
					  error->message);
	/* A commit that was done is not done again. */
	if (what == ACTION_COMMIT && s->when >= MOMENT_AFTER && status == KN_OK)
		ck_assert_int_eq(s->runs, 1);
}

static void
play(way how, moment when, action what)
{
	const char *const claims[] = { "app.tenant", "1", NULL };
	scene s = { .how = how, .when = when };
	char conninfo[160];
	kn_db *db;
	kn_ctx *cx;
	kn_status status;

	s.holder = look_silently();
	s.killer = look_silently();
	look_do(s.holder, "TRUNCATE kn_kill");
	if (when == MOMENT_DURING)
		look_do(s.holder, "SELECT pg_advisory_lock(4711)");
	s.proxy.text = what == ACTION_COMMIT ? "COMMIT" : what >= ACTION_QUERY ? "kn_pause" : "kn_kill";
	s.proxy.when = when;
	s.proxy.harm = do_harm;
	s.proxy.user = &s;
	proxy_start(&s.proxy);
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=%s port=54321 application_name=kn_kill",
					s.proxy.directory);
	OPEN(db, .conninfo = conninfo, .max_connections = 2);
	cx = kn_begin(db, .claims = what == ACTION_ROLE ? claims : NULL, .timeout_ms = 20000);
	status = act(&s, cx, what);
	ck_assert_int_eq(stats_of(db).busy, 0);
	check(&s, cx, what, status);
	/* And all goes on. */
	while (how == WAY_KILL && kn_exec(cx, "SELECT 1") != KN_OK)
		(void) poll(NULL, 0, 10);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	close_even(db);
	proxy_end(&s.proxy);
	PQfinish(s.holder);
	PQfinish(s.killer);
}

static void
set_up(void)
{
	PGconn *look = look_silently();

	look_do(
		look,
		"SET client_min_messages = error;"
		"DROP TABLE IF EXISTS kn_kill; CREATE TABLE kn_kill (token int);"
		"CREATE OR REPLACE FUNCTION kn_pause() RETURNS bool LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN true; END$$;"
		"CREATE OR REPLACE FUNCTION kn_pause_later() RETURNS trigger LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM kn_pause(); RETURN NULL; END$$;"
		"CREATE CONSTRAINT TRIGGER kn_later AFTER INSERT ON kn_kill DEFERRABLE INITIALLY DEFERRED"
		" FOR EACH ROW EXECUTE FUNCTION kn_pause_later()");
	PQfinish(look);
}

/* A statement of a transaction does not wait for what COMMIT waits for. */
static bool
is_possible(moment when, action what)
{
	return !(when == MOMENT_DURING && what == ACTION_STATEMENT);
}

static void
play_all(way how, action what)
{
	for (moment when = MOMENT_BEFORE; when < MOMENT_COUNT; when++)
	{
		mark_point();
		if (is_possible(when, what))
			play(how, when, what);
	}
}

START_TEST(is_cut_off)
{
	play_all(WAY_CUT, (action) _i);
}
END_TEST

START_TEST(is_terminated)
{
	play_all(WAY_TERMINATE, (action) _i);
}
END_TEST

/* The server takes a while to come back, so not all of it. */
START_TEST(is_killed)
{
	play(WAY_KILL, MOMENT_BEFORE, (action) _i);
	if (is_possible(MOMENT_DURING, (action) _i))
		play(WAY_KILL, MOMENT_DURING, (action) _i);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_loop_test(tcase, is_cut_off, 0, ACTION_COUNT);
	tcase_add_loop_test(tcase, is_terminated, 0, ACTION_COUNT);
	tcase_add_loop_test(tcase, is_killed, 0, ACTION_COUNT);
}

int
main(void)
{
	return suite_run("kill", fill);
}
