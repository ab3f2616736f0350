/*
 * pool.c
 *		What the pool of connections costs, and how fair it is.  No server is needed.
 *
 * Prints a line a figure: name, value, unit, goal, and "ok" or "short", separated by tabs;
 * the last two are "-" where nothing is aimed at.  Values are medians of five rounds.
 *
 *	 pool.pair.1        processor time to take an idle connection and give it back, one thread; the
 *	                    time of day is the caller's, as it is when a call does it
 *	 pool.pair.8        the same with eight threads and eight connections
 *	 pool.pair.8_on_4   the same with four connections
 *	 pool.pair.clock    with one thread, and the clock looked at each time, as a call does for
 *	                    its own ends
 *	 pool.fairness      32 threads on 4 connections, each held for some 50 microseconds:
 *	                    how often the luckiest thread got one, over the unluckiest
 *	 pool.longest_wait  the longest that any of the 32 waited
 *	 pool.handed_out    how many connections a second they got together
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "run/pool.h"

#include <pthread.h>

#define ROUNDS      5
#define PAIRS       1000000
#define MAX_THREADS 32
#define HOLD_NS     50000
#define FAIR_NS     (KN__NS_PER_S / 2)

typedef struct thread
{
	pthread_t id;
	kn__pool *pool;
	pthread_barrier_t *start;
	long pairs; /* to be done; 0: until the time is over */
	long done;
	int64_t longest;
} thread;

static kn_status
open_member(void *user, int64_t deadline, kn__member **out, kn__fault *fault)
{
	(void) user;
	(void) deadline;
	(void) fault;
	*out = aligned_alloc(64, 128);
	return *out == NULL ? KN_NO_MEMORY : KN_OK;
}

static void
free_member(void *user, kn__member *member)
{
	(void) user;
	free(member);
}

static bool
is_alive(void *user, kn__member *member)
{
	(void) user;
	(void) member;
	return true;
}

static bool
keep_alive(void *user, kn__member *member, int64_t deadline)
{
	(void) user;
	(void) member;
	(void) deadline;
	return true;
}

static kn__pool *
make_pool(int size)
{
	const kn__driver driver = {
		.open = open_member,
		.close = free_member,
		.is_alive = is_alive,
		.keep_alive = keep_alive,
		.forget = free_member,
	};
	const kn__pool_options options = {
		.min = size,
		.max = size,
		.max_opening = 2,
		.acquire_ms = 60000,
		.connect_ms = 5000,
		.idle_ms = 600000,
		.lifetime_ms = 1800000,
		.keepalive_ms = -1,
		.leak_ms = -1,
	};
	kn__pool *pool;
	kn_stats stats = { 0 };

	if (kn__pool_new(&pool, &options, &driver) != KN_OK)
		exit(EXIT_FAILURE);
	for (; stats.idle < size; kn__pool_stats(pool, &stats))
		sched_yield();
	return pool;
}

static int64_t
cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (int64_t) time.tv_sec * KN__NS_PER_S + time.tv_nsec;
}

static kn__member *
take(kn__pool *pool, kn__fault *fault)
{
	kn__member *member;

	if (kn__pool_take(pool, KN__NEVER, __FILE__, __LINE__, NULL, &member, fault) != KN_OK)
	{
		fprintf(stderr, "pool: %s\n", fault->error.message);
		exit(EXIT_FAILURE);
	}
	return member;
}

static void *
run_pairs(void *argument)
{
	thread *self = argument;
	kn__fault fault;
	int64_t now = kn__coarse(NULL);

	pthread_barrier_wait(self->start);
	for (; self->done < self->pairs; self->done++)
	{
		kn__member *member = kn__pool_take_idle(self->pool, now, __FILE__, __LINE__);

		if (member == NULL)
			member = take(self->pool, &fault);
		kn__pool_give_at(self->pool, member, KN__GIVE_CLEAN, now);
	}
	return NULL;
}

