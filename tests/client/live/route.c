/*
 * route.c
 *		Where statements go when there is a replica: by what they do, by lag, and by what
 *		was written before.  tests/client/replica runs it.
 *
 *	route PRIMARY REPLICA
 *
 * Both are conninfos, which may lead to poolers.
 */
#include "route.h"

#define PAIRS     10000
#define READS     10000
#define HANDLES   20
#define RING      256 /* writes that are looked back at */
#define DELAY_MS  30  /* between what is committed and what the replica shows of it */
#define PER_WRITE 10  /* reads */

static const struct
{
	const char *sql;
	place expected;
	bool is_refused; /* by the replica, first */
} statements[] = {
	{ "SELECT pg_is_in_recovery()", REPLICA, false },
	{ "VALUES (pg_is_in_recovery())", REPLICA, false },
	{ "WITH x AS (SELECT 1) SELECT pg_is_in_recovery() FROM x", REPLICA, false },
	{ "SELECT pg_is_in_recovery() FROM counter", REPLICA, false },
	{ "SELECT pg_is_in_recovery() FROM counter FOR UPDATE", PRIMARY, false },
	{ "SELECT pg_is_in_recovery() FROM counter FOR SHARE", PRIMARY, false },
	{ "WITH x AS (UPDATE counter SET n = n RETURNING 1) SELECT pg_is_in_recovery() FROM x",
	  PRIMARY,
	  false },
	{ "INSERT INTO log VALUES (1) RETURNING pg_is_in_recovery()", PRIMARY, false },
	{ "UPDATE counter SET n = n RETURNING pg_is_in_recovery()", PRIMARY, false },
	{ "DELETE FROM log RETURNING pg_is_in_recovery()", PRIMARY, false },
	{ "SELECT pg_is_in_recovery(), nextval('numbers')", PRIMARY, false },
	/* Nobody can see that it writes; the replica refuses it, and the primary is asked. */
	{ "SELECT pg_is_in_recovery(), bump()", PRIMARY, true },
};

/*
 * What the replica has been asked, and what had to be asked once more: that it refuses what it
 * cannot do, and the primary is asked then, is no way to find out where a statement goes.
 */
static uint64_t
detours(void)
{
	kn_stats stats = { .size = sizeof(stats) };
	uint64_t sum = 0;

	for (int i = 0; i < kn_server_count(db); i++)
	{
		check(kn_get_stats(db, i, &stats) == KN_OK, "there are figures");
		sum += stats.retries + (i >= 1 ? stats.queries : 0);
	}
	return sum;
}

static void
check_statements(void)
{
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
		uint64_t before = detours();

		check(place_of(kn_query(cx, statements[i].sql)) == statements[i].expected,
			  statements[i].sql);
		if (statements[i].expected == PRIMARY && !statements[i].is_refused)
			check(detours() == before, "it goes there at once");
	}
}

/* A new handle knows of a replica when it is asked for one. */
static void
check_first_reads(const char *primary, const char *replica)
{
	const kn_request request = { .size = sizeof(request),
								 .route = KN_ROUTE_REPLICA,
								 .timeout_ms = REQUEST_MS };
	kn_db *kept = db;
	int strayed = 0;

	for (int i = 0; i < HANDLES; i++)
	{
		open_servers(primary, replica);
		strayed += read_with(&request) != REPLICA;
		check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	}
	check(strayed == 0, "the first read of a handle finds a replica");
	db = kept;
}

