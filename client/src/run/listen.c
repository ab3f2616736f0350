/*
 * listen.c
 *		Listeners: notifications, and the gaps in them.
 *
 * Whoever wakes it writes to a pipe that all of its connections have in common, so that nobody
 * needs to know which of them there is, or whether it is being opened.
 */
#include "run/listen.h"
#include "run/sized.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "run/config.h"

#define PROBE_MS      10000
#define TIMEOUT_MS    5000
#define PAYLOAD_LIMIT 7999 /* bytes, as the server has it */

static kn_status begin(kn_listener *listener);
static kn_status add_last(kn_listener *listener, const kn__wait *wait);
static kn__wait patience(const kn_listener *listener);
static bool take(kn_listener *listener);
static kn_status wait_for_more(kn_listener *listener, int64_t deadline);
static kn_status woken(kn_listener *listener);
static int find(const kn_listener *listener, const char *channel);
static bool grow(kn_listener *listener);
static void wake(kn_listener *listener);

kn_status
kn_open_listener(kn_listener **out, kn_db *db, const kn_listener_options *options)
{
	kn_listener_options given = { 0 };
	kn_listener *listener;
	kn_status status;

	if (out == NULL)
		return KN_USAGE;
	*out = NULL;
	if (db == NULL || (options != NULL && kn__sized(&given, sizeof(given), options) != NULL) ||
		given.probe_ms < -1 || given.timeout_ms < -1)
		return KN_USAGE;
	if (!kn__db_is_usable(db, &status))
		return status;
	listener = kn__allocate_zero(db->allocator, 1, sizeof(kn_listener));
	if (listener == NULL)
		return KN_NO_MEMORY;
	if (!kn__wake_open(listener->wake))
	{
		kn__release(db->allocator, listener, sizeof(kn_listener));
		return KN_UNAVAILABLE;
	}
	listener->db = db;
	listener->probe_ms = given.probe_ms == 0 ? PROBE_MS : given.probe_ms;
	listener->timeout_ms = given.timeout_ms == 0 ? TIMEOUT_MS : given.timeout_ms;
	listener->random = (uint64_t) kn__now(NULL) ^ (uint64_t) (uintptr_t) listener;
	kn__fault_clear(&listener->fault);
	kn__fault_clear(&listener->reason);
	if (db->settings->listening != NULL)
	{
		listener->server = &listener->elsewhere;
		listener->elsewhere.db = db;
		listener->elsewhere.place = db->settings->listening;
		listener->elsewhere.host = db->settings->listening->host;
		listener->elsewhere.secret = &db->secrets[db->settings->server_count];
		listener->elsewhere.shapes = db->servers[0].shapes;
		/* It is past the pooler that there is said to be. */
		listener->elsewhere.pooler = db->config.pgbouncer == KN_OFF ? KN_OFF : KN_AUTOMATIC;
	}
	(void) pthread_mutex_lock(&db->lock);
	db->contexts++;
	listener->next = db->listeners;
	if (listener->next != NULL)
		listener->next->before = listener;
	db->listeners = listener;
	(void) pthread_mutex_unlock(&db->lock);
	*out = listener;
	return KN_OK;
}

void
kn_close_listener(kn_listener *listener)
{
	kn_db *db;
	bool is_child;

	if (listener == NULL)
		return;
	db = listener->db;
	is_child = kn__db_is_child(db);
	/* In a child, another thread of the parent's may have the lock for ever. */
	if (!is_child)
	{
		(void) pthread_mutex_lock(&db->lock);
		*(listener->before == NULL ? &db->listeners : &listener->before->next) = listener->next;
		if (listener->next != NULL)
			listener->next->before = listener->before;
		(void) pthread_mutex_unlock(&db->lock);
	}
	kn__heard_free(&listener->heard);
	if (listener->link != NULL && is_child)
		kn__link_driver.forget(NULL, &listener->link->member);
	else if (listener->link != NULL)
		kn__link_close(listener->link);
	for (int i = 0; i < 2; i++)
		(void) close(listener->wake[i]);
	kn__release(db->allocator,
				listener->channels,
				(size_t) listener->capacity * sizeof(kn__channel));
	kn__release(db->allocator, listener, sizeof(kn_listener));
	if (is_child)
		return;
	(void) pthread_mutex_lock(&db->lock);
	kn__db_unref_locked(db);
}

