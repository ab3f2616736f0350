/*
 * kints/observe.h
 *		What the library tells: events, as they happen, and figures, when they are asked for.
 *
 * Nothing is told unless somebody has said that he listens; then an event costs what
 * he makes of it, in the thread in which it happens, so a hook should be quick and must
 * not call the library with the same context.
 *
 * Threads: all functions may be called from any thread; kn_json_log_init() before the log is used.
 */
#ifndef KINTS_OBSERVE_H
#define KINTS_OBSERVE_H

#include <stdio.h>

#include "kints/db.h"
#include "kints/value.h"

KN_BEGIN_DECLS

typedef enum kn_breaker_state
{
	KN_BREAKER_CLOSED,   /* calls go through */
	KN_BREAKER_OPEN,     /* they fail at once, with KN_CIRCUIT_OPEN */
	KN_BREAKER_HALF_OPEN /* a few go through, to see */
} kn_breaker_state;

/* "closed", "open", "half_open"; "unknown" for any other number.  Static text. */
KN_API const char *kn_breaker_state_name(int state);

/* Kinds of events: X(NAME, hook, what it tells). */
#define KN_EVENTS(X)                                                                     \
	X(QUERY, query, "a call has ended, well or not, repeats and rows included")          \
	X(SLOW_QUERY, slow_query, "the same, and it took slow_ms or longer")                 \
	X(POOL,                                                                              \
	  pool,                                                                              \
	  "what = opened, open_failed, closed, leaked, waited, wait_failed: a connection; "  \
	  "listen_lost, listen_failed, listen_again: a listener's")                          \
	X(BREAKER, breaker, "what = closed, open, half_open: what a circuit breaker is now") \
	X(RETRY,                                                                             \
	  retry,                                                                             \
	  "what = repeated, denied: a call failed and may go again; "                        \
	  "hedged: a slow read goes to that server as well")                                 \
	X(AUDIT,                                                                             \
	  audit,                                                                             \
	  "what = committed, pending (in a transaction, whose own end comes), failed, "      \
	  "unknown (it may have been committed), undone (with a savepoint): "                \
	  "no read; of a batch each that is none")                                           \
	X(NOTICE,                                                                            \
	  notice,                                                                            \
	  "what = the severity: something that the server remarks; or the library, once a "  \
	  "server: prepared statements were not there, and are done without")

/*
 * Of the pool's events, duration_ns is how long it took to open the connection; how long it was
 * open, by when it is closed; how long it has been held, by when it is taken for leaked; how long
 * a caller waited.  Waits are told from slow_ms on (waited), or if they fail.
 *
 * reason says of a closed connection: idle, lifetime, reset (of before kn_reset_pool() or a
 * failover), dead (while nobody used it), broken (when it came back), drained (by kn_close()); of a
 * wait that failed: who holds connections, from where, and for how long.
 */
typedef enum kn_event_kind
{
#define X(name, hook, text) KN_EVENT_##name,
	KN_EVENTS(X)
#undef X
	KN_EVENT_COUNT
} kn_event_kind;

/* "query", "slow_query" ...; "unknown" for a number that is none.  Static text. */
KN_API const char *kn_event_name(kn_event_kind kind);

/*
 * What an event says, and what not: unless kn_config.show_parameters is set, no value that the
 * program has sent.  Parameters are left out, and literals are ? in a statement that has no
 * parameters.  Of an error, its detail is never told ("Key (email)=(ada@example.org) already
 * exists", "Failing row contains (...)"), nor its hint and context; its message only where that can
 * be seen to quote no value: of constraints, rights, locks, cancels and the like, of what is wrong
 * with a name that stands in the statement, and of connections; not of bad data, of syntax
 * errors, and of what functions raise in words of their own, as errors or as notices, whatever
 * SQLSTATE they choose.  kn_last_error() has all of that; it is for the program.
 *
 * A batch is one call: its text is that of all statements with "; " between them (once if it is the
 * same), each as it would be told by itself; what goes beyond 16 KiB is left out, and the text ends
 * with how many statements those are.  Its rows are the sum of all, and no parameters are shown.
 * The audit has an event for each statement of the batch that may write, as if it were
 * alone, but for batch_size, and for what became of it: it is that of the batch, which is in force
 * as a whole or not at all.
 *
 * Within a transaction each savepoint, which is a kn_transact() in another, has a number, from 1 on
 * in the order they begin in; savepoint is that of the innermost an event is of, -1 outside of
 * them.  When one is rolled back in which something was told as pending, the audit is told undone,
 * with its number: what this transaction has told as pending by then, with that number or a greater
 * one, is not in force, whatever is told of the transaction's own end.  So of what is pending by a
 * COMMIT that is told as committed, all is in force that has not been told undone.
 *
 * X(type, field, attribute).  Attributes are named as OpenTelemetry's
 * semantic conventions for databases have them, where they have one.  Texts are NULL, and
 * numbers -1, where there is nothing to say.
 */
