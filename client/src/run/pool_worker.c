/*
 * pool_worker.c
 *		The pool's own threads: they open members, keep them alive, and close the old and the idle.
 *
 * What there is to do is found anew each time, from the state of the pool: a worker
 * opens one if callers wait or there are fewer than min, or else looks at all members
 * if the time for that has come (sweep_at), or else sleeps until something of
 * this may have changed.  Before it does something that takes time it wakes or
 * starts the next worker, if there is work for that one as well.
 *
 * One of min that is about to be too old goes when there is another in its place, which is
 * opened as long as it can still be had.  Where there may be no more, they go one at a time.
 */
#include "run/pool_parts.h"

#include <signal.h>

#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS  1000
#define ASK_FIRST_MS   20
#define ASK_LAST_MS    2000
#define LEAD           20 /* one is replaced before the last twentieth of its life is over */

static void *work(void *argument);
static bool wants_one(const kn__pool *pool);
static bool open_one(kn__pool *pool, int64_t now, int64_t *until);
static void open_slot(kn__pool *pool, kn__slot *slot, int64_t now);
static void publish(kn__pool *pool, kn__slot *slot, kn__member *member, uint32_t generation);
static void note_failure(kn__pool *pool, kn_status status, const kn__fault *fault);
static void note_trouble(kn__pool *pool, int before, kn_status status, const kn__fault *fault);
static bool sweep(kn__pool *pool, int64_t now, int64_t *until);
static int64_t lead_of(int64_t milliseconds);
static void look_at(kn__pool *pool, kn__slot *slot, int64_t now);
static int64_t ages_at(const kn__pool *pool, const kn__member *member);
static void ask(kn__pool *pool, kn__slot *slot, int64_t now);
static void check(kn__pool *pool, kn__slot *slot, int64_t now);
static void close_slot(kn__pool *pool, kn__slot *slot, kn__closed why);
static void look_again(kn__pool *pool, int64_t at);
static void look_again_after_use(kn__pool *pool, int64_t now);
static uint64_t roll(kn__pool *pool);
static int64_t expiry(kn__pool *pool, int64_t now);

void
kn__pool_call_opener(kn__pool *pool)
{
	if (pool->is_stopping || !wants_one(pool))
		return;
	if (pool->sleeping > 0)
		(void) pthread_cond_signal(&pool->work);
	else if (pool->thread_count < kn__pool_most_threads(pool))
		kn__pool_start_worker(pool);
}

void
kn__pool_call_sweeper(kn__pool *pool)
{
	/* Members there are only where there is a worker, which opened them. */
	pool->sweep_at = INT64_MIN;
	(void) pthread_cond_broadcast(&pool->work);
}

void
kn__pool_vacate(kn__pool *pool, kn__slot *slot)
{
	kn__slot_set(slot, KN__SLOT_EMPTY);
	pool->total--;
	kn__pool_call_opener(pool);
	if (pool->is_closing)
		(void) pthread_cond_broadcast(&pool->drained);
}

/* Signals are the program's affair, and none of its handlers runs in a worker. */
void
kn__pool_start_worker(kn__pool *pool)
{
	sigset_t all;
	sigset_t before;
	int failed;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&pool->threads[pool->thread_count], NULL, work, pool);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed == 0)
		pool->thread_count++;
	else if (pool->thread_count == 0)
	{
		/* Nobody else is there to open one. */
		kn__fault fault;

		(void) kn__fail(&fault, KN_UNAVAILABLE, "could not start a thread: error %d", failed);
		note_failure(pool, KN_UNAVAILABLE, &fault);
	}
}