kn_status
kn_listen(kn_listener *listener, const char *channel)
{
	kn__wait wait;
	size_t length;
	kn_status status = begin(listener);

	if (status != KN_OK)
		return status;
	length = channel == NULL ? 0 : strlen(channel);
	if (length == 0 || length > KN__CHANNEL_LIMIT)
		return kn__fail(&listener->fault,
						KN_USAGE,
						"a channel's name has 1 to %d bytes",
						KN__CHANNEL_LIMIT);
	if (find(listener, channel) >= 0)
		return KN_OK;
	if (!grow(listener))
		return kn__fail(&listener->fault, KN_NO_MEMORY, "out of memory");
	if (listener->is_gone)
		kn__listen_lose(listener);
	wait = patience(listener);
	memcpy(listener->channels[listener->count].name, channel, length + 1);
	status = add_last(listener, &wait);
	/* An old connection may have been lost long ago, and nobody has looked. */
	if (listener->is_gone && (status == KN_CONN_LOST || status == KN_UNAVAILABLE))
	{
		kn__listen_lose(listener);
		status = add_last(listener, &wait);
	}
	if (status == KN_OK)
		listener->count++;
	return status == KN_CANCELED ? woken(listener) : status;
}

/* Listens to the channel behind those that count. */
static kn_status
add_last(kn_listener *listener, const kn__wait *wait)
{
	kn_status status = KN_OK;

	if (listener->link == NULL)
		status = kn__listen_open(listener, wait, &listener->fault);
	if (status == KN_OK)
		status = kn__listen_change(listener, "LISTEN", listener->count, 1, wait, &listener->fault);
	return status;
}

kn_status
kn_unlisten(kn_listener *listener, const char *channel)
{
	kn_status status = begin(listener);
	int at;

	if (status != KN_OK)
		return status;
	if (channel == NULL)
		return kn__fail(&listener->fault, KN_USAGE, "there is no channel");
	at = find(listener, channel);
	if (at < 0)
		return KN_OK;
	if (listener->link != NULL && !listener->is_gone)
	{
		kn__wait wait = patience(listener);

		status = kn__listen_change(listener, "UNLISTEN", at, 1, &wait, &listener->fault);
	}
	if (status == KN_CANCELED)
		return woken(listener);
	if (status != KN_OK && !listener->is_gone)
		return status;
	/* A connection that was lost over it is opened again without that channel. */
	listener->count--;
	if (at < listener->count)
		listener->channels[at] = listener->channels[listener->count];
	kn__fault_clear(&listener->fault);
	return KN_OK;
}

kn_status
kn_next_notification(kn_listener *listener, int64_t timeout_ms, const kn_notification **out)
{
	kn_status status;
	int64_t deadline;

	if (out == NULL)
		return KN_USAGE;
	*out = NULL;
	status = begin(listener);
	if (status != KN_OK)
		return status;
	if (timeout_ms < -1)
		return kn__fail(&listener->fault,
						KN_USAGE,
						"\"timeout_ms\" is a number of milliseconds, or -1");
	kn__heard_free(&listener->heard);
	deadline = kn__after(kn__now(listener->db->clock), timeout_ms);
	while (status == KN_OK)
	{
		if (atomic_load(&listener->must_look))
			return woken(listener);
		if (listener->link == NULL)
			status = kn__listen_reopen(listener, deadline);
		else if (take(listener))
		{
			*out = &listener->told;
			return KN_OK;
		}
		else if (listener->is_gone)
			kn__listen_lose(listener);
		else
			status = wait_for_more(listener, deadline);
	}
	return status == KN_CANCELED ? woken(listener) : status;
}

/* What all calls begin with. */
static kn_status
begin(kn_listener *listener)
{
	kn_status status;

	if (listener == NULL)
		return KN_USAGE;
	kn__fault_clear(&listener->fault);
	if (!kn__db_is_usable(listener->db, &status))
		return kn__fail(&listener->fault, status, "%s", kn_status_text(status));
	return KN_OK;
}

/* For what the server has to answer: only the end of the handle cuts it short. */
static kn__wait
patience(const kn_listener *listener)
{
	return (kn__wait){ .deadline = kn__after(kn__now(listener->db->clock), listener->timeout_ms),
					   .is_cancelled = &listener->db->is_closing,
					   .is_not_cancelled = true };
}

