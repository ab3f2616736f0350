/*
 * route.c
 *		Which server a call goes to, and who looks after them.
 *
 * Where there are replicas, each server has a thread that looks at it now and then, and at once
 * when a call has found one in trouble: which is the primary, and how far behind the others are.
 * One that says nothing keeps nobody from looking at the others.  A replica serves a read
 * only if it was seen to have replayed all that the context has seen; what was seen is never more
 * than what is.  One that has crashed may have less than before: but none of its connections has
 * outlived that, and each new one of the pool's is asked before it is used.
 */
#include "run/config.h"
#include "run/lag.h"
#include "run/run.h"

#include <signal.h>
#include <string.h>

#define REST_NS  (20 * KN__NS_PER_MS) /* between two looks, however much it is asked */
#define RENEW_MS 1000                 /* between two renewals of the pool of the only server */
#define LOOK_MS  1000                 /* what a look may take, so that it is known who is gone */

/* Who looks at one server. */
typedef struct looker
{
	struct kn__prober *prober;
	kn__server *server;
	kn__link *link;    /* outside of its pool; NULL: not connected */
	int64_t timeline;  /* that a replica was seen on by this connection: it never goes back */
	uint32_t setbacks; /* of the server, when the look began */
	bool may_not_ask;  /* for the timeline of a replica */
	bool is_asked;     /* not to wait; with the handle's lock */
	pthread_t thread;
} looker;

struct kn__prober
{
	kn_db *db;
	bool must_end;     /* with the handle's lock */
	kn__sights sights; /* of the primary; likewise */
	pthread_cond_t asked;
	int count; /* of those that have begun */
	looker *lookers;
};

static void set_back(kn__server *server, uint64_t replayed);
static bool is_time_to_renew(kn__server *server);
static void end_prober(struct kn__prober *prober);
static void *look_on(void *argument);
static void probe(looker *l);
static bool look(looker *l, const kn__wait *wait);
static void note(looker *l, const kn__result *result, int64_t asked);
static void note_known(looker *l, int64_t timeline, bool is_of_others);
static void leave_others_behind(looker *l);
static void leave_behind(kn__server *server);
static void note_lag(looker *l, const kn_value *values);
static void note_place(looker *l, const kn_value *values, int64_t asked);
static int64_t integer_of(const kn_value *value, int64_t otherwise);
static bool dismiss(kn_db *db);
static bool wait_for_turn(looker *l);
static bool wait_until(looker *l, int64_t until, bool heeds_asking);
static bool start_all(struct kn__prober *prober);

kn_status
kn__route_meet(kn__link *link, const kn__wait *wait, kn__fault *fault)
{
	static const char sql[] =
		"SELECT (pg_catalog.pg_last_wal_replay_lsn()"
		" - '0/0'::pg_catalog.pg_lsn)::bigint";
	kn__server *server = link->server;
	uint64_t before = atomic_load(&server->replayed);
	kn__item item = kn__run_plain(sql);
	kn__outcome outcome;
	kn_value value = kn_null();
	const char *why;
	kn_status status;

	if (before == 0 || !kn__route_may_be_standby(link))
		return KN_OK;
	item.wants_rows = true;
	status = kn__flight(link->conn, &item, 1, wait, &outcome, fault);
	if (status == KN_OK)
		status = kn__result_value(item.result, 0, 0, NULL, NULL, &value, &why);
	kn__result_free(item.result);
	if (status == KN_OK && (uint64_t) integer_of(&value, INT64_MAX) < before)
		set_back(server, (uint64_t) value.as.i);
	return status;
}

/* A look that is under way may have seen what was before. */
static void
set_back(kn__server *server, uint64_t replayed)
{
	kn_db *db = server->db;

	(void) pthread_mutex_lock(&db->lock);
	atomic_fetch_add(&server->setbacks, 1);
	atomic_store(&server->replayed, replayed);
	(void) pthread_mutex_unlock(&db->lock);
	kn__route_doubt(server, KN_CONN_LOST);
}

/* A call has failed in a way that may mean that the server is not what it was. */
void
kn__route_doubt(kn__server *server, kn_status status)
{
	kn_db *db = server->db;
	struct kn__prober *prober;

	(void) pthread_mutex_lock(&db->lock);
	prober = db->prober;
	if (prober != NULL)
	{
		for (int i = 0; i < prober->count; i++)
			prober->lookers[i].is_asked = true;
		(void) pthread_cond_broadcast(&prober->asked);
	}
	(void) pthread_mutex_unlock(&db->lock);
	/*
	 * The primary may be another one behind the same name by now.  The connection that has said so
	 * is closed; the others with it once in a while, for a standby's may be asked again and again.
	 */
	if (prober == NULL && status == KN_READ_ONLY && is_time_to_renew(server))
		kn__pool_renew(server->pool);
}

