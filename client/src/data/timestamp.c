/*
 * timestamp.c
 *		Dates, times and intervals: as the server prints them, and on the calendar.
 *
 * The calendar is the Gregorian one for all of time, with a year before 1 that is 1 BC, as
 * the server has it.
 */
#include "data/data.h"

#include <stdio.h>
#include <string.h>

#define USEC_PER_S INT64_C(1000000)

typedef struct Reader
{
	const char *at;
	const char *end;
} Reader;

/* What a server from 17 on takes for infinite, and for one less than any other. */
static const kn_interval most_interval = { INT64_MAX, INT32_MAX, INT32_MAX };
static const kn_interval least_interval = { INT64_MIN, INT32_MIN, INT32_MIN };

static bool read_char(Reader *r, char c);
static bool read_int(Reader *r, int least, int most, int64_t *out);
static bool read_date(Reader *r, int64_t *year, int64_t *month, int64_t *day);
static bool read_clock(Reader *r, bool is_negative, int64_t *usec);
static bool read_zone(Reader *r, int64_t *usec);
static bool read_moment(Reader *r, kn_type kind, int64_t *out, const char **why);
static bool read_interval(Reader *r, kn_interval *out);
static bool read_word(Reader *r, const char *word);
static bool is_text(kn_str text, const char *word);
static int days_in(int64_t year, int64_t month);
static int64_t days_of(int64_t year, int64_t month, int64_t day);
static void date_of(int64_t days, int64_t *year, int *month, int *day);
static bool is_interval(const kn_interval *a, const kn_interval *b);
static int print_clock(char *out, size_t room, int64_t usec);

kn_status
kn__time_parse(kn_type kind, kn_str text, kn_value *out, const char **why)
{
	Reader r = { text.p, text.p + text.n };
	bool is_good;

	memset(out, 0, sizeof(*out));
	out->type = (uint8_t) kind;
	*why = "it is no date or time as the server prints it";
	if (kind != KN_TYPE_TIME && (is_text(text, "infinity") || is_text(text, "-infinity")))
	{
		bool is_negative = *text.p == '-';
		int64_t most = kind == KN_TYPE_DATE ? KN_DATE_INFINITY : KN_TIME_INFINITY;

		if (kind == KN_TYPE_INTERVAL)
			out->as.interval = is_negative ? least_interval : most_interval;
		else
			out->as.i = is_negative ? -most : most;
		return KN_OK;
	}
	switch (kind)
	{
		case KN_TYPE_TIME:
			is_good = read_clock(&r, false, &out->as.i) && out->as.i <= KN__USEC_PER_DAY;
			break;
		case KN_TYPE_INTERVAL:
			is_good = read_interval(&r, &out->as.interval);
			break;
		default:
			is_good = read_moment(&r, kind, &out->as.i, why);
			break;
	}
	return is_good && r.at == r.end ? KN_OK : KN_DATA;
}

static bool
read_moment(Reader *r, kn_type kind, int64_t *out, const char **why)
{
	int64_t year;
	int64_t month;
	int64_t day;
	int64_t clock = 0;
	int64_t zone = 0;
	int64_t days;

	if (!read_date(r, &year, &month, &day))
		return false;
	if (kind != KN_TYPE_DATE &&
		(!read_char(r, ' ') || !read_clock(r, false, &clock) || clock > KN__USEC_PER_DAY))
		return false;
	if (kind == KN_TYPE_TIMESTAMPTZ && !read_zone(r, &zone))
		return false;
	if (read_word(r, " BC"))
		year = 1 - year;
	if (r->at != r->end || day > days_in(year, month))
		return false;
	days = days_of(year, month, day);
	*why = "it is out of range";
	if (kind == KN_TYPE_DATE)
	{
		*out = days;
		return days < KN_DATE_INFINITY && days > -KN_DATE_INFINITY;
	}
	/* The last years that the server has do not fit into microseconds since 1970. */
	*why = "it is out of range: the year is 294247 or later";
	clock -= zone;
	days += clock / KN__USEC_PER_DAY - (clock % KN__USEC_PER_DAY < 0);
	clock -= (clock / KN__USEC_PER_DAY - (clock % KN__USEC_PER_DAY < 0)) * KN__USEC_PER_DAY;
	return !__builtin_mul_overflow(days, KN__USEC_PER_DAY, out) &&
		   !__builtin_add_overflow(*out, clock, out) && *out < KN_TIME_INFINITY;
}

