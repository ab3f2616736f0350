/*
 * connect.c
 *		Connections that the server refuses: what is said of it, and what is waited for.
 *
 * It is the server itself that is asked, by TLS where that is tested, with no pooler between: that
 * would tell in its own words, and asks for no password.
 */
#include "gate.h"
#include "guests.h"

static kn_db *
open_with(const char *settings)
{
	kn_db *db;

	OPEN(db,
		 .conninfo = settings,
		 .max_connections = 1,
		 .acquire_ms = is_slow() ? 20000 : 1000,
		 .max_opening = 1,
		 .breaker_failure_percent = -1);
	return db;
}

typedef struct refusal
{
	const char *settings;
	kn_status status;
	const char *sqlstate;
	const char *message;
} refusal;

static const refusal refusals[] = {
	{ "dbname=kn_nowhere", KN_CONFIG, "3D000", "database \"kn_nowhere\" does not exist" },
	/* A name is a name, whatever is in it. */
	{ "dbname='dbname=postgres application_name=kn_injected'",
	  KN_CONFIG,
	  "3D000",
	  "database \"dbname=postgres application_name=kn_injected\" does not exist" },
	{ "user=kn_nobody", KN_AUTH, "28000", "role \"kn_nobody\" does not exist" },
	{ "user=kn_guest password=wrong", KN_AUTH, "28P01", "password authentication failed" },
	{ "user=kn_guest", KN_AUTH, "", "no password supplied" },
	{ "user=kn_guest password=right dbname=kn_closed", KN_AUTH, "42501", "permission denied" },
	{ "options=-cno_such_setting=1", KN_CONFIG, "42704", "no_such_setting" },
	{ "options=-cwork_mem=1", KN_CONFIG, "22023", "work_mem" },
};

/* What does not get better by itself is told at once, and not tried again. */
START_TEST(is_refused)
{
	const refusal *r = &refusals[_i];
	kn_db *db;
	kn_ctx *cx;
	int64_t begun;

	await_strictness();
	if (strstr(r->settings, "kn_closed") != NULL)
	{
		look_do(look, "DROP DATABASE IF EXISTS kn_closed");
		look_do(look, "CREATE DATABASE kn_closed");
		look_do(look, "REVOKE CONNECT ON DATABASE kn_closed FROM public");
	}
	db = open_with(r->settings);
	cx = kn_begin(db);
	begun = gate_now();
	EXPECT(cx, kn_exec(cx, "SELECT 1"), r->status);
	ck_assert_int_lt((int) (gate_now() - begun), is_slow() ? 20000 : 2000);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, r->sqlstate);
	ck_assert_msg(strstr(kn_last_error(cx)->message, r->message) != NULL,
				  "%s",
				  kn_last_error(cx)->message);
	ck_assert_ptr_null(strchr(kn_last_error(cx)->message, '\n'));
	ck_assert_int_eq(kn_last_error(cx)->attempts, 1);
	ck_assert_uint_eq(stats_of(db).failed_to_open, 1);
	ck_assert_int_eq(kn_status_is_retryable(r->status), false);
	kn_end(cx);
	close_even(db);
	if (strstr(r->settings, "kn_closed") != NULL)
		look_do(look, "DROP DATABASE kn_closed");
}
END_TEST

/* The password has been changed, which one sees only who is told that the old one was refused. */
static kn_status
open_own_safe(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	ck_assert_str_eq(request->user, "kn_guest");
	ck_assert_str_eq(request->host, getenv("PGHOST"));
	return open_safe(user, request, buffer, capacity);
}