static bool
is_time_to_renew(kn__server *server)
{
	int64_t now = kn__now(NULL);
	int64_t last = atomic_load(&server->renewed_at);

	return (last == 0 || now - last >= RENEW_MS * KN__NS_PER_MS) &&
		   atomic_compare_exchange_strong(&server->renewed_at, &last, now);
}

/* Begins to look after several servers.  KN_NO_MEMORY, or KN_OK. */
kn_status
kn__route_start(kn_db *db)
{
	struct kn__prober *prober;

	if (db->server_count == 1)
		return KN_OK;
	prober = kn__allocate_zero(db->allocator, 1, sizeof(*prober));
	if (prober == NULL)
		return KN_NO_MEMORY;
	prober->lookers = kn__allocate_zero(db->allocator, (size_t) db->server_count, sizeof(looker));
	prober->db = db;
	kn__cond_init(&prober->asked);
	if (prober->lookers != NULL && start_all(prober))
	{
		/* Connections are being opened by now, and may give rise to doubts. */
		(void) pthread_mutex_lock(&db->lock);
		db->prober = prober;
		(void) pthread_mutex_unlock(&db->lock);
		return KN_OK;
	}
	end_prober(prober);
	return KN_NO_MEMORY;
}

/* Signals are the program's affair, and none of its handlers runs here. */
static bool
start_all(struct kn__prober *prober)
{
	sigset_t all;
	sigset_t before;
	kn_db *db = prober->db;
	bool is_started = true;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	/* The first of them may look at what the others have seen. */
	(void) pthread_mutex_lock(&db->lock);
	db->met = 0;
	db->first_look_by = kn__after(kn__now(NULL), LOOK_MS);
	for (int i = 0; i < db->server_count && is_started; i++)
	{
		looker *l = &prober->lookers[i];

		l->prober = prober;
		l->server = &db->servers[i];
		is_started = pthread_create(&l->thread, NULL, look_on, l) == 0;
		prober->count += is_started;
	}
	(void) pthread_mutex_unlock(&db->lock);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_started;
}

void
kn__route_stop(kn_db *db)
{
	struct kn__prober *prober = db->prober;

	if (prober == NULL)
		return;
	/* Calls that are under way still may have their doubts. */
	(void) pthread_mutex_lock(&db->lock);
	db->prober = NULL;
	(void) pthread_mutex_unlock(&db->lock);
	end_prober(prober);
}

/* Nobody but its own threads knows of it any more. */
static void
end_prober(struct kn__prober *prober)
{
	kn_db *db = prober->db;

	(void) pthread_mutex_lock(&db->lock);
	prober->must_end = true;
	(void) pthread_cond_broadcast(&prober->asked);
	(void) pthread_mutex_unlock(&db->lock);
	for (int i = 0; i < prober->count; i++)
		(void) pthread_join(prober->lookers[i].thread, NULL);
	(void) pthread_cond_destroy(&prober->asked);
	kn__release(db->allocator, prober->lookers, (size_t) db->server_count * sizeof(looker));
	kn__release(db->allocator, prober, sizeof(*prober));
}

static void *
look_on(void *argument)
{
	looker *l = argument;

	probe(l);
	kn__route_note_met(l->prober->db);
	while (wait_for_turn(l))
		probe(l);
	if (l->link != NULL)
		kn__link_close(l->link);
	return NULL;
}

static void
probe(looker *l)
{
	kn__server *server = l->server;
	kn_db *db = server->db;
	int64_t most = db->config.probe_ms > LOOK_MS ? db->config.probe_ms : LOOK_MS;
	kn__wait wait = kn__own_wait(db, KN__NEVER);
	kn__fault fault;

	if (server->place->connect_ms >= 0 && server->place->connect_ms < most)
		most = server->place->connect_ms;
	wait.deadline = kn__after(kn__now(db->clock), most);
	kn__fault_clear(&fault);
	if (l->link == NULL && kn__link_open(server, &wait, NULL, &l->link, &fault) != KN_OK)
	{
		kn__route_lose(server, true);
		return;
	}
	if (look(l, &wait))
		return;
	kn__route_lose(server, false);
	kn__link_close(l->link);
	l->link = NULL;
	l->timeline = 0;
}

