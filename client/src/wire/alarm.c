/*
 * alarm.c
 *		Who waits is woken when his time is over, without a timer of his own.
 *
 * A timer of the kernel's for each wait takes a quarter of a microsecond, and hardly one of them
 * ever goes off.  So waits are without end, and a thread of the handle's sleeps until the first
 * deadline that it has seen, and looks then which ones there are.  Most have been met by that
 * time, and those that came after them are later; so it wakes up once in the time that a request
 * may take, and not at all where nobody waits.
 *
 * It must not overlook one.  A waiter notes his deadline first, and reads then when the next look
 * is; the thread says first that there is none, and looks then.  All of it is in sequential order,
 * so either the look finds the deadline, or the waiter finds that the next look is too late for
 * him; then he takes the lock, which the thread has while it looks, and calls it.
 */
#include "wire/alarm.h"

#include <pthread.h>
#include <signal.h>

#include "base/cond.h"

struct kn__alarm
{
	const kn_allocator *allocator;
	_Atomic(int64_t) next_look; /* KN__NEVER: not before it is called */
	pthread_mutex_t lock;       /* of all below */
	pthread_cond_t called;
	kn__bell *bells;
	pthread_t thread;
	bool has_thread; /* from the first deadline on */
	bool is_ending;
};

static bool start(kn__alarm *alarm);
static void *keep_watch(void *argument);
static int64_t look(kn__alarm *alarm);

kn__alarm *
kn__alarm_new(const kn_allocator *allocator)
{
	kn__alarm *alarm = kn__allocate_zero(allocator, 1, sizeof(kn__alarm));

	if (alarm == NULL)
		return NULL;
	alarm->allocator = allocator;
	atomic_init(&alarm->next_look, KN__NEVER);
	(void) pthread_mutex_init(&alarm->lock, NULL);
	kn__cond_init(&alarm->called);
	return alarm;
}

void
kn__alarm_free(kn__alarm *alarm)
{
	if (alarm == NULL)
		return;
	(void) pthread_mutex_lock(&alarm->lock);
	alarm->is_ending = true;
	(void) pthread_cond_signal(&alarm->called);
	(void) pthread_mutex_unlock(&alarm->lock);
	if (alarm->has_thread)
		(void) pthread_join(alarm->thread, NULL);
	(void) pthread_cond_destroy(&alarm->called);
	(void) pthread_mutex_destroy(&alarm->lock);
	kn__release(alarm->allocator, alarm, sizeof(kn__alarm));
}

void
kn__alarm_add(kn__alarm *alarm, kn__bell *bell, int fd)
{
	atomic_init(&bell->deadline, KN__NEVER);
	bell->fd = fd;
	(void) pthread_mutex_lock(&alarm->lock);
	bell->before = NULL;
	bell->next = alarm->bells;
	if (bell->next != NULL)
		bell->next->before = bell;
	alarm->bells = bell;
	(void) pthread_mutex_unlock(&alarm->lock);
}

void
kn__alarm_remove(kn__alarm *alarm, kn__bell *bell)
{
	(void) pthread_mutex_lock(&alarm->lock);
	if (bell->before != NULL)
		bell->before->next = bell->next;
	else
		alarm->bells = bell->next;
	if (bell->next != NULL)
		bell->next->before = bell->before;
	(void) pthread_mutex_unlock(&alarm->lock);
}

bool
kn__alarm_set(kn__alarm *alarm, kn__bell *bell, int64_t deadline)
{
	bool has_thread;

	atomic_store(&bell->deadline, deadline);
	if (KN__LIKELY(deadline >= atomic_load(&alarm->next_look)))
		return true;
	(void) pthread_mutex_lock(&alarm->lock);
	has_thread = alarm->has_thread || start(alarm);
	if (has_thread && deadline < atomic_load(&alarm->next_look))
	{
		atomic_store(&alarm->next_look, deadline);
		(void) pthread_cond_signal(&alarm->called);
	}
	(void) pthread_mutex_unlock(&alarm->lock);
	if (!has_thread)
		kn__alarm_clear(bell);
	return has_thread;
}

void
kn__alarm_clear(kn__bell *bell)
{
	atomic_store_explicit(&bell->deadline, KN__NEVER, memory_order_release);
}

/* Signals are the program's affair, and none of its handlers runs here. */
static bool
start(kn__alarm *alarm)
{
	sigset_t all;
	sigset_t before;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	alarm->has_thread = pthread_create(&alarm->thread, NULL, keep_watch, alarm) == 0;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	return alarm->has_thread;
}

static void *
keep_watch(void *argument)
{
	kn__alarm *alarm = argument;

	(void) pthread_mutex_lock(&alarm->lock);
	while (!alarm->is_ending)
	{
		int64_t next;

		atomic_store(&alarm->next_look, KN__NEVER);
		next = look(alarm);
		atomic_store(&alarm->next_look, next);
		(void) kn__cond_wait(&alarm->called, &alarm->lock, next);
	}
	(void) pthread_mutex_unlock(&alarm->lock);
	return NULL;
}

/* Rings where it is time; the first moment that is still to come. */
static int64_t
look(kn__alarm *alarm)
{
	int64_t now = kn__now(NULL);
	int64_t next = KN__NEVER;

	for (kn__bell *bell = alarm->bells; bell != NULL; bell = bell->next)
	{
		int64_t deadline = atomic_load(&bell->deadline);

		if (deadline > now)
			next = deadline < next ? deadline : next;
		/* Once; unless it is another wait by now, which has seen that there is no next look. */
		else if (atomic_compare_exchange_strong(&bell->deadline, &deadline, KN__NEVER))
			kn__wake_send(bell->fd);
	}
	return next;
}
