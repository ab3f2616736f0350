/*
 * kints/query.h
 *		SQL with parameters, and the rows that it gives.
 *
 * Parameters are $1, $2, ... as PostgreSQL has them; they never become part of the
 * text.  Everything an answer hands out lives as its comment says, at the most
 * until the context ends, or kn_clear().
 *
 * What a call with a statement may return, besides what the server has against it (KN_DUPLICATE,
 * KN_DATA, KN_SCHEMA and so on, by its SQLSTATE):
 *	 KN_USAGE          no SQL, or no values for count; several statements in one text; what begins
 *					   or ends transactions, copies, or sets something for the session; a claim
 *					   without a value; a size that is not filled in; rows that stream, or a COPY,
 *					   are not ended
 *	 KN_TIMEOUT, KN_CANCELED    ended, and not in force but for what functions did elsewhere
 *	 KN_POOL_TIMEOUT, KN_POOL_FULL, KN_CIRCUIT_OPEN, KN_AUTH, KN_CONFIG, KN_UNAVAILABLE
 *					   there is no connection for it
 *	 KN_CONN_LOST      the connection was lost, and nothing was executed
 *	 KN_OUTCOME_UNKNOWN    it was lost, and the statement may have been executed
 *	 KN_READ_ONLY      the server, or the transaction, is none to write in
 *	 KN_ABORTED        an earlier statement of the transaction has failed
 *	 KN_NO_MEMORY, KN_FORKED, KN_CLOSED
 *
 * Threads: as the context.
 */
#ifndef KINTS_QUERY_H
#define KINTS_QUERY_H

#include "kints/context.h"

KN_BEGIN_DECLS

typedef struct kn_rows kn_rows;

/*
 * What a statement of one's own is like; all zero is the usual, and so is NULL.  Texts need not
 * outlive the call.  KN_USAGE: is_read and is_write, or a cache_key where the configuration has no
 * cache.
 */
typedef struct kn_options
{
	size_t size;        /* of this struct */
	bool is_idempotent; /* may run twice: tried again even if it may have been executed */
	bool is_write; /* calls something that writes: never to a replica, never read from a cache */
	bool is_read;  /* writes nothing, whatever it looks like or calls */
	bool never_prepare;
	const char *name;      /* of the operation, in events */
	const char *cache_key; /* of a kn_query() that reads: see kints/cache.h; NULL: not from there */
	int64_t cache_ms;      /* how long it may be kept, as it is handed to the cache's put */
} kn_options;

/*
 * Runs a statement; *rows, if it is not NULL, is how many rows it affected, 0 if it fails.  The
 * text, here as below, has to end with a NUL, and lives as long as the context; values, what they
 * borrow, and options need not outlive the call.  options may be NULL, and values where count is 0.
 */
KN_API KN_MUST_CHECK kn_status kn_exec_values(kn_ctx *cx, const char *sql, const kn_value *values,
											  int count, const kn_options *options, int64_t *rows);

/*
 * Runs a query and has all its rows before it returns; the connection is free
 * again by then.  Arguments as above.  Never NULL: what failed comes out of kn_done().  Rows that
 * nobody ends are ended by kn_end() and kn_clear().
 */
KN_API kn_rows *kn_query_values(kn_ctx *cx, const char *sql, const kn_value *values, int count,
								const kn_options *options);

/*
 * The same, row by row as they arrive: memory does not grow with their number.
 * The connection is held until kn_done(), and other statements with the context are KN_USAGE until
 * then.  values and options need not outlive the call; once it returns, nothing is tried again.
 */
KN_API kn_rows *kn_stream_values(kn_ctx *cx, const char *sql, const kn_value *values, int count,
								 const kn_options *options);

/*
 * kn_exec(cx, "INSERT INTO t VALUES ($1, $2)", 7, "ada"): up to 16 values, each anything that
 * kn_v() takes; for more, and from C++, there are the functions above.
 */
#ifndef __cplusplus
#define kn_exec(cx, ...)   kn_exec_values(cx, KN_SQL_(__VA_ARGS__), NULL, NULL)
#define kn_query(cx, ...)  kn_query_values(cx, KN_SQL_(__VA_ARGS__), NULL)
#define kn_stream(cx, ...) kn_stream_values(cx, KN_SQL_(__VA_ARGS__), NULL)

/* clang-format off */
/* The SQL, its values as an array, and how many there are. */
#define KN_SQL_(...)           KN_PICK_(__VA_ARGS__, KN_SQL_16_, KN_SQL_15_, KN_SQL_14_, KN_SQL_13_, KN_SQL_12_, KN_SQL_11_, KN_SQL_10_, KN_SQL_9_, KN_SQL_8_, KN_SQL_7_, KN_SQL_6_, KN_SQL_5_, KN_SQL_4_, KN_SQL_3_, KN_SQL_2_, KN_SQL_1_, KN_SQL_0_, 0)(__VA_ARGS__)
#define KN_PICK_(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, name, ...) name
#define KN_SQL_0_(sql)         (sql), NULL, 0
#define KN_SQL_1_(sql, v1) \
	(sql), (const kn_value[]){ kn_v(v1) }, 1