/* What a look asks for, in the order of note(). */
#define LOOK_HEAD                                                                           \
	"SELECT pg_catalog.pg_is_in_recovery(),"                                                \
	" (CASE WHEN pg_catalog.pg_is_in_recovery()"                                            \
	" THEN pg_catalog.pg_last_wal_replay_lsn()" /* for replicas: what is flushed is sent */ \
	" ELSE pg_catalog.pg_current_wal_flush_lsn() END - '0/0'::pg_catalog.pg_lsn)::bigint,"  \
	" CASE WHEN pg_catalog.pg_is_in_recovery() THEN (extract(epoch FROM"                    \
	" pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())"           \
	" * 1000000)::bigint END,"                                                              \
	" CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN ('x' || pg_catalog.left("           \
	"pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8))"               \
	"::bit(32)::bigint ELSE "
/* What it receives not everybody may see; the other one comes late, but never too early. */
#define LOOK_TIMELINE                                                      \
	"GREATEST((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)," \
	" (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))"
#define LOOK_TAIL                          \
	" END, pg_catalog.pg_is_in_recovery()" \
	" AND pg_catalog.pg_last_wal_replay_lsn() = pg_catalog.pg_last_wal_receive_lsn()"

static bool
look(looker *l, const kn__wait *wait)
{
	const char *sql =
		l->may_not_ask ? LOOK_HEAD "NULL::bigint" LOOK_TAIL : LOOK_HEAD LOOK_TIMELINE LOOK_TAIL;
	int64_t asked = kn__now(NULL);
	kn__item item = { .sql = sql, .length = strlen(sql), .wants_rows = true, .is_atomic = true };
	kn__outcome outcome;
	kn__fault fault;
	kn_status status;

	kn__fault_clear(&fault);
	item.hash = kn__hash(sql, item.length, 0);
	l->setbacks = atomic_load(&l->server->setbacks);
	status = kn__flight(l->link->conn, &item, 1, wait, &outcome, &fault);
	/* Then nobody knows whom a replica follows, and it is believed. */
	if (status != KN_OK && !l->may_not_ask &&
		(strcmp(fault.error.sqlstate, "42501") == 0 || strcmp(fault.error.sqlstate, "0A000") == 0))
	{
		kn__result_free(item.result);
		l->may_not_ask = true;
		return look(l, wait);
	}
	if (status != KN_OK)
		return false;
	note(l, item.result, asked);
	kn__result_free(item.result);
	return true;
}

static void
note(looker *l, const kn__result *result, int64_t asked)
{
	kn__server *server = l->server;
	kn_value values[5]; /* in the order of look() */
	const char *why;
	int64_t timeline;
	bool is_primary;
	bool was_primary;
	bool is_news;

	for (int i = 0; i < 5; i++)
	{
		if (kn__result_value(result, 0, i, NULL, NULL, &values[i], &why) != KN_OK)
			return;
	}
	is_primary = !values[0].as.b;
	timeline = integer_of(&values[3], 0);
	/* Without a primary it receives nothing, and has yet to note on which it is. */
	if (!is_primary && timeline != 0 && timeline < l->timeline)
		timeline = l->timeline;
	l->timeline = timeline;
	is_news = atomic_exchange(&server->timeline, timeline) != timeline;
	was_primary = atomic_exchange(&server->is_primary, is_primary);
	is_news |= was_primary != is_primary;
	if (is_primary)
		note_known(l, timeline, true);
	else
		note_lag(l, values);
	/* Connections of a server that was the other thing before may be to another one. */
	if (was_primary != is_primary && atomic_load(&server->is_looked_after))
		kn__pool_renew(server->pool);
	atomic_store(&server->is_looked_after, true);
	if (is_primary)
		note_place(l, values, asked);
	else
		note_known(l, timeline, is_news);
}

/* It may have been forgotten meanwhile, as one that is gone. */
static void
note_known(looker *l, int64_t timeline, bool is_of_others)
{
	(void) pthread_mutex_lock(&l->prober->db->lock);
	kn__route_find(l->server, timeline);
	if (is_of_others)
		leave_others_behind(l);
	(void) pthread_mutex_unlock(&l->prober->db->lock);
}

