/*
 * kints/db.h
 *		The database handle: servers, pools of connections, configuration.
 *
 * Opened once in a process and shared by all threads.  A child process must
 * not use a handle of its parent: every call gives KN_FORKED, and only
 * kn_close() does something, namely free memory without touching a socket.
 *
 * Threads: all functions may be called from any thread at any time, but for kn_close(), which is
 * called once, and after which the handle is not to be used.
 */
#ifndef KINTS_DB_H
#define KINTS_DB_H

#include "kints/base.h"

KN_BEGIN_DECLS

typedef struct kn_db kn_db;
struct kn_hooks;
struct kn_cache;

/* A flag that can also be left to the library to find out. */
typedef enum kn_mode
{
	KN_AUTOMATIC,
	KN_ON,
	KN_OFF
} kn_mode;

/* Whose secret is asked for: who connects as whom to which server, as it is told in events. */
typedef struct kn_secret_request
{
	size_t size;      /* of this struct, as the library knows it */
	const char *name; /* of the handle */
	const char *host; /* a name, an address, or the directory of a socket; where the conninfo has
					   * several, all of them, as it has them */
	int port;         /* the first, where it has several */
	const char *database;
	const char *user;
	bool refresh; /* the server has refused the last one */
	char *reason; /* where to say why there is none, which goes into the error: never the secret */
	size_t reason_capacity;
	/* How long it may take, if what was given last is to be used instead: half of what is left for
	 * connecting.  0: there is nothing else, and it is waited for. */
	int64_t timeout_ms;
} kn_secret_request;

/*
 * Gives a secret: writes the text with its final NUL into buffer, which has capacity bytes, 16384
 * at present, and returns KN_OK.  Anything else says why there is no connection: KN_AUTH and
 * KN_CONFIG are told to callers at once, others when they have waited.  Called from any thread,
 * never twice at a time for one server of a handle; what it is asked lives until it returns.  It
 * has to return at some time, for kn_close() waits for it, and so does the connection it is asked
 * for; others who connect wait no longer than connect_ms.  One that takes long and then has none,
 * while the last secret still does, is not asked again for ten times as long, or secret_ms.  The
 * library zeroes the buffer after use.
 */
typedef kn_status kn_secret_fn(void *user, const kn_secret_request *request, char *buffer,
							   size_t capacity);

/*
 * How to open a database.  Everything left zero is the default; milliseconds
 * where a name ends in _ms, and -1 there means "never" or "no limit".  Texts are
 * copied.
 *
 * Each number, flag, mode and text can also be said in the conninfo or URI, as kn_<field>, and in
 * the environment, as KINTS_<FIELD>; the struct comes before the conninfo, the conninfo before the
 * environment.  So can replicas, and conninfo in the environment.  Only the struct has hooks,
 * cache, secret, secret_user, allocator, clock and ignore_environment; a KINTS_IGNORE_ENVIRONMENT
 * is KN_CONFIG, for it cannot do what it says.  A service file has options of libpq's only: with
 * a kn_<field> in it libpq takes nothing from it, which is KN_CONFIG.
 *
 * A zero in the struct does not keep the environment from saying something else:
 * ignore_environment does.  A KINTS_ variable that is an option's but for a slip or two is
 * KN_CONFIG, as any kn_ of the conninfo that is no option; others are somebody else's.
 *
 * A number out of its range is KN_CONFIG, which the message tells: connections are 1 to 10000
 * (min_connections 0 to max_connections), times 1 ms to a century, percentages 1 to 100
 * (hedge_percent from 0, retry_budget_percent to 1000), retry_attempts 1 to 1000, breaker_probes 1
 * to 10000, breaker_window 1 to 86400, statement_cache 1 to 1000000, statement_cache_bytes 1 KiB to
 * 1 TiB; the others are 1 or more, max_waiters 0 or more.  Times of retry_ and breaker_ cannot be
 * -1; retry_budget_percent can: no repeats at all.  In a text 0 is a number like any other.
 */