#define KN_SQL_2_(sql, v1, v2) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2) }, 2
#define KN_SQL_3_(sql, v1, v2, v3) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3) }, 3
#define KN_SQL_4_(sql, v1, v2, v3, v4) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4) }, 4
#define KN_SQL_5_(sql, v1, v2, v3, v4, v5) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5) }, 5
#define KN_SQL_6_(sql, v1, v2, v3, v4, v5, v6) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6) }, 6
#define KN_SQL_7_(sql, v1, v2, v3, v4, v5, v6, v7) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7) }, 7
#define KN_SQL_8_(sql, v1, v2, v3, v4, v5, v6, v7, v8) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8) }, 8
#define KN_SQL_9_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9) }, 9
#define KN_SQL_10_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10) }, 10
#define KN_SQL_11_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10), kn_v(v11) }, 11
#define KN_SQL_12_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10), kn_v(v11), kn_v(v12) }, 12
#define KN_SQL_13_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10), kn_v(v11), kn_v(v12), kn_v(v13) }, 13
#define KN_SQL_14_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10), kn_v(v11), kn_v(v12), kn_v(v13), kn_v(v14) }, 14
#define KN_SQL_15_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10), kn_v(v11), kn_v(v12), kn_v(v13), kn_v(v14), kn_v(v15) }, 15
#define KN_SQL_16_(sql, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16) \
	(sql), (const kn_value[]){ kn_v(v1), kn_v(v2), kn_v(v3), kn_v(v4), kn_v(v5), kn_v(v6), kn_v(v7), kn_v(v8), kn_v(v9), kn_v(v10), kn_v(v11), kn_v(v12), kn_v(v13), kn_v(v14), kn_v(v15), kn_v(v16) }, 16
/* clang-format on */
#endif

/* Goes on to the next row; false: there is none, it failed, as kn_done() tells, or rows is NULL.
 * A stream waits for it until the context's deadline. */
KN_API bool kn_next(kn_rows *rows);
/*
 * Ends it, whether all rows were seen or not, and says what failed first: the statement, the way
 * to a row, or a value that was asked for.  Its values are gone.  A stream that only reads is
 * cancelled, unless it is part of a transaction; any other is done to its end.  Gives the same
 * again when called again.  NULL gives KN_USAGE.
 */
KN_API KN_MUST_CHECK kn_status kn_done(kn_rows *rows);

/*
 * Columns count from 0.  A stream knows them once kn_next() has found a row; rows that are ended,
 * or NULL, or of a statement that failed, have none.
 *
 * How many columns the rows have; 0 where there are none, or nothing has come yet.
 */
KN_API int kn_column_count(const kn_rows *rows);
/* Lives until kn_done(), of a stream until the next kn_next(); NULL where there is no such column.
 */
KN_API const char *kn_column_name(const kn_rows *rows, int column);
/* The server's type of a column, an OID; 0 where there is no such column. */
KN_API uint32_t kn_column_oid(const kn_rows *rows, int column);
/* The first column of that name, -1: none. */
KN_API int kn_column_index(const kn_rows *rows, const char *name);
/* How many rows it has, or has affected; -1: not known yet, while it streams.  -1 of NULL. */
KN_API int64_t kn_row_count(const kn_rows *rows);

/*
 * A value of the row that kn_next() went to; lives until the next kn_next() or kn_done().  Before
 * the first row and behind the last there is none: that is KN_USAGE, as a column that is not there.
 * What is not there is of KN_TYPE_NULL.
 */
KN_API kn_value kn_column(kn_rows *rows, int column);

/*
 * The same as what a C program wants.  One that does not fit, or is NULL, gives
 * zero (texts: ""), and is the error that kn_done() returns (KN_DATA, with row and column);
 * kn_next() then goes no further.  kn_is_null() asks before.  Without such a column, or before
 * kn_next(), that error is KN_USAGE.
 */
KN_API bool kn_is_null(kn_rows *rows, int column);
KN_API bool kn_get_bool(kn_rows *rows, int column);
/* Of any integer, oid, or numeric without a fraction, that is in range. */
KN_API int16_t kn_get_i16(kn_rows *rows, int column);
KN_API int32_t kn_get_i32(kn_rows *rows, int column);
KN_API int64_t kn_get_i64(kn_rows *rows, int column);
/* Of real, double precision or an integer, if it loses no digit by it. */
KN_API float kn_get_f32(kn_rows *rows, int column);
KN_API double kn_get_f64(kn_rows *rows, int column);
/* Of anything but an array: true or false, digits, dates and times in ISO form, those with a time
 * zone in UTC, bytes as they are.  Lives until the next kn_next() or kn_done(). */
KN_API kn_str kn_get_str(kn_rows *rows, int column);
/* The same, NUL-terminated, in the arena of the context: lives as long as that.  KN_DATA where
 * there is a NUL in it; KN_NO_MEMORY. */
KN_API const char *kn_get_text(kn_rows *rows, int column);
/* These are of their own type only. */
KN_API kn_uuid kn_get_uuid(kn_rows *rows, int column);
KN_API kn_date kn_get_date(kn_rows *rows, int column);
/* Timestamp with time zone: one without is no point in time, and kn_column() has its as.i. */
KN_API kn_time kn_get_time(kn_rows *rows, int column);
KN_API kn_interval kn_get_interval(kn_rows *rows, int column);

KN_END_DECLS

#endif
