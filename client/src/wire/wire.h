/*
 * wire.h
 *		One connection to one server, over libpq.
 *
 * The only room that knows libpq.  A connection belongs to one thread at a time.
 * Nothing in it blocks for longer than the deadline it is given; what it costs in
 * round trips is said with each function.
 *
 * Everything that is sent at a time is a flight: one or several statements, and
 * the answers to them.  A flight of more than one is a libpq pipeline.  Statements
 * between two syncs are one transaction of the server's own making, so a flight
 * needs no BEGIN and no COMMIT of its own.
 */
#ifndef KN_SRC_WIRE_H
#define KN_SRC_WIRE_H

#include "base/memo.h"
#include "data/data.h"

typedef struct kn__conn kn__conn;
typedef struct kn__alarm kn__alarm;
typedef struct kn__cancels kn__cancels;

/* Where a thread waits: until when, and who may interrupt it. */
typedef struct kn__wait
{
	int64_t deadline;                  /* KN__NEVER: none */
	const _Atomic(bool) *is_cancelled; /* NULL: nobody; set before kn__conn_wake() is called */
	const int *stop; /* once there is something to read there, the connection is given up at once */
	int64_t now; /* what the clock has just said, which saves a look at it; 0: it has to be asked */
	bool is_not_cancelled; /* what is late is not worth a request to cancel: it is lost at once */
} kn__wait;

typedef struct kn__conn_options
{
	const char *const *keywords; /* as PQconnectStartParams() takes them, ended by NULL */
	const char *const *values;
	const kn_allocator *allocator;
	const kn_clock *clock;
	kn__memo *shapes; /* of which statements the columns come in binary; outlives the connection */
	kn__known *known; /* likewise: of types; NULL: those that nobody knows stay so */
	int cache_count;  /* prepared statements; 0: none */
	int64_t cache_bytes;
	int prepare_after;
	int64_t cancel_ns; /* how long a cancelled statement may take to end */
	kn__cancels *cancels;
	kn__alarm *alarm; /* outlives the connection; NULL: deadlines are timers of the kernel's */
	const int *wake;  /* a pipe of the caller's that wakes it, and outlives it; NULL: its own */
	/* May be NULL.  may_quote: a value, or what a function has read, may be in the text. */
	void (*notice)(void *user, const char *severity, const char *text, bool may_quote);
	void *user;
} kn__conn_options;

/* conn.c: opening takes the round trips of libpq's handshake, the rest of it none */
extern kn_status kn__conn_open(kn__conn **out, const kn__conn_options *options,
							   const kn__wait *wait, kn__fault *fault);
extern void kn__conn_close(kn__conn *conn);
/* In a child process: closes the descriptor and leaves the rest alone. */
extern void kn__conn_forget(kn__conn *conn);
/* Whether the server has said nothing since, such as good-bye: a look at the socket. */
extern KN__HOT bool kn__conn_is_alive(kn__conn *conn);
/* The server was asked to end what it did, and did not even answer to that. */
extern bool kn__conn_is_silent(const kn__conn *conn);
/* Likewise, and the server has taken the request: so it is the statement that does not end. */
extern bool kn__conn_is_deaf(const kn__conn *conn);
/*
 * What is done now about something whose time is over has to end by then: it is as if the request
 * to cancel were still waited for.  KN__NEVER where there was none.
 */
extern int64_t kn__conn_gives_up_at(const kn__conn *conn);
/* Idle, outside of a transaction, no answer pending, nothing left behind by a user. */
extern KN__HOT bool kn__conn_is_clean(const kn__conn *conn);
extern KN__HOT bool kn__conn_in_transaction(const kn__conn *conn);
extern bool kn__conn_in_failed_transaction(const kn__conn *conn);
/* The user set something that outlives his transaction. */
extern void kn__conn_soil(kn__conn *conn);
/* reset.c: the user called what may have set something; it is undone with the next flight. */
extern void kn__conn_touch(kn__conn *conn);
extern bool kn__conn_is_touched(const kn__conn *conn);
/* Makes a thread that waits on the connection look whether it is cancelled; from any thread. */
extern void kn__conn_wake(kn__conn *conn);
/* A reported setting of the server, such as server_version; NULL: not reported. */
extern const char *kn__conn_setting(const kn__conn *conn, const char *name);
/* As the server numbers its versions: 150020. */
extern int kn__conn_server_version(const kn__conn *conn);
/* The process that the server, or what stands before it, says it is. */
extern int kn__conn_pid(const kn__conn *conn);
/* Statements are not prepared from now on: something hands them to several servers. */
extern void kn__conn_never_prepare(kn__conn *conn);
/* It has found that out for itself. */
extern bool kn__conn_has_given_up(const kn__conn *conn);
/* Whether statements that made room for others are to be closed before the next one. */
extern bool kn__conn_has_to_close(const kn__conn *conn);
extern bool kn__conn_uses_tls(const kn__conn *conn);
/*
 * alarm.c: what wakes waits whose deadline has come, by the system's clock.  NULL: no memory.  Has
 * a thread once there is a deadline; freed after the connections, and not in a child process.
 */
