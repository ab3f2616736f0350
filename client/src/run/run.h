/*
 * run.h
 *		What the files of this room share: handles, contexts, and the one way to the server.
 *
 * Whatever the caller does, it is a call of kn__run(): that admits, routes, takes a
 * connection, sends, gives the connection back, tells the breaker and the observers, and tries
 * again where nothing can happen twice.  Nobody else talks to a pool or to the wire.
 */
#ifndef KN_SRC_RUN_RUN_H
#define KN_SRC_RUN_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/cond.h"
#include "kints/kints.h"
#include "run/breaker.h"
#include "run/classes.h"
#include "run/hedge.h"
#include "run/pool.h"
#include "run/retry.h"
#include "run/secret.h"
#include "wire/wire.h"

typedef struct kn__server kn__server;

/* link.c: a connection as the pool has it */
typedef struct kn__link
{
	kn__member member; /* the pool's part, first */
	kn__conn *conn;    /* NULL: it lingers, and is closed */
	kn__server *server;
	bool is_pooled; /* something hands its statements to several backends */
	int pid;        /* of one that lingers */
} kn__link;

/* One server of a handle, with its pool. */
struct kn__server
{
	kn_db *db;
	int index;                     /* 0: the one of conninfo */
	const struct kn__place *place; /* how to connect to it; see config.h */
	const char *host;              /* for people */
	kn__pool *pool;
	kn__breaker breaker;
	kn__memo *shapes;
	_Atomic(bool) is_primary;      /* as it was last seen; the first server's until then */
	_Atomic(bool) is_known;        /* it could be reached at the last look */
	_Atomic(bool) is_looked_after; /* it has ever been looked at */
	bool is_away;                  /* it cannot be reached; with the handle's lock */
	bool may_be_gone;              /* for good: its timeline is forgotten then; likewise */
	uint32_t resets;               /* how often that was said; likewise */
	_Atomic(int64_t) timeline;     /* one more after each promotion; 0: not known */
	_Atomic(int64_t) renewed_at;   /* because it would not be written to, last; 0: never */
	_Atomic(bool) is_told;         /* that statements were prepared in vain */
	_Atomic(int64_t) lag_us;       /* of a replica, -1: not known */
	_Atomic(uint64_t) replayed;    /* place in the log, of a replica */
	_Atomic(uint32_t) setbacks;    /* how often it was found to have less than that */
	_Atomic(uint64_t) errors;
	_Atomic(uint64_t) retries;
	_Atomic(uint64_t) retries_denied;
	_Atomic(uint64_t) hedges;
	_Atomic(uint64_t) hedges_won;
	_Atomic(uint64_t) refused; /* by the breaker */
	kn__latency latency;       /* of reads that may be hedged */
	kn__secret *secret;        /* the password for it */
	kn_mode pooler;            /* whether there is one before it; each connection may find out */
};

struct kn_db
{
	kn_config config; /* with all defaults filled in; its texts are the handle's */
	kn__arena arena;  /* of texts that live as long as the handle */
	const kn_allocator *allocator;
	/* What each call looks at. */
	const kn_clock *clock; /* that of config */
	kn__shifted shifted;   /* or this one in its stead */
	kn__server *servers;
	int server_count;
	uint32_t stamp; /* of the process, as kn__pool_stamp() tells */
	_Atomic(bool) is_closing;
	_Atomic(bool) is_over; /* and what was under way has had its time */
	/* One that has ended, for the next request, and no lock taken; it still counts as live. */
	_Atomic(kn_ctx *) spare;
	kn__budget budget;

	kn__memo *classes;
	kn__known *known;        /* types that are the database's own */
	kn__functions functions; /* what the user says of his own */
	_Atomic(uint32_t) next_replica;
	_Atomic(int64_t) first_look_by; /* until then writes wait for it; 0: all have been looked at */
	_Atomic(int64_t)
		refused_at;       /* when a call that a breaker sent away was a reason to look, last */
	int stop[2];          /* a pipe: once there is something in it, the handle's threads give up */
	int haste[2];         /* likewise, but what kn_close() has patience with may go on until then */
	pthread_mutex_t lock; /* of what follows, and of sleepers */
	_Atomic(int64_t)
		newest_primary;        /* timeline that a primary was seen on; 0: none, or forgotten */
	kn__server *newest_server; /* it was that one */
	int64_t older_since;       /* when that was found on an older one; KN__NEVER: it was not */
	int met;                   /* servers that have been looked at */
	int contexts; /* and listeners, that have not ended, and one for the handle itself */
	pthread_cond_t woken;
	struct kn__load *loads; /* cache.c: that are under way */
	uint64_t load_count;    /* that there have been */
	kn_ctx *free_contexts;
	kn_ctx *live_contexts; /* what kn_close() cancels when its patience is over */
	kn_listener *listeners;
	int free_count;
	struct kn__prober *prober; /* route.c */
	kn__cancels *cancels;
	kn__alarm *alarm;            /* NULL: the clock is the caller's own */
	struct kn__hedger *hedger;   /* hedge_run.c; NULL: nothing is hedged */
	kn__secret *secrets;         /* of the servers, and of the place for listeners behind them */
	struct kn__config *settings; /* config.c: who owns the texts of the servers */
};