static void
check_requests(void)
{
	const kn_options writes = { .size = sizeof(writes), .is_write = true };
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	KN_AUTO(kn_ctx) *primary = kn_begin(db, .route = KN_ROUTE_PRIMARY);
	KN_AUTO(kn_ctx) *replica = kn_begin(db, .route = KN_ROUTE_REPLICA);
	kn_batch *batch = kn_begin_batch(cx);
	uint64_t before;

	check(place_of(kn_query(primary, "SELECT pg_is_in_recovery()")) == PRIMARY, "route: primary");
	check(place_of(kn_query(replica, "SELECT pg_is_in_recovery()")) == REPLICA, "route: replica");
	before = detours();
	check(place_of(kn_query(replica, "UPDATE counter SET n = n RETURNING pg_is_in_recovery()")) ==
				  PRIMARY &&
			  place_of(
				  kn_query(replica, "INSERT INTO log VALUES (1) RETURNING pg_is_in_recovery()")) ==
				  PRIMARY &&
			  place_of(kn_query(replica, "SELECT pg_is_in_recovery() FROM counter FOR UPDATE")) ==
				  PRIMARY,
		  "writes of a context that reads from replicas");
	check(detours() == before, "they go there at once");
	check(place_of(kn_stream(cx, "SELECT pg_is_in_recovery()")) == REPLICA, "streams");
	(void) kn_add(batch, "SELECT pg_is_in_recovery()");
	check(kn_run_batch(batch, NULL) == KN_OK && place_of(kn_batch_rows(batch, 0)) == REPLICA,
		  "a batch of reads");
	batch = kn_begin_batch(cx);
	(void) kn_add(batch, "SELECT pg_is_in_recovery()");
	(void) kn_add(batch, "UPDATE counter SET n = n");
	check(kn_run_batch(batch, NULL) == KN_OK && place_of(kn_batch_rows(batch, 0)) == PRIMARY,
		  "a batch that writes");
	check(kn_last_lsn(cx) > 0, "a batch has a place in the log");
	check(place_of(kn_query_values(cx, "SELECT pg_is_in_recovery()", NULL, 0, &writes)) == PRIMARY,
		  "a read that is said to write");
}

static kn_status
find_place(kn_ctx *cx, void *argument)
{
	place *found = argument;

	*found = place_of(kn_query(cx, "SELECT pg_is_in_recovery()"));
	return KN_OK;
}

static kn_status
write_in_transaction(kn_ctx *cx, void *argument)
{
	return kn_exec(cx, "UPDATE counter SET n = n + $1", *(int *) argument);
}

static void
check_transactions(void)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	place found = NOWHERE;
	int one = 1;

	check(kn_transact(cx, find_place, &found) == KN_OK && found == PRIMARY, "a transaction");
	check(kn_last_lsn(cx) == 0, "one that has only read has no place in the log");
	check(kn_transact(cx, find_place, &found, .is_read_only = true) == KN_OK && found == REPLICA,
		  "a transaction that only reads");
	check(kn_transact(cx, find_place, &found, .is_read_only = true, .isolation = KN_SERIALIZABLE) ==
				  KN_OK &&
			  found == PRIMARY,
		  "one in a mode that a standby does not have");
	check(kn_transact(cx, write_in_transaction, &one) == KN_OK && kn_last_lsn(cx) > 0 &&
			  kn_last_lsn(cx) != UINT64_MAX,
		  "one that writes has a place in the log");
}

/* Where a COPY was run that gives out pg_is_in_recovery() first, and a tab. */
static place
copied_at(kn_ctx *cx, const char *sql)
{
	kn_copy *copy = kn_copy_out(cx, sql);
	place found = NOWHERE;
	kn_str piece;

	while (kn_copy_get(copy, &piece))
		found = piece.p[0] == 't' ? REPLICA : PRIMARY;
	return kn_copy_end(copy, NULL) == KN_OK ? found : NOWHERE;
}

/* What each replica refuses goes to none of them in the end, however it is called. */
static void
check_hidden_writes(const char *primary, const char *replica)
{
	static const kn_route routes[] = { KN_ROUTE_AUTO, KN_ROUTE_REPLICA };
	const char *replicas[] = { replica, replica, NULL };
	kn_db *kept = db;
	uint64_t asked;

	check(kn_open(&db,
				  NULL,
				  0,
				  .conninfo = primary,
				  .replicas = replicas,
				  .lag_ms = -1,
				  .probe_ms = PROBE_MS) == KN_OK,
		  "two replicas");
	check(reads_come_to(REPLICA, 0), "reads go to a replica");
	for (int i = 0; i < 4; i++)
	{
		/* Another one each time: what has written reads from the primary. */
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS, .route = routes[i % 2]);

		asked = detours();
		if (i < 2)
			check(place_of(kn_query(cx, "SELECT pg_is_in_recovery(), bump()")) == PRIMARY,
				  "a query that writes");
		else
			check(place_of(kn_stream(cx, "SELECT pg_is_in_recovery(), bump()")) == PRIMARY,
				  "a stream that writes");
		check(detours() > asked, "a replica was asked before");
	}
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	db = kept;
}

