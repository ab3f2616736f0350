/*
 * listen_link.c
 *		The connection of a listener: opened, looked after, and opened again.
 *
 * All that is done in the calls of its user, and in no thread of ours.  All channels are
 * listened to in one flight, and only then is the gap told, before anything that the new
 * connection has heard.
 */
#include "run/listen.h"

#include <poll.h>

#include "run/config.h"
#include "run/tell.h"

static bool is_elsewhere(const kn_listener *listener);
static void pause_next(kn_listener *listener);
static kn_status rest(kn_listener *listener, int64_t deadline);

/* The server has been silent for too long. */
void
kn__listen_doubt(kn_listener *listener, int64_t now)
{
	kn__conn *conn = listener->link->conn;
	const char *host = listener->server->host;

	listener->is_gone = true;
	if (kn__hear_is_asking(conn))
		(void) kn__fail(&listener->fault, KN_CONN_LOST, "server \"%s\" does not answer", host);
	else if (is_elsewhere(listener))
		(void) kn__fail(&listener->fault,
						KN_CONN_LOST,
						"server \"%s\" is not the primary any more",
						host);
	else if (!kn__hear_ask(conn))
		(void) kn__fail(&listener->fault,
						KN_CONN_LOST,
						"the connection to server \"%s\" was lost",
						host);
	else
	{
		listener->asked_at = now;
		listener->is_gone = false;
		return;
	}
	kn__fault_copy(&listener->reason, &listener->fault);
}

static bool
is_elsewhere(const kn_listener *listener)
{
	return listener->db->settings->listening == NULL &&
		   listener->server != kn__route_primary(listener->db);
}

/* KN_OK: it is open, or there may be another attempt. */
kn_status
kn__listen_reopen(kn_listener *listener, int64_t deadline)
{
	const kn_db *db = listener->db;
	kn_status status = rest(listener, deadline);
	kn__wait wait = { .is_cancelled = &listener->must_look, .is_not_cancelled = true };

	if (status != KN_OK)
		return status;
	wait.deadline = kn__after(kn__now(db->clock), listener->timeout_ms);
	status = kn__listen_open(listener, &wait, &listener->reason);
	if (status == KN_OK || status == KN_CANCELED)
		return status;
	kn__fault_copy(&listener->fault, &listener->reason);
	if (status == KN_CONFIG || status == KN_NO_MEMORY)
		return status;
	kn__tell_listen(listener->server, "listen_failed", &listener->reason);
	if (listener->server != &listener->elsewhere)
		kn__route_doubt(listener->server, status);
	pause_next(listener);
	if (kn__now(db->clock) < deadline)
		return KN_OK;
	listener->fault.error.status = KN_TIMEOUT;
	return KN_TIMEOUT;
}

/* The next attempt is due after a pause that nobody else draws. */
static void
pause_next(kn_listener *listener)
{
	const kn_config *config = &listener->db->config;
	int64_t now = kn__now(listener->db->clock);

	listener->attempts++;
	listener->random = kn__hash(&now, sizeof(now), listener->random);
	listener->retry_at = now + kn__backoff(config->retry_base_ms * KN__NS_PER_MS,
										   config->retry_cap_ms * KN__NS_PER_MS,
										   listener->attempts,
										   listener->random);
}

/* Until the next attempt is due. */
static kn_status
rest(kn_listener *listener, int64_t deadline)
{
	const kn_clock *clock = listener->db->clock;
	int64_t until = listener->retry_at < deadline ? listener->retry_at : deadline;
	struct pollfd fd = { .fd = listener->wake[0], .events = POLLIN };

	for (int64_t left; (left = until - kn__now(clock)) > 0;)
	{
		if (atomic_load(&listener->must_look))
			return KN_CANCELED;
		if (poll(&fd, 1, (int) ((left - 1) / KN__NS_PER_MS + 1)) > 0)
			kn__wake_empty(listener->wake[0]);
	}
	if (kn__now(clock) >= listener->retry_at)
		return KN_OK;
	kn__fault_copy(&listener->fault, &listener->reason);
	listener->fault.error.status = KN_TIMEOUT;
	return KN_TIMEOUT;
}

kn_status
kn__listen_open(kn_listener *listener, const kn__wait *wait, kn__fault *fault)
{
	kn_db *db = listener->db;
	kn_status status = KN_OK;

	if (db->settings->listening == NULL)
		listener->server = kn__route_primary(db);
	kn__fault_clear(fault);
	if (listener->server->pooler != KN_ON)
		status = kn__link_open(listener->server, wait, listener->wake, &listener->link, fault);
	if (status != KN_OK)
		return status;
	if (listener->link == NULL || listener->link->is_pooled)
		status = kn__fail(fault,
						  KN_CONFIG,
						  "a pooler stands before server \"%s\", and LISTEN needs a session of its"
						  " own: set \"listen_conninfo\" to where the server itself is",
						  listener->server->host);
	if (status == KN_OK && listener->count > 0)
		status = kn__listen_change(listener, "LISTEN", 0, listener->count, wait, fault);
	if (status != KN_OK)
	{
		if (listener->link != NULL)
			kn__link_close(listener->link);
		listener->link = NULL;
		listener->is_gone = false;
		return status;
	}
	listener->heard_at = kn__now(db->clock);
	listener->attempts = 0;
	listener->has_gap |= listener->missed;
	if (listener->missed)
		kn__tell_listen(listener->server, "listen_again", NULL);
	listener->missed = false;
	return KN_OK;
}

void
kn__listen_lose(kn_listener *listener)
{
	kn__tell_listen(listener->server, "listen_lost", &listener->reason);
	if (listener->server != &listener->elsewhere)
		kn__route_doubt(listener->server, KN_CONN_LOST);
	kn__link_close(listener->link);
	listener->link = NULL;
	listener->is_gone = false;
	listener->missed |= listener->count > 0;
	listener->attempts = 0;
	pause_next(listener);
}

kn_status
kn__listen_change(kn_listener *listener, const char *verb, int first, int count,
				  const kn__wait *wait, kn__fault *fault)
{
	kn__conn *conn = listener->link->conn;
	kn_status status =
		kn__hear_channels(conn, verb, &listener->channels[first], count, wait, fault);

	if (status == KN_OK)
		listener->heard_at = kn__now(listener->db->clock);
	if (kn__conn_is_clean(conn))
		return status;
	listener->is_gone = true;
	if (fault != &listener->reason)
		kn__fault_copy(&listener->reason, fault);
	return status;
}
