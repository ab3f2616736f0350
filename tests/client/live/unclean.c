/*
 * unclean.c
 *		A session that a function has left something in, and that cannot be cleaned.
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
	"EXECUTE 'DEALLOCATE kn_reset_7'", /* the last of it: all before is undone with it */
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

	if (is_pooled())
		return;
	(void) snprintf(sql,
					sizeof(sql),
					"CREATE OR REPLACE FUNCTION kn_spoil() RETURNS void LANGUAGE plpgsql AS $$BEGIN"
					" PERFORM set_config('app.t', 'x', false); %s; END$$",
					spoilers[_i % COUNT(spoilers)]);
	look_do(look, sql);
	OPEN(db, .max_connections = 1);
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

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_nobodys, 0, NEXT_COUNT * COUNT(spoilers));
}

int
main(void)
{
	return suite_run("unclean", fill);
}
