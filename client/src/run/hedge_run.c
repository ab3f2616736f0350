/*
 * hedge_run.c
 *		Reads that are sent to a second server when the first is slow.
 *
 * The first leg has the time that 95 % of such reads take with its server.  Then, if the budget
 * allows it, and another server may serve the read and has a connection that is idle, it is sent
 * there as well, and whichever has all of its answer first is the call's.  One that answers that
 * it cannot, or whose connection is lost, does not win as long as the other is under way.
 *
 * The other is cancelled, and its connection fenced, by a thread of the handle's, so that
 * the caller does not wait for that; its place in the pool is taken until it is done.
 */
#include "run/tell.h"

#include <signal.h>

/* One that has lost. */
typedef struct loser
{
	struct loser *next;
	kn__leg *leg;
	kn__link *link;
	kn__permit permit;
	int64_t took; /* until it had lost */
} loser;

struct kn__hedger
{
	kn__hedges hedges;
	pthread_t thread;
	pthread_cond_t asked; /* with the handle's lock, as all below */
	loser *first;
	loser **last;
	bool has_thread;
	bool must_end;
};

typedef struct duel
{
	kn__call *call;
	kn__item *items;
	int count;
	kn__leg *legs[2];
	kn__link *links[2];
	kn__server *servers[2];
	kn__permit permits[2];
	int64_t began[2];
	loser *loser; /* made before it is known who that will be */
} duel;

static kn_status wait_for_first(duel *d);
static bool begin_second(duel *d);
static bool take_second(duel *d, kn__server *server);
static int first_of(const duel *d);
static bool may_do_better(kn_status status);
static kn_status end_leg(duel *d, int leg);
static void note_times(const duel *d, int winner, bool has_ended);
static void put_down(duel *d, int leg, kn_status status);
static void hand_over(duel *d, int leg);
static bool start_thread(kn_db *db);
static void *end_losers(void *argument);
static void end_loser(loser *l);
static bool is_in_haste(kn_db *db);

kn_status
kn__hedge_start(kn_db *db)
{
	struct kn__hedger *hedger;

	if (db->config.hedge_percent == 0 || db->server_count == 1)
		return KN_OK;
	hedger = kn__allocate_zero(db->allocator, 1, sizeof(*hedger));
	if (hedger == NULL)
		return KN_NO_MEMORY;
	if (!kn__wake_open(db->haste))
	{
		kn__release(db->allocator, hedger, sizeof(*hedger));
		return KN_NO_MEMORY;
	}
	kn__hedges_init(&hedger->hedges, db->config.hedge_percent);
	kn__cond_init(&hedger->asked);
	hedger->last = &hedger->first;
	db->hedger = hedger;
	return KN_OK;
}

void
kn__hedge_stop(kn_db *db)
{
	struct kn__hedger *hedger = db->hedger;
	bool has_thread;

	if (hedger == NULL)
		return;
	(void) pthread_mutex_lock(&db->lock);
	hedger->must_end = true;
	has_thread = hedger->has_thread;
	(void) pthread_cond_signal(&hedger->asked);
	(void) pthread_mutex_unlock(&db->lock);
	kn__wake_send(db->haste[1]);
	if (has_thread)
		(void) pthread_join(hedger->thread, NULL);
}

void
kn__hedge_free(kn_db *db)
{
	if (db->hedger == NULL)
		return;
	(void) pthread_cond_destroy(&db->hedger->asked);
	kn__release(db->allocator, db->hedger, sizeof(*db->hedger));
	db->hedger = NULL;
}

/* By what the text tells, and not by what the caller says of it: he may know only that it writes.
 */
bool
kn__hedge_serves(const kn__call *call)
{
	return call->cx->hedge && call->cx->db->hedger != NULL && call->attempts == 1 &&
		   (call->class & KN__CLASS_READ) != 0 &&
		   (call->class & (KN__CLASS_SOILS | KN__CLASS_CALLS)) == 0 && kn__run_is_read(call);
}

