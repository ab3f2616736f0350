/*
 * kints/base.h
 *		What every other header needs: attributes, version, text, statuses, memory.
 *
 * Threads: everything here may be called from any thread at any time.
 */
#ifndef KINTS_BASE_H
#define KINTS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define KN_BEGIN_DECLS \
	extern "C"         \
	{
#define KN_END_DECLS }
#else
#define KN_BEGIN_DECLS
#define KN_END_DECLS
#endif

#if defined(__GNUC__)
#define KN_API               __attribute__((visibility("default")))
#define KN_MUST_CHECK        __attribute__((warn_unused_result))
#define KN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
/* KN_AUTO(kn_ctx) *cx = ...: ended by itself when the variable goes out of scope.  For contexts,
 * with gcc and clang. */
#define KN_AUTO(type) __attribute__((cleanup(type##_cleanup))) type
#else
#define KN_API
#define KN_MUST_CHECK
#define KN_PRINTF(fmt, args)
#endif

KN_BEGIN_DECLS

#define KN_VERSION_MAJOR 0
#define KN_VERSION_MINOR 1
#define KN_VERSION_PATCH 0
#define KN_VERSION_NUM   (KN_VERSION_MAJOR * 10000 + KN_VERSION_MINOR * 100 + KN_VERSION_PATCH)

/* The version of the library that runs, as KN_VERSION_NUM is that of the header. */
KN_API int kn_version(void);

/* Text that somebody else owns: not ended by a NUL, never copied, may be empty. */
typedef struct kn_str
{
	const char *p;
	size_t n;
} kn_str;

/*
 * Statuses: X(name, text, is retryable).  Retryable means that the same call,
 * or the same transaction from its beginning, may succeed when tried again; the
 * library itself tries again only where nothing can happen twice.
 */
#define KN_STATUSES(X)                                                                  \
	X(OK, "ok", false)                                                                  \
	X(NOT_FOUND, "no such row", false)                                                  \
	X(CONFLICT, "the row was changed by somebody else", false)                          \
	X(DUPLICATE, "a unique or exclusion constraint is violated", false)                 \
	X(FOREIGN_KEY, "a foreign key is violated", false)                                  \
	X(CHECK, "a check constraint is violated", false)                                   \
	X(NOT_NULL, "a column that must have a value has none", false)                      \
	X(DATA, "a value is out of range or of the wrong type", false)                      \
	X(SERIALIZATION, "could not serialize access", true)                                \
	X(DEADLOCK, "a deadlock was broken", true)                                          \
	X(LOCK_TIMEOUT, "a lock was not to be had in time", true)                           \
	X(TIMEOUT, "the deadline is over", false)                                           \
	X(CANCELED, "the call was cancelled", false)                                        \
	X(POOL_TIMEOUT, "no connection became free in time", true)                          \
	X(POOL_FULL, "too many callers wait for a connection", true)                        \
	X(CIRCUIT_OPEN, "the circuit breaker of the server is open", true)                  \
	X(UNAVAILABLE, "the server cannot serve the request now", true)                     \
	X(CONN_LOST, "the connection was lost, and nothing was executed", true)             \
	X(OUTCOME_UNKNOWN, "the connection was lost, and it may have been executed", false) \
	X(READ_ONLY, "the server or the transaction is read-only", true)                    \
	X(AUTH, "the server refused the credentials or the right is missing", false)        \
	X(SCHEMA, "the statement does not fit the schema, or is no SQL", false)             \
	X(USAGE, "the library was called wrongly", false)                                   \
	X(CONFIG, "an option has a value that it cannot have", false)                       \
	X(ABORTED, "an earlier statement of the batch or of the transaction failed", false) \
	X(NO_MEMORY, "out of memory", false)                                                \
	X(FORKED, "the handle belongs to the parent process", false)                        \
	X(CLOSED, "the database handle is being closed", false)                             \
	X(SERVER, "the server reported an error", false)                                    \
	X(INTERNAL, "a fault of this library", false)

typedef enum kn_status
{
#define X(name, text, retryable) KN_##name,
	KN_STATUSES(X)
#undef X
	KN_STATUS_COUNT
} kn_status;

/* "KN_OK"; for a number that is no status "KN_UNKNOWN".  Static text. */
KN_API const char *kn_status_name(kn_status status);
/* One line for people, lower case, no full stop; for any number.  Static text. */
KN_API const char *kn_status_text(kn_status status);
/* Whether the same call may succeed later, and may have done nothing yet.  Not of any one call:
 * what has been executed is not known here.  False for a number that is no status. */
KN_API bool kn_status_is_retryable(kn_status status);

/*
 * What is known of the last failure of a context.  Texts are never NULL ("" when
 * there is nothing to say) and live as long as the error does: until the next
 * call with the same context, or with rows, a batch or a COPY of it.  All together they have
 * 4096 bytes; what is longer is cut.
 */
typedef struct kn_error
{
	kn_status status;
	char sqlstate[6];    /* "" where the server has not said it */
	int attempts;        /* how often it was tried, 1 for once */
	int item;            /* of a batch: the index of the statement that failed, else -1 */
	int64_t row;         /* of a value that does not fit: the row, from 0, else -1 */
	int column;          /* and the column, from 0, else -1 */
	int position;        /* in sql, in characters from 1, 0 if not known */
	const char *message; /* one line, as the server says it, or the library */
	const char *detail;
	const char *hint;
	const char *context; /* the server's: which function, which line of a COPY */
	const char *schema_name;
	const char *table_name;
	const char *column_name;
	const char *type_name;
	const char *constraint_name;
	const char *sql; /* the statement; parameters are never in it */
} kn_error;

/*
 * Where memory comes from.  All three functions or none; they have to be thread-safe, and must
 * not call the library.  Sizes are in bytes, never 0; memory has to be aligned for anything, and
 * NULL says that there is none, which resize leaves the old memory as it was for.  resize and
 * release get back the size that was asked for, and never NULL.  libpq has its own malloc(), and so
 * has what may outlive the handle, or belongs to none: requests to cancel, the ready-made sources
 * of secrets and adapters of events.
 */
typedef struct kn_allocator
{
	void *(*allocate)(void *user, size_t size);
	void *(*resize)(void *user, void *memory, size_t old_size, size_t new_size);
	void (*release)(void *user, void *memory, size_t size);
	void *user;
} kn_allocator;

/*
 * What time it is.  Both give nanoseconds: monotonic from any origin, never going back, wall since
 * 1970-01-01 UTC; NULL is the system's.  They are called from any thread.  A test may hand in one
 * of its own; see kn_config.
 */
typedef struct kn_clock
{
	int64_t (*monotonic)(void *user);
	int64_t (*wall)(void *user);
	void *user;
} kn_clock;

KN_END_DECLS

#endif
