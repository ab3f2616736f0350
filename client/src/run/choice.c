/*
 * choice.c
 *		Which server a call goes to, by what route.c has found out of them.
 *
 * Replicas take turns, and whoever is not fit for a call has none: its turns are those of all
 * others, and not of the one behind it.
 */
#include "run/run.h"

#include <string.h>

/* Milliseconds between two looks. */
#define LEFT_MS 1000  /* at one that is not read from */
#define GONE_MS 10000 /* at one that cannot be reached */

/* For so long the newest timeline counts after the server that was on it is on an older one. */
#define KEPT_MS 60000

static kn__server *serves(const kn_ctx *cx, bool is_read, kn__server *server, kn_status *status);
static bool is_fit(const kn_ctx *cx, kn__server *server, int64_t now);
static bool is_better(kn__server *server, kn__server *best);
static int64_t wanted_of(kn__server *server);
static void drop(kn__server *server);
static void note_newest(kn__server *server, int64_t timeline);

/*
 * The server for the next attempt.  except: the one of the attempt before, to be spared if
 * another will do, the primary among them.  NULL: none serves, and *status says so.
 */
kn__server *
kn__route(kn_ctx *cx, bool is_read, const kn__server *except, kn_status *status)
{
	kn_db *db = cx->db;
	kn__server *primary;
	kn__server *spared = NULL;
	uint32_t fit = 0;
	uint32_t turn;
	int64_t now;

	*status = KN_OK;
	if (db->server_count == 1 && cx->route != KN_ROUTE_REPLICA)
		return &db->servers[0];
	primary = kn__route_primary(db);
	if (!is_read || cx->route == KN_ROUTE_PRIMARY)
		return serves(cx, is_read, primary, status);
	now = kn__now(db->clock);
	if (cx->wants_fresh && primary != except && atomic_load(&primary->is_known) &&
		kn__breaker_may_admit(&primary->breaker, now) && kn__route_is_in_force(db, primary))
		return primary;
	for (int i = 0; i < db->server_count; i++)
	{
		if (!is_fit(cx, &db->servers[i], now))
			continue;
		if (&db->servers[i] == except)
			spared = &db->servers[i];
		else
			fit++;
	}
	turn = atomic_fetch_add_explicit(&db->next_replica, 1, memory_order_relaxed);
	turn = fit == 0 ? 0 : turn % fit;
	for (int i = 0; i < db->server_count && fit > 0; i++)
	{
		kn__server *server = &db->servers[i];

		if (server == except || !is_fit(cx, server, now))
			continue;
		/* One that has become unfit meanwhile leaves the last to take its turn. */
		spared = server;
		if (turn-- == 0)
			return server;
	}
	if (fit > 0 && spared != NULL)
		return spared;
	if (cx->route != KN_ROUTE_REPLICA)
		return serves(cx, is_read, primary, status);
	if (spared == NULL)
		*status = KN_UNAVAILABLE;
	return spared;
}

/*
 * The primary, or what is asked in its place: a write to that is refused by itself, but a read
 * would have an answer, be it without what the context has to see.
 */
static kn__server *
serves(const kn_ctx *cx, bool is_read, kn__server *server, kn_status *status)
{
	bool is_standby = !atomic_load(&server->is_primary);
	bool may_answer = !is_read || (cx->route != KN_ROUTE_PRIMARY && kn__route_has(cx, server));

	if (is_standby ? may_answer : kn__route_is_in_force(cx->db, server))
		return server;
	*status = KN_UNAVAILABLE;
	return NULL;
}

/* A primary that has not been left behind by a failover. */
bool
kn__route_is_in_force(const kn_db *db, kn__server *server)
{
	return atomic_load(&server->is_primary) &&
		   atomic_load(&server->timeline) >= atomic_load(&db->newest_primary);
}

/* Whether it is a replica that has what the context has to see. */
static bool
is_fit(const kn_ctx *cx, kn__server *server, int64_t now)
{
	int64_t lag = atomic_load(&server->lag_us);
	int64_t most = cx->db->config.lag_ms;

	return atomic_load(&server->is_known) && !atomic_load(&server->is_primary) && lag >= 0 &&
		   (most < 0 || lag <= most * 1000) && kn__route_has(cx, server) &&
		   kn__breaker_may_admit(&server->breaker, now);
}

