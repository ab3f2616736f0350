/*
 * pool_parts.h
 *		What the files of the pool share: slots, waiters, and the lock.
 *
 * A slot has room for one member.  Its state says who may touch what is in it:
 *
 *	 EMPTY     nobody; a worker makes it OPENING, with the lock held
 *	 OPENING   the worker that opens
 *	 IDLE      nobody; whoever swaps it for CLAIMED (to take it) or CHECKING (a worker)
 *	 CLAIMED   who swapped it, or the waiter that it was handed to
 *	 BUSY      the holder; others read the member's head after a swap for READ
 *	 READ      the reader, for as long as it takes to copy a line; then BUSY again
 *	 CHECKING  the worker, or who gives it back and looks whom to hand it to
 *	 CLOSING   who made it so; then EMPTY or LINGERING, with the lock held
 *	 LINGERING nobody, for it is closed; a worker makes it ASKED, and whoever drains the pool
 *			   CLOSING, with the lock held
 *	 ASKED     the worker that asks whether it is over
 *
 * Taking and giving an idle member is two swaps of a state and takes no lock.  All
 * else - the queue, the counters, what workers do - is under the one lock, and
 * the driver is never called with it.
 *
 * No wakeup is lost: a waiter is counted in attention before it looks at the
 * slots for a last time, and a giver makes the slot IDLE before it looks at
 * attention; both in sequential order, so that one sees the other.  Whoever finds
 * attention set takes the lock and nudges one waiter for the slot.  A nudged
 * waiter looks at all slots; while a slot is idle, either somebody is nudged or
 * somebody is about to nudge.
 */
#ifndef KN_SRC_RUN_POOL_PARTS_H
#define KN_SRC_RUN_POOL_PARTS_H

#include <pthread.h>
#include <sys/types.h>

#include "base/cond.h"
#include "run/pool.h"

typedef enum kn__slot_state
{
	KN__SLOT_EMPTY,
	KN__SLOT_OPENING,
	KN__SLOT_IDLE,
	KN__SLOT_CLAIMED,
	KN__SLOT_BUSY,
	KN__SLOT_READ,
	KN__SLOT_CHECKING,
	KN__SLOT_CLOSING,
	KN__SLOT_LINGERING,
	KN__SLOT_ASKED
} kn__slot_state;

#define KN__CACHE_LINE 64

typedef struct kn__slot
{
	_Alignas(KN__CACHE_LINE) _Atomic(uint32_t) state;
	int index;
	kn__member *member;
	_Atomic(uint64_t) uses; /* written by who has it, read by anybody; likewise the next two */
	_Atomic(uint64_t) queries;
	_Atomic(uint64_t) busy_ns;
	int64_t checked_at; /* the last keepalive, or when to ask next about one that lingers */
} kn__slot;

/* A caller in the queue; on its stack. */
typedef struct kn__waiter
{
	struct kn__waiter *next;
	struct kn__waiter *previous;
	pthread_cond_t woken;
	int64_t since;
	kn__slot *slot;   /* handed to it, CLAIMED; it has left the queue then */
	kn_status denied; /* what there is no hope for; likewise */
	bool is_nudged;   /* it is going to look at all slots */
} kn__waiter;

/* Why members were closed. */
typedef enum kn__closed
{
	KN__CLOSED_IDLE,
	KN__CLOSED_OLD,     /* its lifetime is over */
	KN__CLOSED_RENEWED, /* it is of before kn__pool_renew() */
	KN__CLOSED_DEAD,    /* while nobody had it */
	KN__CLOSED_BROKEN,  /* it was given back so */
	KN__CLOSED_AT_END,
	KN__CLOSED_COUNT
} kn__closed;

struct kn__pool
{
	/* Read at each checkout, and hardly ever written. */
	kn__slot *slots;
	int max;
	uint32_t number;        /* of the pool in this process, to find a thread's hint */
	_Atomic(uint32_t) gate; /* the process's stamp; 0 from kn__pool_drain() on */
	_Atomic(uint32_t) generation;
	_Atomic(int) attention; /* waiters, and one more when it is being drained */
	kn__driver driver;
	kn_clock hook; /* monotonic is NULL: the system's clock */
	char line_ends[KN__CACHE_LINE];

	pthread_mutex_t lock; /* of all below */
	const kn_allocator *allocator;
	void *slot_memory; /* what slots were cut from */
	size_t slot_bytes;
	kn__pool_options options;
	pid_t process;
	uint64_t random;

	kn__waiter *first;
	kn__waiter *last;
	int waiting;
	uint32_t dismissals; /* who has waited since before the last one has to go */

	pthread_t *threads; /* room for kn__pool_most_threads() */
	int thread_count;
	int sleeping; /* of the threads */
	pthread_cond_t work;
	bool is_stopping;       /* threads end */
	bool is_closing;        /* no more checkouts */
	bool is_wanted;         /* one more is to be opened, though nobody waits */
	bool is_sweeping;       /* a worker looks at the members */
	pthread_cond_t drained; /* something came back while it was being drained */

	int total; /* slots that are not EMPTY */
	int opening;
	int lingering;
	int aging; /* idle ones that are to be replaced soon, when they were looked at last */
	int64_t barren_since; /* when the first of those was begun with none open */
	int64_t sweep_at;     /* when a worker has to look at the members next */