/* Of a function that is said to write no replica is asked, by whichever kind of call. */
static void
check_volatile_functions(const char *primary, const char *replica)
{
	static const char writes[] = "SELECT pg_is_in_recovery(), bump()";
	const char *replicas[] = { replica, NULL };
	kn_db *kept = db;
	uint64_t asked;

	check(kn_open(&db,
				  NULL,
				  0,
				  .conninfo = primary,
				  .replicas = replicas,
				  .lag_ms = -1,
				  .probe_ms = PROBE_MS,
				  .volatile_functions = "bump") == KN_OK,
		  "who knows what writes");
	check(reads_come_to(REPLICA, 0), "reads go to a replica");
	for (int i = 0; i < 3; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
		kn_batch *batch = kn_begin_batch(cx);

		asked = detours();
		if (i == 0)
			check(place_of(kn_query(cx, writes)) == PRIMARY, "a query of what is said to write");
		if (i == 1)
			check(place_of(kn_stream(cx, writes)) == PRIMARY, "a stream of what is said to write");
		(void) kn_add(batch, "SELECT pg_is_in_recovery()");
		(void) kn_add(batch, writes);
		if (i == 2)
			check(kn_run_batch(batch, NULL) == KN_OK &&
					  place_of(kn_batch_rows(batch, 0)) == PRIMARY &&
					  place_of(kn_batch_rows(batch, 1)) == PRIMARY,
				  "a batch with what is said to write");
		check(detours() == asked, "it goes there at once");
	}
	check(reads_come_to(REPLICA, 0), "others go to a replica");
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	db = kept;
}

/* Once it has begun it is not tried again: so nobody is asked who could refuse it in the end. */
static void
check_copies(void)
{
	static const char writes[] = "COPY (SELECT pg_is_in_recovery(), bump()) TO STDOUT";
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	KN_AUTO(kn_ctx) *replica = kn_begin(db, .route = KN_ROUTE_REPLICA);
	uint64_t asked;

	check(reads_come_to(REPLICA, 0), "reads go to the replica");
	check(copied_at(cx, "COPY (SELECT pg_is_in_recovery(), 1) TO STDOUT") == REPLICA, "a COPY");
	asked = detours();
	check(copied_at(cx, writes) == PRIMARY && detours() == asked, "a COPY that writes");
	check(copied_at(replica, writes) == NOWHERE && kn_last_error(replica)->status == KN_READ_ONLY,
		  "a COPY that writes, by who insists on a replica");
}

/* The question for the place must not change what the caller is told of his statement. */
static void
check_failures(void)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	kn_status status;

	status = kn_exec(cx, "INSERT INTO later VALUES (1), (1)");
	check(status == KN_DUPLICATE && strcmp(kn_last_error(cx)->sqlstate, "23505") == 0,
		  "a deferred constraint");
	check(kn_last_lsn(cx) == 0, "what has failed has no place in the log");
	status = kn_exec(cx, "INSERT INTO nowhere VALUES (1)");
	check(status == KN_SCHEMA && kn_last_error(cx)->item == -1, "a table that is not there");
	check(kn_exec(cx, "INSERT INTO later VALUES (2)") == KN_OK, "the connection is as it was");
	check(kn_last_lsn(cx) > 0 && kn_last_lsn(cx) != UINT64_MAX, "a write has a place in the log");
	check(place_of(kn_stream(cx, "INSERT INTO log VALUES (1) RETURNING pg_is_in_recovery()")) ==
				  PRIMARY &&
			  kn_last_lsn(cx) == UINT64_MAX,
		  "after a write that streams only the primary will do");
	check(place_of(kn_query(cx, "SELECT pg_is_in_recovery()")) == PRIMARY, "and does");
}

/* One more call that has failed, and why. */
static void
note_lost(int *lost, const kn_ctx *cx)
{
	const kn_error *error = kn_last_error(cx);

	(*lost)++;
	(void) printf("%s [%s] %s\n", kn_status_name(error->status), error->sqlstate, error->message);
}

