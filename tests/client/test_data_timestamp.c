/*
 * test_data_timestamp.c
 *		Dates, times and intervals: the calendar, its ends, zones, and what is none.
 */
#include "suite.h"

#include "data/data.h"

#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000000)

static const struct
{
	kn_type kind;
	const char *text;
	int64_t i;
	const char *printed; /* NULL: as text */
} moments[] = {
	{ KN_TYPE_DATE, "1970-01-01", 0, NULL },
	{ KN_TYPE_DATE, "1969-12-31", -1, NULL },
	{ KN_TYPE_DATE, "2000-02-29", 11016, NULL },
	{ KN_TYPE_DATE, "2000-03-01", 11017, NULL },
	{ KN_TYPE_DATE, "1900-02-28", -25509, NULL },
	{ KN_TYPE_DATE, "1900-03-01", -25508, NULL },
	{ KN_TYPE_DATE, "0001-01-01", -719162, NULL },
	{ KN_TYPE_DATE, "0001-12-31 BC", -719163, NULL },
	{ KN_TYPE_DATE, "0001-02-29 BC", -719469, NULL },
	{ KN_TYPE_DATE, "4714-11-24 BC", -2440588, NULL },
	{ KN_TYPE_DATE, "5874897-12-31", 2145042905, NULL },
	{ KN_TYPE_DATE, "infinity", KN_DATE_INFINITY, NULL },
	{ KN_TYPE_DATE, "-infinity", -KN_DATE_INFINITY, NULL },
	{ KN_TYPE_TIME, "00:00:00", 0, NULL },
	{ KN_TYPE_TIME, "24:00:00", DAY, NULL },
	{ KN_TYPE_TIME, "23:59:59.999999", DAY - 1, NULL },
	{ KN_TYPE_TIME, "01:02:03.4", INT64_C(3723400000), NULL },
	{ KN_TYPE_TIME, "01:02:03.000004", INT64_C(3723000004), NULL },
	{ KN_TYPE_TIMESTAMP, "1970-01-01 00:00:00", 0, NULL },
	{ KN_TYPE_TIMESTAMP, "1969-12-31 23:59:59.999999", -1, NULL },
	{ KN_TYPE_TIMESTAMP, "4714-11-24 00:00:00 BC", -2440588 * DAY, NULL },
	{ KN_TYPE_TIMESTAMP, "294247-01-10 04:00:54.775806", INT64_MAX - 1, NULL },
	{ KN_TYPE_TIMESTAMP, "infinity", KN_TIME_INFINITY, NULL },
	{ KN_TYPE_TIMESTAMP, "-infinity", -KN_TIME_INFINITY, NULL },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 00:00:00+00", 0, NULL },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 02:00:00+02", 0, "1970-01-01 00:00:00+00" },
	{ KN_TYPE_TIMESTAMPTZ, "1969-12-31 20:30:00-03:30", 0, "1970-01-01 00:00:00+00" },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 00:19:32+00:19:32", 0, "1970-01-01 00:00:00+00" },
	{ KN_TYPE_TIMESTAMPTZ,
	  "1969-12-31 23:59:59-15:59:59",
	  57598 * INT64_C(1000000),
	  "1970-01-01 15:59:58+00" },
	{ KN_TYPE_TIMESTAMPTZ, "0044-03-15 12:00:00.5+00 BC", -735160 * DAY + DAY / 2 + 500000, NULL },
	{ KN_TYPE_TIMESTAMPTZ,
	  "294247-01-11 04:00:54.775806+24",
	  INT64_MAX - 1,
	  "294247-01-10 04:00:54.775806+00" },
};

START_TEST(there_and_back)
{
	const char *printed = moments[_i].printed != NULL ? moments[_i].printed : moments[_i].text;
	const char *why = NULL;
	char out[KN__TIME_ROOM];
	kn_value value;
	kn_str text = { moments[_i].text, strlen(moments[_i].text) };

	ck_assert_int_eq(kn__time_parse(moments[_i].kind, text, &value, &why), KN_OK);
	ck_assert_int_eq(value.type, moments[_i].kind);
	ck_assert_int_eq(value.as.i, moments[_i].i);
	ck_assert_uint_eq(kn__time_print(&value, out), strlen(printed));
	ck_assert_str_eq(out, printed);
}
END_TEST