/* A transaction of the user's. */
typedef struct kn__aftermath kn__aftermath;

/* What the end of a call says of its server. */
typedef struct kn__verdict
{
	kn_status status;
	bool has_failed;
	bool is_slow;   /* whatever its time was */
	bool is_unsent; /* it has had nothing to do: nothing is said of it */
} kn__verdict;

typedef struct kn__work
{
	int depth;      /* 0: none; 2 and more are savepoints */
	bool is_used;   /* there has been one: something of it is left */
	bool has_begun; /* the server knows of it */
	bool is_read_only;
	bool is_own; /* the library's: one call of the caller's, and he knows nothing of it */
	bool may_have_written;
	bool is_number_due;  /* nobody has looked for the number since something may have got one */
	bool is_answer;      /* failed is what the server has answered, and the session goes on */
	int swaps;           /* of sessions that nobody can have any more, before it has begun */
	kn_status failed;    /* KN_OK, or why nothing but its end will do */
	kn__verdict verdict; /* of that */
	const char *begin;   /* the statement that opens it */
	const struct kn_transaction *options;
	int savepoint;        /* the number of the one that it is in, 0: none */
	int savepoints;       /* that there have been */
	int pending;          /* writes that the audit was told of, without those that are undone */
	char xid[24];         /* "" until the server has assigned one */
	kn_time xid_at;       /* when it began, by the server's clock */
	char origin[32];      /* of the number: which server gave it out, and in which life of it */
	kn__aftermath *after; /* what is to be called once it is over, the newest first */
	kn__permit permit;    /* of the breaker */
	kn__server *server;
	int64_t began;
} kn__work;

/* A statement that a context has had before: what was found out of its text. */
#define KN__RECENT      4   /* of a context, by their length */
#define KN__RECENT_TEXT 240 /* no longer ones */

typedef struct kn__recent
{
	uint64_t hash;
	uint32_t length; /* 0: none */
	unsigned class;
	char text[KN__RECENT_TEXT];
} kn__recent;

struct kn_ctx
{
	/* What each call looks at. */
	kn_db *db;
	kn__link *link; /* held: by a call, a transaction or a stream */
	kn__wait wait;
	int64_t longest; /* wait for the server since that was taken, where slow calls count */
	_Atomic(bool) is_cancelled;
	atomic_flag guard; /* of link, against kn_cancel() */
	bool hedge;
	bool is_plain; /* nothing of it, or the handle, keeps a call from the shortest way */
	int line;
	const char *file;
	int64_t timeout_ms; /* of the request, for kn_clear() */
	const char *actor;
	const char *trace_id;
	uint64_t min_lsn;
	uint64_t last_lsn;
	kn_rows *open_rows;  /* that kn_done() has not ended */
	kn_batch *batches;   /* whose results may not all have been taken */
	kn_rows *stream;     /* that has the connection */
	kn_copy *copy;       /* likewise */
	const char *refusal; /* why no call of it can do anything, NULL: nothing is wrong */
	const char *refused; /* the claim that it is about, NULL: none */
	uint64_t path;       /* the search path of its claims, as a number; 0: none */
	const char *prelude; /* the statement that sets role and claims, NULL: none */
	int prelude_count;
	kn_route route;
	bool wants_fresh; /* the primary, as long as it is there to be asked */
	kn__arena own;    /* of what lives as long as the request */
	kn__arena arena;  /* of what calls hand out, until kn_clear() */
	kn__work work;

	kn__arena after; /* of what is to be called after the transaction, until then */
	kn_ctx *next;    /* of the free ones, or of the live ones */
	kn_ctx *before;
	size_t prelude_length;
	uint64_t prelude_hash;
	kn_value *prelude_values;
	uint64_t random; /* state of the generator of pauses */
	kn__fault fault;
	kn__recent recent[KN__RECENT]; /* outlive the request */
};

