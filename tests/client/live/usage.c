/*
 * usage.c
 *		What requests, transactions and options can say, and what is refused by its name.
 */
#include "live.h"

static kn_db *db;

static void
set_up(void)
{
	OPEN(db, .max_connections = 1);
}

static void
tear_down(void)
{
	ck_assert_int_eq(kn_close(db, 1000), KN_OK);
}

/* Refused for that, and nothing was sent. */
#define REFUSED(cx, call, word)                                           \
	do                                                                    \
	{                                                                     \
		kn_stats stats_ = { .size = sizeof(stats_) };                     \
		EXPECT(cx, call, KN_USAGE);                                       \
		ck_assert_msg(strstr(kn_last_error(cx)->message, (word)) != NULL, \
					  "%s",                                               \
					  kn_last_error(cx)->message);                        \
		ck_assert_int_eq(kn_get_stats(db, 0, &stats_), KN_OK);            \
		ck_assert_uint_eq(stats_.acquires, 0);                            \
	} while (0)

static int bodies;

static kn_status
count_body(kn_ctx *cx, void *argument)
{
	(void) cx;
	(void) argument;
	bodies++;
	return KN_OK;
}

static const struct
{
	kn_request request;
	const char *word; /* NULL: it is taken */
} requests[] = {
#define OF(...)                                 \
	{                                           \
		.size = sizeof(kn_request), __VA_ARGS__ \
	}
	{ OF(.timeout_ms = -5), "\"timeout_ms\"" },
	{ OF(.timeout_ms = INT64_MIN), "\"timeout_ms\"" },
	{ OF(.route = (kn_route) 7), "\"route\"" },
	{ OF(.route = (kn_route) -1), "\"route\"" },
	{ { .size = offsetof(kn_request, actor), .timeout_ms = -2 }, "\"timeout_ms\"" },
	{ OF(.timeout_ms = -1, .route = KN_ROUTE_PRIMARY), NULL },
	{ OF(.timeout_ms = INT64_MAX), NULL },
#undef OF
};

START_TEST(requests_of_all_kinds)
{
	const char *word = requests[_i].word;
	kn_ctx *cx = kn_begin_request(db, &requests[_i].request);

	if (word == NULL)
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	else
	{
		REFUSED(cx, kn_exec(cx, "SELECT 1"), word);
		REFUSED(cx, kn_done(kn_query(cx, "SELECT 1")), word);
		REFUSED(cx, kn_transact(cx, count_body, NULL), word);
	}
	kn_end(cx);
}
END_TEST

START_TEST(a_request_may_be_missing)
{
	kn_ctx *cx = kn_begin_request(db, NULL);

	REFUSED(cx, kn_exec(cx, "SELECT 1"), "request");
	kn_end(cx);
}
END_TEST

/* What is left of a time may be less than nothing, which is not no limit. */
START_TEST(timeouts_can_be_mended)
{
	kn_ctx *cx = kn_begin(db);

	kn_set_timeout(cx, -5);
	REFUSED(cx, kn_exec(cx, "SELECT 1"), "\"timeout_ms\"");
	kn_clear(cx);
	REFUSED(cx, kn_exec(cx, "SELECT 1"), "\"timeout_ms\"");
	kn_set_timeout(cx, -1);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	kn_end(cx);
	cx = kn_begin(db, .route = (kn_route) 7);
	kn_set_timeout(cx, -5);
	kn_set_timeout(cx, 1000);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_USAGE);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "\"route\""));
	kn_end(cx);
}
END_TEST

static const struct
{
	kn_transaction options;
	const char *word; /* NULL: they are taken */
} transactions[] = {
#define OF(...)                                     \
	{                                               \
		.size = sizeof(kn_transaction), __VA_ARGS__ \
	}
	{ OF(.isolation = (kn_isolation) 9), "\"isolation\"" },
	{ OF(.isolation = (kn_isolation) -1), "\"isolation\"" },
	{ OF(.attempts = -3), "\"attempts\"" },
	{ OF(.isolation = KN_SERIALIZABLE, .attempts = 1), NULL },
#undef OF
};

static kn_status
nest_body(kn_ctx *cx, void *argument)
{
	return kn_transact_options(cx, count_body, NULL, argument);
}

START_TEST(transactions_of_all_kinds)
{
	kn_transaction options = transactions[_i].options;
	const char *word = transactions[_i].word;
	kn_ctx *cx = kn_begin(db);

	bodies = 0;
	if (word == NULL)
		EXPECT_OK(cx, kn_transact_options(cx, count_body, NULL, &options));
	else
	{
		REFUSED(cx, kn_transact_options(cx, count_body, NULL, &options), word);
		REFUSED(cx, kn_transact(cx, nest_body, &options), word);
		REFUSED(cx, kn_transact_options(cx, count_body, NULL, NULL), "options");
		REFUSED(cx, kn_transact(cx, NULL, NULL), "body");
	}
	ck_assert_int_eq(bodies, word == NULL);
	kn_end(cx);
}
END_TEST

