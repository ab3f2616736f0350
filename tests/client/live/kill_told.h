/*
 * kill_told.h
 *		What others are told of: notifications, and what a cache has, when a connection is lost.
 */
#ifndef KN_TESTS_KILL_TOLD_H
#define KN_TESTS_KILL_TOLD_H

#include "kill_deed.h"

#define TOLD_INSERT "INSERT INTO kn_kill VALUES (1) RETURNING token"
#define TOLD_READ   "SELECT token FROM kn_kill"

/* How many there were, or -1: the server that they were listened for at is gone. */
static inline int
count_heard(PGconn *ear)
{
	PGresult *result = PQexec(ear, "NOTIFY kn_kill, 'last'");
	bool is_there = PQresultStatus(result) == PGRES_COMMAND_OK;
	int heard = is_there ? 0 : -1;

	PQclear(result);
	/* They come in the order of their commits. */
	while (is_there)
	{
		PGnotify *one = PQnotifies(ear);

		if (one == NULL)
		{
			look_do(ear, "SELECT 1");
			continue;
		}
		is_there = strcmp(one->extra, "last") != 0;
		heard += is_there;
		PQfreemem(one);
	}
	return heard;
}

static inline void
check_heard(const scene *s, kn_status status)
{
	int heard = count_heard(s->ear);

	if (heard < 0)
		return;
	if (status == KN_OUTCOME_UNKNOWN)
		ck_assert_int_le(heard, 1);
	else
		ck_assert_msg(heard == (status == KN_OK),
					  "%s, and heard %d times",
					  kn_status_name(status),
					  heard);
}

static inline void
listen_to_it(scene *s)
{
	s->ear = look_silently();
	look_do(s->ear, "LISTEN kn_kill");
}

static inline kn_status
act_notify(scene *s, kn_ctx *cx)
{
	listen_to_it(s);
	return kn_notify(cx, "kn_kill", "once");
}

static inline kn_status
notify_body(kn_ctx *cx, void *argument)
{
	kn_status status;

	begin_body(argument, cx);
	status = kn_exec(cx, "INSERT INTO kn_kill VALUES (1)");
	return status == KN_OK ? kn_notify(cx, "kn_kill", "once") : status;
}

static inline kn_status
act_notifying(scene *s, kn_ctx *cx)
{
	listen_to_it(s);
	return kn_transact(cx, notify_body, s);
}

static inline kn_options
with_key(void)
{
	return (kn_options){ .size = sizeof(kn_options), .cache_key = "key", .cache_ms = 60000 };
}

/* The new one only if it is committed, the old one only if it is not. */
static inline void
check_put(const scene *s, kn_status status)
{
	bool is_old = s->kept == 1 && s->length == 3 && memcmp(s->bytes, "old", 3) == 0;
	bool is_new = s->kept == 1 && !is_old;

	ck_assert_msg(is_new == (status == KN_OK) && (s->kept == 0) == (status == KN_OUTCOME_UNKNOWN),
				  "%s, and %s is kept",
				  kn_status_name(status),
				  is_new   ? "the new"
				  : is_old ? "the old"
						   : "nothing");
}

static inline kn_status
put_body(kn_ctx *cx, void *argument)
{
	const kn_options options = with_key();
	kn_rows *rows;

	begin_body(argument, cx);
	rows = kn_query(cx, TOLD_INSERT);
	if (kn_next(rows))
		EXPECT_OK(cx, kn_cache_rows(cx, rows, TOLD_READ, NULL, 0, &options));
	return kn_done(rows);
}

/* It is found once it is there, and the server is not asked. */
static inline kn_status
act_put(scene *s, kn_ctx *cx)
{
	const kn_options options = with_key();
	kn_status status;

	scene_put(s, "key", "old", 3, 0);
	status = kn_transact(cx, put_body, s);
	if (status == KN_OK)
	{
		ck_assert_int_eq(number_of(cx, kn_query_values(cx, TOLD_READ, NULL, 0, &options)), 1);
		ck_assert_int_eq(s->found, 1);
	}
	return status;
}

static inline kn_status
unwanted_put_body(kn_ctx *cx, void *argument)
{
	kn_status status = put_body(cx, argument);

	return status == KN_OK ? KN_CONFLICT : status;
}

static inline kn_status
act_put_in_vain(scene *s, kn_ctx *cx)
{
	scene_put(s, "key", "old", 3, 0);
	return kn_transact(cx, unwanted_put_body, s);
}

static inline bool
is_read(kn_ctx *cx, kn_status *status)
{
	const kn_options options = with_key();
	kn_rows *rows = kn_query_values(cx, "SELECT kn_pause()", NULL, 0, &options);
	bool is_there = kn_next(rows) && kn_get_bool(rows, 0);

	(void) cx;
	*status = kn_done(rows);
	return is_there;
}

/* What was read is kept; it is found then, be the server there or not. */
static inline kn_status
act_read_twice(scene *s, kn_ctx *cx)
{
	kn_status status;

	ck_assert_int_eq(is_read(cx, &status), status == KN_OK);
	ck_assert_int_eq(s->kept, status == KN_OK);
	ck_assert_int_eq(s->found, 0);
	if (status == KN_OK)
	{
		ck_assert_int_eq(is_read(cx, &status), true);
		ck_assert_int_eq(s->found, 1);
	}
	return status;
}

static const deed tellings[] = {
	{ "notify", "kn_kill", DEED_WRITES, act_notify, .rows = NO_ROWS, .check = check_heard },
	{ "notify in a body",
	  "pg_notify",
	  DEED_IN_A_BODY,
	  act_notifying,
	  .check = check_heard,
	  .is_last = true },
	{ "commit of it",
	  "COMMIT",
	  DEED_ENDS_A_BODY,
	  act_notifying,
	  .waits = true,
	  .check = check_heard },
	{ "put", "kn_kill", DEED_IN_A_BODY, act_put, .check = check_put, .is_last = true },
	{ "commit of it", "COMMIT", DEED_ENDS_A_BODY, act_put, .waits = true, .check = check_put },
	{ "put in vain", "ROLLBACK", DEED_ROLLS_BACK, act_put_in_vain, .check = check_put },
	{ "read twice", "kn_pause", DEED_READS, act_read_twice, .waits = true },
};

#endif