static bool
read_date(Reader *r, int64_t *year, int64_t *month, int64_t *day)
{
	return read_int(r, 4, 7, year) && read_char(r, '-') && read_int(r, 2, 2, month) &&
		   read_char(r, '-') && read_int(r, 2, 2, day) && *month >= 1 && *month <= 12 &&
		   *day >= 1 && *day <= 31;
}

/* Of any number of hours; an interval may have one more before zero than behind it. */
static bool
read_clock(Reader *r, bool is_negative, int64_t *usec)
{
	int64_t hours;
	int64_t minutes;
	int64_t seconds;
	int64_t part = 0;

	if (!read_int(r, 2, 10, &hours) || !read_char(r, ':') || !read_int(r, 2, 2, &minutes) ||
		!read_char(r, ':') || !read_int(r, 2, 2, &seconds) || minutes > 59 || seconds > 60)
		return false;
	if (read_char(r, '.'))
	{
		const char *begin = r->at;

		if (!read_int(r, 1, 6, &part))
			return false;
		for (ptrdiff_t i = r->at - begin; i < 6; i++)
			part *= 10;
	}
	seconds += (hours * 60 + minutes) * 60;
	if (is_negative)
	{
		seconds = -seconds;
		part = -part;
	}
	return !__builtin_mul_overflow(seconds, USEC_PER_S, usec) &&
		   !__builtin_add_overflow(*usec, part, usec);
}

/* "+02", "-03:30", "+00:19:32". */
static bool
read_zone(Reader *r, int64_t *usec)
{
	bool is_negative = read_char(r, '-');
	int64_t parts[3] = { 0, 0, 0 };

	if (!is_negative && !read_char(r, '+'))
		return false;
	for (int i = 0; i < 3; i++)
	{
		if (i > 0 && !read_char(r, ':'))
			break;
		if (!read_int(r, 2, 2, &parts[i]))
			return false;
	}
	*usec = ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * USEC_PER_S;
	if (is_negative)
		*usec = -*usec;
	return true;
}

/* "1 year 2 mons -3 days +04:05:06.7", each part of it alone as well. */
static bool
read_interval(Reader *r, kn_interval *out)
{
	int64_t months = 0;
	int64_t days = 0;
	bool has_any = false;

	while (r->at < r->end)
	{
		Reader before = *r;
		bool is_negative = read_char(r, '-');
		int64_t number;

		if (!is_negative)
			(void) read_char(r, '+');
		if (!read_int(r, 1, 10, &number))
			return false;
		if (r->at < r->end && *r->at == ':')
		{
			*r = before;
			is_negative = read_char(r, '-');
			if (!is_negative)
				(void) read_char(r, '+');
			if (!read_clock(r, is_negative, &out->usec))
				return false;
			has_any = true;
			break;
		}
		if (is_negative)
			number = -number;
		if (read_word(r, " years") || read_word(r, " year"))
			months += number * 12;
		else if (read_word(r, " mons") || read_word(r, " mon"))
			months += number;
		else if (read_word(r, " days") || read_word(r, " day"))
			days += number;
		else
			return false;
		has_any = true;
		if (r->at < r->end && !read_char(r, ' '))
			return false;
	}
	if (months != (int32_t) months || days != (int32_t) days)
		return false;
	out->months = (int32_t) months;
	out->days = (int32_t) days;
	return has_any;
}