/* A value is written and then read by the same request; now and then also by another. */
static void
check_pairs(void)
{
	int stale = 0;
	int lost = 0;
	int of_replica = 0;

	for (int i = 1; i <= PAIRS; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
		kn_rows *rows;
		int64_t found = -1;

		if (kn_exec(cx, "UPDATE counter SET n = $1", i) != KN_OK)
			note_lost(&lost, cx);
		if (i % 100 == 0 && !reads_come_to(REPLICA, kn_last_lsn(cx)))
		{
			lost++;
			(void) printf("nothing is read from the replica\n");
		}
		/* The time that others may have to wait is not to be this one's. */
		kn_set_timeout(cx, REQUEST_MS);
		rows = kn_query(cx, "SELECT n, pg_is_in_recovery() FROM counter");
		if (kn_next(rows))
		{
			found = kn_get_i64(rows, 0);
			of_replica += kn_get_bool(rows, 1);
		}
		if (kn_done(rows) != KN_OK)
			note_lost(&lost, cx);
		stale += found != i;
	}
	(void) printf("%d stale reads in %d pairs, %d of the reads from the replica\n",
				  stale,
				  PAIRS,
				  of_replica);
	check(stale == 0, "no read is stale");
	check(lost == 0, "no write and no read is lost");
	check(of_replica >= PAIRS / 100, "the replica serves each for which it was waited");
}

static int64_t
value_for(uint64_t min_lsn, place *where)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS, .min_lsn = min_lsn);
	kn_rows *rows = kn_query(cx, "SELECT n, pg_is_in_recovery() FROM counter");
	int64_t found = -1;

	*where = NOWHERE;
	if (kn_next(rows))
	{
		found = kn_get_i64(rows, 0);
		*where = kn_get_bool(rows, 1) ? REPLICA : PRIMARY;
	}
	return kn_done(rows) == KN_OK ? found : -1;
}

/* While the replica stands still it is behind, and then too far behind. */
static void
check_lag(const char *replica)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);
	const kn_request insists = { .size = sizeof(insists), .route = KN_ROUTE_REPLICA };
	place where;

	check(reads_come_to(REPLICA, 0), "reads go to a replica");
	kn_set_timeout(cx, REQUEST_MS);
	tell(replica, "SELECT pg_wal_replay_pause()");
	check(kn_exec(cx, "UPDATE counter SET n = -7") == KN_OK, "a write");
	check(value_for(kn_last_lsn(cx), &where) == -7 && where == PRIMARY,
		  "who brings a place in the log sees what is there");
	check(value_for(UINT64_MAX, &where) == -7 && where == PRIMARY, "the end of all places");
	check(reads_come_to(PRIMARY, 0), "a replica too far behind is not read from");
	check(read_with(&insists) == NOWHERE, "not even by who insists on a replica");
	tell(replica, "SELECT pg_wal_replay_resume()");
	check(reads_come_to(REPLICA, kn_last_lsn(cx)), "it has caught up, and is read from");
	check(value_for(kn_last_lsn(cx), &where) == -7, "and has it");
}

typedef struct written
{
	int64_t n;
	uint64_t lsn;
} written;

/* One more write; false: it failed. */
static bool
write_one(written *w, int64_t n)
{
	KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS);

	w->n = n;
	if (kn_exec(cx, "UPDATE counter SET n = $1", n) != KN_OK)
		return false;
	w->lsn = kn_last_lsn(cx);
	return w->lsn != 0 && w->lsn != UINT64_MAX;
}

/*
 * Reads that must show what was written a while ago, or right now, while the replica is always a
 * bit late: by other requests, which know of the writes by their places in the log, or know
 * nothing. How many are stale, and how many came from the replica in all.
 */
static int
read_behind(bool has_place, int *of_replica)
{
	static int64_t n = 1000000;
	const int64_t end = kn__now(NULL) + PATIENCE;
	written ring[RING];
	int stale = 0;
	int lost = 0;
	int reads = 0;

	*of_replica = 0;
	for (int i = 0; i < RING; i++)
		lost += !write_one(&ring[i], ++n);
	while (reads < READS || (*of_replica < (has_place ? READS : 1) && kn__now(NULL) < end))
	{
		const written *w = &ring[(reads * 7919) % RING];
		place where;
		int64_t found;

		if (reads++ % PER_WRITE == 0)
		{
			n++;
			lost += !write_one(&ring[n % RING], n);
		}
		found = value_for(has_place ? w->lsn : 0, &where);
		lost += where == NOWHERE;
		stale += where != NOWHERE && found < w->n;
		*of_replica += where == REPLICA;
	}
	(void) printf("%s places in the log: %d stale reads of %d, %d of them from the replica\n",
				  has_place ? "with" : "without",
				  stale,
				  reads,
				  *of_replica);
	check(lost == 0, "no write and no read is lost");
	return stale;
}