/* The next that there is to tell. */
static bool
take(kn_listener *listener)
{
	kn__heard *heard = &listener->heard;

	listener->told = (kn_notification){ .size = sizeof(kn_notification), .is_gap = true };
	listener->told.channel = listener->told.payload = "";
	if (listener->has_gap)
	{
		listener->has_gap = false;
		return true;
	}
	if (!kn__hear(listener->link->conn, heard))
		return false;
	listener->told.is_gap = false;
	listener->told.channel = heard->channel;
	listener->told.payload = heard->payload;
	listener->told.pid = heard->pid;
	return true;
}

/* KN_OK: there may be something now, or the connection is lost. */
static kn_status
wait_for_more(kn_listener *listener, int64_t deadline)
{
	kn__conn *conn = listener->link->conn;
	int64_t due = kn__hear_is_asking(conn) ? kn__after(listener->asked_at, listener->timeout_ms)
										   : kn__after(listener->heard_at, listener->probe_ms);
	kn__wait wait = { .deadline = due < deadline ? due : deadline,
					  .is_cancelled = &listener->must_look };
	kn_status status = kn__hear_wait(conn, &wait, &listener->fault);
	int64_t now = kn__now(listener->db->clock);

	if (status == KN_OK)
		listener->heard_at = now;
	else if (status == KN_CONN_LOST)
	{
		kn__fault_copy(&listener->reason, &listener->fault);
		listener->is_gone = true;
	}
	else if (status == KN_TIMEOUT && now >= due)
		kn__listen_doubt(listener, now);
	else
		return status;
	return KN_OK;
}

/* A call was cancelled: by whoever has woken the listener, or by the end of the handle. */
static kn_status
woken(kn_listener *listener)
{
	kn_status status;

	atomic_store(&listener->must_look, false);
	status = atomic_load(&listener->db->is_closing) ? KN_CLOSED : KN_CANCELED;
	return kn__fail(&listener->fault, status, "%s", kn_status_text(status));
}

static int
find(const kn_listener *listener, const char *channel)
{
	for (int i = 0; i < listener->count; i++)
	{
		if (strcmp(listener->channels[i].name, channel) == 0)
			return i;
	}
	return -1;
}

/* Room for one more. */
static bool
grow(kn_listener *listener)
{
	size_t size = sizeof(kn__channel);
	int capacity = listener->capacity == 0 ? 8 : listener->capacity * 2;
	void *channels;

	if (listener->count < listener->capacity)
		return true;
	channels = kn__resize(listener->db->allocator,
						  listener->channels,
						  (size_t) listener->capacity * size,
						  (size_t) capacity * size);
	if (channels == NULL)
		return false;
	listener->channels = channels;
	listener->capacity = capacity;
	return true;
}

void
kn_wake_listener(kn_listener *listener)
{
	if (listener != NULL && !kn__db_is_child(listener->db))
		wake(listener);
}

static void
wake(kn_listener *listener)
{
	atomic_store(&listener->must_look, true);
	kn__wake_send(listener->wake[1]);
}

void
kn__listen_wake_all(kn_db *db)
{
	(void) pthread_mutex_lock(&db->lock);
	for (kn_listener *listener = db->listeners; listener != NULL; listener = listener->next)
		wake(listener);
	(void) pthread_mutex_unlock(&db->lock);
}

int
kn_listener_fd(const kn_listener *listener)
{
	if (listener == NULL || listener->link == NULL)
		return -1;
	return kn__hear_socket(listener->link->conn);
}

const kn_error *
kn_listener_error(const kn_listener *listener)
{
	return listener == NULL ? kn_last_error(NULL) : &listener->fault.error;
}

kn_status
kn_notify(kn_ctx *cx, const char *channel, const char *payload)
{
	const kn_options options = { .size = sizeof(options), .is_write = true };
	kn_value values[2] = { kn_text(channel), kn_text(payload == NULL ? "" : payload) };
	kn_status status;

	if (!kn__ctx_is_usable(cx, &status))
		return status;
	if (channel == NULL || values[0].n == 0 || values[0].n > KN__CHANNEL_LIMIT)
		return kn__fail(&cx->fault,
						KN_USAGE,
						"a channel's name has 1 to %d bytes",
						KN__CHANNEL_LIMIT);
	if (values[1].n > PAYLOAD_LIMIT)
		return kn__fail(&cx->fault,
						KN_DATA,
						"the payload has %u bytes, and %d are the most",
						(unsigned) values[1].n,
						PAYLOAD_LIMIT);
	return kn_exec_values(cx, "SELECT pg_catalog.pg_notify($1, $2)", values, 2, &options, NULL);
}
