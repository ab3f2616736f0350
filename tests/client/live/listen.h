/*
 * listen.h
 *		What the tests of listeners share: a listener, and what it must hear.
 */
#ifndef KN_TESTS_LISTEN_H
#define KN_TESTS_LISTEN_H

#include "live.h"

#define PATIENCE_MS 60000 /* for what is sure to come */

static PGconn *look;
static kn_db *db;
static kn_listener *listener;

static inline void
be_silent(void *user, const PGresult *notice)
{
	(void) user;
	(void) notice;
}

/* Through the pooler, where there is one; but listeners go to the server itself. */
#define OPEN_DB(...) \
	OPEN(db, .conninfo = "application_name=kn_calls", .listen_conninfo = listens_by(), __VA_ARGS__)

/* Where what PG* name listens, for that has to be said: the rest is as they say. */
static inline const char *
named_port(void)
{
	static char conninfo[32];

	(void) snprintf(conninfo, sizeof(conninfo), "port=%s", getenv("PGPORT"));
	return conninfo;
}

static inline const char *
listens_by(void)
{
	return is_pooled() ? getenv("KN_TEST_DIRECT") : named_port();
}

static inline void
set_up(void)
{
	look = look_open();
	(void) PQsetNoticeReceiver(look, be_silent, NULL);
	OPEN_DB(.retry_base_ms = 1, .retry_cap_ms = 50);
	ck_assert_int_eq(kn_open_listener(&listener, db, NULL), KN_OK);
}

static inline void
tear_down(void)
{
	kn_close_listener(listener);
	close_even(db);
	PQfinish(look);
}

#define MUST(call)                                           \
	do                                                       \
	{                                                        \
		kn_status got_ = (call);                             \
		ck_assert_msg(got_ == KN_OK,                         \
					  "%s: %s: %s",                          \
					  #call,                                 \
					  kn_status_name(got_),                  \
					  kn_listener_error(listener)->message); \
	} while (0)

static inline void
notify(const char *channel, const char *payload)
{
	const char *const values[] = { channel, payload };
	PGresult *result =
		PQexecParams(look, "SELECT pg_notify($1, $2)", 2, NULL, values, NULL, NULL, 0);

	ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQresultErrorMessage(result));
	PQclear(result);
}

/* The next must be that; channel NULL: a gap. */
static inline void
must_hear(const char *channel, const char *payload)
{
	const kn_notification *heard;

	MUST(kn_next_notification(listener, PATIENCE_MS, &heard));
	ck_assert_uint_eq(heard->size, sizeof(*heard));
	ck_assert_int_eq(heard->is_gap, channel == NULL);
	ck_assert_str_eq(heard->channel, channel == NULL ? "" : channel);
	ck_assert_str_eq(heard->payload, channel == NULL ? "" : payload);
	ck_assert_int_eq(heard->pid, channel == NULL ? 0 : PQbackendPID(look));
}

/* What was notified before it would come before it. */
static inline void
must_not_hear(void)
{
	const kn_notification *heard;

	MUST(kn_listen(listener, "kn_last"));
	notify("kn_last", "");
	must_hear("kn_last", "");
	ck_assert_int_eq(kn_next_notification(listener, 0, &heard), KN_TIMEOUT);
	ck_assert_ptr_null(heard);
	MUST(kn_unlisten(listener, "kn_last"));
}

/* The listener's own session: nobody else's last statement is that. */
#define X_LISTENERS                                                    \
	" FROM pg_stat_activity, pg_stat_clear_snapshot()"                 \
	" WHERE query ~ '^(LISTEN|UNLISTEN) ' AND pid <> pg_backend_pid()" \
	" AND backend_type = 'client backend'"

/* One that was closed before may take a moment to be gone. */
static inline void
terminate(void)
{
	long pid;
	char sql[128];

	look_await(look, "SELECT count(*)" X_LISTENERS, 1);
	pid = look_number(look, "SELECT pid" X_LISTENERS);
	(void) snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%ld)", pid);
	look_do(look, sql);
	(void) snprintf(sql,
					sizeof(sql),
					"SELECT count(*) FROM pg_stat_activity, pg_stat_clear_snapshot()"
					" WHERE pid = %ld",
					pid);
	look_await(look, sql, 0);
}

static inline void *
wake_it(void *argument)
{
	look_await(argument, "SELECT count(*) FROM pg_listening_channels()", 0);
	kn_wake_listener(listener);
	return argument;
}

#endif
