/*
 * pool.c
 *		The pool itself: made, and its members taken and given back.
 *
 * A thread remembers the slot that it had last, and tries that first: the member's
 * memory is in its cache, and no other thread wants that slot at the same time.
 * Then the slots are tried from the first one on, so that few are used when few are
 * needed, and those at the end become idle for long enough to be closed.
 */
#include "run/pool_parts.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#define YIELDS 2 /* looks at the slots before a caller queues */
#define HINTS  8 /* pools a thread remembers a slot of; others share */

static void note_fork(void);
static void register_fork(void);
static void set_options(kn__pool *pool, const kn__pool_options *options);
static bool make_slots(kn__pool *pool);
static void make_locks(kn__pool *pool);
static kn_status refuse(kn__pool *pool, kn__fault *fault);
static KN__HOT bool is_open(const kn__pool *pool);
static KN__APART kn__slot *search(kn__pool *pool, int *hint);
static bool leave(kn__slot *slot, uint32_t to);
static void give_slowly(kn__pool *pool, kn__slot *slot, kn__member *member, kn__give how,
						int64_t now);
static void notice(kn__pool *pool);

/* Changes in a child, so that a pool knows it is its parent's without asking the kernel. */
static _Atomic(uint32_t) process_stamp = 1;
static _Atomic(uint32_t) pool_count;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static bool is_fork_watched;

#if defined(__GNUC__)
__attribute__((tls_model("initial-exec")))
#endif
static _Thread_local int hints[HINTS];

static void
note_fork(void)
{
	atomic_fetch_add_explicit(&process_stamp, 1, memory_order_relaxed);
}

static void
register_fork(void)
{
	is_fork_watched = pthread_atfork(NULL, NULL, note_fork) == 0;
}

uint32_t
kn__pool_stamp(void)
{
	return atomic_load_explicit(&process_stamp, memory_order_relaxed);
}

bool
kn__pool_is_forked(const kn__pool *pool)
{
	return pool->process != getpid();
}

int64_t
kn__pool_now(const kn__pool *pool)
{
	return kn__now(&pool->hook);
}

kn_status
kn__pool_new(kn__pool **out, const kn__pool_options *options, const kn__driver *driver)
{
	kn__pool *pool;

	*out = NULL;
	(void) pthread_once(&fork_once, register_fork);
	if (!is_fork_watched)
		return KN_NO_MEMORY;
	pool = kn__allocate_zero(options->allocator, 1, sizeof(kn__pool));
	if (pool == NULL)
		return KN_NO_MEMORY;
	pool->allocator = options->allocator;
	pool->driver = *driver;
	set_options(pool, options);
	pool->max = pool->options.max;
	if (!make_slots(pool))
		return KN_NO_MEMORY;
	pool->number = atomic_fetch_add_explicit(&pool_count, 1, memory_order_relaxed);
	pool->process = getpid();
	atomic_init(&pool->gate, atomic_load_explicit(&process_stamp, memory_order_relaxed));
	pool->random = (uint64_t) kn__wall(NULL) ^ (uint64_t) (uintptr_t) pool;
	pool->sweep_at = KN__NEVER;
	kn__fault_clear(&pool->failure);
	make_locks(pool);
	(void) pthread_mutex_lock(&pool->lock);
	kn__pool_call_opener(pool);
	(void) pthread_mutex_unlock(&pool->lock);
	*out = pool;
	return KN_OK;
}

/* Numbers that make no sense are made to fit. */
static void
set_options(kn__pool *pool, const kn__pool_options *options)
{
	kn__pool_options *own = &pool->options;
	int64_t *periods[] = { &own->idle_ms, &own->lifetime_ms, &own->keepalive_ms, &own->leak_ms };

	*own = *options;
	if (options->clock != NULL)
		pool->hook = *options->clock;
	if (own->max < 1)
		own->max = 1;
	if (own->min > own->max)
		own->min = own->max;
	if (own->max_opening < 1)
		own->max_opening = 1;
	/* With nothing in between, workers would never sleep. */
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		if (*periods[i] == 0)
			*periods[i] = 1;
}

