/*
 * forked.c
 *		What a process has as it forks: it is the parent's, and a child only forgets it.
 */
#include "notes.h"
#include "nothing.h"
#include "run/run.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends_heard;

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_fork; CREATE TABLE kn_fork (id int)");
	forget();
	ends_heard = 0;
}

static void
tear_down(void)
{
	PQfinish(look);
}

static void
note_end(void *argument)
{
	(void) argument;
	ends_heard++;
}

typedef struct fork_task
{
	kn_status returns; /* in the child */
	kn_db *locked;     /* the handle whose lock somebody has meanwhile; NULL: nobody */
	pid_t child;
	int runs;
	int result; /* of the child */
} fork_task;

static kn_status
fork_here(fork_task *t)
{
	if (t->locked != NULL)
		(void) pthread_mutex_lock(&t->locked->lock);
	t->child = fork();
	if (t->child == 0)
	{
		(void) alarm(30);
		return t->returns;
	}
	if (t->locked != NULL)
		(void) pthread_mutex_unlock(&t->locked->lock);
	ck_assert_int_eq(waitpid(t->child, &t->result, 0), t->child);
	return KN_OK;
}

static kn_status
forking_body(kn_ctx *cx, void *argument)
{
	fork_task *t = argument;

	if (t->runs++ > 0)
		return t->returns;
	EXPECT_OK(cx, kn_exec(cx, "INSERT INTO kn_fork VALUES (1)"));
	EXPECT_OK(cx, kn_after_commit(cx, note_end, NULL));
	EXPECT_OK(cx, kn_after_rollback(cx, note_end, NULL));
	return fork_here(t);
}

/* What the child's own code ends with; a failure of the server's would be a reason to run again. */
static const kn_status ends[] = { KN_OK, KN_DATA, KN_SERIALIZATION };

/* The parent commits it: the child has nothing to tell of how it ended, for it does not know. */
START_TEST(is_not_told_by_a_child)
{
	fork_task t = { .returns = ends[_i] };
	kn_status status;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1, .hooks = &all);
	cx = kn_begin(db);
	status = kn_transact(cx, forking_body, &t);
	if (t.child == 0)
		_exit((status != KN_FORKED) + 2 * (ends_heard != 0) + 4 * (t.runs != 1) +
			  8 * (find(KN_EVENT_AUDIT, "failed") != NULL) + 16 * kn_in_transaction(cx));
	EXPECT_OK(cx, status);
	ck_assert_int_eq(t.result, 0);
	ck_assert_int_eq(ends_heard, 1);
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "committed")->operation, "COMMIT");
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
outer_body(kn_ctx *cx, void *argument)
{
	const fork_task *t = argument;
	kn_status status = kn_transact(cx, forking_body, argument);

	if (t->child == 0)
		_exit((status != KN_FORKED) + 2 * (ends_heard != 0));
	return status;
}

/* The child says nothing in its parent's session, also where a savepoint ends. */
START_TEST(is_the_parents_own_in_a_savepoint)
{
	fork_task t = { .returns = ends[_i] };
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_transact(cx, outer_body, &t));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_fork"), 1);
	ck_assert_int_eq(t.result, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

static kn_status
putting_body(kn_ctx *cx, void *argument)
{
	const kn_options cached = { .size = sizeof(cached), .cache_key = "k", .cache_ms = 60000 };
	static const char sql[] = "SELECT count(*) FROM kn_fork";
	kn_rows *rows = kn_query(cx, sql);

	EXPECT_OK(cx, kn_cache_rows(cx, rows, sql, NULL, 0, &cached));
	EXPECT_OK(cx, kn_done(rows));
	EXPECT_OK(cx, kn_uncache(cx, "other"));
	return fork_here(argument);
}

static kn_status
putting_within_body(kn_ctx *cx, void *argument)
{
	return kn_transact(cx, putting_body, argument);
}

/* Another thread of the parent's may have the lock by then, and none is there in the child. */
START_TEST(waits_for_no_thread_that_is_not_there)
{
	nothing has = { 0 };
	kn_cache cache = cache_of(&has);
	fork_task t = { .returns = KN_OK };
	kn_status status;
	kn_ctx *cx;

	OPEN(t.locked, .max_connections = 1, .cache = &cache);
	cx = kn_begin(t.locked);
	status = kn_transact(cx, _i == 0 ? putting_body : putting_within_body, &t);
	if (t.child == 0)
		_exit((status != KN_FORKED) + 2 * (has.puts + has.removals != 0));
	EXPECT_OK(cx, status);
	ck_assert_int_eq(t.result, 0);
	ck_assert_int_eq(has.puts + has.removals, 2);
	kn_end(cx);
	close_even(t.locked);
}
END_TEST

static int
count_sockets(void)
{
	struct stat of;
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fstat(fd, &of) == 0 && S_ISSOCK(of.st_mode);
	return count;
}

/* A child that held it open would keep the session of a parent that is gone. */
START_TEST(is_held_by_no_child)
{
	pid_t child;
	int result;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .max_connections = 1);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	child = fork();
	if (child == 0)
	{
		int before = count_sockets();

		kn_end(cx);
		_exit(kn_close(db, 0) == KN_OK && count_sockets() == before - 1 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &result, 0), child);
	ck_assert_int_eq(result, 0);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_not_told_by_a_child, ends);
	LOOP(tcase, is_the_parents_own_in_a_savepoint, ends);
	QUICK_ONLY(tcase, is_held_by_no_child, LEAVES_MEMORY);
	tcase_add_loop_test(tcase, waits_for_no_thread_that_is_not_there, 0, 2);
}

int
main(void)
{
	return suite_run("forked", fill);
}
