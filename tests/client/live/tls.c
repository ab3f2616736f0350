/*
 * tls.c
 *		Connections with TLS: that it is used, and what is said where it cannot be.
 */
#include "gate.h"

#define SESSION \
	"SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'kn_tls'"

/* The one place to connect to; the certificate is for 127.0.0.1 and for localhost. */
static kn_db *
open_with(const char *settings)
{
	char conninfo[512];
	kn_db *db;

	(void) snprintf(conninfo,
					sizeof(conninfo),
					"host=localhost hostaddr=127.0.0.1 application_name=kn_tls %s",
					settings);
	OPEN(db,
		 .conninfo = conninfo,
		 .max_connections = 1,
		 .acquire_ms = 20000,
		 .breaker_failure_percent = -1);
	return db;
}

typedef struct attempt
{
	const char *settings; /* %s is the directory of certificates */
	kn_status status;
	const char *message;
} attempt;

static const attempt attempts[] = {
	{ "sslmode=verify-full sslrootcert=%s/ca.crt", KN_OK, "" },
	{ "sslmode=verify-ca sslrootcert=%s/ca.crt host=elsewhere.test", KN_OK, "" },
	{ "sslmode=require sslrootcert=%s/nowhere.crt", KN_OK, "" },
	{ "sslmode=prefer sslrootcert=%s/nowhere.crt", KN_OK, "" },
	{ "sslmode=verify-full sslrootcert=%s/ca.crt host=elsewhere.test",
	  KN_AUTH,
	  "does not match host name \"elsewhere.test\"" },
	{ "sslmode=verify-full sslrootcert=%s/other.crt", KN_AUTH, "certificate verify failed" },
	{ "sslmode=verify-ca sslrootcert=%s/other.crt", KN_AUTH, "certificate verify failed" },
	/* A root certificate is looked at wherever there is one. */
	{ "sslmode=require sslrootcert=%s/other.crt", KN_AUTH, "certificate verify failed" },
	{ "sslmode=verify-full sslrootcert=%s/nowhere.crt", KN_CONFIG, "nowhere.crt" },
	{ "sslmode=require sslcert=%s/server.crt sslkey=%1$s/nowhere.key", KN_CONFIG, "nowhere.key" },
};

START_TEST(connects_or_says_why_not)
{
	const attempt *a = &attempts[_i];
	const char *directory = getenv("KN_TEST_TLS");
	char settings[400];
	char *at = settings;
	int64_t begun = gate_now();
	kn_db *db;
	kn_ctx *cx;

	/* "%1$s" is the same again. */
	for (const char *from = a->settings; *from != '\0'; from++)
	{
		if (*from != '%')
		{
			*at++ = *from;
			continue;
		}
		at += snprintf(at, 100, "%s", directory);
		from += from[1] == '1' ? 3 : 1;
	}
	*at = '\0';
	db = open_with(settings);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), a->status);
	ck_assert_msg(strstr(kn_last_error(cx)->message, a->message) != NULL,
				  "%s",
				  kn_last_error(cx)->message);
	/* What stays as it is, nobody waits for. */
	if (a->status != KN_OK)
	{
		ck_assert_uint_eq(stats_of(db).failed_to_open, 1);
		ck_assert_int_lt((int) (gate_now() - begun), 10000);
	}
	kn_end(cx);
	close_even(db);
}
END_TEST

/* As the server sees it; a pooler has its own to the server, but knows what it has to the client.
 */
static bool
is_encrypted(kn_ctx *cx)
{
	PGconn *console;
	PGresult *result;
	int columns;
	bool is_so = false;

	if (!is_pooled())
		return number_of(cx,
						 kn_query(cx,
								  "SELECT count(*) FROM pg_stat_ssl"
								  " WHERE pid = pg_backend_pid() AND ssl")) == 1;
	console = PQconnectdb("dbname=pgbouncer user=pgbouncer");
	ck_assert_msg(PQstatus(console) == CONNECTION_OK, "%s", PQerrorMessage(console));
	result = PQexec(console, "SHOW CLIENTS");
	columns = PQfnumber(result, "tls");
	ck_assert_int_ge(columns, 0);
	for (int i = 0; i < PQntuples(result); i++)
	{
		if (strcmp(PQgetvalue(result, i, PQfnumber(result, "application_name")), "kn_tls") == 0)
			is_so |= strncmp(PQgetvalue(result, i, columns), "TLS", 3) == 0;
	}
	PQclear(result);
	PQfinish(console);
	return is_so;
}