kn_status
kn__hedge_fly(kn__call *call, kn__item *items, int count, kn__permit *permit)
{
	kn_ctx *cx = call->cx;
	duel d = { .call = call, .items = items, .count = count };
	int winner;
	bool has_ended = false; /* the other has, and had no answer */
	kn_status status;

	kn__hedges_call(&cx->db->hedger->hedges);
	d.links[0] = cx->link;
	d.servers[0] = call->server;
	d.permits[0] = *permit;
	d.began[0] = kn__now(cx->db->clock);
	status = kn__leg_begin(&d.legs[0], cx->link->conn, NULL, items, count, &cx->wait, &cx->fault);
	if (status != KN_OK)
		return status;
	status = wait_for_first(&d);
	winner = status == KN_OK ? first_of(&d) : 0;
	status = end_leg(&d, winner);
	if (d.legs[1] != NULL && may_do_better(status))
	{
		has_ended = true;
		kn__run_forget(items, count);
		put_down(&d, winner, status);
		winner = 1 - winner;
		kn__fault_clear(&cx->fault);
		status = end_leg(&d, winner);
	}
	if (status == KN_OK)
		note_times(&d, winner, has_ended);
	call->server = d.servers[winner];
	*permit = d.permits[winner];
	if (winner == 1)
	{
		call->began = kn__coarse(cx->db->clock) - (kn__now(cx->db->clock) - d.began[1]);
		if (status == KN_OK)
			atomic_fetch_add_explicit(&d.servers[1]->hedges_won, 1, memory_order_relaxed);
		kn__pool_retell(d.servers[1]->pool, &d.links[1]->member, call->items[0].sql);
	}
	kn__leg_free(d.legs[winner]);
	if (d.legs[1 - winner] != NULL)
		hand_over(&d, 1 - winner);
	if (d.loser != NULL)
		kn__release(cx->db->allocator, d.loser, sizeof(loser));
	return status;
}

/*
 * KN_OK: one has its answer.  Where the second cannot begin, for it has no connection that is idle,
 * or the budget is empty, it is tried again, after twice the time each.
 */
static kn_status
wait_for_first(duel *d)
{
	kn_ctx *cx = d->call->cx;
	int64_t usual = kn__latency_p95(&d->servers[0]->latency);
	int64_t patience = usual > KN__NS_PER_MS ? usual : KN__NS_PER_MS;
	int64_t at = d->began[0] + usual;
	kn__wait until = cx->wait;
	kn_status status;

	for (;;)
	{
		bool is_last = usual == 0 || at >= cx->wait.deadline;

		until.deadline = is_last ? cx->wait.deadline : at;
		status = kn__leg_wait(d->legs, 1, &until);
		if (status != KN_TIMEOUT || is_last)
			return status;
		if (begin_second(d))
			return kn__leg_wait(d->legs, 2, &cx->wait);
		at = kn__now(cx->db->clock) + patience;
		patience *= 2;
	}
}

static bool
begin_second(duel *d)
{
	kn_ctx *cx = d->call->cx;
	struct kn__hedger *hedger = cx->db->hedger;
	kn_status status;
	kn__server *server = kn__route(cx, true, d->servers[0], &status);

	if (server == NULL || server == d->servers[0] || !atomic_load(&server->is_known) ||
		!kn__hedges_take(&hedger->hedges))
		return false;
	if (d->loser == NULL)
		d->loser = kn__allocate_zero(cx->db->allocator, 1, sizeof(loser));
	if (d->loser == NULL || !take_second(d, server))
	{
		kn__hedges_give_back(&hedger->hedges);
		return false;
	}
	atomic_fetch_add_explicit(&server->hedges, 1, memory_order_relaxed);
	kn__tell_hedge(d->call, server);
	return true;
}

static bool
take_second(duel *d, kn__server *server)
{
	kn_ctx *cx = d->call->cx;
	const kn_clock *clock = cx->db->clock;
	kn__member *member;
	kn__fault fault;

	if (!kn__breaker_admit(&server->breaker, kn__coarse(clock), &d->permits[1]))
		return false;
	if (d->permits[1].is_first)
		kn__tell_breaker(server, KN__BREAKER_HALF_OPEN);
	if (!kn__pool_try(server->pool, cx->file, cx->line, &member))
	{
		kn__breaker_withdraw(&server->breaker, &d->permits[1]);
		return false;
	}
	d->servers[1] = server;
	d->links[1] = (kn__link *) (void *) member;
	d->began[1] = kn__now(clock);
	kn__fault_clear(&fault);
	/* It may be another server by now, which has less. */
	if (kn__route_has(cx, server) && kn__leg_begin(&d->legs[1],
												   d->links[1]->conn,
												   d->links[0]->conn,
												   d->items,
												   d->count,
												   &cx->wait,
												   &fault) == KN_OK)
	{
		member->last_sql = kn__leg_sql(d->legs[1]);
		return true;
	}
	kn__breaker_withdraw(&server->breaker, &d->permits[1]);
	kn__link_give(d->links[1], kn__conn_is_clean(d->links[1]->conn), kn__coarse(clock));
	return false;
}

static int
first_of(const duel *d)
{
	return d->legs[1] != NULL && !kn__leg_is_in(d->legs[0]) ? 1 : 0;
}

/* It is no answer, and another server may have one. */
static bool
may_do_better(kn_status status)
{
	return status == KN_CONN_LOST || status == KN_UNAVAILABLE || status == KN_SERIALIZATION ||
		   status == KN_READ_ONLY;
}

/* Has its answer; whoever cancels the context from now on wakes that one. */
static kn_status
end_leg(duel *d, int leg)
{
	kn_ctx *cx = d->call->cx;

	if (cx->link != d->links[leg])
		kn__ctx_set_link(cx, d->links[leg]);
	return kn__leg_end(d->legs[leg], d->items, &cx->wait, &d->call->outcome, &cx->fault);
}