START_TEST(asks_for_the_password_that_is_new)
{
	safe s = { .first = "wrong", .then = "right" };
	kn_db *db;
	kn_ctx *cx;

	await_strictness();
	OPEN(db,
		 .conninfo = "user=kn_guest",
		 .max_connections = 1,
		 .secret = open_own_safe,
		 .secret_user = &s);
	cx = kn_begin(db);
	for (int i = 0; i < 3; i++)
	{
		int64_t encrypted = number_of(
			cx,
			kn_query(cx, "SELECT ssl::int::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()"));

		ck_assert_int_eq(encrypted, is_tls());
		ck_assert_int_eq(kn_last_error(cx)->attempts, 0);
		kn_reset_pool(db);
	}
	ck_assert_int_eq(s.asked, 2);
	ck_assert_int_eq(s.refreshed, 1);
	ck_assert_uint_eq(stats_of(db).failed_to_open, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

static const struct
{
	const char *option;
	kn_status status;
	const char *reason;
} sources[] = {
	{ "kn_secret_file=/nowhere/x", KN_UNAVAILABLE, "kn_secret_file \"/nowhere/x\": No such file" },
	{ "kn_secret_file=/dev/null", KN_CONFIG, "kn_secret_file \"/dev/null\": empty" },
	{ "kn_secret_environment=KN_NO_SUCH_THING",
	  KN_CONFIG,
	  "kn_secret_environment \"KN_NO_SUCH_THING\": not set" },
	{ "kn_secret_command='false hush'",
	  KN_UNAVAILABLE,
	  "kn_secret_command \"false\": exited with 1" },
	{ "kn_secret_command='/nowhere/x hush'",
	  KN_CONFIG,
	  "kn_secret_command \"/nowhere/x\": No such file" },
};

/* The caller of a statement sees which source of passwords has none, and why. */
START_TEST(tells_why_there_is_no_password)
{
	kn_db *db = open_with(sources[_i].option);
	kn_ctx *cx = kn_begin(db);

	EXPECT(cx, kn_exec(cx, "SELECT 1"), sources[_i].status);
	ck_assert_msg(strstr(kn_last_error(cx)->message, sources[_i].reason) != NULL,
				  "%s",
				  kn_last_error(cx)->message);
	ck_assert_ptr_null(strstr(kn_last_error(cx)->message, "hush"));
	kn_end(cx);
	close_even(db);
}
END_TEST

/* Long enough to be found nowhere by chance. */
static const char secret[] = "correct-horse-battery-42";

/* Memory that somebody looks into when it is given back. */
typedef struct drawer
{
	_Atomic(int) found;
	_Atomic(int) freed;
	kn_allocator allocator;
} drawer;

static void
look_into(drawer *d, const char *memory, size_t size)
{
	size_t length = strlen(secret);

	for (size_t i = 0; i + length <= size; i++)
		d->found += memcmp(memory + i, secret, length) == 0;
	d->freed++;
}

static void *
take_memory(void *user, size_t size)
{
	(void) user;
	return calloc(1, size); /* all of it is looked into */
}

static void *
resize_memory(void *user, void *memory, size_t old_size, size_t new_size)
{
	void *other = calloc(1, new_size);

	memcpy(other, memory, old_size < new_size ? old_size : new_size);
	look_into(user, memory, old_size);
	free(memory);
	return other;
}

static void
free_memory(void *user, void *memory, size_t size)
{
	look_into(user, memory, size);
	free(memory);
}

static kn_status
tell_secret(void *user, const kn_secret_request *request, char *buffer, size_t capacity)
{
	(void) user;
	(void) request;
	(void) snprintf(buffer, capacity, "%s", secret);
	return KN_OK;
}

static const struct
{
	const char *settings;
	bool is_right;
	kn_status status;
} places[] = {
	{ "user=kn_guest", true, KN_OK },
	{ "user=kn_guest", false, KN_AUTH },
	{ "user=kn_guest dbname=kn_nowhere", true, KN_CONFIG },
	{ "user=kn_guest port=1", true, KN_CONN_LOST },
};

/*
 * Whether one can connect with it or not, no memory of the library's is given back with a copy of
 * it. What libpq keeps for as long as a connection lives is its own.
 */
START_TEST(leaves_no_copy_of_the_password)
{
	drawer d = { .allocator = { take_memory, resize_memory, free_memory, &d } };
	char text[100];
	kn_db *db;
	kn_ctx *cx;

	await_strictness();
	(void) snprintf(text,
					sizeof(text),
					"ALTER ROLE kn_guest PASSWORD '%s'",
					places[_i].is_right ? secret : "another");
	look_do(look, text);
	OPEN(db,
		 .conninfo = places[_i].settings,
		 .max_connections = 1,
		 .acquire_ms = places[_i].status == KN_CONN_LOST ? 20 : 0,
		 .secret = tell_secret,
		 .allocator = &d.allocator);
	cx = kn_begin(db, .timeout_ms = 20000);
	while (kn_exec(cx, "SELECT 1") == KN_POOL_TIMEOUT)
		;
	ck_assert_int_eq(kn_last_error(cx)->status, places[_i].status);
	kn_reset_pool(db);
	while (kn_exec(cx, "SELECT 1") == KN_POOL_TIMEOUT)
		;
	ck_assert_int_eq(kn_last_error(cx)->status, places[_i].status);
	kn_end(cx);
	close_even(db);
	ck_assert_int_gt(d.freed, 0);
	ck_assert_int_eq(d.found, 0);
}
END_TEST

typedef struct caller
{
	kn_db *db;
	kn_status status;
	char sqlstate[6];
} caller;

static void *
call(void *argument)
{
	caller *c = argument;
	kn_ctx *cx = kn_begin(c->db, .timeout_ms = 20000);

	c->status = kn_exec(cx, "SELECT 1");
	memcpy(c->sqlstate, kn_last_error(cx)->sqlstate, sizeof(c->sqlstate));
	kn_end(cx);
	return NULL;
}

/* Waits for a caller in a thread of its own to have been refused so often. */
static void
await_refusals(const kn_db *db, uint64_t count)
{
	while (stats_of(db).failed_to_open < count)
		look_do(look, "SELECT pg_sleep(0.002)");
}

START_TEST(waits_for_a_place)
{
	static const char conninfo[] = "user=kn_guest password=right";
	PGconn *holder;
	pthread_t thread;
	caller c;
	kn_ctx *cx;

	look_do(look, "ALTER ROLE kn_guest CONNECTION LIMIT 1");
	await_strictness();
	while (holder = PQconnectdb(conninfo), PQstatus(holder) != CONNECTION_OK)
		PQfinish(holder);
	c.db = open_with(conninfo);
	ck_assert_int_eq(pthread_create(&thread, NULL, call, &c), 0);
	await_refusals(c.db, 2);
	PQfinish(holder);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_msg(c.status == KN_OK, "%s [%s]", kn_status_name(c.status), c.sqlstate);
	/* None becomes free: the call is told why. */
	kn_reset_pool(c.db);
	while (holder = PQconnectdb(conninfo), PQstatus(holder) != CONNECTION_OK)
		PQfinish(holder);
	cx = kn_begin(c.db, .timeout_ms = 20000);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_UNAVAILABLE);
	ck_assert_str_eq(kn_last_error(cx)->sqlstate, "53300");
	ck_assert_int_eq(kn_status_is_retryable(KN_UNAVAILABLE), true);
	/* The deadline of the call comes first, if it is shorter. */
	kn_set_timeout(cx, 50);
	while (kn_exec(cx, "SELECT 1") == KN_UNAVAILABLE)
		;
	ck_assert_int_eq(kn_last_error(cx)->status, KN_TIMEOUT);
	kn_end(cx);
	PQfinish(holder);
	close_even(c.db);
}
END_TEST

/* A server that is not up yet, and one that is going down, as they say it while one connects. */
START_TEST(waits_for_a_server_that_starts)
{
	static const char starting[] =
		"E\0\0\0\x39SFATAL\0VFATAL\0C57P03\0Mthe database system is starting\0\0";
	gate g;
	char conninfo[256];
	pthread_t thread;
	caller c;
	kn_ctx *cx;

	gate_start(&g);
	g.answer = starting;
	g.answer_length = sizeof(starting) - 1;
	gate_set(&g, TO_SERVER, FLOW_ANSWER, 0);
	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=127.0.0.1 port=%d %s",
					g.port,
					is_tls() ? "" : "sslmode=disable");
	OPEN(c.db,
		 .conninfo = conninfo,
		 .max_connections = 1,
		 .acquire_ms = 1000,
		 .breaker_failure_percent = -1);
	ck_assert_int_eq(pthread_create(&thread, NULL, call, &c), 0);
	await_refusals(c.db, 3);
	gate_open(&g);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_msg(c.status == KN_OK, "%s [%s]", kn_status_name(c.status), c.sqlstate);
	kn_reset_pool(c.db);
	gate_close_all(&g, false);
	gate_set(&g, TO_SERVER, FLOW_ANSWER, 0);
	cx = kn_begin(c.db, .timeout_ms = 300);
	/* With TLS it is no answer to what was asked, and libpq does not read it. */
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_TIMEOUT);
	kn_set_timeout(cx, 20000);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), is_tls() ? KN_CONN_LOST : KN_UNAVAILABLE);
	if (!is_tls())
		ck_assert_str_eq(kn_last_error(cx)->sqlstate, "57P03");
	kn_end(cx);
	close_even(c.db);
	gate_end(&g);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, guests_begin, guests_end);
	DIRECT_LOOP(tcase, is_refused, COUNT(refusals), "it refuses in its own words");
	DIRECT_ONLY(tcase, asks_for_the_password_that_is_new, "it asks for none");
	/* Under memcheck a program that is not there is one that fails: the last. */
	ONCE_LOOP(tcase,
			  tells_why_there_is_no_password,
			  COUNT(sources) - (is_slow() ? 1 : 0),
			  "nobody is asked to connect");
	DIRECT_LOOP(tcase, leaves_no_copy_of_the_password, COUNT(places), "it asks for none");
	DIRECT_ONLY(tcase,
				waits_for_a_place,
				"it has places of its own, and lets others wait for them");
	tcase_add_test(tcase, waits_for_a_server_that_starts);
}

int
main(void)
{
	return suite_run("connect", fill);
}