	bool has_failed;         /* to open one, since it last worked */
	int failures;            /* in a row */
	_Atomic(bool) is_untidy; /* a member may be, since the last look at all of them began */
	_Atomic(int) stillborn;  /* members in a row that were dead before anybody had them */
	int64_t failing_since;   /* KN__NEVER: there were others that were open */
	int64_t failed_at;
	int64_t retry_at;
	kn__fault failure;

	uint64_t waits, timeouts, refused, opened, failed_to_open, leaks, wait_ns, open_ns;
	uint64_t closed[KN__CLOSED_COUNT];
	uint64_t wait_histogram[32];
};

/* Those that are open, or being opened. */
static inline int
kn__pool_open_count(const kn__pool *pool)
{
	return pool->total - pool->lingering;
}

/* So many open at a time, and one more keeps alive what is idle. */
static inline int
kn__pool_most_threads(const kn__pool *pool)
{
	return pool->options.max_opening + 1;
}

/* Changes the state, if it still is what it was. */
static inline bool
kn__slot_move(kn__slot *slot, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong(&slot->state, &from, to);
}

/* The same, where nobody else may move it. */
static inline void
kn__slot_set(kn__slot *slot, uint32_t to)
{
	atomic_store_explicit(&slot->state, to, memory_order_release);
}

static inline uint32_t
kn__slot_state_of(const kn__slot *slot)
{
	return atomic_load(&slot->state);
}

/* pool.c */

/* Whether this is a child process; asks the kernel, so not at each checkout. */
extern KN__COLD bool kn__pool_is_forked(const kn__pool *pool);
extern int64_t kn__pool_now(const kn__pool *pool);
/* Takes an idle slot, now CLAIMED, or NULL. */
extern KN__HOT kn__slot *kn__pool_claim(kn__pool *pool);
/*
 * Makes a CLAIMED one BUSY; or if it is not alive or too old CLOSING, and *why says why.
 * Without the lock.
 */
extern KN__HOT bool kn__pool_accept(kn__pool *pool, kn__slot *slot, int64_t now, const char *file,
									int line, kn__closed *why);
/* Closes a member whose slot is CLOSING, and tells who waits for that.  Without the lock. */
extern KN__COLD void kn__pool_close(kn__pool *pool, kn__slot *slot, kn__closed why);

/* pool_wait.c; the lock is held, but for kn__pool_wait() */

extern kn_status kn__pool_wait(kn__pool *pool, int64_t deadline, const char *file, int line,
							   const volatile bool *is_cancelled, kn__member **out,
							   kn__fault *fault);
/* Sends one waiter to look at the slots, if there is one that is not on its way. */
extern void kn__pool_nudge(kn__pool *pool);
/* After a failure to open one: nobody waits any longer who would wait in vain. */
extern void kn__pool_deny(kn__pool *pool);
/* Hands a slot that is the caller's to the first waiter, if there is one. */
extern bool kn__pool_hand(kn__pool *pool, kn__slot *slot);
/* From CHECKING: to the first waiter, if it has waited for long, or IDLE. */
extern void kn__pool_put_back(kn__pool *pool, kn__slot *slot);
/* Sleeps until signalled, or that moment; wakes for no reason as well. */
extern void kn__pool_sleep(kn__pool *pool, pthread_cond_t *cond, int64_t until);

#define KN__HAND_OFF_NS (KN__NS_PER_MS)
#define KN__BARREN_NS   (100 * KN__NS_PER_MS) /* that to open one may take */

/* pool_worker.c; the lock is held */

/* Wakes or starts a worker, if there is something to be opened. */
extern void kn__pool_call_opener(kn__pool *pool);
/* Has all members looked at again. */
extern void kn__pool_start_worker(kn__pool *pool);
extern void kn__pool_call_sweeper(kn__pool *pool);
#define KN__TIDY_MOST_MS 5000
extern void kn__pool_keep_sweeper(kn__pool *pool, int64_t until);
extern int64_t kn__pool_tidy_at(const kn__pool *pool, kn__member *member);
/* That one was dead before anybody had it: the next is opened after a pause. */
extern void kn__pool_note_stillborn(kn__pool *pool);
/* One that lingered does so no more, and is CLOSING; lets go of the lock in between. */
extern void kn__pool_bury(kn__pool *pool, kn__slot *slot);
/* An empty slot is free again, after OPENING or CLOSING. */
extern void kn__pool_vacate(kn__pool *pool, kn__slot *slot);

/* pool_report.c */

/* One that is out, as it was when it was looked at. */
typedef struct kn__holder
{
	int64_t held_ns;
	const char *file;
	int slot;
	int line;
	kn__doing doing;
	char sql[160]; /* "": not known; cut */
} kn__holder;

/* Whether it is out; the lock need not be held. */
extern bool kn__pool_read_holder(kn__pool *pool, kn__slot *slot, int64_t now, kn__holder *holder);
/* Reports it as leaked, if it is; lets go of the lock in between. */
extern void kn__pool_check_leak(kn__pool *pool, kn__slot *slot, int64_t now);
/* Tells of what has happened, if somebody wants to know.  Without the lock. */
extern void kn__pool_tell(const kn__pool *pool, const kn__news *news);
extern void kn__pool_tell_closed(const kn__pool *pool, const kn__member *member, kn__closed why);
/* How a wait has ended: status is what the caller gets. */
extern void kn__pool_tell_wait(kn__pool *pool, kn_status status, int64_t waited, const char *file,
							   int line, const kn__fault *fault);
/* The faults of kn__pool_take(); the lock is held.  Returns the status. */
extern kn_status kn__pool_explain(kn__pool *pool, kn_status status, int64_t waited,
								  kn__fault *fault);

#endif