START_TEST(is_encrypted_unless_told_otherwise)
{
	static const char *const settings[] = { "",
											"sslmode=prefer",
											"sslmode=require",
											"sslmode=allow" };
	kn_db *db;
	kn_ctx *cx;

	/* With nothing said, neither here nor there: libpq's own default. */
	(void) unsetenv("PGSSLMODE");
	(void) unsetenv("PGSSLROOTCERT");
	db = open_with(settings[_i]);
	cx = kn_begin(db);
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	/* What is allowed only is not asked for; PgBouncer asks for it. */
	ck_assert_int_eq(is_encrypted(cx), _i < 3 || is_pooled());
	kn_end(cx);
	close_even(db);
}
END_TEST

/* The environment's sslmode holds where the conninfo says none, and for replicas too. */
START_TEST(is_checked_as_the_environment_says)
{
	kn_db *db;
	kn_ctx *cx;
	char other[256];

	(void) snprintf(other, sizeof(other), "%s/other.crt", getenv("KN_TEST_TLS"));
	(void) setenv("PGSSLROOTCERT", other, 1);
	db = open_with("");
	cx = kn_begin(db);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), KN_AUTH);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* A server that says no to TLS. */
START_TEST(is_refused_by_the_server)
{
	static const struct
	{
		const char *mode;
		const char *answer;
		size_t length;
		kn_status status;
	} cases[] = {
		{ "require", "N", 1, KN_CONFIG },
		{ "verify-full", "N", 1, KN_CONFIG },
		{ "require", "", 0, KN_CONN_LOST },
		{ "verify-full", "S", 1, KN_CONN_LOST },
	};
	gate g;
	char settings[100];
	kn_db *db;
	kn_ctx *cx;

	gate_start(&g);
	g.answer = cases[_i].answer;
	g.answer_length = cases[_i].length;
	gate_set(&g, TO_SERVER, FLOW_ANSWER, 0);
	(void) snprintf(settings, sizeof(settings), "port=%d sslmode=%s", g.port, cases[_i].mode);
	db = open_with(settings);
	cx = kn_begin(db);
	EXPECT(cx, kn_exec(cx, "SELECT 1"), cases[_i].status);
	/* Never without, whatever the answer was; and the server is asked again. */
	gate_open(&g);
	kn_set_timeout(cx, 10000);
	while (kn_exec(cx, "SELECT 1") != KN_OK)
		ck_assert_int_eq(kn_last_error(cx)->status, cases[_i].status);
	ck_assert_int_eq(is_encrypted(cx), true);
	kn_end(cx);
	close_even(db);
	gate_end(&g);
}
END_TEST

/* A cancel request goes over a connection of its own, which libpq does not encrypt. */
START_TEST(cancels)
{
	kn_db *db = open_with("");
	kn_ctx *cx = kn_begin(db);

	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	for (int i = 0; i < 5; i++)
	{
		kn_rows *rows;

		kn_set_timeout(cx, 20);
		EXPECT(cx, kn_exec(cx, "SELECT pg_sleep(30)"), KN_TIMEOUT);
		kn_set_timeout(cx, -1);
		rows = kn_stream(cx, "SELECT generate_series(1, 100000000)");
		ck_assert_int_eq(kn_next(rows), true);
		EXPECT_OK(cx, kn_done(rows));
		EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	}
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	kn_end(cx);
	close_even(db);
}
END_TEST

/* More than a record, both ways. */
START_TEST(carries_large_values)
{
	const size_t size = 3 << 20;
	kn_db *db = open_with("");
	kn_ctx *cx = kn_begin(db);
	char *bytes = kn_alloc(cx, size);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char) (i * 2654435761U >> 24);
	for (int i = 0; i < 3; i++)
	{
		kn_rows *rows = kn_query(cx, "SELECT $1::bytea", kn_bytes(bytes, size));
		kn_value value;

		ck_assert_int_eq(kn_next(rows), true);
		value = kn_column(rows, 0);
		ck_assert_uint_eq(value.n, size);
		ck_assert_int_eq(memcmp(value.as.p, bytes, size), 0);
		EXPECT_OK(cx, kn_done(rows));
	}
	kn_end(cx);
	close_even(db);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_loop_test(tcase, is_refused_by_the_server, 0, 4);
	LOOP(tcase, connects_or_says_why_not, attempts);
	tcase_add_loop_test(tcase, is_encrypted_unless_told_otherwise, 0, 4);
	tcase_add_test(tcase, is_checked_as_the_environment_says);
	tcase_add_test(tcase, cancels);
	tcase_add_test(tcase, carries_large_values);
}

int
main(void)
{
	return suite_run("tls", fill);
}