bool
kn__route_has(const kn_ctx *cx, kn__server *server)
{
	uint64_t lsn = cx->min_lsn > cx->last_lsn ? cx->min_lsn : cx->last_lsn;

	return atomic_load(&server->replayed) >= lsn;
}

/*
 * The one on the newest timeline, be it that it cannot be reached for now.  One that was left
 * behind by a failover, and is there again, is on an older one: what is written to it is lost, also
 * where the newer one is none any more and the next is not known yet.
 */
kn__server *
kn__route_primary(kn_db *db)
{
	kn__server *best = NULL;
	kn__server *newest = NULL;

	for (int i = db->server_count - 1; i >= 0; i--)
	{
		kn__server *server = &db->servers[i];
		int64_t timeline = atomic_load(&server->timeline);

		if (!atomic_load(&server->is_primary))
			newest = newest == NULL || timeline >= atomic_load(&newest->timeline) ? server : newest;
		else if (kn__route_is_in_force(db, server) && (best == NULL || is_better(server, best)))
			best = server;
	}
	if (best != NULL)
		return best;
	/* Such a one says that nothing can be written there; of primaries left behind serves none. */
	return newest == NULL ? &db->servers[0] : newest;
}

/* Of two that have said that they are the primary. */
static bool
is_better(kn__server *server, kn__server *best)
{
	int64_t timeline = atomic_load(&server->timeline);
	int64_t other = atomic_load(&best->timeline);

	if (timeline != other)
		return timeline > other;
	return atomic_load(&server->is_known) || !atomic_load(&best->is_known);
}

/*
 * A replica that is known not to be where the primary is; without one, where the others are.  One
 * on a newer timeline may follow the next primary already, unless the one there is can be asked.
 */
bool
kn__route_is_left_behind(kn__server *server)
{
	kn__server *primary = kn__route_primary(server->db);
	int64_t timeline = atomic_load(&server->timeline);
	int64_t wanted = wanted_of(server);

	/* 0: it cannot be asked, and is believed. */
	if (timeline == 0 || atomic_load(&server->is_primary))
		return false;
	return timeline < wanted || (timeline > wanted && atomic_load(&primary->is_known));
}

/*
 * The timeline that a replica should be on: that of the primary, if one has been seen and was not
 * forgotten, or else the newest that there is.
 */
static int64_t
wanted_of(kn__server *server)
{
	const kn_db *db = server->db;
	kn__server *primary = kn__route_primary(server->db);
	int64_t newest = atomic_load(&primary->timeline);

	if (atomic_load(&primary->is_primary) && newest != 0)
		return newest;
	for (int i = 0; i < db->server_count; i++)
	{
		int64_t timeline = atomic_load(&db->servers[i].timeline);

		newest = timeline > newest ? timeline : newest;
	}
	return newest;
}

/* A replica that can be asked, and is not read from, for it may not be where the primary is. */
bool
kn__route_is_left(kn__server *server)
{
	return atomic_load(&server->is_known) && !atomic_load(&server->is_primary) &&
		   atomic_load(&server->lag_us) < 0;
}

/* After how many milliseconds it is looked at again; -1: when somebody asks. */
int64_t
kn__route_pace(kn__server *server, int64_t probe_ms)
{
	int64_t most = -1;

	/* It may follow, or be there again, any time, and nobody else gives reason to look. */
	if (kn__route_is_left(server))
		most = LEFT_MS;
	else if (!atomic_load(&server->is_known))
		most = GONE_MS;
	return most >= 0 && (probe_ms < 0 || probe_ms > most) ? most : probe_ms;
}

/* Whether a place in its log is what it would be in the primary's, for all that is known. */
bool
kn__route_is_comparable(kn__server *server)
{
	int64_t timeline = atomic_load(&server->timeline);

	return timeline == 0 || timeline == wanted_of(server);
}

bool
kn__route_is_standby(const kn__link *link)
{
	const char *standby = kn__conn_setting(link->conn, "in_hot_standby");

	return standby != NULL && strcmp(standby, "on") == 0;
}

bool
kn__route_may_be_standby(const kn__link *link)
{
	const char *standby = kn__conn_setting(link->conn, "in_hot_standby");

	return standby == NULL || strcmp(standby, "off") != 0;
}