typedef struct kn_config
{
	size_t size; /* of this struct, as the caller knows it; kn_open() fills it in */

	/* Where: libpq's conninfo or URI; PG* variables and service files count as well. */
	const char *conninfo;
	const char *const *replicas; /* conninfos of replicas, ended by NULL; in a text, with ; between.
								  * What one does not say is as in conninfo, but for its place: what
								  * a service says is said by the conninfo that names it */
	const char *listen_conninfo; /* where listeners connect to, past a pooler: what it does not say
								  * is as in conninfo; see kints/listen.h (NULL: to the primary) */
	const char *name;            /* of this handle, in events and metrics ("kints") */

	/* The pool of each server. */
	int min_connections; /* kept open (0: none until they are needed) */
	int max_connections; /* (10) */
	int max_opening;     /* being opened at a time (2) */
	int max_waiters;     /* callers that may wait for one (0: no limit) */
	int64_t acquire_ms;  /* how long they wait, the context's deadline apart (5000) */
	int64_t connect_ms; /* until a connection is up (connect_timeout, PGCONNECT_TIMEOUT, or 5000) */
	int64_t idle_ms;    /* until an idle one above min_connections is closed (600000) */
	int64_t lifetime_ms;  /* until one is closed, +-10 %; another is opened before (1800000) */
	int64_t keepalive_ms; /* between round trips on an idle one (-1) */
	int64_t leak_ms;      /* held so long, it is reported as leaked (-1) */
	int64_t drain_ms;     /* how long kn_close() waits for those in use (5000) */

	/* Statements. */
	int64_t statement_ms;          /* deadline of a context that states none (-1) */
	int64_t cancel_ms;             /* how long a cancelled statement may take to end (1000) */
	int statement_cache;           /* prepared statements a connection (256; -1: never prepare) */
	int64_t statement_cache_bytes; /* of their SQL, a connection (1 MiB) */
	int prepare_after; /* uses after which one is prepared (1: from the second use on) */
	kn_mode pgbouncer; /* whether a pooler hands statements to several servers */
	/*
	 * Functions of one's own: names as the catalog has them, without schemas or quotes, with commas
	 * between; "st_*" is all that begin so.  What calls one that is in neither list, and does not
	 * come with the server, may go to a replica, and else counts as what may write; what it may
	 * have set in the session is undone before the next statement, which costs some 30 us.
	 */
	const char *volatile_functions; /* that write, or take part in what is written: a statement that
									 * calls one goes to the primary */
	const char *stable_functions; /* that write nothing, and leave nothing behind in the session */

	/* Trying again. */
	int retry_attempts;       /* in all (3; 1: never again) */
	int64_t retry_base_ms;    /* the first pause is up to so long (10) */
	int64_t retry_cap_ms;     /* and no pause is longer (1000) */
	int retry_budget_percent; /* of calls that may be repeats, besides 10 a second (20) */

	/*
	 * The circuit breaker of each server.  A call has failed when its connection was lost, when
	 * the server said that it is in trouble, and when it said nothing: neither to the request to
	 * cancel of a call whose time was over, nor to whoever wanted to connect.  A call whose
	 * deadline came, and that the server has ended then, was slow.
	 */
	int breaker_failure_percent; /* of calls, to open it (50; -1: failures do not count) */
	int breaker_slow_percent;    /* (-1: slow calls do not count) */
	int64_t breaker_slow_ms;     /* what is slow (1000) */
	int breaker_window;          /* seconds that are looked back at (10) */
	int breaker_calls;           /* so few in the window say nothing (20) */
	int64_t breaker_open_ms;     /* until a probe is let through (2000) */
	int breaker_probes;          /* calls let through at first (3) */

	/* Replicas. */
	int64_t lag_ms;    /* one further behind is not read from (10000) */
	int64_t probe_ms;  /* between looks at role and lag (1000) */
	int hedge_percent; /* of reads of contexts that ask for it may be sent twice (0) */

	/* What is told to whom. */
	const struct kn_hooks *hooks; /* see kints/observe.h; has to outlive the handle */
	int64_t slow_ms;              /* a query that takes longer is reported as slow (-1) */
	bool show_parameters;         /* in events; they are masked unless this is set */
	bool ignore_environment;      /* KINTS_ variables say nothing; PG* variables are libpq's */

	const struct kn_cache *cache; /* see kints/cache.h; has to outlive the handle */
	kn_secret_fn *secret;         /* asked for the password of connections; see kints/secret.h */
	void *secret_user;
	int64_t secret_ms;             /* how long it is used before it is asked for again (60000) */
	const kn_allocator *allocator; /* NULL: malloc(); has to outlive the handle */
	const kn_clock *clock;         /* NULL: the system's; has to outlive the handle */

	/* Where the password is, if secret does not say so; at most one of them. */
	const char *secret_environment; /* the name of a variable */
	const char *secret_file;        /* a path */
	const char *secret_command; /* a program and its arguments, blanks between them; no quotes */
} kn_config;

/*
 * Opens a database.  *out is the handle, or NULL.  Nothing is connected yet
 * unless min_connections asks for it, and then in the background: a server that
 * is down does not make this fail; the first call tells.  What is wrong with the
 * configuration, libpq's options among it, is told in error, a buffer of capacity bytes, and names
 * the option; it is "" else, ended by a NUL always, and may be NULL.  kn_close() closes the handle.
 * Returns KN_OK; KN_CONFIG; KN_NO_MEMORY, also where a thread cannot be started; KN_USAGE if out or
 * config is NULL.
 */
