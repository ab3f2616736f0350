/*
 * pool_fake.h
 *		A pool without a server: connections that are numbers, and a clock that is told the time.
 *
 * Nothing here sleeps: threads wait for each other by conditions, or look again
 * and again until the pool says what they wait for.
 */
#ifndef KN_TESTS_POOL_FAKE_H
#define KN_TESTS_POOL_FAKE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/pool.h"
#include "suite.h"

typedef struct fake_member
{
	kn__member head; /* first */
	int serial;      /* from 1, in the order of opening */
	_Atomic(bool) is_dead;
	_Atomic(int) holders; /* by the test's account */
} fake_member;

typedef struct fake
{
	kn__driver driver;
	kn__pool_options options;
	kn_clock clock;
	_Atomic(int64_t) now;
	int64_t haste; /* by so many nanoseconds it goes on with each look at it */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* With the lock held. */
	int opened, closed, forgotten, opening, most_opening, kept_alive, leaks, attempts;
	char news[2000]; /* what was reported, a line each: see fake_report() */
	bool is_gated;   /* opening waits for a permit */
	int permits;
	kn_status open_status;
	bool is_unkept;    /* keep_alive says no */
	bool is_slow;      /* keep_alive takes until this is over */
	bool is_stillborn; /* what is opened is dead at once */
	const char *where; /* they lead to */
	char leak[200];
	int64_t leak_held;
} fake;

static inline int64_t
fake_now(void *user)
{
	fake *f = user;

	return atomic_fetch_add(&f->now, f->haste);
}

static inline void
fake_lock(fake *f)
{
	pthread_mutex_lock(&f->lock);
}

