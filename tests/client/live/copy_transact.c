/*
 * copy_transact.c
 *		COPY in, within transactions and without: roles, claims, and what hooks are told.
 */
#include "copy.h"

/* Rows from one number on; with a duplicate in them, if that is asked for. */
static kn_status
copy_some(kn_ctx *c, int from, bool has_duplicate)
{
	kn_copy *copy = kn_copy_in(c, to_table);

	for (int i = 0; i < 10; i++)
		(void) kn_copy_row(copy, from + (has_duplicate ? 0 : i), "x", 0.5);
	return kn_copy_end(copy, NULL);
}

static kn_status
copy_nested(kn_ctx *c, void *argument)
{
	const int *what = argument;

	switch (*what)
	{
		case 0:
			return copy_some(c, 200, true);
		case 1:
			(void) kn_copy_row(kn_copy_in(c, to_table), 200, "x", 0.5);
			return KN_OK;
		case 2:
			kn_copy_abort(kn_copy_in(c, to_table));
			return KN_CANCELED;
		default:
			return kn_copy_row(kn_copy_in(c, to_table), "x", "x", 0.5);
	}
}

static const kn_status nested[] = { KN_DUPLICATE, KN_USAGE, KN_CANCELED, KN_DATA };

static kn_status
copy_body(kn_ctx *c, void *argument)
{
	int *what = argument;

	EXPECT_OK(c, copy_some(c, 100, false));
	ck_assert_int_eq(kn_in_transaction(c), true);
	ck_assert_int_eq(number_of(c, kn_query(c, "SELECT count(*) FROM kn_copy")), 10);
	EXPECT(c, kn_transact(c, copy_nested, what), nested[*what]);
	ck_assert_int_eq(number_of(c, kn_query(c, "SELECT count(*) FROM kn_copy")), 10);
	EXPECT_OK(c, copy_some(c, 300, false));
	ck_assert_int_eq(count(), 0);
	return *what == 0 ? KN_NOT_FOUND : KN_OK;
}