static void *
run_timed_pairs(void *argument)
{
	thread *self = argument;
	kn__fault fault;

	pthread_barrier_wait(self->start);
	for (; self->done < self->pairs; self->done++)
		kn__pool_give(self->pool, take(self->pool, &fault), KN__GIVE_CLEAN);
	return NULL;
}

static void *
run_fair(void *argument)
{
	const struct timespec hold = { 0, HOLD_NS };
	thread *self = argument;
	kn__fault fault;
	int64_t now;
	int64_t end;

	pthread_barrier_wait(self->start);
	now = kn__now(NULL);
	end = now + FAIR_NS;
	while (now < end)
	{
		kn__member *member = take(self->pool, &fault);
		int64_t waited = kn__now(NULL) - now;

		self->longest = waited > self->longest ? waited : self->longest;
		self->done++;
		nanosleep(&hold, NULL);
		kn__pool_give(self->pool, member, KN__GIVE_CLEAN);
		now = kn__now(NULL);
	}
	return NULL;
}

static void
run(thread *threads, int count, int size, long pairs, void *(*body)(void *) )
{
	kn__pool *pool = make_pool(size);
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, (unsigned) count);
	for (int i = 0; i < count; i++)
	{
		threads[i] = (thread){ .pool = pool, .start = &start, .pairs = pairs };
		if (pthread_create(&threads[i].id, NULL, body, &threads[i]) != 0)
			exit(EXIT_FAILURE);
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i].id, NULL);
	pthread_barrier_destroy(&start);
	kn__pool_drain(pool, KN__NEVER);
	kn__pool_free(pool);
}

static double
time_pairs(int count, int size, void *(*body)(void *) )
{
	thread threads[MAX_THREADS];
	int64_t before = cpu_time();

	run(threads, count, size, PAIRS, body);
	return (double) (cpu_time() - before) / ((double) PAIRS * count);
}

static void
measure_fairness(double *ratio, double *longest_ms, double *rate)
{
	thread threads[MAX_THREADS];
	long most = 0;
	long least = 0;
	long all = 0;
	int64_t longest = 0;

	run(threads, MAX_THREADS, 4, 0, run_fair);
	for (int i = 0; i < MAX_THREADS; i++)
	{
		most = threads[i].done > most ? threads[i].done : most;
		least = i == 0 || threads[i].done < least ? threads[i].done : least;
		longest = threads[i].longest > longest ? threads[i].longest : longest;
		all += threads[i].done;
	}
	*ratio = (double) most / (double) least;
	*longest_ms = (double) longest / KN__NS_PER_MS;
	*rate = (double) all * KN__NS_PER_S / FAIR_NS;
}

/* A goal of 0: there is none. */
static void
print(const char *name, double *values, const char *unit, double goal)
{
	double value = bench_median(values, ROUNDS);

	(void) printf("%s\t%.2f\t%s\t", name, value, unit);
	if (goal > 0)
		(void) printf("<= %g\t%s\n", goal, value <= goal ? "ok" : "short");
	else
		(void) puts("-\t-");
}

int
main(void)
{
	double one[ROUNDS];
	double eight[ROUNDS];
	double eight_on_4[ROUNDS];
	double timed[ROUNDS];
	double ratio[ROUNDS];
	double longest[ROUNDS];
	double rate[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
	{
		one[i] = time_pairs(1, 1, run_pairs);
		eight[i] = time_pairs(8, 8, run_pairs);
		eight_on_4[i] = time_pairs(8, 4, run_pairs);
		timed[i] = time_pairs(1, 1, run_timed_pairs);
		measure_fairness(&ratio[i], &longest[i], &rate[i]);
	}
	print("pool.pair.1", one, "ns", 25);
	print("pool.pair.8", eight, "ns", 25);
	print("pool.pair.8_on_4", eight_on_4, "ns", 0);
	print("pool.pair.clock", timed, "ns", 0);
	print("pool.fairness", ratio, "ratio", 3);
	print("pool.longest_wait", longest, "ms", 0);
	print("pool.handed_out", rate, "/s", 0);
	return EXIT_SUCCESS;
}
