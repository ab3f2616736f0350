/*
 * pool.h
 *		The connections to one server: who has one, who waits, who opens and closes them.
 *
 * The pool knows no libpq: what a connection is and how it is opened is the
 * driver's affair, so that everything here can be tried without a server.
 *
 * A member is in one state at a time:
 *	 EMPTY -> OPENING -> IDLE -> CLAIMED -> BUSY -> IDLE | CLOSING
 *						 IDLE -> CHECKING -> IDLE | CLOSING -> EMPTY
 *						 CLOSING -> LINGERING -> ASKED -> LINGERING | EMPTY
 * It is CLAIMED while who wants it looks whether it is any good, CHECKING while
 * a worker does.  OPENING and BUSY members go to a waiter without being IDLE in
 * between.  See pool_parts.h for the moves, and for who may make them.
 *
 * Opening, keepalive and closing what nobody uses are done by the pool's own
 * threads, at most max_opening of them; a caller that gives up waiting never
 * takes a half-open connection down with it.  What comes back broken, or turns
 * out to be dead when it is taken, is closed by the caller who found out.
 *
 * Waiting is first come, first served: whoever gives a connection back hands it
 * to the caller that has waited for longest, if that is more than a
 * millisecond; below that a caller who comes by may take it, for waking a thread
 * costs more than that.
 *
 * When none can be opened, callers wait all the same, for servers come back; but
 * once it has failed for longer than acquire_ms, or for a reason that does not go
 * away by itself, they are told at once, until the next attempt is due.
 */
#ifndef KN_SRC_RUN_POOL_H
#define KN_SRC_RUN_POOL_H

#include <stdatomic.h>

#include "base/base.h"
#include "kints/db.h"

typedef struct kn__pool kn__pool;

/* What the holder of a connection is at, as far as its last SQL does not tell. */
typedef enum kn__doing
{
	KN__DOING_CALLS,       /* a call, or nothing yet */
	KN__DOING_TRANSACTION, /* a transaction, between two calls */
	KN__DOING_FAILED       /* likewise, and there is nothing but to roll it back */
} kn__doing;

/* The head of a connection.  Only the pool writes it, but for the fields said otherwise. */
typedef struct kn__member
{
	int slot;
	uint32_t generation; /* of the pool, when it was opened */
	int64_t opened_at;   /* monotonic nanoseconds */
	int64_t expires_at;  /* to be replaced from then on; jitter is in it */
	int64_t idle_since;
	int64_t taken_at; /* while it is busy */
	const char *file; /* where it was taken; static text */
	int line;
	bool is_reported; /* as leaked */
	bool is_proven;   /* somebody has had it, and it was alive */
	/* The holder's to set; the text has to live until he gives the member back: others read it. */
	_Atomic(const char *) last_sql;
	_Atomic(int)
		doing; /* kn__doing; the holder's to set, and KN__DOING_CALLS when it is given back */
} kn__member;

/* What there is to tell of the pool. */
typedef enum kn__news_kind
{
	KN__NEWS_OPENED,
	KN__NEWS_OPEN_FAILED,
	KN__NEWS_CLOSED,
	KN__NEWS_LEAKED,     /* held for longer than leak_ms; told once */
	KN__NEWS_WAITED,     /* a caller got one, after waiting for slow_ms or longer */
	KN__NEWS_WAIT_FAILED /* a caller got none */
} kn__news_kind;

/* Lives until the driver's report() returns, with all that it points to. */
typedef struct kn__news
{
	kn__news_kind kind;
	/* OPENED, CLOSED: the member; LEAKED: a copy of its head, with its last SQL, cut; else NULL. */
	const kn__member *member;
	const kn__fault *fault; /* OPEN_FAILED, WAIT_FAILED; else NULL */
	const char *reason;     /* CLOSED: why; WAIT_FAILED: who holds them; else NULL */
	const char *file;       /* where it was taken, or wanted; NULL: nowhere */
	int line;
	/* It took so long to open it, or to wait; a closed one was open, a leaked one held for so long.
	 */
	int64_t took_ns;
} kn__news;

/* What the pool asks of connections; called from any thread, never with a lock held. */
typedef struct kn__driver
{
	void *user;
	/* Opens one, in a worker thread, until the deadline; *out is NULL unless it returns KN_OK. */
	kn_status (*open)(void *user, int64_t deadline, kn__member **out, kn__fault *fault);
	void (*close)(void *user, kn__member *member);
	/* Whether it still is what it was, without a round trip: asked at each checkout. */
	bool (*is_alive)(void *user, kn__member *member);
	/* A round trip on an idle one, in a worker thread; false: close it. */
	bool (*keep_alive)(void *user, kn__member *member, int64_t deadline);
	/* In a child process: frees memory, closes descriptors, says nothing to the server. */
	void (*forget)(void *user, kn__member *member);
	/* Something has happened; NULL: nobody wants to know. */
	void (*report)(void *user, const kn__news *news);
	/* Where they lead to, for people, with the lock held; NULL: nobody knows. */
	const char *(*where)(void *user);
	/*
	 * Of one that was given back broken: it is closed, and yet the server goes on with what it was
	 * for.  Then it keeps its place, until has_ended() says so, or KN__LINGER_MS are over, and
	 * close() frees it.  NULL: none does that.
	 */
	bool (*lingers)(void *user, kn__member *member);
	/* Asks the server, in a worker thread; false: it has not ended, or could not be asked. */
	bool (*has_ended)(void *user, kn__member *member, int64_t deadline);
	/* Whether an idle one has something left in it that keep_alive() undoes; NULL: none has. */
	bool (*is_untidy)(void *user, kn__member *member);
} kn__driver;