/* Each day of 900 years comes after the one before, on paper as well. */
START_TEST(calendar)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const int end = is_slow() ? -140 : 750;
	int year = -150; /* 151 BC */
	int month = 1;
	int day = 1;
	kn_value value;
	const char *why;

	ck_assert_int_eq(kn__time_parse(KN_TYPE_DATE, (kn_str){ "0151-01-01 BC", 13 }, &value, &why),
					 KN_OK);
	for (; year < end; value.as.i++)
	{
		bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		char expected[32];
		char out[KN__TIME_ROOM];
		kn_value again;

		(void) snprintf(expected,
						sizeof(expected),
						"%04d-%02d-%02d%s",
						year > 0 ? year : 1 - year,
						month,
						day,
						year > 0 ? "" : " BC");
		ck_assert_uint_eq(kn__time_print(&value, out), strlen(expected));
		ck_assert_str_eq(out, expected);
		ck_assert_int_eq(kn__time_parse(KN_TYPE_DATE, (kn_str){ out, strlen(out) }, &again, &why),
						 KN_OK);
		ck_assert_int_eq(again.as.i, value.as.i);
		if (++day > lengths[month - 1] + (month == 2 && is_leap))
		{
			day = 1;
			month = month % 12 + 1;
			year += month == 1;
		}
	}
}
END_TEST

static const struct
{
	const char *text;
	kn_interval interval;
} intervals[] = {
	{ "00:00:00", { 0, 0, 0 } },
	{ "1 year", { 0, 0, 12 } },
	{ "-1 years", { 0, 0, -12 } },
	{ "1 mon", { 0, 0, 1 } },
	{ "1 year 2 mons -3 days +04:05:06.7", { INT64_C(14706700000), -3, 14 } },
	{ "-1 years -2 mons +3 days -04:05:06.7", { -INT64_C(14706700000), 3, -14 } },
	{ "1 day -00:00:00.000001", { -1, 1, 0 } },
	{ "100:00:00", { INT64_C(360000000000), 0, 0 } },
	{ "2562047788:00:54.775807", { INT64_MAX, 0, 0 } },
	{ "-2562047788:00:54.775808", { INT64_MIN, 0, 0 } },
	{ "178956970 years 7 mons 2147483647 days", { 0, INT32_MAX, INT32_MAX } },
	{ "-178956970 years -8 mons -2147483648 days", { 0, INT32_MIN, INT32_MIN } },
	{ "infinity", { INT64_MAX, INT32_MAX, INT32_MAX } },
	{ "-infinity", { INT64_MIN, INT32_MIN, INT32_MIN } },
};

START_TEST(reads_intervals)
{
	kn_str text = { intervals[_i].text, strlen(intervals[_i].text) };
	const char *why = NULL;
	kn_value value;

	ck_assert_int_eq(kn__time_parse(KN_TYPE_INTERVAL, text, &value, &why), KN_OK);
	ck_assert_int_eq(value.type, KN_TYPE_INTERVAL);
	ck_assert_int_eq(value.as.interval.usec, intervals[_i].interval.usec);
	ck_assert_int_eq(value.as.interval.days, intervals[_i].interval.days);
	ck_assert_int_eq(value.as.interval.months, intervals[_i].interval.months);
}
END_TEST

START_TEST(prints_intervals)
{
	static const struct
	{
		kn_interval interval;
		const char *printed;
	} cases[] = {
		{ { 0, 0, 0 }, "0 mons 0 days 0.000000 secs" },
		{ { -1, 2, -3 }, "-3 mons 2 days -0.000001 secs" },
		{ { INT64_MIN, INT32_MIN, INT32_MAX },
		  "2147483647 mons -2147483648 days -9223372036854.775808 secs" },
		{ { INT64_MAX, INT32_MAX, INT32_MAX }, "infinity" },
		{ { INT64_MIN, INT32_MIN, INT32_MIN }, "-infinity" },
	};

	for (int i = 0; i < COUNT(cases); i++)
	{
		kn_value value = kn_interval_of(cases[i].interval);
		char out[KN__TIME_ROOM];

		ck_assert_uint_eq(kn__time_print(&value, out), strlen(cases[i].printed));
		ck_assert_str_eq(out, cases[i].printed);
	}
}
END_TEST

/* What no server sends, but a program may make. */
START_TEST(prints_anything)
{
	static const kn_type kinds[] = { KN_TYPE_DATE,
									 KN_TYPE_TIME,
									 KN_TYPE_TIMESTAMP,
									 KN_TYPE_TIMESTAMPTZ };
	static const int64_t numbers[] = {
		INT64_MIN, INT64_MIN + 1, INT64_MIN + 2, INT64_MAX, INT64_MAX - 1, -1, -DAY, -DAY - 1,
	};

	for (int i = 0; i < COUNT(kinds); i++)
	{
		for (int j = 0; j < COUNT(numbers); j++)
		{
			kn_value value = { .type = (uint8_t) kinds[i], .as.i = numbers[j] };
			char out[KN__TIME_ROOM];
			size_t length = kn__time_print(&value, out);

			ck_assert_uint_lt(length, KN__TIME_ROOM);
			ck_assert_uint_eq(strlen(out), length);
		}
	}
}
END_TEST

static const char no_time[] = "it is no date or time as the server prints it";
static const char too_late[] = "it is out of range: the year is 294247 or later";