/*
 * One that has lost would have taken longer still: if nothing were told of it, the slow
 * ones would all be missing, and what is usual would become less and less.
 */
static void
note_times(const duel *d, int winner, bool has_ended)
{
	int64_t now = kn__now(d->call->cx->db->clock);

	kn__latency_note(&d->servers[winner]->latency, now - d->began[winner]);
	if (winner == 1 && !has_ended)
		kn__latency_note(&d->servers[0]->latency, now - d->began[0]);
}

/* One that has ended without an answer. */
static void
put_down(duel *d, int leg, kn_status status)
{
	kn__server *server = d->servers[leg];
	const kn_clock *clock = server->db->clock;
	bool has_failed = kn__run_is_of_servers(status, &d->call->cx->fault);
	kn__breaker_state was;
	kn__breaker_state is;

	kn__ctx_set_link(d->call->cx, d->links[1 - leg]);
	if (kn__breaker_report(&server->breaker,
						   &d->permits[leg],
						   kn__coarse(clock),
						   kn__now(clock) - d->began[leg],
						   has_failed,
						   &was,
						   &is))
		kn__tell_breaker(server, is);
	kn__route_doubt(server, status);
	kn__link_give(d->links[leg], kn__conn_is_clean(d->links[leg]->conn), kn__coarse(clock));
	kn__leg_free(d->legs[leg]);
	d->legs[leg] = NULL;
}

/* One that is under way, or has come second, for the thread to end; without one it is done here. */
static void
hand_over(duel *d, int leg)
{
	kn_db *db = d->call->cx->db;
	struct kn__hedger *hedger = db->hedger;
	loser *l = d->loser;
	bool is_taken;

	d->loser = NULL;
	*l = (loser){ .leg = d->legs[leg],
				  .link = d->links[leg],
				  .permit = d->permits[leg],
				  .took = kn__now(db->clock) - d->began[leg] };
	kn__pool_retell(l->link->server->pool, &l->link->member, kn__leg_sql(l->leg));
	(void) pthread_mutex_lock(&db->lock);
	is_taken = !hedger->must_end && (hedger->has_thread || start_thread(db));
	if (is_taken)
	{
		*hedger->last = l;
		hedger->last = &l->next;
		(void) pthread_cond_signal(&hedger->asked);
	}
	(void) pthread_mutex_unlock(&db->lock);
	if (!is_taken)
		end_loser(l);
}

/* Signals are the program's affair, and none of its handlers runs here.  The lock is held. */
static bool
start_thread(kn_db *db)
{
	struct kn__hedger *hedger = db->hedger;
	sigset_t all;
	sigset_t before;

	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	hedger->has_thread = pthread_create(&hedger->thread, NULL, end_losers, db) == 0;
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	return hedger->has_thread;
}

static void *
end_losers(void *argument)
{
	kn_db *db = argument;
	struct kn__hedger *hedger = db->hedger;

	(void) pthread_mutex_lock(&db->lock);
	while (hedger->first != NULL || !hedger->must_end)
	{
		loser *l = hedger->first;

		if (l == NULL)
		{
			(void) kn__cond_wait(&hedger->asked, &db->lock, KN__NEVER);
			continue;
		}
		hedger->first = l->next;
		if (hedger->first == NULL)
			hedger->last = &hedger->first;
		(void) pthread_mutex_unlock(&db->lock);
		end_loser(l);
		(void) pthread_mutex_lock(&db->lock);
	}
	(void) pthread_mutex_unlock(&db->lock);
	return NULL;
}

/*
 * It was slow, which is no failure; but that it does not even end when it is told to is one.  In
 * haste, for the handle is closed, it is not told, or not waited for: its connection is closed.
 */
static void
end_loser(loser *l)
{
	kn__server *server = l->link->server;
	kn_db *db = server->db;
	bool is_clean;
	bool has_failed;
	kn__breaker_state was;
	kn__breaker_state is;

	if (!is_in_haste(db))
		kn__leg_abandon(l->leg, &db->haste[0]);
	is_clean = kn__conn_is_clean(l->link->conn);
	has_failed = !is_clean && !is_in_haste(db);
	if (kn__breaker_report(&server->breaker,
						   &l->permit,
						   kn__coarse(db->clock),
						   l->took,
						   has_failed,
						   &was,
						   &is))
		kn__tell_breaker(server, is);
	if (has_failed)
		kn__route_doubt(server, KN_CONN_LOST);
	kn__link_give(l->link, is_clean, kn__coarse(db->clock));
	kn__leg_free(l->leg);
	kn__release(db->allocator, l, sizeof(loser));
}

static bool
is_in_haste(kn_db *db)
{
	bool is_so;

	(void) pthread_mutex_lock(&db->lock);
	is_so = db->hedger->must_end;
	(void) pthread_mutex_unlock(&db->lock);
	return is_so;
}
