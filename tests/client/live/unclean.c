/*
 * unclean.c
 *		A session that a function has left something in, and that cannot be cleaned.
 *
 * A pooler that hands sessions round has to clean them itself: there it is a database of it that
 * gives each connection one of its own.
 */
#include "live.h"

static PGconn *look;

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_unclean; CREATE TABLE kn_unclean (id int);"
			"CREATE OR REPLACE FUNCTION kn_look() RETURNS bigint LANGUAGE sql AS"
			" 'SELECT count(*) FROM pg_class WHERE false'");
}

static void
tear_down(void)
{
	PQfinish(look);
}

/* What one leaves that keeps it from being undone. */
static const char *const spoilers[] = {
	"EXECUTE 'DEALLOCATE ALL'",
	/* The last of it: all before is undone with it. */
	"EXECUTE (SELECT 'DEALLOCATE ' || name FROM pg_prepared_statements"
	" WHERE statement LIKE '%advisory_unlock_all%')",
	/* What it prepares is the next one's to run, and may have a name of the library's. */
	"EXECUTE 'PREPARE kn_mine AS SELECT 1'",
	"EXECUTE (SELECT format('DEALLOCATE %1$s; PREPARE %1$s AS SELECT 1', name)"
	" FROM pg_prepared_statements WHERE statement = 'RESET ALL')",
};

typedef enum next_one
{
	NEXT_QUERY,
	NEXT_EXEC,
	NEXT_STREAM,
	NEXT_BATCH,
	NEXT_COPY,
	NEXT_TRANSACTION,
	NEXT_COUNT
} next_one;

static const char tenant_of[] = "SELECT coalesce(current_setting('app.t', true), '')";

static kn_status
read_tenant(kn_ctx *cx, void *argument)
{
	kn_rows *rows = kn_query(cx, tenant_of);

	if (kn_next(rows))
		*(char *) argument = kn_get_str(rows, 0).n == 0 ? 'o' : 'x';
	return kn_done(rows);
}

/* 'o': nothing is left for it; 'x': something is. */
static char
look_by(kn_ctx *cx, next_one next)
{
	char found = '-';
	kn_batch *batch;
	kn_copy *copy;
	kn_rows *rows;
	kn_str piece;

	switch (next)
	{
		case NEXT_EXEC:
			EXPECT_OK(cx,
					  kn_exec(cx,
							  "INSERT INTO kn_unclean SELECT 7 WHERE"
							  " coalesce(current_setting('app.t', true), '') <> ''"));
			return look_number(look, "SELECT count(*) FROM kn_unclean") == 0 ? 'o' : 'x';
		case NEXT_STREAM:
			rows = kn_stream(cx, tenant_of);
			if (kn_next(rows))
				found = kn_get_str(rows, 0).n == 0 ? 'o' : 'x';
			EXPECT_OK(cx, kn_done(rows));
			return found;
		case NEXT_BATCH:
			batch = kn_begin_batch(cx);
			(void) kn_add(batch, tenant_of);
			(void) kn_add(batch, "SELECT 1");
			EXPECT_OK(cx, kn_run_batch(batch, NULL));
			rows = kn_batch_rows(batch, 0);
			if (kn_next(rows))
				found = kn_get_str(rows, 0).n == 0 ? 'o' : 'x';
			return found;
		case NEXT_COPY:
			copy =
				kn_copy_out(cx,
							"COPY (SELECT coalesce(current_setting('app.t', true), '')) TO STDOUT");
			if (kn_copy_get(copy, &piece))
				found = piece.n == 1 ? 'o' : 'x';
			EXPECT_OK(cx, kn_copy_end(copy, NULL));
			return found;
		case NEXT_TRANSACTION:
			EXPECT_OK(cx, kn_transact(cx, read_tenant, &found));
			return found;
		default:
			EXPECT_OK(cx, read_tenant(cx, &found));
			return found;
	}
}