static bool
read_char(Reader *r, char c)
{
	if (r->at >= r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* A number of so many digits. */
static bool
read_int(Reader *r, int least, int most, int64_t *out)
{
	int count = 0;

	for (*out = 0; r->at < r->end && count < most && *r->at >= '0' && *r->at <= '9'; count++)
		*out = *out * 10 + (*r->at++ - '0');
	return count >= least;
}

static bool
read_word(Reader *r, const char *word)
{
	size_t length = strlen(word);

	if ((size_t) (r->end - r->at) < length || memcmp(r->at, word, length) != 0)
		return false;
	r->at += length;
	return true;
}

static bool
is_text(kn_str text, const char *word)
{
	return text.n == strlen(word) && memcmp(text.p, word, text.n) == 0;
}

static int
days_in(int64_t year, int64_t month)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return lengths[month - 1] + (month == 2 && is_leap);
}

/* Days since 1970-01-01, of any year; counted in years that begin in March. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (int) (of_year - (153 * m + 2) / 5 + 1);
	*month = (int) (m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

/* Into KN__TIME_ROOM bytes, as the server prints it where the time zone is UTC. */
size_t
kn__time_print(const kn_value *value, char *out)
{
	int64_t i = value->as.i;
	int64_t most = value->type == KN_TYPE_DATE ? KN_DATE_INFINITY : KN_TIME_INFINITY;
	int64_t days = (int32_t) i; /* of a date: more than that it cannot have */
	int64_t clock = 0;
	int64_t year;
	int month;
	int day;
	int length;

	if (value->type == KN_TYPE_TIME)
		return (size_t) print_clock(out, KN__TIME_ROOM, i);
	if (value->type == KN_TYPE_INTERVAL)
	{
		const kn_interval *v = &value->as.interval;

		if (is_interval(v, &most_interval) || is_interval(v, &least_interval))
			return (size_t) snprintf(out, KN__TIME_ROOM, "%sinfinity", v->days < 0 ? "-" : "");
		/* As ISO 8601 has no sign for each part of a clock's time: all of it in seconds. */
		return (size_t) snprintf(
			out,
			KN__TIME_ROOM,
			"%lld mons %lld days %s%llu.%06llu secs",
			(long long) v->months,
			(long long) v->days,
			v->usec < 0 ? "-" : "",
			(unsigned long long) ((v->usec < 0 ? -(uint64_t) v->usec : (uint64_t) v->usec) /
								  USEC_PER_S),
			(unsigned long long) ((v->usec < 0 ? -(uint64_t) v->usec : (uint64_t) v->usec) %
								  USEC_PER_S));
	}
	if (i == most || i == -most)
		return (size_t) snprintf(out, KN__TIME_ROOM, "%sinfinity", i < 0 ? "-" : "");
	if (value->type != KN_TYPE_DATE)
	{
		days = i / KN__USEC_PER_DAY - (i % KN__USEC_PER_DAY < 0);
		clock = i % KN__USEC_PER_DAY + (i % KN__USEC_PER_DAY < 0 ? KN__USEC_PER_DAY : 0);
	}
	date_of(days, &year, &month, &day);
	length = snprintf(out,
					  KN__TIME_ROOM,
					  "%04lld-%02d-%02d",
					  (long long) (year > 0 ? year : 1 - year),
					  month,
					  day);
	if (value->type != KN_TYPE_DATE)
	{
		out[length++] = ' ';
		length += print_clock(out + length, KN__TIME_ROOM - (size_t) length, clock);
	}
	if (value->type == KN_TYPE_TIMESTAMPTZ)
		length += snprintf(out + length, KN__TIME_ROOM - (size_t) length, "+00");
	if (year <= 0)
		length += snprintf(out + length, KN__TIME_ROOM - (size_t) length, " BC");
	return (size_t) length;
}

static bool
is_interval(const kn_interval *a, const kn_interval *b)
{
	return a->usec == b->usec && a->days == b->days && a->months == b->months;
}

static int
print_clock(char *out, size_t room, int64_t usec)
{
	int64_t seconds = usec / USEC_PER_S;
	int part = (int) (usec % USEC_PER_S);
	int length = snprintf(out,
						  room,
						  "%02d:%02d:%02d",
						  (int) (seconds / 3600),
						  (int) (seconds / 60 % 60),
						  (int) (seconds % 60));

	if (part == 0)
		return length;
	length += snprintf(out + length, room - (size_t) length, ".%06d", part);
	while (out[length - 1] == '0')
		out[--length] = '\0';
	return length;
}
