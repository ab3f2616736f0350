/*
 * renamed.c
 *		The name of a prepared statement that has come to be another statement's, or nobody's.
 *
 * So it is where a pooler hands the server's sessions round, and nobody has noticed.  The proxy
 * does the same to a session of the server's, in front of a statement that is about to go by its
 * name, or to get it.  It is done once, as it was meant, and from then on without a name.
 */
#include "notes.h"
#include "proxy.h"

#define INSERT "INSERT INTO kn_renamed VALUES ($1) RETURNING name"

static void
set_up(void)
{
	look = look_open();
	look_do(look,
			"DROP TABLE IF EXISTS kn_renamed; CREATE TABLE kn_renamed (name text);"
			"CREATE OR REPLACE FUNCTION kn_rename(is_taken boolean) RETURNS void"
			" LANGUAGE plpgsql AS $$DECLARE own text; BEGIN"
			" SELECT name INTO STRICT own FROM pg_prepared_statements"
			"  WHERE statement LIKE 'INSERT INTO kn_renamed%';"
			" EXECUTE format('DEALLOCATE %I', own);"
			" IF is_taken THEN"
			"  EXECUTE format('PREPARE %I (text, text) AS SELECT $1 || $2 AS kn_other', own);"
			" END IF; END$$");
	forget();
}

static void
tear_down(void)
{
	PQfinish(look);
}

static kn_status
read_name(kn_rows *rows, const char *name)
{
	if (kn_next(rows))
		ck_assert_str_eq(kn_get_text(rows, 0), name);
	return kn_done(rows);
}

static kn_status
by_exec(kn_ctx *cx, const char *name)
{
	return kn_exec(cx, INSERT, name);
}

static kn_status
by_query(kn_ctx *cx, const char *name)
{
	return read_name(kn_query(cx, INSERT, name), name);
}

static kn_status
by_stream(kn_ctx *cx, const char *name)
{
	return read_name(kn_stream(cx, INSERT, name), name);
}

static kn_status
by_batch(kn_ctx *cx, const char *name)
{
	kn_batch *batch = kn_begin_batch(cx);

	(void) kn_add(batch, "SELECT 1");
	(void) kn_add(batch, INSERT, name);
	return kn_run_batch(batch, NULL);
}

static kn_status
first_body(kn_ctx *cx, void *argument)
{
	return by_query(cx, argument);
}

static kn_status
later_body(kn_ctx *cx, void *argument)
{
	EXPECT_OK(cx, kn_exec(cx, "SELECT 1"));
	return by_query(cx, argument);
}

static kn_status
first_of_a_transaction(kn_ctx *cx, const char *name)
{
	return kn_transact(cx, first_body, (void *) name);
}

static kn_status
later_in_a_transaction(kn_ctx *cx, const char *name)
{
	return kn_transact(cx, later_body, (void *) name);
}

static kn_status (*const ways[])(kn_ctx *cx, const char *name) = {
	by_exec, by_query, by_stream, by_batch, first_of_a_transaction, later_in_a_transaction,
};

typedef enum fate
{
	FATE_GONE,  /* 26000: the server does not know the name */
	FATE_TAKEN, /* 08P01: its statement has other parameters */
	FATE_THERE, /* 42P05: it is somebody's before it is ours */
	FATE_COUNT
} fate;

typedef struct renaming
{
	proxy p;
	fate fate;
} renaming;

/* The name that what is about to be sent gives to our statement; NULL: none. */
static const char *
name_in(const proxy *p)
{
	for (int i = 0; i < PROXY_PAIRS; i++)
	{
		const pair *x = p->pairs[i];

		for (size_t at = 0; x != NULL && x->server == p->hit && at + 5 < x->have;
			 at += 1 + length_at(x->bytes + at + 1))
		{
			const char *name = x->bytes + at + 5;

			if (x->bytes[at] == 'P' && strcmp(name + strlen(name) + 1, INSERT) == 0)
				return name;
		}
	}
	return NULL;
}

