/*
 * bench.h
 *		What the benches of the client and of its peers have in common: the tables, and how their
 *		values look on the way.
 */
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_ROWS "SELECT amount, name, price, made_at, id FROM bench_row"

/* Makes the tables anew. */
#define BENCH_TABLES                                                                   \
	"DROP TABLE IF EXISTS bench_item, bench_row, bench_bulk;"                          \
	"CREATE UNLOGGED TABLE bench_item (id bigint PRIMARY KEY, name text NOT NULL);"    \
	"INSERT INTO bench_item SELECT i, 'name ' || i FROM generate_series(1, 1000) i;"   \
	"CREATE UNLOGGED TABLE bench_row"                                                  \
	" (amount integer, name text, price float8, made_at timestamptz, id bigint);"      \
	"INSERT INTO bench_row SELECT i % 1000, 'name ' || i, i * 0.37,"                   \
	" timestamptz '2026-01-01 00:00+00' + i * interval '1.37 s', i"                    \
	" FROM generate_series(1, 1000000) i;"                                             \
	"CREATE UNLOGGED TABLE bench_bulk (amount integer, name text, price float8);"      \
	"DO $$ BEGIN CREATE ROLE bench_role; EXCEPTION WHEN duplicate_object THEN END $$;" \
	"GRANT SELECT ON bench_item TO bench_role"

/* Claims and the role, as three pairs of parameters. */
#define BENCH_SETTINGS                                           \
	"SELECT set_config($1, $2, true), set_config($3, $4, true)," \
	" set_config($5, $6, true)"

/* The integer that eight bytes of the wire are. */
static inline int64_t
bench_integer_at(const char *bytes)
{
	uint32_t halves[2];

	memcpy(halves, bytes, sizeof(halves));
	return (int64_t) ((uint64_t) ntohl(halves[0]) << 32 | ntohl(halves[1]));
}

/* The eight bytes of an integer. */
static inline void
bench_put_integer(char *bytes, int64_t value)
{
	uint32_t halves[2] = { htonl((uint32_t) ((uint64_t) value >> 32)), htonl((uint32_t) value) };

	memcpy(bytes, halves, sizeof(halves));
}

/* Two digits, as time stamps have them. */
static inline int
bench_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* Microseconds since 1970 of what the server prints of a time in UTC: 2026-01-31 12:34:56.789+00.
 */
static inline int64_t
bench_time(const char *text)
{
	int month = bench_digits(text + 5);
	int year = bench_digits(text) * 100 + bench_digits(text + 2) - (month <= 2);
	int days = 365 * year + year / 4 - year / 100 + year / 400 +
			   (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + bench_digits(text + 8) - 1 - 719468;
	int64_t seconds = ((int64_t) days * 24 + bench_digits(text + 11)) * 3600 +
					  bench_digits(text + 14) * 60 + bench_digits(text + 17);
	int64_t usec = 0;
	int64_t unit = 100000;

	for (text += 20; text[-1] != '+' && *text >= '0' && *text <= '9'; text++, unit /= 10)
		usec += unit * (*text - '0');
	return seconds * 1000000 + usec;
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Sorts them. */
static inline double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), bench_compare);
	return values[count / 2];
}

#endif