#define KN__LINGER_MS 60000

/* The fields of kn_config that it goes by. */
typedef struct kn__pool_options
{
	int min, max, max_opening, max_waiters;
	int64_t acquire_ms, connect_ms, idle_ms, lifetime_ms, keepalive_ms, leak_ms;
	bool masks_sql;  /* of those that are out; else it is told with the values in it */
	int64_t slow_ms; /* who waits so long is told of; -1: nobody is */
	const kn_allocator *allocator;
	const kn_clock *clock;
} kn__pool_options;

/*
 * KN_NO_MEMORY, or KN_OK.  Threads are started when there is something for them to do.  Sizes
 * that make no sense are made to fit: max and max_opening are at least 1, min at most max,
 * and of the times 0 is 1 ms.
 */
extern kn_status kn__pool_new(kn__pool **out, const kn__pool_options *options,
							  const kn__driver *driver);

/*
 * No more checkouts; waiters get KN_CLOSED.  Waits until all members are back, or the
 * deadline is over (KN_TIMEOUT): then those still out are closed when they come back.
 * KN_FORKED in a child.
 */
extern kn_status kn__pool_drain(kn__pool *pool, int64_t deadline);
/*
 * Ends the threads, closes what is idle, frees it all; after kn__pool_drain(), when nothing is
 * out and nobody is in a call.  It waits for what is being opened, at most connect_ms.  In a
 * child it forgets the members, those that are out as well.  NULL does nothing.
 */
extern void kn__pool_free(kn__pool *pool);

/*
 * Takes a member out; it is alive and not too old.  The deadline is that of the caller; the
 * pool's acquire_ms counts besides.  is_cancelled may be NULL; it is set by another thread,
 * who then calls kn__pool_wake().
 *	 KN_POOL_TIMEOUT  all are busy: the fault says who holds them, and for how long
 *	 KN_CONN_LOST     none could be opened: the fault says why, and when that was
 *	 KN_AUTH          likewise, and it was the credentials, or the server's certificate
 *	 KN_CONFIG        likewise, and it was what was asked for: a database that is not there
 *	 KN_UNAVAILABLE   likewise, and the server has said that it cannot now
 *	 KN_NO_MEMORY     likewise, and there was no memory for it
 *	 KN_POOL_FULL     max_waiters wait already
 *	 KN_TIMEOUT       the caller's deadline came first
 *	 KN_READ_ONLY     kn__pool_dismiss() was called meanwhile: another server has taken over
 *	 KN_CANCELED, KN_CLOSED, KN_FORKED
 */
extern KN__HOT kn_status kn__pool_take(kn__pool *pool, int64_t deadline, const char *file, int line,
									   const volatile bool *is_cancelled, kn__member **out,
									   kn__fault *fault);

/*
 * Takes one that is idle; NULL: there is none, and kn__pool_take() says why.  By who has just
 * looked at the coarse clock.
 */
extern KN__HOT kn__member *kn__pool_take_idle(kn__pool *pool, int64_t now, const char *file,
											  int line);
/*
 * Takes one that is idle, and that nobody waits for; false: there is none, and one is being opened
 * for the next who asks, if there may be more.
 */
extern bool kn__pool_try(kn__pool *pool, const char *file, int line, kn__member **out);
/* Another last_sql for one that is out; whoever reads the old one has done so when it returns. */
extern void kn__pool_retell(kn__pool *pool, kn__member *member, const char *sql);

/* None is open, and that to open one has failed, or has taken longer than it should by far. */
extern bool kn__pool_is_barren(kn__pool *pool);

/* How it comes back. */
typedef enum kn__give
{
	KN__GIVE_CLEAN, /* idle, and nobody's state is in it */
	KN__GIVE_BROKEN /* to be closed */
} kn__give;

/* One that is not out, or not of this pool, is let be.  In a child it is forgotten. */
extern KN__HOT void kn__pool_give(kn__pool *pool, kn__member *member, kn__give how);

/* The same, by who has just looked at the clock. */
extern KN__HOT void kn__pool_give_at(kn__pool *pool, kn__member *member, kn__give how, int64_t now);

/* Wakes all waiters and workers, so that they look whether they are cancelled, and at the clock. */
extern void kn__pool_wake(kn__pool *pool);
/* Changes in a child process, once there was a pool in its parent; costs nothing. */
extern uint32_t kn__pool_stamp(void);

/* Sends those away who wait by now: there is a better place for them. */
extern void kn__pool_dismiss(kn__pool *pool);
/* All that are open by now are replaced: after a failover, or new credentials. */
extern void kn__pool_renew(kn__pool *pool);
/* One was given back that is_untidy(): it is kept alive soon, unless it is used before. */
extern void kn__pool_tidy(kn__pool *pool);

/* By who has it: something went to the server. */
extern KN__HOT void kn__pool_note_query(kn__pool *pool, const kn__member *member);
/* All but errors, retries, breaker, lag, is_primary and host. */
extern void kn__pool_stats(kn__pool *pool, kn_stats *out);
/* A line for each that is out; the length it has, as snprintf() returns it. */
extern size_t kn__pool_dump(kn__pool *pool, char *buffer, size_t capacity);

#endif
