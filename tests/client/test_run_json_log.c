/*
 * test_run_json_log.c
 *		Events as JSON: each kind of value, any bytes at all, one write a line.
 */
#include <fcntl.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/observe.h"
#include "suite.h"

#define HEAD \
	"{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"event\":\"query\",\"db.system.name\":\"postgresql\""

static char line[70000];

static kn_event
event_of(kn_event_kind kind)
{
	kn_event event;

	kn__event_init(&event, kind, NULL);
	event.wall_ns = 0;
	return event;
}

/* What comes behind the head, without the brace at the end. */
static const char *
body_of(const kn_event *event)
{
	size_t n = kn_event_json(event, line, sizeof(line));

	ck_assert_uint_eq(n, strlen(line));
	ck_assert_mem_eq(line, HEAD, strlen(HEAD));
	ck_assert_str_eq(line + n - 2, "}\n");
	line[n - 2] = '\0';
	return line + strlen(HEAD);
}

START_TEST(all_fields)
{
	kn_event event = event_of(KN_EVENT_QUERY);

	ck_assert_str_eq(body_of(&event), "");
	event.db_name = "kints";
	event.host = "h";
	event.port = 5432;
	event.database = "d";
	event.operation = "SELECT";
	event.sql = "SELECT $1";
	event.rows = 0;
	event.sqlstate = "23505";
	event.error = "KN_DUPLICATE";
	event.trace_id = "t1";
	event.actor = "ada";
	event.duration_ns = 1500;
	event.attempts = 1;
	event.parameter_count = 1;
	ck_assert_str_eq(
		body_of(&event),
		",\"db.client.connection.pool.name\":\"kints\",\"server.address\":\"h\","
		"\"server.port\":5432,\"db.namespace\":\"d\",\"db.operation.name\":\"SELECT\","
		"\"db.query.text\":\"SELECT $1\",\"db.response.returned_rows\":0,"
		"\"db.response.status_code\":\"23505\",\"error.type\":\"KN_DUPLICATE\","
		"\"kints.correlation_id\":\"t1\",\"enduser.id\":\"ada\",\"kints.duration_ns\":1500,"
		"\"kints.attempts\":1,\"kints.parameter_count\":1");
}
END_TEST

static const struct
{
	const char *text;
	const char *json;
} texts[] = {
	{ "", "\"\"" },
	{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
	{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
	{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "\xe2\x80\xa8", "\"\xe2\x80\xa8\"" },
	{ "a\xff"
	  "b",
	  "\"a\xef\xbf\xbd"
	  "b\"" },
	{ "\xc3", "\"\xef\xbf\xbd\"" },
	{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xc3\"", "\"\xef\xbf\xbd\\\"\"" },
	{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xf8\x88", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\x80", "\"\xef\xbf\xbd\"" },
};

START_TEST(texts_are_escaped)
{
	kn_event event = event_of(KN_EVENT_QUERY);
	char expected[100] = ",\"db.query.text\":";

	event.sql = texts[_i].text;
	ck_assert_str_eq(body_of(&event), strcat(expected, texts[_i].json));
}
END_TEST

static const kn_value three[] = { { .type = KN_TYPE_I32, .as.i = 1 },
								  { .type = KN_TYPE_NULL },
								  { .type = KN_TYPE_TEXT, .n = 1, .as.p = "x" } };
static const kn_array array = { .items = three };
static kn_value nested = { .type = KN_TYPE_ARRAY, .n = 1 };
static kn_array nest = { .items = &nested };
static const kn_array hollow = { .items = NULL };

static const struct
{
	kn_value value;
	const char *json;
} values[] = {
	{ { .type = KN_TYPE_NULL }, "null" },
	{ { .type = 99 }, "null" },
	{ { .type = KN_TYPE_BOOL, .as.b = true }, "true" },
	{ { .type = KN_TYPE_BOOL }, "false" },
	{ { .type = KN_TYPE_I16, .as.i = -1 }, "-1" },
	{ { .type = KN_TYPE_I32, .as.i = 7 }, "7" },
	{ { .type = KN_TYPE_I64, .as.i = INT64_MIN }, "-9223372036854775808" },
	{ { .type = KN_TYPE_F64, .as.d = 0.1 }, "0.1" },
	{ { .type = KN_TYPE_F64, .as.d = 1.0 / 3 }, "0.33333333333333331" },
	{ { .type = KN_TYPE_F64, .as.d = 1e300 }, "1e+300" },
	{ { .type = KN_TYPE_F64, .as.d = -DBL_MIN }, "-2.2250738585072014e-308" },
	{ { .type = KN_TYPE_F32, .as.d = (double) 0.1F }, "0.1" },
	{ { .type = KN_TYPE_F64, .as.d = NAN }, "\"NaN\"" },
	{ { .type = KN_TYPE_F64, .as.d = INFINITY }, "\"Infinity\"" },
	{ { .type = KN_TYPE_F64, .as.d = -INFINITY }, "\"-Infinity\"" },
	{ { .type = KN_TYPE_TEXT, .n = 3, .as.p = "a\0b" }, "\"a\\u0000b\"" },
	{ { .type = KN_TYPE_TEXT, .n = 0, .as.p = "" }, "\"\"" },
	{ { .type = KN_TYPE_BYTES, .n = 3, .as.p = "\x00\xffz" }, "\"\\\\x00ff7a\"" },
	{ { .type = KN_TYPE_UUID,
		.as.uuid = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255 } } },
	  "\"00010203-0405-0607-0809-0a0b0c0d0eff\"" },
	{ { .type = KN_TYPE_NUMERIC, .n = 4, .as.p = "1.50" }, "\"1.50\"" },
	{ { .type = KN_TYPE_DATE, .as.i = -KN_DATE_INFINITY }, "-2147483647" },
	{ { .type = KN_TYPE_TIME, .as.i = 1 }, "1" },
	{ { .type = KN_TYPE_TIMESTAMP, .as.i = -1 }, "-1" },
	{ { .type = KN_TYPE_TIMESTAMPTZ, .as.i = 1000000 }, "1000000" },
	{ { .type = KN_TYPE_INTERVAL, .as.interval = { .months = 1, .days = 2, .usec = -3 } },
	  "[1,2,-3]" },
	{ { .type = KN_TYPE_JSON, .n = 2, .as.p = "{}" }, "\"{}\"" },
	{ { .type = KN_TYPE_INET, .n = 9, .as.p = "127.0.0.1" }, "\"127.0.0.1\"" },
	{ { .type = KN_TYPE_TEXT }, "\"\"" },
	{ { .type = KN_TYPE_ARRAY, .n = 3, .as.array = &array }, "[1,null,\"x\"]" },
	{ { .type = KN_TYPE_ARRAY, .n = 0, .as.array = &array }, "[]" },
	{ { .type = KN_TYPE_ARRAY, .n = 3, .as.array = &hollow }, "null" },
	{ { .type = KN_TYPE_ARRAY, .n = 3, .as.array = NULL }, "null" },
	{ { .type = KN_TYPE_ARRAY, .n = 0, .as.array = &hollow }, "[]" },
	{ { .type = KN_TYPE_ARRAY, .n = 1, .as.array = &nest }, "[[[[[[[[null]]]]]]]]" },
};