START_TEST(is_part_of_a_transaction)
{
	int what = _i;

	EXPECT(cx, kn_transact(cx, copy_body, &what), what == 0 ? KN_NOT_FOUND : KN_OK);
	ck_assert_int_eq(count(), what == 0 ? 0 : 20);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

static kn_status
failing_body(kn_ctx *c, void *argument)
{
	bool *leaves_open = argument;

	if (*leaves_open)
		(void) kn_copy_in(c, to_table);
	else
	{
		EXPECT(c, copy_some(c, 100, true), KN_DUPLICATE);
		EXPECT(c, kn_exec(c, "SELECT 1"), KN_ABORTED);
		EXPECT(c, kn_copy_end(kn_copy_in(c, to_table), NULL), KN_ABORTED);
	}
	return KN_OK;
}

START_TEST(fails_a_transaction)
{
	bool leaves_open = false;

	EXPECT(cx, kn_transact(cx, failing_body, &leaves_open), KN_DUPLICATE);
	leaves_open = true;
	EXPECT(cx, kn_transact(cx, failing_body, &leaves_open), KN_USAGE);
	ck_assert_int_eq(count(), 0);
	ck_assert_int_eq(stats_of(db).busy, 0);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
}
END_TEST

START_TEST(has_role_and_claims)
{
	const char *const claims[] = { "app.tenant", "seven", NULL };
	kn_ctx *tenant;

	look_do(
		look,
		"DROP TABLE IF EXISTS kn_copy_tenant; DO $$ BEGIN CREATE ROLE kn_copy_role; EXCEPTION WHEN duplicate_object THEN END $$;"
		"CREATE TABLE kn_copy_tenant (id int, tenant text DEFAULT current_setting('app.tenant'), who text DEFAULT current_user);"
		"GRANT SELECT, INSERT ON kn_copy_tenant TO kn_copy_role");
	tenant = kn_begin(db, .role = "kn_copy_role", .claims = claims);
	for (int i = 0; i < 2; i++)
	{
		kn_copy *copy = kn_copy_in(tenant, "COPY kn_copy_tenant (id) FROM STDIN BINARY");

		ck_assert_int_eq(kn_copy_row(copy, 1), KN_OK);
		EXPECT_OK(tenant, kn_copy_end(copy, NULL));
	}
	ck_assert_int_eq(
		look_number(
			look,
			"SELECT count(*) FROM kn_copy_tenant WHERE tenant = 'seven' AND who = 'kn_copy_role'"),
		2);
	/* What it may not write to, and what has policies: the server lets only owners by these. */
	EXPECT(tenant, kn_copy_end(kn_copy_in(tenant, to_table), NULL), KN_AUTH);
	look_do(look,
			"ALTER TABLE kn_copy_tenant ENABLE ROW LEVEL SECURITY;"
			"CREATE POLICY p ON kn_copy_tenant USING (tenant = current_setting('app.tenant'))");
	EXPECT(tenant,
		   kn_copy_end(kn_copy_in(tenant, "COPY kn_copy_tenant (id) FROM STDIN BINARY"), NULL),
		   KN_SERVER);
	ck_assert(strstr(kn_last_error(tenant)->message, "row-level security") != NULL);
	ck_assert(*kn_last_error(tenant)->hint != '\0');
	kn_end(tenant);
	/* Nothing of it is left behind. */
	EXPECT_OK(cx, kn_done(kn_query(cx, "SELECT 1 / (current_user <> 'kn_copy_role')::int")));
}
END_TEST

typedef struct heard
{
	int queries;
	int audits;
	int64_t affected;
	char what[16];
	char operation[16];
	kn_status status;
} heard;

static void
hear_query(void *user, const kn_event *event)
{
	heard *h = user;

	h->queries++;
	h->affected = event->affected;
	ck_assert(is_pooled() || event->connection_pid > 0);
	h->status = event->status;
	(void) snprintf(h->operation, sizeof(h->operation), "%s", event->operation);
}

static void
hear_audit(void *user, const kn_event *event)
{
	heard *h = user;

	h->audits++;
	(void) snprintf(h->what, sizeof(h->what), "%s", event->what);
	ck_assert_int_eq(event->affected, event->status == KN_OK ? 10 : -1);
}

static kn_status
heard_body(kn_ctx *c, void *argument)
{
	heard *h = argument;

	EXPECT_OK(c, copy_some(c, 200, false));
	ck_assert_str_eq(h->what, "pending");
	return kn_exec(c, "DELETE FROM kn_copy WHERE a < 200");
}

START_TEST(is_told)
{
	heard h = { .queries = 0 };
	kn_hooks hooks = { .size = sizeof(hooks), .user = &h, .query = hear_query };
	kn_db *told;
	kn_ctx *c;

	hooks.audit = hear_audit;
	OPEN(told, .hooks = &hooks);
	c = kn_begin(told);
	EXPECT_OK(c, copy_some(c, 100, false));
	ck_assert_int_eq(h.queries, 1);
	ck_assert_int_eq(h.audits, 1);
	ck_assert_int_eq(h.affected, 10);
	ck_assert_str_eq(h.operation, "COPY");
	ck_assert_str_eq(h.what, "committed");
	EXPECT(c, copy_some(c, 300, true), KN_DUPLICATE);
	ck_assert_int_eq(h.queries, 2);
	ck_assert_int_eq(h.status, KN_DUPLICATE);
	ck_assert_str_eq(h.what, "failed");
	EXPECT(c, kn_copy_end(kn_copy_in(c, "COPY kn_nowhere FROM STDIN"), NULL), KN_SCHEMA);
	ck_assert_int_eq(h.queries, 3);
	ck_assert_int_eq(h.audits, 3);
	hooks.audit = NULL;
	kn_end(c);
	close_even(told);
	hooks.audit = NULL;
}
END_TEST

START_TEST(is_told_in_a_transaction)
{
	heard h = { .queries = 0 };
	kn_hooks hooks = { .size = sizeof(hooks), .user = &h, .query = hear_query };
	kn_db *told;
	kn_ctx *c;

	OPEN(told, .hooks = &hooks);
	c = kn_begin(told);
	(void) snprintf(h.what, sizeof(h.what), "pending");
	EXPECT_OK(c, kn_transact(c, heard_body, &h));
	ck_assert_int_eq(h.queries, 3);
	kn_end(c);
	close_even(told);
}
END_TEST

static void
count_call(void *argument)
{
	(*(int *) argument)++;
}

static void
find_nothing(void *user, const char *key, kn_found_fn *found, void *into)
{
	(void) user;
	(void) key;
	(void) found;
	(void) into;
}

static void
keep_nothing(void *user, const char *key, const void *bytes, size_t size, int64_t ttl_ms)
{
	(void) user;
	(void) key;
	(void) bytes;
	(void) size;
	(void) ttl_ms;
}

static void
count_removal(void *user, const char *key)
{
	(void) key;
	count_call(user);
}

/* COPY is a call, and no transaction of the caller's, whatever becomes of it. */
START_TEST(calls_right_away_while_it_copies)
{
	bool is_out = _i % 2 == 1;
	bool fails = _i < 2;
	int calls = 0;
	int never = 0;
	int removals = 0;
	const kn_cache cache = { find_nothing, keep_nothing, count_removal, &removals };
	kn_db *caching;
	kn_ctx *c;
	kn_copy *copy;

	OPEN(caching, .max_connections = 1, .cache = &cache);
	c = kn_begin(caching);
	copy = is_out ? kn_copy_out(c, "COPY (SELECT generate_series(1, 100)) TO STDOUT")
				  : kn_copy_in(c, to_table);
	ck_assert_int_eq(kn_in_transaction(c), false);
	EXPECT_OK(c, kn_after_commit(c, count_call, &calls));
	EXPECT_OK(c, kn_after_rollback(c, count_call, &never));
	EXPECT_OK(c, kn_uncache(c, "key"));
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(removals, 1);
	if (fails)
		kn_copy_abort(copy);
	EXPECT(c, kn_copy_end(copy, NULL), fails ? KN_CANCELED : KN_OK);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(never, 0);
	ck_assert_int_eq(removals, 1);
	kn_end(c);
	close_even(caching);
}
END_TEST

static kn_status
waiting_body(kn_ctx *c, void *argument)
{
	int *calls = argument;
	kn_copy *copy = kn_copy_in(c, to_table);

	EXPECT_OK(c, kn_after_commit(c, count_call, calls));
	EXPECT_OK(c, kn_copy_end(copy, NULL));
	ck_assert_int_eq(*calls, 0);
	return KN_OK;
}

/* Where there is one of the caller's, that is waited for. */
START_TEST(calls_with_the_commit_that_it_is_part_of)
{
	int calls = 0;

	EXPECT_OK(cx, kn_transact(cx, waiting_body, &calls));
	ck_assert_int_eq(calls, 1);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, is_part_of_a_transaction, nested);
	tcase_add_test(tcase, fails_a_transaction);
	tcase_add_test(tcase, has_role_and_claims);
	tcase_add_test(tcase, is_told);
	tcase_add_test(tcase, is_told_in_a_transaction);
	tcase_add_loop_test(tcase, calls_right_away_while_it_copies, 0, 4);
	tcase_add_test(tcase, calls_with_the_commit_that_it_is_part_of);
}

int
main(void)
{
	return suite_run("copy_transact", fill);
}
