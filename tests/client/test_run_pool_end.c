/*
 * test_run_pool_end.c
 *		Ends: drained, renewed, forgotten in a child.
 */
#include "pool_fake.h"
#include "threads.h"

#include <sys/wait.h>
#include <unistd.h>

typedef struct drainer
{
	pthread_t thread;
	kn__pool *pool;
	int64_t deadline;
	kn_status status;
} drainer;

static void *
drainer_run(void *argument)
{
	drainer *d = argument;

	d->status = kn__pool_drain(d->pool, d->deadline);
	return NULL;
}

static void
drainer_start(drainer *d, kn__pool *pool, int64_t deadline)
{
	d->pool = pool;
	d->deadline = deadline;
	ck_assert_int_eq(pthread_create(&d->thread, NULL, drainer_run, d), 0);
}

static kn_status
drainer_join(drainer *d)
{
	ck_assert_int_eq(pthread_join(d->thread, NULL), 0);
	return d->status;
}

/* Whether it is being drained already: only then a call that would wait is refused. */
static void
await_closing(kn__pool *pool)
{
	kn__member *member;
	kn__fault fault;
	kn_status status;

	do
	{
		status = kn__pool_take(pool, 0, "test.c", 1, NULL, &member, &fault);
		ck_assert_int_ne(status, KN_OK);
	} while (status != KN_CLOSED);
	ck_assert_str_eq(fault.error.message, "the database handle is being closed");
}

START_TEST(drains)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	kn__member *none;
	kn__fault fault;
	int threads = threads_at_first();

	fake_init(&f, 3);
	pool = fake_pool(&f);
	fill_pool(pool, 3);
	ck_assert_int_gt(threads_now(), threads);
	ck_assert_int_eq(kn__pool_drain(pool, KN__NEVER), KN_OK);
	ck_assert_int_eq(f.closed, 3);
	ck_assert_int_eq(kn__pool_take(pool, KN__NEVER, "test.c", 1, NULL, &none, &fault), KN_CLOSED);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(kn__pool_drain(pool, 0), KN_OK); /* again */
	fake_end(&f, pool);
	threads_await(threads);

	/* What is out is waited for. */
	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	{
		drainer d;

		drainer_start(&d, pool, KN__NEVER);
		await_closing(pool);
		give(pool, member);
		ck_assert_int_eq(drainer_join(&d), KN_OK);
		ck_assert_int_eq(f.closed, 1);
	}
	fake_end(&f, pool);
}
END_TEST

START_TEST(drains_until_the_deadline)
{
	fake f;
	kn__pool *pool;
	kn__member *members[2];
	drainer d;

	fake_init(&f, 2);
	pool = fake_pool(&f);
	members[0] = take(pool);
	members[1] = take(pool);
	drainer_start(&d, pool, kn__after(f.now, 100));
	await_closing(pool);
	give(pool, members[0]);
	AWAIT_FAKE(&f, closed == 1);
	fake_advance(&f, pool, 100);
	ck_assert_int_eq(drainer_join(&d), KN_TIMEOUT);
	give(pool, members[1]); /* late */
	ck_assert_int_eq(f.closed, 2);
	fake_end(&f, pool);
}
END_TEST

/* What a worker looks after is nobody's: it takes no time of who drains the pool. */
START_TEST(does_not_wait_for_workers)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 2);
	f.options.keepalive_ms = 1000;
	f.is_slow = true;
	pool = fake_pool(&f);
	fill_pool(pool, 2);
	fake_advance(&f, pool, 1000);
	AWAIT_FAKE(&f, kept_alive == 1);
	ck_assert_int_eq(kn__pool_drain(pool, 0), KN_OK);
	ck_assert_int_eq(f.closed, 1);
	fake_lock(&f);
	f.is_slow = false;
	fake_unlock(&f);
	fake_end(&f, pool);
}
END_TEST

START_TEST(closing_ends_the_queue)
{
	fake f;
	kn__pool *pool;
	kn__member *member;
	taker takers[3];
	drainer d;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	member = take(pool);
	for (int i = 0; i < 3; i++)
		taker_queue(&takers[i], pool, KN__NEVER);
	drainer_start(&d, pool, KN__NEVER);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(taker_join(&takers[i]), KN_CLOSED);
	give(pool, member);
	ck_assert_int_eq(drainer_join(&d), KN_OK);
	fake_end(&f, pool);
}
END_TEST

/* One that is being opened is nobody's; it is closed when it is there. */
START_TEST(drains_while_one_is_opened)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 1);
	f.options.min = 1;
	f.is_gated = true;
	pool = fake_pool(&f);
	AWAIT(pool, opening == 1);
	ck_assert_int_eq(kn__pool_drain(pool, KN__NEVER), KN_OK);
	fake_permit(&f, 1);
	fake_end(&f, pool);
	ck_assert_int_eq(f.opened, 1);
}
END_TEST

START_TEST(renews)
{
	fake f;
	kn__pool *pool;
	kn__member *held;
	kn__member *member;

	fake_init(&f, 3);
	f.options.min = 2;
	pool = fake_pool(&f);
	AWAIT(pool, idle == 2);
	held = take(pool);
	kn__pool_renew(pool);
	member = take(pool);
	ck_assert_int_ge(serial_of(member), 3); /* never one from before */
	give(pool, member);
	AWAIT(pool, closed_old == 1);
	give(pool, held);
	ck_assert_int_eq(pool_stats(pool).closed_old, 2);
	AWAIT(pool, idle >= 2);
	for (int i = 0; i < 3; i++)
	{
		member = take(pool);
		ck_assert_int_ge(serial_of(member), 3);
		give(pool, member);
	}
	fake_end(&f, pool);
}
END_TEST