static const struct
{
	kn_type kind;
	const char *text;
	const char *why;
} bad[] = {
	{ KN_TYPE_DATE, "", no_time },
	{ KN_TYPE_DATE, "1970-01-01 ", no_time },
	{ KN_TYPE_DATE, "970-01-01", no_time },
	{ KN_TYPE_DATE, "1970-13-01", no_time },
	{ KN_TYPE_DATE, "1970-00-01", no_time },
	{ KN_TYPE_DATE, "1970-01-32", no_time },
	{ KN_TYPE_DATE, "1970-02-29", no_time },
	{ KN_TYPE_DATE, "1900-02-29", no_time },
	{ KN_TYPE_DATE, "1970-04-31", no_time },
	{ KN_TYPE_DATE, "01/02/1970", no_time },
	{ KN_TYPE_DATE, "1970-1-1", no_time },
	{ KN_TYPE_DATE, "Infinity", no_time },
	{ KN_TYPE_DATE, "9999999-01-01", "it is out of range" },
	{ KN_TYPE_DATE, "9999999-01-01 BC", "it is out of range" },
	{ KN_TYPE_TIME, "infinity", no_time },
	{ KN_TYPE_TIME, "24:00:00.000001", no_time },
	{ KN_TYPE_TIME, "25:00:00", no_time },
	{ KN_TYPE_TIME, "9999999999:00:00", no_time },
	{ KN_TYPE_TIME, "00:60:00", no_time },
	{ KN_TYPE_TIME, "00:00:61", no_time },
	{ KN_TYPE_TIME, "00:00:00.", no_time },
	{ KN_TYPE_TIME, "00:00:00.1234567", no_time },
	{ KN_TYPE_TIME, "-00:00:01", no_time },
	{ KN_TYPE_TIMESTAMP, "1970-01-01", no_time },
	{ KN_TYPE_TIMESTAMP, "1970-01-01T00:00:00", no_time },
	{ KN_TYPE_TIMESTAMP, "1970-01-01 00:00:00+00", no_time },
	{ KN_TYPE_TIMESTAMP, "1970-01-01 25:00:00", no_time },
	{ KN_TYPE_TIMESTAMP, "294247-01-10 04:00:54.775807", too_late },
	{ KN_TYPE_TIMESTAMP, "294276-12-31 23:59:59.999999", too_late },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 00:00:00", no_time },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 00:00:00 UTC", no_time },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 00:00:00+2", no_time },
	{ KN_TYPE_TIMESTAMPTZ, "1970-01-01 00:00:00+02:", no_time },
	{ KN_TYPE_TIMESTAMPTZ, "294247-01-10 04:00:54.775806-00:00:01", too_late },
	{ KN_TYPE_INTERVAL, "", no_time },
	{ KN_TYPE_INTERVAL, "1", no_time },
	{ KN_TYPE_INTERVAL, "1 week", no_time },
	{ KN_TYPE_INTERVAL, "1 day1 mon", no_time },
	{ KN_TYPE_INTERVAL, "- days", no_time },
	{ KN_TYPE_INTERVAL, "00:00:00 1 day", no_time },
	{ KN_TYPE_INTERVAL, "P1Y", no_time },
	{ KN_TYPE_INTERVAL, "2562047788:00:54.775808", no_time },
	{ KN_TYPE_INTERVAL, "-2562047788:00:54.775809", no_time },
	{ KN_TYPE_INTERVAL, "9999999999:59:59", no_time },
	{ KN_TYPE_INTERVAL, "2147483648 days", no_time },
	{ KN_TYPE_INTERVAL, "178956970 years 8 mons", no_time },
};

START_TEST(refuses)
{
	const char *why = NULL;
	kn_value value;
	kn_str text = { bad[_i].text, strlen(bad[_i].text) };

	ck_assert_int_eq(kn__time_parse(bad[_i].kind, text, &value, &why), KN_DATA);
	ck_assert_str_eq(why, bad[_i].why);
}
END_TEST

/* Cut short anywhere, in memory of just that size, it is refused or another good one. */
START_TEST(cut_short)
{
	const char *why = NULL;
	kn_value value;
	size_t length = strlen(moments[_i].text);

	for (size_t n = 0; n < length; n++)
	{
		char *copy = malloc(n + (n == 0));
		kn_status status;

		memcpy(copy, moments[_i].text, n);
		status = kn__time_parse(moments[_i].kind, (kn_str){ copy, n }, &value, &why);
		ck_assert(status == KN_OK || status == KN_DATA);
		ck_assert(n >= 8 || status == KN_DATA);
		free(copy);
	}
}
END_TEST

static void
fill(TCase *tcase)
{
	LOOP(tcase, there_and_back, moments);
	tcase_add_test(tcase, calendar);
	LOOP(tcase, reads_intervals, intervals);
	tcase_add_test(tcase, prints_intervals);
	tcase_add_test(tcase, prints_anything);
	LOOP(tcase, refuses, bad);
	LOOP(tcase, cut_short, moments);
}

int
main(void)
{
	return suite_run("data_timestamp", fill);
}
