/*
 * kill_heard.c
 *		Listeners whose connection is lost, at each moment of what they say to the server, and in
 *each way.
 *
 * Whatever happened: a channel is listened to if, and only if, the last call said so, and what was
 * notified has been heard, or a gap is told.
 */
#include "kill_run.h"

/* What one listens with, and what is lost. */
typedef struct ear
{
	harm harm;
	kn_db *db;
	kn_listener *listener;
	int gaps;
	bool heard_meanwhile; /* what was notified as the harm was done */
	bool heard_second;
	long heard_last; /* number of the last one */
} ear;

static kn_status
listen_to_second(ear *e)
{
	return kn_listen(e->listener, "kn_second");
}

static kn_status
unlisten_to_second(ear *e)
{
	return kn_unlisten(e->listener, "kn_second");
}

static void
take(ear *e, const kn_notification *heard)
{
	e->gaps += heard->is_gap;
	e->heard_meanwhile |= strcmp(heard->payload, "meanwhile") == 0;
	e->heard_second |= strcmp(heard->channel, "kn_second") == 0;
	if (strcmp(heard->channel, "kn_last") == 0)
		e->heard_last = atol(heard->payload);
}

/* It asks whether the server is there: the harm is done to that question, and found out. */
static kn_status
await_a_loss(ear *e)
{
	while (e->gaps == 0 && kn_listener_fd(e->listener) >= 0)
	{
		const kn_notification *heard;
		kn_status status = kn_next_notification(e->listener, 10, &heard);

		if (status == KN_OK)
			take(e, heard);
		else if (status != KN_TIMEOUT)
			return status;
	}
	return KN_OK;
}

static const struct
{
	const char *name;
	const char *text;
	char message;
	bool is_second_before;
	bool is_second_after; /* unless it fails */
	bool asks;
	kn_status (*act)(ear *e);
} calls[] = {
	{ "listen", "LISTEN \"kn_second\"", 0, false, true, false, listen_to_second },
	{ "unlisten", "UNLISTEN \"kn_second\"", 0, true, false, false, unlisten_to_second },
	{ "next", "", 'Q', true, true, true, await_a_loss },
};

static bool
notify_and_do_harm(void *user)
{
	harm *h = user;

	look_do(h->scene.killer, "NOTIFY kn_first, 'meanwhile'");
	return do_harm(h);
}

static void
open_ear(ear *e, int64_t timeout_ms, bool asks)
{
	const kn_listener_options options = { .size = sizeof(options),
										  .probe_ms = asks ? 10 : -1,
										  .timeout_ms = timeout_ms };
	char conninfo[160];

	(void)
		snprintf(conninfo, sizeof(conninfo), "%s application_name=kn_kill", e->harm.proxy.conninfo);
	OPEN(e->db,
		 .listen_conninfo = conninfo,
		 .retry_base_ms = 1,
		 .retry_cap_ms = 20,
		 .allocator = &e->harm.scene.allocator);
	ck_assert_int_eq(kn_open_listener(&e->listener, e->db, &options), KN_OK);
}

/* The server is to hear of it; false: nothing is said of a time that is too short for that. */
static bool
prepare(ear *e, bool with_second)
{
	static const char *const channels[] = { "kn_first", "kn_last", "kn_second" };
	bool is_short = false;

	for (int i = 0; i < 2 + with_second && !is_short; i++)
	{
		kn_status status = kn_listen(e->listener, channels[i]);

		is_short = (status == KN_TIMEOUT || status == KN_CONN_LOST) && is_silent(e->harm.how);
		ck_assert_msg(status == KN_OK || is_short,
					  "%s: %s",
					  kn_status_name(status),
					  kn_listener_error(e->listener)->message);
	}
	return !is_short;
}

/* Notifies, with a new number each time, until that is heard: all before it would have been. */
static void
hear_to_the_end(ear *e)
{
	for (long number = 1; e->heard_last != number;)
	{
		const kn_notification *heard;
		char sql[64];
		kn_status status;

		(void) snprintf(sql, sizeof(sql), "NOTIFY kn_last, '%ld'", ++number);
		look_do(e->harm.scene.killer, sql);
		while ((status = kn_next_notification(e->listener, 100, &heard)) == KN_OK)
		{
			take(e, heard);
			if (e->heard_last == number)
				break;
		}
		ck_assert_msg(status == KN_OK || status == KN_TIMEOUT, "%s", kn_status_name(status));
	}
}

/* A server that is frozen after it has answered goes on later, unless it is asked again meanwhile.
 */
static bool
loses_it(way how, moment when, bool asks)
{
	return asks || how != WAY_FREEZE || when < MOMENT_AFTER;
}

static kn_status
expected(way how, moment when, int number)
{
	/* What is not listened to any more needs no server; all else is done once more. */
	if (!is_silent(how) || calls[number].act != listen_to_second)
		return KN_OK;
	return loses_it(how, when, false) ? KN_TIMEOUT : KN_OK;
}

/* False: the server was to be silent only after it had answered, and took too long for that. */
static bool
check_ear(ear *e, way how, moment when, int number, kn_status status, bool may_be_short)
{
	bool is_short = may_be_short && status == KN_TIMEOUT && expected(how, when, number) == KN_OK;

	ck_assert_msg(is_short || status == expected(how, when, number),
				  "%s, moment %d: %s: %s",
				  calls[number].name,
				  when,
				  kn_status_name(status),
				  kn_listener_error(e->listener)->message);
	e->heard_last = 0;
	hear_to_the_end(e);
	if (is_short || (may_be_short && e->gaps > 0 && !loses_it(how, when, calls[number].asks)))
		return false;
	ck_assert_int_eq(e->gaps > 0, loses_it(how, when, calls[number].asks));
	ck_assert(e->heard_meanwhile || e->gaps > 0);
	e->heard_second = false;
	look_do(e->harm.scene.killer, "NOTIFY kn_second, 'x'");
	e->heard_last = 0;
	hear_to_the_end(e);
	ck_assert_int_eq(e->heard_second,
					 status == KN_OK ? calls[number].is_second_after
									 : calls[number].is_second_before);
	return true;
}

static bool
play_ear(way how, moment when, int number, int64_t patience_ms)
{
	ear e = { .harm = { .how = how, .when = when } };
	proxy *p = &e.harm.proxy;
	kn_status status;
	bool is_done;

	scene_begin(&e.harm.scene);
	harm_prepare(&e.harm, calls[number].text, calls[number].message, notify_and_do_harm);
	proxy_lead_to_server(p);
	proxy_start(p);
	open_ear(&e, is_silent(how) ? patience_ms : 20000, calls[number].asks);
	status = prepare(&e, calls[number].is_second_before) ? calls[number].act(&e) : KN_TIMEOUT;
	is_done = p->is_done;
	proxy_await_harm(p);
	p->drops = false;
	thaw(&e.harm);
	if (is_done)
		is_done = check_ear(&e,
							how,
							when,
							number,
							status,
							is_late(how, when) && patience_ms < MOST_PATIENCE_MS);
	kn_close_listener(e.listener);
	close_even(e.db);
	proxy_end(p);
	scene_end(&e.harm.scene);
	return is_done;
}

/* The server waits for nothing there. */
static bool
has_a_moment(int number, moment when)
{
	(void) number;
	return when != MOMENT_DURING;
}

int
main(void)
{
	const kill_plan all = { "kill_heard", COUNT(calls), has_a_moment, play_ear };

	return kill_run(&all);
}