/* context.c */
/* Options of a call, however long they are; in the context's arena if they have to be copied. */
extern KN__HOT kn_status kn__ctx_take_options(kn_ctx *cx, const kn_options **options);
extern KN__HOT bool kn__ctx_is_sound(kn_ctx *cx, kn_status *status);
extern KN__HOT bool kn__ctx_is_usable(kn_ctx *cx, kn_status *status);
extern void kn__ctx_cancel_all(kn_db *db);
extern KN__HOT void kn__ctx_set_link(kn_ctx *cx, kn__link *link);
extern uint64_t kn__ctx_random(kn_ctx *cx);

/* spare.c: contexts that are kept for the next requests */
extern KN__HOT kn_ctx *kn__spare_take(kn_db *db);
extern KN__HOT void kn__spare_give(kn_ctx *cx);
extern KN__COLD kn_ctx *kn__spare_make(kn_db *db);
extern KN__COLD void kn__spare_keep_none(kn_db *db);
extern KN__COLD void kn__spare_free_all(kn_db *db);

/* How long the handle's own threads wait: it is given up at once when the handle is closed. */
static inline kn__wait
kn__own_wait(const kn_db *db, int64_t deadline)
{
	return (kn__wait){ .deadline = deadline, .stop = &db->stop[0], .is_not_cancelled = true };
}

/* link.c */
extern const kn__driver kn__link_driver;
/* wake: as in kn__conn_options. */
extern kn_status kn__link_open(kn__server *server, const kn__wait *wait, const int *wake,
							   kn__link **out, kn__fault *fault);
extern void kn__link_close(kn__link *link);
/* Back to the pool, if it is as it came; now: see kn__pool_give_at(). */
extern KN__HOT void kn__link_give(kn__link *link, bool is_clean, int64_t now);
/* The secrets of all places, in the order of the settings.  KN_NO_MEMORY, or KN_OK. */
extern kn_status kn__link_init_secrets(kn_db *db);
extern void kn__link_free_secrets(kn_db *db);

/* db.c */
extern KN__HOT bool kn__db_is_usable(const kn_db *db, kn_status *status);
extern bool kn__db_is_child(const kn_db *db);
extern KN__HOT void kn__db_unref_locked(kn_db *db);

/* One call: statements that go in one flight, and are one transaction unless they say otherwise. */
typedef struct kn__call
{
	kn_ctx *cx;
	kn__item *items;
	int count;
	unsigned class;            /* what all of them have in common, as in classes.h */
	const kn_options *options; /* may be NULL */
	kn__outcome outcome;
	bool may_be_done; /* an attempt before this one may have done it */
	bool has_begun;   /* or has done a part of it */
	int attempts;
	int64_t started;    /* 0: nobody wants to know */
	int64_t began;      /* the last attempt */
	kn__server *server; /* of the last attempt */
	bool is_of_standby; /* what answered says so; looked at where it is to be kept */
	int pid;            /* of the session it went to, where somebody wants to know; 0: not known */
	const struct kn__start *start; /* of the first attempt, NULL: it begins with nothing */
	const char *told; /* to who looks at the pool, in place of a text that lives too short for that;
					   * NULL: the first item's */
} kn__call;

/* plain.c: how far a call has come in the shortest way, if it has a connection by now */
typedef struct kn__start
{
	bool is_taken; /* the context has the connection; all of what follows is about that */
	kn__permit permit;
	kn__server *server;
	int64_t began;
	kn__begun begun;
} kn__start;

/* True: it is done, and has succeeded.  Else it goes on from start. */
extern KN__HOT bool kn__plain_run(const kn__call *call, kn__start *start);

/* run.c: the whole way there and back; what fails is in the context's fault */
extern KN__HOT kn_status kn__run(kn__call *call);
/* Takes a connection for the context, by the call's route, and keeps it in cx->link. */
extern KN__HOT kn_status kn__run_take(kn__call *call, kn__permit *permit);
extern KN__HOT void kn__run_give(kn_ctx *cx, int64_t now);
/* Until when what puts the context's connection in order may take, though its time may be over. */
extern int64_t kn__run_end_by(const kn_ctx *cx);
extern KN__HOT void kn__run_end(kn_ctx *cx, kn__server *server, const kn__permit *permit,
								int64_t began, kn_status status);