START_TEST(values_are_json)
{
	kn_event event = event_of(KN_EVENT_QUERY);
	char expected[200] = ",\"kints.parameter_count\":1,\"db.query.parameter.0\":";

	nested.as.array = &nest;
	kn__event_parameters(&event, &values[_i].value, 1, true);
	ck_assert_str_eq(body_of(&event), strcat(expected, values[_i].json));
	kn__event_parameters(&event, &values[_i].value, 1, false);
	ck_assert_str_eq(body_of(&event), ",\"kints.parameter_count\":1");
}
END_TEST

/* Wherever the point of a number is a comma, JSON has a point. */
START_TEST(locales_do_not_matter)
{
	static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8", "C" };
	const kn_value value = { .type = KN_TYPE_F64, .as.d = -1234.5 };
	kn_event event = event_of(KN_EVENT_QUERY);

	kn__event_parameters(&event, &value, 1, true);
	for (int i = 0; i < COUNT(names); i++)
	{
		if (setlocale(LC_NUMERIC, names[i]) != NULL)
			ck_assert_str_eq(body_of(&event),
							 ",\"kints.parameter_count\":1,\"db.query.parameter.0\":-1234.5");
	}
}
END_TEST

static const struct
{
	int64_t ns;
	const char *time;
} times[] = {
	{ INT64_C(1764120830123456789), "2025-11-26T01:33:50.123456789Z" },
	{ -1, "1969-12-31T23:59:59.999999999Z" },
	{ INT64_C(951782400000000000), "2000-02-29T00:00:00.000000000Z" },
};

START_TEST(times_are_rfc_3339)
{
	kn_event event = event_of(KN_EVENT_QUERY);

	event.wall_ns = times[_i].ns;
	(void) kn_event_json(&event, line, sizeof(line));
	ck_assert_int_eq(strncmp(line + strlen("{\"time\":\""), times[_i].time, strlen(times[_i].time)),
					 0);
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
	kn_event event = event_of(KN_EVENT_QUERY);
	char small[8];

	ck_assert_uint_eq(kn_event_json(&event, small, sizeof(small)), strlen(HEAD) + 2);
	ck_assert_str_eq(small, "{\"time\"");
	ck_assert_uint_eq(kn_event_json(&event, NULL, 0), strlen(HEAD) + 2);
}
END_TEST

