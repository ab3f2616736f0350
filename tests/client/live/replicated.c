/*
 * replicated.c
 *		Commits that no standby has, though one was to have them: nobody calls that a success.
 *
 * There is no standby at all, so each commit waits until it is told to stop, by the library at the
 * end of the time, by a cancelled context, or by somebody else.
 */
#include "live.h"

static PGconn *look;

/*
 * Commits wait from when the checkpointer has read the configuration and told the others in
 * shared memory, which is some time after a session can see what was set.
 */
static void
commits_wait(void)
{
	PGconn *probe = look_open();
	char waits[128];
	char cancel[64];

	(void) snprintf(waits,
					sizeof(waits),
					"SELECT count(*) FROM pg_stat_activity WHERE pid = %d"
					" AND wait_event = 'SyncRep'",
					PQbackendPID(probe));
	(void) snprintf(cancel, sizeof(cancel), "SELECT pg_cancel_backend(%d)", PQbackendPID(probe));
	for (bool waited = false; !waited;)
	{
		ck_assert_int_eq(PQsendQuery(probe, "TRUNCATE kn_replicated"), 1);
		do
		{
			waited = look_number(look, waits) == 1;
			ck_assert_int_eq(PQconsumeInput(probe), 1);
		} while (!waited && PQisBusy(probe));
		if (waited)
			look_do(look, cancel);
		for (PGresult *result; (result = PQgetResult(probe)) != NULL; PQclear(result))
			ck_assert_int_eq(PQresultStatus(result), PGRES_COMMAND_OK);
	}
	PQfinish(probe);
}

static void
set_up(void)
{
	look = look_open();
	look_do(look, "SET synchronous_commit = local");
	look_do(look, "DROP TABLE IF EXISTS kn_replicated; CREATE TABLE kn_replicated (id int)");
	look_do(look, "ALTER SYSTEM SET synchronous_standby_names = 'kn_nobody'");
	look_do(look, "SELECT pg_reload_conf()");
	/* Asked in a session of before: the postmaster has told it as it has told the others. */
	while (look_number(look,
					   "SELECT (current_setting('synchronous_standby_names') = '')::int::bigint") ==
		   1)
		;
	commits_wait();
}

static void
tear_down(void)
{
	look_do(look, "ALTER SYSTEM RESET synchronous_standby_names");
	look_do(look, "SELECT pg_reload_conf()");
	while (look_number(look,
					   "SELECT (current_setting('synchronous_standby_names') = '')::int::bigint") ==
		   0)
		;
	PQfinish(look);
}

typedef enum way
{
	WAY_EXEC,
	WAY_QUERY,
	WAY_CLAIMS,
	WAY_HOOKS,
	WAY_BATCH,
	WAY_STREAM,
	WAY_COPY,
	WAY_TRANSACTION,
	WAY_COUNT
} way;

#define INSERT "INSERT INTO kn_replicated VALUES (1)"

typedef struct run
{
	int bodies;
} run;

static kn_status
body(kn_ctx *cx, void *argument)
{
	((run *) argument)->bodies++;
	return kn_exec(cx, INSERT);
}

static kn_status
go(kn_ctx *cx, way by, run *r)
{
	kn_batch *batch;
	kn_rows *rows;
	kn_copy *copy;

	switch (by)
	{
		case WAY_QUERY:
			rows = kn_query(cx, INSERT " RETURNING id");
			return kn_done(rows);
		case WAY_BATCH:
			batch = kn_begin_batch(cx);
			ck_assert_int_eq(kn_add(batch, INSERT), 0);
			ck_assert_int_eq(kn_add(batch, "SELECT 1"), 1);
			return kn_run_batch(batch, NULL);
		case WAY_STREAM:
			rows = kn_stream(cx, INSERT " RETURNING id");
			while (kn_next(rows))
				;
			return kn_done(rows);
		case WAY_COPY:
			copy = kn_copy_in(cx, "COPY kn_replicated FROM STDIN");
			(void) kn_copy_put(copy, "1\n", 2);
			return kn_copy_end(copy, NULL);
		case WAY_TRANSACTION:
			return kn_transact(cx, body, r);
		default:
			return kn_exec(cx, INSERT);
	}
}

static void
hear(void *user, const kn_event *event)
{
	(void) event;
	++*(int *) user;
}

START_TEST(is_not_called_a_success)
{
	way by = (way) _i;
	int heard = 0;
	kn_hooks hooks = { .size = sizeof(hooks), .query = hear, .user = &heard };
	const char *const claims[] = { "app.tenant", "a", NULL };
	run r = { 0 };
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1, .hooks = by == WAY_HOOKS ? &hooks : NULL);
	cx = kn_begin(db, .claims = by == WAY_CLAIMS ? claims : NULL);
	/* Prepared by then, and the connection is there. */
	for (int i = 0; i < 3; i++)
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_set_timeout(cx, 500);
	EXPECT(cx, go(cx, by, &r), KN_OUTCOME_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "standbys"));
	kn_set_timeout(cx, -1);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_replicated"), 1);
	ck_assert_int_le(r.bodies, 1);
	/* The server has done what it was told to. */
	ck_assert_uint_eq(stats_of(db).breaker_opened, 0);
	/* The session is as good as before. */
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_not_called_a_success, 0, WAY_COUNT);
}

int
main(void)
{
	return suite_run("replicated", fill);
}