static void *
work(void *argument)
{
	kn__pool *pool = argument;

	(void) pthread_mutex_lock(&pool->lock);
	while (!pool->is_stopping)
	{
		int64_t now = kn__pool_now(pool);
		int64_t until = KN__NEVER;

		if (open_one(pool, now, &until) || sweep(pool, now, &until))
			continue;
		pool->sleeping++;
		kn__pool_sleep(pool, &pool->work, until);
		pool->sleeping--;
	}
	(void) pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Whether one more should be opened, now or when the pause after a failure is over. */
static bool
wants_one(const kn__pool *pool)
{
	return !pool->is_closing && pool->total < pool->max &&
		   pool->opening < pool->options.max_opening &&
		   (kn__pool_open_count(pool) < pool->options.min + pool->aging ||
			pool->waiting > pool->opening || (pool->is_wanted && pool->opening == 0));
}

static bool
open_one(kn__pool *pool, int64_t now, int64_t *until)
{
	if (!wants_one(pool))
		return false;
	if (pool->has_failed && now < pool->retry_at)
	{
		*until = pool->retry_at < *until ? pool->retry_at : *until;
		return false;
	}
	for (int i = 0; i < pool->max; i++)
	{
		if (kn__slot_move(&pool->slots[i], KN__SLOT_EMPTY, KN__SLOT_OPENING))
		{
			pool->is_wanted = false;
			open_slot(pool, &pool->slots[i], now);
			return true;
		}
	}
	return false;
}

static void
open_slot(kn__pool *pool, kn__slot *slot, int64_t now)
{
	/* One that is opened while the pool is renewed may have met the server of before. */
	uint32_t generation = atomic_load(&pool->generation);
	kn__member *member = NULL;
	kn__fault fault;
	kn__news news = { .kind = KN__NEWS_OPENED };
	kn_status status;

	if (kn__pool_open_count(pool) == 0)
		pool->barren_since = now;
	pool->total++;
	pool->opening++;
	kn__pool_call_opener(pool);
	kn__pool_keep_sweeper(pool, kn__after(now, pool->options.connect_ms));
	(void) pthread_mutex_unlock(&pool->lock);
	kn__fault_clear(&fault);
	status = pool->driver.open(pool->driver.user,
							   kn__after(now, pool->options.connect_ms),
							   &member,
							   &fault);
	news.member = member;
	news.took_ns = kn__pool_now(pool) - now;
	if (status != KN_OK)
	{
		fault.error.status = status;
		news.kind = KN__NEWS_OPEN_FAILED;
		news.fault = &fault;
	}
	/* Before anybody has it: what is told later about it is told behind this. */
	kn__pool_tell(pool, &news);
	(void) pthread_mutex_lock(&pool->lock);
	pool->opening--;
	if (status == KN_OK)
	{
		pool->open_ns += (uint64_t) (news.took_ns < 0 ? 0 : news.took_ns);
		publish(pool, slot, member, generation);
	}
	else
	{
		/* With the pause noted first, nobody tries again at once. */
		note_failure(pool, status, &fault);
		kn__pool_vacate(pool, slot);
		kn__pool_deny(pool);
	}
}

/* To the one who has waited for longest, or idle. */
static void
publish(kn__pool *pool, kn__slot *slot, kn__member *member, uint32_t generation)
{
	int64_t now = kn__pool_now(pool);

	pool->opened++;
	pool->has_failed = false;
	pool->failures = 0;
	member->slot = slot->index;
	member->generation = generation;
	member->opened_at = now;
	member->expires_at = expiry(pool, now);
	member->idle_since = now;
	member->taken_at = now;
	member->file = "";
	member->line = 0;
	member->is_reported = false;
	member->is_proven = false;
	atomic_store_explicit(&member->last_sql, NULL, memory_order_relaxed);
	slot->member = member;
	slot->checked_at = now;
	look_again(pool, ages_at(pool, member));
	look_again_after_use(pool, now);
	if (pool->aging > 0)
		kn__pool_call_sweeper(pool); /* it may be there in place of another */
	if (generation != atomic_load(&pool->generation) || pool->is_closing)
		close_slot(pool, slot, pool->is_closing ? KN__CLOSED_AT_END : KN__CLOSED_RENEWED);
	else if (!kn__pool_hand(pool, slot))
		kn__slot_set(slot, KN__SLOT_IDLE);
}

static void
note_failure(kn__pool *pool, kn_status status, const kn__fault *fault)
{
	pool->failed_to_open++;
	note_trouble(pool, 0, status, fault);
}

/* The server takes connections and ends them: without a pause that would be done in a circle. */
void
kn__pool_note_stillborn(kn__pool *pool)
{
	kn__fault fault;

	(void) kn__fail(&fault, KN_CONN_LOST, "one was closed as soon as it was there");
	note_trouble(pool, atomic_fetch_add(&pool->stillborn, 1), KN_CONN_LOST, &fault);
}

/* Nobody tries again before a pause is over.  Before: how often it went wrong until now. */
static void
note_trouble(kn__pool *pool, int before, kn_status status, const kn__fault *fault)
{
	int64_t now = kn__pool_now(pool);
	int64_t pause_ms = RETRY_LAST_MS;
	bool has_others = kn__pool_open_count(pool) - pool->opening > 1;

	if (!pool->has_failed)
		pool->failures = before;
	/* While there are others, that it lasts is no reason to give up once there are none. */
	if (has_others)
		pool->failing_since = KN__NEVER;
	else if (!pool->has_failed || pool->failing_since == KN__NEVER)
		pool->failing_since = now;
	pool->has_failed = true;
	pool->failed_at = now;
	if (pool->failures < 7 && (RETRY_FIRST_MS << pool->failures) < RETRY_LAST_MS)
		pause_ms = RETRY_FIRST_MS << pool->failures;
	pool->failures++;
	/* Not all clients of a server that comes back are there in the same moment. */
	pool->retry_at = kn__after(now, pause_ms) -
					 (int64_t) (roll(pool) % (uint64_t) (pause_ms * KN__NS_PER_MS / 4));
	kn__fault_copy(&pool->failure, fault);
	pool->failure.error.status = status;
	/* Waiters look whether there is still hope. */
	for (kn__waiter *waiter = pool->first; waiter != NULL; waiter = waiter->next)
		(void) pthread_cond_signal(&waiter->woken);
}

/* Looks at all members, if it is time to. */
static bool
sweep(kn__pool *pool, int64_t now, int64_t *until)
{
	if (pool->is_sweeping || pool->is_closing)
		return false;
	if (now < pool->sweep_at)
	{
		*until = pool->sweep_at < *until ? pool->sweep_at : *until;
		return false;
	}
	pool->is_sweeping = true;
	atomic_store(&pool->is_untidy, false);
	pool->sweep_at = KN__NEVER;
	pool->aging = 0;
	/* From the end, where those are that are seldom used. */
	for (int i = pool->max - 1; i >= 0 && !pool->is_closing; i--)
		look_at(pool, &pool->slots[i], now);
	pool->is_sweeping = false;
	return true;
}

/* There may be something to be done for a member at that time. */
static void
look_again(kn__pool *pool, int64_t at)
{
	if (at < pool->sweep_at)
		pool->sweep_at = at;
}

/* Whatever is done with a member from now on, nothing is due before one of these is over. */
static void
look_again_after_use(kn__pool *pool, int64_t now)
{
	look_again(pool, kn__after(now, pool->options.idle_ms));
	look_again(pool, kn__after(now, pool->options.keepalive_ms));
	look_again(pool, kn__after(now, pool->options.leak_ms));
}

/* Never nothing, and of -1 it is -1. */
static int64_t
lead_of(int64_t milliseconds)
{
	return milliseconds < 0 ? -1 : milliseconds / LEAD + 1;
}

static void
look_at(kn__pool *pool, kn__slot *slot, int64_t now)
{
	switch (kn__slot_state_of(slot))
	{
		case KN__SLOT_EMPTY:
		case KN__SLOT_OPENING:
		case KN__SLOT_CLOSING:
		case KN__SLOT_ASKED:
			return;
		case KN__SLOT_LINGERING:
			ask(pool, slot, now);
			return;
		case KN__SLOT_IDLE:
			if (kn__slot_move(slot, KN__SLOT_IDLE, KN__SLOT_CHECKING))
				check(pool, slot, now);
			break;
		default:
			/* Its end may come while it is out, and then nobody may want it any more. */
			look_again(pool, kn__after(now, lead_of(pool->options.lifetime_ms)));
			break;
	}
	look_again_after_use(pool, now);
	if (pool->options.leak_ms >= 0)
		kn__pool_check_leak(pool, slot, now);
}

/* When one is to be opened in its place.  It can be had until it expires. */
static int64_t
ages_at(const kn__pool *pool, const kn__member *member)
{
	if (member->expires_at == KN__NEVER)
		return KN__NEVER;
	return member->expires_at - pool->options.lifetime_ms * (KN__NS_PER_MS / LEAD);
}

/* Whether one may go without making fewer than min; or there is no room for another before that. */
static bool
is_replaced(const kn__pool *pool)
{
	return kn__pool_open_count(pool) - pool->opening > pool->options.min ||
		   (pool->total >= pool->max && pool->opening == 0);
}

/* Asks whether one that lingers is over; a pause is as long as all that has passed before it. */
static void
ask(kn__pool *pool, kn__slot *slot, int64_t now)
{
	kn__member *member = slot->member;
	int64_t since = member->idle_since;
	int64_t until = kn__after(since, KN__LINGER_MS);
	bool is_over = now >= until;
	int64_t pause;

	if (!is_over && now < slot->checked_at)
	{
		look_again(pool, slot->checked_at < until ? slot->checked_at : until);
		return;
	}
	kn__slot_set(slot, KN__SLOT_ASKED);
	(void) pthread_mutex_unlock(&pool->lock);
	is_over =
		is_over ||
		pool->driver.has_ended(pool->driver.user, member, kn__after(now, pool->options.connect_ms));
	(void) pthread_mutex_lock(&pool->lock);
	if (is_over || pool->is_closing)
	{
		kn__slot_set(slot, KN__SLOT_CLOSING);
		kn__pool_bury(pool, slot);
		return;
	}
	now = kn__pool_now(pool);
	pause = now - since;
	if (pause < ASK_FIRST_MS * KN__NS_PER_MS)
		pause = ASK_FIRST_MS * KN__NS_PER_MS;
	if (pause > ASK_LAST_MS * KN__NS_PER_MS)
		pause = ASK_LAST_MS * KN__NS_PER_MS;
	slot->checked_at = now + pause;
	kn__slot_set(slot, KN__SLOT_LINGERING);
	look_again(pool, slot->checked_at < until ? slot->checked_at : until);
}

/* Lets go of the lock for it. */
void
kn__pool_bury(kn__pool *pool, kn__slot *slot)
{
	kn__member *member = slot->member;

	slot->member = NULL;
	(void) pthread_mutex_unlock(&pool->lock);
	pool->driver.close(pool->driver.user, member);
	(void) pthread_mutex_lock(&pool->lock);
	pool->lingering--;
	kn__pool_vacate(pool, slot);
}

/* One that is idle, and CHECKING now. */
static void
check(kn__pool *pool, kn__slot *slot, int64_t now)
{
	const kn__pool_options *options = &pool->options;
	kn__member *member = slot->member;
	int64_t active_at =
		slot->checked_at > member->idle_since ? slot->checked_at : member->idle_since;
	int64_t idle_until = kn__after(member->idle_since, options->idle_ms);
	int64_t keepalive_at = kn__after(active_at, options->keepalive_ms);
	int64_t tidy_at = kn__pool_tidy_at(pool, member);
	bool is_aging = now >= ages_at(pool, member);
	kn__closed why = KN__CLOSED_COUNT;

	if (member->generation != atomic_load(&pool->generation))
		why = KN__CLOSED_RENEWED;
	else if (now >= member->expires_at || (is_aging && is_replaced(pool)))
		why = KN__CLOSED_OLD;
	else if (now >= idle_until && kn__pool_open_count(pool) > options->min)
		why = KN__CLOSED_IDLE;
	else if (now >= keepalive_at || now >= tidy_at)
	{
		int64_t most_ms = now < keepalive_at ? KN__TIDY_MOST_MS : options->connect_ms;
		int64_t until = kn__after(kn__pool_now(pool), most_ms);
		bool is_alive;

		(void) pthread_mutex_unlock(&pool->lock);
		is_alive = pool->driver.keep_alive(pool->driver.user, member, until);
		(void) pthread_mutex_lock(&pool->lock);
		slot->checked_at = now;
		keepalive_at = kn__after(now, options->keepalive_ms);
		tidy_at = KN__NEVER;
		if (!is_alive)
			why = KN__CLOSED_DEAD;
		else if (pool->is_closing)
			why = KN__CLOSED_AT_END;
	}
	if (why == KN__CLOSED_COUNT)
	{
		look_again(pool, is_aging ? member->expires_at : ages_at(pool, member));
		look_again(pool, keepalive_at < tidy_at ? keepalive_at : tidy_at);
		pool->aging += is_aging ? 1 : 0;
		if (now < idle_until)
			look_again(pool, idle_until);
		kn__pool_put_back(pool, slot);
		return;
	}
	close_slot(pool, slot, why);
}

/* Lets go of the lock for it. */
static void
close_slot(kn__pool *pool, kn__slot *slot, kn__closed why)
{
	kn__slot_set(slot, KN__SLOT_CLOSING);
	(void) pthread_mutex_unlock(&pool->lock);
	kn__pool_close(pool, slot, why);
	(void) pthread_mutex_lock(&pool->lock);
}

static uint64_t
roll(kn__pool *pool)
{
	pool->random++;
	return kn__hash(&pool->random, sizeof(pool->random), 0);
}

/* After its lifetime, 10 % less to 10 % more. */
static int64_t
expiry(kn__pool *pool, int64_t now)
{
	int64_t at = kn__after(now, pool->options.lifetime_ms);
	int64_t tenth;

	if (at == KN__NEVER)
		return at;
	tenth = pool->options.lifetime_ms * (KN__NS_PER_MS / 10);
	if (at > KN__NEVER - tenth)
		return KN__NEVER;
	return at - tenth + (int64_t) (roll(pool) % (uint64_t) (2 * tenth + 1));
}