/* A socket that keeps writes apart tells how many there were, however long the line is. */
START_TEST(each_line_is_one_write)
{
	static char sql[50000];
	kn_event event = event_of(KN_EVENT_AUDIT);
	kn_json_log log;
	int sockets[2];
	FILE *file;

	memset(sql, 'x', sizeof(sql) - 1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	file = fdopen(sockets[1], "w");
	ck_assert_ptr_nonnull(file);
	kn_json_log_init(&log, file, false);
	event.sql = sql;
	kn__tell(&log.hooks, &event);
	event.sql = "short";
	ck_assert_int_gt(fprintf(file, "before"), 0);
	kn__tell(&log.hooks, &event);
	ck_assert_int_gt(read(sockets[0], line, sizeof(line)), 50000);
	ck_assert_int_eq(read(sockets[0], line, sizeof(line)), 6); /* in order */
	line[read(sockets[0], line, sizeof(line))] = '\0';
	ck_assert_ptr_nonnull(strstr(line, "\"event\":\"audit\""));
	ck_assert_str_eq(strstr(line, "\"db.query.text\""), "\"db.query.text\":\"short\"}\n");
	ck_assert_uint_eq(log.lost, 0);
	ck_assert_int_eq(close(sockets[0]), 0);
	ck_assert_int_eq(fclose(file), 0);
}
END_TEST

START_TEST(files_without_a_descriptor)
{
	kn_event event = event_of(KN_EVENT_QUERY);
	kn_json_log log;
	char *text = NULL;
	size_t n = 0;
	FILE *file = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(file);
	kn_json_log_init(&log, file, false);
	ck_assert(!kn__hears(&log.hooks, KN_EVENT_QUERY));
	ck_assert(kn__hears(&log.hooks, KN_EVENT_SLOW_QUERY));
	kn_json_log_init(&log, file, true);
	ck_assert(kn__hears(&log.hooks, KN_EVENT_QUERY));
	kn__tell(&log.hooks, &event);
	ck_assert_str_eq(text, HEAD "}\n");
	ck_assert_int_eq(fclose(file), 0);
	free(text);
}
END_TEST

START_TEST(lost_lines_are_counted)
{
	kn_event event = event_of(KN_EVENT_QUERY);
	kn_json_log log;
	FILE *file = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(file);
	kn_json_log_init(&log, file, true);
	kn__tell(&log.hooks, &event);
	kn__tell(&log.hooks, &event);
	ck_assert_uint_eq(log.lost, 2);
	(void) fclose(file);
}
END_TEST

static void *
tell_often(void *user)
{
	kn_event event = event_of(KN_EVENT_QUERY);

	event.sql = "SELECT $1";
	for (int i = 0; i < 500; i++)
		kn__tell(user, &event);
	return NULL;
}

/* What there was room for of a line is not the beginning of the next one. */
START_TEST(a_line_that_is_cut_is_one)
{
	static char text[50001];
	static char read_back[200000];
	kn_event event = event_of(KN_EVENT_AUDIT);
	kn_json_log log;
	size_t n = 0;
	int lines = 0;
	int good = 0;
	int fds[2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event.sql = text;
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	kn_json_log_init(&log, fdopen(fds[1], "w"), false);
	log.hooks.audit(log.hooks.user, &event);
	log.hooks.audit(log.hooks.user, &event);
	n += (size_t) read(fds[0], read_back, sizeof(read_back));
	event.sql = "SELECT 1";
	log.hooks.audit(log.hooks.user, &event);
	log.hooks.audit(log.hooks.user, &event);
	n += (size_t) read(fds[0], read_back + n, sizeof(read_back) - n);
	ck_assert_int_eq(read_back[n - 1], '\n');
	for (char *at = strtok(read_back, "\n"); at != NULL && at < read_back + n;
		 at = strtok(NULL, "\n"))
	{
		lines++;
		good += at[0] == '{' && at[strlen(at) - 1] == '}' && strstr(at + 1, "{\"time\"") == NULL;
	}
	ck_assert_int_eq(lines, 4);
	ck_assert_int_eq(good, 3);
	ck_assert_uint_eq(log.lost, 1);
	(void) fclose(log.file);
	(void) close(fds[0]);
}
END_TEST

START_TEST(threads_do_not_mix_lines)
{
	pthread_t threads[3];
	kn_json_log log;
	FILE *file = tmpfile();
	int count = 0;

	ck_assert_ptr_nonnull(file);
	kn_json_log_init(&log, file, true);
	for (int i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, tell_often, &log.hooks), 0);
	for (int i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		ck_assert_str_eq(line, HEAD ",\"db.query.text\":\"SELECT $1\"}\n");
		count++;
	}
	ck_assert_int_eq(count, 1500);
	ck_assert_int_eq(fclose(file), 0);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, all_fields);
	LOOP(tcase, texts_are_escaped, texts);
	LOOP(tcase, values_are_json, values);
	tcase_add_test(tcase, locales_do_not_matter);
	LOOP(tcase, times_are_rfc_3339, times);
	tcase_add_test(tcase, what_does_not_fit_is_cut);
	tcase_add_test(tcase, each_line_is_one_write);
	tcase_add_test(tcase, files_without_a_descriptor);
	tcase_add_test(tcase, lost_lines_are_counted);
	tcase_add_test(tcase, a_line_that_is_cut_is_one);
	tcase_add_test(tcase, threads_do_not_mix_lines);
}

int
main(void)
{
	return suite_run("run_json_log", fill);
}
