/*
 * kill.h
 *		Statements, batches, transactions and reads that a connection is lost by.
 */
#ifndef KN_TESTS_KILL_H
#define KN_TESTS_KILL_H

#include "kill_deed.h"

#define INSERT     "INSERT INTO kn_kill VALUES ($1)"
#define RETURNING  INSERT " RETURNING token"
#define IDEMPOTENT "INSERT INTO kn_kill VALUES (-1) ON CONFLICT DO NOTHING"
#define CALL       "SELECT kn_write($1)" /* nobody knows that it writes */
#define READ       "SELECT kn_pause(), g FROM generate_series(1, 100) g"

/* The others wait at COMMIT, where the deferred trigger is; these while they are executed. */
#define PAUSING_INSERT "INSERT INTO kn_kill SELECT $1 WHERE kn_pause()"
#define PAUSING_CALL   "SELECT kn_write($1), kn_pause()"

static inline kn_status
insert_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_exec(cx, INSERT, 1);
}

static inline kn_status
stream_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_done(kn_stream(cx, RETURNING, 1));
}

static inline kn_status
batch_body(kn_ctx *cx, void *argument)
{
	kn_batch *batch = kn_begin_batch(cx);

	begin_body(argument, cx);
	(void) kn_add(batch, INSERT, 1);
	(void) kn_add(batch, "SELECT 1");
	return kn_run_batch(batch, NULL);
}

static inline kn_status
function_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_exec(cx, CALL, 1);
}

/* What it has done is not wanted. */
static inline kn_status
unwanted_body(kn_ctx *cx, void *argument)
{
	kn_status status;

	begin_body(argument, cx);
	status = kn_exec(cx, INSERT, 1);
	return status == KN_OK ? KN_CONFLICT : status;
}

static inline kn_status
unwanted_inner_body(kn_ctx *cx, void *argument)
{
	kn_status status = kn_exec(cx, INSERT, 1);

	(void) argument;
	return status == KN_OK ? KN_CONFLICT : status;
}

/* It goes on without what its savepoint has done. */
static inline kn_status
changing_body(kn_ctx *cx, void *argument)
{
	kn_status status;

	begin_body(argument, cx);
	status = kn_transact(cx, unwanted_inner_body, NULL);
	return status == KN_CONFLICT ? kn_exec(cx, INSERT, 1) : status;
}

static inline kn_status
uncache_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	EXPECT_OK(cx, kn_uncache(cx, "key"));
	return kn_exec(cx, INSERT, 1);
}

static inline kn_status
inner_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, INSERT, 1);
}

static inline kn_status
pausing_inner_body(kn_ctx *cx, void *argument)
{
	(void) argument;
	return kn_exec(cx, PAUSING_INSERT, 1);
}

static inline kn_status
pausing_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_exec(cx, PAUSING_INSERT, 1);
}

static inline kn_status
pausing_stream_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_done(kn_stream(cx, PAUSING_INSERT " RETURNING token", 1));
}

/* It is under way when a part of it has been done. */
static inline kn_status
pausing_batch_body(kn_ctx *cx, void *argument)
{
	kn_batch *batch = kn_begin_batch(cx);

	begin_body(argument, cx);
	(void) kn_add(batch, INSERT, 1);
	(void) kn_add(batch, "SELECT kn_pause()");
	return kn_run_batch(batch, NULL);
}

static inline kn_status
pausing_function_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_exec(cx, PAUSING_CALL, 1);
}

static inline kn_status
pausing_read_body(kn_ctx *cx, void *argument)
{
	begin_body(argument, cx);
	return kn_done(kn_query(cx, "SELECT kn_pause()"));
}

static inline kn_status
nesting_body(kn_ctx *cx, void *argument)
{
	kn_status status;

	begin_body(argument, cx);
	status = kn_exec(cx, "SELECT 1");
	return status != KN_OK ? status : kn_transact(cx, inner_body, NULL);
}