KN_API KN_MUST_CHECK kn_status kn_open_config(kn_db **out, char *error, size_t capacity,
											  const kn_config *config);
#ifndef __cplusplus
/* kn_open(&db, why, sizeof why, .conninfo = "service=app", .max_connections = 16) */
#define kn_open(out, error, ...) KN_OPEN_(out, error, __VA_ARGS__, .size = sizeof(kn_config))
#define KN_OPEN_(out, error, capacity, ...) \
	kn_open_config(out, error, capacity, &(kn_config){ __VA_ARGS__ })
#endif

/*
 * Closes a handle: new calls get KN_CLOSED, those that run, and transactions that have a
 * connection, with all that is called in them, have drain_ms (in milliseconds; -1: that of the
 * configuration; 0 and whatever else is less: no time) to end.  What the handle's own threads wait
 * for they give up at once, but for the look-up of a host's name and a secret source, which take
 * what they take.  KN_TIMEOUT: some did not; their statements are cancelled and their connections
 * closed as soon as they give them back, and the handle is freed with the last context.  KN_OK:
 * nothing was under way any more.  NULL does nothing, and is KN_OK.
 */
KN_API kn_status kn_close(kn_db *db, int64_t drain_ms);

/*
 * Replaces all connections: idle ones at once, those in use when they come back.  Waits for
 * neither.  What the handle knows by then of types that are the database's own stays: where the
 * same name leads to another cluster from now on, in which they have other numbers, take a new
 * handle.  Of several servers, a primary that cannot be reached is none any more, nor does one that
 * is a standby by now, and may not be asked for its timeline, keep another from being it: else
 * nothing is written to one of an older timeline than there was.  NULL does nothing, nor does it in
 * a child process.
 */
KN_API void kn_reset_pool(kn_db *db);

/* What a server's pool has done and does; all since the handle was opened. */
typedef struct kn_stats
{
	size_t size;                                  /* of this struct, filled in by the caller */
	int total, idle, busy, opening, waiting, max; /* connections, but for waiting: callers; total is
												   * what is idle or busy */
	uint64_t acquires;                            /* connections handed out */
	uint64_t waits;                               /* of these after waiting */
	uint64_t timeouts, refused;                   /* not handed out: in time, for too many waited */
	uint64_t opened, failed_to_open;
	uint64_t closed_idle, closed_old, closed_broken; /* old: by lifetime_ms, or kn_reset_pool() */
	uint64_t leaks;                                  /* held for leak_ms */
	uint64_t wait_ns;                                /* in all */
	uint64_t wait_histogram[32]; /* of waits: [i] counts those of less than 2^i us, and not less
									than half of it */
	uint64_t queries, errors, retries, retries_denied; /* attempts, a transaction being one; of them
														* failed; calls tried again; not so, for
														* want of budget */
	int breaker;                                       /* kn_breaker_state of kints/observe.h */
	int64_t lag_us;                                    /* of a replica, -1: not known */
	bool is_primary;
	const char *host;    /* static as long as the handle */
	uint64_t hedges;     /* reads that came to it as well, for another was slow; not in queries
						  * but where it was the first to answer */
	uint64_t hedges_won; /* of these, where it was */
	int lingering;       /* given up, and the server has not ended their statements: they are not in
						  * total, and yet max_connections counts them, for a minute at most */
	uint64_t busy_ns; /* that connections were out; each time counts when that one is taken again,
					   * or closed */
	uint64_t open_ns; /* that it took to open those that were opened */
	/* Attempts that its breaker sent away, but for hedges: neither queries nor errors. */
	uint64_t breaker_refused;
	uint64_t breaker_opened; /* how often that opened, be it again after a probe */
} kn_stats;

/* How many servers there are: 0 is the one of conninfo, then the replicas.  0 of NULL. */
KN_API int kn_server_count(const kn_db *db);
/* The figures of a server, as they are now, in *out, whose size is filled in.  KN_OK, or KN_USAGE
 * where there is no such server, or db or out is NULL, or its size is not filled in.  In a child
 * process some are those of the fork, and others 0. */
KN_API kn_status kn_get_stats(const kn_db *db, int server, kn_stats *out);

/*
 * Who holds connections, as text, a line each: where it was taken, for how long, whether a
 * statement is active or it is idle, perhaps in a transaction or in one that has failed, and the
 * last SQL, whose literals are masked unless show_parameters is set.  Returns the length it has, as
 * snprintf() does: writes what fits in capacity bytes with a NUL behind it; buffer may be NULL
 * where that is 0.  0, and an empty text, if nobody does, in a child process, and of NULL.
 */
KN_API size_t kn_dump_pool(const kn_db *db, char *buffer, size_t capacity);

KN_END_DECLS

#endif
