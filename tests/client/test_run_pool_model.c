/*
 * test_run_pool_model.c
 *		Many threads do to a pool whatever comes to their minds, and it stays what it is.
 *
 * The model is small: a member has one holder at a time; one that is closed is
 * closed once, and nobody holds it; what was opened is closed in the end; nobody
 * waits while one is idle; the sums of the statistics agree with what the
 * threads have seen.  Run under thread sanitizer, it is also the proof that
 * the pool is free of races.
 */
#include "pool_fake.h"

#define THREADS 8
#define STEPS   (is_slow() ? 100 : 2000)

typedef struct actor
{
	pthread_t thread;
	kn__pool *pool;
	fake *f;
	uint32_t random;
	_Atomic(bool) is_cancelled;
	struct actor *others;
	/* What it has seen. */
	uint64_t taken, timeouts, refused, cancelled, broken;
} actor;

static uint32_t
roll(actor *self, uint32_t sides)
{
	self->random = self->random * 1664525 + 1013904223;
	return (self->random >> 8) % sides;
}

/* A connection that is not what it was until a worker or a taker sees it. */
static void
use(actor *self, kn__member *member)
{
	fake_member *fake = (fake_member *) member;

	ck_assert_int_eq(atomic_fetch_add(&fake->holders, 1), 0);
	atomic_store(&member->last_sql, "SELECT 1");
	if (roll(self, 4) == 0)
		sched_yield();
	if (roll(self, 50) == 0)
		atomic_store(&fake->is_dead, true);
	ck_assert_int_eq(atomic_fetch_sub(&fake->holders, 1), 1);
}

static void
take_and_give(actor *self)
{
	int64_t now = atomic_load(&self->f->now);
	int64_t deadline = roll(self, 3) == 0 ? now + (int64_t) roll(self, 3000000) : KN__NEVER;
	bool is_broken = roll(self, 40) == 0;
	kn__member *member;
	kn__fault fault;

	atomic_store(&self->is_cancelled, false);
	switch (kn__pool_take(self->pool,
						  deadline,
						  "model.c",
						  1,
						  (const volatile bool *) &self->is_cancelled,
						  &member,
						  &fault))
	{
		case KN_OK:
			self->taken++;
			self->broken += is_broken;
			use(self, member);
			kn__pool_give(self->pool, member, is_broken ? KN__GIVE_BROKEN : KN__GIVE_CLEAN);
			break;
		case KN_TIMEOUT:
		case KN_POOL_TIMEOUT:
			self->timeouts++;
			break;
		case KN_POOL_FULL:
			self->refused++;
			break;
		case KN_CANCELED:
			self->cancelled++;
			break;
		case KN_CONN_LOST:
			break;
		default:
			ck_abort_msg("%s", fault.error.message);
	}
}

static void *
act(void *argument)
{
	actor *self = argument;
	char buffer[300];

	for (int i = 0; i < STEPS; i++)
	{
		switch (roll(self, 40))
		{
			case 0:
				fake_advance(self->f, self->pool, roll(self, 20));
				break;
			case 1:
				atomic_store(&self->others[roll(self, THREADS)].is_cancelled, true);
				kn__pool_wake(self->pool);
				break;
			case 2:
				(void) kn__pool_dump(self->pool, buffer, sizeof(buffer));
				break;
			case 3:
				ck_assert_int_le(pool_stats(self->pool).total, 4);
				break;
			case 4:
				if (roll(self, 10) == 0)
					kn__pool_renew(self->pool);
				break;
			case 5:
				fake_set_status(self->f, roll(self, 4) == 0 ? KN_CONN_LOST : KN_OK);
				break;
			default:
				take_and_give(self);
				break;
		}
	}
	return NULL;
}

/* Time goes on as long as somebody acts, or a pause after a failure would never end. */
static void *
tick(void *argument)
{
	actor *first = argument;
	int ticks = 0;

	while (!atomic_load(&first->is_cancelled))
	{
		fake_advance(first->f, first->pool, 1);
		/* No outage lasts, or those without a deadline would wait for ever. */
		if (++ticks % 16 == 0)
			fake_set_status(first->f, KN_OK);
		sched_yield();
	}
	return NULL;
}