extern kn__alarm *kn__alarm_new(const kn_allocator *allocator);
extern void kn__alarm_free(kn__alarm *alarm);
/*
 * cancel.c: the requests to cancel of a handle.  Those that nobody answers outlive their
 * connections, and the handle.  NULL: no memory.
 */
extern kn__cancels *kn__cancels_new(void);
/* Waits until that moment, by the system's clock, for those that are under way. */
extern void kn__cancels_wait(kn__cancels *cancels, int64_t until);
extern void kn__cancels_free(kn__cancels *cancels);
/* wait.c: a pipe to wake with, neither end of which blocks; false: out of descriptors. */
extern bool kn__wake_open(int fds[2]);
extern KN__COLD void kn__wake_empty(int fd);
/* From a signal's handler as well: errno stays as it is. */
extern void kn__wake_send(int fd);

/* What became of the statements of a flight that did not come to its end. */
typedef enum kn__outcome
{
	KN__NOTHING_DONE, /* not sent, or undone by the server: nothing has happened */
	KN__PART_DONE,    /* answered by an error, and what it had committed by then stays */
	KN__MAYBE_DONE,   /* sent, and no answer tells */
	KN__DONE          /* the server has answered all of it */
} kn__outcome;

typedef struct kn__result kn__result;

/* One statement of a flight. */
typedef struct kn__item
{
	const char *sql; /* ended by a NUL, as long as the flight */
	size_t length;
	uint64_t hash; /* of the text */
	uint64_t key;  /* of that and the types of the values; 0: not worked out yet */
	const kn_value *values;
	int count;
	bool never_prepare;
	bool may_make;    /* what the names of those behind it stand for, as a function may */
	bool calls;       /* functions that may do what lasts though all of it is undone here */
	bool may_scan;    /* a query that only reads: its rows may come by COPY */
	bool may_repeat;  /* it may happen twice, or is undone with the others before that */
	bool wants_rows;  /* it may have rows, and they are the caller's: kept in result */
	bool sync_after;  /* the end of a transaction of the server's making; the last one always */
	bool is_atomic;   /* if the server ends the session before it answers, nothing is done:
					   * not so of COMMIT, CALL, VACUUM and what else commits by itself */
	bool commits;     /* it may commit in the middle of it */
	bool is_commit;   /* anything but COMMIT in its answer says that nothing was committed */
	bool is_identity; /* sets who asks: what the server has against it is KN_AUTH */
	bool is_aside;    /* a question of our own after the last sync of the others: what becomes
					   * of it is told in its own status and nowhere else */

	/* Filled in. */
	kn_status status;   /* KN_ABORTED: one before it failed */
	kn__result *result; /* of one that succeeded and wants_rows; to be freed by the caller */
	int64_t affected;   /* -1: it says none */
} kn__item;

/* What is wrong with the parameters of an item, before something else is sent. */
extern kn_status kn__send_check(kn__conn *conn, const kn__item *item, kn__fault *fault);

/*
 * flight.c: sends statements in one go and has all their answers.  One round trip; one more
 * where a statement with rows has not been seen by this process before, to learn its types.
 * The first that fails is told in fault, with its number in error.item if there are several.
 * KN_TIMEOUT and KN_CANCELED: it was cancelled, and the connection is fit for use if it is
 * still clean.
 */
extern KN__HOT kn_status kn__flight(kn__conn *conn, kn__item *items, int count,
									const kn__wait *wait, kn__outcome *outcome, kn__fault *fault);

/*
 * plain.c: the same for one statement in the shortest way, if it is what most are: prepared, by
 * itself, and it succeeds.  True: it is done.  Else kn__flight_on() goes on with what has begun.
 */
