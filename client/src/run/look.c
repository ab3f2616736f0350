/*
 * look.c
 *		What is to be known of a server: whether it is the primary, and how far behind if it is not.
 *
 * The prober's own thread for the server asks it, and notes what route.c and choice.c go by.
 */
#include "run/look.h"

#include <string.h>

static void note(kn__looker *l, const kn__result *result, int64_t asked);
static void forget_places(kn__looker *l);
static void note_known(kn__looker *l, int64_t timeline, bool is_of_others);
static void leave_others_behind(kn__looker *l);
static void leave_behind(kn__server *server);
static void note_lag(kn__looker *l, const kn_value *values);
static void note_place(kn__looker *l, const kn_value *values, int64_t asked);
static int64_t integer_of(const kn_value *value, int64_t otherwise);

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

bool
kn__look(kn__looker *l, const kn__wait *wait, bool *is_away)
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
		return kn__look(l, wait, is_away);
	}
	*is_away = kn__look_is_said_away(&fault);
	if (status != KN_OK)
		return false;
	note(l, item.result, asked);
	kn__result_free(item.result);
	return true;
}

bool
kn__look_is_said_away(const kn__fault *fault)
{
	return strncmp(fault->error.sqlstate, "08", 2) == 0;
}

static void
note(kn__looker *l, const kn__result *result, int64_t asked)
{
	kn__server *server = l->server;
	kn_value values[5]; /* in the order of kn__look() */
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
	if (is_primary &&
		(!atomic_load(&server->is_primary) || atomic_load(&server->timeline) != timeline))
		forget_places(l);
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

/*
 * Before anybody can write to a new primary, and compare what the others have with where that is.
 */
static void
forget_places(kn__looker *l)
{
	struct kn__prober *prober = l->prober;

	(void) pthread_mutex_lock(&prober->db->lock);
	for (int i = 0; i < prober->count; i++)
	{
		atomic_fetch_add(&prober->lookers[i].server->setbacks, 1);
		atomic_store(&prober->lookers[i].server->replayed, 0);
		prober->lookers[i].is_asked |= &prober->lookers[i] != l;
	}
	(void) pthread_cond_broadcast(&prober->asked);
	(void) pthread_mutex_unlock(&prober->db->lock);
}

/* It may have been forgotten meanwhile, as one that is gone. */
static void
note_known(kn__looker *l, int64_t timeline, bool is_of_others)
{
	(void) pthread_mutex_lock(&l->prober->db->lock);
	kn__route_find(l->server, timeline);
	/* By a connection of before that was said, nobody knows yet of who is there now. */
	l->server->may_be_gone |= l->resets != l->server->resets;
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
leave_others_behind(kn__looker *l)
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
note_lag(kn__looker *l, const kn_value *values)
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
note_place(kn__looker *l, const kn_value *values, int64_t asked)
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