static void
run_model(const kn__pool_options *options, uint32_t seed)
{
	fake f;
	kn__pool *pool;
	actor actors[THREADS];
	actor ticker = { .f = &f };
	uint64_t taken = 0, timeouts = 0, refused = 0, broken = 0;
	kn_stats stats;

	fake_init(&f, 4);
	f.options = *options;
	f.options.clock = &f.clock;
	pool = fake_pool(&f);
	ticker.pool = pool;
	ck_assert_int_eq(pthread_create(&ticker.thread, NULL, tick, &ticker), 0);
	for (int i = 0; i < THREADS; i++)
	{
		memset(&actors[i], 0, sizeof(actors[i]));
		actors[i].pool = pool;
		actors[i].f = &f;
		actors[i].random = seed * 1000 + (uint32_t) i;
		actors[i].others = actors;
	}
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&actors[i].thread, NULL, act, &actors[i]), 0);
	for (int i = 0; i < THREADS; i++)
	{
		pthread_join(actors[i].thread, NULL);
		taken += actors[i].taken;
		timeouts += actors[i].timeouts;
		refused += actors[i].refused;
		broken += actors[i].broken;
	}
	atomic_store(&ticker.is_cancelled, true);
	pthread_join(ticker.thread, NULL);
	stats = pool_stats(pool);
	ck_assert_int_eq(stats.waiting, 0);
	ck_assert_int_eq(stats.busy, 0);
	ck_assert_int_eq(stats.acquires, taken);
	ck_assert_int_eq(stats.timeouts, timeouts);
	ck_assert_int_eq(stats.refused, refused);
	ck_assert_int_ge(stats.closed_broken, broken);
	ck_assert_int_gt(taken, 0);
	fake_end(&f, pool);
}

static const kn__pool_options models[] = {
	/* nothing but taking and giving */
	{ .max = 4,
	  .max_opening = 2,
	  .acquire_ms = -1,
	  .connect_ms = -1,
	  .idle_ms = -1,
	  .lifetime_ms = -1,
	  .keepalive_ms = -1,
	  .leak_ms = -1 },
	/* one connection for all */
	{ .max = 1,
	  .max_opening = 1,
	  .acquire_ms = 1000,
	  .connect_ms = -1,
	  .idle_ms = 50,
	  .lifetime_ms = 300,
	  .keepalive_ms = 10,
	  .leak_ms = 5 },
	/* all workers have to do */
	{ .min = 2,
	  .max = 4,
	  .max_opening = 2,
	  .max_waiters = 3,
	  .acquire_ms = 20,
	  .connect_ms = 10,
	  .idle_ms = 10,
	  .lifetime_ms = 40,
	  .keepalive_ms = 3,
	  .leak_ms = 2 },
	{ .min = 4,
	  .max = 4,
	  .max_opening = 4,
	  .acquire_ms = 500,
	  .connect_ms = 10,
	  .idle_ms = 1,
	  .lifetime_ms = 10,
	  .keepalive_ms = 1,
	  .leak_ms = 1 },
};

START_TEST(stays_what_it_is)
{
	for (uint32_t seed = 1; seed <= 3; seed++)
		run_model(&models[_i], seed);
}
END_TEST

/* Takes and gives by the system's clock; nobody wakes it but who gives something back. */
static void *
insist(void *argument)
{
	actor *self = argument;

	for (int i = 0; i < STEPS; i++)
	{
		kn__member *member = take(self->pool);

		use(self, member);
		kn__pool_give(self->pool, member, roll(self, 100) == 0 ? KN__GIVE_BROKEN : KN__GIVE_CLEAN);
	}
	return NULL;
}

/* A lost wakeup would let this wait for ever. */
START_TEST(nobody_is_forgotten)
{
	fake f;
	kn__pool *pool;
	actor actors[THREADS];

	fake_init(&f, 1 + _i);
	f.options.clock = NULL;
	f.options.acquire_ms = -1;
	pool = fake_pool(&f);
	for (int i = 0; i < THREADS; i++)
	{
		memset(&actors[i], 0, sizeof(actors[i]));
		actors[i].pool = pool;
		actors[i].random = (uint32_t) (i + 1) * 12345;
		ck_assert_int_eq(pthread_create(&actors[i].thread, NULL, insist, &actors[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(actors[i].thread, NULL);
	ck_assert_int_eq(pool_stats(pool).acquires, THREADS * STEPS);
	ck_assert_int_eq(pool_stats(pool).busy, 0);
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, nobody_is_forgotten, 0, 4);
	LOOP(tcase, stays_what_it_is, models);
}

int
main(void)
{
	return suite_run("run_pool_model", fill);
}
