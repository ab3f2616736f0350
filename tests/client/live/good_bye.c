/*
 * good_bye.c
 *		A read whose rows have all come, and then the server's good-bye in place of ReadyForQuery.
 *
 * So it is where it shuts down at that very moment.  The proxy takes the last message away from an
 * answer, says that instead, and hangs up.
 */
#include "proxy.h"

#define ROWS     3
#define READ     "SELECT g FROM generate_series(1, $1) g"
#define FAREWELL "SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0"
#define READY    6 /* bytes of ReadyForQuery */

static int rows_read;

static kn_status
count_rows(kn_rows *rows)
{
	rows_read = 0;
	while (kn_next(rows))
		ck_assert_int_eq(kn_get_i64(rows, 0), ++rows_read);
	return kn_done(rows);
}

static kn_status
by_query(kn_ctx *cx)
{
	return count_rows(kn_query(cx, READ, ROWS));
}

static kn_status
by_batch(kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);
	kn_status status;

	(void) kn_add(batch, "SELECT 1");
	(void) kn_add(batch, READ, ROWS);
	status = kn_run_batch(batch, NULL);
	return status != KN_OK ? status : count_rows(kn_batch_rows(batch, 1));
}

static kn_status
query_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return by_query(cx);
}

static kn_status
by_transaction(kn_ctx *cx)
{
	return kn_transact(cx, query_body, NULL);
}

static kn_status
by_stream(kn_ctx *cx)
{
	return count_rows(kn_stream(cx, READ, ROWS));
}

static const struct
{
	kn_status (*call)(kn_ctx *cx);
	bool streams; /* who has rows already is not given them again */
} ways[] = {
	{ by_query, false },
	{ by_batch, false },
	{ by_transaction, false },
	{ by_stream, true },
};

static bool
say_good_bye(void *user)
{
	uint32_t length = htonl((uint32_t) (sizeof(length) + sizeof(FAREWELL)));
	proxy *p = user;
	char message[5 + sizeof(FAREWELL)] = "E";
	char answer[PROXY_BYTES];
	size_t n = read_answer(p->hit, answer);

	ck_assert_uint_gt(n, READY);
	ck_assert_int_eq(answer[n - READY], 'Z');
	memcpy(message + 1, &length, sizeof(length));
	memcpy(message + 5, FAREWELL, sizeof(FAREWELL));
	pass_back(p, answer, n - READY);
	pass_back(p, message, sizeof(message));
	return true;
}

START_TEST(comes_in_place_of_the_last_word)
{
	proxy p = { .when = MOMENT_DURING,
				.harm = say_good_bye,
				.text = "generate_series",
				.user = &p };
	kn_status status;
	kn_db *db;
	kn_ctx *cx;

	proxy_start(&p);
	OPEN(db, .conninfo = p.conninfo, .max_connections = 1);
	cx = kn_begin(db);
	status = ways[_i].call(cx);
	ck_assert_int_eq(p.is_done, true);
	if (ways[_i].streams)
		ck_assert_msg(status == KN_UNAVAILABLE || status == KN_CONN_LOST,
					  "%s",
					  kn_status_name(status));
	else
		ck_assert_msg(status == KN_OK,
					  "%s: %s",
					  kn_status_name(status),
					  kn_last_error(cx)->message);
	ck_assert_int_eq(rows_read, ROWS);
	EXPECT_OK(cx, by_query(cx));
	ck_assert_int_eq(rows_read, ROWS);
	ck_assert_uint_eq(stats_of(db).opened, 2);
	kn_end(cx);
	close_even(db);
	proxy_end(&p);
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, comes_in_place_of_the_last_word, ways);
}

int
main(void)
{
	return suite_run("good_bye", fill);
}