/* Slots, and room for threads; if there is no memory, the pool is freed. */
static bool
make_slots(kn__pool *pool)
{
	uintptr_t start;

	pool->slot_bytes = (size_t) pool->max * sizeof(kn__slot) + KN__CACHE_LINE;
	pool->slot_memory = kn__allocate_zero(pool->allocator, 1, pool->slot_bytes);
	pool->threads =
		kn__allocate_zero(pool->allocator, (size_t) kn__pool_most_threads(pool), sizeof(pthread_t));
	if (pool->slot_memory == NULL || pool->threads == NULL)
	{
		kn__release(pool->allocator, pool->slot_memory, pool->slot_bytes);
		kn__release(pool->allocator,
					pool->threads,
					(size_t) kn__pool_most_threads(pool) * sizeof(pthread_t));
		kn__release(pool->allocator, pool, sizeof(kn__pool));
		return false;
	}
	start =
		((uintptr_t) pool->slot_memory + KN__CACHE_LINE - 1) & ~(uintptr_t) (KN__CACHE_LINE - 1);
	pool->slots = (kn__slot *) start;
	for (int i = 0; i < pool->max; i++)
		pool->slots[i].index = i;
	return true;
}

static void
make_locks(kn__pool *pool)
{
	(void) pthread_mutex_init(&pool->lock, NULL);
	kn__cond_init(&pool->work);
	kn__cond_init(&pool->drained);
}

kn_status
kn__pool_take(kn__pool *pool, int64_t deadline, const char *file, int line,
			  const volatile bool *is_cancelled, kn__member **out, kn__fault *fault)
{
	*out = NULL;
	if (!is_open(pool))
		return refuse(pool, fault);
	for (int i = 0; i < YIELDS; i++)
	{
		*out = kn__pool_take_idle(pool, kn__coarse(&pool->hook), file, line);
		if (*out != NULL)
			return KN_OK;
		/* Where there are more threads than processors, a holder may only need to run. */
		if (atomic_load_explicit(&pool->attention, memory_order_relaxed) != 0)
			break;
		(void) sched_yield();
	}
	return kn__pool_wait(pool, deadline, file, line, is_cancelled, out, fault);
}

bool
kn__pool_try(kn__pool *pool, const char *file, int line, kn__member **out)
{
	*out = NULL;
	if (!is_open(pool) || atomic_load_explicit(&pool->attention, memory_order_relaxed) != 0)
		return false;
	*out = kn__pool_take_idle(pool, kn__coarse(&pool->hook), file, line);
	if (*out != NULL)
		return true;
	(void) pthread_mutex_lock(&pool->lock);
	pool->is_wanted = true;
	kn__pool_call_opener(pool);
	(void) pthread_mutex_unlock(&pool->lock);
	return false;
}

/* Neither is it being closed, nor is this a child process. */
static bool
is_open(const kn__pool *pool)
{
	return atomic_load_explicit(&pool->gate, memory_order_relaxed) ==
		   atomic_load_explicit(&process_stamp, memory_order_relaxed);
}

static kn_status
refuse(kn__pool *pool, kn__fault *fault)
{
	if (kn__pool_is_forked(pool))
		return kn__fail(fault, KN_FORKED, "the connections belong to the parent process");
	return kn__fail(fault, KN_CLOSED, "the database handle is being closed");
}

static inline bool
try_slot(kn__slot *slot)
{
	/* In sequential order, for a waiter's last look; on most machines that is a plain load. */
	return atomic_load(&slot->state) == KN__SLOT_IDLE &&
		   kn__slot_move(slot, KN__SLOT_IDLE, KN__SLOT_CLAIMED);
}

/* The one that this thread had last, or any other. */
static inline kn__slot *
claim(kn__pool *pool)
{
	int *hint = &hints[pool->number % HINTS];

	return KN__LIKELY(*hint < pool->max && try_slot(&pool->slots[*hint])) ? &pool->slots[*hint]
																		  : search(pool, hint);
}

