/*
 * test_run_prometheus.c
 *		The text that Prometheus reads: each family once, labels escaped, buckets that add up.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kints/observe.h"
#include "suite.h"

static char text[40000];

static kn_stats
stats_of(const char *host)
{
	return (kn_stats){ .size = sizeof(kn_stats), .host = host, .lag_us = -1, .is_primary = true };
}

static void
print(const char *name, const kn_stats *stats, int count)
{
	size_t n = kn_prometheus(name, stats, count, text, sizeof(text));

	ck_assert_uint_lt(n, sizeof(text));
	ck_assert_uint_eq(n, strlen(text));
}

/* Whether a whole line of the text is this one. */
static bool
has_line(const char *line)
{
	size_t n = strlen(line);

	for (const char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n'), p += p != NULL ? 1 : 0)
	{
		if (strncmp(p, line, n) == 0 && p[n] == '\n')
			return true;
	}
	return false;
}

START_TEST(figures)
{
	kn_stats stats[2] = { stats_of("a"), stats_of("b") };

	stats[0].idle = 3;
	stats[0].busy = 2;
	stats[0].queries = UINT64_MAX;
	stats[0].breaker = KN_BREAKER_OPEN;
	stats[1].is_primary = false;
	stats[1].lag_us = 1234567;
	stats[1].closed_broken = 4;
	stats[1].hedges = 6;
	stats[1].hedges_won = 5;
	stats[1].lingering = 7;
	stats[1].busy_ns = 3000000001;
	stats[1].open_ns = 20000000;
	print("shop", stats, 2);
	ck_assert(has_line("# TYPE kints_connections gauge"));
	/* What a server is may change, and its counters go on. */
	ck_assert(has_line("kints_primary{name=\"shop\",server=\"0\",host=\"a\"} 1"));
	ck_assert(has_line("kints_primary{name=\"shop\",server=\"1\",host=\"b\"} 0"));
	ck_assert(
		has_line("kints_connections{name=\"shop\",server=\"0\",host=\"a\",state=\"idle\"} 3"));
	ck_assert(
		has_line("kints_connections{name=\"shop\",server=\"0\",host=\"a\",state=\"busy\"} 2"));
	ck_assert(has_line(
		"kints_queries_total{name=\"shop\",server=\"0\",host=\"a\"} 18446744073709551615"));
	ck_assert(
		has_line("kints_breaker_state{name=\"shop\",server=\"0\",host=\"a\",state=\"open\"} 1"));
	ck_assert(
		has_line("kints_breaker_state{name=\"shop\",server=\"0\",host=\"a\",state=\"closed\"} 0"));
	ck_assert(
		has_line("kints_breaker_state{name=\"shop\",server=\"1\",host=\"b\",state=\"closed\"} 1"));
	ck_assert(
		has_line("kints_replica_lag_seconds{name=\"shop\",server=\"1\",host=\"b\"} 1.234567000"));
	ck_assert(has_line("kints_hedges_total{name=\"shop\",server=\"1\",host=\"b\"} 6"));
	ck_assert(has_line("kints_hedges_won_total{name=\"shop\",server=\"1\",host=\"b\"} 5"));
	ck_assert(has_line("kints_connections_lingering{name=\"shop\",server=\"1\",host=\"b\"} 7"));
	ck_assert(has_line("# TYPE kints_connections_busy_seconds_total counter"));
	ck_assert(has_line(
		"kints_connections_busy_seconds_total{name=\"shop\",server=\"1\",host=\"b\"} 3.000000001"));
	ck_assert(has_line(
		"kints_connections_opening_seconds_total{name=\"shop\",server=\"1\",host=\"b\"} 0.020000000"));
	ck_assert_ptr_null(strstr(text, "kints_replica_lag_seconds{name=\"shop\",server=\"0\""));
	ck_assert(has_line(
		"kints_connections_closed_total{name=\"shop\",server=\"1\",host=\"b\",reason=\"broken\"} 4"));
}
END_TEST

/* Each figure has a name of its own, and none stands under that of another. */
START_TEST(figures_have_their_names)
{
	static const struct
	{
		const char *name;
		const char *label;
		int number;
	} samples[] = {
		{ "connections", ",state=\"idle\"", 11 },
		{ "connections", ",state=\"busy\"", 12 },
		{ "connections", ",state=\"opening\"", 13 },
		{ "connections_max", "", 14 },
		{ "waiting", "", 15 },
		{ "connections_lingering", "", 16 },
		{ "acquires_total", "", 17 },
		{ "acquire_timeouts_total", "", 18 },
		{ "acquires_refused_total", "", 19 },
		{ "connections_opened_total", "", 20 },
		{ "connections_failed_total", "", 21 },
		{ "connections_closed_total", ",reason=\"idle\"", 22 },
		{ "connections_closed_total", ",reason=\"old\"", 23 },
		{ "connections_closed_total", ",reason=\"broken\"", 24 },
		{ "leaks_total", "", 25 },
		{ "queries_total", "", 26 },
		{ "errors_total", "", 27 },
		{ "retries_total", "", 28 },
		{ "retries_denied_total", "", 29 },
		{ "hedges_total", "", 30 },
		{ "hedges_won_total", "", 31 },
		{ "breaker_refused_total", "", 32 },
		{ "breaker_opened_total", "", 33 },
	};
	kn_stats stats = stats_of("h");
	char line[200];

	stats.idle = 11;
	stats.busy = 12;
	stats.opening = 13;
	stats.max = 14;
	stats.waiting = 15;
	stats.lingering = 16;
	stats.acquires = 17;
	stats.timeouts = 18;
	stats.refused = 19;
	stats.opened = 20;
	stats.failed_to_open = 21;
	stats.closed_idle = 22;
	stats.closed_old = 23;
	stats.closed_broken = 24;
	stats.leaks = 25;
	stats.queries = 26;
	stats.errors = 27;
	stats.retries = 28;
	stats.retries_denied = 29;
	stats.hedges = 30;
	stats.hedges_won = 31;
	stats.breaker_refused = 32;
	stats.breaker_opened = 33;
	print("n", &stats, 1);
	for (int i = 0; i < COUNT(samples); i++)
	{
		(void) snprintf(line,
						sizeof(line),
						"kints_%s{name=\"n\",server=\"0\",host=\"h\"%s} %d",
						samples[i].name,
						samples[i].label,
						samples[i].number);
		ck_assert_msg(has_line(line), "%s", line);
	}
}
END_TEST

START_TEST(labels_are_escaped)
{
	kn_stats stats = stats_of("C:\\h\"\n");

	print("\xc3\xa9", &stats, 1);
	ck_assert(has_line("kints_waiting{name=\"\xc3\xa9\",server=\"0\",host=\"C:\\\\h\\\"\\n\"} 0"));
	/* JSON's mending, here as well: the format is UTF-8. */
	stats.host = "h";
	print(
		"a\xff"
		"b\xe2\x82",
		&stats,
		1);
	ck_assert(
		has_line("kints_waiting{name=\"a\xef\xbf\xbd"
				 "b\xef\xbf\xbd\xef\xbf\xbd\",server=\"0\",host=\"h\"} 0"));
	stats.host = NULL;
	print("n", &stats, 1);
	ck_assert(has_line("kints_waiting{name=\"n\",server=\"0\",host=\"\"} 0"));
}
END_TEST

START_TEST(buckets_add_up)
{
	kn_stats stats = stats_of("h");

	stats.wait_histogram[0] = 1;
	stats.wait_histogram[10] = 2;
	stats.wait_histogram[31] = 4;
	stats.wait_ns = 2000000005;
	print("n", &stats, 1);
#define BUCKET(le) \
	"kints_acquire_wait_seconds_bucket{name=\"n\",server=\"0\",host=\"h\",le=\"" le "\"} "
	ck_assert(has_line("# TYPE kints_acquire_wait_seconds histogram"));
	ck_assert(has_line(BUCKET("0.000001000") "1"));
	ck_assert(has_line(BUCKET("0.000512000") "1"));
	ck_assert(has_line(BUCKET("0.001024000") "3"));
	ck_assert(has_line(BUCKET("1073.741824000") "3"));
	ck_assert(has_line(BUCKET("+Inf") "7"));
	ck_assert(
		has_line("kints_acquire_wait_seconds_sum{name=\"n\",server=\"0\",host=\"h\"} 2.000000005"));
	ck_assert(has_line("kints_acquire_wait_seconds_count{name=\"n\",server=\"0\",host=\"h\"} 7"));
}
END_TEST

/*
 * As a scraper reads it: each family is announced once, by HELP and TYPE, and all its samples come
 * behind that, before the next one; no sample is there twice.  Returns how many there are.
 */
static int
parse(void)
{
	static const char *families[100];
	static const char *samples[1000];
	int family_count = 0;
	int count = 0;
	size_t n = 0;

	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
	{
		if (strncmp(line, "# HELP ", 7) == 0)
		{
			const char *family = line + 7;

			n = strcspn(family, " ");
			for (int i = 0; i < family_count; i++)
				ck_assert_msg(strncmp(families[i], family, n + 1) != 0, "%s: again", family);
			ck_assert_int_lt(family_count, COUNT(families));
			families[family_count++] = family;
			line = strtok(NULL, "\n");
			ck_assert_int_eq(strncmp(line, "# TYPE ", 7), 0);
			ck_assert_int_eq(strncmp(line + 7, family, n + 1), 0);
			continue;
		}
		ck_assert_int_gt(family_count, 0);
		ck_assert_int_eq(strncmp(line, families[family_count - 1], n), 0);
		*strstr(line, "} ") = '\0';
		for (int i = 0; i < count; i++)
			ck_assert_str_ne(samples[i], line);
		ck_assert_int_lt(count, COUNT(samples));
		samples[count++] = line;
	}
	return count;
}

#define A_SERVER (3 + 3 + 3 + 18 + 2 + 34) /* samples, if it is no replica */

START_TEST(families_stay_together)
{
	kn_stats stats[3] = { stats_of("a"), stats_of("b"), stats_of("c") };

	print("n", stats, 3);
	ck_assert_int_eq(parse(), 3 * A_SERVER);
}
END_TEST

START_TEST(handles_share_a_page)
{
	kn_stats a[2] = { stats_of("a"), stats_of("b") };
	kn_stats b[1] = { stats_of("a") };
	const kn_prometheus_handle handles[] = { { .name = "shop", .stats = a, .count = 2 },
											 { .name = "none" },
											 { .name = "stock", .stats = b, .count = 1 } };
	size_t n = kn_prometheus_page(handles, COUNT(handles), text, sizeof(text));

	ck_assert_uint_eq(n, strlen(text));
	ck_assert(has_line("kints_waiting{name=\"shop\",server=\"1\",host=\"b\"} 0"));
	ck_assert(has_line("kints_waiting{name=\"stock\",server=\"0\",host=\"a\"} 0"));
	ck_assert_int_eq(parse(), 3 * A_SERVER);
	/* One is what it is alone. */
	(void) kn_prometheus_page(handles, 1, text, sizeof(text));
	ck_assert_int_eq(parse(), 2 * A_SERVER);
	n = kn_prometheus("shop", a, 2, NULL, 0);
	ck_assert_uint_eq(kn_prometheus_page(handles, 1, NULL, 0), n);
	/* Without any there are no samples. */
	ck_assert_uint_gt(kn_prometheus_page(NULL, 0, text, sizeof(text)), 0);
	ck_assert_int_eq(parse(), 0);
}
END_TEST

/* The elements of a program's array are as large as it says, and have no more than that in them. */
START_TEST(structs_of_other_versions)
{
	const size_t older = offsetof(kn_stats, hedges);
	const size_t newer = sizeof(kn_stats) + 16;
	const size_t sizes[] = { older, sizeof(kn_stats), newer };

	for (int i = 0; i < COUNT(sizes); i++)
	{
		/* Not a byte more, so that who reads past it is seen. */
		char *array = malloc(2 * sizes[i]);

		ck_assert_ptr_nonnull(array);
		memset(array, 0xA5, 2 * sizes[i]);
		for (int j = 0; j < 2; j++)
		{
			kn_stats stats = stats_of(j == 0 ? "a" : "b");

			stats.size = sizes[i];
			stats.idle = 3 + j;
			stats.hedges = 5;
			memcpy(array + (size_t) j * sizes[i],
				   &stats,
				   sizes[i] < sizeof(stats) ? sizes[i] : sizeof(stats));
		}
		print("n", (const kn_stats *) (const void *) array, 2);
		free(array);
		ck_assert(
			has_line("kints_connections{name=\"n\",server=\"0\",host=\"a\",state=\"idle\"} 3"));
		ck_assert(
			has_line("kints_connections{name=\"n\",server=\"1\",host=\"b\",state=\"idle\"} 4"));
		ck_assert(has_line("kints_hedges_total{name=\"n\",server=\"1\",host=\"b\"} 5") ==
				  (sizes[i] > older));
		ck_assert_int_eq(parse(), 2 * (sizes[i] > older ? A_SERVER : A_SERVER - 7));
	}
}
END_TEST

/* What has no size has nothing to say. */
START_TEST(sizes_are_filled_in)
{
	kn_stats stats[2] = { { 0 } };

	print("n", stats, 2);
	ck_assert_int_eq(parse(), 0);
	print("n", stats, -1);
	ck_assert_int_eq(parse(), 0);
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
	kn_stats stats = stats_of("h");
	char small[8];
	size_t n = kn_prometheus("n", &stats, 1, NULL, 0);

	print("n", &stats, 1);
	ck_assert_uint_eq(n, strlen(text));
	ck_assert_uint_eq(kn_prometheus("n", &stats, 1, small, sizeof(small)), n);
	ck_assert_str_eq(small, "# HELP ");
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, figures);
	tcase_add_test(tcase, figures_have_their_names);
	tcase_add_test(tcase, labels_are_escaped);
	tcase_add_test(tcase, buckets_add_up);
	tcase_add_test(tcase, families_stay_together);
	tcase_add_test(tcase, handles_share_a_page);
	tcase_add_test(tcase, structs_of_other_versions);
	tcase_add_test(tcase, sizes_are_filled_in);
	tcase_add_test(tcase, what_does_not_fit_is_cut);
}

int
main(void)
{
	return suite_run("run_prometheus", fill);
}
