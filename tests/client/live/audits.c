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
	kn_db *db;
	kn_ctx *cx;

	p.user = &p;
	proxy_start(&p);
	OPEN(db,
		 .conninfo = p.conninfo,
		 .hooks = &all,
		 .max_connections = 1,
		 .acquire_ms = 1000,
		 .connect_ms = 1000);
	cx = kn_begin(db, .timeout_ms = 5000);
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

/* One INSERT, whose name in the audit is its number. */
static void
insert(kn_ctx *cx, int id)
{
	char name[12];
	const kn_options options = { .size = sizeof(options), .name = name };
	kn_value value = kn_i32(id);

	(void) snprintf(name, sizeof(name), "%d", id);
	EXPECT_OK(cx,
			  kn_exec_values(cx, "INSERT INTO kn_audit VALUES ($1)", &value, 1, &options, NULL));
}

/* A digit writes, and r reads; () and [] are savepoints, of which [] are undone. */
static kn_status
scripted_body(kn_ctx *cx, void *argument)
{
	const char **at = argument;

	while (**at != '\0')
	{
		char c = *(*at)++;

		if (c >= '0' && c <= '9')
			insert(cx, c - '0');
		else if (c == '(')
			EXPECT_OK(cx, kn_transact(cx, scripted_body, at));
		else if (c == '[')
			EXPECT(cx, kn_transact(cx, scripted_body, at), KN_CONFLICT);
		else if (c == 'r')
			EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
		else
			return c == ')' ? KN_OK : KN_CONFLICT;
	}
	return KN_OK;
}

/* As the header says how to read it. */
static bool
is_told_to_be_in_force(int pending)
{
	for (int i = pending + 1; i < count; i++)
	{
		if (notes[i].kind == KN_EVENT_AUDIT && strcmp(notes[i].what, "undone") == 0 &&
			notes[pending].savepoint >= notes[i].savepoint)
			return false;
	}
	return true;
}

typedef struct script
{
	const char *text;
	int written;
	int undone; /* how often that is told */
} script;

static const script scripts[] = {
	{ "1[2]", 2, 1 },      { "[1]2", 2, 1 },      { "1(2)3", 3, 0 },
	{ "(1)[2](3)", 3, 1 }, { "[1](2)[3]", 3, 2 }, { "1[2(3)4]5", 5, 1 },
	{ "1(2[3]4)5", 5, 1 }, { "[1[2]3]4", 4, 2 },  { "[(1)(2[3])]4(5[6[7]8])", 8, 4 },
	{ "1[r]2", 2, 0 },     { "1[[2]r]3", 3, 1 },  { "1[r(2)]3", 3, 1 },
};

/* Who reads the audit has to learn which of them are in force. */
START_TEST(audits_what_a_savepoint_undoes)
{
	const script *s = &scripts[_i];
	const char *at = s->text;
	int pending = 0;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .hooks = &all, .max_connections = 1);
	cx = kn_begin(db, .actor = "ada");
	EXPECT_OK(cx, kn_transact(cx, scripted_body, &at));
	for (int i = 0; i < count; i++)
	{
		char query[80];

		if (notes[i].kind != KN_EVENT_AUDIT || strcmp(notes[i].what, "pending") != 0)
			continue;
		pending++;
		(void) snprintf(query,
						sizeof(query),
						"SELECT count(*) FROM kn_audit WHERE id = %s",
						notes[i].summary);
		ck_assert_msg(is_told_to_be_in_force(i) == (look_number(look, query) == 1),
					  "%s: %s is told otherwise than it is",
					  s->text,
					  notes[i].summary);
	}
	ck_assert_int_eq(pending, s->written);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "undone"), s->undone);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "committed"), 1);
	ck_assert_int_eq(told(KN_EVENT_AUDIT, "committed")->savepoint, -1);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* What the body leaves open is ended with the savepoint, and belongs to it. */
static kn_status
streaming_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	(void) kn_stream(cx, "INSERT INTO kn_audit VALUES (2) RETURNING id");
	return KN_OK;
}

static kn_status
around_body(kn_ctx *cx, void *argument)
{
	insert(cx, 1);
	EXPECT(cx, kn_transact(cx, streaming_body, argument), KN_USAGE);
	return KN_OK;
}

START_TEST(audits_what_is_undone_as_it_streams)
{
	const note *n;
	kn_db *db;
	kn_ctx *cx;

	OPEN(db, .hooks = &all, .max_connections = 1);
	cx = kn_begin(db, .actor = "ada");
	EXPECT_OK(cx, kn_transact(cx, around_body, NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_audit"), 1);
	ck_assert_int_eq(times_told(KN_EVENT_AUDIT, "pending"), 2);
	ck_assert_int_eq(told(KN_EVENT_AUDIT, "pending")->savepoint, 1);
	n = told(KN_EVENT_AUDIT, "undone");
	ck_assert(n > told(KN_EVENT_AUDIT, "pending"));
	ck_assert_int_eq(n->savepoint, 1);
	ck_assert_str_eq(n->operation, "ROLLBACK");
	ck_assert_str_eq(n->sql, "ROLLBACK TO kn_1");
	ck_assert_str_eq(n->actor, "ada");
	ck_assert_int_eq(n->status, KN_USAGE);
	ck_assert_int_eq(n->affected, -1);
	ck_assert_int_eq(n->port, told(KN_EVENT_AUDIT, "pending")->port);
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
	LOOP(tcase, audits_what_a_savepoint_undoes, scripts);
	tcase_add_test(tcase, audits_what_is_undone_as_it_streams);
}

int
main(void)
{
	return suite_run("audits", fill);
}
