/*
 * kill.h
 *		What is done while a connection is lost, and what may come of it.
 *
 * What is reported has to be true: KN_OK means that it was done once, KN_OUTCOME_UNKNOWN that
 * nobody can tell, and anything else that nothing was done.  Who asked to be called at the end of
 * a transaction is called once, and a cache loses what may be old.
 */
#ifndef KN_TESTS_KILL_H
#define KN_TESTS_KILL_H

#include <fcntl.h>
#include <sys/mman.h>

#include "kill_scene.h"

typedef enum deed_kind
{
	DEED_WRITES,      /* in one flight */
	DEED_MAY_REPEAT,  /* likewise, and twice is as good as once */
	DEED_IN_A_BODY,   /* a statement of a transaction */
	DEED_ENDS_A_BODY, /* its COMMIT */
	DEED_ROLLS_BACK,  /* its ROLLBACK */
	DEED_READS
} deed_kind;

typedef struct deed
{
	const char *name;
	const char *text; /* of the flight that is harmed, and of no other */
	deed_kind kind;
	kn_status (*act)(scene *s, kn_ctx *cx);
	bool waits;   /* the server is at it until the holder lets go of the lock */
	bool streams; /* rows are handed out as they come */
} deed;

static inline void
begin_body(scene *s, kn_ctx *cx)
{
	s->runs++;
	EXPECT_OK(cx, kn_after_commit(cx, count_commit, s));
	EXPECT_OK(cx, kn_after_rollback(cx, count_rollback, s));
}

#define INSERT     "INSERT INTO kn_kill VALUES ($1)"
#define RETURNING  INSERT " RETURNING token"
#define IDEMPOTENT "INSERT INTO kn_kill VALUES (-1) ON CONFLICT DO NOTHING"
#define CALL       "SELECT kn_write($1)" /* nobody knows that it writes */
#define READ       "SELECT kn_pause(), g FROM generate_series(1, 100) g"

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
	return status != KN_OK || kn_transact(cx, inner_body, NULL) == KN_OK ? status : KN_OK;
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
	{ "exec", "kn_kill", DEED_WRITES, act_exec, true, false },
	{ "returning", "kn_kill", DEED_WRITES, act_returning, true, false },
	{ "batch", "kn_kill", DEED_WRITES, act_batch, true, false },
	{ "role", "kn_kill", DEED_WRITES, act_exec, true, false }, /* claims come before it */
	{ "stream of a write", "kn_kill", DEED_WRITES, act_stream_write, true, true },
	{ "function", "kn_write", DEED_WRITES, act_call, true, false },
	{ "idempotent", "kn_kill", DEED_MAY_REPEAT, act_idempotent, true, false },
	{ "statement", "kn_kill", DEED_IN_A_BODY, act_transaction, false, false },
	{ "stream in a body", "kn_kill", DEED_IN_A_BODY, act_streaming, false, true },
	{ "savepoint", "SAVEPOINT kn_1", DEED_IN_A_BODY, act_nesting, false, false },
	{ "within a savepoint", "kn_kill", DEED_IN_A_BODY, act_forgiving, false, false },
	{ "release", "RELEASE kn_1", DEED_IN_A_BODY, act_nesting, false, false },
	{ "rollback to", "ROLLBACK TO kn_1", DEED_IN_A_BODY, act_changing, false, false },
	{ "rollback", "ROLLBACK", DEED_ROLLS_BACK, act_rolling_back, false, false },
	{ "commit", "COMMIT", DEED_ENDS_A_BODY, act_transaction, true, false },
	{ "commit of a stream", "COMMIT", DEED_ENDS_A_BODY, act_streaming, true, false },
	{ "commit of a batch", "COMMIT", DEED_ENDS_A_BODY, act_batching, true, false },
	{ "commit of a function", "COMMIT", DEED_ENDS_A_BODY, act_calling, true, false },
	{ "commit of a savepoint", "COMMIT", DEED_ENDS_A_BODY, act_nesting, true, false },
	{ "commit and uncache", "COMMIT", DEED_ENDS_A_BODY, act_uncache, true, false },
	{ "query", "kn_pause", DEED_READS, act_query, true, false },
	{ "stream", "kn_pause", DEED_READS, act_stream, true, true },
	{ "batch of reads", "kn_pause", DEED_READS, act_batch_reads, true, false },
	{ "cached", "kn_pause", DEED_READS, act_cached, true, false },
};

static inline const char *const *
claims_of(const deed *d)
{
	static const char *const claims[] = { "app.tenant", "1", NULL };

	return strcmp(d->name, "role") == 0 ? claims : NULL;
}

/* Whatever happened: what was reported is what is. */
static inline void
check_truth(const scene *s, kn_ctx *cx, const deed *d, kn_status status)
{
	PGconn *look = look_silently();
	bool is_body =
		d->kind == DEED_IN_A_BODY || d->kind == DEED_ENDS_A_BODY || d->kind == DEED_ROLLS_BACK;
	long rows;

	/* Who was cut off may still be at it. */
	look_await(
		look,
		"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_kill' AND state <> 'idle'",
		0);
	rows = look_number(look, "SELECT count(*) FROM kn_kill");
	PQfinish(look);
	if (d->kind == DEED_READS)
		ck_assert_int_eq(rows, 0);
	else if (status == KN_OK)
		ck_assert_msg(rows == 1, "%s: it is done, but there are %ld rows", d->name, rows);
	else if (status == KN_OUTCOME_UNKNOWN)
		ck_assert_int_le(rows, 1);
	else
		ck_assert_msg(rows == 0, "%s: %s, but there are rows", d->name, kn_status_name(status));
	if (status != KN_OK)
		ck_assert_int_eq(kn_last_error(cx)->status, status);
	if (is_body)
	{
		ck_assert_int_eq(s->committed, status == KN_OK);
		ck_assert_int_eq(s->rolled_back, s->runs - s->committed);
	}
	if (d->act == act_uncache)
		ck_assert_int_eq(s->kept, status != KN_OK && status != KN_OUTCOME_UNKNOWN);
}

/* How many combinations there were, of all processes that the tests run in. */
static _Atomic(int) *combinations;

static inline void
combinations_begin(void)
{
	int zero = open("/dev/zero", O_RDWR);

	combinations = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
	(void) close(zero);
}

static inline void
set_up_kill(void)
{
	PGconn *look = look_silently();

	look_do(
		look,
		"SET client_min_messages = error;"
		"DROP TABLE IF EXISTS kn_kill; CREATE TABLE kn_kill (token int);"
		"CREATE UNIQUE INDEX ON kn_kill (token) WHERE token < 0;"
		"CREATE OR REPLACE FUNCTION kn_write(int) RETURNS int LANGUAGE sql AS"
		" 'INSERT INTO kn_kill VALUES ($1) RETURNING token';"
		"CREATE OR REPLACE FUNCTION kn_pause() RETURNS bool LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN true; END$$;"
		"CREATE OR REPLACE FUNCTION kn_pause_later() RETURNS trigger LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM kn_pause(); RETURN NULL; END$$;"
		"CREATE CONSTRAINT TRIGGER kn_later AFTER INSERT ON kn_kill DEFERRABLE INITIALLY DEFERRED"
		" FOR EACH ROW EXECUTE FUNCTION kn_pause_later()");
	PQfinish(look);
}

#endif