static inline void
fake_unlock(fake *f)
{
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static inline kn_status
fake_open(void *user, int64_t deadline, kn__member **out, kn__fault *fault)
{
	fake *f = user;
	fake_member *member = NULL;
	kn_status status;

	(void) deadline;
	*out = NULL;
	fake_lock(f);
	f->attempts++;
	f->opening++;
	f->most_opening = f->opening > f->most_opening ? f->opening : f->most_opening;
	pthread_cond_broadcast(&f->changed);
	while (f->is_gated && f->permits == 0)
		pthread_cond_wait(&f->changed, &f->lock);
	f->permits -= f->is_gated;
	f->opening--;
	status = f->open_status;
	if (status == KN_OK)
	{
		member = calloc(1, sizeof(*member));
		member->serial = ++f->opened;
		atomic_init(&member->is_dead, f->is_stillborn);
		*out = &member->head;
	}
	else
	{
		kn__fail(fault,
				 status,
				 "%s",
				 status == KN_AUTH     ? "the server is strict"
				 : status == KN_CONFIG ? "there is no such database"
									   : "the server is down");
		strcpy(fault->error.sqlstate,
			   status == KN_AUTH     ? "28P01"
			   : status == KN_CONFIG ? "3D000"
									 : "");
		kn__fault_text(fault, &fault->error.detail, "It said so.");
		kn__fault_text(fault, &fault->error.hint, "Ask it.");
	}
	fake_unlock(f);
	return status;
}

static inline void
fake_close(void *user, kn__member *member)
{
	fake *f = user;

	free(member);
	fake_lock(f);
	f->closed++;
	fake_unlock(f);
}

static inline bool
fake_is_alive(void *user, kn__member *member)
{
	(void) user;
	return !atomic_load(&((fake_member *) member)->is_dead);
}

static inline bool
fake_keep_alive(void *user, kn__member *member, int64_t deadline)
{
	fake *f = user;
	bool is_kept;

	(void) deadline;
	(void) member;
	fake_lock(f);
	f->kept_alive++;
	pthread_cond_broadcast(&f->changed);
	while (f->is_slow)
		pthread_cond_wait(&f->changed, &f->lock);
	is_kept = !f->is_unkept;
	fake_unlock(f);
	return is_kept;
}

static inline void
fake_forget(void *user, kn__member *member)
{
	free(member);
	((fake *) user)->forgotten++; /* in a child there is one thread */
}

/* "kind serial status reason file:line took_ms", what there is of it. */
static inline void
fake_report(void *user, const kn__news *news)
{
	static const char *const kinds[] = { "opened", "open_failed", "closed",
										 "leaked", "waited",      "wait_failed" };
	fake *f = user;
	size_t length;

	fake_lock(f);
	if (news->kind == KN__NEWS_LEAKED)
	{
		f->leaks++;
		f->leak_held = news->took_ns;
		snprintf(f->leak,
				 sizeof(f->leak),
				 "%s:%d %s",
				 news->file,
				 news->line,
				 atomic_load(&news->member->last_sql));
	}
	length = strlen(f->news);
	snprintf(f->news + length,
			 sizeof(f->news) - length,
			 "%s %d %s %s %s:%d %d\n",
			 kinds[news->kind],
			 news->kind == KN__NEWS_OPENED || news->kind == KN__NEWS_CLOSED
				 ? ((const fake_member *) news->member)->serial
				 : 0,
			 news->fault == NULL ? "-" : kn_status_name(news->fault->error.status),
			 news->reason == NULL ? "-" : news->reason,
			 news->file == NULL ? "-" : news->file,
			 news->line,
			 (int) (news->took_ns / KN__NS_PER_MS));
	fake_unlock(f);
}

static inline const char *
fake_where(void *user)
{
	return ((fake *) user)->where;
}

/* Defaults: none at first, and at most so many; nothing is ever too old. */
static inline void
fake_init(fake *f, int max)
{
	*f = (fake){ 0 };
	f->driver = (kn__driver){ f,           fake_open,   fake_close, fake_is_alive, fake_keep_alive,
							  fake_forget, fake_report, fake_where, NULL,          NULL,
							  NULL };
	f->clock = (kn_clock){ fake_now, fake_now, f };
	f->options = (kn__pool_options){ .max = max,
									 .max_opening = 2,
									 .acquire_ms = 5000,
									 .connect_ms = 5000,
									 .idle_ms = -1,
									 .lifetime_ms = -1,
									 .keepalive_ms = -1,
									 .leak_ms = -1,
									 .slow_ms = -1,
									 .clock = &f->clock };
	atomic_store(&f->now, KN__NS_PER_S);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
}

static inline kn__pool *
fake_pool(fake *f)
{
	kn__pool *pool;

	ck_assert_int_eq(kn__pool_new(&pool, &f->options, &f->driver), KN_OK);
	return pool;
}

/* The end: everything that was opened is closed. */
static inline void
fake_end(fake *f, kn__pool *pool)
{
	ck_assert_int_eq(kn__pool_drain(pool, KN__NEVER), KN_OK);
	kn__pool_free(pool);
	ck_assert_int_eq(f->closed, f->opened);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
}

static inline kn_stats
pool_stats(kn__pool *pool)
{
	kn_stats stats = { 0 };

	kn__pool_stats(pool, &stats);
	return stats;
}

/* Waits until the pool's statistics are so: AWAIT(pool, waiting == 2). */
#define AWAIT(pool, condition) \
	do                         \
		sched_yield();         \
	while (!(pool_stats(pool).condition))

/* Waits until something of the fake is so. */
#define AWAIT_FAKE(f, condition)                          \
	do                                                    \
	{                                                     \
		pthread_mutex_lock(&(f)->lock);                   \
		while (!((f)->condition))                         \
			pthread_cond_wait(&(f)->changed, &(f)->lock); \
		pthread_mutex_unlock(&(f)->lock);                 \
	} while (0)

/* So many attempts to open go through. */
static inline void
fake_permit(fake *f, int permits)
{
	fake_lock(f);
	f->permits += permits;
	fake_unlock(f);
}

static inline void
fake_set_status(fake *f, kn_status status)
{
	fake_lock(f);
	f->open_status = status;
	fake_unlock(f);
}

/* The time goes on, and all who go by it look at the clock. */
static inline void
fake_advance(fake *f, kn__pool *pool, int64_t milliseconds)
{
	atomic_fetch_add(&f->now, milliseconds * KN__NS_PER_MS);
	kn__pool_wake(pool);
}

/* Looks at all members until something has come of it: a worker looks when it comes to it. */
#define ADVANCE_UNTIL(f, pool, milliseconds, condition) \
	do                                                  \
	{                                                   \
		fake_advance(f, pool, milliseconds);            \
		AWAIT(pool, condition);                         \
	} while (0)

#define take(pool) take_at(pool, __LINE__)

static inline kn__member *
take_at(kn__pool *pool, int line)
{
	kn__member *member;
	kn__fault fault;
	kn_status status = kn__pool_take(pool, KN__NEVER, "test.c", line, NULL, &member, &fault);

	ck_assert_msg(status == KN_OK, "line %d: %s", line, kn_status_name(status));
	return member;
}

static inline void
give(kn__pool *pool, kn__member *member)
{
	kn__pool_give(pool, member, KN__GIVE_CLEAN);
}

static inline int
serial_of(const kn__member *member)
{
	return ((const fake_member *) member)->serial;
}

/* Opens so many, and leaves them idle. */
static inline void
fill_pool(kn__pool *pool, int count)
{
	kn__member *members[16];

	for (int i = 0; i < count; i++)
		members[i] = take(pool);
	for (int i = 0; i < count; i++)
		give(pool, members[i]);
}

/* A thread that takes one. */
typedef struct taker
{
	pthread_t thread;
	kn__pool *pool;
	int64_t deadline;
	_Atomic(bool) is_cancelled;
	kn_status status;
	kn__member *member;
	kn__fault fault;
} taker;

static inline void *
taker_run(void *argument)
{
	taker *t = argument;

	t->status = kn__pool_take(t->pool,
							  t->deadline,
							  "taker.c",
							  1,
							  (const volatile bool *) &t->is_cancelled,
							  &t->member,
							  &t->fault);
	return NULL;
}

static inline void
taker_start(taker *t, kn__pool *pool, int64_t deadline)
{
	t->pool = pool;
	t->deadline = deadline;
	atomic_init(&t->is_cancelled, false);
	ck_assert_int_eq(pthread_create(&t->thread, NULL, taker_run, t), 0);
}

/* Starts one, and waits until it is the last in the queue. */
static inline void
taker_queue(taker *t, kn__pool *pool, int64_t deadline)
{
	int waiting = pool_stats(pool).waiting;

	taker_start(t, pool, deadline);
	AWAIT(pool, waiting == waiting + 1);
}

static inline kn_status
taker_join(taker *t)
{
	ck_assert_int_eq(pthread_join(t->thread, NULL), 0);
	return t->status;
}

#endif