/* What the context's fault says of the server; kn__run_end() by that, and not by its status. */
extern kn__verdict kn__run_judge(const kn_ctx *cx, kn_status status);
extern KN__HOT void kn__run_end_as(kn_ctx *cx, kn__server *server, const kn__permit *permit,
								   int64_t began, kn_status status, const kn__verdict *verdict);
/*
 * The same of a connection that was held for several flights, between which the program has done
 * whatever it likes: what counts is the longest time between these two.
 */
extern void kn__run_end_held(kn_ctx *cx, kn__server *server, const kn__permit *permit,
							 kn_status status);
extern int64_t kn__run_waits(const kn_ctx *cx);
extern void kn__run_waited(kn_ctx *cx, int64_t since);
/* Frees the results of items, if they have any. */
extern KN__COLD void kn__run_forget(kn__item *items, int count);
/*
 * What has to come before the context's next statement in its transaction, at most two items:
 * BEGIN, where the caller's has not begun yet, and what sets role and claims.  How many.
 */
extern int kn__run_before(const kn_ctx *cx, kn__item *items);
extern kn__item kn__run_plain(const char *sql);
extern KN__HOT bool kn__run_may_repeat(const kn__call *call, kn_status status);
extern KN__HOT kn_status kn__run_settle(kn__call *call, kn_status status);
extern KN__HOT kn_status kn__run_suits_pooler(const kn__call *call);
extern KN__HOT kn_status kn__run_keeps_identity(kn_ctx *cx, unsigned class, const char *sql);
extern KN__COLD kn_status kn__run_refuse(kn_ctx *cx, const char *why, const char *sql);
extern KN__HOT kn_status kn__run_usage(kn_ctx *cx, unsigned class, const char *sql);
extern KN__HOT bool kn__run_is_read(const kn__call *call);
/* What statements of a class may have left in the session that the context has. */
extern KN__HOT void kn__run_soil(kn_ctx *cx, unsigned class);
extern KN__HOT void kn__run_mark_read(const kn__call *call, kn__item *items);
extern KN__HOT bool kn__run_is_harmless(const kn__call *call);
/* Whether a failure is trouble with the server, or the way to it, and no statement's own. */
extern KN__COLD bool kn__run_is_of_servers(kn_status status, const kn__fault *fault);
/* Waits for the next attempt, and counts it; false: there is to be none. */
extern KN__COLD bool kn__run_again(kn__call *call, kn_status *status);
extern bool kn__run_sleep(kn_ctx *cx, int64_t ns);

/* lsn.c */
extern KN__HOT bool kn__lsn_is_wanted(const kn_ctx *cx);
extern kn__item kn__lsn_item(void);
extern bool kn__lsn_may_be_written(const kn__link *link);
extern void kn__lsn_note(kn_ctx *cx, kn__item *item, bool may_have_written);

/* query.c: what may be meant, of a failure that the server cannot explain */
extern KN__COLD void kn__query_explain(const kn__call *call, kn_status status);

/* listen.c: all that wait look whether the handle is being closed */
extern void kn__listen_wake_all(kn_db *db);

/* choice.c */
/* Between two looks, while there is no primary, or its breaker sends calls away. */
#define KN__HASTE_MS 100
extern KN__COLD void kn__route_refused(kn__server *server, int64_t now);
extern kn__server *kn__route_primary(kn_db *db);
extern bool kn__route_is_in_force(const kn_db *db, kn__server *server);
extern bool kn__route_is_left_behind(kn__server *server);
extern bool kn__route_is_left(kn__server *server);
extern int64_t kn__route_pace(kn__server *server, int64_t probe_ms);
extern bool kn__route_is_comparable(kn__server *server);
extern KN__HOT kn__server *kn__route(kn_ctx *cx, bool is_read, const kn__server *except,
									 kn_status *status);
/* Whether a replica was seen to have what the context has to see. */
extern KN__HOT bool kn__route_has(const kn_ctx *cx, kn__server *server);
/* Whether the server says that it is one; those before 14, and some poolers, say nothing. */
extern KN__COLD bool kn__route_is_standby(const kn__link *link);
/* The contrary of what it says if it is none.  A primary never becomes a standby. */
extern KN__COLD bool kn__route_may_be_standby(const kn__link *link);
extern KN__COLD void kn__route_note_met(kn_db *db);
extern KN__COLD kn_status kn__route_await(kn_ctx *cx);
extern KN__COLD void kn__route_forget(kn__server *server);
extern KN__COLD void kn__route_find(kn__server *server, int64_t timeline);
extern KN__COLD void kn__route_lose(kn__server *server, bool is_away);