/* One more server has been looked at for the first time, be it in vain. */
void
kn__route_note_met(kn_db *db)
{
	(void) pthread_mutex_lock(&db->lock);
	if (++db->met == db->server_count)
		atomic_store(&db->first_look_by, 0);
	(void) pthread_cond_broadcast(&db->woken);
	(void) pthread_mutex_unlock(&db->lock);
}

/*
 * Which server is the primary nobody knows before all have been looked at once: what is written to
 * one that was left behind would be lost.  Nobody waits long for one that says nothing.
 */
kn_status
kn__route_await(kn_ctx *cx)
{
	kn_db *db = cx->db;
	int64_t now = kn__now(NULL);
	int64_t until = atomic_load(&db->first_look_by);
	int64_t deadline = kn__cond_until(db->clock, cx->wait.deadline);
	kn_status status = KN_OK;

	/* The other half of its time is for the call itself. */
	if (deadline != KN__NEVER && deadline - (deadline - now) / 2 < until)
		until = deadline - (deadline - now) / 2;
	(void) pthread_mutex_lock(&db->lock);
	do
	{
		if (atomic_load(&db->is_closing))
			status = KN_CLOSED;
		else if (atomic_load(&cx->is_cancelled))
			status = KN_CANCELED;
	} while (status == KN_OK && atomic_load(&db->first_look_by) != 0 &&
			 kn__cond_wait(&db->woken, &db->lock, until));
	(void) pthread_mutex_unlock(&db->lock);
	return status == KN_OK ? KN_OK : kn__fail(&cx->fault, status, "%s", kn_status_text(status));
}

/*
 * One that cannot be reached is none that others would have to be compared with; of one of which
 * that is not known, the next look tells.
 */
void
kn__route_forget(kn__server *server)
{
	(void) pthread_mutex_lock(&server->db->lock);
	server->may_be_gone = true;
	server->resets++;
	if (server->is_away)
		drop(server);
	(void) pthread_mutex_unlock(&server->db->lock);
}

/* The lock is held. */
static void
drop(kn__server *server)
{
	kn_db *db = server->db;

	if (db->newest_server == server)
		atomic_store(&db->newest_primary, 0);
	atomic_store(&server->timeline, 0);
}

/* It has been asked; the lock is held. */
void
kn__route_find(kn__server *server, int64_t timeline)
{
	atomic_store(&server->timeline, timeline);
	atomic_store(&server->is_known, true);
	note_newest(server, timeline);
	server->is_away = server->may_be_gone = false;
}

/*
 * What the newest timeline of a primary is, no other server can tell.  One that was on it may be on
 * an older one rightly, if the cluster was made anew; but not before a change of places would be
 * over.  The lock is held.
 */
static void
note_newest(kn__server *server, int64_t timeline)
{
	kn_db *db = server->db;
	int64_t newest = atomic_load(&db->newest_primary);
	int64_t now = kn__now(NULL);
	bool is_older;

	if (timeline >= newest && atomic_load(&server->is_primary))
	{
		atomic_store(&db->newest_primary, timeline);
		db->newest_server = server;
	}
	else if (server != db->newest_server)
		return;
	/* 0: it may not be asked, and only who makes the pool anew can know. */
	is_older = timeline != 0 && timeline < newest;
	if (is_older ? now - db->older_since > KEPT_MS * KN__NS_PER_MS
				 : timeline == 0 && server->may_be_gone)
		atomic_store(&db->newest_primary, 0);
	if (!is_older)
		db->older_since = KN__NEVER;
	else if (db->older_since == KN__NEVER)
		db->older_since = now;
}

/* It could not be asked, or not even be reached. */
void
kn__route_lose(kn__server *server, bool is_away)
{
	(void) pthread_mutex_lock(&server->db->lock);
	atomic_store(&server->is_known, false);
	server->is_away = is_away;
	if (is_away && server->may_be_gone)
		drop(server);
	(void) pthread_mutex_unlock(&server->db->lock);
}

/*
 * A call was sent away by the breaker, and could not find out what has become of the server.  Such
 * calls may come as fast as they can.
 */
void
kn__route_refused(kn__server *server, int64_t now)
{
	kn_db *db = server->db;
	int64_t last = atomic_load(&db->refused_at);

	if (db->server_count > 1 && now - last >= KN__HASTE_MS * KN__NS_PER_MS &&
		atomic_compare_exchange_strong(&db->refused_at, &last, now))
		kn__route_doubt(server, KN_CIRCUIT_OPEN);
}
