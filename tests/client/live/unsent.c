/*
 * unsent.c
 *		Values that cannot be sent, within a transaction: it is as it was, and goes on.
 */
#include "transact.h"

/* Nothing of what cannot be sent has reached the server: the transaction goes on. */
static kn_status
unsent_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	EXPECT(c, kn_exec(c, "SELECT $1::text", UNSENDABLE), KN_DATA);
	EXPECT(c, kn_exec(c, "COMMIT"), KN_USAGE);
	return kn_exec(c, "INSERT INTO kn_account VALUES (4, 400)");
}

/* The same where BEGIN would have gone with it, or the question for the transaction's number. */
static kn_status
unsent_first_body(kn_ctx *c, void *argument)
{
	kn_batch *batch;

	(void) argument;
	EXPECT(c, kn_exec(c, "SELECT $1::text", UNSENDABLE), KN_DATA);
	ck_assert_int_eq(kn_last_error(c)->item, -1);
	EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	EXPECT(c, kn_exec(c, "INSERT INTO kn_account SELECT length($1), 0", UNSENDABLE), KN_DATA);
	batch = kn_begin_batch(c);
	(void) kn_add(batch, "INSERT INTO kn_account VALUES (5, 500)");
	(void) kn_add(batch, "INSERT INTO kn_account SELECT length($1), 0", UNSENDABLE);
	EXPECT(c, kn_run_batch(batch, NULL), KN_DATA);
	ck_assert_int_eq(kn_last_error(c)->item, 1);
	return unsent_body(c, NULL);
}

START_TEST(goes_on_after_what_was_not_sent_at_first)
{
	EXPECT_OK(cx, kn_transact(cx, unsent_first_body, NULL));
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 4);
}
END_TEST

START_TEST(goes_on_after_what_was_not_sent)
{
	EXPECT_OK(cx, kn_transact(cx, unsent_body, NULL));
	ck_assert_int_eq(kn_last_error(cx)->status, KN_OK);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 4);
}
END_TEST

#define LENGTH "SELECT length($1)"

/* Where something else has to go along: the statement is about to be prepared. */
static kn_status
about_to_be_prepared_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	EXPECT_OK(c, kn_exec(c, LENGTH, "a"));
	EXPECT(c, kn_exec(c, LENGTH, UNSENDABLE), KN_DATA);
	return kn_exec(c, "INSERT INTO kn_account VALUES (4, 400)");
}

/* Or others are to be closed, which have made room. */
static kn_status
with_others_to_close_body(kn_ctx *c, void *argument)
{
	(void) argument;
	EXPECT_OK(c, kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)"));
	for (int i = 0; i < 2; i++)
		EXPECT_OK(c, kn_exec(c, "SELECT 1"));
	EXPECT_OK(c, kn_exec(c, "SELECT 2"));
	EXPECT(c, kn_exec(c, LENGTH, UNSENDABLE), KN_DATA);
	return kn_exec(c, "INSERT INTO kn_account VALUES (4, 400)");
}

START_TEST(are_found_before_anything_is_sent)
{
	static kn_body_fn *const bodies[] = { about_to_be_prepared_body, with_others_to_close_body };
	kn_db *own;
	kn_ctx *c;

	OPEN(own, .max_connections = 1, .statement_cache = 1);
	c = kn_begin(own);
	EXPECT_OK(c, kn_transact(c, bodies[_i], NULL));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 4);
	kn_end(c);
	close_even(own);
}
END_TEST

/* More than a message has room for. */
#define TOO_MANY 70000

static kn_status
too_many_body(kn_ctx *c, void *argument)
{
	kn_value *values = argument;

	EXPECT(c, kn_exec_values(c, "SELECT $1", values, TOO_MANY, NULL, NULL), KN_USAGE);
	return kn_exec(c, "INSERT INTO kn_account VALUES (3, 300)");
}

START_TEST(are_too_many)
{
	kn_value *values = malloc(TOO_MANY * sizeof(kn_value));

	ck_assert_ptr_nonnull(values);
	for (int i = 0; i < TOO_MANY; i++)
		values[i] = _i == 0 ? kn_i64(i) : kn_text("a");
	EXPECT_OK(cx, kn_transact(cx, too_many_body, values));
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_account"), 3);
	free(values);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, goes_on_after_what_was_not_sent);
	tcase_add_test(tcase, goes_on_after_what_was_not_sent_at_first);
	tcase_add_loop_test(tcase, are_too_many, 0, 2);
	tcase_add_loop_test(tcase, are_found_before_anything_is_sent, 0, 2);
}

int
main(void)
{
	return suite_run("unsent", fill);
}