/* It gets over whatever happens to the savepoint; but not over the loss of the connection. */
static inline kn_status
forgiving_body(kn_ctx *cx, void *argument)
{
	kn_status status;

	begin_body(argument, cx);
	status = kn_exec(cx, "SELECT 1");
	return status != KN_OK || kn_transact(cx, pausing_inner_body, NULL) == KN_OK ? status : KN_OK;
}

static inline kn_status
act_calling(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, function_body, s);
}

static inline kn_status
act_call(scene *s, kn_ctx *cx)
{
	(void) s;
	return kn_done(kn_query(cx, CALL, 1));
}

static inline kn_status
act_exec(scene *s, kn_ctx *cx)
{
	(void) s;
	return kn_exec(cx, INSERT, 1);
}

static inline kn_status
act_returning(scene *s, kn_ctx *cx)
{
	(void) s;
	return kn_done(kn_query(cx, RETURNING, 1));
}

static inline kn_status
act_batch(scene *s, kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) s;
	(void) kn_add(batch, INSERT, 1);
	(void) kn_add(batch, "SELECT 1");
	return kn_run_batch(batch, NULL);
}

static inline kn_status
act_stream_write(scene *s, kn_ctx *cx)
{
	kn_rows *rows = kn_stream(cx, RETURNING, 1);

	(void) s;
	while (kn_next(rows))
		ck_assert_int_eq(kn_get_i32(rows, 0), 1);
	return kn_done(rows);
}

static inline kn_status
act_idempotent(scene *s, kn_ctx *cx)
{
	const kn_options idempotent = { .size = sizeof(kn_options), .is_idempotent = true };

	(void) s;
	return kn_exec_values(cx, IDEMPOTENT, NULL, 0, &idempotent, NULL);
}

static inline kn_status
act_transaction(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, insert_body, s);
}

static inline kn_status
act_streaming(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, stream_body, s);
}

static inline kn_status
act_batching(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, batch_body, s);
}

static inline kn_status
act_pausing(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, pausing_body, s);
}

static inline kn_status
act_pausing_stream(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, pausing_stream_body, s);
}

static inline kn_status
act_pausing_batch(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, pausing_batch_body, s);
}

static inline kn_status
act_pausing_function(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, pausing_function_body, s);
}

static inline kn_status
act_pausing_read(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, pausing_read_body, s);
}

static inline kn_status
act_nesting(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, nesting_body, s);
}

static inline kn_status
act_forgiving(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, forgiving_body, s);
}

static inline kn_status
act_rolling_back(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, unwanted_body, s);
}

static inline kn_status
act_changing(scene *s, kn_ctx *cx)
{
	return kn_transact(cx, changing_body, s);
}

/* What is kept may be old by now, unless nothing has been done. */
static inline void
check_removed(const scene *s, kn_status status)
{
	ck_assert_int_eq(s->kept, status != KN_OK && status != KN_OUTCOME_UNKNOWN);
}

static inline kn_status
act_uncache(scene *s, kn_ctx *cx)
{
	scene_put(s, "key", "old", 3, 0);
	return kn_transact(cx, uncache_body, s);
}

static inline kn_status
read_all(kn_rows *rows)
{
	int64_t count = 0;
	kn_status status;

	while (kn_next(rows))
		count++;
	status = kn_done(rows);
	if (status == KN_OK)
		ck_assert_int_eq(count, 100);
	return status;
}

static inline kn_status
act_query(scene *s, kn_ctx *cx)
{
	(void) s;
	return read_all(kn_query(cx, READ));
}

static inline kn_status
act_stream(scene *s, kn_ctx *cx)
{
	(void) s;
	return read_all(kn_stream(cx, READ));
}

static inline kn_status
act_batch_reads(scene *s, kn_ctx *cx)
{
	kn_batch *batch = kn_begin_batch(cx);
	kn_status status;

	(void) s;
	(void) kn_add(batch, "SELECT $1 + 1", 1);
	(void) kn_add(batch, "SELECT kn_pause()");
	status = kn_run_batch(batch, NULL);
	if (status == KN_OK)
		ck_assert_int_eq(number_of(cx, kn_batch_rows(batch, 0)), 2);
	return status;
}