/* A session that cannot be cleaned is nobody's any more. */
START_TEST(is_nobodys)
{
	char sql[1000];
	kn_db *db;
	kn_ctx *cx;

	(void) snprintf(sql,
					sizeof(sql),
					"CREATE OR REPLACE FUNCTION kn_spoil() RETURNS void LANGUAGE plpgsql AS $$BEGIN"
					" PERFORM set_config('app.t', 'x', false); %s; END$$",
					spoilers[_i % COUNT(spoilers)]);
	look_do(look, sql);
	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	cx = kn_begin(db);
	for (int i = 0; i < 2; i++)
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_look()"));
	EXPECT_OK(cx, kn_exec(cx, "SELECT kn_spoil()"));
	kn_end(cx);
	cx = kn_begin(db);
	ck_assert_int_eq(look_by(cx, (next_one) (_i / COUNT(spoilers))), 'o');
	kn_end(cx);
	ck_assert_uint_eq(stats_of(db).closed_broken, 1);
	ck_assert_int_eq((int) stats_of(db).breaker, (int) KN_BREAKER_CLOSED);
	close_even(db);
}
END_TEST

/* A pooler may give the session of one connection to another: what it has there is not mistaken. */
START_TEST(has_names_of_its_own)
{
	char names[2][400] = { "", "" };

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_names() RETURNS text LANGUAGE sql AS"
			" $$SELECT string_agg(name, ' ') FROM pg_prepared_statements"
			" WHERE name LIKE 'kn_reset%' OR name LIKE 'kn_clean%'$$");
	for (int i = 0; i < 2; i++)
	{
		kn_db *db;
		kn_ctx *cx;
		kn_rows *rows;

		OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
		cx = kn_begin(db);
		EXPECT_OK(cx, kn_exec(cx, "SELECT kn_look()"));
		rows = kn_query(cx, "SELECT kn_names()");
		ck_assert(kn_next(rows));
		(void) snprintf(names[i], sizeof(names[i]), "%s", kn_get_text(rows, 0));
		EXPECT_OK(cx, kn_done(rows));
		kn_end(cx);
		close_even(db);
	}
	for (char *name = strtok(names[0], " "); name != NULL; name = strtok(NULL, " "))
		ck_assert_ptr_null(strstr(names[1], name));
	ck_assert_int_eq(strncmp(names[1], "kn_", 3), 0);
}
END_TEST

/* What it leaves cannot be undone. */
static void
make_spoiler(void)
{
	look_do(
		look,
		"CREATE OR REPLACE FUNCTION kn_spoil() RETURNS void LANGUAGE plpgsql AS $$BEGIN"
		" PERFORM set_config('app.t', 'x', false); EXECUTE 'PREPARE kn_mine AS SELECT 1'; END$$");
}

/* Each of so many connections. */
static void
spoil_all(kn_db *db, int count)
{
	kn_ctx *contexts[8];
	kn_rows *rows[8];

	for (int i = 0; i < count; i++)
	{
		contexts[i] = kn_begin(db);
		rows[i] = kn_stream(contexts[i], "SELECT kn_spoil()");
	}
	for (int i = 0; i < count; i++)
	{
		EXPECT_OK(contexts[i], kn_done(rows[i]));
		kn_end(contexts[i]);
	}
}

/* The session is wanted for what cannot be sent; that tells nothing of whether it is clean. */
START_TEST(is_nobodys_though_nothing_is_sent)
{
	kn_db *db;
	kn_ctx *cx;
	char found = '-';

	make_spoiler();
	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT kn_spoil()"));
	kn_end(cx);
	cx = kn_begin(db);
	if (_i == 0)
		EXPECT(cx, kn_exec(cx, "SELECT $1::text", UNSENDABLE), KN_DATA);
	else
		EXPECT(cx, kn_done(kn_query(cx, "SELECT $1::text", UNSENDABLE)), KN_DATA);
	EXPECT_OK(cx, read_tenant(cx, &found));
	ck_assert_int_eq(found, 'o');
	kn_end(cx);
	close_even(db);
}
END_TEST

/* However many there are, who comes next has none of them, and another one does what is asked. */
START_TEST(is_passed_over_however_many)
{
	kn_db *db;
	kn_ctx *cx;
	char found = '-';

	make_spoiler();
	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 6);
	spoil_all(db, 6);
	cx = kn_begin(db);
	if (_i == 0)
		EXPECT_OK(cx, read_tenant(cx, &found));
	else
		EXPECT_OK(cx, kn_transact(cx, read_tenant, &found));
	ck_assert_int_eq(found, 'o');
	ck_assert_int_eq((int) stats_of(db).breaker, (int) KN_BREAKER_CLOSED);
	kn_end(cx);
	close_even(db);
}
END_TEST

