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
#include "run/look.h"
#include "run/run.h"

#include <signal.h>

#define REST_NS  (20 * KN__NS_PER_MS) /* between two looks, however much it is asked */
#define RENEW_MS 1000                 /* between two renewals of the pool of the only server */
#define LOOK_MS  1000                 /* what a look may take, so that it is known who is gone */

static bool is_time_to_renew(kn__server *server);
static void end_prober(struct kn__prober *prober);
static void *look_on(void *argument);
static void probe(kn__looker *l);
static kn__wait patience_of(const kn__looker *l);
static bool is_out_of_date(kn__looker *l);
static uint32_t resets_of(kn__looker *l);
static void connect_anew(kn__looker *l, const kn__wait *wait);
static bool is_away(kn_status status, const kn__fault *fault);
static void hang_up(kn__looker *l);
static bool dismiss(kn_db *db);
static bool wait_for_turn(kn__looker *l);
static bool wait_until(kn__looker *l, int64_t until, bool heeds_asking);
static bool start_all(struct kn__prober *prober);

/* A look that is under way may have seen what was before. */
void
kn__route_set_back(kn__server *server, uint64_t replayed)
{
	kn_db *db = server->db;

	(void) pthread_mutex_lock(&db->lock);
	atomic_fetch_add(&server->setbacks, 1);
	if (replayed < atomic_load(&server->replayed))
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
	prober->lookers =
		kn__allocate_zero(db->allocator, (size_t) db->server_count, sizeof(kn__looker));
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
		kn__looker *l = &prober->lookers[i];

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
	kn__release(db->allocator, prober->lookers, (size_t) db->server_count * sizeof(kn__looker));
	kn__release(db->allocator, prober, sizeof(*prober));
}

static void *
look_on(void *argument)
{
	kn__looker *l = argument;

	probe(l);
	kn__route_note_met(l->prober->db);
	while (wait_for_turn(l))
		probe(l);
	if (l->link != NULL)
		hang_up(l);
	return NULL;
}

static void
probe(kn__looker *l)
{
	kn__wait wait;
	bool is_gone;

	if (l->link == NULL || is_out_of_date(l))
	{
		wait = patience_of(l);
		connect_anew(l, &wait);
	}
	if (l->link == NULL)
		return;
	wait = patience_of(l);
	if (kn__look(l, &wait, &is_gone))
		return;
	kn__route_lose(l->server, is_gone);
	hang_up(l);
}

static kn__wait
patience_of(const kn__looker *l)
{
	const kn_db *db = l->prober->db;
	int64_t most = db->config.probe_ms > LOOK_MS ? db->config.probe_ms : LOOK_MS;
	int64_t connect_ms = l->server->place->connect_ms;

	if (connect_ms >= 0 && connect_ms < most)
		most = connect_ms;
	return kn__own_wait(db, kn__after(kn__now(db->clock), most));
}

/* The name may lead to another server by now, and says so only to those who connect. */
static bool
is_out_of_date(kn__looker *l)
{
	int64_t most = l->prober->db->config.lifetime_ms;

	return l->resets != resets_of(l) ||
		   (most >= 0 && kn__now(NULL) - l->opened_at > most * KN__NS_PER_MS);
}

static uint32_t
resets_of(kn__looker *l)
{
	kn_db *db = l->prober->db;
	uint32_t resets;

	(void) pthread_mutex_lock(&db->lock);
	resets = l->server->resets;
	(void) pthread_mutex_unlock(&db->lock);
	return resets;
}

/* The connection of before goes on to do while there is no other to be had. */
static void
connect_anew(kn__looker *l, const kn__wait *wait)
{
	uint32_t resets = resets_of(l);
	kn__link *link;
	kn__fault fault;
	kn_status status;

	kn__fault_clear(&fault);
	status = kn__link_open(l->server, wait, NULL, &link, &fault);
	if (status == KN_OK)
	{
		if (l->link != NULL)
			hang_up(l);
		l->link = link;
		l->resets = resets;
		l->opened_at = kn__now(NULL);
	}
	else if (l->link == NULL)
		kn__route_lose(l->server, is_away(status, &fault));
}

/* Not one that answers, be it only that it cannot now; nor is it known where we cannot. */
static bool
is_away(kn_status status, const kn__fault *fault)
{
	/* Some poolers say it of a password, too. */
	if (fault->is_ours || fault->is_refused)
		return false;
	if (fault->error.sqlstate[0] != '\0')
		return kn__look_is_said_away(fault);
	return status == KN_CONN_LOST || status == KN_TIMEOUT;
}

static void
hang_up(kn__looker *l)
{
	kn__link_close(l->link);
	l->link = NULL;
	l->timeline = 0;
}

/*
 * Sends those away who wait for a server that cannot be reached, as there are others, or for
 * a primary that was left behind; but not from a primary that nobody has replaced.  Returns whether
 * the primary is there.
 */
static bool
dismiss(kn_db *db)
{
	kn__server *primary = kn__route_primary(db);

	for (int i = 0; i < db->server_count; i++)
	{
		kn__server *server = &db->servers[i];

		if (server != primary &&
			(!atomic_load(&server->is_known) || atomic_load(&server->is_primary)))
			kn__pool_dismiss(server->pool);
	}
	return atomic_load(&primary->is_known) && kn__route_is_in_force(db, primary);
}

/* False: it is over. */
static bool
wait_for_turn(kn__looker *l)
{
	kn_db *db = l->prober->db;
	int64_t probe_ms = db->config.probe_ms;
	int64_t now = kn__now(NULL);
	bool goes_on;

	if (!dismiss(db) && (probe_ms < 0 || probe_ms > KN__HASTE_MS))
		probe_ms = KN__HASTE_MS;
	probe_ms = kn__route_pace(l->server, probe_ms);
	if (l->link != NULL && is_out_of_date(l) && (probe_ms < 0 || probe_ms > LOOK_MS))
		probe_ms = LOOK_MS;
	(void) pthread_mutex_lock(&db->lock);
	goes_on = wait_until(l, now + REST_NS, false) && wait_until(l, kn__after(now, probe_ms), true);
	l->is_asked = false;
	(void) pthread_mutex_unlock(&db->lock);
	return goes_on;
}

/* The lock is held.  False: it is over. */
static bool
wait_until(kn__looker *l, int64_t until, bool heeds_asking)
{
	struct kn__prober *prober = l->prober;

	while (!prober->must_end && !(heeds_asking && l->is_asked) &&
		   kn__cond_wait(&prober->asked, &prober->db->lock, until))
		;
	return !prober->must_end;
}