#define KN_EVENT_FIELDS(X)                                                                       \
	X(TEXT, what, "kints.event.what")                                                            \
	X(TEXT, db_name, "db.client.connection.pool.name") /* kn_config.name */                      \
	X(TEXT, host, "server.address")                                                              \
	X(NUMBER, port, "server.port")                                                               \
	X(TEXT, database, "db.namespace")                                                            \
	X(TEXT, operation, "db.operation.name") /* "SELECT"; "BATCH SELECT", "BATCH": of a batch */  \
	X(TEXT, summary, "db.query.summary")    /* kn_options.name */                                \
	X(TEXT, sql, "db.query.text")           /* literals are ? where it has no parameters */      \
	X(NUMBER, batch_size, "db.operation.batch.size") /* from 2 on */                             \
	X(NUMBER, rows, "db.response.returned_rows")                                                 \
	X(NUMBER, affected, "kints.affected_rows")                                                   \
	X(TEXT, sqlstate, "db.response.status_code")                                                 \
	X(TEXT, error, "error.type")              /* "KN_DUPLICATE" */                               \
	X(TEXT, message, "error.message")         /* of a notice: its text, as the server says it */ \
	X(TEXT, trace_id, "kints.correlation_id") /* kn_request.trace_id */                          \
	X(TEXT, actor, "enduser.id")              /* kn_request.actor */                             \
	X(NUMBER, duration_ns, "kints.duration_ns")                                                  \
	X(NUMBER, attempts, "kints.attempts") /* so far */                                           \
	X(NUMBER, pause_ns, "kints.pause_ns") /* until the next */                                   \
	X(NUMBER, connection_pid, "kints.server.pid")                                                \
	X(TEXT, file, "code.file.path") /* where the request began */                                \
	X(NUMBER, line, "code.line.number")                                                          \
	X(TEXT, reason, "kints.reason")         /* of a pool's event: see above */                   \
	X(NUMBER, savepoint, "kints.savepoint") /* of a transaction, from 1 on: see above */

#define KN_FIELD_TYPE_TEXT   const char *
#define KN_FIELD_TYPE_NUMBER int64_t

/* Lives until the hook returns, with all that it points to. */
typedef struct kn_event
{
	size_t size; /* of this struct, as the library knows it */
	kn_event_kind kind;
	kn_status status; /* KN_OK for what is no failure */
	int64_t wall_ns;  /* when, since 1970-01-01 UTC */
#define X(type, field, attribute) KN_FIELD_TYPE_##type field;
	KN_EVENT_FIELDS(X)
#undef X
	int parameter_count;
	const kn_value *parameters; /* NULL: masked, for show_parameters is not set, or of a batch */
} kn_event;

typedef void kn_hook(void *user, const kn_event *event);

/* Who listens to what.  Hooks that are NULL cost nothing.  Called from any thread, also at once. */
typedef struct kn_hooks
{
	size_t size;                 /* of this struct; kn_open() refuses those without it */
	void *user;                  /* what all hooks get */
	const struct kn_hooks *next; /* who listens as well; NULL: nobody */
#define X(name, hook, text) kn_hook *hook;
	KN_EVENTS(X)
#undef X
} kn_hooks;

/* Fields that an event has something to say in, one after the other. */
typedef struct kn_field
{
	const char *attribute; /* static text */
	const char *text;      /* NULL: it is a number */
	int64_t number;
} kn_field;

/*
 * The next field, from *at on, which begins at 0; false: there is none, or an argument is NULL.
 * *out lives as long as the event.  Parameters are not among them.  For adapters that hand all on,
 * whatever it is.
 */
KN_API bool kn_event_field(const kn_event *event, int *at, kn_field *out);

/*
 * Events as JSON, an object a line: time, event, db.system.name, the fields, and
 * db.query.parameter.<n> where parameters are shown.  Text that is not UTF-8 is mended.
 * Times, dates and intervals among the parameters are numbers, as kints/value.h has them.
 *
 * Each line is one write to the file's descriptor, so that lines of several threads, or of
 * processes that append, do not mix; a FILE without a descriptor gets it in one fwrite().
 */
typedef struct kn_json_log
{
	kn_hooks hooks; /* for kn_config.hooks: &log.hooks; it listens to all but query */
	FILE *file;
	uint64_t lost; /* lines that could not be written; look at it when all is quiet */
	bool is_cut;   /* the last of them was in part: the next one begins with its newline */
} kn_json_log;

/* The caller owns both, and they have to outlive the handle; file must not be NULL.  with_queries:
 * every query is told. */
KN_API void kn_json_log_init(kn_json_log *log, FILE *file, bool with_queries);

/*
 * One event as such a line, its newline included, as snprintf() would: returns the length it
 * has in bytes, and writes what fits in capacity of them with a NUL behind it; buffer may be NULL
 * where that is 0.  0 of NULL; SIZE_MAX: out of memory.
 */
KN_API size_t kn_event_json(const kn_event *event, char *buffer, size_t capacity);

/*
 * The figures of servers in Prometheus' text format: count stats, as kn_get_stats() fills them
 * in, of the handle of that name.  Their size is that of the first, and what it does not reach is
 * left out.  Returns the length it has, as snprintf() does: writes what fits in capacity bytes with
 * a NUL behind it.  SIZE_MAX: out of memory.  Text that is not UTF-8 is mended.  name may be NULL,
 * for "", and stats, for none.  May be called from any thread.
 */
KN_API size_t kn_prometheus(const char *name, const kn_stats *stats, int count, char *buffer,
							size_t capacity);

/* A handle on a page of several, each of which has a name of its own. */
typedef struct kn_prometheus_handle
{
	const char *name;
	const kn_stats *stats; /* count of them */
	int count;
} kn_prometheus_handle;

/*
 * The same of several handles.  The format wants each family once, with all its samples, so
 * pages of one handle each cannot be put one behind the other.
 */
KN_API size_t kn_prometheus_page(const kn_prometheus_handle *handles, int count, char *buffer,
								 size_t capacity);

KN_END_DECLS

#endif