/* What is kept is what was read, and is not asked for again. */
static inline kn_status
act_cached(scene *s, kn_ctx *cx)
{
	const kn_options cached = { .size = sizeof(kn_options), .cache_key = "key", .cache_ms = 60000 };
	kn_rows *rows = kn_query_values(cx, "SELECT kn_pause()", NULL, 0, &cached);
	kn_status status;

	while (kn_next(rows))
		ck_assert_int_eq(kn_get_bool(rows, 0), true);
	status = kn_done(rows);
	ck_assert_int_eq(s->kept, status == KN_OK);
	return status;
}

static const deed deeds[] = {
	{ "exec", "kn_kill", DEED_WRITES, act_exec, .waits = true },
	{ "returning", "kn_kill", DEED_WRITES, act_returning, .waits = true },
	{ "batch", "kn_kill", DEED_WRITES, act_batch, .waits = true },
	{ "role", "kn_kill", DEED_WRITES, act_exec, .waits = true }, /* claims come before it */
	{ "stream of a write",
	  "kn_kill",
	  DEED_WRITES,
	  act_stream_write,
	  .waits = true,
	  .streams = true },
	{ "function", "kn_write", DEED_WRITES, act_call, .waits = true, .calls = true },
	{ "idempotent", "kn_kill", DEED_MAY_REPEAT, act_idempotent, .waits = true },
	{ "statement", "kn_pause", DEED_IN_A_BODY, act_pausing, .waits = true, .is_last = true },
	{ "stream in a body",
	  "kn_pause",
	  DEED_IN_A_BODY,
	  act_pausing_stream,
	  .waits = true,
	  .streams = true,
	  .is_last = true },
	{ "batch in a body",
	  "kn_pause",
	  DEED_IN_A_BODY,
	  act_pausing_batch,
	  .waits = true,
	  .is_last = true },
	{ "function in a body",
	  "kn_pause",
	  DEED_IN_A_BODY,
	  act_pausing_function,
	  .waits = true,
	  .is_last = true },
	{ "read in a body",
	  "kn_pause",
	  DEED_IN_A_BODY,
	  act_pausing_read,
	  .waits = true,
	  .rows = NO_ROWS,
	  .is_last = true },
	{ "savepoint", "SAVEPOINT kn_1", DEED_IN_A_BODY, act_nesting, .waits = false },
	{ "within a savepoint", "kn_pause", DEED_IN_A_BODY, act_forgiving, .waits = true },
	{ "release", "RELEASE kn_1", DEED_IN_A_BODY, act_nesting, .waits = false, .is_last = true },
	{ "rollback to", "ROLLBACK TO kn_1", DEED_IN_A_BODY, act_changing, .waits = false },
	{ "rollback", "ROLLBACK", DEED_ROLLS_BACK, act_rolling_back, .waits = false },
	{ "commit", "COMMIT", DEED_ENDS_A_BODY, act_transaction, .waits = true },
	{ "commit of a stream", "COMMIT", DEED_ENDS_A_BODY, act_streaming, .waits = true },
	{ "commit of a batch", "COMMIT", DEED_ENDS_A_BODY, act_batching, .waits = true },
	{ "commit of a function", "COMMIT", DEED_ENDS_A_BODY, act_calling, .waits = true },
	{ "commit of a savepoint", "COMMIT", DEED_ENDS_A_BODY, act_nesting, .waits = true },
	{ "commit and uncache",
	  "COMMIT",
	  DEED_ENDS_A_BODY,
	  act_uncache,
	  .waits = true,
	  .check = check_removed },
	{ "query", "kn_pause", DEED_READS, act_query, .waits = true },
	{ "stream", "kn_pause", DEED_READS, act_stream, .waits = true, .streams = true },
	{ "batch of reads", "kn_pause", DEED_READS, act_batch_reads, .waits = true },
	{ "cached", "kn_pause", DEED_READS, act_cached, .waits = true },
};

#endif