static kn__slot *
search(kn__pool *pool, int *hint)
{
	for (int i = 0; i < pool->max; i++)
	{
		if (try_slot(&pool->slots[i]))
		{
			*hint = i;
			return &pool->slots[i];
		}
	}
	return NULL;
}

kn__slot *
kn__pool_claim(kn__pool *pool)
{
	return claim(pool);
}

/* One that only its holder writes costs less than one for all. */
static inline void
count(_Atomic(uint64_t) *counter, uint64_t more)
{
	atomic_store_explicit(counter,
						  atomic_load_explicit(counter, memory_order_relaxed) + more,
						  memory_order_relaxed);
}

/* How long it was out the last time, by who has the slot now: to give it back costs less so. */
static inline void
count_use(kn__slot *slot)
{
	const kn__member *member = slot->member;

	count(&slot->busy_ns, (uint64_t) (member->idle_since - member->taken_at));
}

void
kn__pool_note_query(kn__pool *pool, const kn__member *member)
{
	if (member->slot >= 0 && member->slot < pool->max)
		count(&pool->slots[member->slot].queries, 1);
}

/* Whether a slot's member may go out, and if not, why. */
static inline kn__closed
judge(const kn__pool *pool, kn__member *member, int64_t now)
{
	if (KN__UNLIKELY(member->generation != atomic_load(&pool->generation)))
		return KN__CLOSED_RENEWED;
	if (KN__UNLIKELY(now >= member->expires_at))
		return KN__CLOSED_OLD;
	return KN__LIKELY(pool->driver.is_alive(pool->driver.user, member)) ? KN__CLOSED_COUNT
																		: KN__CLOSED_DEAD;
}

static inline bool
accept(kn__pool *pool, kn__slot *slot, int64_t now, const char *file, int line, kn__closed *why)
{
	kn__member *member = slot->member;

	*why = judge(pool, member, now);
	if (KN__UNLIKELY(*why != KN__CLOSED_COUNT))
	{
		kn__slot_set(slot, KN__SLOT_CLOSING);
		return false;
	}
	if (KN__UNLIKELY(!member->is_proven))
	{
		member->is_proven = true;
		atomic_store_explicit(&pool->stillborn, 0, memory_order_relaxed);
	}
	count_use(slot);
	member->taken_at = now;
	member->file = file;
	member->line = line;
	member->is_reported = false;
	atomic_store_explicit(&member->last_sql, NULL, memory_order_relaxed);
	count(&slot->uses, 1);
	kn__slot_set(slot, KN__SLOT_BUSY);
	return true;
}

bool
kn__pool_accept(kn__pool *pool, kn__slot *slot, int64_t now, const char *file, int line,
				kn__closed *why)
{
	return accept(pool, slot, now, file, line, why);
}

kn__member *
kn__pool_take_idle(kn__pool *pool, int64_t now, const char *file, int line)
{
	kn__slot *slot;

	if (KN__UNLIKELY(!is_open(pool)))
		return NULL;
	while (KN__LIKELY((slot = claim(pool)) != NULL))
	{
		kn__closed why;

		if (KN__LIKELY(accept(pool, slot, now, file, line, &why)))
			return slot->member;
		kn__pool_close(pool, slot, why);
	}
	return NULL;
}

void
kn__pool_give(kn__pool *pool, kn__member *member, kn__give how)
{
	kn__pool_give_at(pool, member, how, kn__coarse(&pool->hook));
}

void
kn__pool_give_at(kn__pool *pool, kn__member *member, kn__give how, int64_t now)
{
	kn__slot *slot;

	if (KN__UNLIKELY(member->slot < 0 || member->slot >= pool->max))
		return;
	slot = &pool->slots[member->slot];
	/* As long as it is BUSY others only read the head of the member, and not idle_since. */
	if (KN__LIKELY(slot->member == member && how == KN__GIVE_CLEAN &&
				   atomic_load_explicit(&pool->attention, memory_order_relaxed) == 0 &&
				   atomic_load_explicit(&pool->generation, memory_order_relaxed) ==
					   member->generation &&
				   atomic_load_explicit(&pool->gate, memory_order_relaxed) ==
					   atomic_load_explicit(&process_stamp, memory_order_relaxed) &&
				   kn__slot_state_of(slot) == KN__SLOT_BUSY))
	{
		member->idle_since = now;
		if (KN__LIKELY(kn__slot_move(slot, KN__SLOT_BUSY, KN__SLOT_IDLE)))
		{
			if (KN__UNLIKELY(atomic_load(&pool->attention) != 0))
				notice(pool);
			return;
		}
	}
	give_slowly(pool, slot, member, how, now);
}