/* As PREPARE, EXECUTE and their like come from who has the session at other times. */
static void
say(int server, const char *sql, char *answer)
{
	uint32_t length = htonl((uint32_t) (sizeof(length) + strlen(sql) + 1));
	char message[120] = "Q";

	memcpy(message + 1, &length, sizeof(length));
	(void) snprintf(message + 5, sizeof(message) - 5, "%s", sql);
	ck_assert_int_eq(pass(server, message, 1 + length_at(message + 1)), true);
	ck_assert_uint_gt(read_answer(server, answer), 0);
}

static bool
rename_it(void *user)
{
	renaming *r = user;
	char answer[PROXY_BYTES];
	const char *name;
	char sql[100];

	if (r->fate != FATE_THERE)
	{
		say(r->p.hit,
			r->fate == FATE_GONE ? "SELECT kn_rename(false)" : "SELECT kn_rename(true)",
			answer);
		/* A row: it was there. */
		ck_assert_int_eq(answer[0], 'T');
		return false;
	}
	name = name_in(&r->p);
	ck_assert_msg(name != NULL && strncmp(name, "kn_", 3) == 0, "nothing is to be prepared");
	(void) snprintf(sql, sizeof(sql), "PREPARE %.40s AS SELECT 1", name);
	say(r->p.hit, sql, answer);
	ck_assert_int_eq(answer[0], 'C');
	return false;
}

/* The first words of what is prepared: our statement, or that of somebody else. */
static const char *
prepared(kn_ctx *cx)
{
	kn_rows *rows = kn_query(cx,
							 "SELECT coalesce(string_agg(split_part(statement, ' ', 1), ' '), '')"
							 " FROM pg_prepared_statements"
							 " WHERE statement ~ '^(INSERT INTO kn_renamed|PREPARE kn_)'");
	const char *words = kn_next(rows) ? kn_get_text(rows, 0) : NULL;

	EXPECT_OK(cx, kn_done(rows));
	return words;
}

START_TEST(is_done_once_as_it_was_meant)
{
	static const char *const names[] = { "Ada", "Ben", "Zoe", "Cyd", "Dan" };
	renaming r = { .p = { .when = MOMENT_BEFORE, .harm = rename_it, .text = "Zoe" },
				   .fate = (fate) (_i % FATE_COUNT) };
	kn_status (*use)(kn_ctx *, const char *) = ways[_i / FATE_COUNT];
	char conninfo[160];
	kn_db *db;
	kn_ctx *cx;

	r.p.user = &r;
	/* The second use is the first that has a name. */
	if (r.fate == FATE_THERE)
		r.p.text = "Ben";
	proxy_start(&r.p);
	/* Also with the pooler a session of its own, whose names are those that the client gives. */
	(void) snprintf(conninfo, sizeof(conninfo), "%s %s", r.p.conninfo, sessions());
	OPEN(db, .conninfo = conninfo, .hooks = &all, .max_connections = 1, .pgbouncer = KN_OFF);
	cx = kn_begin(db);
	for (int i = 0; i < COUNT(names); i++)
		EXPECT_OK(cx, use(cx, names[i]));
	ck_assert_int_eq(r.p.is_done, true);
	ck_assert_int_eq(look_number(look, "SELECT count(*) FROM kn_renamed"), COUNT(names));
	ck_assert_int_eq(look_number(look, "SELECT count(DISTINCT name) FROM kn_renamed"),
					 COUNT(names));
	/* Nothing of ours any more; and what is somebody else's, he may still want. */
	ck_assert_str_eq(prepared(cx), r.fate == FATE_GONE ? "" : "PREPARE");
	ck_assert_int_eq(times_told(KN_EVENT_NOTICE, "WARNING"), 1);
	ck_assert_uint_eq(stats_of(db).closed_broken, 0);
	kn_end(cx);
	close_even(db);
	proxy_end(&r.p);
}
END_TEST

static void
fill(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, is_done_once_as_it_was_meant, 0, FATE_COUNT * COUNT(ways));
}

int
main(void)
{
	return suite_run("renamed", fill);
}