/* What was begun before may have met the old server. */
START_TEST(renews_what_is_being_opened)
{
	fake f;
	kn__pool *pool;
	taker other;

	fake_init(&f, 1);
	f.is_gated = true;
	pool = fake_pool(&f);
	taker_start(&other, pool, KN__NEVER);
	AWAIT(pool, opening == 1);
	kn__pool_renew(pool);
	fake_permit(&f, 2);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	ck_assert_int_eq(serial_of(other.member), 2);
	give(pool, other.member);
	fake_end(&f, pool);
}
END_TEST

/* Runs a body in a child process, and returns its exit status. */
static int
in_child(int (*body)(fake *f, kn__pool *pool, kn__member *held), fake *f, kn__pool *pool,
		 kn__member *held)
{
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(body(f, pool, held));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
use_in_child(fake *f, kn__pool *pool, kn__member *held)
{
	kn__member *member = held;
	kn__fault fault;
	char buffer[10] = "x";

	if (kn__pool_take(pool, KN__NEVER, "test.c", 1, NULL, &member, &fault) != KN_FORKED)
		return 1;
	if (member != NULL ||
		strcmp(fault.error.message, "the connections belong to the parent process") != 0)
		return 2;
	if (kn__pool_drain(pool, KN__NEVER) != KN_FORKED)
		return 3;
	kn__pool_wake(pool);
	kn__pool_renew(pool);
	if (kn__pool_dump(pool, buffer, sizeof(buffer)) != 0 || buffer[0] != '\0')
		return 4;
	if (pool_stats(pool).max != 3)
		return 5;
	if (held != NULL)
		give(pool, held);
	if (f->forgotten != (held != NULL) || f->closed != 0)
		return 6;
	kn__pool_free(pool);
	return f->forgotten == 3 && f->closed == 0 ? 0 : 7;
}

START_TEST(a_child_only_forgets)
{
	fake f;
	kn__pool *pool;
	kn__member *held;

	fake_init(&f, 3);
	pool = fake_pool(&f);
	fill_pool(pool, 3);
	held = take(pool);
	ck_assert_int_eq(in_child(use_in_child, &f, pool, held), 0);
	/* The parent is as before. */
	ck_assert_int_eq(f.forgotten, 0);
	give(pool, held);
	give(pool, take(pool));
	ck_assert_int_eq(f.opened, 3);
	fake_end(&f, pool);
}
END_TEST

static int
free_in_child(fake *f, kn__pool *pool, kn__member *held)
{
	(void) held;
	kn__pool_free(pool);
	return f->forgotten == 2 && f->closed == 0 ? 0 : 1;
}

/* Also if the process forks while another thread waits, and others are out. */
START_TEST(a_child_forgets_what_is_out)
{
	fake f;
	kn__pool *pool;
	kn__member *members[2];
	taker other;

	fake_init(&f, 2);
	pool = fake_pool(&f);
	members[0] = take(pool);
	members[1] = take(pool);
	taker_queue(&other, pool, KN__NEVER);
	ck_assert_int_eq(in_child(free_in_child, &f, pool, members[0]), 0);
	give(pool, members[0]);
	ck_assert_int_eq(taker_join(&other), KN_OK);
	give(pool, members[0]);
	give(pool, members[1]);
	fake_end(&f, pool);
}
END_TEST

static int
own_pool_in_child(fake *f, kn__pool *pool, kn__member *held)
{
	fake own;
	kn__pool *own_pool;
	kn__member *member;
	kn__fault fault;

	(void) held;
	(void) f;
	fake_init(&own, 1);
	if (kn__pool_new(&own_pool, &own.options, &own.driver) != KN_OK)
		return 1;
	if (kn__pool_take(own_pool, KN__NEVER, "test.c", 1, NULL, &member, &fault) != KN_OK)
		return 2;
	kn__pool_give(own_pool, member, KN__GIVE_CLEAN);
	if (kn__pool_take(pool, KN__NEVER, "test.c", 1, NULL, &member, &fault) != KN_FORKED)
		return 3;
	kn__pool_free(own_pool);
	return own.closed == 1 ? 0 : 4;
}

/* Thread sanitizer does not let a child of several threads start one. */
#if defined(__SANITIZE_THREAD__)
#define CHILDREN_HAVE_THREADS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHILDREN_HAVE_THREADS 0
#endif
#endif
#ifndef CHILDREN_HAVE_THREADS
#define CHILDREN_HAVE_THREADS 1
#endif

START_TEST(a_child_may_have_a_pool_of_its_own)
{
	fake f;
	kn__pool *pool;

	fake_init(&f, 1);
	pool = fake_pool(&f);
	fill_pool(pool, 1);
	if (CHILDREN_HAVE_THREADS)
		ck_assert_int_eq(in_child(own_pool_in_child, &f, pool, NULL), 0);
	give(pool, take(pool));
	fake_end(&f, pool);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_test(tcase, drains);
	tcase_add_test(tcase, drains_until_the_deadline);
	tcase_add_test(tcase, does_not_wait_for_workers);
	tcase_add_test(tcase, closing_ends_the_queue);
	tcase_add_test(tcase, drains_while_one_is_opened);
	tcase_add_test(tcase, renews);
	tcase_add_test(tcase, renews_what_is_being_opened);
	tcase_add_test(tcase, a_child_only_forgets);
	tcase_add_test(tcase, a_child_forgets_what_is_out);
	tcase_add_test(tcase, a_child_may_have_a_pool_of_its_own);
}

int
main(void)
{
	return suite_run("run_pool_end", fill);
}