/*
 * The same place in the log is another one on another timeline: what replicas are known to have
 * says nothing where a new primary has begun one, or without any a replica is on a newer one, until
 * they are known to be on it as well.  The lock is held.
 */
static void
leave_others_behind(looker *l)
{
	struct kn__prober *prober = l->prober;

	for (int i = 0; i < prober->count; i++)
	{
		kn__server *server = prober->lookers[i].server;

		if (kn__route_is_left_behind(server))
			leave_behind(server);
		else if (!kn__route_is_comparable(server))
			atomic_store(&server->replayed, 0);
		/* It may have been left behind by the primary of before, and follow this one. */
		prober->lookers[i].is_asked |= kn__route_is_left(server);
	}
	(void) pthread_cond_broadcast(&prober->asked);
}

/* The lock is held. */
static void
leave_behind(kn__server *server)
{
	atomic_fetch_add(&server->setbacks, 1);
	atomic_store(&server->lag_us, -1);
	atomic_store(&server->replayed, 0);
}

/* What a replica has replayed, and how late that is. */
static void
note_lag(looker *l, const kn_value *values)
{
	kn_db *db = l->prober->db;
	bool is_even = values[4].type == KN_TYPE_BOOL && values[4].as.b;
	uint64_t replayed = (uint64_t) integer_of(&values[1], 0);
	int64_t lag;

	(void) pthread_mutex_lock(&db->lock);
	lag = kn__sights_lag(&l->prober->sights,
						 replayed,
						 integer_of(&values[2], -1),
						 is_even,
						 kn__now(NULL));
	/* What is stored is believed at once. */
	if (kn__route_is_left_behind(l->server))
		leave_behind(l->server);
	else
	{
		if (!kn__route_is_comparable(l->server))
			atomic_store(&l->server->replayed, 0);
		else if (atomic_load(&l->server->setbacks) == l->setbacks)
			atomic_store(&l->server->replayed, replayed);
		atomic_store(&l->server->lag_us, lag);
	}
	(void) pthread_mutex_unlock(&db->lock);
}

/* Where a primary is, if it is the one that counts. */
static void
note_place(looker *l, const kn_value *values, int64_t asked)
{
	kn_db *db = l->prober->db;

	atomic_store(&l->server->lag_us, 0);
	if (kn__route_primary(db) != l->server)
		return;
	(void) pthread_mutex_lock(&db->lock);
	kn__sights_note(&l->prober->sights,
					l->server->index,
					atomic_load(&l->server->timeline),
					(uint64_t) integer_of(&values[1], 0),
					asked,
					kn__now(NULL));
	(void) pthread_mutex_unlock(&db->lock);
}

static int64_t
integer_of(const kn_value *value, int64_t otherwise)
{
	return value->type == KN_TYPE_NULL ? otherwise : value->as.i;
}

/*
 * Sends those away who wait for a server that cannot be reached, as there are others; but for
 * a primary that nobody has replaced.  Returns whether the primary is there.
 */
static bool
dismiss(kn_db *db)
{
	kn__server *primary = kn__route_primary(db);

	for (int i = 0; i < db->server_count; i++)
	{
		if (&db->servers[i] != primary && !atomic_load(&db->servers[i].is_known))
			kn__pool_dismiss(db->servers[i].pool);
	}
	return atomic_load(&primary->is_known) && atomic_load(&primary->is_primary);
}

/* False: it is over. */
static bool
wait_for_turn(looker *l)
{
	kn_db *db = l->prober->db;
	int64_t probe_ms = db->config.probe_ms;
	int64_t now = kn__now(NULL);
	bool goes_on;

	if (!dismiss(db) && (probe_ms < 0 || probe_ms > KN__HASTE_MS))
		probe_ms = KN__HASTE_MS;
	probe_ms = kn__route_pace(l->server, probe_ms);
	(void) pthread_mutex_lock(&db->lock);
	goes_on = wait_until(l, now + REST_NS, false) && wait_until(l, kn__after(now, probe_ms), true);
	l->is_asked = false;
	(void) pthread_mutex_unlock(&db->lock);
	return goes_on;
}

/* The lock is held.  False: it is over. */
static bool
wait_until(looker *l, int64_t until, bool heeds_asking)
{
	struct kn__prober *prober = l->prober;

	while (!prober->must_end && !(heeds_asking && l->is_asked) &&
		   kn__cond_wait(&prober->asked, &prober->db->lock, until))
		;
	return !prober->must_end;
}