/* route.c */
/* It was found to have less than was known. */
extern KN__COLD void kn__route_set_back(kn__server *server, uint64_t replayed);
extern KN__COLD void kn__route_doubt(kn__server *server, kn_status status);
extern kn_status kn__route_start(kn_db *db);
extern void kn__route_stop(kn_db *db);

/* hedge_run.c: reads that may be sent twice */
extern kn_status kn__hedge_start(kn_db *db);
/* After the pools are drained; and then, with the handle, the rest. */
extern void kn__hedge_stop(kn_db *db);
extern void kn__hedge_free(kn_db *db);
extern KN__HOT bool kn__hedge_serves(const kn__call *call);
/*
 * As kn__flight() with the items, on the connection that the context has; but another may be the
 * first to answer: then the context has that one, and the call its server, and permit is of that.
 */
extern kn_status kn__hedge_fly(kn__call *call, kn__item *items, int count, kn__permit *permit);

/* transact.c */
extern kn_status kn__transact_run(kn__call *call);
extern void kn__transact_show(const kn_ctx *cx, const char *sql);
/* The text that was shown last is the caller's again; whoever reads it has done so. */
extern void kn__transact_hide(const kn_ctx *cx);
extern kn_status kn__transact_check(kn_ctx *cx);
/* What a body that has returned status has ended with. */
extern kn_status kn__transact_own_up(kn_ctx *cx, kn_status status);
/* An error where the body has left something open that has the connection. */
extern kn_status kn__transact_check_ended(kn_ctx *cx);
/*
 * Whether a first call that has failed goes out once more, on another connection: the one that it
 * had could not be cleaned, and nothing of it has been executed.  *status: why there is no other.
 */
extern bool kn__transact_swap(kn_ctx *cx, kn_status *status);
/* Gives the connection of one that is over back. */
extern void kn__transact_give(kn_ctx *cx, kn_status status);
extern void kn__transact_note_begun(kn_ctx *cx, kn_status status);
/* Before a flight of several that the call is part of. */
extern kn_status kn__transact_check_values(kn__call *call);
extern void kn__transact_drop_stream(kn_ctx *cx);
extern void kn__transact_note(kn_ctx *cx, kn_status status);
/* Nothing but its end will do, for what the context's fault says. */
extern void kn__transact_fail(kn_ctx *cx, kn_status status);
extern kn_status kn__transact_take(kn_ctx *cx);
extern int kn__transact_before_stream(const kn__call *call, kn__item *items);
extern KN__COLD void kn__transact_abandon(kn_ctx *cx);
extern void kn__transact_open(kn_ctx *cx, bool is_read);
extern kn_status kn__transact_close(kn_ctx *cx, kn_status status);
extern void kn__transact_undo(kn_ctx *cx);

/* savepoint.c: a transaction within the one that there is */
extern kn_status kn__savepoint_run(kn_ctx *cx, kn_body_fn *body, void *argument,
								   const kn_transaction *options);

/* copy.c: gives up the COPY that is under way, if there is one, and leaves the error as it is */
extern void kn__copy_drop(kn_ctx *cx);

/* doubt.c: what asks for a transaction's number, what takes it in, and what asks by it */
extern kn__item kn__doubt_item(void);
/* The same where nothing has been written yet: it gets one. */
extern kn__item kn__doubt_new_item(void);
extern void kn__doubt_note(kn_ctx *cx, kn__item *item);
extern kn_status kn__doubt_ask(kn_ctx *cx);

/* after.c */
extern void kn__after_call(kn_ctx *cx, kn_status status);
extern kn_status kn__after_doubt(kn_ctx *cx, kn_after_fn *after, void *argument);
/* How it has ended: KN_OK, KN_OUTCOME_UNKNOWN, or anything else where nothing of it stays. */
typedef void kn__over_fn(void *argument, kn_status how);
extern kn_status kn__after_end(kn_ctx *cx, kn__over_fn *is_over, void *argument);
extern void kn__after_forget(kn_ctx *cx, kn__aftermath *until);

/* batch.c */
extern void kn__batch_forget_all(kn_ctx *cx);

/* rows.c */
extern KN__HOT kn_rows *kn__rows_new(kn_ctx *cx);
extern void kn__rows_forget_all(kn_ctx *cx);
/* stream.c: of what is rolled back nobody wants the rest. */
extern void kn__stream_drop(kn_ctx *cx);

#endif