typedef enum kn__plain
{
	KN__PLAIN_NOT, /* nothing was sent */
	KN__PLAIN_SENT,
	KN__PLAIN_LOST /* libpq could not send it, and the connection is of no use any more */
} kn__plain;

typedef struct kn__begun
{
	kn__plain how;
	bool is_fit; /* it is known to have columns that come in binary */
	bool is_flushed;
	bool is_lost; /* libpq knows why */
	int count;    /* of results that have been taken, and may be NULL */
	uint64_t key; /* of the statement */
	struct pg_result *results[2];
} kn__begun;

extern KN__HOT bool kn__flight_plain(kn__conn *conn, kn__item *item, const kn__wait *wait,
									 kn__begun *begun, kn__fault *fault);
extern kn_status kn__flight_on(kn__conn *conn, kn__item *item, const kn__begun *begun,
							   const kn__wait *wait, kn__outcome *outcome, kn__fault *fault);

/*
 * race.c: the same statements on two connections at a time.  A leg is one of them: a flight that
 * is under way, with copies of all that it needs of the caller's.
 */
typedef struct kn__leg kn__leg;

/*
 * Sends the statements.  like: a connection on which they have been sent before, so that nothing
 * has to be asked about them first; NULL: ask.  *out is NULL, and nothing was sent, unless it
 * returns KN_OK; a leg may have failed all the same, as kn__leg_end() then tells.
 */
extern kn_status kn__leg_begin(kn__leg **out, kn__conn *conn, const kn__conn *like, kn__item *items,
							   int count, const kn__wait *wait, kn__fault *fault);
/* Waits until one has all of its answers: KN_OK; KN_TIMEOUT, KN_CANCELED.  Whoever cancels wakes
 * the connection of the first. */
extern kn_status kn__leg_wait(kn__leg *const *legs, int count, const kn__wait *wait);
extern bool kn__leg_is_in(const kn__leg *leg);
/* Its first statement, as long as the leg. */
extern const char *kn__leg_sql(const kn__leg *leg);
/* Has its answers, as kn__flight() does, for the items that it was begun with. */
extern kn_status kn__leg_end(kn__leg *leg, kn__item *items, const kn__wait *wait,
							 kn__outcome *outcome, kn__fault *fault);
/*
 * Nobody wants its answers: cancels it, if it is still under way.  Takes as long as cancel_ns, but
 * no longer than until there is something to read at stop.
 */
extern void kn__leg_abandon(kn__leg *leg, const int *stop);
/* After one of both; also where the connection is closed by now. */
extern void kn__leg_free(kn__leg *leg);

/*
 * stream.c: the rows of one statement as they arrive.  Of the calls after
 * kn__stream_begin() each takes whatever time the next row takes.  Results of what goes before it
 * are the caller's, as those of a flight are.
 */
typedef struct kn__row
{
	kn__result *result;      /* of each row its own; or the columns, with the first; the caller's */
	const kn__field *fields; /* the row, in binary, until the next call; NULL: it is in result */
} kn__row;

/* Where there is a prelude, the rows do not come by COPY; see kn__stream_scans(). */
extern kn_status kn__stream_begin(kn__conn *conn, kn__item *prelude, int count, kn__item *item,
								  const kn__wait *wait, kn__outcome *outcome, kn__fault *fault);
/* Whether the rows would come by COPY if there were no prelude, as far as is known. */
extern bool kn__stream_scans(const kn__conn *conn, kn__item *item);
/* Both of a row are NULL at the end; outcome is that of all then. */
extern kn_status kn__stream_next(kn__conn *conn, const kn__wait *wait, kn__row *row,
								 kn__outcome *outcome, kn__fault *fault);
/* Ends it early: the statement is cancelled, unless the rest has arrived already. */
typedef enum kn__stream_how
{
	KN__STREAM_CANCEL,
	KN__STREAM_TO_ITS_END /* what it does is to be done, or the transaction is to go on */
} kn__stream_how;

extern kn_status kn__stream_end(kn__conn *conn, kn__stream_how how, const kn__wait *wait,
								kn__outcome *outcome, kn__fault *fault);

/*
 * copy.c: COPY, in and out.  It takes a round trip to begin, and one to end.  Nothing else goes
 * meanwhile.  What fails is over, and the connection fit for use if it is still clean.
 */
typedef enum kn__direction
{
	KN__COPY_IN,
	KN__COPY_OUT
} kn__direction;

