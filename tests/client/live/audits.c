/*
 * audits.c
 *		What of a transaction is in force, by what the audit is told of it.
 */
#include "notes.h"
#include "proxy.h"

static void
set_up(void)
{
	look = look_open();
	look_do(look, "DROP TABLE IF EXISTS kn_audit; CREATE TABLE kn_audit (id int)");
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

static kn_status
write_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, "INSERT INTO kn_audit VALUES (1)");
}

/* The answer is lost, and nobody is there to be asked. */
static bool
cut_for_good(void *user)
{
	((proxy *) user)->drops = true;
	return true;
}

/* What may be in force is not told as a ROLLBACK. */
START_TEST(audits_a_commit_as_what_it_was)
{
	proxy p = { .when = MOMENT_AFTER, .harm = cut_for_good, .text = "COMMIT" };
	char conninfo[160];
	kn_db *db;
	kn_ctx *cx;

	p.user = &p;
	proxy_start(&p);
	(void) snprintf(conninfo, sizeof(conninfo), "host=%s port=54321", p.directory);
	OPEN(db,
		 .conninfo = conninfo,
		 .hooks = &all,
		 .max_connections = 1,
		 .acquire_ms = 50,
		 .connect_ms = 50);
	cx = kn_begin(db, .timeout_ms = 500);
	EXPECT(cx, kn_transact(cx, write_body, NULL), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_audit"), 1);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "unknown"), 1);
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "unknown")->operation, "COMMIT");
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "unknown")->sql, "COMMIT");
	ck_assert_int_eq(told(KN_EVENT_AUDIT, "unknown")->status, KN_OUTCOME_UNKNOWN);
	kn_end(cx);
	ck_assert_int_eq(stats_of(db).busy, 0);
	/* There is nobody to take leave of. */
	ck_assert_int_eq(kn_close(db, 0), KN_OK);
	proxy_end(&p);
}
END_TEST

static kn_status
doubting_body(kn_ctx *cx, void *argument)
{
	EXPECT_OK(cx, write_body(cx, argument));
	return KN_OUTCOME_UNKNOWN;
}

/* What a body does not know is of elsewhere: this transaction is rolled back. */
START_TEST(audits_a_rollback_whatever_the_body_says)
{
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .hooks = &all, .max_connections = 1);
	cx = kn_begin(db);
	EXPECT(cx, kn_transact(cx, doubting_body, NULL), KN_OUTCOME_UNKNOWN);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_audit"), 0);
	ck_assert_str_eq(told(KN_EVENT_AUDIT, "failed")->sql, "ROLLBACK");
	ck_assert_ptr_null(find(KN_EVENT_AUDIT, "unknown"));
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, audits_a_commit_as_what_it_was);
	tcase_add_test(tcase, audits_a_rollback_whatever_the_body_says);
}

int
main(void)
{
	return suite_run("audits", fill);
}