static const struct
{
	kn_options options;
	const char *words[2]; /* NULL: they are taken */
} options[] = {
#define OF(...)                                 \
	{                                           \
		.size = sizeof(kn_options), __VA_ARGS__ \
	}
	{ OF(.is_read = true, .is_write = true), { "\"is_read\"", "\"is_write\"" } },
	{ OF(.cache_key = "k", .cache_ms = 1000), { "\"cache_key\"", "cache" } },
	{ OF(.cache_ms = -1), { "\"cache_ms\"", "\"cache_ms\"" } },
	{ { .size = offsetof(kn_options, never_prepare), .is_read = true, .is_write = true },
	  { "\"is_read\"", "\"is_write\"" } },
	{ OF(.is_read = true, .cache_ms = 1000), { NULL } },
#undef OF
};

START_TEST(options_of_all_kinds)
{
	const kn_options *o = &options[_i].options;
	kn_ctx *cx = kn_begin(db);

	for (int i = 0; i < 2 && options[_i].words[i] != NULL; i++)
	{
		const char *word = options[_i].words[i];
		kn_batch *batch = kn_begin_batch(cx);

		REFUSED(cx, kn_exec_values(cx, "SELECT 1", NULL, 0, o, NULL), word);
		REFUSED(cx, kn_done(kn_query_values(cx, "SELECT 1", NULL, 0, o)), word);
		REFUSED(cx, kn_done(kn_stream_values(cx, "SELECT 1", NULL, 0, o)), word);
		kn_add(batch, "SELECT 1");
		REFUSED(cx, kn_run_batch(batch, o), word);
	}
	if (options[_i].words[0] == NULL)
		EXPECT_OK(cx, kn_exec_values(cx, "SELECT 1", NULL, 0, o, NULL));
	kn_end(cx);
}
END_TEST

/* Figures go into a struct of some size: without one there are none. */
START_TEST(figures_without_a_size)
{
	kn_stats stats = { .size = 0 };

	ck_assert_int_eq(kn_get_stats(db, 0, &stats), KN_USAGE);
	stats.size = sizeof(stats);
	ck_assert_int_eq(kn_get_stats(db, 0, &stats), KN_OK);
	ck_assert_ptr_nonnull(stats.host);
}
END_TEST

/* The server takes it for the role of the connection, which may see all rows. */
START_TEST(a_role_called_none)
{
	kn_ctx *cx = kn_begin(db, .role = "none", .timeout_ms = -2);

	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_AUTH);
	ck_assert_ptr_nonnull(strstr(kn_last_error(cx)->message, "\"none\" does not exist"));
	kn_set_timeout(cx, 1000);
	EXPECT(cx, kn_done(kn_query(cx, "SELECT 1")), KN_AUTH);
	EXPECT(cx, kn_done(kn_stream(cx, "SELECT 1")), KN_AUTH);
	EXPECT(cx, kn_transact(cx, count_body, NULL), KN_AUTH);
	ck_assert_int_eq(bodies, 0);
	kn_end(cx);
}
END_TEST

static const kn_listener_options listeners[] = {
	{ .size = sizeof(kn_listener_options), .probe_ms = -2 },
	{ .size = sizeof(kn_listener_options), .probe_ms = INT64_MIN },
	{ .size = sizeof(kn_listener_options), .timeout_ms = -5 },
};

/* What is left of a time may be less than nothing, which is not no limit. */
START_TEST(listeners_without_time)
{
	kn_listener *listener;

	ck_assert_int_eq(kn_open_listener(&listener, db, &listeners[_i]), KN_USAGE);
	ck_assert_ptr_null(listener);
}
END_TEST

START_TEST(notifications_without_time)
{
	const kn_notification *heard;
	kn_listener *listener;

	ck_assert_int_eq(kn_open_listener(&listener, db, NULL), KN_OK);
	ck_assert_int_eq(kn_next_notification(listener, -5, &heard), KN_USAGE);
	ck_assert_ptr_null(heard);
	ck_assert_ptr_nonnull(strstr(kn_listener_error(listener)->message, "\"timeout_ms\""));
	kn_close_listener(listener);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	LOOP(tcase, requests_of_all_kinds, requests);
	tcase_add_test(tcase, a_request_may_be_missing);
	tcase_add_test(tcase, timeouts_can_be_mended);
	tcase_add_test(tcase, figures_without_a_size);
	tcase_add_test(tcase, a_role_called_none);
	LOOP(tcase, listeners_without_time, listeners);
	tcase_add_test(tcase, notifications_without_time);
	LOOP(tcase, transactions_of_all_kinds, transactions);
	LOOP(tcase, options_of_all_kinds, options);
}

int
main(void)
{
	return suite_run("usage", fill);
}