typedef struct kn__copy_shape
{
	bool is_binary;
	int columns;
} kn__copy_shape;

extern kn_status kn__copy_begin(kn__conn *conn, const kn__item *item, kn__direction direction,
								const kn__wait *wait, kn__copy_shape *shape, kn__outcome *outcome,
								kn__fault *fault);
/* Up to 64 KB, which are copied. */
extern kn_status kn__copy_put(kn__conn *conn, const void *data, size_t length, const kn__wait *wait,
							  kn__outcome *outcome, kn__fault *fault);
/* The next piece, until the next call; NULL: there is none. */
extern kn_status kn__copy_get(kn__conn *conn, kn_str *piece, const kn__wait *wait,
							  kn__outcome *outcome, kn__fault *fault);
/*
 * Ends it, and has the answer: *affected is how many rows it were.  why: what went in is to be
 * undone, for that reason; what comes out is cancelled, for nobody wants the rest.  Then it is
 * KN_OK if the server has heard of it.
 */
extern kn_status kn__copy_end(kn__conn *conn, const char *why, const kn__wait *wait,
							  int64_t *affected, kn__outcome *outcome, kn__fault *fault);

/* result.c: rows that have arrived */
extern KN__HOT void kn__result_free(kn__result *result);
extern KN__HOT int kn__result_rows(const kn__result *result);
extern KN__HOT int kn__result_columns(const kn__result *result);
extern const char *kn__result_name(const kn__result *result, int column);
extern uint32_t kn__result_oid(const kn__result *result, int column);
extern bool kn__result_is_null(const kn__result *result, int row, int column);
/* Whether all columns are. */
extern KN__HOT bool kn__result_is_binary(const kn__result *result);
/*
 * The kind of a column in binary whose values can be taken as they came, each by itself;
 * KN_TYPE_NULL for arrays, and for types without a codec.
 */
extern KN__HOT kn_type kn__result_kind(const kn__result *result, int column);
/* A value as it came; NULL is empty.  Column and row are there. */
extern KN__HOT const char *kn__result_bytes(const kn__result *result, int row, int column,
											int32_t *length);
/* See kn__decode(); borrows from the result.  known may be NULL. */
extern kn_status kn__result_value(const kn__result *result, int row, int column,
								  const kn__known *known, kn__arena *arena, kn_value *out,
								  const char **why);

/* listen.c: a connection that listens, and is asked nothing else */
#define KN__CHANNEL_LIMIT 63 /* bytes: the server cuts what is longer */

typedef struct kn__channel
{
	char name[KN__CHANNEL_LIMIT + 1];
} kn__channel;

typedef struct kn__heard
{
	const char *channel;
	const char *payload;
	int pid;
	void *memory; /* NULL: there is nothing */
} kn__heard;

/* A notification that has arrived, if there is one; to be freed before the connection is closed
 * or after it. */
extern bool kn__hear(kn__conn *conn, kn__heard *out);
extern void kn__heard_free(kn__heard *heard);
/* Waits for a word of the server, whatever it is.  KN_OK, KN_TIMEOUT, KN_CANCELED, KN_CONN_LOST. */
extern kn_status kn__hear_wait(kn__conn *conn, const kn__wait *wait, kn__fault *fault);
/* Asks for a word, and does not wait for it.  False: the connection is lost. */
extern bool kn__hear_ask(kn__conn *conn);
extern bool kn__hear_is_asking(const kn__conn *conn);
extern int kn__hear_socket(const kn__conn *conn);
/* LISTEN or UNLISTEN for some channels, in one flight. */
extern kn_status kn__hear_channels(kn__conn *conn, const char *verb, const kn__channel *channels,
								   int count, const kn__wait *wait, kn__fault *fault);

/* frozen.c: rows as bytes, and back; false, and NULL, without memory or where they are no rows */
extern bool kn__result_freeze(const kn__result *result, const kn__known *known, kn__buf *out);
extern kn__result *kn__result_thaw(const void *bytes, size_t size);

/* sqlstate.c: the one place that says what a SQLSTATE means to a program */
extern kn_status kn__sqlstate_status(const char *sqlstate);
/* The same of what a statement is answered with, in a session that goes on. */
extern kn_status kn__sqlstate_answer(const char *sqlstate);
/* The host is in trouble, not the statement: counts for the circuit breaker. */
extern bool kn__sqlstate_is_infrastructure(const char *sqlstate);

#endif