static const char *const temporary[] = { "search_path", "pg_temp, public", NULL };

/* Ways to make a temporary table that do not call it so. */
static kn_status
make_temporary(kn_ctx *cx, void *argument)
{
	int way = *(const int *) argument;

	if (way == 1)
		EXPECT_OK(cx, kn_exec(cx, "SET LOCAL search_path = pg_temp, public"));
	if (way == 2)
		EXPECT_OK(cx, kn_exec(cx, "SELECT set_config('search_path', $1, true)", temporary[1]));
	if (way == 3)
		return kn_exec(cx, "SELECT 'mine' AS owner INTO kn_owned");
	return kn_exec(cx, "CREATE TABLE kn_owned AS SELECT 'mine' AS owner");
}

/* It is gone with who has made it, and everybody else's is there again. */
START_TEST(has_no_temporary_table)
{
	int way = _i;
	kn_db *db;
	kn_ctx *cx;
	kn_rows *rows;

	look_do(look, "DROP TABLE IF EXISTS kn_owned; CREATE TABLE kn_owned AS SELECT 'all' AS owner");
	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 1);
	cx = kn_begin(db, .claims = way == 0 || way == 3 ? temporary : NULL);
	if (way == 0)
		EXPECT_OK(cx, make_temporary(cx, &way));
	else
		EXPECT_OK(cx, kn_transact(cx, make_temporary, &way));
	kn_end(cx);
	cx = kn_begin(db);
	rows = kn_query(cx, "SELECT owner FROM kn_owned");
	ck_assert(kn_next(rows));
	ck_assert_str_eq(kn_get_text(rows, 0), "all");
	EXPECT_OK(cx, kn_done(rows));
	kn_end(cx);
	close_even(db);
	look_do(look, "DROP TABLE kn_owned");
}
END_TEST

typedef struct counted
{
	next_one next;
	int runs;
	char found;
} counted;

static kn_status
look_and_count(kn_ctx *cx, void *argument)
{
	counted *c = argument;

	c->runs++;
	c->found = look_by(cx, c->next);
	return KN_OK;
}

/* Whoever may have his body run once has it run once: nothing of it has been executed. */
START_TEST(is_no_attempt)
{
	counted c = { .next = (next_one) _i };
	kn_db *db;
	kn_ctx *cx;

	make_spoiler();
	OPEN(db,
		 .conninfo = sessions(),
		 .pgbouncer = sessions_mode(),
		 .max_connections = 3,
		 .retry_attempts = 1);
	spoil_all(db, 3);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_transact(cx, look_and_count, &c, .attempts = 1));
	ck_assert_int_eq(c.found, 'o');
	ck_assert_int_eq(c.runs, 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 3);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Nobody else waits for what one has left locked, though the session is not used again. */
START_TEST(does_not_lock_while_it_is_idle)
{
	kn_db *db;
	kn_ctx *cx;

	look_do(look,
			"CREATE OR REPLACE FUNCTION kn_lock() RETURNS void LANGUAGE plpgsql AS"
			" 'BEGIN PERFORM pg_advisory_lock(731); RAISE EXCEPTION ''over''; END'");
	OPEN(db, .conninfo = sessions(), .pgbouncer = sessions_mode(), .max_connections = 2);
	cx = kn_begin(db);
	for (int i = 0; i < 3; i++)
	{
		ck_assert_int_ne(kn_exec(cx, "SELECT kn_lock()"), KN_OK);
		look_await(look, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0);
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_nobodys, 0, NEXT_COUNT * COUNT(spoilers));
	tcase_add_test(tcase, has_names_of_its_own);
	tcase_add_loop_test(tcase, is_nobodys_though_nothing_is_sent, 0, 2);
	tcase_add_loop_test(tcase, is_passed_over_however_many, 0, 2);
	tcase_add_loop_test(tcase, has_no_temporary_table, 0, 4);
	tcase_add_loop_test(tcase, is_no_attempt, 0, NEXT_TRANSACTION);
	tcase_add_test(tcase, does_not_lock_while_it_is_idle);
}

int
main(void)
{
	return suite_run("unclean", fill);
}
