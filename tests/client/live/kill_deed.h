/*
 * kill_deed.h
 *		What is done while a connection is lost, and what may come of it.
 *
 * What is reported has to be true: KN_OK means that it was done once, KN_OUTCOME_UNKNOWN that
 * nobody can tell, and anything else that nothing was done.  Who asked to be called at the end of
 * a transaction is called once, and a cache loses what may be old.
 */
#ifndef KN_TESTS_KILL_DEED_H
#define KN_TESTS_KILL_DEED_H

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
	DEED_BEGINS_A_COPY,
	DEED_FILLS,       /* a COPY, whose COMMIT is still to come */
	DEED_ENDS_A_COPY, /* the COMMIT of its own */
	DEED_GIVES_UP,    /* a COPY, of which nothing is to be done */
	DEED_ENDS_A_READ, /* the COMMIT of a COPY that only reads */
	DEED_READS
} deed_kind;

#define NO_ROWS (-1)

typedef struct deed
{
	const char *name;
	const char *text; /* of the flight that is harmed, and of no other */
	deed_kind kind;
	kn_status (*act)(scene *s, kn_ctx *cx);
	bool waits;   /* the server is at it until the holder lets go of the lock */
	bool streams; /* rows are handed out as they come */
	char message; /* of COPY, that is harmed; 0: what executes something */
	int rows;     /* that it leaves in the table, all or none of them; 0: one, NO_ROWS: none */
	bool commits; /* a read, by a COMMIT that comes after it */
	bool is_last; /* COMMIT comes next */
	bool calls;   /* a function that may do more than can be undone */
	void (*check)(const scene *s, kn_status status); /* NULL, or what else has to be true */
} deed;

/* Nothing of it is in force, whatever becomes of it. */
static inline bool
only_reads(const deed *d)
{
	return d->kind == DEED_READS || d->kind == DEED_ENDS_A_READ ||
		   (d->kind == DEED_IN_A_BODY && d->rows == NO_ROWS);
}

static inline void
begin_body(scene *s, kn_ctx *cx)
{
	s->runs++;
	EXPECT_OK(cx, kn_after_commit(cx, count_commit, s));
	EXPECT_OK(cx, kn_after_rollback(cx, count_rollback, s));
}

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
	PGconn *look = s->killer;
	long whole = d->rows == NO_ROWS ? 0 : d->rows > 0 ? d->rows : 1;
	bool is_body =
		d->kind == DEED_IN_A_BODY || d->kind == DEED_ENDS_A_BODY || d->kind == DEED_ROLLS_BACK;
	long rows;

	/* Who was cut off may still be at it. */
	look_await(
		look,
		"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot() WHERE application_name = 'kn_kill' AND state <> 'idle'",
		0);
	rows = look_number(look, "SELECT count(*) FROM kn_kill");
	if (d->kind == DEED_READS || d->kind == DEED_ENDS_A_READ)
		ck_assert_int_eq(rows, 0);
	else if (status == KN_OK)
		ck_assert_msg(rows == whole, "%s: it is done, but there are %ld rows", d->name, rows);
	else if (status == KN_OUTCOME_UNKNOWN)
		ck_assert_msg(rows == whole || rows == 0, "%s: there are %ld rows", d->name, rows);
	else
		ck_assert_msg(rows == 0, "%s: %s, but there are rows", d->name, kn_status_name(status));
	if (status != KN_OK)
		ck_assert_int_eq(kn_last_error(cx)->status, status);
	if (is_body)
	{
		ck_assert_int_eq(s->committed, status == KN_OK);
		ck_assert_int_eq(s->rolled_back, s->runs - s->committed);
	}
	if (d->check != NULL)
		d->check(s, status);
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
	kept_killer = look_silently();
	look_do(
		kept_killer,
		"SET client_min_messages = error;"
		"DROP TABLE IF EXISTS kn_kill; CREATE TABLE kn_kill (token int, note text);"
		"CREATE UNIQUE INDEX ON kn_kill (token) WHERE token < 0;"
		"CREATE OR REPLACE FUNCTION kn_write(int) RETURNS int LANGUAGE sql AS"
		" 'INSERT INTO kn_kill VALUES ($1) RETURNING token';"
		"CREATE OR REPLACE FUNCTION kn_pause() RETURNS bool LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN true; END$$;"
		"CREATE OR REPLACE FUNCTION kn_pause_later() RETURNS trigger LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM kn_pause(); RETURN NULL; END$$;"
		"CREATE CONSTRAINT TRIGGER kn_later AFTER INSERT ON kn_kill DEFERRABLE INITIALLY DEFERRED"
		" FOR EACH ROW EXECUTE FUNCTION kn_pause_later()");
}

#endif