/* That it is the place in the log which does it shows what is read without. */
static void
check_reads(const char *replica)
{
	char sql[100];
	int of_replica;

	(void) snprintf(sql, sizeof(sql), "ALTER SYSTEM SET recovery_min_apply_delay = %d", DELAY_MS);
	tell(replica, sql);
	tell(replica, "SELECT pg_reload_conf()");
	check(reads_come_to(REPLICA, 0), "reads go to a replica that is late");
	check(read_behind(true, &of_replica) == 0, "who brings a place in the log reads nothing stale");
	check(of_replica >= READS, "as many as that from the replica");
	check(read_behind(false, &of_replica) > 0, "who brings none does");
	tell(replica, "ALTER SYSTEM RESET recovery_min_apply_delay");
	tell(replica, "SELECT pg_reload_conf()");
}

/* Its sessions are ended: reads are tried elsewhere. */
static void
check_killed(const char *replica)
{
	const kn_request request = { .size = sizeof(request), .timeout_ms = REQUEST_MS };
	int bad = 0;

	for (int i = 0; i < 20; i++)
	{
		bad += read_with(&request) == NOWHERE;
		tell(replica,
			 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
			 " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
		bad += read_with(&request) == NOWHERE;
	}
	check(bad == 0, "reads go on when sessions of the replica are ended");
	check(reads_come_to(REPLICA, 0), "and come back to it");
}

/* Its session ends before anything has come of it: a standby has written nothing. */
static void
check_lost(void)
{
	static const char sql[] = "SELECT pg_is_in_recovery(), quit()";

	for (int i = 0; i < 2; i++)
	{
		KN_AUTO(kn_ctx) *cx = kn_begin(db, .timeout_ms = REQUEST_MS, .route = KN_ROUTE_REPLICA);

		check(place_of(i == 0 ? kn_stream(cx, sql) : kn_query(cx, sql)) == NOWHERE,
			  "a read that ends its session");
		check(kn_last_lsn(cx) == 0, "nothing is to be seen after that");
		check(place_of(kn_query(cx, "SELECT pg_is_in_recovery()")) == REPLICA,
			  "and the replica serves the next one");
	}
}

int
main(int argc, char **argv)
{
	const char *replica = getenv("KN_TEST_REPLICA");

	if (argc < 3)
		return EXIT_FAILURE;
	/* Each of these asks once, and a busy machine may take its time to tell a replica. */
	lag_ms = 5000;
	(void) setvbuf(stdout, NULL, _IOLBF, 0);
	tell(getenv("KN_TEST_DIRECT"),
		 "CREATE TABLE counter (n bigint); INSERT INTO counter VALUES (0);"
		 "CREATE TABLE log (a int); CREATE SEQUENCE numbers;"
		 "CREATE TABLE later (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);"
		 "CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS"
		 " 'INSERT INTO log VALUES (4) RETURNING a';"
		 "CREATE FUNCTION quit() RETURNS bool LANGUAGE sql AS"
		 " 'SELECT pg_terminate_backend(pg_backend_pid())'");
	open_servers(argv[1], argv[2]);
	check(kn_server_count(db) == 2, "there are two servers");
	check(reads_come_to(REPLICA, 0), "reads go to the replica");
	check(reads_come_to(REPLICA, 1), "and what is wanted there is");
	check_failures();
	check_pairs();
	check_reads(replica);
	check_statements();
	check_requests();
	check_first_reads(argv[1], argv[2]);
	check_hidden_writes(argv[1], argv[2]);
	check_volatile_functions(argv[1], argv[2]);
	check_copies();
	check_transactions();
	check_lag(replica);
	check_killed(replica);
	check_lost();
	check(kn_close(db, 10000) == KN_OK, "all contexts have ended");
	(void) printf("%d passed, %d failed\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