/* Somebody waits, and has not seen that a slot is idle now. */
static void
notice(kn__pool *pool)
{
	(void) pthread_mutex_lock(&pool->lock);
	kn__pool_nudge(pool);
	if (pool->is_closing)
		(void) pthread_cond_broadcast(&pool->drained);
	(void) pthread_mutex_unlock(&pool->lock);
}

/* Swaps BUSY for something else; false if it is not out.  A reader is waited for. */
static bool
leave(kn__slot *slot, uint32_t to)
{
	while (!kn__slot_move(slot, KN__SLOT_BUSY, to))
	{
		uint32_t state = kn__slot_state_of(slot);

		if (state != KN__SLOT_BUSY && state != KN__SLOT_READ)
			return false;
		(void) sched_yield();
	}
	return true;
}

static void
give_slowly(kn__pool *pool, kn__slot *slot, kn__member *member, kn__give how, int64_t now)
{
	bool is_old;

	if (slot->member != member)
		return;
	if (kn__pool_is_forked(pool))
	{
		/* A reader may have stayed behind in the parent. */
		slot->member = NULL;
		kn__slot_set(slot, KN__SLOT_EMPTY);
		pool->driver.forget(pool->driver.user, member);
		return;
	}
	(void) pthread_mutex_lock(&pool->lock);
	is_old = member->generation != atomic_load(&pool->generation);
	if (how == KN__GIVE_BROKEN || is_old || pool->is_closing)
	{
		kn__closed why = how == KN__GIVE_BROKEN ? KN__CLOSED_BROKEN
						 : is_old               ? KN__CLOSED_RENEWED
												: KN__CLOSED_AT_END;
		bool is_out = leave(slot, KN__SLOT_CLOSING);

		(void) pthread_mutex_unlock(&pool->lock);
		if (is_out)
		{
			member->idle_since = now;
			kn__pool_close(pool, slot, why);
		}
		return;
	}
	if (leave(slot, KN__SLOT_CHECKING))
	{
		member->idle_since = now;
		kn__pool_put_back(pool, slot);
	}
	(void) pthread_mutex_unlock(&pool->lock);
}

/* It counts as long as the server is at work for it: else there would be more and more of them. */
static void
linger(kn__pool *pool, kn__slot *slot)
{
	(void) pthread_mutex_lock(&pool->lock);
	pool->closed[KN__CLOSED_BROKEN]++;
	pool->lingering++;
	slot->member->idle_since = slot->checked_at = kn__pool_now(pool);
	kn__slot_set(slot, KN__SLOT_LINGERING);
	kn__pool_call_sweeper(pool);
	if (pool->is_closing)
		(void) pthread_cond_broadcast(&pool->drained);
	(void) pthread_mutex_unlock(&pool->lock);
}

void
kn__pool_close(kn__pool *pool, kn__slot *slot, kn__closed why)
{
	kn__member *member = slot->member;
	bool is_stillborn = why == KN__CLOSED_DEAD && !member->is_proven;

	count_use(slot);
	kn__pool_tell_closed(pool, member, why);
	if (why == KN__CLOSED_BROKEN && pool->driver.lingers != NULL &&
		pool->driver.lingers(pool->driver.user, member))
	{
		linger(pool, slot);
		return;
	}
	slot->member = NULL;
	pool->driver.close(pool->driver.user, member);
	(void) pthread_mutex_lock(&pool->lock);
	pool->closed[why]++;
	if (is_stillborn)
		kn__pool_note_stillborn(pool);
	kn__pool_vacate(pool, slot);
	(void) pthread_mutex_unlock(&pool->lock);
}
